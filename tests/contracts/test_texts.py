"""Texts as people type and paste them: what nobody sees, other keyboards, phones, plates, SKUs, passwords."""

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from marshmallow import Schema, ValidationError, fields
from sqlalchemy import select

from app.accounts import passwords
from app.accounts.passwords import hash_password
from app.core.fields import Email, Password, Phone, Text
from app.core.fields.schemas import Input
from app.extensions import db
from app.models import Customer, Mechanic, Part
from app.models.fields import Plate, Vin
from tests.rules.test_search import ALIKE
from tests.rules.test_text import UNSEEN
from tests.service_tickets.test_search import SearchTest
from tests.spreadsheets.test_import import file_of
from tests.support import PASSWORD, Caller, ShopTest

ACCORD = "1HGCM82633A004352"
AROUND = ("\ufeff \u200b", "\u200e\u00a0\n")


def inputs(kind: type[Schema] = Input) -> Iterator[type[Schema]]:
    """Every schema of what clients send."""
    for schema in kind.__subclasses__():
        yield schema
        yield from inputs(schema)


def text_fields() -> Iterator[tuple[str, Any]]:
    """Every field of text in them, bound, by schema and name."""
    for schema in inputs():
        bound = schema()
        for name, field in bound.fields.items():
            inner = field.inner if isinstance(field, fields.List) else field
            if isinstance(inner, fields.String):
                yield f"{schema.__name__}.{name}", inner


class EveryField(ShopTest):
    """What holds for the text in every body and every query: derived from all input schemas."""

    def test_text_that_nobody_can_see_is_blank(self) -> None:
        checked = 0
        for name, field in text_fields():
            for text in ("", " ", "\t\n", *UNSEEN):
                with self.subTest(name, text=ascii(text)):
                    if isinstance(field, Text):
                        self.assertRaises(ValidationError, field.deserialize, text)
                        checked += 1
        self.assertGreater(checked, 500)

    def test_what_is_around_a_text_is_no_part_of_it(self) -> None:
        values = {Email: "ann@example.com", Phone: "+12125550142", Vin: ACCORD, Plate: "8ABC123"}
        for name, field in text_fields():
            if not isinstance(field, Text):
                continue
            text = next((value for kind, value in values.items() if isinstance(field, kind)), "b2 c3")
            with self.subTest(name):
                self.assertEqual(field.deserialize(text.join(AROUND)), field.deserialize(text))

    def test_all_text_is_of_a_kind_that_looks_at_this(self) -> None:
        others = {name for name, field in text_fields() if not isinstance(field, Text | Password)}
        self.assertEqual({name.partition(".")[2] for name in others}, {"cursor"})

    def test_bodies_are_refused_by_name(self) -> None:
        for path, body, field in (
            ("/customers", {"name": "\u200b", "phone": "212 555 0142"}, "name"),
            ("/customers", {"name": "\u3164", "phone": "212 555 0142"}, "name"),
            ("/customers", {"name": "Ann", "phone": "\u2800"}, "phone"),
            ("/inventory", {"name": "\u2800", "price": "1"}, "name"),
            ("/inventory", {"name": "Pad", "price": "1", "sku": "\u2060"}, "sku"),
            ("/service-tickets", {"customer_id": self.customer.id, "description": "\u00ad"}, "description"),
        ):
            with self.subTest(path, body=body):
                self.assertInvalid(self.advisor.post(path, body), field)
        self.assertInvalid(self.advisor.get("/customers", query_string={"q": "\u200b"}), "q")

    def test_a_pasted_vin_is_taken(self) -> None:
        path = f"/customers/{self.customer.id}/vehicles"
        for number, vin in enumerate((f"{ACCORD} ", f"\ufeff{ACCORD}\n", f"\u202a{ACCORD}\u202c")):
            with self.subTest(ascii(vin)):
                owner = self.make_customer(f"Owner {number}")
                path = f"/customers/{owner.id}/vehicles"
                self.assertEqual(self.assertStatus(self.advisor.post(path, {"vin": vin}), 201)["vin"], ACCORD)
        found = self.advisor.get("/customers", query_string={"vin": f" {ACCORD}"})
        self.assertEqual(len(self.assertStatus(found, 200)), 3)


