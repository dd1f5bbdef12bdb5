"""The order of the rooms: upper ones import lower ones, never back; and what only one room may do."""

import ast
import unittest
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
BLUEPRINTS = ("customers", "inventory", "invites", "mechanics", "service_tickets", "spreadsheets")

# Operations that have a module of their own.
OPERATIONS = (
    "customers.erasing",
    "customers.personal_data",
    "customers.vehicles",
    "service_tickets.billing",
    "service_tickets.changing",
    "service_tickets.intake",
    "service_tickets.lines",
)
# From the street down. A name stands for its package's modules too, unless they have a line of their own, and `*` for
# each blueprint.
ROOMS = (
    ("flask_app",),
    ("app",),
    ("app.shop",),
    ("app.cli", "app.system", "app.*"),
    ("app.backups", "app.demo"),
    ("app.*.operations", *(f"app.{name}" for name in OPERATIONS)),
    ("app.arrivals", "app.stock"),
    (
        "app.*.schemas",
        "app.*.billing_schemas",
        "app.*.export_schemas",
        "app.*.intake_schemas",
        "app.*.vehicle_schemas",
        "app.service_tickets.invoice_pdf",
        "app.spreadsheets.checking",
    ),
    ("app.*.lists",),
    ("app.*.blueprint",),
    ("app.errors", "app.openapi"),
    ("app.idempotency", "app.metrics"),
    ("app.auth.guesses", "app.auth.sign_in"),
    ("app.limits", "app.reading"),
    ("app.cursors",),
    ("app.auth",),
    ("app.auditing", "app.listing"),
    ("app.compiling",),
    ("app.schemas",),
    ("app.fields",),
    ("app.caching", "app.logs", "app.tracing"),
    ("app.watching",),
    ("app.line",),
    ("app.sheets",),
    (
        "app.auth.devices",
        "app.auth.passwords",
        "app.auth.tokens",
        "app.bodies",
        "app.conditional",
        "app.cors",
        "app.database",
        "app.headers",
    ),
    ("app.auth.keys", "app.auth.sessions", "app.slow_work"),
    ("app.transaction",),
    ("app.statements",),
    ("app.models",),
    ("app.rules",),
    ("app.exchange", "app.extensions", "app.problems"),
    ("config",),
)
DEPTHS = {
    name.replace("*", blueprint): depth
    for depth, names in enumerate(ROOMS)
    for name in names
    for blueprint in (BLUEPRINTS if "*" in name else ("",))
}
OPENAPI = {
    "app.openapi",
    "app.openapi.blueprint",
    "app.openapi.conditions",
    "app.openapi.document",
    "app.openapi.parser",
}
SCHEMAS = (".lists", ".schemas", ".billing_schemas", ".export_schemas", ".intake_schemas", ".vehicle_schemas")
# What only these may import.
KEPT_IN = {
    "flask_smorest": OPENAPI,
    "apispec": OPENAPI,
    "webargs": OPENAPI,
    "flask_swagger_ui": {"app.system.routes"},
    "flask_cors": {"app.cors"},
    "flask_limiter": {"app.limits", "app.errors"},
    "flask_caching": {"app.extensions"},
    "jose": {"app.auth.tokens"},
    "cryptography": {"app.auth.keys"},
    "argon2": {"app.auth.passwords"},
    "dotenv": {"config"},
    "pythonjsonlogger": {"app.logs"},
    "prometheus_client": {"app.metrics"},
    "opentelemetry": {"app.tracing"},
    "fpdf": {"app.service_tickets.invoice_pdf"},
}


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


@cache
def modules() -> dict[str, ast.Module]:
    """The syntax tree of every module of the application, by name."""
    paths = [ROOT / "flask_app.py", ROOT / "config.py", *(ROOT / "app").rglob("*.py")]
    return {module_name(path): ast.parse(path.read_text()) for path in paths}


def imports(name: str) -> Iterator[str]:
    """The modules that a module imports, wherever in it."""
    for node in ast.walk(modules()[name]):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module, f"{name} imports relatively"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in modules() else node.module


def depth(name: str) -> int | None:
    """How deep the room of a module lies, None where it is in none."""
    listed = name
    while listed not in DEPTHS:
        listed = listed.rpartition(".")[0]
        if listed in ("", "app"):  # the factory's own line is for the factory alone
            return None
    return DEPTHS[listed]


def listed() -> Iterator[str]:
    """Every name that the lists above have, `*` in place of a blueprint."""
    for names in ROOMS:
        yield from names
    for names in KEPT_IN.values():
        yield from sorted(names)
    yield from (f"app.{name}" for name in (*BLUEPRINTS, *OPERATIONS))


