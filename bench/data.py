"""Generate a shop of any size in PostgreSQL: staff, customers with one vehicle each, parts, and tickets with jobs.

All values are computed from row numbers, so every run has the same shop. The newest tickets are in progress, the others
are finished; stock ledger, reservations and totals are consistent. A ticket has one job, every fourth one two.
"""

import os
import subprocess
import sys
import time
from dataclasses import dataclass

import jwt
from psycopg import sql

from app.accounts.passwords import hasher
from app.accounts.tokens import AUDIENCE, ISSUER
from app.core.database.engine import SESSION
from app.core.keys import key_id
from bench.machine import PostgreSQL
from config import SETTINGS

MECHANICS, ADVISORS, PARTS = 30, 9, 500
STAFF = MECHANICS + ADVISORS + 1  # and an admin
SIGN_IN_ID = "b" * 32
PASSWORD = "torque by the book"
SECRET_KEY = "a key that is good enough to measure with"
ON_HAND = 1_000_000

PEOPLE = """
INSERT INTO mechanics (id, name, email, phone, role, specialty, active, password_hash, version,
    search_text, name_key)
SELECT n, 'Staff Member ' || n, 'staff.' || n || '@example.com', '+1212556' || to_char(n, 'FM0000'),
    CASE WHEN n <= {mechanics} THEN 'mechanic' WHEN n < {staff} THEN 'advisor' ELSE 'admin' END,
    CASE WHEN n <= {mechanics} THEN (ARRAY['Brakes', 'Engines', 'Electrics'])[1 + n % 3] END, true, {hash}, 1,
    ' staff member ' || n, 'staff member ' || n
FROM generate_series(1, {staff}) AS n;

INSERT INTO sign_ins (id, mechanic_id, created_at, last_used_at, expires_at)
VALUES ({sign_in}, {staff} - 1, now(), now(), now() + interval '12 hours');

INSERT INTO customers (id, name, email, phone, address, password_hash, created_at, version, search_text,
    name_key)
SELECT n, 'Customer ' || md5(n::text), 'customer.' || n || '@example.com', '+1212' || to_char(2000000 + n, 'FM0000000'),
    n || ' Orchard Street, New York, NY 10002', {hash}, now() - n * interval '1 hour', 1,
    ' customer ' || md5(n::text) || ' customer.' || n || '@example.com +1212' || to_char(2000000 + n, 'FM0000000'),
    'customer ' || md5(n::text)
FROM generate_series(1, {customers}) AS n;

INSERT INTO vehicles (id, customer_id, vin, plate, plate_state, make, model, year, odometer, version,
    search_text)
SELECT n, n, '1HGCM82633A' || to_char(n % 1000000, 'FM000000'), 'B' || to_char(n, 'FM000000'), 'NY',
    (ARRAY['Honda', 'Ford', 'Toyota', 'Subaru'])[1 + n % 4], (ARRAY['Accord', 'Escape', 'Camry', 'Outback'])[1 + n % 4],
    2000 + n % 25, 10000 + n % 150000, 1, ' b' || to_char(n, 'FM000000') || ' 3a' || to_char(n % 1000000, 'FM000000')
FROM generate_series(1, {customers}) AS n;

INSERT INTO parts (id, name, price, sku, quantity_on_hand, quantity_reserved, reorder_point, cost, location, version,
    sku_key, name_text, search_text, name_key)
SELECT n, 'Part number ' || n, 500 + 37 * n, 'SKU-' || n, {on_hand}, 0, 10, 200 + 17 * n, 'A1-' || n, 1,
    'sku-' || n, ' part number ' || n, ' part number ' || n || ' sku' || n, 'part number ' || n
FROM generate_series(1, {parts}) AS n;
"""

