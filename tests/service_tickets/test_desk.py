"""What the desk notes on a ticket (advisor, promise, notes, key, purchase order), its status since when, and cards."""

from typing import Any

from werkzeug.test import TestResponse

from app.models import Assignment, Mechanic, ServiceTicket
from app.models.ticket import NO_PROMISE
from app.rules.roles import Role
from tests.support import Caller
from tests.support.repair_orders import RepairOrderTest

PROMISE = "2026-12-01T17:00:00-05:00"
SHOWN_PROMISE = "2026-12-01T22:00:00.000000Z"
BY_FRONT_DESK = {"promised_at": PROMISE, "po_number": "PO-4711"}
BY_ANYONE = {"notes": "Called twice", "key_tag": "17"}
NAMES = ("advisor_id", *BY_FRONT_DESK, *BY_ANYONE)


class DeskTest(RepairOrderTest):
    """A ticket that `mechanic` opened, and what may be noted on it"""

    def setUp(self) -> None:
        super().setUp()
        self.order = self.new_ticket()
        self.noted: dict[str, Any] = {"advisor_id": self.advisor.id, **BY_FRONT_DESK, **BY_ANYONE}

    def shown(self, by: Caller | None = None) -> dict[str, Any]:
        seen: dict[str, Any] = self.assertStatus((by or self.advisor).get(f"/service-tickets/{self.order}"), 200)
        return seen

    def assertNoted(self, shown: dict[str, Any]) -> None:
        expected = {**self.noted, "promised_at": SHOWN_PROMISE}
        self.assertEqual({name: shown[name] for name in NAMES}, expected)
        self.assertEqual(shown["advisor"], {"id": self.advisor.id, "name": "Avi Advisor"})


