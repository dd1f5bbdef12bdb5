"""Settings: how they are read, what is refused, and that all are written down."""

import os
import re
import secrets
import stat
import tempfile
import unittest
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest import mock

import config
from config import ConfigError
from tests import support
from tests.support.papers import picture

KEY = secrets.token_hex(16)
PRODUCTION = {"APP_ENV": "production", "SECRET_KEY": KEY, "DATABASE_URL": "postgresql://db.example.com/shop"}


def load(**environ: str) -> dict[str, Any]:
    """The settings of an environment with a key."""
    return config.load({"SECRET_KEY": KEY, **environ})


class Refusals(unittest.TestCase):
    """A bad value is an error that names its variable."""

    BAD = {
        "APP_ENV": ["staging", "Production"],
        "SECRET_KEY": ["short", "k" * (config.SECRET_KEY_BYTES - 1)],
        "SECRET_KEY_PREVIOUS": ["short"],
        "DATABASE_URL": ["mysql://localhost/shop", "shop.db"],
        "DATABASE_POOL_SIZE": ["0", "101", "-1", "ten", "1.5", "٣"],
        "REDIS_URL": ["localhost:6379", "http://localhost"],
        "CORS_ORIGINS": [
            "*",
            "null",
            "desk.example.com",
            "https://*.example.com",
            "https://desk.example.com/",
            "https://desk.example.com/app",
            "https://desk.example.com?",
            "https://me@desk.example.com",
            "https://desk.example.com:",
            "https://desk.example.com:65536",
            "https://desk.example.com https://pay.example.com",
            "https://bücher.example",
            "ftp://desk.example.com",
            "https://",
            "https://desk.example.com,*",
        ],
        "PUBLIC_URL": ["shop.example.com", "ftp://shop.example.com"],
        "WEB_CONCURRENCY": ["0", "65", "many"],
        "THREADS": ["0", "65", "many"],
        "LOG_LEVEL": ["debug", "all", "10"],
        "LOG_FORMAT": ["JSON", "xml"],
        "METRICS_TOKEN": ["short"],
        "OTEL_EXPORTER_OTLP_ENDPOINT": ["localhost:4317", "grpc://localhost"],
        "ALLOWED_HOSTS": [
            "shop.example.com:8080",
            "http://shop.example.com",
            "a,,b",
            "*",
            "shop example",
            "é.example.com",
        ],
        "DESK": ["true", "yes", "OFF"],
        "INVITE_URL": ["shop.example.com/welcome", "mailto:shop@example.com"],
        "SMTP_URL": [
            "mail.example.com",
            "http://mail.example.com",
            "smtp://",
            "smtp://mail.example.com:99999",
            "smtp://mail.example.com:mail",
            "smtp://[::1",
            "smtp://user@mail.example.com",
            "smtp://:password@mail.example.com",
            "smtp://user:p%C3%A4ssword@mail.example.com",
            "smtp://mail.example.com/path",
            "smtp://mail.example.com?tls=off",
        ],
        "MAIL_FROM": [
            "desk",
            "desk@",
            "Shop desk@example.com",
            "a@example.com, b@example.com",
            "Shop <desk@example.com> <b@example.com>",
            "dësk@example.com",
        ],
        "FIRST_ADMIN_EMAIL": ["ada", "ada@", "Ada <ada@example.com>", "a@example.com,b@example.com"],
        "PORT": ["0", "65536", "http", "80 80"],
        "AUDIT_DAYS": ["0", "29", "1y", "90.5"],
        "RATELIMIT_APPROVALS": ["often"],
        "RATELIMIT_EXPORTS": ["often"],
        "SESSION_IDLE_MINUTES": ["0", "-1", "20m", "0.5"],
        "TOKEN_HOURS": ["0", "8761", "12h", "0.5"],
        "PHONE_REGION": ["USA", "1", "É1"],
        "TRUSTED_PROXIES": ["-1", "11", "yes"],
        "TRUSTED_PROXIES_SET_HOST": ["yes", "1 proxy"],
        "SHOP_TIMEZONE": [
            "Mars/Olympus",
            "America",
            "new york",
            "../UTC",
            "/usr/share/zoneinfo/UTC",
            "+02:00",
            "é",
            "a" * 300,
        ],
        "SHOP_PHONE": ["call us", "12", "+1 212 555 0100 0100 0100", "é"],
        "SHOP_LOGO": ["/nowhere/logo.png", "/", __file__, "\0"],
        "SHOP_TERMS": ["x" * 4001],
        "ESTIMATE_DAYS": ["0", "367", "30 days", "1.5"],
        "CURRENCY": ["US", "USDD", "U5D", "€", "ÄÖÜ"],
        "LABOR_RATE": ["-1", "1.234", "1e2", "free", "1,50", ".5", "1.", "+1", "NaN", "1000000", "٣"],
        "PARTS_TAX_RATE": ["-1", "100.001", "101", "8.18755", "8.25%", "1e1", "Infinity", "٣"],
        "LABOR_TAX_RATE": ["-1", "101", "8.18755", "none"],
        "SUPPLIES_RATE": ["-1", "101", "8.18755", "none"],
        "SUPPLIES_CAP": ["-1", "1.234", "none", "1000000", "NaN"],
        "RATELIMIT_ENABLED": ["maybe", "no", "2"],
        "RATELIMIT_PER_CLIENT": ["often", "5 per fortnight", "-1 per minute"],
        "RATELIMIT_WRITES": ["often"],
        "RATELIMIT_LOGIN": ["often"],
        "RATELIMIT_GUESSES": ["often", "5 per minute; often"],
        "RATELIMIT_GUESSES_PER_ADDRESS": ["often"],
        "RATELIMIT_RESETS": ["often"],
        "RATELIMIT_RESETS_PER_ADDRESS": ["often"],
        "RATELIMIT_SIGN_UP": ["often"],
    }
    # What any text will do for.
    FREE = {"SHOP_NAME", "SHOP_ADDRESS", "REVISION"}

    def test_bad_values_name_their_variable(self) -> None:
        for name, values in self.BAD.items():
            for value in values:
                with self.subTest(f"{name}={value}"), self.assertRaisesRegex(ConfigError, rf"^{name}\b"):
                    load(**{name: value})

    def test_bad_values_of_every_setting_are_tried(self) -> None:
        self.assertEqual(set(self.BAD) | self.FREE, {setting.name for setting in config.SETTINGS})

    def test_a_secret_is_not_in_the_message(self) -> None:
        for name, value in {"SECRET_KEY": "hush-hush", "SMTP_URL": "smtp://me:hush-hush@mail.example.com:none"}.items():
            with self.subTest(name), self.assertRaises(ConfigError) as caught:
                load(**{name: value})
            self.assertNotIn("hush", str(caught.exception))

    def test_mail_needs_a_sender_and_in_production_an_address_to_lead_to(self) -> None:
        server, sender = {"SMTP_URL": "smtp://mail.example.com"}, {"MAIL_FROM": "desk@example.com"}
        with self.assertRaisesRegex(ConfigError, "^MAIL_FROM"):
            load(**server)
        load(**server, **sender)
        with self.assertRaisesRegex(ConfigError, "^PUBLIC_URL"):
            config.load({**PRODUCTION, **server, **sender})
        for name in ("PUBLIC_URL", "INVITE_URL"):
            config.load({**PRODUCTION, **server, **sender, name: "https://shop.example.com"})


