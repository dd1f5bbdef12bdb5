"""Conditional requests: nothing is sent twice, and nothing is overwritten unseen.

``python -m tests.contracts.test_conditional --writers 32 --updates 50`` sends as many conditional updates of one
ticket at once.
"""

import argparse
import re
import sys
import unittest
from collections.abc import Iterator
from itertools import count
from typing import Any, ClassVar, NamedTuple

from click import echo
from werkzeug.test import TestResponse

from app.models import Vehicle
from app.rules.job_life import JobStatus
from tests.service_tickets.test_races import RaceTest, at_once, statuses
from tests.support import Caller, ShopTest
from tests.support.catalogue import Catalogue, with_ids

STRONG = r'"([0-9]+)-[0-9a-f]{16}"'
BARE = r'"[0-9a-f]{16}"'
WEAK = r'W/"[0-9a-f]{16}"'
# What proxies that compress make of a tag.
PROXIED = ("W/{0}", 'W/"other", W/{0}', '"{1}-0d5f6a2b91c4e873-gzip"', 'W/"{1}-0d5f6a2b91c4e873;br"')
WRITES = {"PUT", "PATCH", "DELETE"}

# What is one thing and has no version: it is tagged with the hash alone.
UNVERSIONED = (
    *("/service-tickets/{billed}/invoice", "/service-tickets/{billed}/invoice.pdf"),
    *("/service-tickets/{billed}/estimate.pdf", "/service-tickets/{billed}/work-order.pdf"),
    *("/service-tickets/board", "/me", "/shop", "/openapi.json"),
)


class Write(NamedTuple):
    """A request that changes or deletes something, and the thing whose version counts."""

    method: str
    path: str
    thing: str
    body: Any = None


TICKET = "/service-tickets/{ticket_id}"
LINE = f"{TICKET}/labor/{{line_id}}"
CAR = "/customers/{customer_id}/vehicles/{vehicle_id}"
# Where other rows than those of the parameters' names are fit to be changed.
FIT = {
    ("DELETE", "/customers/{customer_id}"): {"customer_id": "idle"},
    ("DELETE", "/customers/{customer_id}/sessions"): {"customer_id": "idle"},
    ("PUT", f"{TICKET}/assign-mechanic/{{mechanic_id}}"): {"mechanic_id": "colleague"},
    ("PUT", f"{TICKET}/remove-part/{{part_id}}"): {"part_id": "used"},
}
# What is tried besides the examples of the document: other values, and the version of another thing.
MORE = (
    Write("PUT", CAR, CAR, {"plate": "8ABC123"}),
    Write("PATCH", CAR, CAR, {"plate": "8ABC123"}),
    Write("PUT", f"{TICKET}/edit", TICKET, {"description": "Squeals no more"}),
    Write("PUT", LINE, TICKET, {"hours": "0.7"}),
    Write("DELETE", LINE, TICKET),
)
NUMBERS = count(1)


