"""Column types that mean the same on SQLite and PostgreSQL."""

from sqlalchemy import String

from app.rules.sku import MAX_SKU
from app.rules.vin import MAX_PLATE


class VinNumber(String):
    """A vehicle identification number, in capitals."""

    def __init__(self) -> None:
        super().__init__(17)


class PlateNumber(String):
    """A license plate, without what stands between its letters and digits, in capitals."""

    def __init__(self) -> None:
        super().__init__(MAX_PLATE)


class SkuText(String):
    """A stock keeping unit, in the one form of what looks alike."""

    def __init__(self) -> None:
        super().__init__(MAX_SKU)
