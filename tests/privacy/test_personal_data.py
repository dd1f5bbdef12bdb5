"""Personal data: all of it is handed out to whom it is about, and none of it is left after erasing."""

import json
import re
from typing import Any

from sqlalchemy import JSON, Enum, String, select, update
from sqlalchemy.exc import DBAPIError
from werkzeug.test import TestResponse

from app.core.database.base import Base
from app.extensions import db
from app.models import Authorization, Customer, Invoice, Payment, TicketEvent
from app.privacy.personal_data import ROWS_AT_ONCE
from tests.support import Caller
from tests.support.instruments import statements
from tests.support.repair_orders import RepairOrderTest

# Every column of text in the database, by what becomes of it when a customer is erased.
FORGOTTEN = {
    "customers": {"name", "email", "phone", "address", "password_hash", "search_text", "name_key"},
    "vehicles": {"vin", "plate", "plate_state", "notes", "search_text"},
    "service_tickets": {"description", "search_text", "notes", "key_tag"},
    "ticket_words": {"search_text"},
    "ticket_events": {"before", "after", "reason", "values_salt", "reason_salt"},
    "part_lines": {"price_reason"},
    "jobs": {"name", "notes"},
    "authorizations": {"said_by", "contact", "shown", "salt"},
    "approval_links": {"token_hash"},
    "invoices": {"frozen"},
    "invites": {"token_hash"},
    "mails": {"sealed_token", "message_id", "error"},
    "sign_ins": {"id"},
    "idempotency_keys": {"headers"},
}
# What was sold and paid, and what the car is.
KEPT = {
    "labor_lines": {"description"},
    "fee_lines": {"description"},
    # Without their salts, digests of texts tell nothing of these.
    "ticket_events": {"what", "seals", "values_digest", "reason_digest", "hash"},
    "authorizations": {"texts_digest", "digest"},
    "service_tickets": {"po_number"},
    "payments": {"reference"},
    "vehicles": {"make", "model"},
    "idempotency_keys": {"identity", "key", "fingerprint"},
    "audit_events": {"subject", "detail", "request_id", "address"},
}
# What tells nothing of customers.
OTHERS = {
    "mechanics": {"name", "email", "phone", "specialty", "password_hash", "search_text", "name_key"},
    "canned_jobs": {"name", "search_text", "name_key"},
    "canned_labor": {"description"},
    "canned_fees": {"description"},
    "parts": {"name", "sku", "sku_key", "name_text", "location", "search_text", "name_key", "location_key"},
    "stock_movements": {"reason"},
}
WORKS = "WVWZZZ1JZXW000001"
# What becomes of a job's texts.
ERASED = {"name": "Work", "notes": None}


def without(shown: dict[str, Any], name: str) -> dict[str, Any]:
    """What is shown, but for one member."""
    return {key: value for key, value in shown.items() if key != name}


class PersonalDataTest(RepairOrderTest):
    """A customer about whom the shop knows all it can."""

    def setUp(self) -> None:
        super().setUp()
        self.person = self.make_customer("Canary Name", email="canary@example.com", phone="+12125550199")
        path = f"/customers/{self.person.id}"
        self.assertStatus(self.person.put(path, {"address": "Canary Street 1"}), 200)
        car = {"vin": WORKS, "plate": "CANARY1", "plate_state": "Canary State", "notes": "Canary note", "make": "VW"}
        self.vehicle = self.assertStatus(self.person.post(f"{path}/vehicles", car), 201)["id"]
        self.ticket = self.visit()
        self.assertStatus(self.advisor.post(f"{path}/invite"), 201)

    def visit(self) -> int:
        """A ticket from the quote to the receipt, reopened once, with a word of everything."""
        opened = {"customer_id": self.person.id, "vehicle_id": self.vehicle, "description": "Canary complaint"}
        ticket = int(
            self.assertStatus(self.advisor.post("/service-tickets", {**opened, "status": "estimate"}), 201)["id"]
        )
        self.assertStatus(self.edit(ticket, description="Canary second complaint"), 200)
        price = {"unit_price": "12.50", "price_reason": "Canary price"}
        self.assertStatus(self.use(ticket, self.make_part(), 2, **price), 200)
        self.assertStatus(self.work(ticket), 201)
        jobs = f"/service-tickets/{ticket}/jobs"
        [made] = self.advisor.get(f"/service-tickets/{ticket}").json["jobs"]
        self.assertStatus(self.advisor.put(f"{jobs}/{made['id']}", {"notes": "Canary note of the job"}), 200)
        extra = {"name": "Canary extra", "notes": "Canary extra note", "labor": [{"description": "Look", "hours": "1"}]}
        self.assertStatus(self.advisor.post(jobs, extra), 201)
        unwanted = self.assertStatus(self.advisor.post(jobs, {"name": "Canary unwanted job"}), 201)["id"]
        self.assertStatus(self.advisor.put(f"{jobs}/{unwanted}", {"name": "Canary mistake"}), 200)
        self.assertStatus(self.advisor.delete(f"{jobs}/{unwanted}"), 204)
        fee = {"kind": "fee", "description": "Tire disposal", "amount": "3.00", "job_id": made["id"]}
        self.assertStatus(self.advisor.post(f"/service-tickets/{ticket}/fees", fee), 201)
        said = {"method": "email", "said_by": "Canary spouse", "contact": "canary-spouse@example.com"}
        yes = {"jobs": [{"id": made["id"], "decision": "approved"}], **said}
        self.assertStatus(self.advisor.post(f"/service-tickets/{ticket}/authorizations", yes), 201)
        self.assertStatus(self.move(ticket, "in_progress", "completed", reason="Canary reason"), 200)
        self.assertStatus(self.invoice(ticket), 201)
        again = "Canary second reason"
        self.assertStatus(self.move(ticket, "completed", by=self.admin, reason=again), 200)
        self.assertStatus(self.invoice(ticket), 201)
        self.assertStatus(self.pay(ticket, "128.00", reference="Slip 42"), 201)
        return ticket

    def export(self, by: Caller | None = None) -> TestResponse:
        return (by or self.person).get(f"/customers/{self.person.id}/personal-data")

    def erase(self) -> None:
        self.assertStatus(self.admin.delete(f"/customers/{self.person.id}"), 204)


