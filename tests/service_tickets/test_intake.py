"""POST /service-tickets with a new customer and a new vehicle: all in one request, and nobody twice by accident."""

from typing import Any

from sqlalchemy import func, select

from app.extensions import db
from app.models import Customer, ServiceTicket, StockMovement, TicketEvent, Vehicle
from tests.service_tickets.test_races import RaceTest, at_once, statuses
from tests.support import Caller
from tests.support.instruments import statements
from tests.support.repair_orders import ACCORD, RepairOrderTest

TICKETS = "/service-tickets"
ADDRESSES = (TICKETS, f"{TICKETS}/mechanic/create", "/service_tickets", "/service_tickets/mechanic/create")
WRONG_CHECK_DIGIT = "1HGCM82643A004352"
MAX_STATEMENTS = 13  # the token's and the answer's among them


def alex(**changes: Any) -> dict[str, Any]:
    """A walk-in."""
    return {"name": "Alex Morgan", "phone": "(212) 555-0139", "email": "Alex@Example.com", **changes}


def car(**changes: Any) -> dict[str, Any]:
    """A car that nobody has yet."""
    return {"vin": ACCORD, "plate": "9klm-482", "odometer": 98_400, **changes}


class IntakeTest(RepairOrderTest):
    """Requests that bring someone or something new."""

    def take_in(self, by: Caller | None = None, path: str = TICKETS, **sent: Any) -> Any:
        return (by or self.mechanic).post(path, {"description": "Hums at 60 mph", **sent})

    def taken_in(self, **sent: Any) -> Any:
        """The new ticket."""
        return self.assertStatus(self.take_in(**sent), 201)

    def duplicates(self, **sent: Any) -> list[dict[str, Any]]:
        """What the refusal lists; that it left nothing behind is checked on the way."""
        before = self.rows()
        problem = self.assertProblem(self.take_in(**sent), 409, "probable-duplicate")
        self.assertEqual(self.rows(), before)
        listed: list[dict[str, Any]] = problem["duplicates"]
        return listed

    def rows(self) -> list[int]:
        """How many there are of all that an intake writes."""
        tables = (Customer, Vehicle, ServiceTicket, TicketEvent, StockMovement)
        return [db.session.scalar(select(func.count()).select_from(table)) or 0 for table in tables]


class Arrivals(IntakeTest):
    """What is new is entered with the ticket."""

    def test_a_customer_a_vehicle_and_a_ticket_come_in_at_once(self) -> None:
        new = {"customer": alex(), "vehicle": car(), "allow_duplicate": True}
        for path in ADDRESSES:
            for caller in (self.mechanic, self.advisor, self.admin):
                with self.subTest(f"{path} {caller.email}"):
                    response = self.take_in(caller, path, **new, odometer=98_500)
                    ticket = self.assertStatus(response, 201)
                    self.assertEqual(response.headers["Location"], f"{TICKETS}/{ticket['id']}")
                    ticket.pop("warnings")
                    self.assertEqual(caller.get(f"{TICKETS}/{ticket['id']}").json, ticket)
                    owner = self.advisor.get(f"/customers/{ticket['customer_id']}").json
                    self.assertEqual(
                        (owner["name"], owner["phone"], owner["email"]),
                        ("Alex Morgan", "+12125550139", "alex@example.com"),
                    )
                    vehicle = self.advisor.get(f"/customers/{owner['id']}/vehicles/{ticket['vehicle_id']}").json
                    self.assertEqual(
                        (vehicle["make"], vehicle["year"], vehicle["plate"], vehicle["odometer"]),
                        ("Honda", 2003, "9KLM482", 98_500),
                    )

    def test_a_customer_that_is_there_brings_a_new_vehicle(self) -> None:
        ticket = self.taken_in(customer_id=self.customer.id, vehicle=car(), status="estimate")
        self.assertEqual((ticket["customer_id"], ticket["status"]), (self.customer.id, "estimate"))
        self.assertEqual(self.row(Vehicle, ticket["vehicle_id"]).customer_id, self.customer.id)

    def test_a_new_customer_need_bring_no_vehicle(self) -> None:
        ticket = self.taken_in(customer={"name": "Alex", "email": "alex@example.com"})
        self.assertEqual((ticket["customer"]["name"], ticket["vehicle_id"]), ("Alex", None))
        self.assertNotIn("warnings", ticket)

    def test_nobody_can_sign_in_with_what_staff_entered(self) -> None:
        ticket = self.taken_in(customer=alex())
        self.assertIsNone(self.row(Customer, ticket["customer_id"]).password_hash)

    def test_an_odd_vin_is_a_warning(self) -> None:
        self.assertEqual(self.taken_in(customer=alex(), vehicle=car())["warnings"], [])
        ticket = self.taken_in(customer_id=self.customer.id, vehicle={"vin": WRONG_CHECK_DIGIT})
        (warning,) = ticket["warnings"]
        self.assertIn("check digit", warning)
        (warning,) = self.taken_in(customer_id=self.customer.id, vehicle=car(), allow_duplicate=True)["warnings"]
        self.assertIn("Another customer", warning)

    def test_the_number_of_statements_is_small(self) -> None:
        with statements() as sent:
            self.taken_in(customer=alex(), vehicle=car(), odometer=98_500)
        self.assertLessEqual(len([s for s in sent if not s.startswith("BEGIN")]), MAX_STATEMENTS, "\n".join(sent))


