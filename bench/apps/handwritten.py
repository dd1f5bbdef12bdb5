"""What someone writes by hand who wants the answers quickly: one statement each, in which PostgreSQL builds the JSON.

The two writes are floors: one statement each that has the effects of the others' many, and checks nothing before: who
may, whether the car is theirs, what is on the shelf. Each value has its type beside it, since only psycopg2 writes the
values into the statement.
"""

MOMENT = """'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'"""
PART = """json_build_object('id', l.id, 'job_id', l.job_id, 'part_id', l.part_id, 'name', p.name, 'sku', p.sku,
    'unit', p.unit, 'quantity', l.quantity, 'quantity_short', l.quantity_short, 'taxable', l.taxable,
    'unit_price', (l.unit_price * 0.01)::text, 'price_reason', l.price_reason,
    'unit_cost', (l.unit_cost * 0.01)::text, 'line_total', (l.line_total * 0.01)::text)"""
LABOR = """json_build_object('id', l.id, 'job_id', l.job_id, 'description', l.description,
    'hours', (l.hours * 0.1)::text, 'rate', (l.rate * 0.01)::text, 'mechanic_id', l.mechanic_id, 'taxable', l.taxable,
    'line_total', (l.line_total * 0.01)::text)"""
# Where an advisor may move ticket t, who asks for all of them.
MOVES = """CASE t.status WHEN 'estimate' THEN '["void"]' WHEN 'declined' THEN '["estimate"]'
    WHEN 'open' THEN '["in_progress", "void"]' WHEN 'in_progress' THEN '["completed", "open"]'
    WHEN 'completed' THEN '["in_progress"]' ELSE '[]' END::json"""
FEE = """json_build_object('id', l.id, 'job_id', l.job_id, 'kind', l.kind, 'description', l.description,
    'amount', (l.amount * 0.01)::text, 'cost', (l.cost * 0.01)::text, 'taxable', l.taxable)"""
SUMS = ("parts", "labor", "fees", "discount", "supplies", "tax")


def amounts(**columns: str) -> str:
    """The JSON object of sums of money."""
    pairs = (f"'{name}', (({column}) * 0.01)::text" for name, column in columns.items())
    return f"json_build_object({', '.join(pairs)})"


def lines(kind: str, table: str, more: str, whose: str) -> str:
    """The JSON array of lines of a kind."""
    return f"coalesce((SELECT json_agg({kind} ORDER BY l.id) FROM {table} l {more} WHERE {whose}), '[]')"


def ticket(*, with_lines: bool, parts: str = "part_lines", jobs: str = "jobs") -> str:
    """The JSON of ticket t, with the lines of its jobs or without; `parts` and `jobs` are tables or queries."""
    job_totals = amounts(**{name: f"j.total_{name}" for name in SUMS}, total="j.total")
    known = "JOIN parts p ON p.id = l.part_id"
    in_job, counted = "l.job_id = j.id", "JOIN jobs c ON c.id = l.job_id AND c.counts"
    of_job = f""", 'parts', {lines(PART, parts, known, in_job)}, 'labor', {lines(LABOR, "labor_lines", "", in_job)},
        'fees', {lines(FEE, "fee_lines", "", in_job)}"""
    totals = amounts(**{name: f"t.total_{name}" for name in SUMS}, total="t.total", paid="t.paid", balance="t.balance")
    if_approved = amounts(
        **{name: f"coalesce(t.offered_{name}, t.total_{name})" for name in SUMS},
        total="coalesce(t.offered_total, t.total)",
        paid="t.paid",
        balance="coalesce(t.offered_total, t.total) - t.paid",
    )
    mine = "l.ticket_id = t.id"
    return f"""json_build_object(
    'id', t.id, 'status', t.status, 'status_since', to_char(t.status_since AT TIME ZONE 'UTC', {MOMENT}),
    'allowed_moves', {MOVES}, 'hold', t.hold, 'description', t.description,
    'customer_id', t.customer_id,
    'customer', (SELECT json_build_object('id', c.id, 'name', c.name, 'email', c.email, 'phone', c.phone)
        FROM customers c WHERE c.id = t.customer_id),
    'vehicle_id', t.vehicle_id,
    'vehicle', (SELECT json_build_object('id', v.id, 'vin', v.vin, 'plate', v.plate, 'plate_state', v.plate_state,
        'make', v.make, 'model', v.model, 'year', v.year) FROM vehicles v WHERE v.id = t.vehicle_id),
    'odometer', t.odometer,
    'advisor_id', t.advisor_id,
    'advisor', (SELECT json_build_object('id', m.id, 'name', m.name) FROM mechanics m WHERE m.id = t.advisor_id),
    'promised_at', to_char(t.promised_at AT TIME ZONE 'UTC', {MOMENT}), 'notes', t.notes, 'key_tag', t.key_tag,
    'po_number', t.po_number,
    'mechanics', coalesce((SELECT json_agg(json_build_object('id', m.id, 'name', m.name) ORDER BY m.id)
        FROM ticket_mechanics tm JOIN mechanics m ON m.id = tm.mechanic_id WHERE tm.ticket_id = t.id), '[]'),
    'jobs', coalesce((SELECT json_agg(json_build_object('id', j.id, 'name', j.name, 'notes', j.notes,
        'status', j.status, 'declined_reason', j.declined_reason,
        'approved_at', to_char(j.approved_at AT TIME ZONE 'UTC', {MOMENT}), 'totals', {job_totals},
        'revived_from', j.revived_from_id{of_job if with_lines else ""}) ORDER BY j.id)
        FROM {jobs} j WHERE j.ticket_id = t.id), '[]'),
    'parts', {lines(PART, parts, f"{counted} {known}", mine)},
    'labor', {lines(LABOR, "labor_lines", counted, mine)},
    'fees', {lines(FEE, "fee_lines", counted, mine)},
    'discount_percent', (t.discount_percent * 0.01)::text,
    'discount_amount', (t.discount_amount * 0.01)::text,
    'authorized_amount', (t.authorized_amount * 0.01)::text,
    'totals', {totals},
    'totals_if_approved', {if_approved},
    'opened_by', (SELECT json_build_object('id', m.id, 'name', m.name) FROM mechanics m WHERE m.id = t.opened_by_id),
    'created_at', to_char(t.created_at AT TIME ZONE 'UTC', {MOMENT}),
    'updated_at', to_char(t.updated_at AT TIME ZONE 'UTC', {MOMENT}),
    'version', t.version)"""