class Export(PersonalDataTest):
    """GET /customers/{id}/personal-data"""

    def test_it_is_for_the_customer_and_admins(self) -> None:
        for caller in (self.person, self.admin):
            self.assertStatus(self.export(caller), 200)
        for caller in (self.mechanic, self.advisor):
            self.assertProblem(self.export(caller), 403, "forbidden")
        self.assertProblem(self.export(self.stranger), 404, "not-found")
        self.assertProblem(self.export(self.anyone), 401, "not-signed-in")
        self.assertProblem(self.admin.get("/customers/999/personal-data"), 404, "not-found")

    def test_it_is_a_file(self) -> None:
        response = self.export()
        self.assertEqual(
            response.headers["Content-Disposition"], f'attachment; filename="customer-{self.person.id}.json"'
        )
        self.assertEqual((response.mimetype, response.headers["Cache-Control"]), ("application/json", "no-store"))

    def test_all_that_was_told_the_shop_is_in_it(self) -> None:
        held = self.assertStatus(self.export(), 200)
        told = json.dumps(held)
        for text in (
            *("Canary Name", "canary@example.com", "+12125550199", "Canary Street 1"),
            *(WORKS, "CANARY1", "Canary State", "Canary note"),
            *("Canary complaint", "Canary second complaint", "Canary reason", "Canary second reason", "Canary price"),
            *("Canary note of the job", "Canary extra", "Canary extra note", "Canary unwanted job", "Canary mistake"),
            *("Canary spouse", "canary-spouse@example.com"),
            *("Replace front pads", "Oil filter", "Tire disposal", "Slip 42"),
        ):
            with self.subTest(text):
                self.assertIn(text, told)
        self.assertNotIn("$argon2", told)
        counts = {name: len(rows) for name, rows in held.items() if name != "customer"}
        self.assertGreaterEqual(counts.pop("history"), 8)
        self.assertEqual(
            counts,
            {
                "vehicles": 1,
                "tickets": 1,
                "authorizations": 1,
                "invoices": 2,
                "payments": 1,
                "sessions": 1,
                "mails": 1,  # the invite
                "own_acts": 1,  # this export
                "account_events": 1,  # the invite
            },
        )
        self.assertEqual([invoice["voided_at"] is None for invoice in held["invoices"]], [False, True])

    def test_jobs_and_authorisations_are_as_the_customer_sees_them(self) -> None:
        held = self.assertStatus(self.export(), 200)
        path = f"/service-tickets/{self.ticket}"
        (ticket,), (authorization,) = held["tickets"], held["authorizations"]
        self.assertEqual(ticket["jobs"], self.person.get(path).json["jobs"])
        self.assertEqual([job["status"] for job in ticket["jobs"]], ["approved", "declined"])
        (listed,) = self.person.get(f"{path}/authorizations").json
        self.assertEqual(authorization, {**without(listed, "recorded_by"), "ticket_id": self.ticket})
        invoice = self.person.get(f"{path}/invoice").json
        self.assertEqual(held["invoices"][1], without(invoice, "payments"))

    def test_nothing_of_others_is_in_it(self) -> None:
        self.make_ticket(customer=self.stranger, description="Strange complaint")
        self.assertStatus(self.stranger.get(f"/customers/{self.stranger.id}/personal-data"), 200)
        told = self.export().text
        for text in ("Strange", "Stran Ger", self.stranger.email, self.mechanic.email):
            self.assertNotIn(text, told)

    def test_what_a_fee_costs_the_shop_is_not_in_it(self) -> None:
        ticket = self.new_ticket(customer_id=self.person.id)
        fees = f"/service-tickets/{ticket}/fees"
        sent = {"kind": "sublet", "description": "Storage cost", "amount": "40.00", "cost": "31.07"}
        fee = self.assertStatus(self.advisor.post(fees, sent), 201)["id"]
        self.assertStatus(self.advisor.put(f"{fees}/{fee}", {"cost": "32.08", "amount": "41.00"}), 200)
        self.assertStatus(self.advisor.put(f"{fees}/{fee}", {"kind": "fee", "cost": None}), 200)
        self.assertStatus(self.advisor.delete(f"{fees}/{fee}"), 204)
        answer = self.export()
        for cost in ("31.07", "32.08"):
            self.assertNotIn(cost, answer.text)
        events = [event["what"] for event in answer.json["history"] if event["ticket_id"] == ticket]
        told = ["sublet Storage cost", f"fee {fee} amount", f"fee {fee} kind", "fee Storage cost"]
        self.assertEqual(events, ["status", *told])

    def test_what_was_archived_is_in_it(self) -> None:
        self.assertStatus(self.person.delete(f"/customers/{self.person.id}/vehicles/{self.vehicle}"), 204)
        self.assertEqual([car["vin"] for car in self.export().json["vehicles"]], [WORKS])

    def test_every_export_is_on_record(self) -> None:
        self.export(self.admin)
        self.export(self.stranger)
        (event,) = self.admin.get("/audit?kind=exported").json
        told = {name: event[name] for name in ("mechanic_id", "customer_id", "subject", "subject_id")}
        self.assertEqual(
            told,
            {"mechanic_id": self.admin.id, "customer_id": None, "subject": "customer", "subject_id": self.person.id},
        )

    def test_many_rows_come_whole_in_few_statements(self) -> None:
        tickets = [self.make_ticket(customer=self.person) for _ in range(2 * ROWS_AT_ONCE)]
        with statements() as sent:
            held = self.assertStatus(self.export(), 200)
        self.assertEqual([ticket["id"] for ticket in held["tickets"]], [self.ticket, *tickets])
        self.assertLess(len([text for text in sent if text.startswith("SELECT")]), 20)


