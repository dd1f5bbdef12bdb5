"""/customers/{id}/vehicles: what customers drive, what the VIN tells, the odometer, and what was done to the car."""

from typing import Any

from app.models import Vehicle
from tests.support import Caller
from tests.support.repair_orders import ACCORD, RepairOrderTest

WRONG_CHECK_DIGIT = "1HGCM82643A004352"
FIELDS = {
    "id",
    "customer_id",
    "vin",
    "plate",
    "plate_state",
    "make",
    "model",
    "year",
    "odometer",
    "notes",
    "version",
}
WHOLE = {
    "vin": ACCORD,
    "plate": "8ABC123",
    "plate_state": "CA",
    "make": "Honda",
    "model": "Accord",
    "year": 2003,
    "odometer": 98_400,
    "notes": "Rattles when cold",
}


class VehicleTest(RepairOrderTest):
    """Requests about vehicles."""

    def path(self, vehicle: int | None = None, owner: Caller | None = None) -> str:
        """The address of a customer's vehicles, or of one of them."""
        vehicles = f"/customers/{(owner or self.customer).id}/vehicles"
        return vehicles if vehicle is None else f"{vehicles}/{vehicle}"

    def add(self, by: Caller | None = None, owner: Caller | None = None, **fields: Any) -> Any:
        """Add a vehicle to a customer; returns the answer's JSON."""
        return self.assertStatus((by or self.advisor).post(self.path(owner=owner), fields), 201)

    def change(self, vehicle: int, by: Caller | None = None, **changes: Any) -> Any:
        """Change a vehicle of `customer`; returns the answer's JSON."""
        return self.assertStatus((by or self.advisor).put(self.path(vehicle), changes), 200)

    def odometer(self, vehicle: int) -> int | None:
        """The last reading."""
        reading: int | None = self.advisor.get(self.path(vehicle)).json["odometer"]
        return reading


