"""What tickets are found by: their own words, their customer's and their car's, as these are now."""

import random
from collections.abc import Iterator
from functools import partial
from typing import Any

from app.core.database.transaction import atomic
from app.extensions import db
from app.models import ServiceTicket
from tests.service_tickets.test_races import RaceTest, Request, at_once
from tests.support import Caller
from tests.support.consistency import broken_rules
from tests.support.repair_orders import ACCORD, RepairOrderTest

ROUNDS, WRITERS = 6, 24
CAR = {"plate": "8ABC123", "vin": ACCORD}


class WordsTest(RepairOrderTest):
    """A customer with a car and a ticket, beside another ticket"""

    def setUp(self) -> None:
        super().setUp()
        self.smith = self.make_customer("Ann Smith-Ångström", phone="+12125550142", email="ann@example.net")
        self.car = self.new_vehicle(self.smith, **CAR)
        self.order = self.new_ticket(
            self.advisor, customer_id=self.smith.id, vehicle_id=self.car, description="Brakes squeal"
        )
        self.other = self.new_ticket(description="Oil leak")

    def tearDown(self) -> None:
        self.assertEqual(broken_rules(), {})
        super().tearDown()

    def found(self, q: str, path: str = "/service-tickets", by: Caller | None = None, **query: Any) -> list[int]:
        """The ids of the tickets that are found."""
        answer = (by or self.advisor).get(path, query_string={"q": q, **query})
        return [row["id"] for row in self.assertStatus(answer, 200)]

    def assertFinds(self, *texts: str) -> None:
        """The ticket is found by each of these."""
        for q in texts:
            with self.subTest(q):
                self.assertEqual(self.found(q), [self.order])

    def assertFindsNothing(self, *texts: str) -> None:
        for q in texts:
            with self.subTest(q):
                self.assertEqual(self.found(q), [])


class Found(WordsTest):
    """GET /service-tickets?q="""

    def test_by_words_of_the_description_the_customer_and_both_together(self) -> None:
        self.assertFinds("brakes", "smith", "ANN angstrom", "Smith-Angstrom", "ann@example.net")
        self.assertFinds("smith brakes", "sm br")

    def test_by_a_phone_in_any_way_of_writing(self) -> None:
        phones = ("+12125550142", "(212) 555-0142", "212.555.0142", "1-212-555-0142", "555 0142", "5550142")
        self.assertFinds(*phones, "smith 5550142")

    def test_by_a_plate_in_any_way_of_writing(self) -> None:
        self.assertFinds("8ABC123", "8abc-123", "8 ABC 123", "8·ABC·123", "abc1", "8ABC123 brakes")

    def test_a_size_is_no_plate(self) -> None:
        self.assertStatus(self.edit(self.other, description="Call 20555"), 200)
        self.assertFindsNothing("205/55")
        self.assertStatus(self.advisor.put(f"/customers/{self.smith.id}/vehicles/{self.car}", {"plate": "20-555"}), 200)
        self.assertFinds("205/55")

    def test_by_a_vin_and_its_end(self) -> None:
        self.assertFinds(ACCORD, ACCORD.lower(), f" {ACCORD} ", ACCORD[-8:], ACCORD[-6:].lower())
        self.assertFindsNothing(ACCORD[:9])

    def test_by_a_plate_in_other_letters(self) -> None:
        car = self.new_vehicle(self.smith, plate="Ä 123 ЖЫ")
        self.order = self.new_ticket(self.advisor, customer_id=self.smith.id, vehicle_id=car)
        self.assertFinds("Ä123ЖЫ", "ä-123-жы", "a123жы")

    def test_by_its_number(self) -> None:
        self.order = self.make_ticket(id=471_142)
        self.assertFinds("471142", "#471142", " no. 471142 ")
        self.assertFindsNothing("47114", "71142", "471142.0", "471142471142")

    def test_by_nothing_else(self) -> None:
        self.assertStatus(self.edit(self.order, notes="Called twice", key_tag="Tag 17"), 200)
        self.assertFindsNothing("smith oil", "called", "tag 17", "8ABC124", "555 0143", "%%%", "a_n", "8ABC_23")

    def test_with_other_filters_in_both_orders_and_by_cursor(self) -> None:
        second = self.new_ticket(customer_id=self.smith.id, description="Wipers")
        self.assertEqual(self.found("smith"), [second, self.order])
        self.assertEqual(self.found("smith", sort="id"), [self.order, second])
        self.assertStatus(self.edit(self.order, add_mechanic_ids=[self.mechanic.id]), 200)
        for query, expected in (
            ({"unassigned": "true"}, [second]),
            ({"status": "open", "vehicle_id": self.car}, [self.order]),
            ({"status": "paid"}, []),
            ({"mechanic_id": self.mechanic.id}, [self.order]),
            ({"customer_id": self.customer.id}, []),
        ):
            with self.subTest(str(query)):
                self.assertEqual(self.found("smith", **query), expected)
        answer = self.advisor.get("/service-tickets?q=smith&limit=1")
        following = answer.headers["Link"].rpartition("<")[2].partition(">")[0]
        self.assertEqual([row["id"] for row in self.assertStatus(self.advisor.get(following), 200)], [self.order])

    def test_below_a_mechanic_and_a_car_and_in_the_export(self) -> None:
        self.assertStatus(self.edit(self.order, add_mechanic_ids=[self.mechanic.id]), 200)
        self.assertEqual(self.found("smith", f"/mechanics/{self.mechanic.id}/tickets"), [self.order])
        self.assertEqual(self.found("5550142", f"/customers/{self.smith.id}/vehicles/{self.car}/history"), [self.order])
        rows = self.advisor.get("/service-tickets.csv?q=8abc-123").text.splitlines()
        self.assertEqual([row.partition(",")[0] for row in rows], ["id", str(self.order)])

    def test_customers_find_their_tickets_by_the_description_alone(self) -> None:
        for path in ("/customers/mytickets", f"/customers/{self.smith.id}/vehicles/{self.car}/history"):
            for q, expected in (
                ("brakes", [self.order]),
                *((each, []) for each in ("smith", "8ABC123", "5550142", ACCORD[-8:], str(self.order), "brakes ann")),
            ):
                with self.subTest(path, q=q):
                    self.assertEqual(self.found(q, path, self.smith), expected)


