"""What the tests of repair orders share: a shop whose parts, tickets and bills are made through the API."""

from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from app import create_app
from tests.support import Caller, ShopTest, settings

ACCORD = "1HGCM82633A004352"
# What a test of prices sets: none of these rates is a round figure by chance.
RATES = {
    "LABOR_RATE": "120.00",
    "PARTS_TAX_RATE": "8.25",
    "LABOR_TAX_RATE": "4",
    "SUPPLIES_RATE": "5",
    "SUPPLIES_CAP": "20.00",
}
SECRET_KEY = "the same for every shop of these tests"


class RepairOrderTest(ShopTest):
    """A shop without taxes whose hour costs 100.00; in `SETTINGS` a test gives it other rates."""

    SETTINGS: dict[str, str] = {}

    @classmethod
    def make_app(cls) -> Flask:
        return shop(**cls.SETTINGS) if cls.SETTINGS else super().make_app()

    def new_part(self, on_hand: int | None = 10, **fields: Any) -> int:
        """The id of a new part at 12.50, with its opening stock."""
        sent = {"name": "Oil filter", "price": "12.50", "quantity_on_hand": on_hand, **fields}
        return int(self.assertStatus(self.advisor.post("/inventory", sent), 201)["id"])

    def new_ticket(self, by: Caller | None = None, **fields: Any) -> int:
        """The id of a new ticket of `customer`, opened by `mechanic`, unless told otherwise."""
        sent = {"customer_id": self.customer.id, "description": "Squeals when braking", **fields}
        return int(self.assertStatus((by or self.mechanic).post("/service-tickets", sent), 201)["id"])

    def new_quote(self, **fields: Any) -> int:
        """The id of a new estimate."""
        return self.new_ticket(status="estimate", **fields)

    def new_vehicle(self, owner: Caller | None = None, **fields: Any) -> int:
        """The id of a new vehicle of `customer`, unless told otherwise."""
        path = f"/customers/{(owner or self.customer).id}/vehicles"
        return int(self.assertStatus(self.advisor.post(path, {"plate": "8ABC123", **fields}), 201)["id"])

    def ticket(self, ticket: int) -> dict[str, Any]:
        """The ticket as it is now."""
        seen: dict[str, Any] = self.assertStatus(self.advisor.get(f"/service-tickets/{ticket}"), 200)
        return seen

    def figures(self, ticket: int) -> dict[str, str]:
        """The totals of the ticket as it is now."""
        totals: dict[str, str] = self.ticket(ticket)["totals"]
        return totals

    def use(self, ticket: int, part: int, quantity: int = 1, by: Caller | None = None, **fields: Any) -> TestResponse:
        """Set how many units of the part the ticket uses."""
        return (by or self.advisor).put(f"/service-tickets/{ticket}/add-part/{part}", {"quantity": quantity, **fields})

    def take_off(self, ticket: int, part: int, by: Caller | None = None) -> TestResponse:
        """Take the part off the ticket."""
        return (by or self.advisor).put(f"/service-tickets/{ticket}/remove-part/{part}")

    def work(self, ticket: int, hours: str = "1.0", by: Caller | None = None, **fields: Any) -> TestResponse:
        """Add a line of labor."""
        sent = {"description": "Replace front pads", "hours": hours, **fields}
        return (by or self.advisor).post(f"/service-tickets/{ticket}/labor", sent)

    def edit(self, ticket: int, by: Caller | None = None, **changes: Any) -> TestResponse:
        """Change the ticket's own fields."""
        return (by or self.advisor).put(f"/service-tickets/{ticket}/edit", changes)

    def move(self, ticket: int, *statuses: str, by: Caller | None = None, **fields: Any) -> TestResponse:
        """Move the ticket through these states; all moves but the last must be possible."""
        *first, last = statuses
        for status in first:
            self.assertStatus(self.move(ticket, status, by=by), 200)
        return (by or self.advisor).put(f"/service-tickets/{ticket}/status", {"status": last, **fields})

    def authorize(self, ticket: int, by: Caller | None = None, **fields: Any) -> TestResponse:
        """Record by the advisor that the customer approved, or let the customer say so."""
        sent = {"decision": "approved", "method": "phone", "said_by": "Cus Tomer"}
        if by in (self.customer, self.stranger):
            sent = {"decision": "approved", "method": "online"}
            if fields.get("decision") != "declined" and "amount" not in fields:
                sent["amount"] = self.ticket(ticket)["totals"]["total"]  # as they were shown it
        return (by or self.advisor).post(f"/service-tickets/{ticket}/authorizations", sent | fields)

    def invoice(self, ticket: int, by: Caller | None = None) -> TestResponse:
        """Invoice the ticket."""
        return (by or self.advisor).post(f"/service-tickets/{ticket}/invoice")

    def pay(self, ticket: int, amount: Any, by: Caller | None = None, **fields: Any) -> TestResponse:
        """Take a payment in cash, unless told otherwise."""
        sent = {"kind": "payment", "amount": amount, "method": "cash", **fields}
        return (by or self.advisor).post(f"/service-tickets/{ticket}/payments", sent)

    def new_completed(self, hours: str | None = "1.0", **fields: Any) -> int:
        """The id of a new completed ticket with so many hours of labor."""
        ticket = self.new_ticket(**fields)
        if hours is not None:
            self.assertStatus(self.work(ticket, hours), 201)
        self.assertStatus(self.move(ticket, "in_progress", "completed"), 200)
        return ticket

    def new_invoiced(self, hours: str | None = "1.0", **fields: Any) -> int:
        """The id of a new invoiced ticket; one without labor is paid at once."""
        ticket = self.new_completed(hours, **fields)
        self.assertStatus(self.invoice(ticket), 201)
        return ticket

    def reopen(self, ticket: int) -> None:
        """Reopen an invoiced or paid ticket."""
        self.assertStatus(self.move(ticket, "completed", by=self.admin, reason="Wrong part billed"), 200)

    def events(self, ticket: int) -> list[tuple[str, str | None, str | None]]:
        """The history of the ticket: what changed, from what, to what."""
        listed = self.assertStatus(self.advisor.get(f"/service-tickets/{ticket}/history?per_page=100"), 200)
        return [(event["what"], event["before"], event["after"]) for event in listed]


def shop(**changes: str) -> Flask:
    """A shop with settings of its own on the shared database; the tokens of one are good in the others."""
    return create_app(settings(SECRET_KEY=SECRET_KEY, **changes))
