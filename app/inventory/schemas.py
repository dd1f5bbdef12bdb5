"""Input and output schemas of parts and stock movements."""

from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from app.accounts.access import Views
from app.core.database.types import LARGEST_INTEGER
from app.core.fields import Choice, Quantity, QueryFlag, Search
from app.core.fields.schemas import Changes, ListQuery, ModelInput, ModelOutput
from app.core.text.search import folded_beginning, patterns
from app.inventory.filters import MOVEMENTS, PARTS
from app.mechanics.schemas import MechanicNameSchema
from app.models import MovementKind, Part, StockMovement
from app.rules.sku import sku_beginning
from app.rules.units import Unit, fractions

MAX_STOCK = 1_000_000
# People record these movements; tickets record the others.
BY_HAND = (MovementKind.RECEIVE, MovementKind.ADJUST)
CATALOGUE = ("name", "price", "sku", "unit", "taxable", "reorder_point", "cost", "location")
PLACES = "At most two decimal places; a whole number where the part's unit is each, pair, set, kit or box."


def reorder_point_field() -> Quantity:
    """Return the field of the reorder point in a body."""
    return Quantity(
        allow_none=True, metadata={"description": f"Reorder when no more than this many are available. {PLACES}"}
    )


class PartSchema(ModelOutput):
    quantity_available = Quantity(
        allow_none=True, metadata={"description": "On hand less reserved; null: not tracked."}
    )

    class Meta(ModelOutput.Meta):
        model = Part
        fields = (
            "id",
            "name",
            "price",
            "sku",
            "unit",
            "taxable",
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
    quantity_on_hand = Quantity(
        most=MAX_STOCK,
        allow_none=True,
        metadata={"description": f"The opening stock; null: not tracked. From then on movements change it. {PLACES}"},
    )
    reorder_point = reorder_point_field()

    json_schema = {
        "examples": [
            {
                "name": "Brake pads, front, ceramic",
                "price": "64.90",
                "sku": "BRK-PAD-F-CER",
                "quantity_on_hand": 12,
                "reorder_point": 4,
                "cost": "31.20",
                "location": "A3-12",
            }
        ]
    }

    class Meta(ModelInput.Meta):
        model = Part
        fields = (*CATALOGUE, "quantity_on_hand")

    @validates_schema
    def require_whole(self, data: dict[str, Any], **kwargs: Any) -> None:
        """Refuse a fraction of a unit of which there are none."""
        quantities = {name: data.get(name) for name in ("quantity_on_hand", "reorder_point")}
        if messages := fractions(data.get("unit", Unit.EACH), quantities):
            raise ValidationError({name: [message] for name, message in messages.items()})


class PartChangesSchema(Changes, ModelInput):
    reorder_point = reorder_point_field()

    json_schema = {"examples": [{"price": "66.50"}]}

    class Meta(ModelInput.Meta):
        model = Part
        fields = CATALOGUE


class PartQuerySchema(ListQuery):
    sort = PARTS.sort_field()
    q = Search(patterns, description="Words of the name; for staff also of the SKU.")
    sku = Search(sku_beginning, description="How the SKU begins; case does not matter.")
    location = Search(folded_beginning, description="How the location begins; case and accents do not matter.")
    low_stock = QueryFlag(
        metadata={"description": "true: only parts at or below their reorder point; false: the others."}
    )


# Customers see names and prices, and filter by nothing else.
CUSTOMER_FILTERS = frozenset({"q"})


class MovementSchema(ModelOutput):
    quantity = Quantity(least=-LARGEST_INTEGER, metadata={"description": "Units; negative where they left the shelf."})
    mechanic = fields.Nested(MechanicNameSchema(), allow_none=True, metadata={"description": "Who moved it."})

    class Meta(ModelOutput.Meta):
        model = StockMovement
        fields = ("id", "part_id", "kind", "quantity", "reason", "ticket_id", "mechanic", "created_at")


class MovementQuerySchema(ListQuery):
    sort = MOVEMENTS.sort_field()


class NewMovementSchema(ModelInput):
    kind = Choice(MovementKind, only=BY_HAND, required=True)
    quantity = Quantity(
        least=-MAX_STOCK,
        most=MAX_STOCK,
        required=True,
        metadata={"description": f"Units; an adjustment may be negative, and is never 0. {PLACES}"},
    )

    json_schema = {
        "oneOf": [
            {"properties": {"kind": {"const": "receive"}, "quantity": {"minimum": 0.01}}},
            {
                "required": ["reason"],
                "properties": {
                    "kind": {"const": "adjust"},
                    "quantity": {"not": {"const": 0}},
                    "reason": {"type": "string"},
                },
            },
        ],
        "examples": [{"kind": "receive", "quantity": 12, "reason": "Delivery note 4711"}],
    }

    class Meta(ModelInput.Meta):
        model = StockMovement
        fields = ("kind", "quantity", "reason")

    @validates_schema
    def require_sense(self, data: dict[str, Any], **kwargs: Any) -> None:
        """Require more than 0 units of a delivery; require a reason and a quantity other than 0 of an adjustment."""
        if data["kind"] is MovementKind.RECEIVE and data["quantity"] <= 0:
            raise ValidationError("A delivery has more than 0.", "quantity")
        if data["kind"] is MovementKind.ADJUST and data["quantity"] == 0:
            raise ValidationError("An adjustment is not 0.", "quantity")
        if data["kind"] is MovementKind.ADJUST and data.get("reason") is None:
            raise ValidationError("Missing; an adjustment says why.", "reason")


PART = PartSchema()
VIEWS = Views(staff=PART, customer=PartPriceSchema())
MOVEMENT = MovementSchema()