class ConditionalTest(ShopTest):
    """A shop with one of each thing."""

    catalogue: ClassVar[Catalogue]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.catalogue = Catalogue(cls.app)

    def setUp(self) -> None:
        super().setUp()
        self.fill()
        self.fill_billed()

    def fill(self) -> None:
        ticket, used = self.make_ticket(), self.make_part(name="Wiper")
        self.assertStatus(self.advisor.put(f"/service-tickets/{ticket}/add-part/{used}"), 200)
        self.assertStatus(self.advisor.put(f"/service-tickets/{ticket}/assign-mechanic/{self.mechanic.id}"), 200)
        work = {"description": "Road test", "hours": "0.5"}
        line = self.assertStatus(self.advisor.post(f"/service-tickets/{ticket}/labor", work), 201)["id"]
        self.ids = {
            "mechanic_id": self.mechanic.id,
            "colleague": self.colleague.id,
            "customer_id": self.customer.id,
            "idle": self.stranger.id,
            "vehicle_id": int(self.save(Vehicle(customer_id=self.customer.id)).id),
            "part_id": self.make_part(),
            "used": used,
            "ticket_id": ticket,
            "line_id": line,
            "job_id": self.make_job(ticket, JobStatus.PROPOSED),
        }
        self.ids = self.catalogue.fill_in(self.admin, self.ids)
        self.tagged_rows = self.catalogue.rows()
        # The ticket that is billed has the most to list.
        self.tagged_lists = [path.replace("{ticket_id}", "{billed}") for path in self.catalogue.reads("weak")]

    def fill_billed(self) -> None:
        """One more ticket, which is invoiced."""
        billed = self.make_ticket()
        work = {"description": "Road test", "hours": "0.5", "rate": "90"}
        self.assertStatus(self.advisor.post(f"/service-tickets/{billed}/labor", work), 201)
        self.take_to(billed, "invoiced")
        self.ids["billed"] = billed

    def read(self, path: str, caller: Caller | None = None, **headers: str) -> TestResponse:
        """The answer to a GET; the customer's own where nobody else may."""
        caller = caller or (self.customer if "tickets" in path and path.startswith("/customers/my") else self.admin)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return caller.get(path.format(**self.ids), headers=sent)

    def tag(self, path: str, caller: Caller | None = None) -> str:
        answer = self.read(path, caller)
        self.assertEqual(answer.status_code, 200, path)
        return answer.headers["ETag"]

    def write(self, method: str, path: str, body: Any, tag: str | None, caller: Caller | None = None) -> TestResponse:
        headers = {} if tag is None else {"If-Match": tag}
        return (caller or self.admin).request(method, path.format(**self.ids), json=body, headers=headers)

    def writes(self) -> Iterator[Write]:
        """Every change that the document has, with its examples, and what is tried besides."""
        for operation in self.catalogue.changes():
            path, thing = operation.path, self.catalogue.row_of(operation)
            for name, other in FIT.get((operation.method, operation.path), {}).items():
                path, thing = (each.replace(f"{{{name}}}", f"{{{other}}}") for each in (path, thing))
            for body in self.catalogue.examples(operation):
                yield Write(operation.method, path, thing, body)
        yield from MORE

    def change(self, thing: str) -> None:
        """Change the thing, as somebody else does."""
        path = re.sub("{idle}$", "{customer_id}", thing)
        operation, field = self.catalogue.text_change(path)
        sent = {field: f"Number {next(NUMBERS)}"}
        self.assertStatus(self.write(operation.method, operation.path.replace(path, thing), sent, None), 200)

    def rules(self, methods: set[str]) -> set[tuple[str, str]]:
        """Methods and rules that are served, without the alias of the tickets."""
        return {
            (method, rule.rule)
            for rule in self.app.url_map.iter_rules()
            for method in (rule.methods or set()) & methods
            if not rule.rule.startswith("/service_tickets")
        }

    def rule(self, method: str, path: str) -> str:
        adapter = self.app.url_map.bind("localhost")
        rule, _ = adapter.match(path.format(**self.ids), method, return_rule=True)
        return rule.rule

    def assertStale(self, answer: TestResponse, tag: str) -> None:
        """The write was refused, and the present version told."""
        problem = self.assertProblem(answer, 412, "stale")
        self.assertEqual(problem["version"], version_of(tag))


def version_of(tag: str) -> int:
    """The version in a tag."""
    match = re.fullmatch(STRONG, tag)
    assert match, tag
    return int(match[1])


