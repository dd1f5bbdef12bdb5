"""/service-tickets: opening repair orders, who works on them, which parts they use, where they stand."""

from typing import Any

from tests.support import Caller, ShopTest

CANONICAL, ALIAS = "/service-tickets", "/service_tickets"
PREFIXES = (CANONICAL, ALIAS)
FIELDS = {
    "id",
    "status",
    "hold",
    "description",
    "customer_id",
    "customer",
    "vehicle_id",
    "vehicle",
    "odometer",
    "mechanics",
    "jobs",
    "parts",
    "labor",
    "fees",
    "discount_percent",
    "discount_amount",
    "authorized_amount",
    "totals",
    "totals_if_approved",
    "opened_by",
    "created_at",
    "updated_at",
    "version",
}
NOTHING = dict.fromkeys(("parts", "labor", "fees", "discount", "supplies", "tax", "total", "paid", "balance"), "0.00")
# Where each state leads by PUT .../status, and who of the staff goes there; `own` is the ticket's mechanic.
STATUSES = ("estimate", "declined", "open", "in_progress", "completed", "invoiced", "paid", "void")
DESK, SHOP, ADMIN = {"advisor", "admin"}, {"own", "advisor", "admin"}, {"admin"}
TRANSITIONS = {
    ("estimate", "void"): DESK,
    ("declined", "estimate"): DESK,
    ("open", "in_progress"): SHOP,
    ("open", "void"): DESK,
    ("in_progress", "completed"): SHOP,
    ("in_progress", "open"): SHOP,
    ("completed", "in_progress"): SHOP,
    ("invoiced", "completed"): ADMIN,
    ("paid", "completed"): ADMIN,
}


class TicketTest(ShopTest):
    """A ticket that `mechanic` opened for `customer`, and a part of which there are 10."""

    def setUp(self) -> None:
        super().setUp()
        self.ticket, self.part = self.make_ticket(), self.make_part()
        self.path = f"{CANONICAL}/{self.ticket}"

    def shown(self) -> Any:
        """The ticket as it is now."""
        return self.assertStatus(self.admin.get(self.path), 200)

    def shelf(self) -> tuple[int | None, int, int | None]:
        """What of the part is on hand, reserved and available now."""
        part = self.assertStatus(self.admin.get(f"/inventory/{self.part}"), 200)
        return part["quantity_on_hand"], part["quantity_reserved"], part["quantity_available"]

    def complete(self) -> None:
        """Close the ticket to changes."""
        self.take_to(self.ticket, "completed")

    def quote(self) -> int:
        """The id of a new estimate of `mechanic`, on which there is something to pay."""
        sent = {"customer_id": self.customer.id, "description": "Oil change", "status": "estimate"}
        ticket = int(self.assertStatus(self.mechanic.post(CANONICAL, sent), 201)["id"])
        labor = {"description": "Oil change", "hours": "0.5"}
        self.assertStatus(self.mechanic.post(f"{CANONICAL}/{ticket}/labor", labor), 201)
        return ticket

    def assertUnchanged(self, before: Any) -> None:
        """Nothing happened to the ticket since, nor to its version."""
        self.assertEqual(self.shown(), before)


