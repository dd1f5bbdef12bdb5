"""FastAPI as its documentation has it: async SQLAlchemy on asyncpg, relations loaded ahead, pydantic models out."""

import os
import time
from collections.abc import AsyncIterator
from datetime import datetime
from decimal import Decimal
from typing import Annotated

import jwt
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from fastapi import Depends, FastAPI, HTTPException, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, PlainSerializer, TypeAdapter
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from bench.apps.fast_input import Credentials, NewTicket, Quantity, UserId
from bench.apps.tables import (
    OPEN,
    OPEN_TICKETS,
    WHOLE,
    Customer,
    Mechanic,
    Part,
    PartLine,
    ServiceTicket,
    TicketEvent,
    TicketWords,
    Vehicle,
)

app = FastAPI()
# As this project does: reads without transactions, on connections of their own. asyncpg prepares what is sent.
writes = create_async_engine(os.environ["DATABASE_URL"], pool_size=4)
reads = create_async_engine(
    os.environ["DATABASE_URL"], pool_size=4, isolation_level="AUTOCOMMIT", pool_reset_on_return=None
)
sessions = async_sessionmaker(writes, expire_on_commit=False)
reading_sessions = async_sessionmaker(reads)
hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)

Money = Annotated[int, PlainSerializer(lambda cents: f"{cents / 100:.2f}", return_type=str)]
Units = Annotated[Decimal, PlainSerializer(lambda units: int(units) if units == int(units) else float(units))]
Hours = Annotated[int, PlainSerializer(lambda tenths: f"{tenths / 10:.1f}", return_type=str)]
Moment = Annotated[datetime, PlainSerializer(lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), return_type=str)]