class AddVehicle(VehicleTest):
    """POST /customers/{id}/vehicles"""

    def test_staff_and_the_owner_add_one(self) -> None:
        for caller in (self.mechanic, self.advisor, self.admin, self.customer):
            with self.subTest(caller.email):
                response = caller.post(self.path(), {**WHOLE, "vin": None})
                created = self.assertStatus(response, 201)
                self.assertEqual(response.headers["Location"], self.path(created["id"]))
                self.assertEqual(created.pop("warnings"), [])
                self.assertEqual(caller.get(response.headers["Location"]).json, created)
                derived = {"id": created["id"], "customer_id": self.customer.id, "version": 1}
                self.assertEqual(created, {**WHOLE, "vin": None, **derived})

    def test_nothing_need_be_known(self) -> None:
        created = self.add()
        self.assertEqual(
            {name for name, value in created.items() if value is not None} - {"warnings"},
            {
                "id",
                "customer_id",
                "version",
            },
        )

    def test_others_may_not(self) -> None:
        self.assertProblem(self.anyone.post(self.path(), WHOLE), 401, "not-signed-in")
        stranger = self.assertProblem(self.stranger.post(self.path(), WHOLE), 404, "not-found")
        missing = self.assertProblem(self.stranger.post("/customers/999/vehicles", WHOLE), 404, "not-found")
        self.assertEqual(stranger["detail"].replace(str(self.customer.id), "999"), missing["detail"])
        self.assertEqual(self.advisor.get(self.path()).json, [])

    def test_a_vin_that_is_none_is_refused(self) -> None:
        for vin in ("", ACCORD[:-1], ACCORD + "1", "I" + ACCORD[1:], "O" + ACCORD[1:], "q" + ACCORD[1:], 17):
            with self.subTest(vin):
                self.assertInvalid(self.advisor.post(self.path(), {"vin": vin}), "vin")

    def test_a_vin_is_kept_in_capitals(self) -> None:
        self.assertEqual(self.add(vin=ACCORD.lower())["vin"], ACCORD)

    def test_a_vin_that_fits_is_no_reason_to_warn(self) -> None:
        self.assertEqual(self.add(vin=ACCORD)["warnings"], [])

    def test_a_wrong_check_digit_is_a_warning(self) -> None:
        (warning,) = self.add(vin=WRONG_CHECK_DIGIT)["warnings"]
        self.assertIn("check digit", warning)

    def test_a_vin_of_another_customer_is_a_warning(self) -> None:
        self.add(owner=self.stranger, vin=ACCORD)
        (warning,) = self.add(vin=ACCORD.lower())["warnings"]
        self.assertIn("Another customer", warning)
        self.assertNotIn("Stran", warning)

    def test_one_that_another_customer_took_off_their_list_is_none(self) -> None:
        other = self.add(owner=self.stranger, vin=ACCORD)["id"]
        self.assertStatus(self.advisor.delete(self.path(other, self.stranger)), 204)
        self.assertEqual(self.add(vin=ACCORD)["warnings"], [])

    def test_the_same_customer_has_a_vin_once(self) -> None:
        first = self.add(vin=ACCORD)["id"]
        self.assertProblem(self.advisor.post(self.path(), {"vin": ACCORD.lower()}), 409, "vin-taken")
        second = self.add()["id"]
        self.assertProblem(self.advisor.put(self.path(second), {"vin": ACCORD}), 409, "vin-taken")
        self.assertStatus(self.advisor.delete(self.path(first)), 204)
        self.change(second, vin=ACCORD)

    def test_make_and_year_are_filled_in_from_the_vin(self) -> None:
        created = self.add(vin=ACCORD)
        self.assertEqual((created["make"], created["year"], created["model"]), ("Honda", 2003, None))

    def test_what_people_say_is_never_overwritten(self) -> None:
        created = self.add(vin=ACCORD, make="Acura", year=2004)
        self.assertEqual((created["make"], created["year"]), ("Acura", 2004))
        told = self.add(make="Ford", owner=self.stranger)["id"]
        changed = self.assertStatus(self.advisor.put(self.path(told, self.stranger), {"vin": ACCORD}), 200)
        self.assertEqual((changed["make"], changed["year"]), ("Ford", 2003))

    def test_what_a_vin_does_not_tell_for_sure_stays_open(self) -> None:
        for vin, make, year in (
            ("1HGCD5636SA000101", "Honda", 1995),
            ("WDD2470031J059461", "Mercedes-Benz", None),
            ("1C4BJWDG9DL000101", None, 2013),
            ("1FUCM8266DA004352", None, None),
        ):
            with self.subTest(vin):
                created = self.add(vin=vin)
                self.assertEqual((created["make"], created["year"]), (make, year))

    def test_a_corrected_vin_fills_in_anew_what_the_old_one_told(self) -> None:
        tesla, jeep = "5YJSA1DG9DFP14705", "1C4BJWDG9DL000101"
        for vin, told in (
            (tesla, ("Tesla", 2013)),
            (jeep, (None, 2013)),
            ("WDD2470031J059461", ("Mercedes-Benz", None)),
        ):
            with self.subTest(vin):
                owner = self.make_customer(f"Owner of {vin}")
                car = self.add(vin=ACCORD, owner=owner)
                # Also where the form sends all that it shows.
                for sent in ({"vin": vin}, {"vin": vin, "make": "Honda", "year": 2003, "model": None}):
                    changed = self.assertStatus(self.advisor.put(self.path(car["id"], owner), sent), 200)
                    self.assertEqual((changed["make"], changed["year"]), told)
                    back = self.assertStatus(self.advisor.put(self.path(car["id"], owner), {"vin": ACCORD}), 200)
                    self.assertEqual((back["make"], back["year"]), ("Honda", 2003))

    def test_a_corrected_vin_leaves_what_people_said(self) -> None:
        car = self.add(vin=ACCORD, make="Acura", year=2004)["id"]
        changed = self.change(car, vin="5YJSA1DG9DFP14705")
        self.assertEqual((changed["make"], changed["year"]), ("Acura", 2004))
        changed = self.change(car, vin=ACCORD, make="Lotus", year=None)
        self.assertEqual((changed["make"], changed["year"]), ("Lotus", 2003))

    def test_what_is_cleared_stays_clear_until_the_vin_changes(self) -> None:
        car = self.add(vin=ACCORD)["id"]
        self.assertIsNone(self.change(car, make=None)["make"])
        self.assertIsNone(self.change(car, notes="Rust", make=None, vin=ACCORD)["make"])
        self.assertEqual(self.change(car, vin=None)["year"], 2003)

    def test_a_plate_is_kept_without_spaces_and_hyphens_and_in_capitals(self) -> None:
        for plate in ("8abc123", "8 ABC-123", "8-abc 123"):
            with self.subTest(plate):
                self.assertEqual(self.add(plate=plate)["plate"], "8ABC123")

    def test_what_does_not_fit_is_refused_by_name(self) -> None:
        for field, value in (
            ("plate", "8ABC_123"),
            ("plate", "8" * 17),
            ("plate", " "),
            ("plate_state", "s" * 21),
            ("make", ""),
            ("make", "m" * 61),
            ("model", "m" * 61),
            ("year", 1885),
            ("year", "2003"),
            ("year", 2003.5),
            ("odometer", -1),
            ("odometer", 10_000_000),
            ("odometer", "98400"),
            ("notes", "n" * 2001),
            ("customer_id", 1),
            ("override", True),
            ("warnings", []),
            ("archived_at", None),
        ):
            with self.subTest(f"{field}={value}"):
                self.assertInvalid(self.advisor.post(self.path(), {field: value}), field)


