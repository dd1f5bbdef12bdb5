"""The demo shop: realistic customers, vehicles, parts and tickets, and an account for each role."""

from datetime import timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from flask import Flask
from sqlalchemy import func, or_, select
from sqlalchemy.exc import DBAPIError

from app.accounts.access import Identity
from app.accounts.passwords import hash_password, verify_password
from app.approvals.operations import GOOD_FOR
from app.billing import operations as billing
from app.billing.authorizations_operations import authorize
from app.billing.schemas import INVOICE_CONTENT
from app.canned_jobs.operations import create_canned_job
from app.core.database.transaction import atomic
from app.core.database.types import now
from app.core.keys import token_hash
from app.extensions import db
from app.inventory.operations import create_part
from app.models import (
    Account,
    ApprovalLink,
    AuthorizationMethod,
    Customer,
    Decision,
    FeeKind,
    Mechanic,
    Part,
    PaymentKind,
    PaymentMethod,
    ServiceTicket,
    Vehicle,
)
from app.rules.job_life import JobStatus
from app.rules.roles import Role
from app.rules.ticket_life import Hold, TicketStatus
from app.rules.totals import Rates
from app.rules.units import Unit
from app.service_tickets import jobs_operations, lines_operations, operations

PASSWORD = "wrench-and-socket"  # noqa: S105  # public on purpose; the command refuses in production


# The token of an approval link to the estimate: public on purpose too.
LINK_TOKEN = "approval-link-of-the-demo-shop-estimate-01"  # noqa: S105  # no secret: production refuses the demo


class PublicPasswords(RuntimeError):
    """Accounts have the public password of the demo shop; the message lists them."""


class Staff(NamedTuple):
    """A member of staff of the demo shop."""

    name: str
    email: str
    role: Role
    specialty: str | None = None


STAFF = (
    Staff("Olivia Grant", "admin@example.com", Role.ADMIN),
    Staff("Marcus Bell", "advisor@example.com", Role.ADVISOR),
    Staff("Rosa Delgado", "mechanic@example.com", Role.MECHANIC, "Brakes and suspension"),
    Staff("Tom Kowalski", "tom.kowalski@example.com", Role.MECHANIC, "Engines"),
    Staff("Priya Nair", "priya.nair@example.com", Role.MECHANIC, "Electrics and hybrids"),
)


class Person(NamedTuple):
    """A customer of the demo shop; one with an e-mail can sign in."""

    name: str
    email: str | None
    phone: str | None
    address: str | None = None


CUSTOMERS = (
    Person("Dana Whitfield", "customer@example.com", "+12125550187", "48 Orchard Street, New York, NY 10002"),
    Person("Luis Ortega", "luis.ortega@example.com", "+12125550133", "210 Grand Street, New York, NY 10013"),
    Person("Hannah Weiss", "hannah.weiss@example.com", None, "77 Bleecker Street, New York, NY 10012"),
    Person("Kenji Watanabe", "kenji.watanabe@example.com", "+12125550119"),
    Person("Amara Okafor", None, "+12125550176"),
    Person("Pat Doyle", None, "+12125550150"),
    Person("Noor Haddad", "noor.haddad@example.com", "+12125550161"),
)


class Car(NamedTuple):
    """A vehicle of the demo shop; `owner` is a position in `CUSTOMERS`, counted from 1."""

    owner: int
    year: int
    make: str
    model: str
    plate: str
    vin: str | None = None