class Noting(DeskTest):
    """POST /service-tickets, PUT .../edit"""

    def test_a_new_ticket_has_none(self) -> None:
        shown = self.shown()
        self.assertEqual({name: shown[name] for name in (*NAMES, "advisor")}, dict.fromkeys((*NAMES, "advisor")))

    def test_they_are_set_at_creation(self) -> None:
        for caller in (self.advisor, self.admin):
            self.order = self.new_ticket(caller, **self.noted)
            self.assertNoted(self.shown())

    def test_they_are_set_and_cleared_by_an_edit(self) -> None:
        self.assertNoted(self.assertStatus(self.edit(self.order, **self.noted), 200))
        self.assertNoted(self.shown())
        cleared = self.assertStatus(self.edit(self.order, **dict.fromkeys(NAMES)), 200)
        self.assertEqual({name: cleared[name] for name in NAMES}, dict.fromkeys(NAMES))

    def test_the_same_again_is_no_change(self) -> None:
        before = self.assertStatus(self.edit(self.order, **self.noted), 200)
        self.assertEqual(self.assertStatus(self.edit(self.order, **self.noted), 200), before)

    def test_mechanics_note_remarks_and_keys_on_their_own_tickets(self) -> None:
        self.assertStatus(self.edit(self.order, self.mechanic, **BY_ANYONE), 200)
        self.assertProblem(self.edit(self.order, self.colleague, notes="Mine"), 403, "forbidden")
        self.assertEqual(self.shown()["notes"], "Called twice")
        self.order = self.new_ticket(self.mechanic, **BY_ANYONE)
        self.assertEqual(self.shown()["key_tag"], "17")

    def test_mechanics_promise_nothing(self) -> None:
        before = self.shown()
        for name in ("advisor_id", *BY_FRONT_DESK):
            with self.subTest(name):
                sent = {name: self.noted[name]}
                self.assertProblem(self.edit(self.order, self.mechanic, **sent), 403, "forbidden")
                opened = {"customer_id": self.customer.id, "description": "Brakes", **sent}
                self.assertProblem(self.mechanic.post("/service-tickets", opened), 403, "forbidden")
                self.new_ticket(self.mechanic, **{name: None})
        self.assertEqual(self.shown(), before)

    def test_an_advisor_is_anyone_of_the_staff_who_is_active(self) -> None:
        for caller in (self.mechanic, self.advisor, self.admin):
            self.assertEqual(self.edit(self.order, advisor_id=caller.id).json["advisor"]["id"], caller.id)
        left = self.save(
            Mechanic(name="Left", email="left@example.com", role=Role.ADVISOR, password_hash="-", active=False)
        )
        opened = {"customer_id": self.customer.id, "description": "Brakes"}
        for advisor_id, status, slug in ((999, 404, "not-found"), (left.id, 409, "mechanic-inactive")):
            self.assertProblem(self.edit(self.order, advisor_id=advisor_id), status, slug)
            sent = {**opened, "advisor_id": advisor_id}
            self.assertProblem(self.advisor.post("/service-tickets", sent), status, slug)
        self.assertEqual(self.shown()["advisor_id"], self.admin.id)

    def test_an_advisor_who_left_stays_where_they_are_and_may_be_sent_again(self) -> None:
        self.assertStatus(self.edit(self.order, advisor_id=self.colleague.id), 200)
        self.assertStatus(self.admin.delete(f"/mechanics/admin/delete/{self.colleague.id}"), 204)
        self.assertStatus(self.edit(self.order, advisor_id=self.colleague.id, notes="Ask Coll"), 200)

    def test_bad_values_are_refused(self) -> None:
        for name, value in (
            *(("advisor_id", value) for value in ("2", 0, -1, 1.5, True, [2])),
            *(("promised_at", value) for value in (7, "", "tomorrow", "2026-12-01", "2026-12-01T17:00:00")),
            *(("promised_at", value) for value in ("2026-13-01T17:00:00Z", "1999-12-31T23:59:59Z")),
            *(("promised_at", value) for value in ("3000-01-01T00:00:00Z", "2999-12-31T23:59:59-05:00")),
            *(("notes", value) for value in ("", " ", 7, "x" * 2001, "\0")),
            *(("key_tag", value) for value in ("", 17, "x" * 21)),
            *(("po_number", value) for value in ("", 4711, "x" * 41)),
        ):
            with self.subTest(name, value=value):
                self.assertInvalid(self.edit(self.order, **{name: value}), name)
        self.assertEqual(self.shown()["version"], 1)

    def test_they_change_until_the_ticket_is_finished(self) -> None:
        self.assertStatus(self.work(self.order), 201)
        for status in ("in_progress", "completed", "invoiced"):
            self.take_to(self.order, status)
            self.assertStatus(self.edit(self.order, notes=f"Now {status}"), 200)
        self.assertProblem(self.edit(self.order, notes="x", description="y"), 409, "ticket-locked")
        self.take_to(self.order, "paid")
        self.assertProblem(self.edit(self.order, notes="Too late"), 409, "ticket-locked")
        self.assertEqual(self.shown()["notes"], "Now invoiced")

    def test_noting_leaves_the_figures_of_an_invoice(self) -> None:
        order = self.new_invoiced()
        before = self.figures(order)
        self.assertStatus(self.edit(order, **self.noted), 200)
        self.assertEqual(self.figures(order), before)

    def test_every_change_is_recorded(self) -> None:
        self.assertStatus(self.edit(self.order, **self.noted), 200)
        self.assertStatus(self.edit(self.order, advisor_id=self.colleague.id, promised_at=None), 200)
        history = self.advisor.get(f"/service-tickets/{self.order}/history").json
        changes = {(each["what"], each["before"], each["after"]) for each in history}
        self.assertLessEqual(
            {
                ("advisor", None, "Avi Advisor"),
                ("advisor", "Avi Advisor", "Coll Eague"),
                ("promised_at", None, "2026-12-01T22:00:00Z"),
                ("promised_at", "2026-12-01T22:00:00Z", None),
                ("notes", None, "Called twice"),
                ("key_tag", None, "17"),
                ("po_number", None, "PO-4711"),
            },
            changes,
        )