class OpenTicket(ShopTest):
    """POST /service-tickets and /service-tickets/mechanic/create"""

    def setUp(self) -> None:
        super().setUp()
        self.sent = {"customer_id": self.customer.id, "description": "Squeals when braking", "odometer": 84210}

    def test_staff_open_a_ticket_at_every_address(self) -> None:
        for prefix in PREFIXES:
            for path in (prefix, f"{prefix}/mechanic/create", f"{prefix}/"):
                for caller in (self.mechanic, self.advisor, self.admin):
                    with self.subTest(f"{path} {caller.email}"):
                        response = caller.post(path, self.sent)
                        created = self.assertStatus(response, 201)
                        self.assertEqual(response.headers["Location"], f"{CANONICAL}/{created['id']}")
                        self.assertEqual(created["opened_by"]["id"], caller.id)
                        self.assertEqual(caller.get(response.headers["Location"]).json, created)

    def test_a_new_ticket_is_open_and_has_all_of_its_shape(self) -> None:
        created = self.assertStatus(self.mechanic.post(CANONICAL, self.sent), 201)
        self.assertLessEqual(FIELDS, set(created))
        self.assertEqual((created["status"], created["version"]), ("open", 1))
        self.assertEqual((created["mechanics"], created["parts"], created["labor"]), ([], [], []))
        self.assertEqual((created["hold"], created["vehicle_id"], created["vehicle"]), (None, None, None))
        self.assertEqual((created["discount_percent"], created["discount_amount"]), (None, None))
        self.assertEqual((created["totals"], created["authorized_amount"]), (NOTHING, None))
        self.assertEqual((created["description"], created["odometer"]), ("Squeals when braking", 84210))
        self.assertEqual((created["customer_id"], created["customer"]["name"]), (self.customer.id, "Cus Tomer"))
        self.assertEqual(created["opened_by"], {"id": self.mechanic.id, "name": "Mel Mechanic"})
        for moment in ("created_at", "updated_at"):
            self.assertRegex(created[moment], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")

    def test_it_starts_open_or_as_a_quote_and_in_no_other_state(self) -> None:
        for status in STATUSES:
            with self.subTest(status):
                response = self.mechanic.post(CANONICAL, {**self.sent, "status": status})
                if status in ("open", "estimate"):
                    self.assertEqual(self.assertStatus(response, 201)["status"], status)
                else:
                    self.assertInvalid(response, "status")

    def test_customers_and_strangers_may_not(self) -> None:
        for path in (CANONICAL, f"{CANONICAL}/mechanic/create"):
            self.assertProblem(self.anyone.post(path, self.sent), 401, "not-signed-in")
            self.assertProblem(self.customer.post(path, self.sent), 403, "forbidden")

    def test_the_odometer_may_be_left_out_and_the_rest_not(self) -> None:
        del self.sent["odometer"]
        self.assertIsNone(self.assertStatus(self.mechanic.post(CANONICAL, self.sent), 201)["odometer"])
        self.assertInvalid(self.mechanic.post(CANONICAL, {}), "customer_id", "description")

    def test_a_customer_who_is_not_there_is_not_found(self) -> None:
        self.assertProblem(self.mechanic.post(CANONICAL, {**self.sent, "customer_id": 999}), 404, "not-found")

    def test_what_does_not_fit_is_refused_by_name(self) -> None:
        for field, value in (
            ("customer_id", None),
            ("customer_id", 0),
            ("customer_id", "1"),
            ("customer_id", 2**31),
            ("description", ""),
            ("description", "d" * 2001),
            ("odometer", -1),
            ("odometer", "84210"),
            ("vehicle_id", "1"),
            ("vehicle_id", None),
            ("status", None),
            ("override", 1),
            ("hold", "parts"),
            ("labor_rate", "1.00"),
            ("discount_percent", "10"),
            ("totals", {}),
            ("opened_by_id", 1),
            ("created_at", "2020-01-01T00:00:00Z"),
            ("mechanics", []),
            ("version", 1),
        ):
            with self.subTest(f"{field}={value}"):
                self.assertInvalid(self.mechanic.post(CANONICAL, {**self.sent, field: value}), field)


class ListTickets(ShopTest):
    """GET /service-tickets"""

    def test_staff_see_every_ticket_in_pages(self) -> None:
        tickets = {self.make_ticket(customer=who) for who in (self.customer, self.stranger) for _ in range(11)}
        for prefix in PREFIXES:
            for caller in (self.mechanic, self.advisor, self.admin):
                with self.subTest(f"{prefix} {caller.email}"):
                    first, second = caller.get(prefix), caller.get(f"{prefix}?page=2")
                    self.assertEqual((len(first.json), len(second.json)), (20, 2))
                    self.assertEqual({row["id"] for row in first.json + second.json}, tickets)
                    self.assertEqual(second.headers["X-Total-Count"], "22")
                    self.assertIn('rel="prev"', second.headers["Link"])
                    self.assertEqual(self.assertStatus(caller.get(f"{prefix}?page=3"), 200), [])

    def test_a_ticket_looks_as_it_does_alone(self) -> None:
        ticket = self.make_ticket()
        self.assertEqual(self.mechanic.get(CANONICAL).json, [self.mechanic.get(f"{CANONICAL}/{ticket}").json])

    def test_customers_and_strangers_may_not(self) -> None:
        for prefix in PREFIXES:
            self.assertProblem(self.anyone.get(prefix), 401, "not-signed-in")
            self.assertProblem(self.customer.get(prefix), 403, "forbidden")

    def test_per_page_is_1_to_100(self) -> None:
        for value in (0, 101):
            self.assertInvalid(self.admin.get(f"{CANONICAL}?per_page={value}"), "per_page")


class GetTicket(TicketTest):
    """GET /service-tickets/{id}"""

    def test_staff_and_the_own_customer_see_it(self) -> None:
        for prefix in PREFIXES:
            for caller in (self.customer, self.mechanic, self.colleague, self.advisor, self.admin):
                with self.subTest(f"{prefix} {caller.email}"):
                    shown = self.assertStatus(caller.get(f"{prefix}/{self.ticket}"), 200)
                    self.assertLessEqual(FIELDS, set(shown))

    def test_to_another_customer_it_is_not_there(self) -> None:
        for prefix in PREFIXES:
            hidden = self.assertProblem(self.stranger.get(f"{prefix}/{self.ticket}"), 404, "not-found")
            missing = self.assertProblem(self.stranger.get(f"{prefix}/999"), 404, "not-found")
            self.assertEqual(hidden["detail"].replace(str(self.ticket), "999"), missing["detail"])

    def test_nobody_sees_it_without_a_token(self) -> None:
        self.assertProblem(self.anyone.get(self.path), 401, "not-signed-in")

    def test_a_customer_learns_no_more_of_the_staff_than_the_names(self) -> None:
        self.mechanic.put(f"{self.path}/assign-mechanic/{self.mechanic.id}")
        shown = self.assertStatus(self.customer.get(self.path), 200)
        named = {"id": self.mechanic.id, "name": "Mel Mechanic"}
        self.assertEqual((shown["mechanics"], shown["opened_by"]), ([named], named))


class AssignMechanic(TicketTest):
    """PUT .../assign-mechanic/{mechanic_id} and .../remove-mechanic/{mechanic_id}"""

    def assign(self, caller: Caller, who: Caller, prefix: str = CANONICAL) -> Any:
        return caller.put(f"{prefix}/{self.ticket}/assign-mechanic/{who.id}")

    def remove(self, caller: Caller, who: Caller, prefix: str = CANONICAL) -> Any:
        return caller.put(f"{prefix}/{self.ticket}/remove-mechanic/{who.id}")

    def assigned(self) -> list[int]:
        return [mechanic["id"] for mechanic in self.shown()["mechanics"]]

    def test_the_front_desk_assigns_and_removes_anyone(self) -> None:
        for prefix in PREFIXES:
            for caller in (self.advisor, self.admin):
                with self.subTest(f"{prefix} {caller.email}"):
                    self.assertStatus(self.assign(caller, self.mechanic, prefix), 200)
                    answer = self.assertStatus(self.assign(caller, self.colleague, prefix), 200)
                    self.assertEqual([m["id"] for m in answer["mechanics"]], [self.mechanic.id, self.colleague.id])
                    self.assertStatus(self.remove(caller, self.mechanic, prefix), 200)
                    answer = self.assertStatus(self.remove(caller, self.colleague, prefix), 200)
                    self.assertEqual(answer["mechanics"], [])
                    self.assertEqual(self.assigned(), [])

    def test_a_mechanic_assigns_and_removes_themself_on_any_ticket(self) -> None:
        self.assertStatus(self.assign(self.colleague, self.colleague), 200)
        self.assertEqual(self.assigned(), [self.colleague.id])
        self.assertStatus(self.remove(self.colleague, self.colleague), 200)
        self.assertEqual(self.assigned(), [])

    def test_a_mechanic_may_not_assign_another(self) -> None:
        self.assertProblem(self.assign(self.mechanic, self.colleague), 403, "forbidden")
        self.assertEqual(self.assigned(), [])

    def test_a_mechanic_may_not_remove_another(self) -> None:
        self.assign(self.advisor, self.colleague)
        self.assertProblem(self.remove(self.mechanic, self.colleague), 403, "forbidden")
        self.assertEqual(self.assigned(), [self.colleague.id])

    def test_customers_and_strangers_may_not(self) -> None:
        for act in (self.assign, self.remove):
            self.assertProblem(act(self.anyone, self.mechanic), 401, "not-signed-in")
            self.assertProblem(act(self.customer, self.mechanic), 403, "forbidden")

    def test_assigning_twice_is_assigning_once(self) -> None:
        first = self.assertStatus(self.assign(self.advisor, self.mechanic), 200)
        self.assertEqual(first["version"], 2)
        self.assertEqual(self.assertStatus(self.assign(self.advisor, self.mechanic), 200), first)

    def test_removing_twice_is_removing_once(self) -> None:
        self.assign(self.advisor, self.mechanic)
        first = self.assertStatus(self.remove(self.advisor, self.mechanic), 200)
        self.assertEqual(first["version"], 3)
        self.assertEqual(self.assertStatus(self.remove(self.advisor, self.mechanic), 200), first)

    def test_who_or_what_is_not_there_is_not_found(self) -> None:
        for action in ("assign-mechanic", "remove-mechanic"):
            for path in (f"{self.path}/{action}/999", f"{CANONICAL}/999/{action}/{self.mechanic.id}"):
                with self.subTest(path):
                    self.assertProblem(self.advisor.put(path), 404, "not-found")

    def test_a_deactivated_mechanic_is_not_assigned_but_can_be_removed(self) -> None:
        self.assign(self.advisor, self.mechanic)
        for who in (self.mechanic, self.colleague):
            self.admin.delete(f"/mechanics/admin/delete/{who.id}")
        self.assertProblem(self.assign(self.advisor, self.colleague), 409, "mechanic-inactive")
        self.assertStatus(self.remove(self.advisor, self.mechanic), 200)
        self.assertEqual(self.assigned(), [])

    def test_a_completed_ticket_refuses(self) -> None:
        self.assign(self.advisor, self.mechanic)
        self.complete()
        for act, who in ((self.assign, self.colleague), (self.remove, self.mechanic)):
            problem = self.assertProblem(act(self.advisor, who), 409, "ticket-locked")
            self.assertEqual(problem["ticket_status"], "completed")
        self.assertEqual(self.assigned(), [self.mechanic.id])

    def test_being_assigned_makes_a_ticket_ones_own_and_being_removed_ends_that(self) -> None:
        path = f"{self.path}/add-part/{self.part}"
        for act, status in ((None, 403), (self.assign, 200), (self.remove, 403)):
            if act:
                act(self.advisor, self.colleague)
            self.assertStatus(self.colleague.put(path), status)


class EditTicket(TicketTest):
    """PUT .../edit"""

    def edit(self, caller: Caller, prefix: str = CANONICAL, **changes: Any) -> Any:
        return caller.put(f"{prefix}/{self.ticket}/edit", changes)

    def test_mechanics_and_fields_change_at_once(self) -> None:
        for prefix, caller in zip(PREFIXES, (self.advisor, self.admin), strict=True):
            with self.subTest(prefix):
                self.edit(self.advisor, add_mechanic_ids=[self.mechanic.id], remove_mechanic_ids=[self.colleague.id])
                answer = self.assertStatus(
                    self.edit(
                        caller,
                        prefix,
                        add_mechanic_ids=[self.colleague.id],
                        remove_mechanic_ids=[self.mechanic.id],
                        description=f"Changed at {prefix}",
                        odometer=90000,
                    ),
                    200,
                )
                self.assertEqual([m["id"] for m in answer["mechanics"]], [self.colleague.id])
                self.assertEqual((answer["description"], answer["odometer"]), (f"Changed at {prefix}", 90000))
                self.assertUnchanged(answer)

    def test_every_change_grows_the_version_and_moves_updated_at(self) -> None:
        before = self.shown()
        after = self.assertStatus(self.edit(self.advisor, description="Brakes done"), 200)
        self.assertEqual(after["version"], before["version"] + 1)
        self.assertGreater(after["updated_at"], before["updated_at"])
        self.assertEqual((after["created_at"], after["odometer"]), (before["created_at"], before["odometer"]))

    def test_nothing_asked_is_nothing_changed(self) -> None:
        before = self.shown()
        for changes in ({}, {"add_mechanic_ids": [], "remove_mechanic_ids": []}):
            self.assertStatus(self.edit(self.advisor, **changes), 200)
            self.assertUnchanged(before)

    def test_an_id_given_twice_counts_once(self) -> None:
        answer = self.assertStatus(self.edit(self.advisor, add_mechanic_ids=[self.mechanic.id] * 2), 200)
        self.assertEqual([m["id"] for m in answer["mechanics"]], [self.mechanic.id])

    def test_all_or_nothing(self) -> None:
        self.admin.delete(f"/mechanics/admin/delete/{self.colleague.id}")
        before = self.shown()
        for bad_id, status in ((999, 404), (self.colleague.id, 409)):
            with self.subTest(status):
                answer = self.edit(self.advisor, add_mechanic_ids=[self.mechanic.id, bad_id], description="Changed")
                self.assertStatus(answer, status)
                self.assertUnchanged(before)

    def test_a_mechanic_changes_the_fields_of_tickets_they_opened_or_are_assigned_to(self) -> None:
        self.assertStatus(self.edit(self.mechanic, description="By who opened it"), 200)
        self.assertProblem(self.edit(self.colleague, description="By another"), 403, "forbidden")
        self.edit(self.colleague, add_mechanic_ids=[self.colleague.id])
        self.assertStatus(self.edit(self.colleague, description="By who is assigned"), 200)

    def test_a_mechanic_may_put_only_their_own_id_in_the_lists(self) -> None:
        before = self.shown()
        for name in ("add_mechanic_ids", "remove_mechanic_ids"):
            for ids in ([self.colleague.id], [self.mechanic.id, self.colleague.id]):
                with self.subTest(f"{name}={ids}"):
                    self.assertProblem(self.edit(self.mechanic, **{name: ids}), 403, "forbidden")
        self.assertUnchanged(before)
        self.assertStatus(self.edit(self.mechanic, add_mechanic_ids=[self.mechanic.id]), 200)
        self.assertStatus(self.edit(self.mechanic, remove_mechanic_ids=[self.mechanic.id]), 200)

    def test_a_mechanic_may_not_change_fields_by_assigning_themself_in_the_same_request(self) -> None:
        before = self.shown()
        answer = self.edit(self.colleague, add_mechanic_ids=[self.colleague.id], description="Mine now")
        self.assertProblem(answer, 403, "forbidden")
        self.assertUnchanged(before)

    def test_customers_and_strangers_may_not(self) -> None:
        self.assertProblem(self.edit(self.anyone, description="X"), 401, "not-signed-in")
        self.assertProblem(self.edit(self.customer, description="X"), 403, "forbidden")

    def test_a_ticket_that_is_not_there_is_not_found(self) -> None:
        self.assertProblem(self.advisor.put(f"{CANONICAL}/999/edit", {"description": "X"}), 404, "not-found")

    def test_only_the_front_desk_gives_a_discount(self) -> None:
        self.assertProblem(self.edit(self.mechanic, discount_percent="10"), 403, "forbidden")
        for caller in (self.advisor, self.admin):
            self.assertEqual(
                self.assertStatus(self.edit(caller, discount_percent="10"), 200)["discount_percent"], "10.00"
            )

    def test_it_changes_in_estimate_open_and_in_progress_and_nowhere_else(self) -> None:
        for status in STATUSES:
            with self.subTest(status):
                self.ticket = self.quote()
                self.take_to(self.ticket, status)
                self.path = f"{CANONICAL}/{self.ticket}"
                before = self.shown()
                for changes in ({"description": "X"}, {"add_mechanic_ids": [self.mechanic.id]}):
                    answer = self.edit(self.advisor, **changes)
                    if status in ("estimate", "open", "in_progress"):
                        self.assertStatus(answer, 200)
                    else:
                        problem = self.assertProblem(answer, 409, "ticket-locked")
                        self.assertEqual(problem["ticket_status"], status)
                        self.assertUnchanged(before)

    def test_what_does_not_fit_is_refused(self) -> None:
        for changes in (
            {"add_mechanic_ids": None},
            {"add_mechanic_ids": 3},
            {"add_mechanic_ids": ["3"]},
            {"add_mechanic_ids": [True]},
            {"remove_mechanic_ids": [0]},
            {"remove_mechanic_ids": [2**31]},
            {"add_mechanic_ids": list(range(1, 1001))},
            {"description": None},
            {"description": " "},
            {"odometer": -1},
            {"status": "completed"},
            {"hold": "parts"},
            {"vehicle_id": 0},
            {"override": "true"},
            {"discount_percent": "100.01"},
            {"discount_percent": "-1"},
            {"discount_amount": "1.234"},
            {"discount_percent": "10", "discount_amount": "5.00"},
            {"authorized_amount": "5.00"},
            {"customer_id": 2},
            {"version": 1},
        ):
            with self.subTest(str(changes)[:60]):
                self.assertProblem(self.edit(self.advisor, **changes), 422, "invalid-input")
        self.assertEqual(self.shown()["version"], 1)


class AddPart(TicketTest):
    """PUT .../add-part/{part_id}"""

    def add(self, caller: Caller, quantity: int = 1, prefix: str = CANONICAL) -> Any:
        return caller.put(f"{prefix}/{self.ticket}/add-part/{self.part}", {"quantity": quantity})

    def test_the_front_desk_and_the_tickets_mechanic_put_a_part_on_it(self) -> None:
        for quantity, caller in enumerate((self.mechanic, self.advisor, self.admin), start=1):
            for prefix in PREFIXES:
                with self.subTest(f"{prefix} {caller.email}"):
                    answer = self.assertStatus(self.add(caller, quantity, prefix), 200)
                    line = {"part_id": self.part, "name": "Oil filter", "sku": None, "unit_price": "12.50"}
                    line |= {"unit": "each", "taxable": True, "price_reason": None, "unit_cost": None}
                    total = f"{12.5 * quantity:.2f}"
                    stock = {"quantity": quantity, "quantity_short": 0}
                    ids = {name: answer["parts"][0][name] for name in ("id", "job_id")}
                    self.assertEqual(answer["parts"], [{**ids, **line, **stock, "line_total": total}])
                    self.assertEqual(answer["jobs"][0]["parts"], answer["parts"])
                    self.assertEqual(answer["totals"]["parts"], total)
                    self.assertEqual(self.shelf(), (10, quantity, 10 - quantity))

    def test_without_a_quantity_it_is_one(self) -> None:
        path = f"{self.path}/add-part/{self.part}"
        for sent in ({}, {"json": {}}):
            with self.subTest(str(sent)):
                self.add(self.advisor, 3)
                answer = self.assertStatus(self.advisor.request("PUT", path, **sent), 200)
                self.assertEqual((answer["parts"][0]["quantity"], self.shelf()), (1, (10, 1, 9)))

    def test_sent_twice_it_moves_stock_once(self) -> None:
        first = self.assertStatus(self.add(self.advisor, 4), 200)
        self.assertEqual(first["version"], 2)
        part = self.admin.get(f"/inventory/{self.part}").json
        self.assertEqual(self.assertStatus(self.add(self.advisor, 4), 200), first)
        self.assertEqual(self.admin.get(f"/inventory/{self.part}").json, part)
        self.assertEqual(self.shelf(), (10, 4, 6))

    def test_it_sets_the_quantity_and_lets_go_of_what_is_too_much(self) -> None:
        for quantity, left in ((4, 6), (7, 3), (2, 8), (10, 0), (1, 9)):
            with self.subTest(quantity):
                answer = self.assertStatus(self.add(self.advisor, quantity), 200)
                self.assertEqual((answer["parts"][0]["quantity"], self.shelf()), (quantity, (10, quantity, left)))

    def test_a_quote_reserves_nothing(self) -> None:
        self.ticket = self.quote()
        answer = self.assertStatus(self.add(self.advisor, 11), 200)
        self.assertEqual((answer["parts"][0]["quantity"], answer["parts"][0]["quantity_short"]), (11, 0))
        self.assertEqual(self.shelf(), (10, 0, 10))

    def test_not_enough_on_the_shelf_changes_nothing(self) -> None:
        self.add(self.advisor, 4)
        before = self.shown()
        problem = self.assertProblem(self.add(self.advisor, 11), 409, "out-of-stock")
        short = {"part_id": self.part, "requested": 11, "available": 10, "short": 1}
        self.assertEqual(problem["parts"], [short])
        self.assertUnchanged(before)
        self.assertEqual(self.shelf(), (10, 4, 6))

    def test_with_backorder_the_line_waits_for_what_is_missing(self) -> None:
        path = f"{self.path}/add-part/{self.part}"
        self.assertProblem(self.advisor.put(path, {"quantity": 12, "backorder": False}), 409, "out-of-stock")
        answer = self.assertStatus(self.advisor.put(path, {"quantity": 12, "backorder": True}), 200)
        self.assertEqual((answer["parts"][0]["quantity"], answer["parts"][0]["quantity_short"]), (12, 2))
        self.assertEqual(self.shelf(), (10, 10, 0))

    def test_the_last_unit_goes_to_one_ticket(self) -> None:
        self.add(self.advisor, 10)
        path = f"{CANONICAL}/{self.make_ticket()}/add-part/{self.part}"
        self.assertProblem(self.advisor.put(path), 409, "out-of-stock")
        self.add(self.advisor, 9)
        self.assertStatus(self.advisor.put(path), 200)
        self.assertEqual(self.shelf(), (10, 10, 0))

    def test_stock_that_is_not_tracked_never_runs_out(self) -> None:
        self.part = self.make_part(quantity_on_hand=None)
        for quantity in (1, 1000, 2):
            answer = self.assertStatus(self.add(self.advisor, quantity), 200)
            line = answer["parts"][0]
            self.assertEqual((line["quantity"], line["quantity_short"]), (quantity, 0))
            self.assertEqual(self.shelf(), (None, 0, None))
        self.complete()
        self.assertEqual(self.shelf(), (None, 0, None))

    def test_the_price_is_copied_and_never_follows_the_catalogue(self) -> None:
        self.add(self.advisor, 2)
        self.advisor.put(f"/inventory/{self.part}", {"price": "99.99"})
        self.assertEqual(self.shown()["parts"][0]["line_total"], "25.00")
        answer = self.assertStatus(self.add(self.advisor, 3), 200)
        self.assertEqual((answer["parts"][0]["unit_price"], answer["parts"][0]["line_total"]), ("12.50", "37.50"))

    def test_a_line_made_anew_takes_the_new_price(self) -> None:
        self.add(self.advisor)
        self.advisor.put(f"/inventory/{self.part}", {"price": "99.99"})
        self.advisor.put(f"{self.path}/remove-part/{self.part}")
        self.assertEqual(self.add(self.advisor).json["parts"][0]["unit_price"], "99.99")

    def test_lines_stand_in_the_order_in_which_they_were_made(self) -> None:
        first = self.make_part(name="Made later, used first")
        self.advisor.put(f"{self.path}/add-part/{first}")
        answer = self.assertStatus(self.add(self.advisor), 200)
        self.assertEqual([line["part_id"] for line in answer["parts"]], [first, self.part])

    def test_a_mechanic_may_not_on_anothers_ticket(self) -> None:
        self.assertProblem(self.add(self.colleague), 403, "forbidden")
        self.assertEqual((self.shown()["parts"], self.shelf()), ([], (10, 0, 10)))

    def test_customers_and_strangers_may_not(self) -> None:
        self.assertProblem(self.add(self.anyone), 401, "not-signed-in")
        self.assertProblem(self.add(self.customer), 403, "forbidden")

    def test_what_is_not_there_is_not_found(self) -> None:
        for path in (f"{self.path}/add-part/999", f"{CANONICAL}/999/add-part/{self.part}"):
            self.assertProblem(self.advisor.put(path), 404, "not-found")

    def test_a_quantity_is_1_or_more(self) -> None:
        for quantity in (0, -1, None, "2", 1.5, True, 10**30, [2]):
            with self.subTest(repr(quantity)):
                sent = {"quantity": quantity}
                self.assertInvalid(self.advisor.put(f"{self.path}/add-part/{self.part}", sent), "quantity")
        self.assertEqual(self.shelf(), (10, 0, 10))

    def test_a_completed_ticket_refuses(self) -> None:
        self.add(self.advisor, 2)
        self.complete()
        problem = self.assertProblem(self.add(self.advisor, 5), 409, "ticket-locked")
        self.assertEqual(problem["ticket_status"], "completed")
        self.assertEqual((self.shown()["parts"][0]["quantity"], self.shelf()), (2, (8, 0, 8)))


class RemovePart(TicketTest):
    """PUT .../remove-part/{part_id}"""

    def setUp(self) -> None:
        super().setUp()
        self.assertStatus(self.advisor.put(f"{self.path}/add-part/{self.part}", {"quantity": 4}), 200)

    def remove(self, caller: Caller, prefix: str = CANONICAL) -> Any:
        return caller.put(f"{prefix}/{self.ticket}/remove-part/{self.part}")

    def test_it_takes_the_line_off_and_lets_go_of_the_units(self) -> None:
        for prefix in PREFIXES:
            for caller in (self.mechanic, self.advisor, self.admin):
                with self.subTest(f"{prefix} {caller.email}"):
                    self.advisor.put(f"{self.path}/add-part/{self.part}", {"quantity": 4})
                    self.assertEqual(self.shelf(), (10, 4, 6))
                    answer = self.assertStatus(self.remove(caller, prefix), 200)
                    self.assertEqual((answer["parts"], answer["totals"]), ([], NOTHING))
                    self.assertEqual((self.shown()["parts"], self.shelf()), ([], (10, 0, 10)))

    def test_units_that_were_issued_come_back_to_the_shelf(self) -> None:
        self.complete()
        self.assertEqual(self.shelf(), (6, 0, 6))
        self.assertStatus(self.advisor.put(f"{self.path}/status", {"status": "in_progress"}), 200)
        self.assertEqual(self.shelf(), (6, 0, 6))
        self.assertEqual(self.assertStatus(self.remove(self.advisor), 200)["parts"], [])
        self.assertEqual(self.shelf(), (10, 0, 10))

    def test_sent_twice_it_gives_back_once(self) -> None:
        first = self.assertStatus(self.remove(self.advisor), 200)
        self.assertEqual(first["version"], 3)
        self.assertEqual(self.assertStatus(self.remove(self.advisor), 200), first)
        self.assertEqual(self.shelf(), (10, 0, 10))

    def test_stock_that_is_not_tracked_stays_so(self) -> None:
        self.part = self.make_part(quantity_on_hand=None)
        self.assertStatus(self.advisor.put(f"{self.path}/add-part/{self.part}", {"quantity": 4}), 200)
        self.assertStatus(self.remove(self.advisor), 200)
        self.assertEqual(self.shelf(), (None, 0, None))

    def test_other_lines_stay(self) -> None:
        other = self.make_part(name="Drain plug")
        self.advisor.put(f"{self.path}/add-part/{other}")
        self.assertEqual([line["part_id"] for line in self.remove(self.advisor).json["parts"]], [other])

    def test_a_mechanic_may_not_on_anothers_ticket(self) -> None:
        self.assertProblem(self.remove(self.colleague), 403, "forbidden")
        self.assertEqual((len(self.shown()["parts"]), self.shelf()), (1, (10, 4, 6)))

    def test_customers_and_strangers_may_not(self) -> None:
        self.assertProblem(self.remove(self.anyone), 401, "not-signed-in")
        self.assertProblem(self.remove(self.customer), 403, "forbidden")

    def test_what_is_not_there_is_not_found(self) -> None:
        for path in (f"{self.path}/remove-part/999", f"{CANONICAL}/999/remove-part/{self.part}"):
            self.assertProblem(self.advisor.put(path), 404, "not-found")

    def test_a_completed_ticket_refuses(self) -> None:
        self.complete()
        problem = self.assertProblem(self.remove(self.advisor), 409, "ticket-locked")
        self.assertEqual((problem["ticket_status"], self.shelf()), ("completed", (6, 0, 6)))


class MoveTicket(TicketTest):
    """PUT .../status"""

    def move(self, caller: Caller, status: Any = "in_progress", prefix: str = CANONICAL, **sent: Any) -> Any:
        return caller.put(f"{prefix}/{self.ticket}/status", {"status": status, **sent})

    def hold(self, caller: Caller, hold: Any) -> Any:
        return caller.put(f"{self.path}/status", {"hold": hold})

    def begin(self, status: str) -> None:
        """A new ticket of `mechanic`, taken to that state."""
        self.ticket = self.quote()
        self.path = f"{CANONICAL}/{self.ticket}"
        self.take_to(self.ticket, status)

    def test_the_front_desk_and_the_tickets_mechanic_work_on_it_until_it_is_completed(self) -> None:
        for prefix in PREFIXES:
            for caller in (self.mechanic, self.advisor, self.admin):
                with self.subTest(f"{prefix} {caller.email}"):
                    self.ticket = self.make_ticket()
                    self.path = f"{CANONICAL}/{self.ticket}"
                    for version, status in enumerate(("in_progress", "completed"), start=2):
                        answer = self.assertStatus(self.move(caller, status, prefix), 200)
                        self.assertEqual((answer["status"], answer["version"]), (status, version))
                        self.assertUnchanged(answer)

    def test_each_move_is_made_by_those_who_may_and_by_nobody_else(self) -> None:
        for (present, wanted), makers in TRANSITIONS.items():
            for person, caller in (
                ("own", self.mechanic),
                ("colleague", self.colleague),
                ("advisor", self.advisor),
                ("admin", self.admin),
            ):
                with self.subTest(f"{present} to {wanted} by {person}"):
                    self.begin(present)
                    answer = self.move(caller, wanted, reason="The customer came back")
                    if person in makers:
                        self.assertEqual(self.assertStatus(answer, 200)["status"], wanted)
                    else:
                        self.assertProblem(answer, 403, "forbidden")
                    self.assertEqual(self.shown()["status"], wanted if person in makers else present)

    def test_any_other_move_tells_where_it_is_and_where_it_may_go(self) -> None:
        for present in STATUSES:
            self.begin(present)
            before = self.shown()
            for wanted in STATUSES:
                if (present, wanted) not in TRANSITIONS:
                    with self.subTest(f"{present} to {wanted}"):
                        answer = self.move(self.admin, wanted, reason="Because")
                        problem = self.assertProblem(answer, 409, "illegal-move")
                        following = sorted(target for source, target in TRANSITIONS if source == present)
                        self.assertEqual((problem["ticket_status"], problem["allowed"]), (present, following))
                        self.assertUnchanged(before)

    def test_reopening_an_invoice_needs_a_reason(self) -> None:
        for present in ("invoiced", "paid"):
            self.begin(present)
            before = self.shown()
            self.assertProblem(self.move(self.admin, "completed"), 409, "reason-needed")
            self.assertInvalid(self.move(self.admin, "completed", reason=" "), "reason")
            self.assertUnchanged(before)

    def test_a_mechanic_may_not_move_anothers_ticket(self) -> None:
        self.assertProblem(self.move(self.colleague), 403, "forbidden")
        self.assertEqual(self.shown()["status"], "open")

    def test_customers_and_strangers_may_not(self) -> None:
        self.assertProblem(self.move(self.anyone), 401, "not-signed-in")
        self.assertProblem(self.move(self.customer), 403, "forbidden")

    def test_a_state_that_does_not_exist_is_bad_input(self) -> None:
        for status in ("done", "OPEN", "", None, 1, ["open"], {"is": "open"}):
            with self.subTest(repr(status)):
                self.assertInvalid(self.move(self.advisor, status), "status")

    def test_a_ticket_that_is_not_there_is_not_found(self) -> None:
        self.ticket = 999
        self.assertProblem(self.move(self.advisor), 404, "not-found")

    def test_completing_issues_what_the_lines_reserved(self) -> None:
        self.advisor.put(f"{self.path}/add-part/{self.part}", {"quantity": 4})
        before = self.take_to(self.ticket, "in_progress")
        self.assertEqual(self.shelf(), (10, 4, 6))
        after = self.assertStatus(self.move(self.mechanic, "completed"), 200)
        self.assertEqual((after["parts"], self.shelf()), (before["parts"], (6, 0, 6)))

    def test_completing_while_short_is_refused_until_the_parts_arrive(self) -> None:
        sent = {"quantity": 12, "backorder": True}
        self.assertStatus(self.advisor.put(f"{self.path}/add-part/{self.part}", sent), 200)
        before = self.take_to(self.ticket, "in_progress")
        problem = self.assertProblem(self.move(self.mechanic, "completed"), 409, "out-of-stock")
        short = {"part_id": self.part, "requested": 12, "available": 10, "short": 2}
        self.assertEqual(problem["parts"], [short])
        self.assertUnchanged(before)
        delivery = {"kind": "receive", "quantity": 2}
        self.assertStatus(self.advisor.post(f"/inventory/{self.part}/movements", delivery), 201)
        self.assertStatus(self.move(self.mechanic, "completed"), 200)
        self.assertEqual(self.shelf(), (0, 0, 0))

    def test_void_gives_everything_back_once(self) -> None:
        self.advisor.put(f"{self.path}/add-part/{self.part}", {"quantity": 4})
        for status in ("in_progress", "completed", "in_progress", "open", "void"):
            self.assertStatus(self.move(self.advisor, status), 200)
        self.assertEqual(self.shelf(), (10, 0, 10))
        self.assertProblem(self.move(self.advisor, "void"), 409, "illegal-move")
        self.assertEqual(self.shelf(), (10, 0, 10))

    def test_a_hold_is_set_alone_and_taken_off_with_null(self) -> None:
        for hold in ("parts", "customer", "other", None):
            with self.subTest(repr(hold)):
                answer = self.assertStatus(self.hold(self.mechanic, hold), 200)
                self.assertEqual((answer["hold"], answer["status"]), (hold, "open"))
                self.assertUnchanged(answer)

    def test_a_hold_comes_along_with_a_move(self) -> None:
        answer = self.assertStatus(self.move(self.mechanic, "in_progress", hold="parts"), 200)
        self.assertEqual((answer["status"], answer["hold"]), ("in_progress", "parts"))

    def test_a_hold_is_one_of_three(self) -> None:
        for hold in ("lunch", "PARTS", "", 1, True, ["parts"]):
            with self.subTest(repr(hold)):
                self.assertInvalid(self.hold(self.advisor, hold), "hold")

    def test_a_mechanic_may_not_hold_anothers_ticket(self) -> None:
        self.assertProblem(self.hold(self.colleague, "parts"), 403, "forbidden")
        self.assertIsNone(self.shown()["hold"])

    def test_nothing_asked_is_nothing_changed(self) -> None:
        before = self.shown()
        self.assertEqual(self.assertStatus(self.advisor.put(f"{self.path}/status", {}), 200), before)
        self.assertUnchanged(before)


class OrderOfRefusals(TicketTest):
    """Of several faults the first in the contract's order is told."""

    def test_each_fault_hides_those_that_come_after_it(self) -> None:
        self.complete()
        bad, good = {"quantity": 0}, {"quantity": 1}
        there, nothing = f"{self.path}/add-part/{self.part}", f"{CANONICAL}/999/add-part/999"
        for name, caller, path, sent, status in (
            ("no token before bad input", self.anyone, nothing, bad, 401),
            ("wrong role before bad input", self.customer, nothing, bad, 403),
            ("bad input before not there", self.colleague, nothing, bad, 422),
            ("not there before not yours", self.colleague, f"{self.path}/add-part/999", good, 404),
            ("not yours before conflict", self.colleague, there, good, 403),
            ("conflict last", self.mechanic, there, good, 409),
        ):
            with self.subTest(name):
                self.assertStatus(caller.put(path, sent), status)

    def test_an_unknown_parameter_is_bad_input_too(self) -> None:
        self.assertProblem(self.customer.put(f"{CANONICAL}/999/edit?x=1", {}), 403, "forbidden")
        self.assertInvalid(self.advisor.put(f"{CANONICAL}/999/edit?x=1", {}), "x")
