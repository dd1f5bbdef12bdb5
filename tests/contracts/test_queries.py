"""How many SQL statements an answer takes: as many for twenty rows as for two."""

from typing import Any

from werkzeug.test import TestResponse

from app.accounts import session_cache
from app.extensions import cache, db
from app.models import AuditEvent, AuditKind, Mechanic, Vehicle
from tests.support import Caller, ShopTest
from tests.support.catalogue import Catalogue
from tests.support.instruments import statements

FEW, MANY = 2, 20


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
        measured = {request.partition(" for ")[0] for request in self.measure(FEW)}
        self.assertEqual(measured, self.reads().keys())

    def reads(self) -> dict[str, bool]:
        """Every path that is read with a token, undocumented ones too, and whether it is a list."""
        views = Catalogue(self.app).views
        return {
            path: view.tag == "weak" for (method, path), view in views.items() if method == "GET" and view.policy.token
        }

    def measure(self, number: int) -> dict[str, list[str]]:
        """The statements of every read, by everyone who may, in a shop with so many rows of each kind."""
        self.doCleanups()
        self.setUp()
        ids = self.fill(number)
        reads = self.reads()
        sent_by_request = {}
        for person in ("customer", "advisor", "admin"):
            caller: Caller = getattr(self, person)
            for path, is_list in reads.items():
                cache.clear()
                session_cache.clear()
                with statements() as sent:
                    answer = caller.get(path.format(**ids) + ("?per_page=100" if is_list else ""))
                if answer.status_code != 403:
                    sent_by_request[f"{path} for {person}"] = sent
                    self.assertStatus(answer, 200)
                    if is_list:
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
            job = self.make_job(ticket)
        fee = self.made(self.advisor.post(f"{path}/fees", {"kind": "fee", "description": "Oil", "amount": "1.00"}))
        self.take_to(ticket, "invoiced")
        for _ in range(number):
            payment = {"kind": "payment", "amount": "0.01", "method": "cash"}
            self.made(self.advisor.post(f"{path}/payments", payment))
        catalogue = Catalogue(self.app)
        ids = catalogue.fill_in(
            self.admin,
            {
                "mechanic_id": callers[0].id,
                "customer_id": self.customer.id,
                "vehicle_id": cars[0],
                "part_id": parts[0],
                "ticket_id": ticket,
                "line_id": line["id"],
                "job_id": job,
                "fee_id": fee["id"],
            },
        )
        catalogue.fill_lists(self.admin, ids, number)
        return ids

    def made(self, answer: TestResponse) -> Any:
        """What was written."""
        self.assertIn(answer.status_code, (200, 201), answer.text)
        return answer.json
