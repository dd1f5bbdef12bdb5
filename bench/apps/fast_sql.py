"""FastAPI without an ORM: the same hand-written statements as the limit, on asyncpg's own pool."""

import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from fastapi import FastAPI, HTTPException, Response

from bench.apps import handwritten
from bench.apps.fast_input import NewTicket, Quantity, UserId

NAME = re.compile(r"%\((\w+)\)s")


class Statement:
    """One that asyncpg takes: with numbers in place of names. It prepares each once a connection."""

    def __init__(self, text: str) -> None:
        self.names = list(dict.fromkeys(NAME.findall(text)))
        self.text = NAME.sub(lambda found: f"${self.names.index(found[1]) + 1}", text)

    async def row(self, **values: Any) -> Any:
        """The one row."""
        return await app.state.pool.fetchrow(self.text, *(values[name] for name in self.names))


ONE, PAGE, CUSTOMERS, CREATE, ADD_PART = map(
    Statement,
    (handwritten.ONE, handwritten.PAGE, handwritten.CUSTOMERS, handwritten.CREATE, handwritten.ADD_PART),
)


async def reset(_connection: Any) -> None:
    """Nothing is left on a connection that had to be undone by a statement more."""


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    url = os.environ["DATABASE_URL"].replace("+asyncpg:", ":")
    async with asyncpg.create_pool(url, min_size=4, max_size=4, reset=reset) as app.state.pool:
        yield


app = FastAPI(lifespan=lifespan)


def send(text: str, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """JSON text as it is."""
    return Response(text, status, headers, "application/json")


@app.get("/health")
async def health() -> dict[str, str]:
    return {}


@app.get("/service-tickets/{ticket_id}")
async def one_ticket(ticket_id: int, user_id: UserId) -> Response:
    row = await ONE.row(ticket_id=ticket_id)
    if row is None:
        raise HTTPException(404)
    return send(row[0])


@app.get("/service-tickets")
async def page_of_tickets(user_id: UserId, per_page: int = 20) -> Response:
    return send((await PAGE.row(per_page=per_page))[0])


@app.get("/customers")
async def page_of_customers(user_id: UserId, after: int = 0, limit: int = 20) -> Response:
    return send((await CUSTOMERS.row(after=after, limit=limit))[0])


@app.post("/service-tickets")
async def create_ticket(given: NewTicket, user_id: UserId) -> Response:
    ticket_id, text = await CREATE.row(**given.model_dump())
    return send(text, 201, {"Location": f"/service-tickets/{ticket_id}"})


@app.put("/service-tickets/{ticket_id}/add-part/{part_id}")
async def add_part(ticket_id: int, part_id: int, given: Quantity, user_id: UserId) -> Response:
    row = await ADD_PART.row(ticket_id=ticket_id, part_id=part_id, quantity=given.quantity)
    if row is None:
        raise HTTPException(404)
    return send(row[0])