class ReadVehicles(VehicleTest):
    """GET /customers/{id}/vehicles, GET /customers/{id}/vehicles/{vehicle_id}"""

    def test_staff_and_the_owner_see_them(self) -> None:
        vehicles = [self.new_vehicle() for _ in range(3)]
        self.new_vehicle(self.stranger)
        for caller in (self.mechanic, self.advisor, self.admin, self.customer):
            with self.subTest(caller.email):
                response = caller.get(f"{self.path()}?per_page=2")
                listed = self.assertStatus(response, 200)
                self.assertEqual([vehicle["id"] for vehicle in listed], vehicles[:2])
                self.assertEqual(set(listed[0]), FIELDS)
                self.assertEqual(response.headers["X-Total-Count"], "3")
                self.assertEqual(self.assertStatus(caller.get(self.path(vehicles[0])), 200), listed[0])

    def test_what_is_anothers_is_not_there(self) -> None:
        mine, others = self.new_vehicle(), self.new_vehicle(self.stranger)
        for path in (self.path(), self.path(mine), self.path(mine) + "/history"):
            with self.subTest(path):
                self.assertProblem(self.stranger.get(path), 404, "not-found")
                self.assertProblem(self.anyone.get(path), 401, "not-signed-in")
        for caller in (self.customer, self.advisor):  # under the wrong customer it is not there for anyone
            for path in (self.path(others), self.path(others) + "/history", self.path(999)):
                with self.subTest(f"{caller.email} {path}"):
                    self.assertProblem(caller.get(path), 404, "not-found")


