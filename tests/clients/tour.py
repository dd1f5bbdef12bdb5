"""The README's tour, from the first sign-in to the receipt, by a client that is generated from the OpenAPI document.

Run by ``python -m tests.clients``, with the generated package beside it.
"""

import datetime
import os
import re
import sys
import time
import uuid
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

from mechanic_shop_api_client import AuthenticatedClient, Client
from mechanic_shop_api_client.api.customers import (
    add_vehicle,
    create_customer,
    list_customers,
    list_my_tickets,
    login_customer,
    logout_customer,
)
from mechanic_shop_api_client.api.inventory import create_part
from mechanic_shop_api_client.api.mechanics import create_mechanic, login_mechanic
from mechanic_shop_api_client.api.service_tickets import (
    add_labor,
    add_part,
    assign_mechanic,
    authorize,
    create_ticket,
    edit_ticket,
    get_invoice,
    issue_invoice,
    list_history,
    list_tickets,
    move_ticket,
    pay,
)
from mechanic_shop_api_client.models import (
    Authorization,
    CheckedVehicle,
    Customer,
    CustomerCredentials,
    Decision,
    EmailTakenProblem,
    Invoice,
    LaborLine,
    ListedTicket,
    Mechanic,
    MechanicCredentials,
    NewAuthorization,
    NewAuthorizationMethod,
    NewCustomer,
    NewLaborLine,
    NewMechanic,
    NewPart,
    NewPayment,
    NewTicket,
    NewTicketStatus,
    NewVehicle,
    OwnListedTicket,
    Part,
    PartQuantity,
    Payment,
    PaymentKind,
    PaymentMethod,
    ProbableDuplicateProblem,
    Role,
    TakenIn,
    Ticket,
    TicketChanges,
    TicketEvent,
    TicketMove,
    TicketStatus,
    Token,
    WalkIn,
)
from mechanic_shop_api_client.types import UNSET, Response

SHOP = os.environ["SHOP"]
T = TypeVar("T")


def good(kind: type[T], answer: object) -> T:
    """What was answered, which is of this kind."""
    if not isinstance(answer, kind):
        raise AssertionError(answer)
    return answer


def rows(kind: type[T], answer: object) -> list[T]:
    """What a list answered, whose rows are of this kind."""
    return [good(kind, row) for row in good(list, answer)]


def signed_in(answer: object) -> AuthenticatedClient:
    """A client with this token."""
    return AuthenticatedClient(base_url=SHOP, token=good(Token, answer).token)


def staff(email: str, password: str) -> AuthenticatedClient:
    """A client for a member of staff."""
    return signed_in(login_mechanic.sync(client=anyone, body=MechanicCredentials(email, password)))


def next_cursor(page: Response[Any]) -> str | None:
    """The cursor behind a page."""
    following = re.search('<([^>]+)>; rel="next"', page.headers["Link"])
    return parse_qs(urlsplit(following[1]).query)["cursor"][0] if following else None


anyone = Client(base_url=SHOP)
# Where a token is optional, the generated types ask for one: this one goes where nobody looks for it.
nobody = AuthenticatedClient(base_url=SHOP, token="none", auth_header_name="X-Nobody")

# An admin hires a mechanic and a service advisor.
admin = staff("admin@example.com", "wrench-and-socket")
nina = good(
    Mechanic, create_mechanic.sync(client=admin, body=NewMechanic("Nina Park", "nina@example.com", "a torque wrench"))
)
desk = NewMechanic("Sam Reyes", "sam@example.com", "the front desk", role=Role.ADVISOR)
sam = good(Mechanic, create_mechanic.sync(client=admin, body=desk))
taken = create_mechanic.sync_detailed(client=admin, body=desk)
assert taken.status_code == 409, taken
assert isinstance(taken.parsed, EmailTakenProblem), taken

# A customer signs up and adds a car; sent twice with a key, it is done once.
sign_up = NewCustomer("Robin Lee", email="robin@example.com", password="blue hatchback", phone="(212) 555-0164")
key = {"idempotency_key": str(uuid.uuid4())}
robin, again = (good(Customer, create_customer.sync(client=nobody, body=sign_up, **key)) for _ in range(2))
assert robin.id == again.id
customer = signed_in(
    login_customer.sync(client=anyone, body=CustomerCredentials("robin@example.com", "blue hatchback"))
)
vehicle = NewVehicle(vin="1HGCM82633A004352", plate="7KLM 204", model="Accord")
car = good(CheckedVehicle, add_vehicle.sync(robin.id, client=customer, body=vehicle))
assert car.make == "Honda"

