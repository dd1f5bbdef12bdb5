"""Schema fields for the shop's own column types."""

from app.core.fields import Code
from app.core.fields.schemas import Converter
from app.models.types import PlateNumber, SkuText, VinNumber
from app.rules.sku import MAX_SKU, normal_sku
from app.rules.vin import PLATE_PATTERN, VIN_PATTERN, normal_plate, normal_vin


class Vin(Code):
    """A vehicle identification number, in capitals."""

    json_schema = {"pattern": VIN_PATTERN}

    def normal(self, text: str) -> str:
        return normal_vin(text)


class Plate(Code):
    """A license plate in any notation, stored in capitals without spaces, hyphens and dots."""

    json_schema = {"pattern": PLATE_PATTERN}

    def normal(self, text: str) -> str:
        return normal_plate(text)


class Sku(Code):
    """A stock keeping unit, normalised so that SKUs that look alike are equal; comparison ignores case."""

    most_sent = MAX_SKU

    def normal(self, text: str) -> str:
        return normal_sku(text)


Converter.register(VinNumber, Vin)
Converter.register(PlateNumber, Plate)
Converter.register(SkuText, Sku)
