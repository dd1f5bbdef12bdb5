"""/inventory: the parts catalogue, its prices, and what becomes of a part that tickets use."""

from typing import Any

from sqlalchemy import select

from app.extensions import db
from app.models import Part, StockMovement
from tests.support import Caller, ShopTest

NEW = {"name": "Brake pads", "price": "64.90"}
FIELDS = {
    "id",
    "name",
    "price",
    "sku",
    "unit",
    "taxable",
    "quantity_on_hand",
    "quantity_reserved",
    "quantity_available",
    "reorder_point",
    "cost",
    "location",
    "version",
}


class CreatePart(ShopTest):
    """POST /inventory"""

    def test_the_front_desk_adds_a_part(self) -> None:
        for caller in (self.advisor, self.admin):
            with self.subTest(caller.email):
                sent = {
                    **NEW,
                    "sku": caller.email,
                    "unit": "pair",
                    "taxable": False,
                    "quantity_on_hand": 12,
                    "reorder_point": 4,
                    "cost": "31.2",
                    "location": "A3-12",
                }
                response = caller.post("/inventory", sent)
                created = self.assertStatus(response, 201)
                derived = {"id": created["id"], "quantity_reserved": 0, "quantity_available": 12, "version": 1}
                self.assertEqual(created, {**sent, "cost": "31.20", **derived})
                self.assertEqual(response.headers["Location"], f"/inventory/{created['id']}")
                self.assertEqual(caller.get(response.headers["Location"]).json, created)

    def test_name_and_price_are_enough_and_stock_is_then_not_tracked(self) -> None:
        created = self.assertStatus(self.advisor.post("/inventory", NEW), 201)
        self.assertEqual((created["quantity_on_hand"], created["quantity_available"]), (None, None))
        self.assertEqual((created["sku"], created["cost"], created["quantity_reserved"]), (None, None, 0))

    def test_name_and_price_are_required(self) -> None:
        self.assertInvalid(self.advisor.post("/inventory", {}), "name", "price")

    def test_mechanics_customers_and_strangers_may_not(self) -> None:
        self.assertProblem(self.anyone.post("/inventory", NEW), 401, "not-signed-in")
        for caller in (self.mechanic, self.customer):
            self.assertProblem(caller.post("/inventory", NEW), 403, "forbidden")

    def test_a_sku_is_unique_where_given(self) -> None:
        self.assertStatus(self.advisor.post("/inventory", {**NEW, "sku": "PAD"}), 201)
        self.assertProblem(self.advisor.post("/inventory", {**NEW, "sku": "PAD"}), 409, "sku-taken")
        for _ in range(2):
            self.assertStatus(self.advisor.post("/inventory", {**NEW, "sku": None}), 201)

    def test_prices_are_taken_as_text_or_number_and_kept_to_the_cent(self) -> None:
        for sent, kept in (
            ("0", "0.00"),
            ("29.9", "29.90"),
            (29.99, "29.99"),
            (1.1, "1.10"),
            (7, "7.00"),
            ("999999999.99", "999999999.99"),
            (999999999.99, "999999999.99"),
        ):
            with self.subTest(repr(sent)):
                created = self.assertStatus(self.advisor.post("/inventory", {**NEW, "price": sent}), 201)
                self.assertEqual(created["price"], kept)
                self.assertEqual(self.advisor.get(f"/inventory/{created['id']}").json["price"], kept)

    def test_what_does_not_fit_is_refused_by_name(self) -> None:
        for field, value in (
            ("name", ""),
            ("name", "n" * 121),
            ("price", None),
            ("price", "1000000000"),
            ("sku", "s" * 65),
            ("sku", ""),
            ("quantity_on_hand", -1),
            ("quantity_on_hand", 1.5),
            ("reorder_point", -1),
            ("cost", "-0.01"),
            ("location", "l" * 65),
            ("quantity_reserved", 0),
            ("quantity_available", 5),
            ("version", 2),
            ("archived_at", None),
        ):
            with self.subTest(f"{field}={value}"):
                self.assertInvalid(self.advisor.post("/inventory", {**NEW, field: value}), field)