class OtherKeyboards(SearchTest):
    """One thing, typed by different people, is found by each of them in every list that is searched."""

    def find(self, path: str, words: str, caller: Caller | None = None, name: str = "q") -> list[int]:
        response = (caller or self.advisor).get(path, query_string={name: words, "per_page": 100})
        return [row["id"] for row in self.assertStatus(response, 200)]

    def test_each_way_of_writing_finds_each_other(self) -> None:
        for texts in ALIKE:
            customers = [self.make_walk_in(text) for text in texts]
            parts = [self.make_part(name=text) for text in texts]
            tickets = [self.make_ticket(description=f"Check: {text}.") for text in texts]
            staff = [self.make_mechanic(text, email=f"{id(text)}@example.com").id for text in texts]
            for text in texts:
                with self.subTest(text):
                    self.assertEqual(self.find("/customers", text), customers)
                    self.assertEqual(self.find("/customers", text, name="name"), customers)
                    self.assertEqual(self.find("/inventory", text), parts)
                    self.assertEqual(self.find("/inventory", text, self.customer), parts)
                    self.assertEqual(self.find("/service-tickets", text), tickets[::-1])
                    self.assertEqual(self.find("/mechanics", text), staff)
            self.setUp()

    def make_walk_in(self, name: str) -> int:
        return int(self.save(Customer(name=name, email="someone@example.org")).id)

    def test_sizes_are_found_as_they_are_written_and_are_no_phones(self) -> None:
        tire = self.make_part(name="Tire 205/55 R16")
        self.make_part(name="Battery 12 V")
        bolt, screw = self.make_part(name="Bolt 3/8 in."), self.make_part(name="Screw 10-32")
        oil, gas = self.make_part(name="Oil 10W-30, 7.5 l"), self.make_part(name="R-134a")
        for words, found in (
            ("205/55", [tire]),
            ("205/55 r16", [tire]),
            ("tire 205/55R16", []),
            ("3/8", [bolt]),
            ("1/2", []),
            ("10-32", [screw]),
            ("7.5", [oil]),
            ("10W30", [oil]),
            ("10w-30", [oil]),
            ("R134a", [gas]),
            ("r-134A", [gas]),
        ):
            for caller in (self.advisor, self.customer):
                with self.subTest(words, caller=caller.email):
                    self.assertEqual(self.find("/inventory", words, caller), found)

    def test_sizes_in_names_of_people_and_in_descriptions(self) -> None:
        shop = self.make_walk_in("Garage 24/7")
        ticket = self.make_ticket(description="Mount 205/55 R16, torque 7.5")
        self.make_ticket(description="Call 20555")
        for words in ("24/7", "garage 24/7"):
            self.assertEqual(self.find("/customers", words, name="name"), [shop])
            self.assertEqual(self.find("/customers", words), [shop])
        for words in ("205/55", "7.5", "205/55 7.5"):
            self.assertEqual(self.find("/service-tickets", words), [ticket])

    def test_names_are_no_phones(self) -> None:
        self.make_customer("Li Wu", phone="+12125550193")
        self.assertEqual(self.find("/customers", "(212) 555-01.93", name="name"), [])

    def test_staff_find_parts_by_their_sku_and_customers_do_not(self) -> None:
        pads = self.make_part(name="Ceramic pads", sku="BRK-PAD-F")
        self.make_part(name="Oil filter", sku="OIL-1")
        for words in ("BRK-PAD", "brkpad", "brk‑pad‑f", "pads brk-pad", "PAD-F"):
            with self.subTest(words):
                self.assertEqual(self.find("/inventory", words), [pads])
        for words in ("brk-pad", "pads brk"):
            self.assertEqual(self.find("/inventory", words, self.customer), [])
        self.assertStatus(self.advisor.put(f"/inventory/{pads}", {"sku": "PAD-77"}), 200)
        self.assertEqual((self.find("/inventory", "brkpad"), self.find("/inventory", "pad77")), ([], [pads]))


class PastedPhones(SearchTest):
    """A phone that comes from elsewhere is the same phone."""

    @contextmanager
    def region(self, code: str) -> Iterator[None]:
        with mock.patch.dict(self.app.config, {"PHONE_REGION": code}):
            yield

    def assertFound(self, text: str, customer: Caller) -> None:
        for name in ("q", "phone"):
            response = self.advisor.get("/customers", query_string={name: text})
            found = [row["id"] for row in self.assertStatus(response, 200)]
            self.assertEqual(found, [customer.id], (name, ascii(text)))

    def test_found_in_every_way_of_writing(self) -> None:
        new_york = self.make_customer("New Yorker", phone="+12125550193")
        london = self.make_customer("Londoner", phone="+442079460777")
        for text in (
            "212\u2011555\u20110193",
            "\u202a212-555-0193\u202c",
            "\u202a+1 (212) 555-0193\u202c",
            "212\u00ad555\u00ad0193",
            "212\u2212555\u22120193",
            "212\u00a0555\u202f0193",
            "212.555.0193",
            "212·555·0193",
            "1 212 555 0193",
        ):
            with self.subTest(ascii(text)):
                self.assertFound(text, new_york)
        for region, text in (
            ("GB", "020 7946 0777"),
            ("GB", "+44 (0)20 7946 0777"),
            ("US", "+44 (0)20 7946 0777"),
            ("US", "011 44 20 7946 0777"),
            ("DE", "0044 20 7946 0777"),
        ):
            with self.region(region), self.subTest(text, region=region):
                self.assertFound(text, london)
        with self.region("GB"):
            for text in ("020 7946", "7946 0777", "0777"):
                found = self.advisor.get("/customers", query_string={"q": text})
                self.assertEqual([row["id"] for row in self.assertStatus(found, 200)], [london.id], text)

    def test_kept_in_one_form_wherever_one_is_entered(self) -> None:
        pasted = "\u202a212\u2011555\u20110193\u202c"
        made = self.assertStatus(self.advisor.post("/customers", {"name": "Walk In", "phone": pasted}), 201)
        self.assertEqual(made["phone"], "+12125550193")
        changed = self.assertStatus(self.admin.put(f"/mechanics/{self.mechanic.id}", {"phone": pasted}), 200)
        self.assertEqual(changed["phone"], "+12125550193")
        file = file_of({"name": "Im Port", "phone": pasted})
        self.assertStatus(self.advisor.request("POST", "/customers/import", data=file, content_type="text/csv"), 200)
        self.assertEqual(self.row(Customer, made["id"] + 1).phone, "+12125550193")