CARS = (
    Car(1, 2003, "Honda", "Accord", "8ABC123", "1HGCM82633A004352"),
    Car(2, 2012, "Ford", "F-150", "JKL4410"),
    Car(3, 2019, "Toyota", "Prius", "HYB1109"),
    Car(4, 2008, "Subaru", "Outback", "TRL2208"),
    Car(5, 2015, "Mazda", "CX-5", "MZD5515"),
    Car(6, 2017, "Chevrolet", "Malibu", "PDY1717"),
)
# name, price, SKU, on hand (None: not tracked), reorder point, cost, location, unit
PARTS: tuple[tuple[str, str, str | None, str | None, str | None, str | None, str | None, Unit], ...] = (
    ("Brake pads, front, ceramic", "64.90", "BRK-PAD-F-C", "12", "4", "31.20", "A1-03", Unit.SET),
    ("Brake rotor, front, vented", "58.50", "BRK-ROT-F-V", "8", "4", "27.75", "A1-05", Unit.EACH),
    ("Oil filter, spin-on", "9.80", "OIL-FLT-SP1", "46", "15", "3.95", "B2-01", Unit.EACH),
    ("Engine oil 5W-30, quart", "8.25", "OIL-5W30-QT", "120", "40", "4.10", "B2-04", Unit.QUART),
    ("Air filter, panel", "18.40", "AIR-FLT-PNL", "17", "6", "7.60", "B3-02", Unit.EACH),
    ("Cabin filter, charcoal", "24.75", "CAB-FLT-CHR", "9", "5", "10.30", "B3-06", Unit.EACH),
    ("Spark plug, iridium", "13.90", "IGN-PLG-IR", "64", "16", "6.85", "C1-02", Unit.EACH),
    ("Battery, group 35, 640 CCA", "169.00", "BAT-G35-640", "3", "3", "104.00", "D4-01", Unit.EACH),
    ("Serpentine belt, 6-rib", "32.60", "BLT-SRP-6R", "6", "3", "14.90", "C2-07", Unit.EACH),
    ("Coolant, long life, gallon", "21.50", "COL-LL-GAL", "22", "8", "11.80", "B1-01", Unit.GALLON),
    ("Wiper blade, 24 in", "17.95", "WIP-24", "14", "6", "7.20", "E1-01", Unit.EACH),
    ("Strut assembly, front left", "148.00", "SUS-STR-FL", "2", "2", "86.50", "D1-02", Unit.EACH),
    ("Shop towels and cleaner", "4.50", None, None, None, None, None, Unit.EACH),
)


class Fee(NamedTuple):
    """A fee of the demo shop, or a sublet where it has a cost."""

    description: str
    amount: str
    cost: str | None = None


class Work(NamedTuple):
    """A job of the demo shop, and what the customer said to it; None: it waits for an answer."""

    name: str
    notes: str | None = None
    parts: tuple[tuple[int, str], ...] = ()
    labor: tuple[tuple[str, str], ...] = ()
    fees: tuple[Fee, ...] = ()
    decision: Decision | None = None


class Visit(NamedTuple):
    """A ticket of the demo shop and its final status; vehicles, staff and parts are positions in the tables above,
    counted from 1. Its own `parts` and `labor` are written without a job.
    """

    car: int
    odometer: int
    description: str
    status: TicketStatus
    mechanics: tuple[int, ...] = ()
    parts: tuple[tuple[int, str], ...] = ()
    labor: tuple[tuple[str, str], ...] = ()
    jobs: tuple[Work, ...] = ()
    quoted: bool = False
    hold: Hold | None = None
    discount: str | None = None
    due_in: int | None = None  # hours until it is promised, negative where that is over


