"""The one search: what it finds of each kind, and in which order."""

from typing import Any

from app.models import Vehicle
from app.search.schemas import MAX_FOUND
from tests.support.instruments import statements
from tests.support.repair_orders import ACCORD, RepairOrderTest

KINDS = ("customers", "vehicles", "tickets", "parts")
NOTHING: dict[str, list[Any]] = {kind: [] for kind in KINDS}


class SearchTest(RepairOrderTest):
    """A shop in which somebody at the counter looks for something."""

    def found(self, q: str) -> dict[str, list[Any]]:
        """What is found of each kind."""
        answer = self.advisor.get("/search", query_string={"q": q})
        found: dict[str, list[Any]] = self.assertStatus(answer, 200)
        self.assertEqual(tuple(found), KINDS)
        return found

    def ids(self, q: str, kind: str) -> list[int]:
        """The ids of what is found of a kind."""
        return [row["id"] for row in self.found(q)[kind]]

    def new_customer(self, name: str, **fields: Any) -> int:
        sent = {"name": name, "email": f"{name.split()[0].lower()}@example.net", **fields}
        return int(self.assertStatus(self.advisor.post("/customers", sent), 201)["id"])


class Answers(SearchTest):
    """GET /search"""

    def test_without_anything_to_look_for_nothing_is_found(self) -> None:
        self.assertEqual(self.assertStatus(self.advisor.get("/search"), 200), NOTHING)
        self.assertEqual(self.found("no such thing"), NOTHING)

    def test_what_has_no_letter_is_refused(self) -> None:
        for q in ("", "  ", "...", "-", "x" * 101):
            self.assertInvalid(self.advisor.get("/search", query_string={"q": q}), "q")

    def test_it_is_one_statement_however_much_is_found(self) -> None:
        self.new_part(name="Brake pads")
        for q in ("brake pads", "b", "212 555 0142", "4711", "8ABC123"):
            with statements() as sent:
                self.found(q)
            self.assertEqual(len([each for each in sent if "sign_ins" not in each]), 1, q)

    def test_one_row_of_each_kind(self) -> None:
        smith = self.new_customer("Ann Smith", phone="212 555 0142")
        car = {"plate": "8ABC123", "plate_state": "CA", "vin": ACCORD, "model": "Accord", "year": 2003}
        vehicle = self.assertStatus(self.advisor.post(f"/customers/{smith}/vehicles", car), 201)["id"]
        sent = {"customer_id": smith, "vehicle_id": vehicle, "description": "Smith's brakes squeal"}
        ticket = self.assertStatus(self.advisor.post("/service-tickets", sent), 201)
        part = self.new_part(7, name="Smith brake cleaner", sku="BRK-CLN", price="4.50", location="A3")
        found = self.found("smith")
        self.assertEqual(
            found["customers"],
            [{"id": smith, "name": "Ann Smith", "email": "ann@example.net", "phone": "+12125550142"}],
        )
        shown = {"make": "Honda", **car}
        self.assertEqual(
            self.found("8ABC123")["vehicles"],
            [{"id": vehicle, "customer_id": smith, "customer": {"id": smith, "name": "Ann Smith"}, **shown}],
        )
        names = ("id", "status", "description", "customer_id", "vehicle_id", "vehicle", "promised_at", "created_at")
        expected = {name: ticket[name] for name in names} | {"customer": {"id": smith, "name": "Ann Smith"}}
        self.assertEqual(found["tickets"], [{**expected, "plate": "8ABC123"}])
        stock = {"quantity_on_hand": 7, "quantity_available": 7, "unit": "each"}
        listed = {
            "id": part,
            "name": "Smith brake cleaner",
            "sku": "BRK-CLN",
            "price": "4.50",
            "location": "A3",
            **stock,
        }
        self.assertEqual(found["parts"], [listed])


