"""A classic Flask app, well written: Flask-SQLAlchemy with relations loaded ahead, marshmallow, `jsonify`."""

import os
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from functools import wraps
from typing import Any

import jwt
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from flask import Flask, Response, abort, jsonify, request, url_for
from flask_caching import Cache
from flask_marshmallow import Marshmallow
from flask_sqlalchemy import SQLAlchemy
from marshmallow import fields
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from bench.apps.tables import (
    OPEN,
    OPEN_TICKETS,
    WHOLE,
    Base,
    Customer,
    FeeLine,
    Job,
    LaborLine,
    Mechanic,
    Part,
    PartLine,
    ServiceTicket,
    TicketEvent,
    TicketWords,
    Vehicle,
)

app = Flask(__name__, static_folder=None)
URL = os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+psycopg2:")
app.config["SQLALCHEMY_DATABASE_URI"] = URL
app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {"pool_size": 4}
# As this project does: reads without transactions, on connections of their own.
app.config["SQLALCHEMY_BINDS"] = {
    "reads": {"url": URL, "isolation_level": "AUTOCOMMIT", "pool_reset_on_return": None},
}
app.config["CACHE_TYPE"] = "SimpleCache"
db = SQLAlchemy(app, model_class=Base, session_options={"expire_on_commit": False})
ma = Marshmallow(app)
cache = Cache(app)
hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


class Money(fields.Field):
    def _serialize(self, value: int | None, *args: Any, **kwargs: Any) -> str | None:
        return None if value is None else f"{value / 100:.2f}"


class Hours(fields.Field):
    def _serialize(self, value: int, *args: Any, **kwargs: Any) -> str:
        return f"{value / 10:.1f}"


class Units(fields.Field):
    def _serialize(self, value: Decimal, *args: Any, **kwargs: Any) -> int | float:
        return int(value) if value == int(value) else float(value)


class Moment(fields.Field):
    def _serialize(self, value: datetime | None, *args: Any, **kwargs: Any) -> str | None:
        return None if value is None else value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class CustomerSchema(ma.SQLAlchemyAutoSchema):
    created_at = Moment()

    class Meta:
        model = Customer
        fields = ("id", "name", "email", "phone", "address", "created_at", "version")


class TicketCustomerSchema(ma.SQLAlchemyAutoSchema):
    class Meta:
        model = Customer
        fields = ("id", "name", "email", "phone")


class VehicleSchema(ma.SQLAlchemyAutoSchema):
    class Meta:
        model = Vehicle
        fields = ("id", "vin", "plate", "plate_state", "make", "model", "year")


class NameSchema(ma.SQLAlchemyAutoSchema):
    class Meta:
        model = Mechanic
        fields = ("id", "name")


class MechanicSchema(ma.SQLAlchemyAutoSchema):
    open_tickets = fields.Integer()

    class Meta:
        model = Mechanic
        fields = ("id", "name", "email", "phone", "role", "specialty", "active", "open_tickets", "version")


class PartLineSchema(ma.SQLAlchemyAutoSchema):
    name = fields.String()
    sku = fields.String()
    unit = fields.String()
    quantity = Units()
    quantity_short = Units()
    unit_price = Money()
    unit_cost = Money()
    line_total = Money()

    class Meta:
        model = PartLine
        include_fk = True
        fields = (
            *("id", "job_id", "part_id", "name", "sku", "unit", "quantity", "quantity_short", "taxable"),
            *("unit_price", "price_reason", "unit_cost", "line_total"),
        )


class LaborLineSchema(ma.SQLAlchemyAutoSchema):
    hours = Hours()
    rate = Money()
    line_total = Money()

    class Meta:
        model = LaborLine
        include_fk = True
        fields = ("id", "job_id", "description", "hours", "rate", "mechanic_id", "taxable", "line_total")


class FeeLineSchema(ma.SQLAlchemyAutoSchema):
    amount = Money()
    cost = Money()

    class Meta:
        model = FeeLine
        include_fk = True
        fields = ("id", "job_id", "kind", "description", "amount", "cost", "taxable")