ONE = f"SELECT {ticket(with_lines=True)}::text FROM service_tickets t WHERE t.id = %(ticket_id)s::int"
PAGE = f"""SELECT coalesce(json_agg(shown), '[]')::text FROM (
    SELECT {ticket(with_lines=False)} AS shown FROM service_tickets t ORDER BY t.id DESC LIMIT %(per_page)s::int
) AS page"""
CUSTOMERS = f"""SELECT coalesce(json_agg(shown), '[]')::text FROM (
    SELECT json_build_object('id', id, 'name', name, 'email', email, 'phone', phone, 'address', address,
        'created_at', to_char(created_at AT TIME ZONE 'UTC', {MOMENT}), 'version', version) AS shown
    FROM customers WHERE id > %(after)s::int AND erased_at IS NULL ORDER BY id LIMIT %(limit)s::int) AS page"""
CREATE = f"""WITH
    car AS (UPDATE vehicles SET odometer = %(odometer)s::int, version = version + 1
        WHERE id = %(vehicle_id)s::int AND customer_id = %(customer_id)s::int),
    t AS (INSERT INTO service_tickets (status, description, search_text, odometer, customer_id, vehicle_id,
            opened_by_id, created_at, updated_at, version, labor_rate, parts_tax_rate, labor_tax_rate, supplies_rate,
            total_parts, total_labor, total_discount, total_supplies, total_tax, total, paid, balance)
        VALUES ('open', %(description)s::text, ' ' || lower(%(description)s::text), %(odometer)s::int,
            %(customer_id)s::int, %(vehicle_id)s::int, 39, now(), now(), 1, 10000, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        RETURNING *),
    words AS (INSERT INTO ticket_words (ticket_id, search_text)
        SELECT t.id, concat_ws(E'\\n', t.search_text, c.search_text, v.search_text) FROM t
            JOIN customers c ON c.id = t.customer_id JOIN vehicles v ON v.id = t.vehicle_id),
    event AS (INSERT INTO ticket_events (ticket_id, mechanic_id, what, after, created_at)
        SELECT id, opened_by_id, 'status', status, created_at FROM t)
    SELECT t.id, {ticket(with_lines=True)}::text FROM t"""
# What is changed in the statement is not yet seen in the tables.
CHANGED_PARTS = """(SELECT * FROM line UNION ALL
    SELECT * FROM part_lines WHERE ticket_id = t.id AND part_id <> %(part_id)s::int)"""
CHANGED_JOBS = """(SELECT * FROM job UNION ALL
    SELECT * FROM jobs WHERE ticket_id = t.id AND id <> (SELECT job_id FROM line))"""
ADD_PART = f"""WITH
    old AS (SELECT quantity, quantity_reserved, line_total FROM part_lines
        WHERE ticket_id = %(ticket_id)s::int AND part_id = %(part_id)s::int),
    line AS (UPDATE part_lines SET quantity = %(quantity)s::int, line_total = %(quantity)s::int * unit_price,
            quantity_reserved = %(quantity)s::int
        WHERE ticket_id = %(ticket_id)s::int AND part_id = %(part_id)s::int RETURNING *),
    job AS (UPDATE jobs SET total_parts = total_parts + line.line_total - old.line_total,
            taxable_parts = taxable_parts + line.line_total - old.line_total,
            total = total + line.line_total - old.line_total
        FROM line, old WHERE jobs.id = line.job_id RETURNING jobs.*),
    shelf AS (UPDATE parts SET quantity_reserved = parts.quantity_reserved + %(quantity)s::int - old.quantity_reserved,
            version = version + 1
        FROM old WHERE id = %(part_id)s::int RETURNING name),
    event AS (INSERT INTO ticket_events (ticket_id, mechanic_id, what, before, after, created_at)
        SELECT %(ticket_id)s::int, 39, 'part ' || name, old.quantity || each, line.quantity || each, now()
        FROM old, shelf, line, LATERAL (SELECT ' × ' || (line.unit_price * 0.01)::text AS each) AS price)
    UPDATE service_tickets AS t SET updated_at = now(), version = version + 1,
        total_parts = total_parts + line.line_total - old.line_total, total = total + line.line_total - old.line_total,
        balance = balance + line.line_total - old.line_total
    FROM line, old WHERE t.id = line.ticket_id
    RETURNING {ticket(with_lines=True, parts=CHANGED_PARTS, jobs=CHANGED_JOBS)}::text"""
LOGIN = "SELECT id, password_hash FROM customers WHERE email = %(email)s::text AND password_hash IS NOT NULL"