class ChangeVehicle(VehicleTest):
    """PUT, PATCH /customers/{id}/vehicles/{vehicle_id}"""

    def test_staff_and_the_owner_change_what_they_send(self) -> None:
        vehicle = self.new_vehicle(odometer=50)
        for caller, method in (
            (self.customer, "PUT"),
            (self.mechanic, "PATCH"),
            (self.advisor, "PUT"),
            (self.admin, "PATCH"),
        ):
            with self.subTest(caller.email):
                changed = self.assertStatus(caller.request(method, self.path(vehicle), json={"notes": method}), 200)
                self.assertEqual((changed["notes"], changed["plate"], changed["odometer"]), (method, "8ABC123", 50))
                self.assertEqual(set(changed), FIELDS | {"warnings"})

    def test_a_stranger_may_not(self) -> None:
        vehicle = self.new_vehicle()
        self.assertProblem(self.stranger.put(self.path(vehicle), {"notes": "Mine"}), 404, "not-found")
        self.assertProblem(self.stranger.put(self.path(vehicle, self.stranger), {"notes": "Mine"}), 404, "not-found")
        self.assertIsNone(self.row(Vehicle, vehicle).notes)

    def test_a_new_vin_is_looked_at_again(self) -> None:
        vehicle = self.new_vehicle()
        self.assertEqual(len(self.change(vehicle, vin=WRONG_CHECK_DIGIT)["warnings"]), 1)
        self.assertEqual(self.change(vehicle, vin=ACCORD)["warnings"], [])

    def test_what_does_not_fit_is_refused_by_name(self) -> None:
        vehicle = self.new_vehicle()
        for field, value in (
            ("vin", ACCORD[:-1]),
            ("plate", "?"),
            ("odometer", None),
            ("customer_id", None),
            ("customer_id", 0),
            ("override", "true"),
            ("version", 2),
            ("id", 2),
        ):
            with self.subTest(f"{field}={value}"):
                self.assertInvalid(self.advisor.put(self.path(vehicle), {field: value}), field)


class Odometer(VehicleTest):
    """A reading never runs backwards, unless somebody says that it does."""

    def test_it_goes_up_and_may_stand_still(self) -> None:
        vehicle = self.new_vehicle(odometer=100)
        for reading in (100, 101, 9_999_999):
            self.assertEqual(self.change(vehicle, odometer=reading)["odometer"], reading)

    def test_it_does_not_go_down(self) -> None:
        vehicle = self.new_vehicle(odometer=100)
        refused = self.advisor.put(self.path(vehicle), {"odometer": 99, "notes": "Lost with it"})
        self.assertEqual(self.assertProblem(refused, 409, "odometer-backwards")["odometer"], 100)
        self.assertEqual(self.odometer(vehicle), 100)
        self.assertIsNone(self.row(Vehicle, vehicle).notes)

    def test_staff_override_it_and_customers_do_not(self) -> None:
        vehicle = self.new_vehicle(odometer=100)
        refused = self.customer.put(self.path(vehicle), {"odometer": 99, "override": True})
        self.assertProblem(refused, 403, "forbidden")
        self.assertEqual(self.change(vehicle, odometer=99, override=True)["odometer"], 99)
        self.assertProblem(self.advisor.put(self.path(vehicle), {"odometer": 98}), 409, "odometer-backwards")

    def test_a_ticket_passes_its_reading_on(self) -> None:
        vehicle = self.new_vehicle(odometer=100)
        ticket = self.new_ticket(vehicle_id=vehicle, odometer=150)
        self.assertEqual(self.odometer(vehicle), 150)
        self.assertStatus(self.edit(ticket, odometer=175), 200)
        self.assertEqual(self.odometer(vehicle), 175)

    def test_a_ticket_turns_it_back_no_more_than_anyone(self) -> None:
        vehicle = self.new_vehicle(odometer=100)
        sent = {"customer_id": self.customer.id, "description": "Oil", "vehicle_id": vehicle, "odometer": 99}
        self.assertProblem(self.advisor.post("/service-tickets", sent), 409, "odometer-backwards")
        self.assertEqual(self.advisor.get("/service-tickets").json, [])
        ticket = self.new_ticket(vehicle_id=vehicle)
        self.assertProblem(self.edit(ticket, odometer=99), 409, "odometer-backwards")
        self.assertEqual((self.odometer(vehicle), self.ticket(ticket)["odometer"]), (100, None))
        self.assertStatus(self.edit(ticket, odometer=99, override=True), 200)
        self.assertEqual((self.odometer(vehicle), self.ticket(ticket)["odometer"]), (99, 99))
        self.assertStatus(self.advisor.post("/service-tickets", {**sent, "odometer": 98, "override": True}), 201)
        self.assertEqual(self.odometer(vehicle), 98)

    def test_a_vehicle_that_a_ticket_gets_later_gets_the_reading_too(self) -> None:
        vehicle = self.new_vehicle(odometer=100)
        behind, ahead = self.new_ticket(odometer=99), self.new_ticket(odometer=101)
        self.assertProblem(self.edit(behind, vehicle_id=vehicle), 409, "odometer-backwards")
        self.assertStatus(self.edit(ahead, vehicle_id=vehicle), 200)
        self.assertEqual(self.odometer(vehicle), 101)


