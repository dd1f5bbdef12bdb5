"""What every paper says of the shop."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from app.billing.papers.texts import Formats


class Letterhead(NamedTuple):
    """The shop's settings that papers print; `logo` is a PNG or JPEG, `days` how long an estimate is valid."""

    name: str
    address: str
    phone: str | None
    logo: bytes | None
    terms: str | None
    days: int | None
    formats: Formats


def letterhead(config: Mapping[str, Any]) -> Letterhead:
    """Return the letterhead for these settings."""
    return Letterhead(
        name=config["SHOP_NAME"],
        address=_lines(config["SHOP_ADDRESS"]),
        phone=config["SHOP_PHONE"],
        logo=config["SHOP_LOGO"],
        terms=_lines(config["SHOP_TERMS"]) or None,
        days=config["ESTIMATE_DAYS"],
        formats=Formats(config["CURRENCY"], config["SHOP_TIMEZONE"], config["PHONE_REGION"]),
    )


def _lines(setting: str | None) -> str:
    r"""Return a setting with line ends: in a file of settings they are written as `\n`."""
    return (setting or "").replace("\\n", "\n")