class Refusals(IntakeTest):
    """What cannot be entered is refused whole."""

    def assertRefused(self, *fields: str, **sent: Any) -> None:
        before = self.rows()
        self.assertInvalid(self.take_in(**sent), *fields)
        self.assertEqual(self.rows(), before)

    def test_there_is_one_customer_and_at_most_one_vehicle(self) -> None:
        mine, theirs = self.customer.id, self.new_vehicle()
        self.assertRefused("customer_id")
        self.assertRefused("customer_id", vehicle=car())
        self.assertRefused("customer", customer_id=mine, customer=alex())
        self.assertRefused("vehicle", customer_id=mine, vehicle_id=theirs, vehicle=car())
        self.assertRefused("vehicle_id", customer=alex(), vehicle_id=theirs)

    def test_what_is_wrong_with_the_new_is_told_by_its_name(self) -> None:
        mine = self.customer.id
        self.assertRefused("customer.name", customer=alex(name=" "))
        self.assertRefused("customer.name", customer={})
        self.assertRefused("customer.email", customer={"name": "Alex"})
        self.assertRefused("customer.phone", customer=alex(phone="555"))
        self.assertRefused("customer.password", customer=alex(password="twelve characters"))
        self.assertRefused("customer.id", customer=alex(id=1))
        self.assertRefused("vehicle.vin", customer_id=mine, vehicle={"vin": "short"})
        self.assertRefused("vehicle.customer_id", customer_id=mine, vehicle=car(customer_id=mine))
        self.assertRefused("customer.phone", "vehicle.year", customer=alex(phone=5), vehicle=car(year=1))
        self.assertRefused("customer", customer=None)
        self.assertRefused("customer", customer=[1])
        self.assertRefused("vehicle", customer_id=mine, vehicle="a car")
        self.assertRefused("allow_duplicate", customer=alex(), allow_duplicate="yes")
        self.assertRefused("description", "customer.name", customer=alex(name=7), description=None)

    def test_a_body_that_is_no_object_is_refused(self) -> None:
        for body in ([], [{"customer_id": 1}], "text", 7):
            with self.subTest(body):
                self.assertInvalid(self.mechanic.post(TICKETS, body), "body")

    def test_a_customer_who_is_not_there_brings_nothing(self) -> None:
        self.new_vehicle(vin=ACCORD)
        before = self.rows()
        self.assertProblem(self.take_in(customer_id=999, vehicle=car()), 404, "not-found")
        self.assertEqual(self.rows(), before)

    def test_nothing_is_left_where_the_ticket_is_refused(self) -> None:
        before = self.rows()
        answer = self.take_in(customer=alex(), vehicle=car(), odometer=98_000)
        self.assertProblem(answer, 409, "odometer-backwards")
        self.assertEqual(self.rows(), before)

    def test_customers_and_strangers_take_nothing_in(self) -> None:
        before = self.rows()
        self.assertProblem(self.take_in(self.customer, customer=alex()), 403, "forbidden")
        self.assertProblem(self.take_in(self.anyone, customer=alex()), 401, "not-signed-in")
        self.assertEqual(self.rows(), before)


