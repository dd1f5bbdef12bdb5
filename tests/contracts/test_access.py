"""The access table: every route for everyone who may ask, with the status that they get.

A row is a request and its answers in the order of `PEOPLE`. In its path `{own}` is a ticket of `customer` that
`mechanic` opened, `{other}` one that a colleague opened, `{quote}`, `{refused}`, `{started}`, `{done}` and `{billed}`
are own ones that are an estimate, declined, in progress, completed and invoiced, `{line}` and `{others_line}` are labor
of `{own}` and `{other}`, `{job}` and `{others_job}` proposed jobs of these, `{fee}` a fee of `{own}`, `{canned}` a
canned job, `{car}` and `{strangers_car}` vehicles of the two customers, `{returned}` and `{others_returned}` tickets of
`mechanic` and of a colleague for `{car}`, `{unwanted}` a job that was declined on a third, `{offered}` is `{own}` with
`{job}`, `{invite}` the token of an open invite, `{link}` that of an approval link to `{offered}`, `{version}` what
stands there, and `{nothing}` an id that is not there; the remaining names say whose row it is. Requests to
/service-tickets are made to the alias /service_tickets too.
"""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from werkzeug.routing import Rule

from app.models import Vehicle
from app.rules.job_life import JobStatus
from app.rules.ticket_life import TicketStatus
from tests.support import PASSWORD, Caller, ShopTest

PEOPLE = ("anyone", "customer", "stranger", "mechanic", "advisor", "admin")


class Row(NamedTuple):
    """A request, and the status for anyone, customer, stranger, mechanic, advisor, admin."""

    methods: str
    path: str
    body: Any
    statuses: tuple[int, int, int, int, int, int]


OPEN = (200, 200, 200, 200, 200, 200)
CREATED = (201, 201, 201, 201, 201, 201)
NOBODYS = (404, 404, 404, 404, 404, 404)
REDIRECTED = (302, 302, 302, 302, 302, 302)
ACCEPTED = (202, 202, 202, 202, 202, 202)
SIGNED_IN = (401, 200, 200, 200, 200, 200)
STAFF = (401, 403, 403, 200, 200, 200)
STAFF_CREATE = (401, 403, 403, 201, 201, 201)
FRONT_DESK = (401, 403, 403, 403, 200, 200)
FRONT_DESK_CREATE = (401, 403, 403, 403, 201, 201)
ADMIN = (401, 403, 403, 403, 403, 200)
OWNER_AND_STAFF = (401, 200, 404, 200, 200, 200)
OWNER_AND_FRONT_DESK = (401, 200, 404, 403, 200, 200)
NOT_THERE_FOR_STAFF = (401, 403, 403, 404, 404, 404)
NOT_THERE_FOR_FRONT_DESK = (401, 403, 403, 403, 404, 404)
NOT_THERE = (401, 404, 404, 404, 404, 404)
STAFF_SIGN_IN = {"email": "coll.eague@example.com", "password": PASSWORD}
CUSTOMER_SIGN_IN = {"email": "cus.tomer@example.com", "password": PASSWORD}
NEW_MECHANIC = {"name": "New", "email": "new@example.com", "password": "a new password"}
SIGN_UP = {"name": "New", "email": "new@example.com", "password": "a new password"}
ACCEPTANCE = {"token": "{invite}", "password": "a new password"}
NEW_TICKET = {"customer_id": "{customer}", "description": "Oil change"}
INTAKE = {"customer": {"name": "Walk In", "phone": "212 555 0142"}, "vehicle": {}, "description": "Oil change"}
NEW_PART = {"name": "Oil filter", "price": "9.90"}
LABOR = {"description": "Oil change", "hours": "0.5"}
JOB = {"name": "Brakes"}
FEE = {"kind": "fee", "description": "Tire disposal", "amount": "3.00"}
ONLINE = {"decision": "approved", "method": "online", "amount": "0.00"}
BY_PHONE = {"decision": "approved", "method": "phone", "said_by": "Cus Tomer"}
DECLINE = {"jobs": [{"id": "{job}", "decision": "declined"}]}
DELIVERY = {"kind": "receive", "quantity": 5}
PAYMENT = {"kind": "payment", "amount": "1.00", "method": "cash"}
SOLD = {"customer_id": "{stranger}"}
REOPENED = {"status": "completed", "reason": "Wrong part"}