class Tags(ConditionalTest):
    """What answers are known by."""

    def test_one_thing_has_a_strong_tag_of_its_version_and_its_bytes(self) -> None:
        for path in self.tagged_rows:
            with self.subTest(path):
                before = self.read(path)
                if "version" in before.json:
                    self.assertEqual(version_of(before.headers["ETag"]), before.json["version"])
                self.assertEqual(self.tag(path), before.headers["ETag"])
                self.change(path)
                self.assertGreater(version_of(self.tag(path)), version_of(before.headers["ETag"]))

    def test_what_has_no_version_is_known_by_its_bytes(self) -> None:
        for path in UNVERSIONED:
            with self.subTest(path):
                self.assertRegex(self.tag(path), f"^{BARE}$")
                self.assertEqual(self.tag(path), self.tag(path))
        invoice = "/service-tickets/{billed}/invoice"
        before = self.tag(invoice)
        payment = {"kind": "payment", "amount": "10.00", "method": "cash"}
        self.assertStatus(self.advisor.post("/service-tickets/{billed}/payments".format(**self.ids), payment), 201)
        self.assertNotEqual(self.tag(invoice), before)

    def test_a_list_has_a_weak_tag(self) -> None:
        for path in self.tagged_lists:
            with self.subTest(path):
                self.assertRegex(self.tag(path), f"^{WEAK}$")
                self.assertEqual(self.tag(path), self.tag(path))

    def test_no_thing_is_missing(self) -> None:
        """What is tagged to the byte has a version or is said to have none."""
        served = {
            rule.rule
            for rule in self.app.url_map.iter_rules()
            if "GET" in (rule.methods or set()) and not rule.rule.startswith("/service_tickets")
            if getattr(self.app.view_functions[rule.endpoint], "tag", None) == "strong"
        }
        self.assertEqual(served, {self.rule("GET", path) for path in (*self.tagged_rows, *UNVERSIONED)})
        self.assertEqual({rule for _, rule in self.rules({"GET"}) if rule.endswith("_id>")} - served, set())

    def test_no_list_is_missing(self) -> None:
        """What has pages has a weak tag."""
        reads = {
            path: str(methods["get"]) for path, methods in self.catalogue.document["paths"].items() if "get" in methods
        }
        paged = {path for path, read in reads.items() if "'per_page'" in read}
        self.assertEqual(paged, set(self.catalogue.reads("weak")))

    def test_a_line_of_labor_goes_by_the_version_of_its_ticket(self) -> None:
        self.assertEqual(version_of(self.tag(LINE)), version_of(self.tag(TICKET)))
        self.change(TICKET)
        self.assertEqual(version_of(self.tag(LINE)), version_of(self.tag(TICKET)))

    def test_customers_and_staff_know_an_answer_by_different_tags(self) -> None:
        for path in ("/mechanics/{mechanic_id}", "/inventory/{part_id}"):
            with self.subTest(path):
                staff, customer = self.tag(path), self.tag(path, self.customer)
                self.assertNotEqual(staff, customer)
                self.assertEqual(version_of(staff), version_of(customer))
                self.assertEqual(self.read(path, self.customer, If_None_Match=staff).status_code, 200)
                self.assertIn("Authorization", self.read(path).headers["Vary"])

    def test_what_is_written_is_answered_with_the_tag_that_reading_it_gives(self) -> None:
        customer = "/customers/{customer_id}".format(**self.ids)
        examples = [
            (creation.path.format(**self.ids), with_ids(self.catalogue.example(creation), self.ids))
            for name, creation in self.catalogue.creations().items()
            if name != "customer_id"  # the example signs up; whom staff enter has no password
        ]
        for path, body in (
            *examples,
            ("/customers", {"name": "Walter Inn", "phone": "212 555 0142"}),
            (f"{customer}/vehicles", {"vin": "1HGCM82633A004353"}),  # of which the answer tells that it is odd
        ):
            with self.subTest(path):
                created = self.admin.post(path, body)
                self.assertStatus(created, 201)
                self.assertEqual(created.headers["ETag"], self.tag(created.headers["Location"]))
        for method, path, thing, body in self.writes():
            if method != "DELETE":
                with self.subTest(f"{method} {path}"):
                    written = self.write(method, path, body, None)
                    self.assertEqual(written.headers["ETag"], self.tag(LINE if path == LINE else thing))

    def test_tokens_and_problems_have_no_tag(self) -> None:
        sign_in = {"email": self.customer.email, "password": "a password for tests"}
        for answer in (
            self.anyone.post("/customers/login", sign_in),
            self.anyone.get("/customers"),
            self.admin.get("/customers/999"),
            self.anyone.get("/health"),
        ):
            self.assertNotIn("ETag", answer.headers)


