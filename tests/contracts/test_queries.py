"""How many SQL statements an answer takes: as many for twenty rows as for two."""

from typing import Any

from werkzeug.test import TestResponse

from app.accounts import session_cache
from app.core.http.policy import Policy
from app.extensions import cache, db
from app.models import AuditEvent, AuditKind, Mechanic, Vehicle
from tests.support import Caller, ShopTest
from tests.support.instruments import statements

FEW, MANY = 2, 20
# Every GET that needs a token, with ids of the rows that have the most to show.
PATHS = (
    "/mechanics",
    "/mechanics/{mechanic}",
    "/customers",
    "/customers/{customer}",
    "/customers/mytickets",
    "/customers/my-tickets",
    "/service-tickets",
    "/service-tickets/{ticket}",
    "/service_tickets",
    "/service_tickets/{ticket}",
    "/inventory",
    "/inventory/{part}",
    "/inventory/{part}/movements",
    "/customers.csv",
    "/inventory.csv",
    "/service-tickets.csv",
    "/service_tickets.csv",
    "/mechanics/{mechanic}/tickets",
    "/audit",
    "/customers/{customer}/personal-data",
    "/customers/{customer}/vehicles",
    "/customers/{customer}/vehicles/{vehicle}",
    "/customers/{customer}/vehicles/{vehicle}/history",
    *(
        f"{prefix}/{{ticket}}/{rest}"
        for prefix in ("/service-tickets", "/service_tickets")
        for rest in ("labor/{line}", "history", "authorizations", "invoice", "invoice.pdf", "payments")
    ),
)
ROWS = ("mechanic", "customer", "vehicle", "part", "ticket", "line")
# What is one thing and no list; of the others each shows at least as many rows as there are of a kind.
ALONE = ("}", ".csv", "/personal-data", "/invoice", "/invoice.pdf")


class StatementsOfReads(ShopTest):
    """The number of statements of every GET does not grow with the data."""

    def test_they_do_not_grow_with_the_rows(self) -> None:
        few = self.measure(FEW)
        many = self.measure(MANY)
        for request, sent in many.items():
            with self.subTest(request):
                self.assertEqual(len(sent), len(few[request]), "\n".join(sent))

    def test_the_token_takes_one_statement(self) -> None:
        with statements() as of_a_customer:
            self.assertStatus(self.customer.get("/service-tickets"), 403)
        with statements() as of_a_mechanic:
            self.assertStatus(self.mechanic.get("/customers/mytickets"), 403)
        for sent in (of_a_customer, of_a_mechanic):
            self.assertEqual(len([statement for statement in sent if "sign_ins" in statement]), 1, sent)

    def test_every_read_is_measured(self) -> None:
        adapter = self.app.url_map.bind("localhost")
        rules = [adapter.match(path.format(**dict.fromkeys(ROWS, 1)), "GET", return_rule=True)[0] for path in PATHS]
        reads = {
            rule.rule
            for rule in self.app.url_map.iter_rules()
            if "GET" in (rule.methods or ()) and self.policy(rule.endpoint).token
        }
        self.assertEqual({rule.rule for rule in rules}, reads)

    def policy(self, endpoint: str) -> Policy:
        policy: Policy = self.app.view_functions[endpoint].policy  # type: ignore[attr-defined]
        return policy

    def measure(self, number: int) -> dict[str, list[str]]:
        """The statements of every read, by everyone who may, in a shop with so many rows of each kind."""
        self.doCleanups()
        self.setUp()
        ids = self.fill(number)
        sent_by_request = {}
        for person in ("customer", "advisor", "admin"):
            caller: Caller = getattr(self, person)
            for path in PATHS:
                cache.clear()
                session_cache.clear()
                alone = path.endswith(ALONE)
                with statements() as sent:
                    answer = caller.get(path.format(**ids) + ("" if alone else "?per_page=100"))
                if answer.status_code != 403:
                    sent_by_request[f"{path} for {person}"] = sent
                    self.assertStatus(answer, 200)
                    if not alone:
                        self.assertGreaterEqual(len(answer.json or []), number, path)
        return sent_by_request

    def fill(self, number: int) -> dict[str, int]:
        """So many of each kind, and one ticket with as many mechanics, parts, labor, authorisations and payments."""
        callers = [self.make_mechanic(f"Crew {n}") for n in range(number)]
        for n in range(number):
            self.make_customer(f"Customer {n}")
        parts = [self.make_part() for _ in range(number)]
        cars = [self.save(Vehicle(customer_id=self.customer.id)).id for _ in range(number)]
        crew = [db.session.get(Mechanic, caller.id) for caller in callers]
        for caller in callers:
            ticket = self.make_ticket(caller, mechanics=crew, vehicle_id=cars[0])
            self.save(AuditEvent(kind=AuditKind.SIGNED_IN, mechanic_id=caller.id))
        path = f"/service-tickets/{ticket}"
        for caller, part in zip(callers, parts, strict=True):
            self.made(caller.put(f"{path}/add-part/{part}"))
            line = self.made(caller.post(f"{path}/labor", {"description": "Fit", "hours": 1, "mechanic_id": caller.id}))
            word = {"decision": "approved", "method": "phone", "said_by": "The owner"}
            self.made(self.advisor.post(f"{path}/authorizations", word))
            delivery = {"kind": "receive", "quantity": 1}
            self.made(self.advisor.post(f"/inventory/{parts[0]}/movements", delivery))
        self.take_to(ticket, "invoiced")
        for _ in range(number):
            payment = {"kind": "payment", "amount": "0.01", "method": "cash"}
            self.made(self.advisor.post(f"{path}/payments", payment))
        return {
            "mechanic": callers[0].id,
            "customer": self.customer.id,
            "vehicle": cars[0],
            "part": parts[0],
            "ticket": ticket,
            "line": line["id"],
        }

    def made(self, answer: TestResponse) -> Any:
        """What was written."""
        self.assertIn(answer.status_code, (200, 201), answer.text)
        return answer.json