# fmt: off
TABLE = [
    Row("POST", "/mechanics", NEW_MECHANIC, (401, 403, 403, 403, 403, 201)),
    Row("GET", "/mechanics", None, SIGNED_IN),
    Row("GET", "/mechanics?active=false", None, STAFF),
    Row("GET", "/mechanics/{mechanic}", None, SIGNED_IN),
    Row("GET", "/mechanics/{nothing}", None, NOT_THERE),
    Row("GET", "/mechanics?sort=-open_tickets", None, STAFF),
    Row("GET", "/mechanics/{mechanic}/tickets", None, STAFF),
    Row("GET", "/mechanics/{nothing}/tickets", None, NOT_THERE_FOR_STAFF),
    Row("PUT PATCH", "/mechanics/{mechanic}", {"specialty": "Brakes"}, (401, 403, 403, 200, 403, 200)),
    Row("PUT PATCH", "/mechanics/{mechanic}", {"role": "advisor"}, ADMIN),
    Row("PUT PATCH", "/mechanics/{mechanic}", {"active": False}, ADMIN),
    Row("PUT PATCH", "/mechanics/{colleague}", {"specialty": "Brakes"}, ADMIN),
    Row("PUT PATCH", "/mechanics/{nothing}", {"specialty": "Brakes"}, NOT_THERE_FOR_STAFF),
    Row("DELETE", "/mechanics/admin/delete/{colleague}", None, (401, 403, 403, 403, 403, 204)),
    Row("DELETE", "/mechanics/admin/delete/{nothing}", None, (401, 403, 403, 403, 403, 404)),
    Row("POST", "/mechanics/login", STAFF_SIGN_IN, OPEN),
    Row("POST", "/mechanics/forgot-password", {"email": "coll.eague@example.com"}, ACCEPTED),
    Row("POST", "/mechanics/logout", None, (401, 403, 403, 204, 204, 204)),
    Row("POST", "/mechanics/logout-everywhere", None, (401, 403, 403, 204, 204, 204)),
    Row("DELETE", "/mechanics/{colleague}/sessions", None, (401, 403, 403, 403, 403, 204)),
    Row("DELETE", "/mechanics/{nothing}/sessions", None, (401, 403, 403, 403, 403, 404)),

    Row("POST", "/service-tickets", NEW_TICKET, STAFF_CREATE),
    Row("POST", "/service-tickets/mechanic/create", NEW_TICKET, STAFF_CREATE),
    Row("POST", "/service-tickets", INTAKE, STAFF_CREATE),
    Row("GET", "/service-tickets", None, STAFF),
    Row("GET", "/service-tickets/board", None, STAFF),
    Row("GET", "/service-tickets/{own}", None, OWNER_AND_STAFF),
    Row("GET", "/service-tickets/{other}", None, OWNER_AND_STAFF),
    Row("GET", "/service-tickets/{nothing}", None, NOT_THERE),
    Row("PUT", "/service-tickets/{other}/assign-mechanic/{mechanic}", None, STAFF),
    Row("PUT", "/service-tickets/{own}/assign-mechanic/{colleague}", None, FRONT_DESK),
    Row("PUT", "/service-tickets/{nothing}/assign-mechanic/{colleague}", None, NOT_THERE_FOR_STAFF),
    Row("PUT", "/service-tickets/{own}/remove-mechanic/{mechanic}", None, STAFF),
    Row("PUT", "/service-tickets/{own}/remove-mechanic/{colleague}", None, FRONT_DESK),
    Row("PUT", "/service-tickets/{own}/edit", {"description": "Brakes"}, STAFF),
    Row("PUT", "/service-tickets/{other}/edit", {"description": "Brakes"}, FRONT_DESK),
    Row("PUT", "/service-tickets/{other}/edit", {"add_mechanic_ids": ["mechanic"]}, STAFF),
    Row("PUT", "/service-tickets/{own}/edit", {"add_mechanic_ids": ["colleague"]}, FRONT_DESK),
    Row("PUT", "/service-tickets/{own}/edit", {"remove_mechanic_ids": ["colleague"]}, FRONT_DESK),
    Row("PUT", "/service-tickets/{nothing}/edit", {"description": "Brakes"}, NOT_THERE_FOR_STAFF),
    Row("PUT", "/service-tickets/{own}/add-part/{part}", {"quantity": 2}, STAFF),
    Row("PUT", "/service-tickets/{other}/add-part/{part}", {"quantity": 2}, FRONT_DESK),
    Row("PUT", "/service-tickets/{own}/add-part/{nothing}", None, NOT_THERE_FOR_STAFF),
    Row("PUT", "/service-tickets/{own}/remove-part/{part}", None, STAFF),
    Row("PUT", "/service-tickets/{other}/remove-part/{part}", None, FRONT_DESK),
    Row("PUT", "/service-tickets/{own}/edit", {"discount_percent": "10"}, FRONT_DESK),
    Row("PUT", "/service-tickets/{own}/status", {"status": "in_progress"}, STAFF),
    Row("PUT", "/service-tickets/{other}/status", {"status": "in_progress"}, FRONT_DESK),
    Row("PUT", "/service-tickets/{own}/status", {"status": "void"}, FRONT_DESK),
    Row("PUT", "/service-tickets/{own}/status", {"hold": "parts"}, STAFF),
    Row("PUT", "/service-tickets/{other}/status", {"hold": "parts"}, FRONT_DESK),
    Row("PUT", "/service-tickets/{quote}/status", {"status": "void"}, FRONT_DESK),
    Row("PUT", "/service-tickets/{refused}/status", {"status": "estimate"}, FRONT_DESK),
    Row("PUT", "/service-tickets/{started}/status", {"status": "completed"}, STAFF),
    Row("PUT", "/service-tickets/{done}/status", {"status": "in_progress"}, STAFF),
    Row("PUT", "/service-tickets/{billed}/status", REOPENED, ADMIN),
    Row("PUT", "/service-tickets/{nothing}/status", {"status": "void"}, NOT_THERE_FOR_STAFF),
    Row("GET", "/service-tickets/{own}/history", None, STAFF),
    Row("GET", "/service-tickets/{nothing}/history", None, NOT_THERE_FOR_STAFF),

    Row("POST", "/service-tickets/{own}/labor", LABOR, STAFF_CREATE),
    Row("POST", "/service-tickets/{other}/labor", LABOR, FRONT_DESK_CREATE),
    Row("POST", "/service-tickets/{own}/labor", {**LABOR, "rate": "90"}, FRONT_DESK_CREATE),
    Row("POST", "/service-tickets/{nothing}/labor", LABOR, NOT_THERE_FOR_STAFF),
    Row("GET", "/service-tickets/{own}/labor/{line}", None, STAFF),
    Row("GET", "/service-tickets/{other}/labor/{line}", None, NOT_THERE_FOR_STAFF),
    Row("PUT", "/service-tickets/{own}/labor/{line}", {"hours": "0.7"}, STAFF),
    Row("PUT", "/service-tickets/{other}/labor/{others_line}", {"hours": "0.7"}, FRONT_DESK),
    Row("PUT", "/service-tickets/{own}/labor/{line}", {"rate": "90"}, FRONT_DESK),
    Row("PUT", "/service-tickets/{own}/labor/{others_line}", {"hours": "0.7"}, NOT_THERE_FOR_STAFF),
    Row("DELETE", "/service-tickets/{own}/labor/{line}", None, (401, 403, 403, 204, 204, 204)),
    Row("DELETE", "/service-tickets/{other}/labor/{others_line}", None, (401, 403, 403, 403, 204, 204)),
    Row("DELETE", "/service-tickets/{own}/labor/{nothing}", None, NOT_THERE_FOR_STAFF),
    Row("POST", "/service-tickets/{own}/jobs", JOB, STAFF_CREATE),
    Row("POST", "/service-tickets/{other}/jobs", JOB, FRONT_DESK_CREATE),
    Row("POST", "/service-tickets/{own}/jobs", {**JOB, "status": "approved"}, FRONT_DESK_CREATE),
    Row("POST", "/service-tickets/{own}/jobs", {**JOB, "labor": [{**LABOR, "rate": "90"}]}, FRONT_DESK_CREATE),
    Row("POST", "/service-tickets/{own}/jobs", {**JOB, "fees": [FEE]}, FRONT_DESK_CREATE),
    Row("POST", "/service-tickets/{nothing}/jobs", JOB, NOT_THERE_FOR_STAFF),
    Row("POST", "/service-tickets/{own}/jobs", {"canned_job_id": "{canned}"}, STAFF_CREATE),
    Row("POST", "/service-tickets/{other}/jobs", {"canned_job_id": "{canned}"}, FRONT_DESK_CREATE),
    Row("POST", "/service-tickets/{own}/jobs", {"canned_job_id": "{nothing}"}, NOT_THERE_FOR_STAFF),
    Row("POST", "/service-tickets/{returned}/jobs", {"revive_job_id": "{unwanted}"}, STAFF_CREATE),
    Row("POST", "/service-tickets/{others_returned}/jobs", {"revive_job_id": "{unwanted}"}, FRONT_DESK_CREATE),
    Row("POST", "/service-tickets/{returned}/jobs", {"revive_job_id": "{nothing}"}, NOT_THERE_FOR_STAFF),
    Row("GET", "/service-tickets/{own}/jobs", None, STAFF),
    Row("GET", "/service-tickets/{nothing}/jobs", None, NOT_THERE_FOR_STAFF),
    Row("GET", "/service-tickets/{own}/jobs/{job}", None, STAFF),
    Row("GET", "/service-tickets/{other}/jobs/{job}", None, NOT_THERE_FOR_STAFF),
    Row("PUT", "/service-tickets/{own}/jobs/{job}", {"notes": "Pads are down to 2 mm."}, STAFF),
    Row("PUT", "/service-tickets/{own}/jobs/{job}", {"labor": [{**LABOR, "rate": "90"}]}, FRONT_DESK),
    Row("PUT", "/service-tickets/{own}/jobs/{job}", {"fees": [FEE]}, FRONT_DESK),
    Row("PUT", "/service-tickets/{own}/jobs/{job}", {"status": "declined"}, FRONT_DESK),
    Row("PUT", "/service-tickets/{other}/jobs/{others_job}", {"notes": "Pads are thin."}, FRONT_DESK),
    Row("PUT", "/service-tickets/{own}/jobs/{others_job}", {"notes": "Pads are thin."}, NOT_THERE_FOR_STAFF),
    Row("DELETE", "/service-tickets/{own}/jobs/{job}", None, (401, 403, 403, 204, 204, 204)),
    Row("DELETE", "/service-tickets/{other}/jobs/{others_job}", None, (401, 403, 403, 403, 204, 204)),
    Row("DELETE", "/service-tickets/{own}/jobs/{nothing}", None, NOT_THERE_FOR_STAFF),
    Row("POST", "/service-tickets/{own}/fees", FEE, FRONT_DESK_CREATE),
    Row("POST", "/service-tickets/{nothing}/fees", FEE, NOT_THERE_FOR_FRONT_DESK),
    Row("GET", "/service-tickets/{own}/fees/{fee}", None, STAFF),
    Row("GET", "/service-tickets/{other}/fees/{fee}", None, NOT_THERE_FOR_STAFF),
    Row("PUT", "/service-tickets/{own}/fees/{fee}", {"amount": "4.00"}, FRONT_DESK),
    Row("PUT", "/service-tickets/{other}/fees/{fee}", {"amount": "4.00"}, NOT_THERE_FOR_FRONT_DESK),
    Row("DELETE", "/service-tickets/{own}/fees/{fee}", None, (401, 403, 403, 403, 204, 204)),
    Row("DELETE", "/service-tickets/{own}/fees/{nothing}", None, NOT_THERE_FOR_FRONT_DESK),

    Row("POST", "/service-tickets/{quote}/authorizations", ONLINE, (401, 201, 404, 403, 403, 403)),
    Row("POST", "/service-tickets/{quote}/authorizations", BY_PHONE, (401, 403, 404, 403, 201, 201)),
    Row("POST", "/service-tickets/{nothing}/authorizations", BY_PHONE, (401, 404, 404, 403, 404, 404)),
    Row("GET", "/service-tickets/{own}/authorizations", None, OWNER_AND_FRONT_DESK),
    Row("GET", "/service-tickets/{nothing}/authorizations", None, (401, 404, 404, 403, 404, 404)),
    Row("POST", "/service-tickets/{offered}/approval-link", None, FRONT_DESK_CREATE),
    Row("POST", "/service-tickets/{nothing}/approval-link", None, NOT_THERE_FOR_FRONT_DESK),
    Row("POST", "/service-tickets/{done}/invoice", None, FRONT_DESK_CREATE),
    Row("POST", "/service-tickets/{nothing}/invoice", None, NOT_THERE_FOR_FRONT_DESK),
    Row("GET", "/service-tickets/{billed}/invoice", None, OWNER_AND_FRONT_DESK),
    Row("GET", "/service-tickets/{own}/invoice", None, (401, 404, 404, 403, 404, 404)),
    Row("GET", "/service-tickets/{billed}/invoice.pdf", None, OWNER_AND_FRONT_DESK),
    Row("GET", "/service-tickets/{own}/invoice.pdf", None, (401, 404, 404, 403, 404, 404)),
    Row("GET", "/service-tickets/{own}/estimate.pdf", None, OWNER_AND_STAFF),
    Row("GET", "/service-tickets/{nothing}/estimate.pdf", None, NOT_THERE),
    Row("GET", "/service-tickets/{own}/work-order.pdf", None, STAFF),
    Row("GET", "/service-tickets/{nothing}/work-order.pdf", None, NOT_THERE_FOR_STAFF),
    Row("POST", "/service-tickets/{billed}/payments", PAYMENT, FRONT_DESK_CREATE),
    Row("POST", "/service-tickets/{nothing}/payments", PAYMENT, NOT_THERE_FOR_FRONT_DESK),
    Row("GET", "/service-tickets/{billed}/payments", None, OWNER_AND_FRONT_DESK),
    Row("GET", "/service-tickets/{nothing}/payments", None, (401, 404, 404, 403, 404, 404)),

    Row("POST", "/customers", SIGN_UP, (201, 201, 201, 403, 403, 403)),
    Row("POST", "/customers", {"name": "Walk In", "phone": "212 555 0142"}, (422, 403, 403, 201, 201, 201)),
    Row("GET", "/customers", None, STAFF),
    Row("GET", "/customers/{customer}", None, OWNER_AND_STAFF),
    Row("GET", "/customers/{nothing}", None, NOT_THERE),
    Row("PUT PATCH", "/customers/{customer}", {"address": "1 Main Street"}, (401, 200, 404, 403, 200, 200)),
    Row("PUT PATCH", "/customers/{nothing}", {"address": "1 Main Street"}, (401, 404, 404, 403, 404, 404)),
    Row("DELETE", "/customers/{newcomer}", None, (401, 404, 404, 403, 403, 204)),
    Row("DELETE", "/customers/{stranger}", None, (401, 404, 204, 403, 403, 204)),
    Row("GET", "/customers/{customer}/personal-data", None, (401, 200, 404, 403, 403, 200)),
    Row("GET", "/customers/{nothing}/personal-data", None, (401, 404, 404, 403, 403, 404)),
    Row("POST", "/customers/login", CUSTOMER_SIGN_IN, OPEN),
    Row("POST", "/customers/forgot-password", {"email": "cus.tomer@example.com"}, ACCEPTED),
    Row("POST", "/customers/logout", None, (401, 204, 204, 403, 403, 403)),
    Row("POST", "/customers/logout-everywhere", None, (401, 204, 204, 403, 403, 403)),
    Row("DELETE", "/customers/{customer}/sessions", None, (401, 403, 403, 403, 403, 204)),
    Row("DELETE", "/customers/{nothing}/sessions", None, (401, 403, 403, 403, 403, 404)),
    Row("GET", "/customers/mytickets", None, (401, 200, 200, 403, 403, 403)),
    Row("GET", "/customers/my-tickets", None, (401, 200, 200, 403, 403, 403)),

    Row("GET", "/customers?plate=8ABC123", None, STAFF),
    Row("GET", "/customers/{customer}/vehicles", None, OWNER_AND_STAFF),
    Row("GET", "/customers/{nothing}/vehicles", None, NOT_THERE),
    Row("POST", "/customers/{customer}/vehicles", {"plate": "8ABC123"}, (401, 201, 404, 201, 201, 201)),
    Row("POST", "/customers/{nothing}/vehicles", {"plate": "8ABC123"}, NOT_THERE),
    Row("GET", "/customers/{customer}/vehicles/{car}", None, OWNER_AND_STAFF),
    Row("GET", "/customers/{customer}/vehicles/{strangers_car}", None, NOT_THERE),
    Row("PUT PATCH", "/customers/{customer}/vehicles/{car}", {"notes": "Tow bar"}, OWNER_AND_STAFF),
    Row("PUT PATCH", "/customers/{customer}/vehicles/{strangers_car}", {"notes": "Tow bar"}, NOT_THERE),
    Row("PUT PATCH", "/customers/{customer}/vehicles/{car}", SOLD, (401, 403, 404, 403, 200, 200)),
    Row("DELETE", "/customers/{customer}/vehicles/{car}", None, (401, 204, 404, 204, 204, 204)),
    Row("DELETE", "/customers/{customer}/vehicles/{strangers_car}", None, NOT_THERE),
    Row("GET", "/customers/{customer}/vehicles/{car}/history", None, OWNER_AND_STAFF),
    Row("GET", "/customers/{customer}/vehicles/{car}/deferred", None, OWNER_AND_STAFF),
    Row("GET", "/customers/{customer}/vehicles/{strangers_car}/history", None, NOT_THERE),
    Row("GET", "/customers/{customer}/vehicles/{strangers_car}/deferred", None, NOT_THERE),

    Row("POST", "/canned-jobs", JOB, FRONT_DESK_CREATE),
    Row("GET", "/canned-jobs", None, STAFF),
    Row("GET", "/canned-jobs/{canned}", None, STAFF),
    Row("GET", "/canned-jobs/{nothing}", None, NOT_THERE_FOR_STAFF),
    Row("PUT", "/canned-jobs/{canned}", {"name": "Rear brakes"}, FRONT_DESK),
    Row("PUT", "/canned-jobs/{nothing}", {"name": "Rear brakes"}, NOT_THERE_FOR_FRONT_DESK),
    Row("DELETE", "/canned-jobs/{canned}", None, (401, 403, 403, 403, 204, 204)),
    Row("DELETE", "/canned-jobs/{nothing}", None, NOT_THERE_FOR_FRONT_DESK),

    Row("POST", "/inventory", NEW_PART, FRONT_DESK_CREATE),
    Row("GET", "/inventory", None, SIGNED_IN),
    Row("GET", "/inventory/{part}", None, SIGNED_IN),
    Row("GET", "/inventory/{nothing}", None, NOT_THERE),
    Row("PUT PATCH", "/inventory/{part}", {"price": "9.95"}, FRONT_DESK),
    Row("PUT PATCH", "/inventory/{nothing}", {"price": "9.95"}, NOT_THERE_FOR_FRONT_DESK),
    Row("DELETE", "/inventory/{part}", None, (401, 403, 403, 403, 204, 204)),
    Row("GET", "/inventory?low_stock=true", None, STAFF),
    Row("GET", "/inventory/{part}/movements", None, STAFF),
    Row("GET", "/inventory/{nothing}/movements", None, NOT_THERE_FOR_STAFF),
    Row("POST", "/inventory/{part}/movements", DELIVERY, FRONT_DESK_CREATE),
    Row("POST", "/inventory/{nothing}/movements", DELIVERY, NOT_THERE_FOR_FRONT_DESK),

    Row("POST", "/customers/{customer}/invite", None, FRONT_DESK_CREATE),
    Row("POST", "/customers/{nothing}/invite", None, NOT_THERE_FOR_FRONT_DESK),
    Row("POST", "/mechanics/{colleague}/invite", None, (401, 403, 403, 403, 403, 201)),
    Row("POST", "/mechanics/{admin}/invite", None, (401, 403, 403, 403, 403, 201)),
    Row("POST", "/mechanics/{nothing}/invite", None, (401, 403, 403, 403, 403, 404)),
    Row("POST", "/invites/accept", ACCEPTANCE, OPEN),

    Row("GET", "/approvals/{link}", None, OPEN),
    Row("GET", "/approvals/{nothing}", None, NOBODYS),
    Row("POST", "/approvals/{link}?dry_run=true", DECLINE, OPEN),
    Row("POST", "/approvals/{link}", {**DECLINE, "version": "{version}"}, CREATED),
    Row("POST", "/approvals/{nothing}", {**DECLINE, "version": "x"}, NOBODYS),

    Row("GET", "/audit", None, ADMIN),
    Row("GET", "/audit?kind=signed_in", None, ADMIN),

    Row("GET", "/customers.csv", None, STAFF),
    Row("GET", "/inventory.csv", None, STAFF),
    Row("GET", "/service-tickets.csv", None, STAFF),
    Row("POST", "/customers/import", b"name,email\r\nNew,new@example.com\r\n", FRONT_DESK),
    Row("POST", "/inventory/import", b"name,price\r\nOil filter,9.90\r\n", FRONT_DESK),

    Row("GET", "/me", None, SIGNED_IN),
    Row("GET", "/shop", None, OPEN),

    Row("GET", "/docs", None, OPEN),
    Row("GET", "/openapi.json", None, OPEN),
    Row("GET", "/health", None, OPEN),
    Row("GET", "/ready", None, OPEN),
    Row("GET", "/", None, REDIRECTED),
    Row("GET", "/favicon.ico", None, OPEN),
    Row("GET", "/problems", None, OPEN),
    Row("GET", "/problems/not-found", None, OPEN),
]
# fmt: on