def unknown(names: Iterable[str]) -> list[str]:
    """Those that name no module; with `*`, none of any blueprint."""
    return [name for name in names if not any(name.replace("*", each) in modules() for each in BLUEPRINTS)]


def blueprint_of(name: str) -> str | None:
    parts = name.split(".")
    return parts[1] if parts[0] == "app" and len(parts) > 1 and parts[1] in BLUEPRINTS else None


class Rooms(unittest.TestCase):
    """Who imports whom."""

    def test_every_module_has_a_room(self) -> None:
        self.assertEqual([name for name in modules() if depth(name) is None], [])

    def test_a_module_that_is_not_listed_is_in_no_room(self) -> None:
        for name in ("app.nowhere", "app.nowhere.routes", "nowhere"):
            self.assertIsNone(depth(name), name)

    def test_every_name_in_these_lists_is_that_of_a_module(self) -> None:
        self.assertEqual(unknown(listed()), [])

    def test_a_name_of_nothing_is_noticed(self) -> None:
        found = unknown(["app.*.nowhere", "app.*.schemas", "app.auth", "app.auth.nowhere"])
        self.assertEqual(found, ["app.*.nowhere", "app.auth.nowhere"])

    def test_every_package_with_routes_is_a_blueprint(self) -> None:
        with_routes = {name.split(".")[1] for name in modules() if name.endswith(".routes")}
        self.assertEqual(with_routes, {*BLUEPRINTS, "system"})

    def test_every_framework_is_imported_by_one_of_its_rooms(self) -> None:
        imported = {each.partition(".")[0] for names in KEPT_IN.values() for name in names for each in imports(name)}
        self.assertEqual(set(KEPT_IN) - imported, set())

    def test_rooms_import_only_what_lies_below(self) -> None:
        upwards = [
            f"{name} imports {imported}"
            for name in modules()
            for imported in imports(name)
            if imported in modules() and (depth(imported) or 0) < (depth(name) or 0)
        ]
        self.assertEqual(upwards, [])

    def test_blueprints_take_no_more_than_schemas_and_lists_from_one_another(self) -> None:
        strangers = [
            f"{name} imports {imported}"
            for name in modules()
            for imported in imports(name)
            if blueprint_of(name)
            and blueprint_of(imported) not in (None, blueprint_of(name))
            and not imported.endswith(SCHEMAS)
        ]
        self.assertEqual(strangers, [])

    def test_rules_know_neither_flask_nor_the_database(self) -> None:
        self.assert_without("app.rules", "flask", "sqlalchemy", "flask_sqlalchemy", "marshmallow")

    def test_operations_know_no_http(self) -> None:
        for name in (*(f"{blueprint}.operations" for blueprint in BLUEPRINTS), *OPERATIONS):
            self.assert_without(f"app.{name}", "flask", "werkzeug", "marshmallow")
        self.assert_without("app.stock", "flask", "werkzeug", "marshmallow")

    def test_models_know_no_http(self) -> None:
        self.assert_without("app.models", "flask", "werkzeug", "marshmallow")

    def test_frameworks_stay_in_their_rooms(self) -> None:
        outside = [
            f"{name} imports {imported}"
            for name in modules()
            for imported in imports(name)
            if name not in KEPT_IN.get(imported.partition(".")[0], {name})
        ]
        self.assertEqual(outside, [])

    def assert_without(self, room: str, *libraries: str) -> None:
        inside = [name for name in modules() if name == room or name.startswith(room + ".")]
        self.assertTrue(inside, room)
        found = [
            f"{name} imports {imported}"
            for name in inside
            for imported in imports(name)
            if imported.partition(".")[0] in libraries
        ]
        self.assertEqual(found, [])


class Deeds(unittest.TestCase):
    """What is done in one place alone."""

    def test_only_the_settings_read_the_environment(self) -> None:
        self.assertEqual(self.who_mentions("environ", "environb", "getenv", "getenvb"), {"config"})

    def test_only_the_transaction_commits(self) -> None:
        self.assertEqual(self.who_mentions("commit"), {"app.transaction"})

    def who_mentions(self, *attributes: str) -> set[str]:
        """The modules with an attribute, or an imported name, of one of these names."""
        return {
            name
            for name, tree in modules().items()
            for node in ast.walk(tree)
            if (isinstance(node, ast.Attribute) and node.attr in attributes)
            or (isinstance(node, ast.ImportFrom) and any(alias.name in attributes for alias in node.names))
        }
