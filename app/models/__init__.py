"""The models, one file for each aggregate; each model enforces its own invariants.

Every operation locks rows in one order, which prevents deadlocks: mechanics, tickets, approval links, canned jobs,
parts, customers, the advisory lock of intake, vehicles, invoices, the series of invoice numbers, mails, the words of
tickets; by id within each.
"""

from app.core.database.types import LARGEST_INTEGER
from app.models import fields
from app.models.account import Account
from app.models.approval import ApprovalLink, LinkState
from app.models.audit import AuditEvent, AuditKind
from app.models.billing import (
    BY_CUSTOMERS,
    Authorization,
    AuthorizationMethod,
    Decision,
    Invoice,
    InvoiceSeries,
    Payment,
    PaymentKind,
    PaymentMethod,
)
from app.models.canned_job import CANNED_LINES, CannedFee, CannedJob, CannedLabor, CannedPart
from app.models.customer import Customer
from app.models.history import TicketEvent
from app.models.idempotency import IdempotencyKey
from app.models.invite import Invite
from app.models.job import FeeKind, FeeLine, Job
from app.models.mail import Mail, MailKind, MailStatus
from app.models.mechanic import Mechanic
from app.models.part import Part
from app.models.sign_in import SignIn
from app.models.stock import MovementKind, StockMovement
from app.models.ticket import Assignment, LaborLine, PartLine, ServiceTicket, ticket_mechanics
from app.models.ticket_words import TicketWords
from app.models.vehicle import MAX_MILES, Vehicle

# The cached list that a change of each model invalidates. Mechanics are listed with their number of open tickets,
# canned jobs with the names of their parts.
CACHED_LISTS: dict[type, str] = {
    CannedJob: "parts",
    Mechanic: "mechanics",
    Part: "parts",
    ServiceTicket: "mechanics",
}

__all__ = [
    "BY_CUSTOMERS",
    "CACHED_LISTS",
    "CANNED_LINES",
    "LARGEST_INTEGER",
    "MAX_MILES",
    "Account",
    "ApprovalLink",
    "Assignment",
    "AuditEvent",
    "AuditKind",
    "Authorization",
    "AuthorizationMethod",
    "CannedFee",
    "CannedJob",
    "CannedLabor",
    "CannedPart",
    "Customer",
    "Decision",
    "FeeKind",
    "FeeLine",
    "IdempotencyKey",
    "Invite",
    "Invoice",
    "InvoiceSeries",
    "Job",
    "LaborLine",
    "LinkState",
    "Mail",
    "MailKind",
    "MailStatus",
    "Mechanic",
    "MovementKind",
    "Part",
    "PartLine",
    "Payment",
    "PaymentKind",
    "PaymentMethod",
    "ServiceTicket",
    "SignIn",
    "StockMovement",
    "TicketEvent",
    "TicketWords",
    "Vehicle",
    "fields",
    "ticket_mechanics",
]
