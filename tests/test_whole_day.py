"""One car through the whole shop: a quote, its approval link, what the lift shows, the bill, and six months later."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import update

from app.extensions import db
from app.models import Job, ServiceTicket
from tests.support import Caller, Commands
from tests.support.pdf import pages
from tests.support.repair_orders import RATES, RepairOrderTest

SIGNATURE = "Robin Lee"
CONTACT = "+12125550164"
SIX_MONTHS = timedelta(days=182)


class WholeDay(Commands, RepairOrderTest):
    """The brakes are approved, the struts are declined and offered again, an axle is found on the lift.

    By hand, with taxes of 8.25 % on parts and supplies and 4 % on labor, and supplies of 5 % of labor, at most 20.00:

    | | parts | labor | supplies | tax | total |
    | both | 2 × 50.00 + 2 × 80.00 | 4.2 × 120.00 | 20.00 | 23.10 + 20.16 | 827.26 |
    | of it the struts | 160.00 | 300.00 | 11.90 | 14.18 + 12.00 | 498.08 |
    | brakes | 100.00 | 204.00 | 10.20 | 9.09 + 8.16 | 331.45 |
    | brakes and axle | 190.00 | 324.00 | 16.20 | 17.01 + 12.96 | 560.17 |
    | struts at 95.00 each | 190.00 | 300.00 | 15.00 | 16.91 + 12.00 | 533.91 |
    """

    SETTINGS = RATES

    def setUp(self) -> None:
        super().setUp()
        self.car = self.new_vehicle()
        self.pads = self.new_part(name="Brake pads, rear", price="50.00")
        self.struts_part = self.new_part(name="Strut, rear", price="80.00")
        self.axle_part = self.new_part(name="CV axle", price="90.00")

    def test_from_the_quote_to_the_struts_of_next_time(self) -> None:
        self.write_the_quote()
        self.answer_the_link()
        self.find_the_axle_on_the_lift()
        self.finish_and_bill()
        self.read_the_papers()
        self.come_back_six_months_later()
        self.revive_the_struts()
        self.assertDone(self.run_command("verify-history"))

    def write_the_quote(self) -> None:
        """The mechanic writes two jobs."""
        self.order = self.new_quote(vehicle_id=self.car)
        self.path = f"/service-tickets/{self.order}"
        self.brakes = self.propose("Rear brakes", self.pads, 2, "1.7")
        self.struts = self.propose("Rear struts", self.struts_part, 2, "2.5")
        self.assertSeen("estimate", "827.26", None, ["proposed", "proposed"])

    def answer_the_link(self) -> None:
        """The customer opens the advisor's link, asks what the brakes alone cost, and signs for that."""
        link = self.assertStatus(self.advisor.post(f"{self.path}/approval-link"), 201)
        address = f"/approvals/{link['url'].rpartition('/')[2]}"
        shown = self.assertStatus(self.anyone.get(address), 200)
        self.assertEqual((len(shown["jobs"]), shown["totals"]["total"]), (2, "827.26"))

        jobs = [{"id": self.brakes, "decision": "approved"}, {"id": self.struts, "decision": "declined"}]
        told = self.assertStatus(self.anyone.post(f"{address}?dry_run=true", {"jobs": jobs}), 200)
        self.assertEqual(told["total"], "331.45")
        self.assertSeen("estimate", "827.26", None, ["proposed", "proposed"])

        sent = {"jobs": jobs, "version": shown["version"], "amount": told["total"], "signed_name": SIGNATURE}
        answered = self.assertStatus(self.anyone.post(address, sent), 201)
        self.assertEqual((answered["amount"], answered["signed_name"]), (told["total"], SIGNATURE))
        self.assertProblem(self.anyone.get(address), 410, "approval-answered")
        self.assertSeen("open", told["total"], told["total"], ["approved", "declined"])
        self.assertStock(self.pads, on_hand=10, reserved=2)

    def find_the_axle_on_the_lift(self) -> None:
        """The mechanic proposes it above the ceiling; the advisor calls, and records who was reached where."""
        self.assertStatus(self.move(self.order, "in_progress", by=self.mechanic), 200)
        axle = self.propose("Axle", self.axle_part, 1, "1.0")
        self.assertSeen("in_progress", "331.45", "331.45", ["approved", "declined", "proposed"])
        self.assertEqual(self.ticket(self.order)["totals_if_approved"]["total"], "560.17")
        self.assertStock(self.axle_part, on_hand=10, reserved=0)

        said = {"method": "phone", "said_by": SIGNATURE, "contact": CONTACT}
        sent = {"jobs": [{"id": axle, "decision": "approved"}], **said}
        answer = self.assertStatus(self.advisor.post(f"{self.path}/authorizations", sent), 201)
        self.assertLessEqual({**said, "amount": "560.17"}.items(), answer.items())
        self.assertSeen("in_progress", "560.17", "560.17", ["approved", "declined", "approved"])
        self.assertStock(self.axle_part, on_hand=10, reserved=1)

    def finish_and_bill(self) -> None:
        """What was approved is issued and billed; the struts stand on the invoice as declined."""
        self.assertStatus(self.move(self.order, "completed", by=self.mechanic), 200)
        bill = self.assertStatus(self.invoice(self.order), 201)
        self.assertEqual([job["name"] for job in bill["jobs"]], ["Rear brakes", "Axle"])
        self.assertEqual([line["part_id"] for line in bill["parts"]], [self.pads, self.axle_part])
        self.assertEqual(bill["declined"], [{"name": "Rear struts", "total": "498.08"}])
        self.assertEqual(bill["totals"]["total"], "560.17")
        self.assertStock(self.pads, on_hand=8, reserved=0)
        self.assertStock(self.axle_part, on_hand=9, reserved=0)
        self.assertStock(self.struts_part, on_hand=10, reserved=0)
        self.assertStatus(self.pay(self.order, "560.17"), 201)
        self.assertSeen("paid", "560.17", "560.17", ["approved", "declined", "approved"])
        self.assertEqual(
            [event for event in self.events(self.order) if event[0] in ("approval link", "authorization")],
            [
                ("approval link", None, "sent"),
                ("approval link", "sent", "opened"),
                ("authorization", None, "approved 331.45 (link)"),
                ("authorization", None, "approved 560.17 (phone)"),
            ],
        )

    def read_the_papers(self) -> None:
        """The customer reads what they pay for and what they declined; the bay reads what is to be done."""
        for paper, reader, has_struts in (
            ("estimate", self.customer, True),
            ("work-order", self.mechanic, False),
            ("invoice", self.customer, True),
        ):
            with self.subTest(paper):
                text = self.read_paper(paper, reader)
                self.assertIn("Rear brakes", text)
                self.assertEqual("Rear struts" in text, has_struts)

    def read_paper(self, paper: str, reader: Caller) -> str:
        """The text of one of the ticket's papers."""
        answer = reader.get(f"{self.path}/{paper}.pdf")
        self.assertEqual((answer.status_code, answer.content_type), (200, "application/pdf"))
        self.assertTrue(answer.data.startswith(b"%PDF"))
        return "\n".join(pages(answer.data))

    def come_back_six_months_later(self) -> None:
        """Struts cost more now; the list of deferred work tells then's total and today's."""
        declined_at = self.move_back(Job, self.struts, "declined_at")
        self.move_back(ServiceTicket, self.order, "created_at")
        self.assertStatus(self.advisor.put(f"/inventory/{self.struts_part}", {"price": "95.00"}), 200)
        for caller in (self.advisor, self.customer):
            [job] = self.deferred(caller)
            of_job = {"job_id": self.struts, "ticket_id": self.order, "name": "Rear struts"}
            told = {"declined_reason": "customer", "total_then": "498.08", "total_now": "533.91"}
            self.assertLessEqual({**of_job, **told}.items(), job.items())
            self.assertEqual(datetime.fromisoformat(job["declined_at"]), declined_at)

    def revive_the_struts(self) -> None:
        """Offered again they cost what was told, and are deferred no more; until the offer is deleted."""
        visit = self.new_quote(vehicle_id=self.car, description="Oil change")
        jobs = f"/service-tickets/{visit}/jobs"
        revival = self.assertStatus(self.advisor.post(jobs, {"revive_job_id": self.struts}), 201)
        self.assertEqual((revival["status"], revival["revived_from"]), ("proposed", self.struts))
        self.assertEqual((revival["parts"][0]["unit_price"], self.figures(visit)["total"]), ("95.00", "533.91"))
        self.assertEqual(self.deferred(), [])
        self.assertStatus(self.advisor.delete(f"{jobs}/{revival['id']}"), 204)
        self.assertEqual([job["job_id"] for job in self.deferred()], [self.struts])

    def propose(self, name: str, part: int, quantity: int, hours: str) -> int:
        """The id of a new job that the mechanic proposes."""
        parts = [{"part_id": part, "quantity": quantity}]
        sent = {"name": name, "parts": parts, "labor": [{"description": name, "hours": hours}]}
        made = self.assertStatus(self.mechanic.post(f"{self.path}/jobs", sent), 201)
        self.assertEqual(made["status"], "proposed")
        return int(made["id"])

    def deferred(self, by: Caller | None = None) -> list[dict[str, Any]]:
        """The deferred work of the car."""
        path = f"/customers/{self.customer.id}/vehicles/{self.car}/deferred"
        return list(self.assertStatus((by or self.advisor).get(path), 200))

    def move_back(self, model: Any, row_id: int, name: str) -> datetime:
        """Make something six months older in the database; return when it was then."""
        then: datetime = getattr(self.row(model, row_id), name) - SIX_MONTHS
        db.session.execute(update(model).where(model.id == row_id).values({name: then}))
        db.session.commit()
        return then

    def assertSeen(self, status: str, total: str, authorized: str | None, jobs: list[str]) -> None:
        """The ticket has this status, total and ceiling, and its jobs these statuses."""
        seen = self.ticket(self.order)
        told = (seen["status"], seen["totals"]["total"], seen["authorized_amount"])
        self.assertEqual((*told, [job["status"] for job in seen["jobs"]]), (status, total, authorized, jobs))

    def assertStock(self, part: int, *, on_hand: int, reserved: int) -> None:
        """So many units are on the shelf, and so many of them are reserved."""
        seen = self.assertStatus(self.advisor.get(f"/inventory/{part}"), 200)
        self.assertEqual((seen["quantity_on_hand"], seen["quantity_reserved"]), (on_hand, reserved))
