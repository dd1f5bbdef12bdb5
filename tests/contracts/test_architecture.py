"""The order of the rooms: upper ones import lower ones, never back; and what only one room may do."""

import ast
import sys
import unittest
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]

# The layers, from the top; `*` stands for the packages of the shop. Imports within functions count too.
LAYERS = (
    ("flask_app",),
    ("app", "app.commands"),
    ("app.*",),
    ("app.models",),
    ("app.rules", "app.problems"),
    ("app.core",),
    ("config",),
)
# The extensions belong to core and to whoever is above it.
EXTENSIONS = "app.extensions"
OPENAPI = "app.core.openapi"
JSON_SQL = "app.core.json_sql"
# What only these modules, or those of these packages, import.
KEPT_IN = {
    "flask_smorest": {OPENAPI},
    "apispec": {OPENAPI},
    "webargs": {OPENAPI},
    "flask_swagger_ui": {"app.system.routes"},
    "flask_cors": {"app.core.http.cors"},
    "flask_limiter": {"app.accounts.limits", "app.core.http.rate_limits"},
    "flask_caching": {"app.core.lists.caching"},
    "jose": {"app.accounts.tokens"},
    "cryptography": {"app.core.keys"},
    "argon2": {"app.accounts.passwords"},
    "smtplib": {"app.core.smtp"},
    "dotenv": {"config"},
    "pythonjsonlogger": {"app.core.logging.logs"},
    "prometheus_client": {"app.system.metrics", "app.system.processes"},
    "opentelemetry": {"app.core.logging.tracing"},
    "fpdf": {"app.billing.papers"},
}
HTTP = ("flask", "werkzeug", "marshmallow")


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


def room(name: str) -> str:
    """The package of a module below `app`, of `core` that below it; a loose module is a room of its own."""
    parts = name.split(".")
    return ".".join(parts[: 3 if parts[:2] == ["app", "core"] else 2])


def packages() -> set[str]:
    """The packages of the shop: those below `app` that are no layer of their own."""
    named = {name for layer in LAYERS for name in layer}
    return {
        f"app.{path.name}"
        for path in (ROOT / "app").iterdir()
        if (path / "__init__.py").exists() and f"app.{path.name}" not in named
    }


def layer(name: str) -> int | None:
    """How deep the layer of a module is, None where it is in none."""
    top = ".".join(name.split(".")[:2])
    wanted = "app.*" if top in packages() else top
    return next((depth for depth, names in enumerate(LAYERS) if wanted in names), None)


def edges() -> Iterator[tuple[str, str]]:
    """Which module of the application imports which."""
    for name in modules():
        for imported in imports(name):
            if imported in modules():
                yield name, imported


def is_in(name: str, room: str) -> bool:
    return name == room or name.startswith(f"{room}.")


