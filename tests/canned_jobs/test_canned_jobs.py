"""Canned jobs: /canned-jobs, the templates of work."""

from typing import Any

from werkzeug.test import TestResponse

from tests.support import Caller
from tests.support.repair_orders import RepairOrderTest

LABOR = {"description": "Replace front pads", "hours": "1.7", "rate": None, "taxable": True}
FEE = {"kind": "sublet", "description": "Turn rotors", "amount": "40.00", "cost": "30.00", "taxable": False}


class CannedJobTest(RepairOrderTest):
    """Requests about canned jobs."""

    def add(self, by: Caller | None = None, **fields: Any) -> TestResponse:
        """Write a canned job."""
        return (by or self.advisor).post("/canned-jobs", {"name": "Front brakes", **fields})

    def new_canned_job(self, **fields: Any) -> int:
        """The id of a new canned job."""
        return int(self.assertStatus(self.add(**fields), 201)["id"])

    def seen(self, canned_job: int) -> dict[str, Any]:
        """The canned job as it is now."""
        seen: dict[str, Any] = self.assertStatus(self.mechanic.get(f"/canned-jobs/{canned_job}"), 200)
        return seen

    def change(self, canned_job: int, **changes: Any) -> TestResponse:
        """Change a canned job."""
        return self.advisor.put(f"/canned-jobs/{canned_job}", changes)

    def archive(self, part: int) -> None:
        """Take a part out of the catalogue."""
        self.assertStatus(self.advisor.delete(f"/inventory/{part}"), 204)


class WriteCannedJobs(CannedJobTest):
    """POST, PUT and DELETE"""

    def test_it_has_its_lines(self) -> None:
        part = self.new_part(unit="quart", sku="OIL")
        response = self.add(parts=[{"part_id": part, "quantity": 5.7}], labor=[LABOR], fees=[FEE])
        made = self.assertStatus(response, 201)
        line = {
            "part_id": part,
            "name": "Oil filter",
            "sku": "OIL",
            "unit": "quart",
            "archived": False,
            "quantity": 5.7,
        }
        lines = {"parts": [line], "labor": [LABOR], "fees": [FEE]}
        self.assertEqual(made, {"id": made["id"], "name": "Front brakes", **lines, "version": 1})
        self.assertEqual(response.headers["Location"], f"/canned-jobs/{made['id']}")
        read = self.mechanic.get(response.headers["Location"])
        self.assertEqual((read.json, read.headers["ETag"]), (made, response.headers["ETag"]))

    def test_what_a_line_leaves_out_has_its_default(self) -> None:
        part = self.new_part()
        left_out = self.seen(
            self.new_canned_job(
                parts=[{"part_id": part}],
                labor=[{"description": "Road test", "hours": 1}],
                fees=[{"kind": "fee", "description": "Disposal", "amount": 3}],
            )
        )
        self.assertEqual(left_out["parts"][0]["quantity"], 1)
        self.assertEqual((left_out["labor"][0]["rate"], left_out["labor"][0]["taxable"]), (None, True))
        self.assertEqual((left_out["fees"][0]["cost"], left_out["fees"][0]["taxable"]), (None, False))

    def test_a_name_alone_is_enough(self) -> None:
        self.assertEqual(self.seen(self.new_canned_job())["parts"], [])

    def test_bad_input_is_refused_by_name_and_writes_nothing(self) -> None:
        part = self.new_part()
        for fields, name in (
            ({"name": None}, "name"),
            ({"name": "n" * 121}, "name"),
            ({"notes": "Pads"}, "notes"),
            ({"parts": [{"quantity": 1}]}, "parts.0.part_id"),
            ({"parts": [{"part_id": part, "quantity": 1.5}]}, "parts.0.quantity"),
            ({"parts": [{"part_id": part, "unit_price": "1.00"}]}, "parts.0.unit_price"),
            ({"parts": [{"part_id": part}, {"part_id": part}]}, "parts.1.part_id"),
            ({"labor": [{**LABOR, "hours": "0"}]}, "labor.0.hours"),
            ({"labor": [{**LABOR, "mechanic_id": 1}]}, "labor.0.mechanic_id"),
            ({"labor": [LABOR] * 101}, "labor"),
            ({"fees": [{"kind": "tip", "description": "Tip", "amount": "1"}]}, "fees.0.kind"),
        ):
            with self.subTest(str(fields)[:60]):
                self.assertIn(name, self.assertProblem(self.add(**fields), 422, "invalid-input")["errors"])
        self.assertEqual(self.assertStatus(self.advisor.get("/canned-jobs"), 200), [])

    def test_its_parts_are_in_the_catalogue(self) -> None:
        part = self.new_part()
        self.archive(part)
        for missing in (part, 999):
            self.assertProblem(self.add(parts=[{"part_id": missing}]), 404, "not-found")

    def test_what_is_sent_changes_and_a_list_replaces_the_present_one(self) -> None:
        part, other = self.new_part(), self.new_part(name="Rotor")
        job = self.new_canned_job(parts=[{"part_id": part, "quantity": 2}], labor=[LABOR], fees=[FEE])
        before = self.seen(job)
        changed = self.assertStatus(self.change(job, name="Rear brakes", parts=[{"part_id": other}]), 200)
        self.assertEqual([(line["part_id"], line["quantity"]) for line in changed["parts"]], [(other, 1)])
        self.assertEqual(changed, {**before, "name": "Rear brakes", "parts": changed["parts"], "version": 2})
        self.assertEqual(self.assertStatus(self.change(job, fees=[]), 200), {**changed, "fees": [], "version": 3})

    def test_what_is_sent_as_it_is_changes_nothing(self) -> None:
        part = self.new_part()
        job = self.new_canned_job(parts=[{"part_id": part, "quantity": 2}], labor=[LABOR], fees=[FEE])
        before = self.seen(job)
        self.archive(part)
        sent = {"name": "Front brakes", "parts": [{"part_id": part, "quantity": 2}], "labor": [LABOR], "fees": [FEE]}
        self.assertEqual(self.assertStatus(self.change(job, **sent), 200)["version"], before["version"])

    def test_nobody_overwrites_what_they_have_not_seen(self) -> None:
        job = self.new_canned_job(labor=[LABOR])
        tag = self.advisor.get(f"/canned-jobs/{job}").headers["ETag"]
        self.assertStatus(self.change(job, labor=[]), 200)
        for method, body in (("PUT", {"labor": [LABOR]}), ("DELETE", None)):
            answer = self.advisor.request(method, f"/canned-jobs/{job}", json=body, headers={"If-Match": tag})
            self.assertProblem(answer, 412, "stale")
        self.assertEqual(self.seen(job)["labor"], [])

    def test_deleting_it_leaves_the_jobs_that_were_made_of_it(self) -> None:
        part, ticket = self.new_part(), self.new_ticket()
        job = self.new_canned_job(parts=[{"part_id": part}], labor=[LABOR], fees=[FEE])
        self.assertStatus(self.advisor.post(f"/service-tickets/{ticket}/jobs", {"canned_job_id": job}), 201)
        before = self.ticket(ticket)
        self.assertStatus(self.advisor.delete(f"/canned-jobs/{job}"), 204)
        self.assertProblem(self.advisor.get(f"/canned-jobs/{job}"), 404, "not-found")
        self.assertEqual(self.ticket(ticket), before)
        [event] = self.assertStatus(self.admin.get("/audit?kind=deleted"), 200)
        self.assertEqual((event["subject"], event["subject_id"]), ("canned job", job))