class SeenByCustomers(DeskTest):
    """Notes and keys are for the staff"""

    def setUp(self) -> None:
        super().setUp()
        self.assertStatus(self.edit(self.order, **self.noted), 200)

    def test_a_customer_sees_advisor_promise_and_purchase_order(self) -> None:
        shown = self.shown(self.customer)
        self.assertEqual((shown["promised_at"], shown["po_number"]), (SHOWN_PROMISE, "PO-4711"))
        self.assertEqual(shown["advisor"]["name"], "Avi Advisor")

    def test_no_answer_to_a_customer_has_the_others(self) -> None:
        self.take_to(self.order, "in_progress")
        for path in (
            f"/service-tickets/{self.order}",
            *("/customers/mytickets", "/customers/mytickets?view=summary"),
            f"/customers/{self.customer.id}/personal-data",
        ):
            with self.subTest(path):
                told = self.customer.get(path)
                self.assertStatus(told, 200)
                for text in ('"notes":"Called', "Called twice", "key_tag"):
                    self.assertNotIn(text, told.text)

    def test_customers_do_not_look_for_them(self) -> None:
        for name in ("key_tag", "po_number", "advisor_id", "notes"):
            self.assertInvalid(self.customer.get(f"/customers/mytickets?{name}=17"), name)
        self.assertInvalid(self.customer.get("/customers/mytickets?sort=key_tag"), "sort")


class StatusSince(DeskTest):
    """`status_since`"""

    def test_it_begins_when_the_ticket_is_opened(self) -> None:
        shown = self.shown()
        self.assertEqual(shown["status_since"], shown["created_at"])

    def test_a_new_status_sets_it_and_nothing_else_does(self) -> None:
        moments = [self.shown()["status_since"]]
        for status in ("in_progress", "open", "in_progress"):
            moments.append(self.assertStatus(self.move(self.order, status), 200)["status_since"])
            for change in (self.work(self.order), self.edit(self.order, notes=f"Now {status}"), self.hold()):
                self.assertIn(change.status_code, (200, 201))
            self.assertEqual(self.shown()["status_since"], moments[-1])
        for status in ("completed", "invoiced", "paid"):  # by a move, the invoice, a payment
            moments.append(self.take_to(self.order, status)["status_since"])
        self.assertEqual(moments, sorted(set(moments)))

    def hold(self) -> TestResponse:
        return self.advisor.put(f"/service-tickets/{self.order}/status", {"hold": "parts"})

    def test_assignments_have_what_lists_sort_by(self) -> None:
        self.assertStatus(self.edit(self.order, add_mechanic_ids=[self.colleague.id]), 200)
        self.assertCopied()
        self.assertStatus(self.edit(self.order, promised_at=PROMISE), 200)
        self.assertCopied()
        self.take_to(self.order, "in_progress")
        self.assertCopied()
        self.assertStatus(self.edit(self.order, promised_at=None), 200)
        self.assertCopied()
        self.assertEqual(self.row(ServiceTicket, self.order).promised_key, NO_PROMISE)

    def assertCopied(self) -> None:
        ticket = self.row(ServiceTicket, self.order)
        copy = self.row(Assignment, (self.order, self.colleague.id))
        self.assertEqual((copy.promised_key, copy.status_since), (ticket.promised_key, ticket.status_since))