TICKETS = """
INSERT INTO part_lines
    (ticket_id, job_id, part_id, quantity, quantity_reserved, quantity_issued, quantity_short, unit_price, unit_cost,
    line_total)
SELECT n, 2 * n - 1, parts.id, units, CASE WHEN n > {finished} THEN units ELSE 0 END,
    CASE WHEN n > {finished} THEN 0 ELSE units END, 0, price, cost, price * units
FROM generate_series({first}, {last}) AS n, generate_series(0, n % 3) AS k,
    LATERAL (SELECT 1 + (n + k) % 4 AS units) AS made, parts
WHERE parts.id = 1 + (n * 31 + k * 17) % {parts} ORDER BY n, k;

INSERT INTO labor_lines (ticket_id, job_id, description, hours, rate, mechanic_id, line_total)
SELECT n, CASE WHEN k = 1 AND n % 4 = 1 THEN 2 * n ELSE 2 * n - 1 END,
    (ARRAY['Replace front pads', 'Oil change', 'Road test'])[1 + (n + k) % 3], hours, 10000,
    1 + (n * 7) % {mechanics}, hours * 1000
FROM generate_series({first}, {last}) AS n, generate_series(0, n % 2) AS k,
    LATERAL (SELECT 5 + (n + k) % 25 AS hours) AS made ORDER BY n, k;

INSERT INTO jobs (id, ticket_id, name, notes, status, counts, approved_at, taxable_parts, total_parts, taxable_labor,
    total_labor, taxable_fees, total_fees, total_discount, total_supplies, total_tax, total)
SELECT id, ticket_id, (ARRAY['Front brakes', 'Oil service', 'Diagnosis'])[1 + id % 3],
    CASE WHEN id % 4 = 1 THEN 'As agreed on the phone.' END, 'approved', true,
    now() - ({total} - ticket_id) * interval '1 minute', of_parts, of_parts, of_labor, of_labor, 0, 0, 0, 0, 0,
    of_parts + of_labor
FROM (
    SELECT job_id AS id, ticket_id, sum(of_parts) AS of_parts, sum(of_labor) AS of_labor
    FROM (
        SELECT job_id, ticket_id, line_total AS of_parts, 0 AS of_labor FROM part_lines
        UNION ALL SELECT job_id, ticket_id, 0, line_total FROM labor_lines
    ) AS lines WHERE ticket_id BETWEEN {first} AND {last} GROUP BY 1, 2
) AS work ORDER BY id;

INSERT INTO service_tickets (id, status, description, odometer, customer_id, vehicle_id, opened_by_id, created_at,
    updated_at, version, labor_rate, parts_tax_rate, labor_tax_rate, supplies_rate, total_parts, total_labor,
    total_discount, total_supplies, total_tax, total, paid, balance, is_assigned, search_text, status_since, advisor_id,
    promised_at, promised_key, key_tag, po_number)
SELECT n, CASE WHEN n <= {finished} THEN 'completed' WHEN n % 2 = 0 THEN 'open' ELSE 'in_progress' END,
    words, 10000 + n % 150000, 1 + (n::bigint * 7919) % {customers}, 1 + (n::bigint * 7919) % {customers},
    1 + (n * 7) % {mechanics}, opened, opened, 1, 10000, 0, 0, 0, of_parts, of_labor, 0, 0, 0, of_parts + of_labor, 0,
    of_parts + of_labor, true, ' ' || lower(replace(words, ',', '')), opened, {mechanics} + 1 + n % {advisors},
    promise, coalesce(promise, '9999-01-01Z'), 'Tag ' || n % 40, CASE WHEN n % 50 = 0 THEN 'PO-' || n % 997 END
FROM generate_series({first}, {last}) AS n
    JOIN (SELECT ticket_id, sum(line_total) AS of_parts FROM part_lines GROUP BY 1) AS p ON p.ticket_id = n
    JOIN (SELECT ticket_id, sum(line_total) AS of_labor FROM labor_lines GROUP BY 1) AS l ON l.ticket_id = n,
    LATERAL (SELECT now() - ({total} - n) * interval '1 minute' AS opened, (ARRAY[
        'Squeals when braking,', 'Annual service, and look at the wipers, worn', 'Engine light is on'
    ])[1 + n % 3] || ' since mile ' || n % 99991 AS words) AS made,
    LATERAL (SELECT CASE WHEN n % 5 > 0 THEN opened + (1 + n * 13 % 240) * interval '1 hour' END AS promise) AS said
ORDER BY n;

INSERT INTO ticket_words (ticket_id, search_text)
SELECT t.id, concat_ws(E'\\n', t.search_text, c.search_text, v.search_text) FROM service_tickets t
    JOIN customers c ON c.id = t.customer_id JOIN vehicles v ON v.id = t.vehicle_id
WHERE t.id BETWEEN {first} AND {last} ORDER BY t.id;

INSERT INTO ticket_mechanics
    (ticket_id, mechanic_id, status, created_at, updated_at, total, promised_key, status_since)
SELECT id, 1 + (id * 7 + k * 11) % {mechanics}, status, created_at, updated_at, total, promised_key, status_since
FROM service_tickets, generate_series(0, 1) AS k
WHERE id BETWEEN {first} AND {last} AND (k = 0 OR id % 4 = 0) ORDER BY id;

INSERT INTO ticket_events (ticket_id, mechanic_id, what, after, created_at)
SELECT id, opened_by_id, 'status', status, created_at FROM service_tickets WHERE id BETWEEN {first} AND {last};
"""

# What is made anew once the tickets are there, which is faster than keeping it up to date.
INDEXES = """
SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
WHERE NOT indisunique AND indrelid::regclass::text IN
    ('service_tickets', 'ticket_words', 'jobs', 'part_lines', 'labor_lines', 'ticket_mechanics', 'ticket_events')
"""