VISITS = (
    Visit(
        1,
        184_210,
        "Squeals when braking. Pads and rotors, front.",
        TicketStatus.PAID,
        (3,),
        jobs=(
            Work(
                "Front brakes",
                "Pads are down to 2 mm.",
                ((1, "1"), (2, "2")),
                (("Replace front pads and rotors", "1.7"), ("Road test", "0.3")),
                decision=Decision.APPROVED,
            ),
            Work(
                "Rear struts",
                "Both leak. The car is safe to drive.",
                labor=(("Replace both struts", "2.4"),),
                decision=Decision.DECLINED,
            ),
        ),
        quoted=True,
    ),
    Visit(
        5,
        66_340,
        "Wiper blades and cabin filter.",
        TicketStatus.INVOICED,
        (5,),
        ((11, "2"), (6, "1")),
        (("Fit blades and filter", "0.4"),),
        discount="10",
    ),
    Visit(
        2,
        131_870,
        "Oil change, and look at a leak.",
        TicketStatus.IN_PROGRESS,
        (4,),
        ((3, "1"), (4, "5.7")),
        (("Oil change", "0.5"), ("Find the leak", "0.8")),
        due_in=3,
    ),
    Visit(
        3,
        40_115,
        "12 V battery dead in the morning.",
        TicketStatus.COMPLETED,
        (3, 5),
        ((8, "1"),),
        (("Test charging, replace battery", "0.6"),),
    ),
    Visit(
        4,
        152_900,
        "Knocks over bumps, front left.",
        TicketStatus.ESTIMATE,
        jobs=(
            Work(
                "Front brakes",
                "Pads are down to 2 mm; the rotors are below their least thickness.",
                ((1, "1"), (2, "2")),
                (("Replace front pads and rotors", "1.7"),),
            ),
            Work(
                "Front left strut",
                "It leaks. The car is safe to drive, but tires wear unevenly.",
                ((12, "1"),),
                (("Replace strut assembly", "2.2"),),
                (Fee("Wheel alignment at Hudson Alignment", "89.00", cost="60.00"),),
            ),
        ),
        quoted=True,
    ),
    Visit(
        1,
        185_002,
        "185,000-mile service.",
        TicketStatus.OPEN,
        (4,),
        ((5, "1"), (7, "4")),
        (("Service", "1.5"),),
        due_in=28,
        jobs=(
            Work(
                "Transmission fluid",
                parts=((13, "1"),),
                labor=(("Drain and fill", "1.1"),),
                fees=(Fee("Disposal of fluid", "4.00"),),
                decision=Decision.APPROVED,
            ),
            Work("Serpentine belt", "Cracks across the ribs.", ((9, "1"),), (("Replace belt", "0.6"),)),
        ),
    ),
    Visit(
        2,
        132_240,
        "Brakes pulsate, rides rough.",
        TicketStatus.IN_PROGRESS,
        (3,),
        due_in=-2,
        jobs=(
            Work(
                "Front brakes",
                "Rotors are warped.",
                ((1, "1"), (2, "2")),
                (("Replace front pads and rotors", "1.7"),),
                (Fee("Environmental fee", "3.00"),),
                Decision.APPROVED,
            ),
            Work(
                "Front struts",
                "Both are worn.",
                labor=(("Replace struts and bearings", "3.2"),),
                decision=Decision.DECLINED,
            ),
        ),
        quoted=True,
    ),
    Visit(
        6,
        91_200,
        "Air conditioning blows warm.",
        TicketStatus.DECLINED,
        labor=(("Leak test, recharge", "1.8"),),
        quoted=True,
    ),
    Visit(6, 91_350, "Belt squeals when cold.", TicketStatus.OPEN, (5,), ((9, "1"),), (), hold=Hold.CUSTOMER),
)

CANNED_JOBS = (
    Work(
        "Oil and filter",
        parts=((3, "1"), (4, "5")),
        labor=(("Change oil and filter", "0.5"),),
        fees=(Fee("Disposal of oil", "3.00"),),
    ),
    Work("Front brakes", parts=((1, "1"), (2, "2")), labor=(("Replace front pads and rotors", "1.7"),)),
    Work(
        "Front left strut",
        parts=((12, "1"),),
        labor=(("Replace strut assembly", "2.2"),),
        fees=(Fee("Wheel alignment at Hudson Alignment", "89.00", cost="60.00"),),
    ),
)

# With these ids the operations of the OpenAPI document can be tried on a new demo shop: the first customer and their
# car, Rosa Delgado, the ticket of the 185,000-mile service with its labor, proposed job and fee, the front brake pads,
# the oil change.
IDS = {
    "customer_id": 1,
    "vehicle_id": 1,
    "mechanic_id": 3,
    "ticket_id": 6,
    "line_id": 10,
    "job_id": 10,
    "fee_id": 2,
    "part_id": 1,
    "canned_job_id": 1,
    "slug": "not-found",
    "token": LINK_TOKEN,
}

# At most this many accounts are checked; a large demo has many more, but these suffice to detect it.
MAX_SUSPECTS = 20


def is_empty() -> bool:
    """Return whether the database has no staff, customers, parts and tickets."""
    return not any(db.session.scalar(select(model.id).limit(1)) for model in (Mechanic, Customer, Part, ServiceTicket))


