"""The shop's own column types, the same on SQLite and PostgreSQL; schema fields are chosen by them."""

from sqlalchemy import String

from app.rules.sku import MAX_SKU
from app.rules.vin import MAX_PLATE


class VinNumber(String):
    """A vehicle identification number, in capitals."""

    def __init__(self) -> None:
        super().__init__(17)


class PlateNumber(String):
    """A license plate, in capitals, without separators between its letters and digits."""

    def __init__(self) -> None:
        super().__init__(MAX_PLATE)


class SkuText(String):
    """A stock keeping unit in its normal form."""

    def __init__(self) -> None:
        super().__init__(MAX_SKU)
