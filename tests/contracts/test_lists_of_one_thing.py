"""Lists below one thing: empty where it has nothing of the kind, and not there where it is not."""

import re
from typing import Any

import config
from app.models import Vehicle
from tests.support import Caller, ShopTest

NOBODY = 999_999


class ListsOfOneThing(ShopTest):
    """All of them, as the document has them."""

    def setUp(self) -> None:
        super().setUp()
        document = self.assertStatus(self.anyone.get("/openapi.json"), 200)
        reads = {path: methods["get"]["parameters"] for path, methods in document["paths"].items() if "get" in methods}
        self.paths = [path for path, given in reads.items() if "{" in path and self.is_list(given)]
        self.ids = {
            "customer_id": self.stranger.id,
            "mechanic_id": self.colleague.id,
            "part_id": self.make_part(quantity_on_hand=None),
            "ticket_id": self.make_ticket(),
            "vehicle_id": int(self.save(Vehicle(customer_id=self.stranger.id)).id),
        }
        self.empty = {**self.ids, "customer_id": self.customer.id}

    def is_list(self, parameters: list[dict[str, Any]]) -> bool:
        """Whether an address with these parameters has pages."""
        return any(each.get("name") == "per_page" for each in parameters)

    def test_there_are_these(self) -> None:
        ends = {path.rpartition("/")[2] for path in self.paths}
        self.assertLessEqual({"history", "payments", "movements", "vehicles"}, ends)

    def test_of_what_is_there_and_has_none_they_are_empty(self) -> None:
        for path in self.paths:
            ids = self.empty if path.endswith("/vehicles") else self.ids
            with self.subTest(path):
                answer = self.admin.get(path.format(**ids))
                self.assertEqual(self.assertStatus(answer, 200), [])
                self.assertEqual(answer.headers["X-Total-Count"], "0")

    def test_of_what_is_not_there_neither_are_they(self) -> None:
        for path in self.paths:
            for name in re.findall(r"{(\w+)}", path):
                with self.subTest(path, missing=name):
                    self.assertProblem(self.admin.get(path.format(**{**self.ids, name: NOBODY})), 404, "not-found")

    def test_a_thing_is_there_as_soon_as_it_was_made(self) -> None:
        """There is one database, so nobody is told of an older state of things."""
        advisor: Caller = self.advisor
        for _ in range(10):
            sent = {"customer_id": self.customer.id, "description": "Squeals"}
            ticket = self.assertStatus(advisor.post("/service-tickets", sent), 201)["id"]
            self.assertEqual(len(self.assertStatus(self.mechanic.get(f"/service-tickets/{ticket}/history"), 200)), 1)
            part = self.assertStatus(advisor.post("/inventory", {"name": "Belt", "price": "9.90"}), 201)["id"]
            self.assertEqual(self.assertStatus(self.mechanic.get(f"/inventory/{part}/movements"), 200), [])

    def test_no_setting_names_another_database(self) -> None:
        names = [setting.name for setting in config.SETTINGS if re.fullmatch("DATABASE.*_URL", setting.name)]
        self.assertEqual(names, ["DATABASE_URL"])