class NotSentTwice(ConditionalTest):
    """`If-None-Match`: who has the answer is not sent it again."""

    def test_what_the_client_has_is_a_304_without_a_body(self) -> None:
        for path in (*self.tagged_rows, *UNVERSIONED, *self.tagged_lists):
            with self.subTest(path):
                full = self.read(path)
                answer = self.read(path, If_None_Match=full.headers["ETag"])
                self.assertEqual((answer.status_code, answer.data), (304, b""))
                self.assertNotIn("Content-Type", answer.headers)
                for name in ("ETag", "Vary", "Cache-Control", "Link", "X-Total-Count", "X-Content-Type-Options"):
                    self.assertEqual(answer.headers.get(name), full.headers.get(name), name)

    def test_tags_are_compared_weakly_and_one_of_many_is_enough(self) -> None:
        tag = self.tag(TICKET)
        for sent in (f"W/{tag}", f'"other", {tag}', f'"a,b",W/"c" ,{tag}', "*"):
            with self.subTest(sent):
                self.assertEqual(self.read(TICKET, If_None_Match=sent).status_code, 304)

    def test_any_other_tag_gets_the_answer(self) -> None:
        version = version_of(self.tag(TICKET))
        for sent in ('"other"', f'"{version}-0000000000000000"', "", '"', "*, ", self.tag("/service-tickets/{billed}")):
            with self.subTest(sent):
                self.assertEqual(self.read(TICKET, If_None_Match=sent).status_code, 200)

    def test_what_changed_is_sent(self) -> None:
        for path in self.tagged_rows:
            with self.subTest(path):
                tag = self.tag(path)
                self.change(path)
                self.assertEqual(self.read(path, If_None_Match=tag).status_code, 200)

    def test_a_change_that_is_no_change_of_the_version_is_sent_too(self) -> None:
        """A delivery fills a waiting line: the ticket looks different, and whoever edits it is not refused for that."""
        part = self.make_part(quantity_on_hand=0)
        path = f"{TICKET}/add-part/{part}"
        self.assertStatus(self.write("PUT", path, {"quantity": 2, "backorder": True}, None), 200)
        tag = self.tag(TICKET)
        delivery = {"kind": "receive", "quantity": 5}
        self.assertStatus(self.advisor.post(f"/inventory/{part}/movements", delivery), 201)
        answer = self.read(TICKET, If_None_Match=tag)
        self.assertEqual((answer.status_code, answer.json["parts"][-1]["quantity_short"]), (200, 0))
        self.assertStatus(self.write("PUT", f"{TICKET}/edit", {"odometer": 7}, tag), 200)

    def test_a_page_is_sent_where_only_its_number_changed(self) -> None:
        path = "/service-tickets?per_page=1&page=2"
        tag, total = self.tag(path), self.read(path).headers["X-Total-Count"]
        self.make_ticket()
        answer = self.read("/service-tickets?per_page=1&page=3", If_None_Match=tag)
        self.assertEqual(answer.status_code, 200)
        self.assertEqual(int(answer.headers["X-Total-Count"]), int(total) + 1)

    def test_a_head_is_answered_as_the_get(self) -> None:
        path = TICKET.format(**self.ids)
        tag = self.tag(TICKET)
        self.assertEqual(self.admin.request("HEAD", path).headers["ETag"], tag)
        self.assertEqual(self.admin.request("HEAD", path, headers={"If-None-Match": tag}).status_code, 304)

    def test_who_may_not_see_it_learns_nothing(self) -> None:
        for caller, status in ((self.anyone, 401), (self.stranger, 404)):
            with self.subTest(status):
                self.assertEqual(self.read(TICKET, caller, If_None_Match=self.tag(TICKET)).status_code, status)
                self.assertEqual(self.read(TICKET, caller, If_None_Match="*").status_code, status)


