"""How figures, dates, phone numbers and quantities are written on paper: as people of the shop's country do."""

from datetime import datetime, tzinfo
from typing import Any, NamedTuple

import phonenumbers
from phonenumbers import PhoneNumberFormat

from app.rules.units import Unit

# The signs of currencies; the others stand by their code behind the amount.
SIGNS = {
    **dict.fromkeys(("USD", "CAD", "AUD", "NZD", "MXN", "SGD", "HKD"), "$"),
    "BRL": "R$",
    "CNY": "¥",
    "EUR": "€",
    "GBP": "£",
    "ILS": "₪",
    "INR": "₹",
    "JPY": "¥",
    "KRW": "₩",
    "NGN": "₦",
    "PHP": "₱",
    "TRY": "₺",
    "UAH": "₴",
    "VND": "₫",
}
MINUS = "\N{MINUS SIGN}"
# Where people write the month first, and the hour with AM and PM; they print on letter paper too.
MONTH_FIRST = frozenset({"US", "CA", "PH"})
NO_BREAK = "\N{NO-BREAK SPACE}"


class Formats(NamedTuple):
    """The shop's currency (a code such as USD), time zone, and country (a code such as US)."""

    currency: str
    zone: tzinfo
    region: str

    def money(self, amount: str) -> str:
        """Return an amount with sign and thousands: `-1234.50` becomes `−$1,234.50`, or `−1,234.50 CHF`."""
        minus = MINUS if amount.startswith("-") else ""
        whole, _, cents = amount.removeprefix("-").partition(".")
        figure = f"{int(whole):,}.{cents}"
        sign = SIGNS.get(self.currency)
        return f"{minus}{sign}{figure}" if sign else f"{minus}{figure}{NO_BREAK}{self.currency}"

    def date(self, moment: str) -> str:
        """Return the date of an ISO 8601 time: `Jan 2, 2026`, or `2 Jan 2026`."""
        local = datetime.fromisoformat(moment).astimezone(self.zone)
        month = MONTHS[local.month - 1]
        if self.region in MONTH_FIRST:
            return f"{month} {local.day}, {local.year}"
        return f"{local.day} {month} {local.year}"

    def time(self, moment: str) -> str:
        """Return date and time: `Jan 2, 2026, 2:05 PM`, or `2 Jan 2026, 14:05`."""
        local = datetime.fromisoformat(moment).astimezone(self.zone)
        if self.region in MONTH_FIRST:
            clock = f"{local.hour % 12 or 12}:{local.minute:02} {'AM' if local.hour < 12 else 'PM'}"
        else:
            clock = f"{local.hour:02}:{local.minute:02}"
        return f"{self.date(moment)}, {clock}"

    def phone(self, number: str) -> str:
        """Return a number in E.164 as it is written in the shop's country: `(212) 555-0142`, `+44 20 7946 0958`.

        What is no number, such as an e-mail address, is returned as it is.
        """
        try:
            parsed = phonenumbers.parse(number, self.region)
        except phonenumbers.NumberParseException:
            return number
        is_near = parsed.country_code == phonenumbers.country_code_for_region(self.region)
        kind = PhoneNumberFormat.NATIONAL if is_near else PhoneNumberFormat.INTERNATIONAL
        return phonenumbers.format_number(parsed, kind)


# `strftime` would take them from the locale of the machine.
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def quantity(line: dict[str, Any], name: str = "quantity") -> str:
    """Return a quantity with its unit, such as `5.7 quart`; pieces have none, nor lines of the time before units."""
    unit = line.get("unit", Unit.EACH.value)
    return f"{line[name]}" if unit == Unit.EACH.value else f"{line[name]} {unit.replace('_', ' ')}"


def percent(rate: str) -> str:
    """Return a rate without zeros at its end: `8.2500` becomes `8.25%`."""
    return f"{rate.rstrip('0').rstrip('.') if '.' in rate else rate}%"


def part_name(line: dict[str, Any]) -> str:
    """Return the name of a part with its SKU."""
    return f"{line['name']} ({line['sku']})" if line["sku"] else str(line["name"])


def people(rows: list[dict[str, Any]]) -> str:
    """Return the names of people, separated by commas."""
    return ", ".join(row["name"] for row in rows)


def car(vehicle: dict[str, Any]) -> str:
    """Return year, make and model, those that are known."""
    return " ".join(str(vehicle[name]) for name in ("year", "make", "model") if vehicle[name])


def plate(vehicle: dict[str, Any]) -> str:
    """Return the plate with its state; empty where it is not known."""
    return " ".join(filter(None, (vehicle["plate"], vehicle["plate_state"]))) if vehicle["plate"] else ""


def reading(odometer: int | None) -> str:
    """Return a reading of an odometer with thousands; empty where there is none."""
    return "" if odometer is None else f"{odometer:,}"
