"""Schemas of the rows of CSV files, and of the queries and results of exports and imports."""

from app.core.fields import Id, Money, Quantity, QueryFlag, Text, WholeNumber
from app.core.fields.schemas import Changes, Input, ModelInput, ModelOutput, Output
from app.customers.schemas import CustomerQuerySchema
from app.inventory.schemas import CATALOGUE, MAX_STOCK, PartQuerySchema
from app.models import Customer, Part, ServiceTicket
from app.service_tickets.lists_schemas import TicketFilters

PAGES = ("page", "per_page", "limit", "cursor")
MATCHED_BY_ID = "The row that is meant, whatever else is in this one."


class PartRowSchema(Changes, ModelInput):
    id = Id(metadata={"description": MATCHED_BY_ID})
    quantity_on_hand = Quantity(most=MAX_STOCK)

    class Meta(ModelInput.Meta):
        model = Part
        fields = ("id", *CATALOGUE, "quantity_on_hand")


class CustomerRowSchema(Changes, ModelInput):
    id = Id(metadata={"description": MATCHED_BY_ID})

    class Meta(ModelInput.Meta):
        model = Customer
        fields = ("id", "name", "email", "phone", "address")


class TicketRowSchema(ModelOutput):
    """A ticket in one row: the sums of its lines instead of the lines."""

    customer_name = Text(attribute="customer.name")
    vehicle_vin = Text(attribute="vehicle.vin", allow_none=True)
    vehicle_plate = Text(attribute="vehicle.plate", allow_none=True)
    mechanics = Text(attribute="mechanic_names", allow_none=True)
    parts = Money(attribute="total_parts")
    labor = Money(attribute="total_labor")
    fees = Money(attribute="total_fees")
    discount = Money(attribute="total_discount")
    supplies = Money(attribute="total_supplies")
    tax = Money(attribute="total_tax")
    opened_by = Text(attribute="opened_by.name")
    advisor = Text(attribute="advisor.name", allow_none=True)

    class Meta(ModelOutput.Meta):
        model = ServiceTicket
        fields = (
            "id",
            "status",
            "status_since",
            "hold",
            "description",
            "customer_id",
            "customer_name",
            "vehicle_id",
            "vehicle_vin",
            "vehicle_plate",
            "odometer",
            "advisor",
            "promised_at",
            "notes",
            "key_tag",
            "po_number",
            "mechanics",
            "parts",
            "labor",
            "fees",
            "discount",
            "supplies",
            "tax",
            "total",
            "paid",
            "balance",
            "opened_by",
            "created_at",
            "updated_at",
            "version",
        )


class ExportQuery(Input):
    """Query of an export; subclasses leave out the paging parameters."""

    bom = QueryFlag(
        load_default=False,
        metadata={"description": "true: begin with a byte order mark, by which spreadsheets know UTF-8."},
    )


class CustomerExportSchema(ExportQuery, CustomerQuerySchema):
    class Meta(Input.Meta):
        exclude = PAGES


class PartExportSchema(ExportQuery, PartQuerySchema):
    class Meta(Input.Meta):
        exclude = PAGES


class TicketExportSchema(ExportQuery, TicketFilters):
    class Meta(Input.Meta):
        exclude = PAGES


class ImportQuerySchema(Input):
    dry_run = QueryFlag(load_default=False, metadata={"description": "true: tell what would happen, and do nothing."})


class ImportedSchema(Output):
    created = WholeNumber(metadata={"description": "Rows that are new."})
    updated = WholeNumber(metadata={"description": "Rows that were there and differed."})
    unchanged = WholeNumber(metadata={"description": "Rows that were there like this."})


TICKET_ROW = TicketRowSchema()
IMPORTED = ImportedSchema()