class NotOverwrittenUnseen(ConditionalTest):
    """`If-Match`: whoever changes something has seen it as it is."""

    def test_no_write_is_missing(self) -> None:
        written = {(write.method, self.rule(write.method, write.path)) for write in self.writes()}
        self.assertEqual(written, self.rules(WRITES))

    def test_a_stale_write_is_refused_and_changes_nothing(self) -> None:
        for method, path, thing, body in self.writes():
            with self.subTest(f"{method} {path} by {thing}"):
                stale = self.tag(thing)
                self.change(thing)
                before = self.read(thing)
                for sent in (stale, f"W/{stale}"):
                    self.assertStale(self.write(method, path, body, sent), before.headers["ETag"])
                after = self.read(thing)
                self.assertEqual((after.data, after.headers["ETag"]), (before.data, before.headers["ETag"]))

    def test_a_current_write_is_made(self) -> None:
        for method, path, thing, body in self.writes():
            for sent in ("{0}", "W/{0}"):
                with self.subTest(f"{method} {path} by {sent.format(thing)}"):
                    self.start_anew()
                    self.change(thing)
                    answer = self.write(method, path, body, sent.format(self.tag(thing)))
                    self.assertEqual(answer.status_code, 204 if method == "DELETE" else 200, answer.text)

    def test_tags_that_match(self) -> None:
        for sent in ("*", " * ", '{0}, "other"', '"a,b", W/"c",{0}', '"1-0", {0}', '"{1}-another-answer"', *PROXIED):
            with self.subTest(sent):
                tag = self.tag(TICKET)
                header = sent.format(tag, version_of(tag))
                self.assertStatus(self.write("PUT", f"{TICKET}/edit", {"description": sent}, header), 200)

    def test_tags_that_never_match(self) -> None:
        for sent in (
            "w/{0}",
            "W/ {0}",
            'W/"0-abc"',
            "",
            ",",
            "{1}",
            '"{1}"',
            '"{1}-abc',
            '{1}-abc"',
            "'{1}-abc'",
            '"0{1}-abc"',
            '"+{1}-abc"',
            '"{1} -abc"',
            '"{1}-a"bc"',
            '*, W/"c"',
            '"99999999999999999999-abc"',
        ):
            with self.subTest(sent):
                tag = self.tag(TICKET)
                header = sent.format(tag, version_of(tag))
                self.assertStale(self.write("PUT", f"{TICKET}/edit", {"odometer": 1}, header), tag)

    def test_a_customers_own_tag_serves_too(self) -> None:
        """Whoever sees less of a thing sees its version all the same."""
        address = {"address": "1 Main Street"}
        tag = self.tag("/customers/{customer_id}", self.customer)
        self.assertStatus(self.write("PUT", "/customers/{customer_id}", address, tag, self.customer), 200)
        self.assertEqual(self.write("PUT", "/customers/{customer_id}", address, tag, self.customer).status_code, 412)

    def test_a_post_has_nothing_to_compare(self) -> None:
        work = {"description": "Road test", "hours": "0.5"}
        self.assertStatus(self.write("POST", f"{TICKET}/labor", work, '"0-stale"'), 201)

    def test_two_screens(self) -> None:
        """The advisor gives a discount while the mechanic, who saw the ticket before it, writes down the odometer."""
        screen = self.read(TICKET, self.mechanic)
        discount = self.write("PUT", f"{TICKET}/edit", {"discount_percent": "10"}, self.tag(TICKET), self.advisor)
        self.assertStatus(discount, 200)
        note = {"description": "Squeals, and the price was promised", "odometer": 98_400}
        self.assertStale(
            self.write("PUT", f"{TICKET}/edit", note, screen.headers["ETag"], self.mechanic), discount.headers["ETag"]
        )
        fresh = self.read(TICKET, self.mechanic)
        self.assertEqual((fresh.json["discount_percent"], fresh.json["odometer"]), ("10.00", None))
        written = self.write("PUT", f"{TICKET}/edit", note, fresh.headers["ETag"], self.mechanic)
        self.assertStatus(written, 200)
        self.assertEqual((written.json["discount_percent"], written.json["odometer"]), ("10.00", 98_400))
        # The answer's own tag is good for the next change: no reading in between.
        self.assertStatus(
            self.write("PUT", f"{TICKET}/status", {"hold": "parts"}, written.headers["ETag"], self.mechanic), 200
        )

    def start_anew(self) -> None:
        """The shop as it was, without the invoiced ticket, of which nothing is written here."""
        self.doCleanups()
        ShopTest.setUp(self)
        self.fill()