class JobTotalsSchema(ma.Schema):
    parts = Money()
    labor = Money()
    fees = Money()
    discount = Money()
    supplies = Money()
    tax = Money()
    total = Money()


class TotalsSchema(JobTotalsSchema):
    paid = Money()
    balance = Money()


JOB = ("id", "name", "notes", "status", "declined_reason", "approved_at", "totals", "revived_from")


class ListedJobSchema(ma.SQLAlchemyAutoSchema):
    approved_at = Moment()
    totals = fields.Nested(JobTotalsSchema)

    class Meta:
        model = Job
        fields = JOB


class JobSchema(ListedJobSchema):
    parts = fields.Nested(PartLineSchema(many=True))
    labor = fields.Nested(LaborLineSchema(many=True))
    fees = fields.Nested(FeeLineSchema(many=True))

    class Meta:
        model = Job
        fields = (*JOB, "parts", "labor", "fees")


class TicketSchema(ma.SQLAlchemyAutoSchema):
    customer = fields.Nested(TicketCustomerSchema)
    vehicle = fields.Nested(VehicleSchema)
    mechanics = fields.Nested(NameSchema(many=True))
    jobs = fields.Nested(JobSchema(many=True))
    parts = fields.Nested(PartLineSchema(many=True))
    labor = fields.Nested(LaborLineSchema(many=True))
    fees = fields.Nested(FeeLineSchema(many=True))
    discount_percent = Money()
    discount_amount = Money()
    authorized_amount = Money()
    totals = fields.Nested(TotalsSchema)
    totals_if_approved = fields.Nested(TotalsSchema)
    opened_by = fields.Nested(NameSchema)
    advisor = fields.Nested(NameSchema)
    allowed_moves = fields.List(fields.String())
    created_at = Moment()
    updated_at = Moment()
    status_since = Moment()
    promised_at = Moment(allow_none=True)

    class Meta:
        model = ServiceTicket
        include_fk = True
        fields = (
            "id",
            "status",
            "status_since",
            "allowed_moves",
            "hold",
            "description",
            "customer_id",
            "customer",
            "vehicle_id",
            "vehicle",
            "odometer",
            "advisor_id",
            "advisor",
            "promised_at",
            "notes",
            "key_tag",
            "po_number",
            "mechanics",
            "jobs",
            "parts",
            "labor",
            "fees",
            "discount_percent",
            "discount_amount",
            "authorized_amount",
            "totals",
            "totals_if_approved",
            "opened_by",
            "created_at",
            "updated_at",
            "version",
        )


class ListedTicketSchema(TicketSchema):
    jobs = fields.Nested(ListedJobSchema(many=True))


ticket_schema = TicketSchema()
tickets_schema = ListedTicketSchema(many=True)
customers_schema = CustomerSchema(many=True)
mechanics_schema = MechanicSchema(many=True)


