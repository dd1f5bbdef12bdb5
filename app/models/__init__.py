"""The models, one file an aggregate; each guards its own invariants."""

from app.models.account import Account
from app.models.customer import Customer
from app.models.mechanic import Mechanic
from app.models.part import Part
from app.models.sign_in import SignIn
from app.models.ticket import PartLine, ServiceTicket, ticket_mechanics
from app.models.types import LARGEST_INTEGER

__all__ = [
    "LARGEST_INTEGER",
    "Account",
    "Customer",
    "Mechanic",
    "Part",
    "PartLine",
    "ServiceTicket",
    "SignIn",
    "ticket_mechanics",
]