def refuse_public_passwords(app: Flask) -> None:
    """Raises `PublicPasswords` if an account has the password of the demo.

    Checks accounts with an e-mail of the demo, or with a hash that other accounts have too, since all demo accounts
    share one hash. If the database does not answer or is not migrated, it logs a warning: nobody can sign in either.
    """
    emails = [who.email for who in (*STAFF, *CUSTOMERS) if who.email]
    with app.app_context():
        try:
            found = {account: _possible_demo_accounts(account, emails) for account in (Mechanic, Customer)}
        except DBAPIError as error:
            app.logger.warning("Whether accounts of the demo are there is not known: %s", type(error.orig).__name__)
            return
        finally:
            db.session.remove()
        public = {text for rows in found.values() for _, text in rows if verify_password(text, PASSWORD)}
    names = sorted(
        f"{account.noun} {row_id}" for account, rows in found.items() for row_id, text in rows if text in public
    )
    if names:
        raise PublicPasswords(
            f"These accounts have the public password of the demo shop: {', '.join(names)}. Production does not start "
            "on a demo; use a database of its own, or change those passwords."
        )


def _possible_demo_accounts(account: type[Account], emails: list[str]) -> list[tuple[int, str]]:
    """Return ids and password hashes of up to `MAX_SUSPECTS` accounts that may be the demo's."""
    hashes = account.password_hash
    shared = select(hashes).where(hashes.is_not(None)).group_by(hashes).having(func.count() > 1)
    suspicious = select(account.id, hashes).where(
        account.may_sign_in(), or_(account.email.in_(emails), hashes.in_(shared))
    )
    return [(row_id, text) for row_id, text in db.session.execute(suspicious.limit(MAX_SUSPECTS)) if text]


def fill(rates: Rates) -> None:
    """Insert the demo shop with these rates, using the operations that requests use; all accounts have `PASSWORD`."""
    password_hash = hash_password(PASSWORD)
    with atomic():
        staff = [Mechanic(password_hash=password_hash, **member._asdict()) for member in STAFF]
        customers = [Customer(password_hash=who.email and password_hash, **who._asdict()) for who in CUSTOMERS]
        db.session.add_all([*staff, *customers])
        db.session.flush()
        cars = [Vehicle(customer_id=customers[owner - 1].id, **_car(owner, *facts)) for owner, *facts in CARS]
        db.session.add_all(cars)
        admin, advisor, *_ = (Identity(member.id, member.role, sign_in_id="") for member in staff)
        parts = [
            create_part(
                admin,
                name=name,
                price=Decimal(price),
                sku=sku,
                unit=unit,
                quantity_on_hand=_decimal(on_hand),
                reorder_point=_decimal(reorder_point),
                cost=_decimal(cost),
                location=location,
            )
            for name, price, sku, on_hand, reorder_point, cost, location, unit in PARTS
        ]
        for template in CANNED_JOBS:
            create_canned_job(name=template.name, **_lines(template, parts))
        for visit in VISITS:
            _add_visit(visit, advisor, rates, staff, cars[visit.car - 1], parts)
        _add_link(advisor)


def _add_link(advisor: Identity) -> None:
    """Make an approval link to the first estimate."""
    is_estimate = ServiceTicket.status == TicketStatus.ESTIMATE
    ticket_id = db.session.scalars(select(ServiceTicket.id).where(is_estimate).order_by(ServiceTicket.id)).first()
    link = {"ticket_id": ticket_id, "made_by_id": advisor.id, "expires_at": now() + GOOD_FOR}
    db.session.add(ApprovalLink(token_hash=token_hash(LINK_TOKEN), **link))


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _car(owner: int, *facts: Any) -> dict[str, Any]:
    return {name: fact for name, fact in Car(owner, *facts)._asdict().items() if name != "owner"}


