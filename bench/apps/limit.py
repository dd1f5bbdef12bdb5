"""The limit: Flask and a driver, nobody signed in, and one hand-written statement in which PostgreSQL builds the JSON.

Nothing that answers with the same JSON through Flask and psycopg2 can be much faster. The two writes are floors: one
statement each that has the effects of the others' many, and asks nothing before: who may, whether the car is theirs,
what is on the shelf.
"""

import json
import os
import threading
import time
from typing import Any

import jwt
import psycopg2
from argon2 import PasswordHasher
from flask import Flask, Response, request

app = Flask(__name__, static_folder=None)
local = threading.local()
hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)

MOMENT = """'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'"""
PART = """json_build_object('part_id', l.part_id, 'name', p.name, 'sku', p.sku, 'quantity', l.quantity,
    'quantity_short', l.quantity_short, 'unit_price', (l.unit_price * 0.01)::text,
    'line_total', (l.line_total * 0.01)::text)"""
# The JSON of ticket t, whose parts are those of {lines}.
TICKET = """json_build_object(
    'id', t.id, 'status', t.status, 'hold', t.hold, 'description', t.description,
    'customer_id', t.customer_id,
    'customer', (SELECT json_build_object('id', c.id, 'name', c.name, 'email', c.email, 'phone', c.phone)
        FROM customers c WHERE c.id = t.customer_id),
    'vehicle_id', t.vehicle_id,
    'vehicle', (SELECT json_build_object('id', v.id, 'vin', v.vin, 'plate', v.plate, 'plate_state', v.plate_state,
        'make', v.make, 'model', v.model, 'year', v.year) FROM vehicles v WHERE v.id = t.vehicle_id),
    'odometer', t.odometer,
    'mechanics', coalesce((SELECT json_agg(json_build_object('id', m.id, 'name', m.name) ORDER BY m.id)
        FROM ticket_mechanics tm JOIN mechanics m ON m.id = tm.mechanic_id WHERE tm.ticket_id = t.id), '[]'),
    'parts', coalesce({parts}, '[]'),
    'labor', coalesce((SELECT json_agg(json_build_object('id', l.id, 'description', l.description,
        'hours', (l.hours * 0.1)::text, 'rate', (l.rate * 0.01)::text, 'mechanic_id', l.mechanic_id,
        'line_total', (l.line_total * 0.01)::text) ORDER BY l.id) FROM labor_lines l WHERE l.ticket_id = t.id), '[]'),
    'discount_percent', (t.discount_percent * 0.01)::text,
    'discount_amount', (t.discount_amount * 0.01)::text,
    'authorized_amount', (t.authorized_amount * 0.01)::text,
    'totals', json_build_object('parts', (t.total_parts * 0.01)::text, 'labor', (t.total_labor * 0.01)::text,
        'discount', (t.total_discount * 0.01)::text, 'supplies', (t.total_supplies * 0.01)::text,
        'tax', (t.total_tax * 0.01)::text, 'total', (t.total * 0.01)::text, 'paid', (t.paid * 0.01)::text,
        'balance', (t.balance * 0.01)::text),
    'opened_by', (SELECT json_build_object('id', m.id, 'name', m.name) FROM mechanics m WHERE m.id = t.opened_by_id),
    'created_at', to_char(t.created_at AT TIME ZONE 'UTC', {moment}),
    'updated_at', to_char(t.updated_at AT TIME ZONE 'UTC', {moment}),
    'version', t.version)"""
PARTS = f"""(SELECT json_agg({PART} ORDER BY l.id) FROM part_lines l JOIN parts p ON p.id = l.part_id
    WHERE l.ticket_id = t.id)"""
STORED = TICKET.format(parts=PARTS, moment=MOMENT)

ONE = f"SELECT {STORED}::text FROM service_tickets t WHERE t.id = %s"
PAGE = f"""SELECT coalesce(json_agg(shown), '[]')::text
    FROM (SELECT {STORED} AS shown FROM service_tickets t ORDER BY t.id DESC LIMIT %s) AS page"""
