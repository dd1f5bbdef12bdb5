"""What parts look like, and what may be written of them."""

from app.models import Part
from app.reading import Views
from app.schemas import Changes, ModelInput, ModelOutput, WholeNumber

MOST_STOCK = 1_000_000_000


class PartSchema(ModelOutput):
    quantity_available = WholeNumber(
        allow_none=True, metadata={"description": "On hand less reserved; null: not tracked."}
    )

    class Meta(ModelOutput.Meta):
        model = Part
        fields = (
            "id",
            "name",
            "price",
            "sku",
            "quantity_on_hand",
            "quantity_reserved",
            "quantity_available",
            "reorder_point",
            "cost",
            "location",
            "version",
        )


class PartPriceSchema(ModelOutput):
    class Meta(ModelOutput.Meta):
        model = Part
        fields = ("id", "name", "price")


class NewPartSchema(ModelInput):
    quantity_on_hand = WholeNumber(
        most=MOST_STOCK, allow_none=True, metadata={"description": "Units on the shelf; null: not tracked."}
    )

    json_schema = {
        "examples": [
            {
                "name": "Brake pads, front, ceramic",
                "price": "64.90",
                "sku": "BRK-PAD-F-C",
                "quantity_on_hand": 12,
                "reorder_point": 4,
                "cost": "31.20",
                "location": "A3-12",
            }
        ]
    }

    class Meta(ModelInput.Meta):
        model = Part
        fields = ("name", "price", "sku", "quantity_on_hand", "reorder_point", "cost", "location")


class PartChangesSchema(Changes, NewPartSchema):
    json_schema = {"examples": [{"price": "66.50"}]}


PART = PartSchema()
VIEWS = Views(staff=PART, customer=PartPriceSchema())