# Once all tickets are there: the stock adds up, and the next rows take the next numbers.
CLOSE = """
UPDATE parts SET quantity_reserved = held FROM (
    SELECT part_id, sum(quantity_reserved) AS held FROM part_lines WHERE quantity_reserved > 0 GROUP BY 1
) AS lines WHERE part_id = parts.id;

INSERT INTO stock_movements (part_id, kind, quantity, reason, created_at)
SELECT id, 'receive', {on_hand} + issued, 'Opening stock', now() FROM parts, LATERAL (
    SELECT coalesce(sum(quantity_issued), 0) AS issued FROM part_lines WHERE part_id = parts.id) AS lines;

INSERT INTO stock_movements (part_id, kind, quantity, reason, created_at)
SELECT part_id, 'issue', -sum(quantity_issued), 'All that was used so far', now() FROM part_lines
WHERE quantity_issued > 0 GROUP BY 1;

SELECT setval('mechanics_id_seq', max(id)) FROM mechanics;
SELECT setval('customers_id_seq', max(id)) FROM customers;
SELECT setval('vehicles_id_seq', max(id)) FROM vehicles;
SELECT setval('parts_id_seq', max(id)) FROM parts;
SELECT setval('service_tickets_id_seq', max(id)) FROM service_tickets;
SELECT setval('jobs_id_seq', max(id)) FROM jobs;
"""


@dataclass(frozen=True)
class Shop:
    """A database with so many tickets, of which the last `unfinished` are open or in progress."""

    server: PostgreSQL
    database: str
    tickets: int
    customers: int

    @property
    def unfinished(self) -> int:
        return min(4000, self.tickets // 5)

    @property
    def environ(self) -> dict[str, str]:
        """The settings under which the application serves it: as in production, with limits that nobody reaches."""
        return {
            "APP_ENV": "production",
            "SECRET_KEY": SECRET_KEY,
            "DATABASE_URL": self.server.url(self.database),
            "REDIS_URL": "",
            "WEB_CONCURRENCY": "1",
            "THREADS": "4",
            **{
                setting.name: "1000000000 per minute"
                for setting in SETTINGS
                if setting.name.startswith("RATELIMIT_") and setting.name != "RATELIMIT_ENABLED"
            },
        }

    def create(self) -> None:
        """Make the database and all but the tickets, by the migrations and in plain SQL."""
        name = sql.Identifier(self.database)
        with self.server.connect() as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
            # What this project's sessions begin with, for all sessions of all apps, whatever their driver.
            for setting, value in SESSION.items():
                change = sql.SQL("ALTER DATABASE {} SET {} = {}")
                connection.execute(change.format(name, sql.Identifier(setting), sql.Literal(str(value))))
        command = (sys.executable, "-m", "flask", "db", "upgrade")
        subprocess.run(command, env={**os.environ, **self.environ}, check=True, capture_output=True)
        self._run(PEOPLE)

    def fill(self, first: int = 1) -> None:
        """Make the tickets from this number on, and with them the shop complete."""
        with self.server.connect(self.database) as connection:
            indexes = connection.execute(INDEXES).fetchall()
            for name, _ in indexes:
                connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
            self.open_tickets(first, self.tickets)
            for _, definition in indexes:
                connection.execute(definition)
            self._run(CLOSE)
            connection.execute("VACUUM ANALYZE")
            connection.execute("CHECKPOINT")

    def open_tickets(self, first: int, last: int) -> None:
        """Make the tickets of these numbers."""
        self._run(TICKETS, first=first, last=last)

    def _run(self, statements: str, **numbers: int) -> None:
        names = {
            "mechanics": MECHANICS,
            "advisors": ADVISORS,
            "staff": STAFF,
            "parts": PARTS,
            "customers": self.customers,
            "finished": self.tickets - self.unfinished,
            "total": self.tickets,
            "on_hand": ON_HAND,
            "sign_in": SIGN_IN_ID,
            "hash": hasher.hash(PASSWORD),
            **numbers,
        }
        with self.server.connect(self.database) as connection:
            # Without triggers: no foreign key is checked row by row.
            connection.execute("SET session_replication_role = replica")
            filled = sql.SQL(statements).format(**{name: sql.Literal(value) for name, value in names.items()})
            connection.execute(filled)

    def revision(self) -> str:
        """The migration that its tables are at."""
        with self.server.connect(self.database) as connection:
            return " ".join(row[0] for row in connection.execute("SELECT version_num FROM alembic_version ORDER BY 1"))

    def token(self) -> str:
        """A token of the service advisor whose sign-in is in the database."""
        issued = int(time.time())
        claims = {
            "sub": f"mechanic:{STAFF - 1}",
            "jti": SIGN_IN_ID,
            "iat": issued,
            "exp": issued + 12 * 3600,
            "iss": ISSUER,
            "aud": AUDIENCE,
        }
        return jwt.encode(claims, SECRET_KEY, "HS256", headers={"kid": key_id(SECRET_KEY)})

    def lines_being_worked_on(self) -> list[tuple[int, int]]:
        """Ticket and part of the first part line of every unfinished ticket."""
        query = "SELECT ticket_id, min(part_id) FROM part_lines WHERE quantity_reserved > 0 GROUP BY 1 ORDER BY 1"
        with self.server.connect(self.database) as connection:
            return [(row[0], row[1]) for row in connection.execute(query)]
