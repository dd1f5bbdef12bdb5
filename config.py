"""Settings: the only module that reads the environment.

``load()`` turns environment variables (and ``.env``) into the mapping that ``create_app`` takes. ``SETTINGS`` has every
variable once, with the cast that reads it; a value that does not parse and a secret that is missing in production raise
`ConfigError`, which names the variable.
"""

import os
import re
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.utils import getaddresses
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import limits
import phonenumbers
from dotenv import dotenv_values
from email_validator import EmailNotValidError, validate_email

ROOT = Path(__file__).resolve().parent
INSTANCE = ROOT / "instance"
MAX_LOGO_BYTES, MAX_LOGO_PIXELS = 256 * 1024, 2000
ENVIRONMENTS = ("development", "production", "testing")
SECRET_KEY_BYTES = 32
# The database's triggers refuse to delete younger events of the audit log.
MIN_AUDIT_DAYS = 30
# A random key has at least this many distinct characters, even in hexadecimal.
MIN_CHARACTERS = 8


class ConfigError(RuntimeError):
    """A setting is missing or does not parse; the message names it."""


@dataclass(frozen=True)
class SmtpServer:
    """The mail server of `SMTP_URL`. `tls` is whether the connection is encrypted from its first byte (smtps)."""

    host: str
    port: int
    tls: bool
    user: str
    password: str = field(repr=False)


def _rates(value: str) -> str:
    try:
        limits.parse_many(value)
    except ValueError:
        raise ValueError("must be a rate such as '10 per minute'") from None
    return value


def _flag(value: str) -> bool:
    try:
        return {"true": True, "1": True, "false": False, "0": False}[value.lower()]
    except KeyError:
        raise ValueError("must be true or false") from None


def _one_of(*words: str) -> Callable[[str], str]:
    def read(value: str) -> str:
        if value not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return value

    return read


def _whole(least: int, most: int) -> Callable[[str], int]:
    def read(value: str) -> int:
        if not value.isascii() or not value.isdigit() or not least <= int(value) <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")
        return int(value)

    return read