class Corrections(VehicleTest):
    """A vehicle's reading is that of its newest ticket that has one, whichever ticket is corrected."""

    def setUp(self) -> None:
        super().setUp()
        self.car = self.new_vehicle(odometer=1000)
        self.older = self.new_ticket(vehicle_id=self.car, odometer=1100)
        self.newer = self.new_ticket(vehicle_id=self.car, odometer=1200)
        self.new_ticket(vehicle_id=self.car)

    def test_an_older_reading_is_corrected_and_the_car_stays(self) -> None:
        for reading, override in ((1105, True), (1110, False), (1050, True), (1250, True)):
            with self.subTest(reading):
                self.assertStatus(self.edit(self.older, odometer=reading, override=override), 200)
                self.assertEqual((self.ticket(self.older)["odometer"], self.odometer(self.car)), (reading, 1200))

    def test_an_older_reading_lies_between_those_around_it(self) -> None:
        between = self.newer
        self.newer = self.new_ticket(vehicle_id=self.car, odometer=1300)
        for reading, told in ((1099, 1100), (1301, 1301)):
            refused = self.edit(between, odometer=reading)
            self.assertEqual(self.assertProblem(refused, 409, "odometer-backwards")["odometer"], told)
        self.assertEqual((self.ticket(between)["odometer"], self.odometer(self.car)), (1200, 1300))

    def test_the_newest_takes_the_car_along(self) -> None:
        self.assertStatus(self.edit(self.newer, odometer=1220), 200)
        self.assertEqual(self.odometer(self.car), 1220)
        self.assertProblem(self.edit(self.newer, odometer=1210), 409, "odometer-backwards")
        self.assertStatus(self.edit(self.newer, odometer=1210, override=True), 200)
        self.assertEqual(self.odometer(self.car), 1210)

    def test_a_reading_that_an_older_ticket_gets_late_is_not_the_cars(self) -> None:
        first = self.new_vehicle()
        late = self.new_ticket(vehicle_id=first)
        self.new_ticket(vehicle_id=first, odometer=500)
        self.assertStatus(self.edit(late, odometer=400), 200)
        self.assertEqual(self.odometer(first), 500)

    def test_a_ticket_that_leaves_a_car_takes_its_reading_along(self) -> None:
        other = self.new_vehicle(odometer=50)
        self.assertStatus(self.edit(self.newer, vehicle_id=other), 200)
        self.assertEqual((self.odometer(self.car), self.odometer(other)), (1100, 1200))
        self.assertStatus(self.edit(self.older, vehicle_id=None), 200)
        self.assertEqual((self.odometer(self.car), self.odometer(other)), (1000, 1200))
        self.assertStatus(self.edit(self.newer, vehicle_id=self.car, odometer=1250), 200)
        self.assertEqual((self.odometer(self.car), self.odometer(other)), (1250, 50))

    def test_an_older_ticket_that_leaves_takes_nothing(self) -> None:
        self.assertStatus(self.edit(self.older, vehicle_id=None), 200)
        self.assertEqual(self.odometer(self.car), 1200)

    def test_what_was_entered_since_stays(self) -> None:
        self.change(self.car, odometer=1300)
        self.assertStatus(self.edit(self.newer, vehicle_id=None), 200)
        self.assertEqual(self.odometer(self.car), 1300)

    def test_a_car_that_only_a_ticket_told_of_has_no_reading_without_it(self) -> None:
        car = self.new_vehicle()
        ticket = self.new_ticket(vehicle_id=car, odometer=98_000)
        self.assertStatus(self.edit(ticket, vehicle_id=None), 200)
        self.assertIsNone(self.odometer(car))

    def test_a_car_that_was_sold_since_loses_what_was_not_its_own(self) -> None:
        self.change(self.car, self.advisor, customer_id=self.stranger.id)
        self.assertStatus(self.edit(self.newer, vehicle_id=None), 200)
        self.assertEqual(self.row(Vehicle, self.car).odometer, 1100)

    def test_a_move_to_a_car_that_is_further_is_refused_and_moves_nothing(self) -> None:
        further = self.new_vehicle(odometer=5000)
        self.assertProblem(self.edit(self.newer, vehicle_id=further), 409, "odometer-backwards")
        self.assertEqual((self.odometer(self.car), self.odometer(further)), (1200, 5000))
        self.assertEqual(self.ticket(self.newer)["vehicle_id"], self.car)


