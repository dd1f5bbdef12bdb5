"""/service-tickets/{id}/labor: work done, its hours, its rate, and who may write it."""

from typing import Any

from app.models import LaborLine
from tests.support import Caller
from tests.support.repair_orders import RepairOrderTest

NEW = {"description": "Replace front pads", "hours": "1.7"}


class LaborTest(RepairOrderTest):
    """A ticket that `mechanic` opened, and requests about its labor."""

    def setUp(self) -> None:
        super().setUp()
        self.order = self.new_ticket()

    def path(self, line: int | None = None, ticket: int | None = None) -> str:
        """The address of the labor of a ticket, or of one line."""
        labor = f"/service-tickets/{ticket or self.order}/labor"
        return labor if line is None else f"{labor}/{line}"

    def new_line(self, by: Caller | None = None, ticket: int | None = None, **fields: Any) -> int:
        """The id of a new line."""
        response = (by or self.advisor).post(self.path(ticket=ticket), {**NEW, **fields})
        return int(self.assertStatus(response, 201)["id"])

    def lines(self) -> list[tuple[str, str, str]]:
        """Hours, rate and total of each line on the ticket."""
        return [(line["hours"], line["rate"], line["line_total"]) for line in self.ticket(self.order)["labor"]]


class AddLabor(LaborTest):
    """POST /service-tickets/{id}/labor"""

    def test_the_front_desk_and_mechanics_of_the_ticket_add_a_line(self) -> None:
        assigned = self.make_mechanic("As Signed")
        self.assertStatus(self.edit(self.order, add_mechanic_ids=[assigned.id]), 200)
        for caller in (self.advisor, self.admin, self.mechanic, assigned):
            with self.subTest(caller.email):
                response = caller.post(self.path(), {**NEW, "mechanic_id": self.colleague.id})
                line = self.assertStatus(response, 201)
                self.assertEqual(response.headers["Location"], self.path(line["id"]))
                self.assertEqual(caller.get(response.headers["Location"]).json, line)
                job = self.ticket(self.order)["jobs"][0]["id"]
                derived = {"id": line["id"], "job_id": job, "rate": "100.00", "taxable": True, "line_total": "170.00"}
                self.assertEqual(line, {**NEW, **derived, "mechanic_id": self.colleague.id})
                self.assertEqual(self.ticket(self.order)["labor"][-1], line)

    def test_others_may_not(self) -> None:
        self.assertProblem(self.anyone.post(self.path(), NEW), 401, "not-signed-in")
        for caller in (self.customer, self.colleague):
            self.assertProblem(caller.post(self.path(), NEW), 403, "forbidden")
        self.assertEqual(self.lines(), [])

    def test_the_rate_is_the_shops_unless_the_front_desk_gives_another(self) -> None:
        for caller in (self.advisor, self.admin):
            self.new_line(caller, rate="85.5")
        self.assertProblem(self.mechanic.post(self.path(), {**NEW, "rate": "85.50"}), 403, "forbidden")
        self.new_line(rate="0")
        self.assertEqual(self.lines(), [("1.7", "85.50", "145.35")] * 2 + [("1.7", "0.00", "0.00")])

    def test_a_line_is_rounded_half_up_to_the_cent(self) -> None:
        for hours, rate, total in (("0.1", "0.05", "0.01"), ("0.1", "0.04", "0.00"), ("1.5", "33.33", "50.00")):
            with self.subTest(f"{hours} × {rate}"):
                self.new_line(hours=hours, rate=rate)
                self.assertEqual(self.lines()[-1], (hours, rate, total))

    def test_hours_are_text_or_number_in_steps_of_a_tenth(self) -> None:
        for sent, kept in (("2", "2.0"), (0.1, "0.1"), (3, "3.0"), ("999.9", "999.9")):
            with self.subTest(repr(sent)):
                self.new_line(hours=sent, rate="1")
                self.assertEqual(self.lines()[-1][0], kept)

    def test_what_does_not_fit_is_refused_by_name(self) -> None:
        for field, value in (
            ("hours", "0"),
            ("hours", "0.05"),
            ("hours", -1),
            ("hours", 1.75),
            ("hours", "1000"),
            ("hours", None),
            ("description", " "),
            ("description", "d" * 501),
            ("rate", "-1"),
            ("rate", "1.005"),
            ("rate", None),
            ("mechanic_id", 0),
            ("mechanic_id", "1"),
            ("line_total", "1.00"),
            ("ticket_id", 1),
        ):
            with self.subTest(f"{field}={value}"):
                self.assertInvalid(self.advisor.post(self.path(), {**NEW, field: value}), field)
        self.assertInvalid(self.advisor.post(self.path(), {}), "description", "hours")

    def test_ticket_and_mechanic_must_be_there(self) -> None:
        self.assertProblem(self.advisor.post(self.path(ticket=999), NEW), 404, "not-found")
        self.assertProblem(self.advisor.post(self.path(), {**NEW, "mechanic_id": 999}), 404, "not-found")
        self.assertEqual(self.lines(), [])