CUSTOMERS = f"""SELECT coalesce(json_agg(shown), '[]')::text FROM (
    SELECT json_build_object('id', id, 'name', name, 'email', email, 'phone', phone, 'address', address,
        'created_at', to_char(created_at AT TIME ZONE 'UTC', {MOMENT}), 'version', version) AS shown
    FROM customers WHERE id > %s AND erased_at IS NULL ORDER BY id LIMIT %s) AS page"""
CREATE = f"""WITH
    car AS (UPDATE vehicles SET odometer = %(odometer)s, version = version + 1
        WHERE id = %(vehicle_id)s AND customer_id = %(customer_id)s),
    t AS (INSERT INTO service_tickets (status, description, search_text, odometer, customer_id, vehicle_id,
            opened_by_id, created_at, updated_at, version, labor_rate, parts_tax_rate, labor_tax_rate, supplies_rate,
            total_parts, total_labor, total_discount, total_supplies, total_tax, total, paid, balance)
        VALUES ('open', %(description)s, ' ' || lower(%(description)s), %(odometer)s, %(customer_id)s, %(vehicle_id)s,
            39, now(), now(), 1, 10000, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        RETURNING *),
    event AS (INSERT INTO ticket_events (ticket_id, mechanic_id, what, after, created_at)
        SELECT id, opened_by_id, 'status', status, created_at FROM t)
    SELECT t.id, {STORED}::text FROM t"""
CHANGED = f"""(SELECT json_agg({PART} ORDER BY l.id) FROM (
        SELECT * FROM line UNION ALL
        SELECT * FROM part_lines WHERE ticket_id = t.id AND part_id <> %(part_id)s
    ) AS l JOIN parts p ON p.id = l.part_id)"""
ADD_PART = f"""WITH
    old AS (SELECT quantity, quantity_reserved, line_total FROM part_lines
        WHERE ticket_id = %(ticket_id)s AND part_id = %(part_id)s),
    line AS (UPDATE part_lines SET quantity = %(quantity)s, line_total = %(quantity)s * unit_price,
            quantity_reserved = %(quantity)s
        WHERE ticket_id = %(ticket_id)s AND part_id = %(part_id)s RETURNING *),
    shelf AS (UPDATE parts SET quantity_reserved = parts.quantity_reserved + %(quantity)s - old.quantity_reserved,
            version = version + 1
        FROM old WHERE id = %(part_id)s RETURNING name),
    event AS (INSERT INTO ticket_events (ticket_id, mechanic_id, what, before, after, created_at)
        SELECT %(ticket_id)s, 39, 'part ' || name, old.quantity::text, %(quantity)s::text, now() FROM old, shelf)
    UPDATE service_tickets AS t SET updated_at = now(), version = version + 1,
        total_parts = total_parts + line.line_total - old.line_total, total = total + line.line_total - old.line_total,
        balance = balance + line.line_total - old.line_total
    FROM line, old WHERE t.id = line.ticket_id
    RETURNING {TICKET.format(parts=CHANGED, moment=MOMENT)}::text"""
LOGIN = "SELECT id, password_hash FROM customers WHERE email = %s AND password_hash IS NOT NULL"


def execute(statement: str, values: Any) -> Any:
    """The one row of a statement, on a connection of this thread's own that commits each statement."""
    if not hasattr(local, "connection"):
        local.connection = psycopg2.connect(os.environ["DATABASE_URL"])
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
    row = execute(ONE, (ticket_id,))
    return send(row[0]) if row else send("{}", 404)


@app.get("/service-tickets")
def page_of_tickets() -> Response:
    return send(execute(PAGE, (request.args["per_page"],))[0])


@app.get("/customers")
def page_of_customers() -> Response:
    return send(execute(CUSTOMERS, (request.args["after"], request.args["limit"]))[0])


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
    customer_id, password_hash = execute(LOGIN, (given["email"],))
    hasher.verify(password_hash, given["password"])
    token = jwt.encode({"sub": f"customer:{customer_id}", "exp": int(time.time()) + 43_200}, os.environ["SECRET_KEY"])
    return send(json.dumps({"token": token, "token_type": "Bearer", "expires_in": 43_200}))