class Erasing(PersonalDataTest):
    """DELETE /customers/{id}"""

    def everything(self) -> dict[str, str]:
        """All that is in the database, as text by table."""
        db.session.rollback()
        tables = Base.metadata.sorted_tables
        return {table.name: str(db.session.execute(select(table)).all()).lower() for table in tables}

    def test_every_column_of_text_is_accounted_for(self) -> None:
        texts = {
            (table.name, column.name)
            for table in Base.metadata.sorted_tables
            for column in table.columns
            if isinstance(column.type, String | JSON) and not isinstance(column.type, Enum)
        }
        listed = [
            (table, column) for known in (FORGOTTEN, KEPT, OTHERS) for table, cs in known.items() for column in cs
        ]
        self.assertCountEqual(listed, texts)

    def test_of_the_person_only_the_name_on_the_invoices_is_left(self) -> None:
        before = self.everything()
        self.assertGreaterEqual(len([table for table, texts in before.items() if "canary" in texts]), 6)
        self.erase()
        after = self.everything()
        self.assertEqual([table for table, texts in after.items() if "canary" in texts], ["invoices"])
        self.assertEqual(after["invoices"].count("canary"), 2)  # the voided one and the next
        for secret in (WORKS.lower(), "12125550199"):
            self.assertNotIn(secret, str(after))
        self.assertEqual(self.row(Customer, self.person.id).password_hash, None)
        for table in ("invites", "mails", "sign_ins"):
            rows = db.session.execute(select(Base.metadata.tables[table])).mappings()
            self.assertNotIn(self.person.id, [row["customer_id"] for row in rows])

    def test_the_figures_are_whole(self) -> None:
        path = f"/service-tickets/{self.ticket}"
        before = [self.advisor.get(f"{path}{rest}").json for rest in ("", "/invoice", "/payments")]
        self.erase()
        ticket, invoice, payments = (self.advisor.get(f"{path}{rest}").json for rest in ("", "/invoice", "/payments"))
        for lines in (before[0], before[0]["jobs"][0]):
            lines["parts"][0]["price_reason"] = None
        for name in ("status", "parts", "labor", "fees", "totals", "authorized_amount", "created_at"):
            self.assertEqual(ticket[name], before[0][name])
        self.assertEqual(ticket["description"], "Erased")
        self.assertEqual(ticket["jobs"], [job | ERASED for job in before[0]["jobs"]])
        for name in ("number", "issued_at", "parts", "labor", "fees", "totals", "payments"):
            self.assertEqual(invoice[name], before[1][name])
        self.assertEqual(invoice["jobs"], [job | ERASED for job in before[1]["jobs"]])
        self.assertEqual(invoice["declined"], [job | {"name": "Work"} for job in before[1]["declined"]])
        self.assertEqual(payments, before[2])
        self.assertEqual(payments[0]["reference"], "Slip 42")

    def test_of_what_was_shown_lines_and_figures_stay(self) -> None:
        path = f"/service-tickets/{self.ticket}/authorizations"
        (before,) = self.advisor.get(path).json
        self.assertEqual(len(before["jobs"]), 1)
        self.erase()
        jobs = [job | ERASED for job in before["jobs"]]
        self.assertEqual(self.advisor.get(path).json, [{**before, "jobs": jobs, "said_by": None, "contact": None}])

    def test_authorisations_of_the_time_before_jobs_are_erased_too(self) -> None:
        db.session.execute(update(Authorization).values(shown=None))
        db.session.commit()
        self.erase()
        (told,) = self.advisor.get(f"/service-tickets/{self.ticket}/authorizations").json
        self.assertEqual((told["jobs"], told["totals"], told["said_by"], told["contact"]), (None, None, None, None))

    def test_the_history_keeps_what_happened(self) -> None:
        before = self.events(self.ticket)
        texts = re.compile(r"description|job \d+ (name|notes)")
        self.erase()
        self.assertEqual(
            self.events(self.ticket),
            [(what, None, None) if texts.fullmatch(what) else (what, was, is_) for what, was, is_ in before],
        )

    def test_the_audit_log_keeps_that_it_was_done(self) -> None:
        self.erase()
        kinds = [event["kind"] for event in self.admin.get(f"/audit?customer_id={self.person.id}").json]
        self.assertEqual(kinds, ["erased", "invited"])

    def test_others_keep_theirs(self) -> None:
        other = self.make_ticket(customer=self.stranger, description="Strange complaint")
        sold = {"customer_id": self.stranger.id}
        path = f"/customers/{self.person.id}/vehicles/{self.vehicle}"
        self.assertStatus(self.advisor.put(path, sold), 200)
        self.erase()
        self.assertEqual(self.advisor.get(f"/service-tickets/{other}").json["description"], "Strange complaint")
        car = self.stranger.get(f"/customers/{self.stranger.id}/vehicles/{self.vehicle}").json
        self.assertEqual((car["vin"], car["notes"]), (WORKS, None))


