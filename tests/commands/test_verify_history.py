"""flask verify-history: what was changed behind the application's back shows, and what is lawful does not."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

from click.testing import Result
from sqlalchemy import delete, insert, select, text, update

from app.commands import verify_history
from app.core.database.types import now
from app.extensions import db
from app.models import Authorization, TicketEvent
from app.models.billing import ERASED_JOB
from tests.approvals.test_approvals import ApprovalTest
from tests.support import ON_POSTGRESQL, Commands


class HistoryTest(Commands, ApprovalTest):
    """A quote that was answered by its link, worked on, completed, invoiced and paid."""

    def setUp(self) -> None:
        super().setUp()
        self.shown()
        self.assertStatus(self.decide(self.brakes), 201)
        self.assertStatus(self.move(self.quote, "in_progress", "completed", reason="Road test fine"), 200)
        self.assertStatus(self.invoice(self.quote), 201)
        self.assertStatus(self.pay(self.quote, "100.00"), 201)

    def verify(self, *options: str) -> Result:
        return self.run_command("verify-history", *options)

    def head(self, *options: str) -> str:
        """The line with the head that an undisturbed history has."""
        result = self.verify(*options)
        self.assertDone(result)
        return str(result.output.splitlines()[-1])

    def tamper(self, *statements: Any) -> None:
        """Change the database as its owner can, who takes the triggers off."""
        db.session.rollback()
        if ON_POSTGRESQL:
            db.session.execute(text("ALTER TABLE ticket_events DISABLE TRIGGER USER"))
            for statement in statements:
                db.session.execute(statement.execution_options(synchronize_session=False))
            db.session.execute(text("ALTER TABLE ticket_events ENABLE TRIGGER USER"))
        else:
            listed = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'ticket_events'"
            triggers = db.session.execute(text(listed)).all()
            for name, _ in triggers:
                db.session.execute(text(f"DROP TRIGGER {name}"))
            for statement in statements:
                db.session.execute(statement.execution_options(synchronize_session=False))
            for _, made in triggers:
                db.session.execute(text(made))
        db.session.commit()

    def assertFound(self, *lines: str) -> None:
        """The command says so and ends with 1."""
        result = self.verify()
        self.assertEqual(result.exit_code, 1, result.output)
        found = [line for line in result.output.splitlines() if line.startswith("Ticket")]
        self.assertEqual(len(found), len(lines), result.output)
        for line, expected in zip(found, lines, strict=True):
            self.assertRegex(line, expected)

    def event(self, what: str) -> TicketEvent:
        """The first event that is about this."""
        query = select(TicketEvent).where(TicketEvent.what == what).order_by(TicketEvent.id)
        return db.session.scalars(query.execution_options(populate_existing=True)).first() or self.fail(what)


class Whole(HistoryTest):
    """What the application itself does"""

    def test_all_of_it_fits(self) -> None:
        result = self.verify()
        self.assertDone(result)
        self.assertRegex(result.output, r"^Looked at \d+ events and 1 authorisations\.\nHead of the events up to \d+: ")
        self.assertEqual(len(result.output.splitlines()), 2)

    def test_every_event_has_a_hash(self) -> None:
        self.assertEqual(db.session.scalars(select(TicketEvent.id).where(TicketEvent.hash.is_(None))).all(), [])

    def test_a_preview_leaves_no_gap(self) -> None:
        quote = self.new_quote()
        job = self.propose(quote, "Look", "1.0")
        for _ in range(2):
            token = self.link(quote)
            jobs = {"jobs": [{"id": job, "decision": "approved"}]}
            self.assertStatus(self.anyone.post(f"/approvals/{token}?dry_run=true", jobs), 200)
        self.assertDone(self.verify())

    def test_erasing_the_customer_leaves_it_whole(self) -> None:
        head = self.head()
        self.assertStatus(self.admin.delete(f"/customers/{self.customer.id}"), 204)
        self.assertEqual(self.head(), head)
        row = db.session.scalars(select(Authorization).execution_options(populate_existing=True)).one()
        self.assertEqual((row.said_by, row.salt), (None, None))
        self.assertEqual({job["name"] for job in (row.shown or {})["jobs"]}, {ERASED_JOB})
        reasons = select(TicketEvent.reason_salt).where(TicketEvent.reason_digest.is_not(None))
        self.assertEqual(set(db.session.scalars(reasons)), {None})

    def test_in_batches_it_is_the_same(self) -> None:
        head = self.head()
        self.addCleanup(setattr, verify_history, "BATCH", verify_history.BATCH)
        verify_history.BATCH = 2
        self.assertEqual(self.head(), head)

    def test_a_head_that_was_kept_is_found_again(self) -> None:
        head = self.head()
        last = head.split()[6].rstrip(":")
        self.new_ticket()
        self.assertNotEqual(self.head(), head)
        self.assertEqual(self.head("--until", last), head)

    def test_an_amount_of_minus_nothing_is_nothing(self) -> None:
        for by, said in ((self.customer, {"method": "online"}), (self.advisor, {"method": "phone", "said_by": "Dana"})):
            path = f"/service-tickets/{self.new_quote()}/authorizations"
            body = json.dumps({"decision": "approved", **said}).replace("}", ', "amount": -0.0}')
            sent = by.request("POST", path, data=body, content_type="application/json")
            self.assertEqual(self.assertStatus(sent, 201)["amount"], "0.00")
        self.assertDone(self.verify())

    def test_an_empty_shop_is_whole(self) -> None:
        from tests.support import empty_database

        empty_database()
        self.assertIn("Looked at 0 events", self.verify().output)


class Changed(HistoryTest):
    """What was changed in the database"""

    def test_a_changed_event(self) -> None:
        for values, expected in (
            ({"what": "nothing"}, "changed or removed"),
            ({"after": "void"}, "what it was or became"),
            ({"before": None, "after": None}, "what it was or became"),
            ({"before": None, "after": None, "values_salt": None}, "what it was or became"),
            ({"mechanic_id": self.admin.id}, "changed or removed"),
            ({"created_at": now() - timedelta(days=1)}, "changed or removed"),
            ({"values_digest": "0" * 64}, "changed or removed"),
            ({"hash": "0" * 64}, "changed or removed"),
            ({"hash": None}, "changed or removed"),
        ):
            with self.subTest(values):
                self.doCleanups()
                self.setUp()
                event = self.event("status")
                self.tamper(update(TicketEvent).where(TicketEvent.id == event.id).values(values))
                result = self.verify()
                self.assertEqual(result.exit_code, 1)
                self.assertRegex(result.output, rf"Ticket {self.quote}, event \d+: .*{expected}")

    def test_a_changed_reason(self) -> None:
        event = db.session.scalars(select(TicketEvent).where(TicketEvent.reason == "Road test fine")).one()
        changing = update(TicketEvent).where(TicketEvent.id == event.id)
        self.tamper(changing.values(reason="Never tested"))
        self.assertFound(rf"Ticket {self.quote}, event {event.id}: its reason was changed")
        self.tamper(changing.values(reason=None, reason_salt=None))
        self.assertFound(rf"Ticket {self.quote}, event {event.id}: its reason was changed")

    def test_a_removed_event(self) -> None:
        event = self.event("authorization")
        self.tamper(delete(TicketEvent).where(TicketEvent.id == event.id))
        self.assertFound("event .*changed or removed", r"authorisation \d+: no event")

    def test_an_added_event(self) -> None:
        forged = {"ticket_id": self.quote, "mechanic_id": self.admin.id, "what": "status", "after": "void"}
        self.tamper(insert(TicketEvent).values(forged | {"hash": "0" * 64}))
        self.assertFound("changed or removed")

    def test_an_added_event_without_a_hash_long_after_there_were_hashes(self) -> None:
        late = self.event("status").created_at + verify_history.DEPLOYMENT + timedelta(minutes=1)
        forged = {"ticket_id": self.quote, "mechanic_id": self.admin.id, "what": "status", "created_at": late}
        self.tamper(insert(TicketEvent).values(forged))
        self.assertFound("it has no hash")

    def test_a_changed_authorisation(self) -> None:
        row = db.session.scalars(select(Authorization)).one()
        shown: dict[str, Any] = row.shown or {}
        other = {**shown, "totals": {**shown["totals"], "total": "90.00"}}
        renamed = {**shown, "jobs": [{**job, "name": "Another"} for job in shown["jobs"]]}
        for values, expected in (
            ({"amount": Decimal(1)}, "it was changed"),
            ({"shown": other}, "it was changed"),
            ({"shown": renamed}, "a text of what was shown"),
            ({"said_by": "Somebody else"}, "who said it"),
            ({"said_by": None}, "who said it"),
            ({"said_by": None, "salt": None}, "who said it"),
            ({"texts_digest": "0" * 64}, "it was changed"),
        ):
            with self.subTest(values):
                self.doCleanups()
                self.setUp()
                self.tamper(update(Authorization).values(values))
                self.assertFound(rf"Ticket {self.quote}, authorisation \d+: .*{expected}")

    def test_an_authorisation_that_is_gone_or_of_no_digest(self) -> None:
        self.tamper(update(Authorization).values(digest=None))
        self.assertFound("event .*authorisation that it records")
        self.tamper(delete(Authorization))
        self.assertFound("event .*authorisation that it records")

    def test_a_few_lines_tell_of_many(self) -> None:
        self.addCleanup(setattr, verify_history, "MOST_LINES", verify_history.MOST_LINES)
        verify_history.MOST_LINES = 2
        self.tamper(update(TicketEvent).values(what="nothing"))
        result = self.verify()
        self.assertEqual(len(result.output.splitlines()), 2 + 3)
        self.assertRegex(result.output, r"Error: \d+ do not fit what was written\.")


class Older(HistoryTest):
    """Rows of the time before there were hashes"""

    def test_the_chain_starts_with_the_first_new_one(self) -> None:
        empty: dict[str, None] = dict.fromkeys(
            ("hash", "seals", "values_salt", "values_digest", "reason_salt", "reason_digest")
        )
        ago = self.event("status").created_at - timedelta(days=1)
        self.tamper(
            update(TicketEvent).values({**empty, "created_at": ago}),
            update(Authorization).values(digest=None, texts_digest=None, salt=None, created_at=ago),
        )
        self.assertDone(self.verify())
        self.reopen(self.quote)
        self.assertDone(self.verify())
        event = db.session.scalars(select(TicketEvent).order_by(TicketEvent.id.desc())).first()
        self.assertIsNotNone(event and event.hash)