# The mechanic opens a quote and is assigned to it; a second one joins and leaves.
mechanic, advisor = staff("nina@example.com", "a torque wrench"), staff("sam@example.com", "the front desk")
quote = NewTicket(
    description="Squeals when braking",
    customer_id=robin.id,
    vehicle_id=car.id,
    odometer=98400,
    status=NewTicketStatus.ESTIMATE,
)
ticket = good(TakenIn, create_ticket.sync(client=mechanic, body=quote)).id
good(Ticket, assign_mechanic.sync(ticket, nina.id, client=mechanic))
good(Ticket, edit_ticket.sync(ticket, client=advisor, body=TicketChanges(add_mechanic_ids=[sam.id])))
left = good(Ticket, edit_ticket.sync(ticket, client=advisor, body=TicketChanges(remove_mechanic_ids=[sam.id])))
assert [one.name for one in left.mechanics] == ["Nina Park"]

# A part goes on the ticket, then two of it; the work is added, and ten percent come off.
pads = NewPart("Brake pads, rear", "50.00", sku="BRK-PAD-R", quantity_on_hand=6)
part = good(Part, create_part.sync(client=advisor, body=pads)).id
good(Ticket, add_part.sync(ticket, part, client=mechanic, body=PartQuantity()))
good(Ticket, add_part.sync(ticket, part, client=mechanic, body=PartQuantity(quantity=2)))
good(LaborLine, add_labor.sync(ticket, client=mechanic, body=NewLaborLine("Replace rear pads", "1.7")))
quoted = good(Ticket, edit_ticket.sync(ticket, client=advisor, body=TicketChanges(discount_percent="10")))
assert quoted.totals.total == "299.41", quoted.totals

# Two screens: the one that has not seen the discount learns that it is stale.
late = TicketChanges(description="Lost?")
assert edit_ticket.sync_detailed(ticket, client=advisor, body=late, if_match=f'"{left.version}-x"').status_code == 412

# The customer sees exactly that ticket, and authorises exactly that amount.
assert [one.id for one in rows(OwnListedTicket, list_my_tickets.sync(client=customer))] == [ticket]
word = NewAuthorization(decision=Decision.APPROVED, method=NewAuthorizationMethod.ONLINE, amount="299.41")
good(Authorization, authorize.sync(ticket, client=customer, body=word))

# The work is done, the invoice takes the next number, and the customer pays, in two parts.
for status in (TicketStatus.IN_PROGRESS, TicketStatus.COMPLETED):
    good(Ticket, move_ticket.sync(ticket, client=mechanic, body=TicketMove(status=status)))
good(Invoice, issue_invoice.sync(ticket, client=advisor))
for amount, method in (("200.00", PaymentMethod.CARD), ("99.41", PaymentMethod.CASH)):
    good(Payment, pay.sync(ticket, client=advisor, body=NewPayment(PaymentKind.PAYMENT, amount, method)))
receipt = good(Invoice, get_invoice.sync(ticket, client=customer))
assert (receipt.totals.balance, receipt.bill_to.name) == ("0.00", "Robin Lee")
assert any(one.after == "paid" for one in rows(TicketEvent, list_history.sync(ticket, client=advisor, limit=100)))

# The same phone at the desk: the problem says in its own members whose it is.
walk_in = WalkIn("R. Lee", phone="212 555 0164")
alike = create_ticket.sync(client=advisor, body=NewTicket("Hums at 60 mph", customer=walk_in))
assert [one.customer_id for one in good(ProbableDuplicateProblem, alike).duplicates] == [robin.id]
paid = list_tickets.sync(client=advisor, status=[TicketStatus.PAID], created_from=datetime.date(2026, 1, 1))
assert ticket in [one.id for one in rows(ListedTicket, paid)]

# Years later: found by the end of the phone, and all customers, page by page.
assert [one.id for one in rows(Customer, list_customers.sync(client=advisor, q="555-0164"))] == [robin.id]
seen: list[int] = []
cursor: str | None = None
while True:
    page = list_customers.sync_detailed(client=advisor, limit=3, cursor=cursor or UNSET)
    seen += [one.id for one in rows(Customer, page.parsed)]
    cursor = next_cursor(page)
    if cursor is None:
        break
assert len(set(seen)) == len(seen)
assert robin.id in seen

assert logout_customer.sync_detailed(client=customer).status_code == 204
signed_out = time.monotonic()
while list_my_tickets.sync_detailed(client=customer).status_code != 401:  # within a second on every worker
    assert time.monotonic() - signed_out < 2, "still signed in"
sys.stdout.write(f"Python: ticket {ticket} paid, {len(seen)} customers read\n")
