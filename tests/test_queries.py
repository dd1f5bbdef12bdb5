"""How many SQL statements an answer takes: as many for twenty rows as for two."""

from decimal import Decimal

from app.auth.access import Policy
from app.extensions import cache, db
from app.models import Mechanic, PartLine
from tests.instruments import statements
from tests.support import Caller, ShopTest

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
)
ROWS = ("mechanic", "customer", "part", "ticket")


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
        for person in ("customer", "advisor"):
            caller: Caller = getattr(self, person)
            for path in PATHS:
                cache.clear()
                with statements() as sent:
                    answer = caller.get(path.format(**ids) + ("" if "{" in path else "?per_page=100"))
                if answer.status_code != 403:
                    sent_by_request[f"{path} for {person}"] = sent
                    self.assertStatus(answer, 200)
                    if "{" not in path:
                        self.assertGreaterEqual(len(answer.json or []), number)
        return sent_by_request

    def fill(self, number: int) -> dict[str, int]:
        """So many customers, mechanics, parts and tickets, and on each ticket all of the mechanics and parts."""
        callers = [self.make_mechanic(f"Crew {n}") for n in range(number)]
        for n in range(number):
            self.make_customer(f"Customer {n}")
        parts = [self.make_part() for _ in range(number)]
        crew = [db.session.get(Mechanic, caller.id) for caller in callers]
        for caller in callers:
            lines = [PartLine(part_id=part, quantity=1, unit_price=Decimal(1)) for part in parts]
            ticket = self.make_ticket(caller, mechanics=crew, parts=lines)
        return {"mechanic": callers[0].id, "customer": self.customer.id, "part": parts[0], "ticket": ticket}