class Forgetting(PersonalDataTest):
    """What the database lets be done to the history: texts go, and nothing is written in their place."""

    def test_a_text_is_emptied_and_not_changed(self) -> None:
        for allowed, values in (
            (True, {"before": None, "after": None}),
            (True, {"reason": None}),
            (False, {"after": "something else"}),
            (False, {"before": None, "after": "something else"}),
            (False, {"reason": None, "what": "nothing"}),
            (False, {"reason": None, "mechanic_id": self.admin.id}),
            (False, {"reason": None, "ticket_id": TicketEvent.ticket_id + 1}),
            (False, {"reason": None, "id": TicketEvent.id + 1000}),
            (False, {"what": TicketEvent.what}),
        ):
            with self.subTest(values):
                written = TicketEvent.before.is_not(None) & TicketEvent.after.is_not(None)
                reasoned = written & TicketEvent.reason.is_not(None)
                changing: Any = update(TicketEvent).where(reasoned).values(values)
                try:
                    db.session.execute(changing, execution_options={"synchronize_session": False})
                    done = True
                except DBAPIError as refused:
                    done = False
                    self.assertIn("append-only", str(refused.orig))
                db.session.rollback()
                self.assertEqual(done, allowed)

    def test_payments_lose_nothing(self) -> None:
        with self.assertRaises(DBAPIError):
            db.session.execute(update(Payment).values(reference=None))
        db.session.rollback()

    def test_invoices_forget_no_figures(self) -> None:
        self.erase()
        for invoice in db.session.scalars(select(Invoice)):
            self.assertEqual(invoice.frozen["bill_to"]["name"], "Canary Name")
            self.assertEqual({value for name, value in invoice.frozen["bill_to"].items() if name != "name"}, {None})
            self.assertEqual(invoice.frozen["vehicle"]["make"], "VW")