class VehicleOfATicket(VehicleTest):
    """`vehicle_id` of a ticket"""

    def test_a_ticket_shows_its_vehicle(self) -> None:
        vehicle = self.add(**WHOLE)
        ticket = self.ticket(self.new_ticket(vehicle_id=vehicle["id"], odometer=98_500))
        shown = {name: vehicle[name] for name in ("id", "vin", "plate", "plate_state", "make", "model", "year")}
        self.assertEqual((ticket["vehicle_id"], ticket["vehicle"]), (vehicle["id"], shown))

    def test_a_vehicle_of_another_customer_is_not_there(self) -> None:
        others, ticket = self.new_vehicle(self.stranger), self.new_ticket()
        for vehicle in (others, 999):
            with self.subTest(vehicle):
                sent = {"customer_id": self.customer.id, "description": "Oil", "vehicle_id": vehicle}
                self.assertProblem(self.advisor.post("/service-tickets", sent), 404, "not-found")
                self.assertProblem(self.edit(ticket, vehicle_id=vehicle), 404, "not-found")
        self.assertIsNone(self.ticket(ticket)["vehicle_id"])


class HandOver(VehicleTest):
    """`customer_id` of a vehicle: the car is sold."""

    def test_the_front_desk_hands_it_over(self) -> None:
        for seller in (self.advisor, self.admin):
            with self.subTest(seller.email):
                vehicle = self.new_vehicle()
                self.assertEqual(self.change(vehicle, seller, customer_id=self.stranger.id)["id"], vehicle)
                self.assertProblem(self.customer.get(self.path(vehicle)), 404, "not-found")
                self.assertStatus(self.stranger.get(self.path(vehicle, self.stranger)), 200)

    def test_the_old_owner_learns_no_new_plate_and_the_new_one_no_old_notes(self) -> None:
        vehicle = self.add(**WHOLE)["id"]
        ticket = self.new_ticket(vehicle_id=vehicle)
        sold = self.change(vehicle, self.advisor, customer_id=self.stranger.id, plate="NEW1")
        self.assertEqual((sold["plate"], sold["notes"]), ("NEW1", None))
        seen = self.assertStatus(self.customer.get(f"/service-tickets/{ticket}"), 200)
        self.assertEqual(set(seen["vehicle"]), {"id", "vin", "make", "model", "year"})
        self.assertEqual(self.ticket(ticket)["vehicle"]["plate"], "NEW1")

    def test_owners_and_mechanics_do_not(self) -> None:
        vehicle = self.new_vehicle()
        for caller in (self.customer, self.mechanic):
            with self.subTest(caller.email):
                self.assertProblem(caller.put(self.path(vehicle), {"customer_id": self.stranger.id}), 403, "forbidden")
        self.assertEqual(self.row(Vehicle, vehicle).customer_id, self.customer.id)

    def test_there_must_be_someone_to_take_it(self) -> None:
        vehicle = self.new_vehicle()
        self.assertProblem(self.advisor.put(self.path(vehicle), {"customer_id": 999}), 404, "not-found")

    def test_one_that_the_new_owner_has_already_is_refused(self) -> None:
        vehicle = self.new_vehicle(vin=ACCORD)
        self.new_vehicle(self.stranger, vin=ACCORD)
        self.assertProblem(self.advisor.put(self.path(vehicle), {"customer_id": self.stranger.id}), 409, "vin-taken")


