"""The limit: Flask and a driver, nobody signed in, and one hand-written statement in which PostgreSQL builds the JSON.

Nothing that answers with the same JSON through Flask and the same driver can be much faster. The driver is the one that
`DATABASE_URL` names, used as it comes: psycopg2 sends every statement as it is, psycopg 3 prepares by itself what it
sends often.
"""

import json
import os
import threading
import time
from typing import Any

import jwt
from argon2 import PasswordHasher
from flask import Flask, Response, request

from bench.apps.handwritten import ADD_PART, CREATE, CUSTOMERS, LOGIN, ONE, PAGE

URL = os.environ["DATABASE_URL"]
if URL.startswith("postgresql+psycopg:"):
    from psycopg import connect
else:
    from psycopg2 import connect

app = Flask(__name__, static_folder=None)
local = threading.local()
hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


def execute(statement: str, values: dict[str, Any]) -> Any:
    """The one row of a statement, on a connection of this thread's own that commits each statement."""
    if not hasattr(local, "connection"):
        local.connection = connect(URL.replace("+psycopg:", ":"))
        local.connection.autocommit = True
    with local.connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchone()


def send(text: str, status: int = 200) -> Response:
    """JSON text as it is."""
    return Response(text, status, mimetype="application/json")


@app.get("/health")
def health() -> Response:
    return send("{}")


@app.get("/service-tickets/<int:ticket_id>")
def one_ticket(ticket_id: int) -> Response:
    row = execute(ONE, {"ticket_id": ticket_id})
    return send(row[0]) if row else send("{}", 404)


@app.get("/service-tickets")
def page_of_tickets() -> Response:
    return send(execute(PAGE, {"per_page": int(request.args["per_page"])})[0])


@app.get("/customers")
def page_of_customers() -> Response:
    values = {name: int(request.args[name]) for name in ("after", "limit")}
    return send(execute(CUSTOMERS, values)[0])


@app.post("/service-tickets")
def create_ticket() -> Response:
    ticket_id, text = execute(CREATE, request.get_json())
    response = send(text, 201)
    response.headers["Location"] = f"/service-tickets/{ticket_id}"
    return response


@app.put("/service-tickets/<int:ticket_id>/add-part/<int:part_id>")
def add_part(ticket_id: int, part_id: int) -> Response:
    quantity = request.get_json()["quantity"]
    return send(execute(ADD_PART, {"ticket_id": ticket_id, "part_id": part_id, "quantity": quantity})[0])


@app.post("/customers/login")
def login() -> Response:
    given = request.get_json()
    customer_id, password_hash = execute(LOGIN, {"email": given["email"]})
    hasher.verify(password_hash, given["password"])
    token = jwt.encode({"sub": f"customer:{customer_id}", "exp": int(time.time()) + 43_200}, os.environ["SECRET_KEY"])
    return send(json.dumps({"token": token, "token_type": "Bearer", "expires_in": 43_200}))