class Logos(unittest.TestCase):
    """`SHOP_LOGO`: a picture is decoded at the start, so that it cannot fail on paper."""

    def write(self, content: bytes) -> str:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = Path(folder.name) / "logo"
        path.write_bytes(content)
        return str(path)

    def test_png_and_jpeg_are_read(self) -> None:
        for kind in ("PNG", "JPEG"):
            content = picture(kind)
            self.assertEqual(load(SHOP_LOGO=self.write(content))["SHOP_LOGO"], content)

    def test_what_is_no_such_picture_is_refused_and_says_why(self) -> None:
        for told, content in {
            "KB or less": picture("PNG") + bytes(config.MAX_LOGO_BYTES),
            "pixels": picture("PNG", size=(config.MAX_LOGO_PIXELS + 1, 1)),
            "PNG or JPEG": picture("GIF"),
            "must be a PNG": picture("PNG")[: len(picture("PNG")) // 2],
            "a PNG or JPEG file": b"",
        }.items():
            with self.subTest(told), self.assertRaisesRegex(ConfigError, f"^SHOP_LOGO .*{told}"):
                load(SHOP_LOGO=self.write(content))


class Values(unittest.TestCase):
    """What good values become."""

    def test_an_empty_variable_counts_as_unset(self) -> None:
        self.assertEqual(load(TOKEN_HOURS=" ", REDIS_URL=""), load())

    def test_values_are_cast(self) -> None:
        read = load(PORT=" 8080 ", RATELIMIT_ENABLED="FALSE", PHONE_REGION="de", PUBLIC_URL="https://shop.example.com/")
        self.assertEqual(
            {name: read[name] for name in ("PORT", "RATELIMIT_ENABLED", "PHONE_REGION", "PUBLIC_URL")},
            {
                "PORT": 8080,
                "RATELIMIT_ENABLED": False,
                "PHONE_REGION": "DE",
                "PUBLIC_URL": "https://shop.example.com",
            },
        )

    def test_origins_are_spelled_as_browsers_spell_them(self) -> None:
        for text, origins in {
            "": (),
            "https://desk.example.com": ("https://desk.example.com",),
            " http://localhost:5173 ,https://Desk.Example.com:443,": (
                "http://localhost:5173",
                "https://desk.example.com",
            ),
            "http://bay_3:80,http://bay_3,http://[::1]:8080": ("http://bay_3", "http://[::1]:8080"),
            "https://desk.example.com:80": ("https://desk.example.com:80",),
        }.items():
            with self.subTest(text):
                self.assertEqual(load(CORS_ORIGINS=text)["CORS_ORIGINS"], origins)

    def test_a_mail_server_has_its_usual_port_and_a_decoded_password(self) -> None:
        for text, server in {
            "smtp://mail.example.com": config.SmtpServer("mail.example.com", 587, False, "", ""),
            "smtps://mail.example.com": config.SmtpServer("mail.example.com", 465, True, "", ""),
            "smtp://me%40example.com:p%40ss%2F@[::1]:25/": config.SmtpServer(
                "::1", 25, False, "me@example.com", "p@ss/"
            ),
        }.items():
            with self.subTest(text):
                read = load(SMTP_URL=text, MAIL_FROM="Shop <desk@example.com>")
                self.assertEqual(read["SMTP_URL"], server)
                self.assertNotIn("p@ss", repr(read["SMTP_URL"]))
                self.assertEqual(str(read["MAIL_FROM"]), "Shop <desk@example.com>")

    def test_an_admins_email_is_spelled_as_those_of_accounts(self) -> None:
        self.assertEqual(load(FIRST_ADMIN_EMAIL=" Ada@Example.com ")["FIRST_ADMIN_EMAIL"], "ada@example.com")

    def test_money_and_rates_are_exact(self) -> None:
        for name, texts in {
            "LABOR_RATE": ("0", "0.1", "118.50", "999999.99"),
            "PARTS_TAX_RATE": ("0", "8.25", "8.875", "8.1875", "100", "100.0000"),
            "LABOR_TAX_RATE": ("0.0001", "100"),
            "SUPPLIES_RATE": ("3.5", "3.0625", "100"),
            "SUPPLIES_CAP": ("0", "45", "999999.99"),
        }.items():
            for text in texts:
                with self.subTest(f"{name}={text}"):
                    value = load(**{name: text})[name]
                    self.assertIsInstance(value, Decimal)
                    self.assertEqual(value, Decimal(text))

    def test_a_shop_that_sets_nothing_has_a_labor_rate_and_no_taxes(self) -> None:
        read = load()
        self.assertEqual(read["LABOR_RATE"], Decimal("100.00"))
        for name in ("PARTS_TAX_RATE", "LABOR_TAX_RATE", "SUPPLIES_RATE"):
            self.assertEqual(read[name], 0)
        self.assertIsNone(read["SUPPLIES_CAP"])
        self.assertEqual(read["CURRENCY"], "USD")

    def test_a_shop_is_called_and_lives_as_it_says(self) -> None:
        read = load(SHOP_NAME="Çelik & Söhne 汽車", SHOP_ADDRESS="1 Main Street, Springfield", CURRENCY="eur")
        self.assertEqual(
            [read[name] for name in ("SHOP_NAME", "SHOP_ADDRESS", "CURRENCY")],
            ["Çelik & Söhne 汽車", "1 Main Street, Springfield", "EUR"],
        )

    def test_a_shops_phone_is_read_as_in_its_country(self) -> None:
        for text, region in (("(212) 555-0100", "US"), ("+1 212 555 0100", "DE"), ("1-212-555-0100", "US")):
            with self.subTest(text):
                self.assertEqual(load(SHOP_PHONE=text, PHONE_REGION=region)["SHOP_PHONE"], "+12125550100")
        self.assertIsNone(load()["SHOP_PHONE"])

    def test_a_shop_has_the_time_of_where_it_is(self) -> None:
        self.assertEqual(load()["SHOP_TIMEZONE"].key, "UTC")
        for name in ("America/New_York", "Asia/Kathmandu", "Etc/GMT+5"):
            self.assertEqual(load(SHOP_TIMEZONE=name)["SHOP_TIMEZONE"].key, name)

    def test_the_defaults_are_those_of_development_on_sqlite(self) -> None:
        read = load()
        self.assertEqual((read["APP_ENV"], read["TOKEN_HOURS"], read["REDIS_URL"]), ("development", 12, None))
        self.assertTrue(read["RATELIMIT_ENABLED"])
        self.assertEqual(read["DATABASE_URL"], f"sqlite:///{config.INSTANCE / 'shop.db'}")

    def test_there_are_as_many_connections_as_threads_unless_told_otherwise(self) -> None:
        sizes = [
            load(**given)["DATABASE_POOL_SIZE"]
            for given in ({}, {"THREADS": "3"}, {"THREADS": "3", "DATABASE_POOL_SIZE": "5"})
        ]
        self.assertEqual(sizes, [8, 3, 5])

    def test_production_writes_json_from_two_processes_and_others_text_from_one(self) -> None:
        names = ("LOG_FORMAT", "WEB_CONCURRENCY")
        self.assertEqual([load()[name] for name in names], ["text", 1])
        self.assertEqual([config.load(PRODUCTION)[name] for name in names], ["json", 2])
        given = {"LOG_FORMAT": "text", "WEB_CONCURRENCY": "5"}
        self.assertEqual([config.load({**PRODUCTION, **given})[name] for name in names], ["text", 5])

    def test_addresses_of_postgresql_name_the_driver(self) -> None:
        for prefix in ("postgres://", "postgresql://", "postgresql+psycopg2://"):
            with self.subTest(prefix):
                url = load(DATABASE_URL=f"{prefix}u:p@db.example.com:5432/shop?sslmode=require")["DATABASE_URL"]
                self.assertEqual(url, "postgresql+psycopg2://u:p@db.example.com:5432/shop?sslmode=require")

    def test_an_address_may_name_the_other_driver(self) -> None:
        url = "postgresql+psycopg://u:p@db.example.com/shop"
        self.assertEqual(load(DATABASE_URL=url)["DATABASE_URL"], url)


class Production(unittest.TestCase):
    """Production starts with all it needs, or not at all."""

    def test_it_starts_with_a_key_and_a_database(self) -> None:
        self.assertEqual(config.load(PRODUCTION)["SECRET_KEY"], KEY)

    def test_it_refuses_what_is_missing_or_weak(self) -> None:
        for name, value in (
            ("SECRET_KEY", ""),
            ("SECRET_KEY", "short"),
            ("DATABASE_URL", ""),
            ("RATELIMIT_ENABLED", "false"),
        ):
            with self.subTest(f"{name}={value}"), self.assertRaisesRegex(ConfigError, rf"^{name}\b"):
                config.load({**PRODUCTION, name: value})

    def test_the_host_of_public_url_is_served_unless_others_are_named(self) -> None:
        public = {**PRODUCTION, "PUBLIC_URL": "https://Shop.example.com:8443/api"}
        self.assertEqual(config.load(public)["ALLOWED_HOSTS"], ("shop.example.com",))
        named = config.load({**public, "ALLOWED_HOSTS": "api.example.com, .Shops.example.com"})
        self.assertEqual(named["ALLOWED_HOSTS"], ("api.example.com", ".shops.example.com"))
        for anywhere in (PRODUCTION, {**public, "APP_ENV": "development"}):
            self.assertIsNone(config.load(anywhere)["ALLOWED_HOSTS"])

    def test_on_render_there_is_nothing_but_production(self) -> None:
        for environment in ("", "development", "testing"):
            with self.subTest(environment), self.assertRaisesRegex(ConfigError, "^APP_ENV"):
                config.load({**PRODUCTION, "APP_ENV": environment, "RENDER": "true"})

    def test_on_render_its_own_address_stands_in_for_public_url(self) -> None:
        on_render = {**PRODUCTION, "RENDER": "true", "RENDER_EXTERNAL_URL": "https://shop.onrender.com"}
        self.assertEqual(config.load(on_render)["PUBLIC_URL"], "https://shop.onrender.com")
        own = config.load({**on_render, "PUBLIC_URL": "https://shop.example.com"})
        self.assertEqual(own["PUBLIC_URL"], "https://shop.example.com")
        self.assertIsNone(config.load({**on_render, "RENDER": ""})["PUBLIC_URL"])


class Files(unittest.TestCase):
    """The development key, and `.env`; both in folders of the test's own."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        for name, value in {"ROOT": self.folder, "INSTANCE": self.folder / "instance"}.items():
            patch = mock.patch.object(config, name, value)
            patch.start()
            self.addCleanup(patch.stop)

    def test_development_makes_a_key_and_keeps_it(self) -> None:
        key = config.load({})["SECRET_KEY"]
        self.assertGreaterEqual(len(key), config.SECRET_KEY_BYTES)
        self.assertEqual(config.load({})["SECRET_KEY"], key)
        file = self.folder / "instance" / "secret_key"
        self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o600)
        self.assertEqual([path.name for path in file.parent.iterdir()], ["secret_key"])

    def test_each_checkout_has_a_key_of_its_own(self) -> None:
        key = config.load({})["SECRET_KEY"]
        (self.folder / "instance" / "secret_key").unlink()
        self.assertNotEqual(config.load({})["SECRET_KEY"], key)

    def test_a_folder_or_a_file_that_cannot_be_written_is_named(self) -> None:
        (self.folder / "instance").write_text("no folder")
        for environ in ({}, {"SECRET_KEY": KEY}):
            with (
                self.subTest(environ),
                self.assertRaisesRegex(ConfigError, "instance.* cannot be written .*SECRET_KEY"),
            ):
                config.load(environ)
        (self.folder / "instance").unlink()
        (self.folder / "instance" / "secret_key").mkdir(parents=True)
        with self.assertRaisesRegex(ConfigError, "secret_key cannot be written .*SECRET_KEY"):
            config.load({})

    def test_a_damaged_key_is_no_key(self) -> None:
        config.load({})
        (self.folder / "instance" / "secret_key").write_text("short")
        with self.assertRaises(ConfigError):
            config.load({})

    def test_production_leaves_no_key_behind(self) -> None:
        config.load(PRODUCTION)
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_env_stands_beneath_the_process(self) -> None:
        (self.folder / ".env").write_text(f"SECRET_KEY={KEY}\nTOKEN_HOURS=3\nPORT=8001\n")
        with mock.patch.dict(os.environ, {"PORT": "8002"}, clear=True):
            read = config.load()
        self.assertEqual((read["TOKEN_HOURS"], read["PORT"]), (3, 8002))

    def test_env_is_not_read_beside_what_is_passed(self) -> None:
        (self.folder / ".env").write_text("TOKEN_HOURS=3\n")
        self.assertEqual(load()["TOKEN_HOURS"], 12)


class EnvExample(unittest.TestCase):
    """`.env.example` holds every setting with a line on what it does."""

    def setUp(self) -> None:
        self.lines = (config.ROOT / ".env.example").read_text().splitlines()

    def test_every_setting_stands_there_after_a_comment(self) -> None:
        explained = set()
        for before, line in zip(["", *self.lines], self.lines, strict=False):
            name, equals, _ = line.removeprefix("#").strip().partition("=")
            if equals and name.isupper() and " " not in name:
                self.assertRegex(before, r"^# \w+", f"{name} has no comment above it")
                explained.add(name)
        self.assertEqual(explained, {setting.name for setting in config.SETTINGS})

    def test_a_copy_of_it_is_a_good_env(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            (root / ".env").write_text("\n".join(self.lines))
            with (
                mock.patch.object(config, "ROOT", root),
                mock.patch.object(config, "INSTANCE", root / "instance"),
                mock.patch.dict(os.environ, clear=True),
            ):
                self.assertEqual(config.load()["APP_ENV"], "development")


class Environ(dict[str, str]):
    """An environment that remembers which variables were looked up."""

    def __init__(self, values: Mapping[str, str]) -> None:
        super().__init__(values)
        self.looked_up: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.looked_up.add(name)
        return super().get(name, default)

    def __getitem__(self, name: str) -> str:
        self.looked_up.add(name)
        return super().__getitem__(name)


# Words in capitals that a text may have between backticks.
NO_SETTINGS = {"SIGHUP"}


def settings_named_in(text: str) -> set[str]:
    """The variables that a text names: of several words, in backticks, or with a value."""
    several_words = r"(?<![\w-])[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+(?!\w)"
    in_backticks, with_a_value = r"(?<=`)[A-Z][A-Z0-9_]+(?=[`=])", r"(?<![\w$-])[A-Z][A-Z0-9_]+(?==)"
    return set(re.findall(f"{several_words}|{in_backticks}|{with_a_value}", text)) - NO_SETTINGS


class Documents(unittest.TestCase):
    """What README, docs and `.env.example` say of settings is true: `config.py` reads each that they name."""

    def read_by_the_application(self) -> set[str]:
        """The variables that `config.load` looks up, on Render and in production, where it looks at most."""
        environ = Environ({**PRODUCTION, "RENDER": "true"})
        config.load(environ)
        return environ.looked_up

    def read_by_the_deployment(self) -> set[str]:
        """The variables that only the workflow of the repository, `.ci/run` and compose.yaml read."""
        scripts = (".github/deploy.py", ".ci/run", "compose.yaml")
        text = "".join((config.ROOT / name).read_text() for name in scripts)
        return set(re.findall(r"[A-Z]+(?:_[A-Z]+)+", text)) | set(re.findall(r"\$\{([A-Z]+):-", text))

    def constants(self) -> set[str]:
        """The names in capitals that modules and scripts define: documents on the code name these too."""
        roots = [config.ROOT / "app", config.ROOT / "tests"]
        modules = [config.ROOT / "config.py", *(path for root in roots for path in root.rglob("*.py"))]
        scripts = (config.ROOT / "app").rglob("*.js")
        found = [re.findall(r"^([A-Z][A-Z0-9_]+)\b.*=", path.read_text(), re.M) for path in modules]
        found += [re.findall(r"^(?:export )?const ([A-Z][A-Z0-9_]+) =", path.read_text(), re.M) for path in scripts]
        return {name for names in found for name in names}

    def read_by_make(self) -> set[str]:
        return set(re.findall(r"\$\(([A-Z_]+)\)", (config.ROOT / "Makefile").read_text()))

    def read_by_the_tests(self) -> set[str]:
        return set(re.findall(r"TEST_[A-Z_]+", Path(support.__file__).read_text()))

    def test_every_setting_that_a_document_names_is_read(self) -> None:
        known = self.read_by_the_application() | self.read_by_the_deployment() | self.read_by_the_tests()
        known |= self.constants() | self.read_by_make()
        names_some = [config.ROOT / name for name in ("README.md", ".env.example", "docs/operations.md")]
        for document in {*names_some, *(config.ROOT / "docs").rglob("*.md")}:
            with self.subTest(document.relative_to(config.ROOT)):
                named = settings_named_in(document.read_text())
                self.assertTrue(named or document not in names_some)
                self.assertEqual(named - known, set())

    def test_every_setting_is_described(self) -> None:
        settings = {setting.name for setting in config.SETTINGS}
        for name in (".env.example", "docs/configuration.md"):
            with self.subTest(name):
                self.assertEqual(settings - settings_named_in((config.ROOT / name).read_text()), set())

    def test_a_setting_is_found_wherever_a_text_names_it(self) -> None:
        found = {
            "as `RATELIMIT_GONE` says": {"RATELIMIT_GONE"},
            "RATELIMIT_GONE=10 per minute": {"RATELIMIT_GONE"},
            "unset: as GONE_TOO.": {"GONE_TOO"},
            "set `GONE` and `LIMIT=3`": {"GONE", "LIMIT"},
            "with PORT=80 make run": {"PORT"},
            "`GONE_A`, `GONE_B`": {"GONE_A", "GONE_B"},
            "`shop_tickets`, SQLite, X-Device, JSON; $shop/HEALTH": set(),
        }
        for text, names in found.items():
            with self.subTest(text):
                self.assertEqual(settings_named_in(text), names)