class ListParts(ShopTest):
    """GET /inventory"""

    def test_staff_see_all_fields_and_customers_names_and_prices(self) -> None:
        part = self.make_part()
        for caller in (
            self.mechanic,
            self.advisor,
            self.customer,
            self.admin,
        ):  # alternating: what is kept must not mix
            listed = self.assertStatus(caller.get("/inventory"), 200)
            if caller is self.customer:
                self.assertEqual(listed, [{"id": part, "name": "Oil filter", "price": "12.50"}])
            else:
                self.assertEqual(set(listed[0]), FIELDS)

    def test_nobody_sees_it_without_a_token(self) -> None:
        self.assertProblem(self.anyone.get("/inventory"), 401, "not-signed-in")

    def test_it_comes_in_pages(self) -> None:
        parts = [self.make_part() for _ in range(21)]
        for caller in (self.mechanic, self.customer):
            with self.subTest(caller.email):
                first, second = caller.get("/inventory"), caller.get("/inventory?page=2")
                self.assertEqual([row["id"] for row in first.json + second.json], parts)
                self.assertEqual((len(second.json), second.headers["X-Total-Count"]), (1, "21"))
                self.assertIn('rel="next"', first.headers["Link"])
                self.assertNotIn('rel="next"', second.headers["Link"])

    def test_a_list_without_parts_is_empty(self) -> None:
        response = self.mechanic.get("/inventory")
        self.assertEqual((self.assertStatus(response, 200), response.headers["X-Total-Count"]), ([], "0"))

    def test_every_write_shows_in_the_next_list(self) -> None:
        def listed() -> list[tuple[str, int]]:
            return [(row["price"], row["quantity_available"]) for row in self.advisor.get("/inventory").json]

        self.assertEqual(listed(), [])
        part = self.advisor.post("/inventory", {**NEW, "quantity_on_hand": 5}).json["id"]
        self.assertEqual(listed(), [("64.90", 5)])
        self.advisor.patch(f"/inventory/{part}", {"price": "70"})
        self.assertEqual(listed(), [("70.00", 5)])
        self.mechanic.put(f"/service-tickets/{self.make_ticket()}/add-part/{part}", {"quantity": 2})
        self.assertEqual(listed(), [("70.00", 3)])
        self.advisor.delete(f"/inventory/{part}")
        self.assertEqual(listed(), [])


class GetPart(ShopTest):
    """GET /inventory/{id}"""

    def test_staff_see_all_fields_and_a_customer_name_and_price(self) -> None:
        part = self.make_part(cost=None)
        shown = self.assertStatus(self.mechanic.get(f"/inventory/{part}"), 200)
        self.assertEqual(set(shown), FIELDS)
        seen = self.assertStatus(self.customer.get(f"/inventory/{part}"), 200)
        self.assertEqual(seen, {"id": part, "name": "Oil filter", "price": "12.50"})

    def test_it_needs_a_token_and_a_part_that_is_there(self) -> None:
        self.assertProblem(self.anyone.get(f"/inventory/{self.make_part()}"), 401, "not-signed-in")
        self.assertProblem(self.customer.get("/inventory/999"), 404, "not-found")


class UpdatePart(ShopTest):
    """PUT and PATCH /inventory/{id}"""

    def setUp(self) -> None:
        super().setUp()
        self.part = self.make_part(sku="FILTER")
        self.path = f"/inventory/{self.part}"

    def test_put_and_patch_change_what_is_sent_and_leave_the_rest(self) -> None:
        for count, (caller, method) in enumerate(((self.advisor, "PUT"), (self.admin, "PATCH")), start=2):
            with self.subTest(method):
                shown = self.assertStatus(caller.request(method, self.path, json={"price": count}), 200)
                self.assertEqual((shown["price"], shown["version"]), (f"{count}.00", count))
                self.assertEqual((shown["name"], shown["sku"], shown["quantity_on_hand"]), ("Oil filter", "FILTER", 10))

    def test_nothing_changed_is_no_new_version(self) -> None:
        for changes in ({}, {"price": 12.5}):
            self.assertEqual(self.assertStatus(self.advisor.put(self.path, changes), 200)["version"], 1)

    def test_the_stock_is_no_field_of_it(self) -> None:
        before = self.advisor.get(self.path).json
        for method in ("PUT", "PATCH"):
            for field in ("quantity_on_hand", "quantity_reserved", "quantity_available"):
                for value in (3, None):
                    with self.subTest(f"{method} {field}={value}"):
                        sent = {"price": 1, field: value}
                        self.assertInvalid(self.advisor.request(method, self.path, json=sent), field)
        self.assertEqual(self.advisor.get(self.path).json, before)

    def test_a_sku_of_another_part_is_taken(self) -> None:
        other = self.make_part(sku="OTHER")
        self.assertProblem(self.advisor.put(f"/inventory/{other}", {"sku": "FILTER"}), 409, "sku-taken")
        self.assertStatus(self.advisor.put(self.path, {"sku": "FILTER"}), 200)

    def test_mechanics_customers_and_strangers_may_not(self) -> None:
        for method in ("PUT", "PATCH"):
            for caller, status in ((self.anyone, 401), (self.customer, 403), (self.mechanic, 403)):
                self.assertStatus(caller.request(method, self.path, json={"price": 1}), status)
        self.assertEqual(self.row(Part, self.part).version, 1)

    def test_what_is_not_there_is_not_found(self) -> None:
        self.assertProblem(self.advisor.put("/inventory/999", {"price": 1}), 404, "not-found")

    def test_what_may_not_be_cleared_or_written_is_refused(self) -> None:
        for field, value in (("name", None), ("price", None), ("quantity_available", 1), ("id", 3), ("version", 1)):
            with self.subTest(field):
                self.assertInvalid(self.advisor.put(self.path, {field: value}), field)


