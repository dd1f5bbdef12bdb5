"""Bare Flask: the least that an answer costs here. A constant body, nothing asked, nothing checked."""

import os

import psycopg2
from flask import Flask, Response

app = Flask(__name__, static_folder=None)

MECHANICS = """SELECT json_agg(shown)::text FROM (
    SELECT json_build_object('id', m.id, 'name', m.name, 'email', m.email, 'phone', m.phone, 'role', m.role,
        'specialty', m.specialty, 'active', m.active, 'open_tickets', (
            SELECT count(*) FROM ticket_mechanics tm JOIN service_tickets t ON t.id = tm.ticket_id
            WHERE tm.mechanic_id = m.id AND t.status IN ('open', 'in_progress')),
        'version', m.version) AS shown
    FROM mechanics m WHERE m.active ORDER BY m.id LIMIT 20) AS page"""


def read_once() -> str:
    """The list as it is when the server starts."""
    connection = psycopg2.connect(os.environ["DATABASE_URL"])
    try:
        with connection.cursor() as cursor:
            cursor.execute(MECHANICS)
            return str(cursor.fetchone()[0])
    finally:
        connection.close()


BODY = read_once().encode()


@app.get("/health")
def health() -> Response:
    return Response("{}", mimetype="application/json")


@app.get("/mechanics")
def mechanics() -> Response:
    return Response(BODY, mimetype="application/json")