class VehicleHistory(VehicleTest):
    """GET /customers/{id}/vehicles/{vehicle_id}/history"""

    def test_the_owner_sees_what_was_done_the_newest_first(self) -> None:
        vehicle = self.new_vehicle()
        tickets = [self.new_ticket(vehicle_id=vehicle) for _ in range(3)]
        self.new_ticket()  # of another vehicle
        response = self.customer.get(f"{self.path(vehicle)}/history?per_page=2")
        listed = self.assertStatus(response, 200)
        self.assertEqual([ticket["id"] for ticket in listed], tickets[:0:-1])
        self.assertEqual(response.headers["X-Total-Count"], "3")
        seen = self.assertStatus(self.customer.get(f"/service-tickets/{tickets[-1]}"), 200)
        self.assertEqual(listed[0], seen)

    def test_a_new_owner_sees_only_their_own_tickets_and_staff_see_all(self) -> None:
        vehicle = self.new_vehicle()
        before = self.new_ticket(vehicle_id=vehicle)
        self.change(vehicle, customer_id=self.stranger.id)
        after = self.new_ticket(customer_id=self.stranger.id, vehicle_id=vehicle)
        for caller, seen in ((self.stranger, [after]), (self.mechanic, [after, before]), (self.admin, [after, before])):
            with self.subTest(caller.email):
                response = caller.get(f"{self.path(vehicle, self.stranger)}/history")
                self.assertEqual([ticket["id"] for ticket in self.assertStatus(response, 200)], seen)
                self.assertEqual(response.headers["X-Total-Count"], str(len(seen)))
        self.assertProblem(self.customer.get(f"{self.path(vehicle)}/history"), 404, "not-found")
        self.assertStatus(self.customer.get(f"/service-tickets/{before}"), 200)


class RemoveVehicle(VehicleTest):
    """DELETE /customers/{id}/vehicles/{vehicle_id}"""

    def test_it_is_off_the_list_and_tickets_keep_it(self) -> None:
        for caller in (self.customer, self.advisor):
            with self.subTest(caller.email):
                vehicle = self.new_vehicle()
                ticket = self.new_ticket(vehicle_id=vehicle)
                self.assertStatus(caller.delete(self.path(vehicle)), 204)
                self.assertEqual(self.advisor.get(self.path()).json, [])
                self.assertProblem(self.advisor.get(self.path(vehicle)), 404, "not-found")
                self.assertProblem(self.advisor.delete(self.path(vehicle)), 404, "not-found")
                self.assertEqual(self.ticket(ticket)["vehicle"]["plate"], "8ABC123")

    def test_new_tickets_do_not_get_it(self) -> None:
        vehicle = self.new_vehicle()
        self.assertStatus(self.customer.delete(self.path(vehicle)), 204)
        sent = {"customer_id": self.customer.id, "description": "Oil", "vehicle_id": vehicle}
        self.assertProblem(self.advisor.post("/service-tickets", sent), 404, "not-found")

    def test_a_ticket_that_has_it_takes_a_reading_all_the_same(self) -> None:
        vehicle = self.new_vehicle()
        ticket = self.new_ticket(vehicle_id=vehicle)
        self.assertStatus(self.customer.delete(self.path(vehicle)), 204)
        self.assertEqual(self.assertStatus(self.edit(ticket, odometer=500), 200)["odometer"], 500)

    def test_a_stranger_may_not(self) -> None:
        vehicle = self.new_vehicle()
        self.assertProblem(self.stranger.delete(self.path(vehicle)), 404, "not-found")
        self.assertProblem(self.anyone.delete(self.path(vehicle)), 401, "not-signed-in")
        self.assertStatus(self.customer.get(self.path(vehicle)), 200)