CANONICAL, ALIAS = "/service-tickets", "/service_tickets"
TABLE += [row._replace(path=row.path.replace(CANONICAL, ALIAS)) for row in TABLE if row.path.startswith(CANONICAL)]

# The files that /docs loads, and the pages that a shop may leave out (tests/desk).
ASSETS = {"/docs/<path:path>", "/docs/assets/<path:name>", "/desk", "/desk/<path:name>", "/approve/<token>"}


class AccessTable(ShopTest):
    """What the table says is what everyone gets."""

    def test_everyone_gets_the_status_of_the_table(self) -> None:
        is_as_it_was = False
        for row in TABLE:
            for method in row.methods.split():
                for person, status in zip(PEOPLE, row.statuses, strict=True):
                    with self.subTest(f"{method} {row.path} {row.body or ''} as {person}"):
                        if not is_as_it_was:
                            self.start_anew()
                        is_as_it_was = False
                        self.assertStatus(self.ask(getattr(self, person), method, row), status)
                        is_as_it_was = method == "GET" or status >= 400

    def test_a_bad_token_is_refused_where_a_token_is_looked_at(self) -> None:
        self.start_anew()
        forger = Caller(self.app, self.admin.token + "x")
        for row in TABLE:
            for method in row.methods.split():
                with self.subTest(f"{method} {row.path}"):
                    answer = self.ask(forger, method, row)
                    policy = self.app.view_functions[self.rule(method, row).endpoint].policy  # type: ignore[attr-defined]
                    if policy.token or policy.optional:
                        self.assertProblem(answer, 401, "not-signed-in")
                    else:
                        self.assertEqual(answer.status_code, row.statuses[0])

    def test_no_route_is_missing(self) -> None:
        listed = {(method, self.rule(method, row).rule) for row in TABLE for method in row.methods.split()}
        served = {
            (method, rule.rule)
            for rule in self.app.url_map.iter_rules()
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
            if rule.rule not in ASSETS
        }
        self.assertEqual(listed, served)

    def rule(self, method: str, row: Row) -> Rule:
        """The route that answers a request."""
        path = row.path.partition("?")[0].format_map(AnyNumber())
        return self.app.url_map.bind("localhost").match(path, method, return_rule=True)[0]

    def test_what_is_anothers_looks_as_if_it_were_not_there(self) -> None:
        self.start_anew()
        billed, car, own = self.names["billed"], self.names["car"], self.stranger.id
        for path, row_id in (
            ("/customers/{}", self.customer.id),
            ("/customers/{}/vehicles", self.customer.id),
            ("/customers/{}/personal-data", self.customer.id),
            (f"/customers/{own}/vehicles/{{}}", car),
            (f"/customers/{own}/vehicles/{{}}/history", car),
            (f"/customers/{own}/vehicles/{{}}/deferred", car),
            ("/service-tickets/{}", billed),
            ("/service-tickets/{}/authorizations", billed),
            ("/service-tickets/{}/invoice", billed),
            ("/service-tickets/{}/invoice.pdf", billed),
            ("/service-tickets/{}/estimate.pdf", billed),
            ("/service-tickets/{}/payments", billed),
        ):
            with self.subTest(path):
                hidden = self.assertProblem(self.stranger.get(path.format(row_id)), 404, "not-found")
                missing = self.assertProblem(self.stranger.get(path.format(row_id + 1000)), 404, "not-found")
                hidden.pop("request_id")
                missing.pop("request_id")
                self.assertEqual(
                    missing, {**hidden, "detail": hidden["detail"].replace(str(row_id), str(row_id + 1000))}
                )

    def start_anew(self) -> None:
        """The shop as every test finds it, with the rows that the table names."""
        self.doCleanups()
        self.setUp()
        self.newcomer = self.make_customer("New Comer")
        people = ("admin", "mechanic", "colleague", "customer", "stranger", "newcomer")
        self.names = MadeWhenNamed(
            {
                **{name: (lambda name=name: getattr(self, name).id) for name in people},
                "own": self.make_ticket,
                "other": lambda: self.make_ticket(opened_by=self.colleague),
                "quote": lambda: self.make_ticket(status=TicketStatus.ESTIMATE),
                "refused": lambda: self.make_ticket(status=TicketStatus.DECLINED),
                "started": lambda: self.make_ticket(status=TicketStatus.IN_PROGRESS),
                "done": lambda: self.make_ticket(status=TicketStatus.COMPLETED),
                "billed": self.make_invoiced_ticket,
                "offered": self.make_offered,
                "link": self.make_link,
                "version": lambda: self.anyone.get(f"/approvals/{self.names['link']}").json["version"],
                "line": lambda: self.make_labor(self.names["own"]),
                "others_line": lambda: self.make_labor(self.names["other"]),
                "job": lambda: self.make_job(self.names["own"], JobStatus.PROPOSED),
                "others_job": lambda: self.make_job(self.names["other"], JobStatus.PROPOSED),
                "canned": lambda: self.advisor.post("/canned-jobs", {**JOB, "fees": [FEE]}).json["id"],
                "returned": lambda: self.make_ticket(vehicle_id=self.names["car"]),
                "others_returned": lambda: self.make_ticket(self.colleague, vehicle_id=self.names["car"]),
                "unwanted": lambda: self.make_declined_job(self.make_ticket(vehicle_id=self.names["car"])),
                "fee": lambda: self.advisor.post(f"/service-tickets/{self.names['own']}/fees", FEE).json["id"],
                "car": lambda: int(self.save(Vehicle(customer_id=self.customer.id)).id),
                "strangers_car": lambda: int(self.save(Vehicle(customer_id=self.stranger.id)).id),
                "part": self.make_part,
                "invite": lambda: self.admin.post(f"/customers/{self.newcomer.id}/invite").json["token"],
                "nothing": lambda: 999_999,
            }
        )

    def make_offered(self) -> int:
        """The own ticket, once it has a proposed job, which is made by being named."""
        return int(self.names["job"] and self.names["own"])

    def make_link(self) -> str:
        """The token of a link to a proposed job."""
        made = self.advisor.post(f"/service-tickets/{self.names['offered']}/approval-link")
        return str(self.assertStatus(made, 201)["url"].rpartition("/")[2])

    def make_invoiced_ticket(self) -> int:
        ticket = self.make_ticket()
        self.assertStatus(self.advisor.put(f"/service-tickets/{ticket}/add-part/{self.make_part()}"), 200)
        self.take_to(ticket, "invoiced")
        return ticket

    def ask(self, caller: Caller, method: str, row: Row) -> Any:
        body = row.body
        if isinstance(body, bytes):
            path = row.path.format_map(self.names)
            return caller.request(method, path, data=body, content_type="text/csv")
        if body is not None:
            body = {name: self.filled_in(value) for name, value in body.items()}
        return caller.request(method, row.path.format_map(self.names), json=body)

    def filled_in(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self.filled_in(each) if isinstance(each, dict) else self.names[each] for each in value]
        if isinstance(value, dict):
            return {name: self.filled_in(each) for name, each in value.items()}
        name = re.fullmatch(r"{(\w+)}", str(value))
        return self.names[name[1]] if name else value