class PartsOfCannedJobs(CannedJobTest):
    """A part that a canned job names"""

    def test_it_is_archived_instead_of_deleted_and_shown_as_such(self) -> None:
        part, unused = self.new_part(None), self.new_part(None, name="Rotor")
        job = self.new_canned_job(parts=[{"part_id": part}])
        self.archive(part)
        self.archive(unused)
        [line] = self.seen(job)["parts"]
        self.assertEqual((line["part_id"], line["name"], line["archived"]), (part, "Oil filter", True))
        [listed] = self.assertStatus(self.advisor.get("/canned-jobs"), 200)
        self.assertTrue(listed["parts"][0]["archived"])

    def test_an_archived_one_may_stay_and_come_no_more(self) -> None:
        part, other = self.new_part(), self.new_part(name="Rotor")
        job = self.new_canned_job(parts=[{"part_id": part}])
        self.archive(part)
        both = [{"part_id": part, "quantity": 3}, {"part_id": other}]
        self.assertEqual(len(self.assertStatus(self.change(job, parts=both), 200)["parts"]), 2)
        self.assertStatus(self.change(job, parts=[{"part_id": other}]), 200)
        self.assertProblem(self.change(job, parts=both), 404, "not-found")

    def test_a_fraction_keeps_its_unit(self) -> None:
        part = self.new_part(unit="quart")
        job = self.new_canned_job(parts=[{"part_id": part, "quantity": 0.5}])
        self.assertProblem(self.advisor.put(f"/inventory/{part}", {"unit": "each"}), 409, "unit-in-use")
        self.assertStatus(self.change(job, parts=[{"part_id": part, "quantity": 2}]), 200)
        self.assertStatus(self.advisor.put(f"/inventory/{part}", {"unit": "each"}), 200)


class ListCannedJobs(CannedJobTest):
    """GET /canned-jobs"""

    def test_words_of_the_name_find_it_and_names_sort_as_people_sort(self) -> None:
        for name in ("Rear brakes", "front BRAKES", "Ölwechsel"):
            self.new_canned_job(name=name)

        def names(query: str) -> list[str]:
            return [job["name"] for job in self.assertStatus(self.mechanic.get(f"/canned-jobs?{query}"), 200)]

        self.assertEqual(names("sort=name"), ["front BRAKES", "Ölwechsel", "Rear brakes"])
        self.assertEqual(names("sort=-id"), ["Ölwechsel", "front BRAKES", "Rear brakes"])
        self.assertEqual(names("q=brakes"), ["Rear brakes", "front BRAKES"])
        self.assertEqual(names("q=olwechsel"), ["Ölwechsel"])

    def test_it_is_never_older_than_the_last_write(self) -> None:
        part = self.new_part()
        job = self.new_canned_job(parts=[{"part_id": part}])

        def listed() -> Any:
            return self.assertStatus(self.advisor.get("/canned-jobs"), 200)

        self.assertEqual(len(listed()), 1)
        self.assertStatus(self.change(job, labor=[LABOR]), 200)
        self.assertEqual(listed()[0]["labor"], [LABOR])
        self.assertStatus(self.advisor.put(f"/inventory/{part}", {"name": "Pad"}), 200)
        self.assertEqual(listed()[0]["parts"][0]["name"], "Pad")
        self.assertStatus(self.advisor.delete(f"/canned-jobs/{job}"), 204)
        self.assertEqual(listed(), [])