class DeletePart(ShopTest):
    """DELETE /inventory/{id}"""

    def setUp(self) -> None:
        super().setUp()
        self.part, self.ticket = self.make_part(sku="FILTER"), self.make_ticket()

    def delete(self, caller: Caller) -> Any:
        return caller.delete(f"/inventory/{self.part}")

    def put_on_ticket(self, quantity: int = 2, ticket: int = 0) -> Any:
        path = f"/service-tickets/{ticket or self.ticket}/add-part/{self.part}"
        return self.advisor.put(path, {"quantity": quantity})

    def test_the_front_desk_deletes_an_unused_part(self) -> None:
        self.part = self.make_part(quantity_on_hand=None)
        response = self.delete(self.advisor)
        self.assertEqual((response.status_code, response.data), (204, b""))
        self.assertIsNone(self.row(Part, self.part))
        self.assertProblem(self.delete(self.admin), 404, "not-found")

    def test_a_part_with_a_ledger_is_gone_for_clients_and_the_ledger_stays(self) -> None:
        self.assertStatus(self.delete(self.advisor), 204)
        self.assertEqual(self.advisor.get("/inventory").json, [])
        for path in (f"/inventory/{self.part}", f"/inventory/{self.part}/movements"):
            self.assertProblem(self.advisor.get(path), 404, "not-found")
        self.assertProblem(self.delete(self.admin), 404, "not-found")
        movements = select(StockMovement.quantity).where(StockMovement.part_id == self.part)
        self.assertEqual(db.session.scalars(movements).all(), [10])

    def test_mechanics_customers_and_strangers_may_not(self) -> None:
        for caller, status in ((self.anyone, 401), (self.customer, 403), (self.mechanic, 403)):
            self.assertStatus(self.delete(caller), status)
        self.assertIsNotNone(self.row(Part, self.part))

    def test_a_used_part_is_gone_from_lists_and_from_new_lines(self) -> None:
        self.put_on_ticket()
        self.assertStatus(self.delete(self.advisor), 204)
        self.assertEqual(self.advisor.get("/inventory").json, [])
        self.assertProblem(self.put_on_ticket(ticket=self.make_ticket()), 404, "not-found")
        self.assertProblem(self.advisor.put(f"/inventory/{self.part}", {"price": 1}), 404, "not-found")

    def test_a_used_part_is_kept_on_the_tickets_that_use_it(self) -> None:
        self.put_on_ticket()
        before = self.advisor.get(f"/service-tickets/{self.ticket}").json
        self.delete(self.advisor)
        self.assertEqual(self.advisor.get(f"/service-tickets/{self.ticket}").json, before)
        self.assertEqual(before["parts"][0]["name"], "Oil filter")

    def test_an_archived_part_can_be_taken_off_twice(self) -> None:
        self.put_on_ticket()
        self.delete(self.advisor)
        for _ in range(2):
            path = f"/service-tickets/{self.ticket}/remove-part/{self.part}"
            self.assertEqual(self.assertStatus(self.advisor.put(path), 200)["parts"], [])
        row = self.row(Part, self.part)
        self.assertEqual((row.quantity_on_hand, row.quantity_reserved), (10, 0))

    def test_an_archived_part_is_still_issued_to_the_tickets_that_use_it(self) -> None:
        self.put_on_ticket()
        self.delete(self.advisor)
        self.assertStatus(self.put_on_ticket(3), 200)
        self.take_to(self.ticket, "completed")
        row = self.row(Part, self.part)
        self.assertEqual((row.quantity_on_hand, row.quantity_reserved), (7, 0))

    def test_the_sku_of_an_archived_part_is_free_again(self) -> None:
        self.put_on_ticket()
        self.delete(self.advisor)
        self.assertStatus(self.advisor.post("/inventory", {**NEW, "sku": "FILTER"}), 201)