class Out(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class NameOut(Out):
    id: int
    name: str


class TicketCustomerOut(NameOut):
    email: str | None
    phone: str | None


class CustomerOut(TicketCustomerOut):
    address: str | None
    created_at: Moment
    version: int


class MechanicOut(NameOut):
    email: str
    phone: str | None
    role: str
    specialty: str | None
    active: bool
    open_tickets: int
    version: int


class VehicleOut(Out):
    id: int
    vin: str | None
    plate: str | None
    plate_state: str | None
    make: str | None
    model: str | None
    year: int | None


class PartLineOut(Out):
    id: int
    job_id: int
    part_id: int
    name: str
    sku: str | None
    unit: str
    quantity: Units
    quantity_short: Units
    taxable: bool
    unit_price: Money
    price_reason: str | None
    unit_cost: Money | None
    line_total: Money


class LaborLineOut(Out):
    id: int
    job_id: int
    description: str
    hours: Hours
    rate: Money
    mechanic_id: int | None
    taxable: bool
    line_total: Money


class FeeLineOut(Out):
    id: int
    job_id: int
    kind: str
    description: str
    amount: Money
    cost: Money | None
    taxable: bool


class JobTotalsOut(Out):
    parts: Money
    labor: Money
    fees: Money
    discount: Money
    supplies: Money
    tax: Money
    total: Money


class TotalsOut(JobTotalsOut):
    paid: Money
    balance: Money


class ListedJobOut(Out):
    id: int
    name: str
    notes: str | None
    status: str
    declined_reason: str | None
    approved_at: Moment | None
    totals: JobTotalsOut
    revived_from: int | None


class JobOut(ListedJobOut):
    parts: list[PartLineOut]
    labor: list[LaborLineOut]
    fees: list[FeeLineOut]


class ListedTicketOut(Out):
    id: int
    status: str
    status_since: Moment
    allowed_moves: list[str]
    hold: str | None
    description: str
    customer_id: int
    customer: TicketCustomerOut
    vehicle_id: int | None
    vehicle: VehicleOut | None
    odometer: int | None
    advisor_id: int | None
    advisor: NameOut | None
    promised_at: Moment | None
    notes: str | None
    key_tag: str | None
    po_number: str | None
    mechanics: list[NameOut]
    jobs: list[ListedJobOut]
    parts: list[PartLineOut]
    labor: list[LaborLineOut]
    fees: list[FeeLineOut]
    discount_percent: Money | None
    discount_amount: Money | None
    authorized_amount: Money | None
    totals: TotalsOut
    totals_if_approved: TotalsOut
    opened_by: NameOut
    created_at: Moment
    updated_at: Moment
    version: int


class TicketOut(ListedTicketOut):
    jobs: list[JobOut]


class TokenOut(BaseModel):
    token: str
    token_type: str = "Bearer"
    expires_in: int


async def get_session() -> AsyncIterator[AsyncSession]:
    async with sessions() as session:
        yield session


async def get_reading_session() -> AsyncIterator[AsyncSession]:
    async with reading_sessions() as session:
        yield session


Session = Annotated[AsyncSession, Depends(get_session)]
ReadingSession = Annotated[AsyncSession, Depends(get_reading_session)]


@app.get("/health")
async def health() -> dict[str, str]:
    return {}


@app.get("/service-tickets/{ticket_id}")
async def one_ticket(ticket_id: int, session: ReadingSession, user_id: UserId) -> TicketOut:
    ticket = await session.scalar(select(ServiceTicket).where(ServiceTicket.id == ticket_id).options(*WHOLE))
    if ticket is None:
        raise HTTPException(404)
    return ticket


@app.get("/service-tickets")
async def page_of_tickets(
    session: ReadingSession, user_id: UserId, page: int = 1, per_page: int = 20
) -> list[ListedTicketOut]:
    newest = select(ServiceTicket).order_by(ServiceTicket.id.desc()).limit(per_page).offset((page - 1) * per_page)
    return list(await session.scalars(newest.options(*WHOLE)))


@app.get("/customers")
async def page_of_customers(
    session: ReadingSession, user_id: UserId, offset: int = 0, limit: int = 20
) -> list[CustomerOut]:
    query = select(Customer).where(Customer.erased_at.is_(None)).order_by(Customer.id).offset(offset).limit(limit)
    return list(await session.scalars(query))


mechanics_list = TypeAdapter(list[MechanicOut])
remembered: tuple[float, bytes] = (0, b"")


@app.get("/mechanics", response_model=list[MechanicOut])
async def mechanics(session: ReadingSession, user_id: UserId) -> Response:
    global remembered
    if time.monotonic() > remembered[0]:
        remembered = time.monotonic() + 1, await read_mechanics(session)
    return Response(remembered[1], media_type="application/json")


async def read_mechanics(session: AsyncSession) -> bytes:
    query = select(Mechanic, OPEN_TICKETS).where(Mechanic.active).order_by(Mechanic.id).limit(20)
    found = []
    for mechanic, open_tickets in await session.execute(query):
        mechanic.open_tickets = open_tickets
        found.append(mechanic)
    return mechanics_list.dump_json(mechanics_list.validate_python(found, from_attributes=True))


@app.post("/service-tickets", status_code=201)
async def create_ticket(given: NewTicket, response: Response, session: Session, user_id: UserId) -> TicketOut:
    customer = await session.get(Customer, given.customer_id)
    vehicle = await session.get(Vehicle, given.vehicle_id)
    if customer is None or vehicle is None or vehicle.customer_id != customer.id:
        raise HTTPException(404)
    if vehicle.odometer is not None and given.odometer < vehicle.odometer:
        raise HTTPException(409)
    vehicle.odometer = given.odometer
    vehicle.version += 1
    ticket = ServiceTicket(opened_by_id=user_id, **given.model_dump())
    session.add(ticket)
    await session.flush()
    session.add(TicketEvent(ticket_id=ticket.id, mechanic_id=user_id, what="status", after=ticket.status))
    session.add(TicketWords.of(ticket, customer, vehicle))
    await session.commit()
    response.headers["Location"] = f"/service-tickets/{ticket.id}"
    async with reading_sessions() as reading:
        return await one_ticket(ticket.id, reading, user_id)


@app.put("/service-tickets/{ticket_id}/add-part/{part_id}")
async def add_part(ticket_id: int, part_id: int, given: Quantity, session: Session, user_id: UserId) -> TicketOut:
    locked = select(ServiceTicket).where(ServiceTicket.id == ticket_id).with_for_update(of=ServiceTicket)
    ticket = await session.scalar(locked.options(*WHOLE))
    part = await session.get(Part, part_id, with_for_update=True)
    if ticket is None or part is None:
        raise HTTPException(404)
    if ticket.status not in OPEN:
        raise HTTPException(409)
    line = next((line for line in ticket.parts if line.part_id == part_id), None)
    if line is None:
        line = PartLine(ticket_id=ticket_id, part=part, unit_price=part.price, quantity_reserved=0, taxable=True)
        ticket.first_job().parts.append(line)
    before = line.quantity
    try:
        line.reserve(part, given.quantity)
    except ValueError:
        raise HTTPException(409) from None
    part.version += 1
    ticket.add_up()
    event = TicketEvent(ticket_id=ticket_id, mechanic_id=user_id, what=f"part {part.name}")
    event.before, event.after = (f"{units} × {line.unit_price / 100:.2f}" for units in (before, given.quantity))
    session.add(event)
    await session.commit()
    return ticket


@app.post("/customers/login")
async def login(given: Credentials, session: ReadingSession) -> TokenOut:
    customer = await session.scalar(select(Customer).where(Customer.email == given.email))
    try:
        await run_in_threadpool(hasher.verify, customer.password_hash if customer else "", given.password)
    except VerifyMismatchError:
        raise HTTPException(401) from None
    expires = 12 * 3600
    claims = {"sub": f"customer:{customer.id}", "exp": int(time.time()) + expires, "aud": "mechanic-shop-api"}
    return TokenOut(token=jwt.encode(claims, os.environ["SECRET_KEY"], "HS256"), expires_in=expires)