class Lists(DeskTest):
    """Filters and orders"""

    def setUp(self) -> None:
        super().setUp()
        self.later = self.new_ticket(self.advisor, **{**self.noted, "promised_at": "2026-12-02T12:00:00Z"})
        self.sooner = self.new_ticket(self.advisor, **self.noted)
        self.others = self.new_ticket(
            self.admin, advisor_id=self.admin.id, key_tag="18", po_number="A&B", promised_at="2026-11-30T12:00:00Z"
        )

    def found(self, query: str, path: str = "/service-tickets") -> list[int]:
        return [row["id"] for row in self.assertStatus(self.advisor.get(f"{path}?{query}"), 200)]

    def test_filters(self) -> None:
        for query, expected in (
            (f"advisor_id={self.advisor.id}", [self.sooner, self.later]),
            (f"advisor_id={self.mechanic.id}", []),
            (f"advisor_id={self.advisor.id}&status=open,paid&unassigned=true&sort=id", [self.later, self.sooner]),
            (f"advisor_id={self.advisor.id}&unassigned=false", []),
            (f"advisor_id={self.advisor.id}&sort=promised_at", [self.sooner, self.later]),
            (f"advisor_id={self.advisor.id}&promised_from=2026-12-02", [self.later]),
            (f"advisor_id={self.advisor.id}&promised_before=2026-12-02", [self.sooner]),
            (f"advisor_id={self.advisor.id}&customer_id={self.stranger.id}", []),
            ("key_tag=17", [self.sooner, self.later]),
            ("key_tag=17&status=paid", []),
            ("key_tag=1", []),
            ("po_number=A%26B", [self.others]),
            ("promised_from=2026-12-01", [self.later, self.sooner]),
            ("promised_from=2026-12-01&sort=promised_at", [self.sooner, self.later]),
            ("promised_before=2026-12-02", [self.sooner, self.others]),
            ("promised_before=9999-12-31&sort=promised_at", [self.others, self.sooner, self.later]),
            ("promised_from=9999-12-31", []),
            ("sort=promised_at", [self.others, self.sooner, self.later, self.order]),
            ("sort=-promised_at", [self.order, self.later, self.sooner, self.others]),
            ("sort=status_since", [self.order, self.later, self.sooner, self.others]),
        ):
            with self.subTest(query):
                self.assertEqual(self.found(query), expected)

    def test_what_has_no_index_is_refused(self) -> None:
        for filtered, order in (
            ("advisor_id=17", "total"),
            ("key_tag=17", "promised_at"),
            ("po_number=17", "created_at"),
            ("promised_from=2026-12-02", "id"),
            ("created_from=2026-12-02", "promised_at"),
            ("updated_before=2026-12-02", "status_since"),
        ):
            answer = self.advisor.get(f"/service-tickets?{filtered}&sort={order}")
            self.assertProblem(answer, 422, "unsupported-order")
        for name, other, value in (
            ("advisor_id", "q", "brakes"),
            ("advisor_id", "mechanic_id", "2"),
            ("advisor_id", "created_from", "2026-01-01"),
            ("key_tag", "promised_from", "2026-01-01"),
            ("po_number", "unassigned", "true"),
            ("key_tag", "po_number", "17"),
        ):
            with self.subTest(name, other=other):
                self.assertInvalid(self.advisor.get(f"/service-tickets?{name}=17&{other}={value}"), other)

    def test_a_mechanics_tickets_by_promise(self) -> None:
        for ticket in (self.later, self.sooner, self.order):
            self.assertStatus(self.edit(ticket, add_mechanic_ids=[self.colleague.id]), 200)
        path = f"/mechanics/{self.colleague.id}/tickets"
        self.assertEqual(self.found("sort=promised_at", path), [self.sooner, self.later, self.order])
        self.assertEqual(self.found("promised_before=2026-12-02", path), [self.sooner])
        self.assertEqual(self.found("sort=-status_since", path), [self.sooner, self.later, self.order])

    def test_a_car_owner_sorts_by_promise(self) -> None:
        rows = self.assertStatus(self.customer.get("/customers/mytickets?sort=promised_at"), 200)
        self.assertEqual([row["id"] for row in rows], [self.others, self.sooner, self.later, self.order])


