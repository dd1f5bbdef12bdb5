"""The demo shop: believable people, cars, parts and tickets, and an account for each role."""

import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import insert, select

from app.auth.passwords import hash_password
from app.extensions import db
from app.models import Customer, Mechanic, Part, PartLine, ServiceTicket, ticket_mechanics
from app.models.types import now
from app.rules.roles import Role
from app.rules.ticket_life import TicketStatus
from app.transaction import atomic

PASSWORD = "wrench-and-socket"  # noqa: S105  # public on purpose; the command refuses in production


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
CUSTOMERS = (
    ("Dana Whitfield", "customer@example.com", "+12125550187", "48 Orchard Street, New York, NY 10002"),
    ("Luis Ortega", "luis.ortega@example.com", "+12125550133", "210 Grand Street, New York, NY 10013"),
    ("Hannah Weiss", "hannah.weiss@example.com", None, "77 Bleecker Street, New York, NY 10012"),
    ("Kenji Watanabe", "kenji.watanabe@example.com", "+12125550119", None),
    ("Amara Okafor", None, "+12125550176", None),
    ("Pat Doyle", None, "+12125550150", None),
)
# name, price, SKU, on hand (None: not tracked), reorder point, cost, location
PARTS: tuple[tuple[str, str, str | None, int | None, int | None, str | None, str | None], ...] = (
    ("Brake pads, front, ceramic", "64.90", "BRK-PAD-F-C", 12, 4, "31.20", "A1-03"),
    ("Brake rotor, front, vented", "58.50", "BRK-ROT-F-V", 8, 4, "27.75", "A1-05"),
    ("Oil filter, spin-on", "9.80", "OIL-FLT-SP1", 46, 15, "3.95", "B2-01"),
    ("Engine oil 5W-30, quart", "8.25", "OIL-5W30-QT", 120, 40, "4.10", "B2-04"),
    ("Air filter, panel", "18.40", "AIR-FLT-PNL", 17, 6, "7.60", "B3-02"),
    ("Cabin filter, charcoal", "24.75", "CAB-FLT-CHR", 9, 5, "10.30", "B3-06"),
    ("Spark plug, iridium", "13.90", "IGN-PLG-IR", 64, 16, "6.85", "C1-02"),
    ("Battery, group 35, 640 CCA", "169.00", "BAT-G35-640", 3, 3, "104.00", "D4-01"),
    ("Serpentine belt, 6-rib", "32.60", "BLT-SRP-6R", 6, 3, "14.90", "C2-07"),
    ("Coolant, long life, gallon", "21.50", "COL-LL-GAL", 22, 8, "11.80", "B1-01"),
    ("Wiper blade, 24 in", "17.95", "WIP-24", 14, 6, "7.20", "E1-01"),
    ("Strut assembly, front left", "148.00", "SUS-STR-FL", 2, 2, "86.50", "D1-02"),
    ("Shop towels and cleaner", "4.50", None, None, None, None, None),
)


class Visit(NamedTuple):
    """A ticket of the demo shop; people and parts are counted from 1, in the order above."""

    customer: int
    opened_by: int
    status: TicketStatus
    odometer: int | None
    description: str
    mechanics: tuple[int, ...]
    parts: tuple[tuple[int, int], ...]


TICKETS = (
    Visit(
        1,
        2,
        TicketStatus.COMPLETED,
        84_210,
        "2016 Honda Civic EX, 8ABC123: squeals when braking. Replaced pads and rotors, front.",
        (3,),
        ((1, 1), (2, 2)),
    ),
    Visit(2, 2, TicketStatus.OPEN, 131_870, "2012 Ford F-150: oil change, and look at a leak.", (4,), ((3, 1), (4, 7))),
    Visit(3, 3, TicketStatus.OPEN, 40_115, "2019 Toyota Prius: 12 V battery dead in the morning.", (3, 5), ((8, 1),)),
    Visit(4, 2, TicketStatus.OPEN, None, "2008 Subaru Outback: knocks over bumps, front left.", (), ()),
    Visit(1, 4, TicketStatus.OPEN, 85_002, "2016 Honda Civic EX: 85,000-mile service.", (4,), ((5, 1), (6, 1), (7, 4))),
    Visit(
        5, 2, TicketStatus.COMPLETED, 66_340, "2015 Mazda CX-5: wiper blades and cabin filter.", (5,), ((11, 2), (6, 1))
    ),
)