class Places(SearchTest):
    """What is found first"""

    def test_no_more_than_so_many_the_newest_first(self) -> None:
        made = [self.make_ticket(description=f"Wipers {n}") for n in range(MAX_FOUND + 2)]
        self.assertEqual(self.ids("wipers", "tickets"), made[::-1][:MAX_FOUND])

    def test_a_whole_phone_is_before_a_newer_one_with_a_part_of_it(self) -> None:
        whole = self.new_customer("Whole", phone="+12125550142")
        others = [self.new_customer(f"Other{n}", phone="+442125550142") for n in range(MAX_FOUND)]
        for q in ("2125550142", "(212) 555-0142", "+1 212 555 0142"):
            with self.subTest(q):
                self.assertEqual(self.ids(q, "customers")[0], whole)
        self.assertEqual(self.ids("2125550142", "customers"), [whole, *others[::-1]][:MAX_FOUND])

    def test_customers_by_words_of_the_name_an_email_and_a_part_of_a_phone(self) -> None:
        smith = self.new_customer("Ann Smith-Ångström", phone="+12125550142")
        for q in ("smith", "ANN angstrom", "ann@example.net", "555-0142", "an"):
            with self.subTest(q):
                self.assertEqual(self.ids(q, "customers"), [smith])

    def test_vehicles_by_a_whole_plate_the_end_of_a_vin_and_a_part_of_a_plate(self) -> None:
        plate = self.new_vehicle(plate="4352")
        vin = self.new_vehicle(plate="1XYZ000", vin=ACCORD)
        part = self.new_vehicle(plate="A4352")
        self.assertEqual(self.ids("4352", "vehicles"), [plate, vin, part])
        for q in ("4-352", " 4352 "):
            self.assertEqual(self.ids(q, "vehicles"), [plate, vin, part])
        for q in ("1xyz-000", "xyz", ACCORD.lower(), ACCORD[-8:], ACCORD[-4:]):
            self.assertIn(vin, self.ids(q, "vehicles"), q)
        self.assertNotIn(vin, self.ids(ACCORD[:8], "vehicles"))

    def test_two_letters_find_a_whole_plate(self) -> None:
        short, _ = self.new_vehicle(plate="4M"), self.new_vehicle(plate="4M1")
        self.assertEqual(self.ids("4m", "vehicles"), [short])

    def test_a_vehicle_off_its_owners_list_is_not_found(self) -> None:
        car = self.new_vehicle()
        self.assertStatus(self.advisor.delete(f"/customers/{self.customer.id}/vehicles/{car}"), 204)
        self.assertEqual(self.ids("8ABC123", "vehicles"), [])

    def test_a_ticket_by_its_number_is_before_newer_ones_with_it_in_a_text(self) -> None:
        number = self.make_ticket()
        others = [self.make_ticket(description=f"As on ticket {number}0, oil") for _ in range(MAX_FOUND)]
        long = self.save_ticket(4711)
        texts = [self.make_ticket(description="Noise at 4711 rpm") for _ in range(MAX_FOUND)]
        for q in ("4711", "#4711", " 4711 ", "No. 4711"):
            with self.subTest(q):
                self.assertEqual(self.ids(q, "tickets")[0], long)
        self.assertEqual(self.ids("4711", "tickets"), [long, *texts[::-1]][:MAX_FOUND])
        self.assertEqual(self.ids(str(number), "tickets")[0], number)
        self.assertNotIn(others[0], self.ids("4711", "tickets"))
        for q in ("99999999999", "4711.5", "-4711"):
            self.assertNotIn(long, self.ids(q, "tickets"), q)

    def save_ticket(self, number: int) -> int:
        return self.make_ticket(id=number)

    def test_a_part_by_its_sku_is_before_newer_ones_with_it_in_their_names(self) -> None:
        pads = self.new_part(sku="BRK-1")
        others = [self.new_part(name=f"For BRK-1 and BRK-1{n}") for n in range(MAX_FOUND)]
        for q in ("brk-1", "BRK\u20111"):
            self.assertEqual(self.ids(q, "parts"), [pads, *others[::-1]][:MAX_FOUND])
        self.assertEqual(self.ids("for brk", "parts"), others[::-1])

    def test_a_part_that_is_archived_is_not_found(self) -> None:
        part = self.new_part(name="Wiper")
        self.assertStatus(self.use(self.new_ticket(), part), 200)
        self.assertStatus(self.advisor.delete(f"/inventory/{part}"), 204)
        self.assertEqual(self.ids("wiper", "parts"), [])

    def test_an_erased_customer_is_not_found(self) -> None:
        gone = self.new_customer("Gone Girl", phone="212 555 0142")
        self.save(Vehicle(customer_id=gone, plate="8ABC123"))
        self.assertStatus(self.admin.delete(f"/customers/{gone}"), 204)
        for q in ("gone", "erased", "2125550142", "8ABC123"):
            self.assertEqual(self.found(q), NOTHING, q)

    def test_wildcards_are_letters_as_others(self) -> None:
        self.new_customer("Ann Smith")
        self.new_vehicle()
        for q in ("%%%", "___", "a%n", "8ABC_23"):
            self.assertEqual(self.found(q), NOTHING, q)
