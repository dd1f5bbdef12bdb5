"""What the shop looks like, to anyone and to staff."""

from marshmallow import fields

from app.core.fields import Money, Rate, Text
from app.core.fields.schemas import Output


class ShopSchema(Output):
    name = Text()
    address = Text(allow_none=True, metadata={"description": "Null where none is set."})
    phone = Text(allow_none=True, metadata={"description": "In E.164, such as +12125550100; null where none is set."})
    currency = fields.String(metadata={"description": "A code of three letters, such as USD."})
    time_zone = fields.String(metadata={"description": "By its IANA name; bare dates in filters begin there."})


class StaffShopSchema(ShopSchema):
    labor_rate = Money(metadata={"description": "Money an hour."})
    parts_tax_rate = Rate(metadata={"description": "Percent of parts and supplies."})
    labor_tax_rate = Rate(metadata={"description": "Percent of labor."})
    supplies_rate = Rate(metadata={"description": "Percent of labor that shop supplies cost."})
    supplies_cap = Money(allow_none=True, metadata={"description": "The most that supplies cost; null: no cap."})


SHOP, STAFF_SHOP = ShopSchema(), StaffShopSchema()