class KeptRight(WordsTest):
    """What changes is found by what it is now"""

    def setUp(self) -> None:
        super().setUp()
        self.customer_path = f"/customers/{self.smith.id}"
        self.car_path = f"{self.customer_path}/vehicles/{self.car}"

    def test_a_customer_who_changes(self) -> None:
        for change, now, before in (
            ({"name": "Ann Miller"}, "miller brakes", "smith"),
            ({"phone": "646 555 0100"}, "(646) 555-0100", "555 0142"),
            ({"email": "miller@example.net"}, "miller@example.net", "ann@example.net"),
        ):
            self.assertStatus(self.advisor.put(self.customer_path, change), 200)
            self.assertFinds(now)
            self.assertFindsNothing(before)

    def test_a_customer_from_a_spreadsheet(self) -> None:
        rows = b"name,email\r\nAnn Miller,ann@example.net\r\n"
        sent = self.advisor.post("/customers/import", data=rows, content_type="text/csv")
        self.assertEqual(self.assertStatus(sent, 200)["updated"], 1)
        self.assertFinds("miller")
        self.assertFindsNothing("smith")

    def test_a_car_that_changes(self) -> None:
        vin = "2HGFC2F57GH512345"
        self.assertStatus(self.advisor.put(self.car_path, {"plate": "7KDM209", "vin": vin}), 200)
        self.assertFinds("7kdm-209", vin[-8:])
        self.assertFindsNothing("8ABC123", ACCORD[-8:])
        self.assertStatus(self.advisor.put(self.car_path, {"plate": None, "vin": None}), 200)
        self.assertFindsNothing("7kdm-209", vin[-8:])
        self.assertFinds("smith")

    def test_a_ticket_of_another_car_and_of_none(self) -> None:
        second = self.new_vehicle(self.smith, plate="7KDM209")
        cars = ((second, "7KDM209", "8ABC123"), (None, "smith", "7KDM209"), (self.car, "8ABC123", "7KDM209"))
        for car, now, before in cars:
            self.assertStatus(self.edit(self.order, vehicle_id=car), 200)
            self.assertFinds(now)
            self.assertFindsNothing(before)

    def test_another_description(self) -> None:
        self.assertStatus(self.edit(self.order, description="Wipers are worn"), 200)
        self.assertFinds("wipers", "smith wipers")
        self.assertFindsNothing("brakes", "smith brakes")

    def test_a_sold_car_finds_the_tickets_of_both_owners(self) -> None:
        self.assertStatus(self.advisor.put(self.car_path, {"customer_id": self.customer.id}), 200)
        second = self.new_ticket(self.advisor, vehicle_id=self.car)
        self.assertEqual(self.found("8ABC123"), [second, self.order])
        self.assertFinds("smith", "smith 8ABC123")
        self.assertEqual(self.found("cus tomer 8ABC123"), [second])

    def test_a_car_off_its_owners_list(self) -> None:
        self.assertStatus(self.advisor.delete(self.car_path), 204)
        self.assertFinds("8ABC123")

    def test_a_new_customer_with_a_new_car(self) -> None:
        sent = {"customer": {"name": "Walk In", "phone": "917 555 0199"}, "vehicle": {"plate": "1NEW234"}}
        taken = self.advisor.post("/service-tickets", {**sent, "description": "No start"})
        self.order = self.assertStatus(taken, 201)["id"]
        self.assertFinds("walk in", "9175550199", "1-new-234", "walk start")

    def test_of_an_erased_customer_nothing_is_left(self) -> None:
        self.assertStatus(self.move(self.order, "void"), 200)
        self.assertStatus(self.admin.delete(self.customer_path), 204)
        self.assertFindsNothing("smith", "brakes", "555 0142", "ann@example.net", "8ABC123", ACCORD[-8:])

    def test_what_is_refused_changes_nothing(self) -> None:
        car = {"plate": "8ABC999", "odometer": 1}
        self.assertStatus(self.advisor.put(self.car_path, {"odometer": 1000}), 200)
        self.assertProblem(self.advisor.put(self.car_path, car), 409, "odometer-backwards")
        self.assertFinds("8ABC123")
        self.assertFindsNothing("8ABC999")

    def test_what_fails_at_the_end_changes_nothing(self) -> None:
        with self.assertRaises(ZeroDivisionError), atomic():
            db.session.get_one(ServiceTicket, self.order).description = "Wipers"
            db.session.flush()
            raise ZeroDivisionError
        self.assertStatus(self.edit(self.other, description="Oil again"), 200)
        self.assertFinds("brakes", "smith brakes")