class Plates(SearchTest):
    """A plate is taken as it is written, and found in every form."""

    def test_every_form_finds_every_other(self) -> None:
        for forms in (
            ("ABC-123", "abc 123", "ABC\u2011123", "ABC\u00a0123", "ABC.123", "ABC·123", "A B C 1 2 3", "\u200eABC123"),
            ("M\u00dc-X 12", "m\u00fc x12", "MU\u0308X12", "mu\u0308-x\u201112"),
            ("B&B1", "b & b 1", "B&B\u20111"),
            ("Č 123-ЖЯ", "C\u030c123жя"),
        ):
            owners = []
            for number, form in enumerate(forms):
                owner = self.save(Customer(name=f"Owner {number}", phone="+12125550100"))
                answer = self.advisor.post(f"/customers/{owner.id}/vehicles", {"plate": form})
                self.assertStatus(answer, 201)
                owners.append(owner.id)
            for form in forms:
                for name in ("plate", "q"):
                    with self.subTest(ascii(form), name=name):
                        response = self.advisor.get("/customers", query_string={name: form})
                        self.assertEqual([row["id"] for row in self.assertStatus(response, 200)], owners)

    def test_one_that_is_known_is_a_probable_duplicate_in_every_form(self) -> None:
        path = f"/customers/{self.customer.id}/vehicles"
        self.assertStatus(self.advisor.post(path, {"plate": "ABC-123"}), 201)
        for form in ("abc\u2011123", "ABC.123"):
            new = {
                "customer": {"name": "Ann", "phone": "212 555 0177"},
                "vehicle": {"plate": form},
                "description": "Brakes",
            }
            self.assertProblem(self.advisor.post("/service-tickets", new), 409, "probable-duplicate")


class Skus(ShopTest):
    """SKUs that look alike are one, wherever they come from."""

    FORMS = (
        "caf\u00e9-1 x",
        "cafe\u0301-1 x",
        "caf\u00e9-1  x",
        "caf\u00e9-\u200b1 x",
        "CAF\u00c9-1 X",
        "Caf\u00e9\u20111\u00a0x",
    )

    def test_a_second_one_is_refused_in_every_form(self) -> None:
        first = self.assertStatus(
            self.advisor.post("/inventory", {"name": "A", "price": "1", "sku": self.FORMS[1]}), 201
        )
        other = self.make_part(sku="OTHER")
        self.assertEqual(first["sku"], self.FORMS[0])
        for form in self.FORMS:
            with self.subTest(ascii(form)):
                new = self.advisor.post("/inventory", {"name": "B", "price": "1", "sku": form})
                self.assertProblem(new, 409, "sku-taken")
                changed = self.advisor.put(f"/inventory/{other}", {"sku": form})
                self.assertProblem(changed, 409, "sku-taken")
                self.assertStatus(self.advisor.put(f"/inventory/{first['id']}", {"sku": form}), 200)

    def test_a_filter_finds_every_form(self) -> None:
        part = self.make_part(sku=self.FORMS[0])
        for form in (*self.FORMS, "CAF\u00c9", "cafe\u0301\u2011"):
            with self.subTest(ascii(form)):
                found = self.assertStatus(self.advisor.get("/inventory", query_string={"sku": form}), 200)
                self.assertEqual([row["id"] for row in found], [part])

    def test_an_import_means_the_same_part_by_every_form(self) -> None:
        part = self.make_part(sku=self.FORMS[0], name="Old")
        for number, form in enumerate(self.FORMS):
            with self.subTest(ascii(form)):
                self.assertImported({"sku": form, "name": f"New {number}", "price": "1"}, updated=1)
                row = self.row(Part, part)
                self.assertEqual(
                    (row.name, row.sku, row.search_text), (f"New {number}", self.FORMS[0], f" new {number} cafe1 x")
                )
        self.assertImported({"sku": self.FORMS[4], "name": row.name, "price": "1"}, unchanged=1)
        self.assertEqual(len(db.session.scalars(select(Part)).all()), 1)

    def test_an_import_by_id_changes_the_sku_and_what_it_is_compared_by(self) -> None:
        part = self.make_part(sku="OLD-1")
        self.assertImported({"id": part, "sku": "New-1"}, updated=1)
        row = self.row(Part, part)
        self.assertEqual((row.sku, row.sku_key), ("New-1", "new-1"))
        other = self.make_part(sku="OTHER")
        answer = self.send({"id": other, "sku": "NEW\u20111"})
        self.assertInvalid(answer, "sku")
        self.assertIn("Another part has this SKU", answer.text)

    def test_two_rows_of_a_file_that_look_alike_are_one_too_many(self) -> None:
        rows = [{"sku": form, "name": "New", "price": "1"} for form in self.FORMS[:2]]
        self.assertInvalid(self.send(*rows), "sku")
        self.assertEqual(db.session.scalars(select(Part)).all(), [])

    def send(self, *rows: dict[str, Any]) -> Any:
        return self.advisor.request("POST", "/inventory/import", data=file_of(*rows), content_type="text/csv")

    def assertImported(self, row: dict[str, Any], **counts: int) -> None:
        expected = {"created": 0, "updated": 0, "unchanged": 0} | counts
        self.assertEqual(self.assertStatus(self.send(row), 200), expected)


