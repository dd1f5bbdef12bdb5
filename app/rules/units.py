"""The units that parts are counted and measured in."""

import enum
from collections.abc import Mapping
from decimal import Decimal

NO_UNITS = Decimal(0)


class Unit(enum.Enum):
    """What one of a part is: a piece or a package, or a measure."""

    EACH = "each"
    PAIR = "pair"
    SET = "set"
    KIT = "kit"
    BOX = "box"
    FLUID_OUNCE = "fluid_ounce"
    PINT = "pint"
    QUART = "quart"
    GALLON = "gallon"
    MILLILITER = "milliliter"
    LITER = "liter"
    OUNCE = "ounce"
    POUND = "pound"
    GRAM = "gram"
    KILOGRAM = "kilogram"
    INCH = "inch"
    FOOT = "foot"
    YARD = "yard"
    CENTIMETER = "centimeter"
    METER = "meter"

    @property
    def is_whole(self) -> bool:
        """Whether there are no fractions of it: half a pair is not sold."""
        return self in WHOLE


WHOLE = frozenset({Unit.EACH, Unit.PAIR, Unit.SET, Unit.KIT, Unit.BOX})


def fractions(unit: Unit, quantities: Mapping[str, Decimal | None]) -> dict[str, str]:
    """Return a message for each quantity, by its name, that is a fraction of a unit of which there are none."""
    if not unit.is_whole:
        return {}
    return {
        name: f"Not a whole number; the part's unit is {unit.value}."
        for name, quantity in quantities.items()
        if quantity is not None and quantity % 1
    }