def token_required(view: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        try:
            claims = jwt.decode(token, app.config["SECRET_KEY"], algorithms=["HS256"], audience="mechanic-shop-api")
        except jwt.InvalidTokenError:
            abort(401)
        return view(int(claims["sub"].partition(":")[2]), *args, **kwargs)

    return guarded


app.config["SECRET_KEY"] = os.environ["SECRET_KEY"]


def read(query: Select[Any]) -> Sequence[Any]:
    """The rows of a query."""
    with Session(db.engines["reads"]) as session:
        return session.execute(query).all()


def page(query: Select[Any]) -> Sequence[Any]:
    """The page of it that was asked for."""
    number, each = request.args.get("page", 1, int), request.args.get("per_page", 20, int)
    return read(query.limit(each).offset((number - 1) * each))


@app.get("/health")
def health() -> Response:
    return jsonify({})


@app.get("/service-tickets/<int:ticket_id>")
@token_required
def one_ticket(user_id: int, ticket_id: int) -> Response:
    return jsonify(ticket_schema.dump(read_ticket(ticket_id)))


def read_ticket(ticket_id: int) -> ServiceTicket:
    found = read(select(ServiceTicket).where(ServiceTicket.id == ticket_id).options(*WHOLE))
    return found[0][0] if found else abort(404)


@app.get("/service-tickets")
@token_required
def page_of_tickets(user_id: int) -> Response:
    newest = select(ServiceTicket).order_by(ServiceTicket.id.desc()).options(*WHOLE)
    return jsonify(tickets_schema.dump([ticket for (ticket,) in page(newest)]))


@app.get("/customers")
@token_required
def page_of_customers(user_id: int) -> Response:
    query = select(Customer).where(Customer.erased_at.is_(None)).order_by(Customer.id)
    return jsonify(customers_schema.dump([customer for (customer,) in page(query)]))


@app.get("/mechanics")
@token_required
@cache.cached(timeout=1, query_string=True)
def mechanics(user_id: int) -> Response:
    found = []
    for mechanic, open_tickets in page(select(Mechanic, OPEN_TICKETS).where(Mechanic.active).order_by(Mechanic.id)):
        mechanic.open_tickets = open_tickets
        found.append(mechanic)
    return jsonify(mechanics_schema.dump(found))


@app.post("/service-tickets")
@token_required
def create_ticket(user_id: int) -> Any:
    given = request.get_json()
    customer = db.get_or_404(Customer, given["customer_id"])
    vehicle = db.get_or_404(Vehicle, given["vehicle_id"])
    if vehicle.customer_id != customer.id:
        abort(404)
    if vehicle.odometer is not None and given["odometer"] < vehicle.odometer:
        abort(409)
    vehicle.odometer = given["odometer"]
    vehicle.version += 1
    ticket = ServiceTicket(opened_by_id=user_id, **given)
    db.session.add(ticket)
    db.session.flush()
    db.session.add(TicketEvent(ticket_id=ticket.id, mechanic_id=user_id, what="status", after=ticket.status))
    db.session.add(TicketWords.of(ticket, customer, vehicle))
    db.session.commit()
    return (
        jsonify(ticket_schema.dump(read_ticket(ticket.id))),
        201,
        {"Location": url_for("one_ticket", ticket_id=ticket.id)},
    )


@app.put("/service-tickets/<int:ticket_id>/add-part/<int:part_id>")
@token_required
def add_part(user_id: int, ticket_id: int, part_id: int) -> Response:
    quantity = request.get_json()["quantity"]
    locked = select(ServiceTicket).where(ServiceTicket.id == ticket_id).with_for_update(of=ServiceTicket)
    ticket = db.session.scalar(locked.options(*WHOLE))
    part = db.session.get(Part, part_id, with_for_update=True)
    if ticket is None or part is None:
        abort(404)
    if ticket.status not in OPEN:
        abort(409)
    line = next((line for line in ticket.parts if line.part_id == part_id), None)
    if line is None:
        line = PartLine(ticket_id=ticket_id, part=part, unit_price=part.price, quantity_reserved=0, taxable=True)
        ticket.first_job().parts.append(line)
    before = line.quantity
    try:
        line.reserve(part, quantity)
    except ValueError:
        db.session.rollback()
        abort(409)
    part.version += 1
    ticket.add_up()
    event = TicketEvent(ticket_id=ticket_id, mechanic_id=user_id, what=f"part {part.name}")
    event.before, event.after = (f"{units} × {line.unit_price / 100:.2f}" for units in (before, quantity))
    db.session.add(event)
    db.session.commit()
    return jsonify(ticket_schema.dump(ticket))


@app.post("/customers/login")
def login() -> Response:
    given = request.get_json()
    query = select(Customer.id, Customer.password_hash).where(Customer.email == given["email"])
    customer = next(iter(read(query)), None)
    try:
        hasher.verify(customer.password_hash if customer else "", given["password"])
    except (VerifyMismatchError, InvalidHashError):
        abort(401)
    expires = 12 * 3600
    claims = {"sub": f"customer:{customer.id}", "exp": int(time.time()) + expires, "aud": "mechanic-shop-api"}
    token = jwt.encode(claims, app.config["SECRET_KEY"], "HS256")
    return jsonify({"token": token, "token_type": "Bearer", "expires_in": expires})