class AtOnce(RaceTest):
    """A customer, their car and their tickets change at the same moment"""

    def test_words_are_of_what_is_there_in_the_end(self) -> None:
        customer = f"/customers/{self.customer.id}"
        cars = (self.advisor.post(f"{customer}/vehicles", {"plate": plate}) for plate in ("1AA1", "1AA2"))
        ids = [self.assertStatus(car, 201)["id"] for car in cars]
        tickets = [self.open_ticket(ids[n % 2]).json["id"] for n in range(6)]
        for number in range(ROUNDS):
            answers = at_once(self.writes(number, customer, ids, tickets))
            self.assertEqual({answer.status_code for answer in answers} - {200, 201}, set())
            self.assertEqual(broken_rules(), {})

    def writes(self, number: int, customer: str, cars: list[int], tickets: list[int]) -> Iterator[Request]:
        """Requests in an order of chance, the same in each run."""
        chance = random.Random(number)
        for n in range(WRITERS):
            ticket, car, word = chance.choice(tickets), chance.choice(cars), f"{number}x{n}"
            yield chance.choice(
                (
                    partial(self.advisor.put, customer, {"name": f"Name {word}"}),
                    partial(self.advisor.put, f"{customer}/vehicles/{car}", {"plate": f"2B{word}"}),
                    partial(self.advisor.put, f"/service-tickets/{ticket}/edit", {"description": f"Text {word}"}),
                    partial(self.advisor.put, f"/service-tickets/{ticket}/edit", {"vehicle_id": car}),
                    partial(self.open_ticket, car),
                )
            )

    def open_ticket(self, car: int) -> Any:
        sent = {"customer_id": self.customer.id, "vehicle_id": car, "description": "Squeals"}
        return self.advisor.post("/service-tickets", sent)