class Cards(DeskTest):
    """view=summary"""

    def setUp(self) -> None:
        super().setUp()
        self.car = self.new_vehicle()
        self.order = self.new_ticket(self.advisor, vehicle_id=self.car, **self.noted)
        self.assertStatus(self.edit(self.order, add_mechanic_ids=[self.mechanic.id]), 200)
        self.assertStatus(self.use(self.order, self.new_part(1), 3, backorder=True), 200)
        self.assertStatus(self.use(self.order, self.new_part(9), 2), 200)

    def test_a_card_is_a_ticket_without_its_lines(self) -> None:
        cards = self.assertStatus(self.advisor.get("/service-tickets?view=summary"), 200)
        ticket = self.shown()
        card = next(card for card in cards if card["id"] == self.order)
        same = ("id", "status", "status_since", "hold", "customer", "vehicle", "mechanics", "advisor", "promised_at")
        self.assertEqual({name: card.pop(name) for name in same}, {name: ticket[name] for name in same})
        total = ticket["totals"]["total"]
        more = {"plate": "8ABC123", "total": total, "balance": total, "parts_short": 1, "approval_link": None}
        more["jobs"] = {"proposed": 0, "approved": 1, "declined": 0}
        self.assertEqual(card, more)

    def test_it_counts_the_jobs_by_status(self) -> None:
        path = f"/service-tickets/{self.order}/jobs"
        for name in ("Struts", "Belt", "Wipers"):
            job = self.assertStatus(self.advisor.post(path, {"name": name, "status": "proposed"}), 201)["id"]
        self.assertStatus(self.advisor.put(f"{path}/{job}", {"status": "declined"}), 200)
        cards = self.assertStatus(self.advisor.get("/service-tickets?view=summary"), 200)
        card = next(card for card in cards if card["id"] == self.order)
        self.assertEqual(card["jobs"], {"proposed": 2, "approved": 1, "declined": 1})
        self.assertIn(
            card["jobs"], [own["jobs"] for own in self.customer.get("/customers/mytickets?view=summary").json]
        )

    def test_it_pages_filters_and_sorts_as_the_whole_ticket_does(self) -> None:
        for path in ("/service-tickets", f"/customers/{self.customer.id}/vehicles/{self.car}/history"):
            for query in ("sort=id", "status=open&sort=-promised_at", "created_from=2020-01-01", "limit=1"):
                with self.subTest(path, query=query):
                    full, cards = (self.advisor.get(f"{path}?{query}{view}") for view in ("", "&view=summary"))
                    self.assertEqual([row["id"] for row in cards.json], [row["id"] for row in full.json])
                    self.assertEqual(cards.headers.get("X-Total-Count"), full.headers.get("X-Total-Count"))
                    self.assertEqual("next" in cards.headers["Link"], "next" in full.headers["Link"])

    def test_a_cursor_of_cards_goes_on_with_cards(self) -> None:
        link = self.advisor.get("/service-tickets?view=summary&limit=1").headers["Link"]
        following = link.partition('>; rel="next"')[0].rpartition("<")[2]
        (card,) = self.assertStatus(self.advisor.get(following), 200)
        self.assertIn("parts_short", card)

    def test_a_mechanics_cards(self) -> None:
        (card,) = self.assertStatus(self.mechanic.get(f"/mechanics/{self.mechanic.id}/tickets?view=summary"), 200)
        self.assertEqual((card["id"], card["plate"]), (self.order, "8ABC123"))

    def test_customers_see_no_plate_which_may_be_anothers_now(self) -> None:
        for path in ("/customers/mytickets", f"/customers/{self.customer.id}/vehicles/{self.car}/history"):
            cards = self.assertStatus(self.customer.get(f"{path}?view=summary"), 200)
            (card,) = (card for card in cards if card["id"] == self.order)
            self.assertNotIn("plate", card)
            self.assertNotIn("plate", card["vehicle"])
            self.assertEqual(card["vehicle"]["id"], self.car)

    def test_there_are_two_views(self) -> None:
        self.assertIn("parts", self.advisor.get("/service-tickets?view=full").json[0])
        for value in ("", "card", "SUMMARY"):
            self.assertInvalid(self.advisor.get(f"/service-tickets?view={value}"), "view")
        self.assertInvalid(self.advisor.get("/service-tickets.csv?view=summary"), "view")