class MadeWhenNamed(dict[str, Any]):
    """Ids by name, of rows that are made when they are first asked for."""

    def __init__(self, makers: dict[str, Callable[[], Any]]) -> None:
        super().__init__()
        self.makers = makers

    def __missing__(self, name: str) -> Any:
        self[name] = self.makers[name]()
        return self[name]


class AnyNumber(dict[str, int]):
    """A number for every name."""

    def __missing__(self, name: str) -> int:
        return 1


class OrderOfRefusals(ShopTest):
    """401, 403 for the role, 422, 404, 403 for the object, 409: the first that applies is the answer."""

    BAD, GOOD = {"description": 7}, {"description": "Brakes"}

    def setUp(self) -> None:
        super().setUp()
        self.closed = self.make_ticket(opened_by=self.colleague)
        self.take_to(self.closed, "completed")

    def test_no_token_comes_before_everything(self) -> None:
        self.assertProblem(self.anyone.put("/service-tickets/999/edit", self.BAD), 401, "not-signed-in")

    def test_the_wrong_role_comes_before_bad_input(self) -> None:
        self.assertProblem(self.customer.put("/service-tickets/999/edit", self.BAD), 403, "forbidden")

    def test_bad_input_comes_before_what_is_not_there(self) -> None:
        self.assertInvalid(self.mechanic.put("/service-tickets/999/edit", self.BAD), "description")

    def test_bad_input_comes_before_not_for_you(self) -> None:
        self.assertInvalid(self.mechanic.put(f"/service-tickets/{self.closed}/edit", self.BAD), "description")

    def test_an_unknown_parameter_is_bad_input(self) -> None:
        self.assertInvalid(self.mechanic.put("/service-tickets/999/edit?fast=1", self.GOOD), "fast")

    def test_what_is_not_there_comes_before_not_for_you(self) -> None:
        path = f"/service-tickets/{self.closed}/add-part/999"
        self.assertProblem(self.mechanic.put(path, {"quantity": 1}), 404, "not-found")
        ids = {"add_mechanic_ids": [999]}
        self.assertProblem(self.mechanic.put(f"/service-tickets/{self.closed}/edit", ids), 404, "not-found")

    def test_not_for_you_comes_before_a_conflict(self) -> None:
        path = f"/service-tickets/{self.closed}/edit"
        self.assertProblem(self.mechanic.put(path, self.GOOD), 403, "forbidden")
        self.assertProblem(self.advisor.put(path, self.GOOD), 409, "ticket-locked")