class ReadLabor(LaborTest):
    """GET /service-tickets/{id}/labor/{line_id}"""

    def test_staff_read_a_line_of_that_ticket(self) -> None:
        line, other = self.new_line(), self.new_ticket()
        for caller in (self.mechanic, self.colleague, self.advisor, self.admin):
            self.assertEqual(self.assertStatus(caller.get(self.path(line)), 200)["id"], line)
        self.assertProblem(self.customer.get(self.path(line)), 403, "forbidden")
        self.assertProblem(self.anyone.get(self.path(line)), 401, "not-signed-in")
        for path in (self.path(line, other), self.path(999)):
            self.assertProblem(self.advisor.get(path), 404, "not-found")


class ChangeLabor(LaborTest):
    """PUT /service-tickets/{id}/labor/{line_id}"""

    def test_what_is_sent_changes_and_the_rest_stays(self) -> None:
        line = self.new_line(rate="80.00", mechanic_id=self.colleague.id)
        for caller, sent, changed in (
            (self.mechanic, {"hours": "2"}, {"hours": "2.0", "line_total": "160.00"}),
            (self.advisor, {"rate": "90"}, {"rate": "90.00", "line_total": "180.00"}),
            (self.mechanic, {"description": "Rear pads"}, {"description": "Rear pads"}),
            (self.admin, {"mechanic_id": None}, {"mechanic_id": None}),
        ):
            with self.subTest(sent):
                before = self.ticket(self.order)["labor"][0]
                after = self.assertStatus(caller.put(self.path(line), sent), 200)
                self.assertEqual(after, {**before, **changed})
        self.assertEqual(self.figures(self.order)["labor"], "180.00")

    def test_others_may_not(self) -> None:
        line = self.new_line()
        self.assertProblem(self.anyone.put(self.path(line), {"hours": "2"}), 401, "not-signed-in")
        for caller, sent in (
            (self.customer, {"hours": "2"}),
            (self.colleague, {"hours": "2"}),
            (self.mechanic, {"rate": "2"}),
        ):
            with self.subTest(caller.email):
                self.assertProblem(caller.put(self.path(line), sent), 403, "forbidden")
        self.assertEqual(self.lines(), [("1.7", "100.00", "170.00")])

    def test_a_line_of_another_ticket_is_not_there(self) -> None:
        line, other = self.new_line(), self.new_ticket()
        for path in (self.path(line, other), self.path(999)):
            self.assertProblem(self.advisor.put(path, {"hours": "2"}), 404, "not-found")
            self.assertProblem(self.advisor.delete(path), 404, "not-found")
        self.assertProblem(self.advisor.put(self.path(line), {"mechanic_id": 999}), 404, "not-found")
        self.assertEqual(self.lines(), [("1.7", "100.00", "170.00")])

    def test_what_does_not_fit_is_refused_by_name(self) -> None:
        line = self.new_line()
        for field, value in (("hours", 0), ("rate", None), ("description", ""), ("id", 2), ("line_total", "1")):
            with self.subTest(f"{field}={value}"):
                self.assertInvalid(self.advisor.put(self.path(line), {field: value}), field)


class RemoveLabor(LaborTest):
    """DELETE /service-tickets/{id}/labor/{line_id}"""

    def test_the_front_desk_and_mechanics_of_the_ticket_take_a_line_off(self) -> None:
        kept = self.new_line(hours="1")
        for caller in (self.mechanic, self.advisor, self.admin):
            with self.subTest(caller.email):
                line = self.new_line()
                self.assertStatus(caller.delete(self.path(line)), 204)
                self.assertEqual([line["id"] for line in self.ticket(self.order)["labor"]], [kept])
                self.assertProblem(caller.delete(self.path(line)), 404, "not-found")
        self.assertEqual(self.figures(self.order)["labor"], "100.00")

    def test_others_may_not(self) -> None:
        line = self.new_line()
        self.assertProblem(self.anyone.delete(self.path(line)), 401, "not-signed-in")
        for caller in (self.customer, self.colleague):
            self.assertProblem(caller.delete(self.path(line)), 403, "forbidden")
        self.assertIsNotNone(self.row(LaborLine, line))