class Passwords(ShopTest):
    """A password is the same on every keyboard."""

    COMPOSED, APART = "caf\u00e9 \u00fcber alles", "cafe\u0301 u\u0308ber alles"

    def sign_in_at(self, kind: str, email: str, password: str) -> int:
        return self.anyone.post(f"/{kind}/login", {"email": email, "password": password}).status_code

    def test_set_in_one_form_it_signs_in_in_the_other(self) -> None:
        for number, (given, typed) in enumerate(((self.COMPOSED, self.APART), (self.APART, self.COMPOSED))):
            email = f"new{number}@example.com"
            person = {"name": "New", "email": email, "password": given}
            self.assertStatus(self.anyone.post("/customers", person), 201)
            self.assertStatus(self.admin.post("/mechanics", person), 201)
            for kind in ("customers", "mechanics"):
                with self.subTest(kind, typed=ascii(typed)):
                    self.assertEqual([self.sign_in_at(kind, email, each) for each in (given, typed)], [200, 200])
                    self.assertEqual(self.sign_in_at(kind, email, "cafe uber alles"), 401)

    def test_changed_or_chosen_by_an_invite_too(self) -> None:
        path = f"/customers/{self.customer.id}"
        change = {"password": self.APART, "current_password": PASSWORD}
        self.assertStatus(self.customer.put(path, change), 200)
        again = {"password": self.COMPOSED + "!", "current_password": self.COMPOSED}
        self.assertStatus(self.customer.put(path, again), 200)
        token = self.assertStatus(self.admin.post(f"/mechanics/{self.mechanic.id}/invite"), 201)["token"]
        self.assertStatus(self.anyone.post("/invites/accept", {"token": token, "password": self.APART}), 200)
        self.assertEqual(self.sign_in_at("mechanics", self.mechanic.email, self.COMPOSED), 200)

    def test_one_stored_as_it_was_typed_still_works_as_it_was_typed(self) -> None:
        for number, typed in enumerate((self.COMPOSED, self.APART, "\ufb01ve \u00bd cups of tea")):
            email = f"old{number}@example.com"
            for model, more in ((Customer, {}), (Mechanic, {})):
                stored = passwords.hasher.hash(typed)
                self.save(model(name="Old", email=email, password_hash=stored, **more))
            for kind in ("customers", "mechanics"):
                with self.subTest(kind, typed=ascii(typed)):
                    self.assertEqual(self.sign_in_at(kind, email, typed), 200)

    def test_its_length_is_that_of_its_normal_form(self) -> None:
        apart = "".join(f"{letter}\u0301" for letter in "aeiouyzcnrslwgkmp") * 8
        short, long = apart[: 2 * 11], apart[: 2 * 128]
        person = {"name": "New", "email": "new@example.com"}
        self.assertInvalid(self.anyone.post("/customers", {**person, "password": short}), "password")
        self.assertStatus(self.anyone.post("/customers", {**person, "password": long}), 201)
        for typed in (long, unicodedata.normalize("NFC", long)):
            self.assertEqual(self.sign_in_at("customers", person["email"], typed), 200)

    def test_whoever_hashes_one_need_not_think_of_it(self) -> None:
        self.assertTrue(passwords.verify_password(hash_password(self.APART), self.COMPOSED))