class Duplicates(IntakeTest):
    """Who and what may be on record already is told, and entered only where that is allowed."""

    def setUp(self) -> None:
        super().setUp()
        first = self.taken_in(customer=alex(), vehicle=car())
        self.first, self.alex, self.car = first["id"], first["customer_id"], first["vehicle_id"]

    def test_a_phone_and_an_email_tell_who_it_may_be(self) -> None:
        for new, why in (
            ({"phone": "+1 212-555-0139"}, ["phone"]),
            ({"email": "ALEX@example.com"}, ["email"]),
            (alex(), ["phone", "email"]),
        ):
            with self.subTest(why):
                expected = [{"customer_id": self.alex, "vehicle_id": None, "why": why}]
                self.assertEqual(self.duplicates(customer={"name": "A.", **new}), expected)

    def test_a_plate_and_a_vin_tell_which_car_it_may_be(self) -> None:
        for new, why in (
            ({"plate": "9 KLM 482"}, ["plate"]),
            ({"vin": ACCORD.lower()}, ["vin"]),
            (car(), ["plate", "vin"]),
        ):
            for owner in ({"customer": {"name": "Robin", "phone": "212 555 0177"}}, {"customer_id": self.customer.id}):
                with self.subTest(f"{why} {owner}"):
                    expected = [{"customer_id": self.alex, "vehicle_id": self.car, "why": why}]
                    self.assertEqual(self.duplicates(**owner, vehicle=new), expected)

    def test_all_of_them_are_listed(self) -> None:
        self.taken_in(customer=alex(name="Sam Morgan"), vehicle=car(), allow_duplicate=True)
        listed = self.duplicates(customer=alex(), vehicle=car())
        self.assertEqual([one["vehicle_id"] is None for one in listed], [True, True, False, False])
        self.assertEqual(listed[0]["customer_id"], listed[2]["customer_id"])

    def test_no_more_than_twenty_are_listed_of_each(self) -> None:
        for number in range(25):
            self.save(Customer(name=f"Cousin {number}", phone="+12125550139"))
        self.assertEqual(len(self.duplicates(customer=alex())), 20)

    def test_they_are_entered_where_that_is_allowed(self) -> None:
        ticket = self.taken_in(customer=alex(), vehicle=car(), allow_duplicate=True)
        self.assertNotIn(ticket["customer_id"], (self.alex, None))
        self.assertNotIn(ticket["vehicle_id"], (self.car, None))
        self.assertEqual(self.duplicates(customer=alex(), allow_duplicate=False)[0]["why"], ["phone", "email"])

    def test_only_what_is_new_is_compared(self) -> None:
        self.save(Customer(name="Couple", phone="+12125550139"))
        self.taken_in(customer_id=self.alex, vehicle_id=self.car)
        self.taken_in(customer_id=self.alex, vehicle={"plate": "OTHER 1"})

    def test_the_erased_and_the_removed_are_not_there(self) -> None:
        self.assertStatus(self.advisor.delete(f"/customers/{self.alex}/vehicles/{self.car}"), 204)
        self.taken_in(customer_id=self.customer.id, vehicle=car())
        self.assertStatus(self.move(self.first, "void"), 200)
        self.assertStatus(self.admin.delete(f"/customers/{self.alex}"), 204)
        self.taken_in(customer=alex())

    def test_the_same_car_is_not_entered_twice_for_one_customer(self) -> None:
        before = self.rows()
        answer = self.take_in(customer_id=self.alex, vehicle={"vin": ACCORD}, allow_duplicate=True)
        self.assertProblem(answer, 409, "vin-taken")
        self.assertEqual(self.rows(), before)

    def test_a_refusal_tells_no_names(self) -> None:
        self.assertNotIn("Alex", self.take_in(customer={"name": "A.", "phone": "212 555 0139"}).text)


class Races(RaceTest):
    """Two who take in the same at the same moment."""

    def test_one_enters_and_the_other_is_told(self) -> None:
        new = {"customer": alex(), "vehicle": car(), "description": "Hums at 60 mph"}
        for number in range(5):
            with self.subTest(number):
                new = {**new, "customer": alex(phone=f"212 555 01{number}0", email=f"a{number}@example.com")}
                new["vehicle"] = car(plate=f"RACE{number}", vin=None)
                answers = at_once([lambda: self.mechanic.post(TICKETS, new)] * 6)  # noqa: B023  # sent at once
                self.assertEqual(statuses(answers), {201: 1, 409: 5})

    def test_the_same_new_car_of_one_customer_comes_in_once(self) -> None:
        for number in range(5):
            sent = {"customer_id": self.customer.id, "vehicle": {"plate": f"RACE{number}"}, "description": "Hums"}
            answers = at_once([lambda sent=sent: self.mechanic.post(TICKETS, sent)] * 6)
            self.assertEqual(statuses(answers), {201: 1, 409: 5})
        self.assertEqual(db.session.scalar(select(func.count()).select_from(Vehicle)), 5)