class OrderOfRefusals(ConditionalTest):
    """A stale tag is refused after what the request is and who sends it, and before what is stored."""

    STALE = '"0-stale"'

    def test_who_asks_comes_first(self) -> None:
        edit, body = f"{TICKET}/edit", {"description": "Brakes"}
        self.assertProblem(self.write("PUT", edit, body, self.STALE, self.anyone), 401, "not-signed-in")
        self.assertProblem(self.write("PUT", edit, body, self.STALE, self.customer), 403, "forbidden")
        self.assertProblem(self.write("PUT", edit, body, self.STALE, self.colleague), 403, "forbidden")

    def test_bad_input_comes_first(self) -> None:
        self.assertInvalid(self.write("PUT", f"{TICKET}/edit", {"odometer": -1}, self.STALE), "odometer")

    def test_what_is_not_there_comes_first(self) -> None:
        for path, caller in (
            ("/service-tickets/999/edit", self.mechanic),
            (f"{TICKET}/add-part/999", self.mechanic),
            (f"{TICKET}/labor/999", self.mechanic),
            ("/customers/{idle}", self.customer),
            ("/customers/{idle}/vehicles/{vehicle_id}", self.advisor),
        ):
            for tag in (self.STALE, "*"):
                with self.subTest(path, tag=tag):
                    body = {"quantity": 1} if "part" in path else {}
                    self.assertProblem(self.write("PUT", path, body, tag, caller), 404, "not-found")

    def test_what_is_not_for_you_comes_first(self) -> None:
        for path, body, caller in (
            (f"{TICKET}/edit", {"discount_percent": "5"}, self.mechanic),
            (f"{TICKET}/status", {"status": "void"}, self.mechanic),
            (f"{TICKET}/add-part/{{part_id}}", {"quantity": 1}, self.colleague),
            (LINE, {"rate": "5"}, self.mechanic),
            (CAR, {"customer_id": self.stranger.id}, self.customer),
            ("/mechanics/{colleague}", {"specialty": "Brakes"}, self.mechanic),
        ):
            with self.subTest(path):
                self.assertProblem(self.write("PUT", path, body, self.STALE, caller), 403, "forbidden")
        email = {"email": "new@example.com"}
        answer = self.write("PUT", "/customers/{customer_id}", email, self.STALE, self.customer)
        self.assertProblem(answer, 403, "wrong-password")

    def test_a_conflict_comes_after_it(self) -> None:
        self.ids["ticket_id"] = self.ids["billed"]
        line = self.read(TICKET).json["labor"][0]["id"]
        self.admin.put(f"/mechanics/{self.colleague.id}", {"active": False})
        for method, path, body, slug in (
            ("PUT", f"{TICKET}/edit", {"odometer": 1}, "ticket-locked"),
            ("PUT", f"{TICKET}/assign-mechanic/{{colleague}}", None, "ticket-locked"),
            ("PUT", f"{TICKET}/add-part/{{part_id}}", {"quantity": 1}, "ticket-locked"),
            ("PUT", f"{TICKET}/remove-part/{{part_id}}", None, "ticket-locked"),
            ("PUT", f"{TICKET}/status", {"status": "estimate"}, "illegal-move"),
            ("PUT", f"{TICKET}/status", {"status": "completed"}, "reason-needed"),
            ("DELETE", f"{TICKET}/labor/{line}", None, "ticket-locked"),
            ("DELETE", "/customers/{customer_id}", None, "unfinished-tickets"),
            ("PUT", "/mechanics/{admin}", {"active": False}, "last-admin"),
            ("DELETE", "/mechanics/admin/delete/{admin}", None, "last-admin"),
        ):
            with self.subTest(f"{method} {path}"):
                self.ids["admin"] = self.admin.id
                self.assertProblem(self.write(method, path, body, self.STALE), 412, "stale")
                self.assertProblem(self.write(method, path, body, "*"), 409, slug)


class ManyWriters(RaceTest):
    """Many change one ticket at once, each as they saw it."""

    writers, updates, outcome = 8, 5, ""

    def test_no_update_is_lost_and_every_stale_one_is_refused(self) -> None:
        """Each counts the odometer up by one: in the end it tells how many updates were made."""
        ticket = f"/service-tickets/{self.make_ticket(odometer=0)}"
        sent: list[tuple[str, TestResponse]] = []

        def count_up() -> TestResponse:
            for _ in range(self.updates):
                seen = self.advisor.get(ticket)
                body, tag = {"odometer": seen.json["odometer"] + 1}, seen.headers["ETag"]
                sent.append((tag, self.advisor.put(f"{ticket}/edit", body, headers={"If-Match": tag})))
            return seen

        at_once([count_up] * self.writers)
        made = [(version_of(tag), answer) for tag, answer in sent if answer.status_code == 200]
        stale = [(version_of(tag), answer) for tag, answer in sent if answer.status_code == 412]
        self.assertEqual(len(made) + len(stale), self.writers * self.updates, statuses(answer for _, answer in sent))
        self.assertEqual(self.advisor.get(ticket).json["odometer"], len(made))
        self.assertEqual(len({version for version, _ in made}), len(made), "two went on the same version")
        for version, answer in stale:
            self.assertGreater(self.assertProblem(answer, 412, "stale")["version"], version)
        self.assertTrue(made and stale, "there was no race")
        type(self).outcome = f"{len(made)} updates made, {len(stale)} stale ones refused, none lost"


def main() -> int:
    """Let the writers race; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.contracts.test_conditional")
    parser.add_argument("--writers", type=int, default=32, help="so many at once (32)")
    parser.add_argument("--updates", type=int, default=50, help="so many updates by each (50)")
    options = parser.parse_args()
    ManyWriters.writers, ManyWriters.updates = options.writers, options.updates
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(ManyWriters)
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    echo(ManyWriters.outcome)
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