FIRST_NAMES = ("Ava", "Ben", "Carla", "Dev", "Ella", "Farid", "Grace", "Hugo", "Ines", "Jamal", "Kira", "Leo", "Mina")
LAST_NAMES = ("Adler", "Brooks", "Castillo", "Dunn", "Eriksen", "Fofana", "Gupta", "Hale", "Ito", "Jensen", "Klein")
JOBS = (
    "Oil change.",
    "Brake check.",
    "Engine light is on.",
    "Annual service.",
    "No start in the cold.",
    "A/C is weak.",
)
CARS = (
    "2014 Honda Accord",
    "2017 Ford Escape",
    "2011 Toyota Camry",
    "2020 Kia Soul",
    "2013 VW Golf",
    "2018 Jeep Compass",
)
BATCH = 1000


def is_empty() -> bool:
    """Whether nobody and nothing is in the database yet."""
    return not any(db.session.scalar(select(model.id).limit(1)) for model in (Mechanic, Customer, Part, ServiceTicket))


def fill() -> None:
    """Add the demo shop; every account signs in with `PASSWORD`."""
    password_hash = hash_password(PASSWORD)
    with atomic():
        staff = [Mechanic(password_hash=password_hash, **member._asdict()) for member in STAFF]
        customers = [
            Customer(name=name, email=email, phone=phone, address=address, password_hash=email and password_hash)
            for name, email, phone, address in CUSTOMERS
        ]
        parts = [
            Part(
                name=name,
                price=Decimal(price),
                sku=sku,
                quantity_on_hand=on_hand,
                reorder_point=reorder_point,
                cost=cost and Decimal(cost),
                location=location,
            )
            for name, price, sku, on_hand, reorder_point, cost, location in PARTS
        ]
        db.session.add_all([*staff, *customers, *parts])
        for number, visit in enumerate(TICKETS):
            db.session.add(_ticket(visit, staff, customers, parts, days_ago=3 * (len(TICKETS) - number)))


def _ticket(
    visit: Visit, staff: list[Mechanic], customers: list[Customer], parts: list[Part], days_ago: int
) -> ServiceTicket:
    """The ticket of a visit; the numbers in it count people and parts from 1."""
    moment = now() - timedelta(days=days_ago)
    ticket = ServiceTicket(
        customer=customers[visit.customer - 1],
        opened_by=staff[visit.opened_by - 1],
        status=visit.status,
        odometer=visit.odometer,
        description=visit.description,
        created_at=moment,
        updated_at=moment,
        mechanics=[staff[number - 1] for number in visit.mechanics],
    )
    for number, units in visit.parts:
        part = parts[number - 1]
        ticket.parts.append(PartLine(part=part, quantity=units, unit_price=part.price))
        part.quantity_on_hand = part.quantity_on_hand and part.quantity_on_hand - units
    return ticket


def grow(customers: int, advance: Callable[[int], object]) -> None:
    """Add so many customers with two tickets each, a batch a transaction; `advance` is told of every batch."""
    chance = random.Random(20_26)  # noqa: S311  # the same large shop every time
    staff = [mechanic_id for (mechanic_id,) in db.session.execute(select(Mechanic.id).order_by(Mechanic.id))]
    numbers = iter(range(customers))
    while batch := list(islice(numbers, BATCH)):
        with atomic():
            people = [_person(chance, number) for number in batch]
            ids = db.session.scalars(insert(Customer).returning(Customer.id, sort_by_parameter_order=True), people)
            tickets = [ticket for customer_id in ids for ticket in _visits(chance, customer_id, staff)]
            made = db.session.scalars(insert(ServiceTicket).returning(ServiceTicket.id), tickets)
            work = [{"ticket_id": ticket_id, "mechanic_id": chance.choice(staff)} for ticket_id in made]
            db.session.execute(insert(ticket_mechanics), work)
        advance(len(batch))


def _person(chance: random.Random, number: int) -> dict[str, Any]:
    name = f"{chance.choice(FIRST_NAMES)} {chance.choice(LAST_NAMES)}"
    return {
        "name": name,
        "email": f"{name.lower().replace(' ', '.')}.{number}@example.com",
        "phone": f"+1212{2_000_000 + number:07d}",
        "created_at": now() - timedelta(days=chance.randrange(2000)),
    }


def _visits(chance: random.Random, customer_id: int, staff: list[int]) -> Iterator[dict[str, Any]]:
    car = chance.choice(CARS)
    for status in (TicketStatus.COMPLETED, TicketStatus.OPEN):
        moment = now() - timedelta(minutes=chance.randrange(1_000_000))
        yield {
            "customer_id": customer_id,
            "opened_by_id": chance.choice(staff),
            "status": status,
            "description": f"{car}: {chance.choice(JOBS)}",
            "odometer": chance.randrange(5_000, 200_000),
            "created_at": moment,
            "updated_at": moment,
        }