def _secret(value: str) -> str:
    if len(value.encode()) < SECRET_KEY_BYTES:
        raise ValueError(f"must have {SECRET_KEY_BYTES} bytes or more")
    repeats = any(value[size:] == value[:-size] for size in range(1, len(value) // 2 + 1))
    if repeats or len(set(value)) < MIN_CHARACTERS:
        raise ValueError("must be random, such as what `openssl rand -hex 32` prints")
    return value


def _database(value: str) -> str:
    # SQLAlchemy rejects "postgres://", which hosts hand out, and maps "postgresql://" to psycopg 3, which must be named
    # explicitly here (and installed).
    for prefix in ("postgres://", "postgresql://"):
        if value.startswith(prefix):
            return "postgresql+psycopg2://" + value.removeprefix(prefix)
    if not value.startswith(("sqlite:", "postgresql+psycopg2:", "postgresql+psycopg:")):
        raise ValueError("must be a postgresql:// or sqlite:// address")
    return value


def _redis(value: str) -> str:
    if not value.startswith(("redis://", "rediss://", "unix://")):
        raise ValueError("must be a redis:// address")
    return value


def _web_address(value: str) -> str:
    if not value.startswith(("http://", "https://")):
        raise ValueError("must be an http:// or https:// address")
    return value.rstrip("/")


def _smtp(value: str) -> SmtpServer:
    try:
        url = urlsplit(value)
        port = url.port
    except ValueError:  # its message would quote the address, and with it the password
        url, port = urlsplit(""), None
    user, password = unquote(url.username or ""), unquote(url.password or "")
    whole = (
        bool(url.hostname) and bool(user) == bool(password) and not (url.path.strip("/") or url.query or url.fragment)
    )
    if url.scheme not in ("smtp", "smtps") or not whole or not (user + password).isascii():  # smtplib takes ASCII alone
        raise ValueError("must be an smtp:// or smtps:// address such as smtp://user:password@mail.example.com:587")
    tls = url.scheme == "smtps"
    return SmtpServer(url.hostname or "", port or (465 if tls else 587), tls, user, password)


def _email(value: str) -> str:
    try:
        return validate_email(value, check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        raise ValueError("must be an e-mail address") from None


def _sender(value: str) -> Address:
    try:
        ((name, address),) = getaddresses([value])
        return Address(
            name, addr_spec=validate_email(address, check_deliverability=False, allow_smtputf8=False).normalized
        )
    except (EmailNotValidError, HeaderParseError, ValueError):
        raise ValueError("must be an e-mail address, or a name with one, such as Shop <desk@example.com>") from None


def _hosts(value: str) -> tuple[str, ...]:
    hosts = tuple(host.strip().lower() for host in value.split(","))
    if not all(re.fullmatch(r"\.?[a-z0-9-]+(\.[a-z0-9-]+)*", host) for host in hosts):
        raise ValueError("must be host names, without ports, separated by commas")
    return hosts


def _origins(value: str) -> tuple[str, ...]:
    """Return the origins as browsers send them: in lower case and without the default port."""
    return tuple(dict.fromkeys(_origin(origin.strip().lower()) for origin in value.split(",") if origin.strip()))


def _origin(value: str) -> str:
    match = re.fullmatch(r"(https?)://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([0-9]{1,5}))?", value)
    if match is None or int(match[3] or 0) > 65535:
        raise ValueError("must be origins such as https://desk.example.com, without a path, separated by commas")
    usual = {"http": "80", "https": "443"}[match[1]]
    return value.removesuffix(f":{usual}") if match[3] == usual else value


def _text(value: str) -> str:
    return value


def _time_zone(value: str) -> ZoneInfo:
    try:
        return ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # the last two for other text, such as the name of a folder
        raise ValueError("must be a time zone by its IANA name, such as America/New_York") from None


def _bounded(most: int) -> Callable[[str], str]:
    def read(value: str) -> str:
        if len(value) > most:
            raise ValueError(f"must have {most} characters or fewer")
        return value

    return read


def _logo(value: str) -> bytes:
    """Return the content of a PNG or JPEG file. It is decoded here, so that no paper fails by it later."""
    try:
        with Path(value).open("rb") as file:
            content = file.read(MAX_LOGO_BYTES + 1)
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from None
    if len(content) > MAX_LOGO_BYTES:
        raise ValueError(f"must be a file of {MAX_LOGO_BYTES // 1024} KB or less")
    if not _is_picture(content):
        raise ValueError(f"must be a PNG or JPEG file of at most {MAX_LOGO_PIXELS} pixels in width and in height")
    return content


def _is_picture(content: bytes) -> bool:
    from PIL import Image  # imported where a logo is set: the library is large

    try:
        with Image.open(BytesIO(content), formats=("PNG", "JPEG")) as picture:
            if max(picture.size) > MAX_LOGO_PIXELS:
                return False
            picture.load()
    except Exception:  # a broken file raises errors of many kinds
        return False
    return True


def _currency(value: str) -> str:
    if len(value) != 3 or not value.isascii() or not value.isalpha():
        raise ValueError("must be a currency code of three letters, such as USD")
    return value.upper()


def _decimal(places: int, most: str) -> Callable[[str], Decimal]:
    def read(value: str) -> Decimal:
        if not re.fullmatch(rf"[0-9]{{1,9}}(\.[0-9]{{1,{places}}})?", value) or Decimal(value) > Decimal(most):
            raise ValueError(f"must be a decimal from 0 to {most} with at most {places} places")
        return Decimal(value)

    return read


def _region(value: str) -> str:
    if len(value) != 2 or not value.isascii() or not value.isalpha():
        raise ValueError("must be a country code of two letters, such as US")
    return value.upper()


@dataclass(frozen=True)
class Setting:
    """An environment variable: its name, the cast that reads it, and the default text."""

    name: str
    cast: Callable[[str], Any]
    default: str | None = None

    def read(self, environ: Mapping[str, str]) -> Any:
        """Return the value in `environ`, or the default; an empty variable counts as unset.

        Raises `ConfigError`.
        """
        value = environ.get(self.name, "").strip() or self.default
        if value is None:
            return None
        try:
            return self.cast(value)
        except ValueError as error:
            raise ConfigError(f"{self.name} {error}.") from None


SETTINGS = (
    Setting("APP_ENV", _one_of(*ENVIRONMENTS), "development"),
    Setting("SECRET_KEY", _secret),
    Setting("SECRET_KEY_PREVIOUS", _secret),
    Setting("DATABASE_URL", _database),
    Setting("DATABASE_POOL_SIZE", _whole(1, 100)),
    Setting("REDIS_URL", _redis),
    Setting("PUBLIC_URL", _web_address),
    Setting("ALLOWED_HOSTS", _hosts),
    Setting("INVITE_URL", _web_address),
    Setting("DESK", _one_of("on", "off"), "on"),
    Setting("SMTP_URL", _smtp),
    Setting("MAIL_FROM", _sender),
    Setting("FIRST_ADMIN_EMAIL", _email),
    Setting("CORS_ORIGINS", _origins, ""),
    Setting("PORT", _whole(1, 65535), "5000"),
    Setting("WEB_CONCURRENCY", _whole(1, 64)),
    Setting("THREADS", _whole(1, 64), "8"),
    Setting("LOG_LEVEL", _one_of("DEBUG", "INFO", "WARNING", "ERROR"), "INFO"),
    Setting("LOG_FORMAT", _one_of("json", "text")),
    Setting("METRICS_TOKEN", _secret),
    Setting("REVISION", _text, ""),
    Setting("OTEL_EXPORTER_OTLP_ENDPOINT", _web_address),
    Setting("TOKEN_HOURS", _whole(1, 24 * 365), "12"),
    Setting("AUDIT_DAYS", _whole(MIN_AUDIT_DAYS, 366 * 30)),
    Setting("SESSION_IDLE_MINUTES", _whole(1, 60 * 24 * 365)),
    Setting("PHONE_REGION", _region, "US"),
    Setting("TRUSTED_PROXIES", _whole(0, 10), "0"),
    Setting("TRUSTED_PROXIES_SET_HOST", _flag, "false"),
    Setting("SHOP_NAME", _text, "Mechanic Shop"),
    Setting("SHOP_ADDRESS", _text, ""),
    Setting("SHOP_PHONE", _text),
    Setting("SHOP_LOGO", _logo),
    Setting("SHOP_TERMS", _bounded(4000)),
    Setting("ESTIMATE_DAYS", _whole(1, 366)),
    Setting("SHOP_TIMEZONE", _time_zone, "UTC"),
    Setting("CURRENCY", _currency, "USD"),
    Setting("LABOR_RATE", _decimal(2, "999999.99"), "100.00"),
    Setting("PARTS_TAX_RATE", _decimal(4, "100"), "0"),
    Setting("LABOR_TAX_RATE", _decimal(4, "100"), "0"),
    Setting("SUPPLIES_RATE", _decimal(4, "100"), "0"),
    Setting("SUPPLIES_CAP", _decimal(2, "999999.99")),
    Setting("RATELIMIT_ENABLED", _flag, "true"),
    Setting("RATELIMIT_PER_CLIENT", _rates, "600 per minute"),
    Setting("RATELIMIT_WRITES", _rates, "240 per minute"),
    Setting("RATELIMIT_LOGIN", _rates, "20 per minute"),
    Setting("RATELIMIT_GUESSES", _rates, "10 per 5 minutes; 30 per hour; 100 per day"),
    Setting("RATELIMIT_GUESSES_PER_ADDRESS", _rates, "100 per hour; 300 per day"),
    Setting("RATELIMIT_RESETS", _rates, "3 per 15 minutes; 10 per day"),
    Setting("RATELIMIT_RESETS_PER_ADDRESS", _rates, "20 per hour"),
    Setting("RATELIMIT_APPROVALS", _rates, "60 per minute"),
    Setting("RATELIMIT_EXPORTS", _rates, "60 per hour"),
    Setting("RATELIMIT_SIGN_UP", _rates, "20 per hour"),
)


def load(environ: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Read every setting from `environ`, by default the process's environment over ``.env``.

    Raises `ConfigError` for a value that does not parse and for a setting that production requires.
    """
    if environ is None:
        dotenv = {name: value for name, value in dotenv_values(ROOT / ".env").items() if value is not None}
        environ = dotenv | os.environ
    config = {setting.name: setting.read(environ) for setting in SETTINGS}
    # Render sets this variable on every service; its address and its commit are defaults.
    on_render = bool(environ.get("RENDER"))
    if on_render and not config["PUBLIC_URL"]:
        config["PUBLIC_URL"] = Setting("RENDER_EXTERNAL_URL", _web_address).read(environ)
    if on_render and not config["REVISION"]:
        config["REVISION"] = Setting("RENDER_GIT_COMMIT", _text, "").read(environ)
    if config["APP_ENV"] == "production" and config["PUBLIC_URL"] and not config["ALLOWED_HOSTS"]:
        config["ALLOWED_HOSTS"] = (urlsplit(config["PUBLIC_URL"]).hostname,)
    config["SHOP_PHONE"] = config["SHOP_PHONE"] and _phone(config["SHOP_PHONE"], config["PHONE_REGION"])
    _refuse_unsafe(config, on_render, environ)
    _refuse_mail_without_addresses(config)
    production = config["APP_ENV"] == "production"
    config["LOG_FORMAT"] = config["LOG_FORMAT"] or ("json" if production else "text")
    config["WEB_CONCURRENCY"] = config["WEB_CONCURRENCY"] or (2 if production else 1)
    config["DATABASE_POOL_SIZE"] = config["DATABASE_POOL_SIZE"] or config["THREADS"]
    if not config["DATABASE_URL"]:
        _make_private(INSTANCE)
        config["DATABASE_URL"] = embedded_database()
    if not config["SECRET_KEY"]:
        _make_private(INSTANCE)
        config["SECRET_KEY"] = _development_key(INSTANCE / "secret_key")
    return config


def embedded_database() -> str:
    """Return the address of the SQLite database that is used where `DATABASE_URL` is not set."""
    return f"sqlite:///{INSTANCE / 'shop.db'}"


def environment(**more: str) -> dict[str, str]:
    """Return this process's environment with `more`, for a child process."""
    return {**os.environ, **more}


def _phone(number: str, region: str) -> str:
    """Return the shop's number in E.164, such as +12125550100. Raises `ConfigError`."""
    with suppress(phonenumbers.NumberParseException):
        parsed = phonenumbers.parse(number, region)
        if phonenumbers.is_possible_number(parsed):
            return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    raise ConfigError("SHOP_PHONE must be a phone number; write a + before the country code of a foreign one.")


def _refuse_unsafe(config: Mapping[str, Any], on_render: bool, environ: Mapping[str, str]) -> None:
    if on_render and config["APP_ENV"] != "production":
        raise ConfigError("APP_ENV must be production on Render.")
    if config["APP_ENV"] == "production":
        for name in ("SECRET_KEY", "DATABASE_URL"):
            if not config[name]:
                raise ConfigError(f"{name} must be set in production.")
        if not config["RATELIMIT_ENABLED"]:
            raise ConfigError("RATELIMIT_ENABLED must not be false in production.")
        if environ.get("FLASK_DEBUG", "").lower() not in (
            "",
            "0",
            "false",
            "no",
        ):  # the values that Flask reads as false
            raise ConfigError("FLASK_DEBUG must not be set in production: it lets anyone run code.")


def _refuse_mail_without_addresses(config: Mapping[str, Any]) -> None:
    """Raises `ConfigError` where mail would name no sender, or in production no address that it leads to."""
    if not config["SMTP_URL"]:
        return
    if not config["MAIL_FROM"]:
        raise ConfigError("MAIL_FROM must be set where SMTP_URL is.")
    # The Host header of a request is no substitute: whoever sends the request chooses it.
    if config["APP_ENV"] == "production" and not (config["PUBLIC_URL"] or config["INVITE_URL"]):
        raise ConfigError("PUBLIC_URL or INVITE_URL must be set where SMTP_URL is: mails lead there.")


def _make_private(folder: Path) -> None:
    """Create the folder with access for its owner only, and restrict the database files in it too.

    Raises `ConfigError` where it cannot be written.
    """
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise _cannot_write(folder, error) from None
    with suppress(PermissionError):  # the folder belongs to another user, who is responsible for it
        folder.chmod(0o700)
        for file in folder.glob("shop.db*"):
            file.chmod(0o600)


def _development_key(path: Path) -> str:
    """Return a key for this checkout, which all workers share and only its owner can read. Raises `ConfigError`."""
    try:
        if not path.exists():
            _make_key(path)
        key = path.read_text().strip()
    except OSError as error:
        raise _cannot_write(path, error) from None
    try:
        return _secret(key)
    except ValueError as error:
        raise ConfigError(f"SECRET_KEY in {path} {error}; remove the file, and another is made.") from None


def _make_key(path: Path) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(SECRET_KEY_BYTES))
    try:
        os.link(draft, path)  # atomic; fails when another worker was first
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def _cannot_write(path: Path, error: OSError) -> ConfigError:
    advice = "give this user the right to, or set DATABASE_URL and SECRET_KEY"
    return ConfigError(f"{path} cannot be written ({error.strerror}): {advice}.")