def _add_visit(
    visit: Visit, advisor: Identity, rates: Rates, staff: list[Mechanic], car: Vehicle, parts: list[Part]
) -> None:
    """Open the ticket of a visit, add its lines and bring it to its final status."""
    ticket_id = operations.open_ticket(
        advisor,
        rates,
        customer_id=car.customer_id,
        vehicle_id=car.id,
        description=visit.description,
        odometer=visit.odometer,
        status=TicketStatus.ESTIMATE if visit.quoted else TicketStatus.OPEN,
        advisor_id=advisor.id,
        promised_at=visit.due_in and now() + timedelta(hours=visit.due_in),
        key_tag=str(visit.car),
    ).id
    for number, units in visit.parts:
        lines_operations.use_part(advisor, ticket_id, parts[number - 1].id, quantity=Decimal(units))
    for work, hours in visit.labor:
        lines_operations.add_labor(advisor, ticket_id, description=work, hours=Decimal(hours))
    job_ids = [_add_job(job, visit.quoted, advisor, ticket_id, parts) for job in visit.jobs]
    changes: dict[str, Any] = {"discount_percent": Decimal(visit.discount)} if visit.discount else {}
    mechanic_ids = [staff[number - 1].id for number in visit.mechanics]
    operations.edit_ticket(advisor, ticket_id, add_mechanic_ids=mechanic_ids, **changes)
    if visit.quoted and visit.status is not TicketStatus.ESTIMATE:
        _authorize(visit, advisor, ticket_id, job_ids)
    _finish(visit, advisor, ticket_id)
    if visit.hold:
        operations.move_ticket(advisor, ticket_id, hold=visit.hold)


def _add_job(job: Work, quoted: bool, advisor: Identity, ticket_id: int, parts: list[Part]) -> int:
    """Write a job, and return its id. On a ticket that is no quote it is approved at once, or waits for an answer."""
    status = JobStatus.PROPOSED if quoted or job.decision is None else JobStatus.APPROVED
    fields: dict[str, Any] = {"name": job.name, "notes": job.notes, "status": status, **_lines(job, parts)}
    return jobs_operations.add_job(advisor, ticket_id, **fields).id


def _lines(job: Work, parts: list[Part]) -> dict[str, list[dict[str, Any]]]:
    """Return the lines of a job as requests send them."""
    return {
        "parts": [{"part_id": parts[number - 1].id, "quantity": Decimal(units)} for number, units in job.parts],
        "labor": [{"description": work, "hours": Decimal(hours)} for work, hours in job.labor],
        "fees": [
            {
                "kind": FeeKind.FEE if cost is None else FeeKind.SUBLET,
                "description": description,
                "amount": Decimal(amount),
                "cost": cost and Decimal(cost),
            }
            for description, amount, cost in job.fees
        ],
    }


def _authorize(visit: Visit, advisor: Identity, ticket_id: int, job_ids: list[int]) -> None:
    """Record what the customer said on the phone: to each job, or to the whole ticket."""
    customer = CUSTOMERS[CARS[visit.car - 1].owner - 1]
    said: dict[str, Any] = {"method": AuthorizationMethod.PHONE, "said_by": customer.name, "contact": customer.phone}
    if visit.jobs:
        pairs = zip(job_ids, visit.jobs, strict=True)
        said["jobs"] = [{"id": job_id, "decision": job.decision} for job_id, job in pairs if job.decision]
    else:
        said["decision"] = Decision.DECLINED if visit.status is TicketStatus.DECLINED else Decision.APPROVED
    authorize(advisor, ticket_id, **said)


def _finish(visit: Visit, advisor: Identity, ticket_id: int) -> None:
    """Change the ticket's status step by step up to the visit's; pay 20.00 of an invoiced ticket, all of a paid one."""
    worked = (TicketStatus.IN_PROGRESS, TicketStatus.COMPLETED, TicketStatus.INVOICED, TicketStatus.PAID)
    for status in worked[: worked.index(visit.status) + 1] if visit.status in worked else ():
        if status in worked[:2]:
            operations.move_ticket(advisor, ticket_id, status=status)
        else:
            if status is TicketStatus.INVOICED:
                billing.issue_invoice(advisor, ticket_id, INVOICE_CONTENT.dump)
            balance = db.session.get_one(ServiceTicket, ticket_id).balance
            amount = Decimal("20.00") if status is TicketStatus.INVOICED else balance
            billing.pay(advisor, ticket_id, kind=PaymentKind.PAYMENT, amount=amount, method=PaymentMethod.CARD)