class Layers(unittest.TestCase):
    """Who imports whom."""

    def test_every_module_is_in_a_layer(self) -> None:
        self.assertEqual([name for name in modules() if layer(name) is None and name != EXTENSIONS], [])

    def test_nothing_stands_loose_beside_the_packages(self) -> None:
        loose = {path.name for path in (ROOT / "app").glob("*.py")}
        self.assertEqual(loose, {"__init__.py", "extensions.py", "problems.py"})

    def test_layers_import_only_what_lies_below(self) -> None:
        upwards = [
            f"{name} imports {imported}"
            for name, imported in edges()
            if EXTENSIONS not in (name, imported) and (layer(imported) or 0) < (layer(name) or 0)
        ]
        self.assertEqual(upwards, [])

    def test_core_knows_nothing_of_a_shop(self) -> None:
        outside = [
            f"{name} imports {imported}"
            for name, imported in edges()
            if is_in(name, "app.core") and not is_in(imported, "app.core") and imported != "config"
        ]
        self.assertEqual(outside, [])

    def test_no_package_imports_itself_by_way_of_others(self) -> None:
        known: dict[str, set[str]] = {}
        for name, imported in edges():
            if room(name) != room(imported):
                known.setdefault(room(name), set()).add(room(imported))
        circles = [start for start in known if start in self.reached(known, start)]
        self.assertEqual(circles, [])

    def reached(self, known: dict[str, set[str]], start: str) -> set[str]:
        """The rooms that one imports, directly or by way of others."""
        reached, unseen = set[str](), [start]
        while unseen:
            new = known.get(unseen.pop(), set()) - reached
            reached |= new
            unseen += new
        return reached

    def test_every_package_with_routes_has_an_address(self) -> None:
        """The factory imports it: some packages are imported for their routes alone."""
        with_routes = {room(name) for name in modules() if name.endswith("routes")}
        self.assertGreater(len(with_routes), 5)
        self.assertEqual(with_routes - {room(imported) for imported in imports("app")}, set())

    def test_a_module_of_nowhere_is_in_no_layer(self) -> None:
        for name in ("nowhere", "nowhere.routes", "app.nowhere", "app.nowhere.routes"):
            self.assertIsNone(layer(name), name)

    def test_the_names_in_these_lists_are_those_of_modules(self) -> None:
        names = {name for layer in LAYERS for name in layer if "*" not in name} | {EXTENSIONS}
        names |= {name for kept in KEPT_IN.values() for name in kept}
        self.assertEqual(sorted(names - modules().keys()), [])

    def test_every_framework_is_imported_by_one_of_its_rooms(self) -> None:
        imported = {
            each.partition(".")[0]
            for rooms in KEPT_IN.values()
            for name in modules()
            if any(is_in(name, room) for room in rooms)
            for each in imports(name)
        }
        self.assertEqual(set(KEPT_IN) - imported, set())

    def test_frameworks_stay_in_their_rooms(self) -> None:
        outside = [
            f"{name} imports {imported}"
            for name in modules()
            for imported in imports(name)
            if not any(is_in(name, room) for room in KEPT_IN.get(imported.partition(".")[0], {name}))
        ]
        self.assertEqual(outside, [])

    def test_rules_know_neither_flask_nor_the_database(self) -> None:
        self.assert_without(lambda name: is_in(name, "app.rules"), *HTTP, "sqlalchemy", "flask_sqlalchemy")

    def test_json_sql_is_a_library_of_its_own(self) -> None:
        known = {*sys.stdlib_module_names, "marshmallow", "sqlalchemy"}
        outside = [
            f"{name} imports {imported}"
            for name in modules()
            if is_in(name, JSON_SQL)
            for imported in imports(name)
            if not is_in(imported, JSON_SQL) and imported.partition(".")[0] not in known
        ]
        self.assertEqual(outside, [])

    def test_json_sql_uses_no_private_names_of_libraries(self) -> None:
        # Of these, the first is marshmallow's documented way to extend it, the others are Python's.
        allowed = {"_serialize", "__name__", "__init__"}
        private = {
            f"{name} uses {node.attr}"
            for name, tree in modules().items()
            if is_in(name, JSON_SQL)
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and node.attr.startswith("_") and node.attr not in allowed
            if not (isinstance(node.value, ast.Name) and node.value.id == "self")
        }
        self.assertEqual(private, set())

    def test_models_know_no_http(self) -> None:
        self.assert_without(lambda name: is_in(name, "app.models"), *HTTP)

    def test_operations_know_no_http(self) -> None:
        self.assert_without(lambda name: name.endswith("operations"), *HTTP)

    def assert_without(self, is_meant: Callable[[str], bool], *libraries: str) -> None:
        inside = [name for name in modules() if is_meant(name)]
        self.assertTrue(inside)
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
        self.assertEqual(self.who_mentions("commit"), {"app.core.database.transaction"})

    def who_mentions(self, *attributes: str) -> set[str]:
        """The modules with an attribute, or an imported name, of one of these names."""
        return {
            name
            for name, tree in modules().items()
            for node in ast.walk(tree)
            if (isinstance(node, ast.Attribute) and node.attr in attributes)
            or (isinstance(node, ast.ImportFrom) and any(alias.name in attributes for alias in node.names))
        }
