"""What the shop looks like, to anyone and to staff."""

from decimal import Decimal

from marshmallow import fields

from app.core.fields import Exact, Money, Text
from app.core.fields.schemas import Output


class RateField(Exact):
    """A rate in percent with four places."""

    def __init__(self, description: str) -> None:
        pattern = r"(100(\.0{1,4})?|[0-9]{1,2}(\.[0-9]{1,4})?)"
        metadata = {"description": description}
        super().__init__(pattern, places=4, least=Decimal(0), most=Decimal(100), metadata=metadata)


class ShopSchema(Output):
    name = Text()
    address = Text(allow_none=True, metadata={"description": "Null where none is set."})
    phone = Text(allow_none=True, metadata={"description": "As the setting has it; null where none is set."})
    currency = fields.String(metadata={"description": "A code of three letters, such as USD."})
    time_zone = fields.String(metadata={"description": "By its IANA name; bare dates in filters begin there."})


class StaffShopSchema(ShopSchema):
    labor_rate = Money(metadata={"description": "Money an hour."})
    parts_tax_rate = RateField("Percent of parts and supplies.")
    labor_tax_rate = RateField("Percent of labor.")
    supplies_rate = RateField("Percent of labor that shop supplies cost.")
    supplies_cap = Money(allow_none=True, metadata={"description": "The most that supplies cost; null: no cap."})


SHOP, STAFF_SHOP = ShopSchema(), StaffShopSchema()