class ErasedOwner(VehicleTest):
    """DELETE /customers/{id}, seen from the vehicle"""

    def test_what_leads_to_the_person_is_forgotten_and_the_car_stays_on_its_tickets(self) -> None:
        vehicle = self.add(**WHOLE)["id"]
        ticket = self.new_ticket(vehicle_id=vehicle)
        self.assertStatus(self.move(ticket, "void"), 200)
        self.assertStatus(self.customer.delete(f"/customers/{self.customer.id}"), 204)
        row = self.row(Vehicle, vehicle)
        self.assertEqual((row.vin, row.plate, row.plate_state, row.notes), (None, None, None, None))
        self.assertIsNotNone(row.archived_at)
        self.assertEqual(self.ticket(ticket)["vehicle"]["make"], "Honda")

    def test_vehicles_that_were_taken_off_the_list_are_forgotten_too(self) -> None:
        vehicle = self.add(**WHOLE)["id"]
        self.assertStatus(self.customer.delete(self.path(vehicle)), 204)
        self.assertStatus(self.customer.delete(f"/customers/{self.customer.id}"), 204)
        row = self.row(Vehicle, vehicle)
        self.assertEqual((row.vin, row.plate, row.plate_state, row.notes), (None, None, None, None))

    def test_a_car_that_was_handed_over_stays_whole(self) -> None:
        vehicle = self.add(**WHOLE)["id"]
        self.change(vehicle, customer_id=self.stranger.id)
        self.assertStatus(self.customer.delete(f"/customers/{self.customer.id}"), 204)
        self.assertEqual(self.stranger.get(self.path(vehicle, self.stranger)).json["vin"], ACCORD)


class FindOwners(VehicleTest):
    """GET /customers?plate=, GET /customers?vin="""

    def found(self, query: str) -> list[int]:
        """The ids of the customers that the search finds, as counted."""
        response = self.advisor.get(f"/customers?{query}")
        listed = self.assertStatus(response, 200)
        self.assertEqual(response.headers["X-Total-Count"], str(len(listed)))
        return [customer["id"] for customer in listed]

    def setUp(self) -> None:
        super().setUp()
        self.mine = self.new_vehicle(plate="8ABC-123", vin=ACCORD)
        self.new_vehicle(self.stranger, plate="7XYZ999")

    def test_a_plate_finds_its_owner_however_it_is_written(self) -> None:
        for plate in ("8ABC123", "8abc123", "8+abc-123"):
            with self.subTest(plate):
                self.assertEqual(self.found(f"plate={plate}"), [self.customer.id])

    def test_a_vin_finds_its_owner_in_any_case(self) -> None:
        for vin in (ACCORD, ACCORD.lower()):
            with self.subTest(vin):
                self.assertEqual(self.found(f"vin={vin}"), [self.customer.id])

    def test_what_nobody_has_finds_nobody(self) -> None:
        for query in ("plate=8ABC12", f"vin={WRONG_CHECK_DIGIT}", f"plate=7XYZ999&vin={ACCORD}"):
            with self.subTest(query):
                self.assertEqual(self.found(query), [])

    def test_an_owner_of_two_such_cars_is_found_once(self) -> None:
        self.new_vehicle(plate="8ABC123")
        self.assertEqual(self.found("plate=8ABC123"), [self.customer.id])

    def test_the_one_it_was_handed_to_is_found_and_a_removed_car_finds_nobody(self) -> None:
        self.change(self.mine, customer_id=self.stranger.id)
        self.assertEqual(self.found("plate=8ABC123"), [self.stranger.id])
        self.assertStatus(self.advisor.delete(self.path(self.mine, self.stranger)), 204)
        self.assertEqual(self.found("plate=8ABC123"), [])

    def test_what_can_be_no_plate_or_vin_is_refused(self) -> None:
        for name, value in (("plate", ""), ("plate", "8ABC_123"), ("vin", ACCORD[:-1]), ("vin", "O" + ACCORD[1:])):
            with self.subTest(f"{name}={value}"):
                self.assertInvalid(self.advisor.get(f"/customers?{name}={value}"), name)

    def test_customers_do_not_search(self) -> None:
        self.assertProblem(self.customer.get("/customers?plate=8ABC123"), 403, "forbidden")
