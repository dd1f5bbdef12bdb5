"""POST /inventory/import and /customers/import: files checked as a whole, written as a whole."""

import codecs
import csv
import io
import tracemalloc
from collections.abc import Iterable
from decimal import Decimal
from typing import Any
from unittest import mock

from sqlalchemy import func, select
from werkzeug.test import TestResponse

from app.extensions import db
from app.models import Customer, Part, StockMovement
from app.spreadsheets import checking, operations
from tests.service_tickets.test_races import RaceTest, at_once, statuses
from tests.spreadsheets.test_export import FORMULAS, HARMLESS
from tests.support import Caller
from tests.support.instruments import statements
from tests.support.repair_orders import RepairOrderTest

PARTS, CUSTOMERS = "/inventory/import", "/customers/import"
PADS = {"name": "Brake pads", "price": "64.90", "sku": "PAD"}


def file_of(*rows: dict[str, Any], delimiter: str = ",") -> bytes:
    """A file with a column for each name in the first row."""
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0], delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


class ImportTest(RepairOrderTest):
    """Requests that send files."""

    PATH = PARTS

    def send(
        self, file: bytes | str, by: Caller | None = None, query: str = "", path: str = "", **options: Any
    ) -> TestResponse:
        options = {"content_type": "text/csv", **options}
        return (by or self.advisor).request("POST", (path or self.PATH) + query, data=file, **options)

    def assertImported(
        self, file: bytes | str, created: int = 0, updated: int = 0, unchanged: int = 0, **how: Any
    ) -> None:
        """The file is taken; so many rows are new, differed, and were there like this."""
        done = self.assertStatus(self.send(file, **how), 200)
        self.assertEqual(done, {"created": created, "updated": updated, "unchanged": unchanged})

    def assertFaults(self, file: bytes | str, *places: tuple[int, str | None], **how: Any) -> list[str]:
        """The file is refused for these rows and columns, and nothing of it is written; returns the messages."""
        before = self.stored()
        problem = self.assertProblem(self.send(file, **how), 422, "invalid-input")
        self.assertEqual([(fault["row"], fault["column"]) for fault in problem["rows"]], list(places))
        by_column: dict[str, list[str]] = {}
        for fault in problem["rows"]:
            by_column.setdefault(fault["column"] or "body", []).append(f"Row {fault['row']}: {fault['message']}")
        self.assertEqual(problem["errors"], by_column)
        self.assertEqual(self.stored(), before)
        return [fault["message"] for fault in problem["rows"]]

    def stored(self) -> list[Any]:
        """All parts and customers."""
        db.session.rollback()
        tables = (Part.__table__, Customer.__table__, StockMovement.__table__)
        return [list(db.session.execute(select(table).order_by(table.c.id))) for table in tables]

    def part(self, sku: str) -> Any:
        """The part with that SKU as the API shows it."""
        db.session.rollback()
        part_id = db.session.scalar(select(Part.id).where(Part.sku == sku))
        return self.assertStatus(self.advisor.get(f"/inventory/{part_id}"), 200)

    def customer_of(self, name: str) -> Any:
        """The customer of that name as the API shows them."""
        customer_id = db.session.scalar(select(Customer.id).where(Customer.name == name))
        return self.assertStatus(self.advisor.get(f"/customers/{customer_id}"), 200)


class WhoImports(ImportTest):
    """The front desk, and nobody else."""

    def test_the_front_desk_imports(self) -> None:
        for path, row in (
            (PARTS, {"name": "Oil", "price": "1"}),
            (CUSTOMERS, {"name": "Ann", "phone": "212 555 0142"}),
        ):
            for caller in (self.advisor, self.admin):
                self.assertImported(file_of(row), created=1, by=caller, path=path)
            self.assertProblem(self.send(file_of(row), self.mechanic, path=path), 403, "forbidden")
            self.assertProblem(self.send(file_of(row), self.customer, path=path), 403, "forbidden")
            self.assertProblem(self.send(file_of(row), self.anyone, path=path), 401, "not-signed-in")


class Parts(ImportTest):
    """POST /inventory/import"""

    def test_new_rows_are_parts_with_an_opening_stock(self) -> None:
        rows = [
            {**PADS, "quantity_on_hand": 12, "reorder_point": 4, "cost": "31.20", "location": "A3"},
            {"name": "Air filter", "price": 5, "sku": "AIR", "quantity_on_hand": 0},
            {"name": "Grease", "price": "0.10"},
        ]
        self.assertImported(file_of(*rows), created=3)
        pads = self.part("PAD")
        shown = {
            name: pads[name] for name in ("name", "price", "quantity_on_hand", "reorder_point", "cost", "location")
        }
        self.assertEqual(
            shown,
            {
                "name": "Brake pads",
                "price": "64.90",
                "quantity_on_hand": 12,
                "reorder_point": 4,
                "cost": "31.20",
                "location": "A3",
            },
        )
        (movement,) = self.assertStatus(self.advisor.get(f"/inventory/{pads['id']}/movements"), 200)
        self.assertEqual(
            (movement["kind"], movement["quantity"], movement["reason"], movement["mechanic"]["id"]),
            ("receive", 12, "Opening stock", self.advisor.id),
        )
        self.assertEqual(self.part("AIR")["quantity_on_hand"], 0)
        self.assertEqual(db.session.scalar(select(func.count()).select_from(StockMovement)), 1)
        grease = db.session.scalars(select(Part).where(Part.name == "Grease")).one()
        self.assertEqual((grease.sku, grease.quantity_on_hand), (None, None))

    def test_rows_that_are_there_are_changed_where_they_differ(self) -> None:
        part = self.new_part(sku="PAD", name="Pads", cost="1.00", location="A1")
        before = self.part("PAD")
        self.assertImported(file_of({"sku": "PAD", "price": "9.95", "cost": "", "location": "B2"}), updated=1)
        after = self.part("PAD")
        self.assertEqual(after, {**before, "price": "9.95", "location": "B2", "version": before["version"] + 1})
        self.assertImported(file_of({"sku": "PAD", "price": "9.95", "name": "Pads"}), unchanged=1)
        self.assertEqual(self.part("PAD"), after)
        self.assertEqual(after["id"], part)

    def test_a_cached_list_shows_the_change(self) -> None:
        self.new_part(sku="PAD")
        self.assertEqual(self.advisor.get("/inventory").json[0]["price"], "12.50")
        self.assertImported(file_of({"sku": "PAD", "price": "9.95"}), updated=1)
        self.assertEqual(self.advisor.get("/inventory").json[0]["price"], "9.95")
        self.assertImported(file_of(PADS | {"sku": "NEW"}), created=1)
        self.assertEqual(len(self.advisor.get("/inventory").json), 2)

    def test_what_is_imported_is_found(self) -> None:
        self.assertImported(file_of(PADS), created=1)
        self.assertImported(file_of(PADS | {"name": "Bremsklötze"}), updated=1)
        self.assertEqual(len(self.assertStatus(self.advisor.get("/inventory?q=bremsklotze"), 200)), 1)
        self.assertEqual(self.assertStatus(self.advisor.get("/inventory?q=pads"), 200), [])

    def test_tickets_keep_the_price_they_were_made_at(self) -> None:
        part, ticket = self.new_part(sku="PAD"), self.new_ticket()
        self.assertStatus(self.use(ticket, part), 200)
        self.assertImported(file_of({"sku": "PAD", "price": "99.00"}), updated=1)
        self.assertEqual(self.ticket(ticket)["parts"][0]["unit_price"], "12.50")

    def test_stock_that_is_there_is_not_imported(self) -> None:
        self.new_part(sku="PAD", on_hand=5)
        self.new_part(sku="FREE", on_hand=None)
        self.assertImported(file_of({"sku": "PAD", "quantity_on_hand": 5}, {"sku": "FREE"}), unchanged=2)
        (five, free) = self.assertFaults(
            file_of({"sku": "PAD", "quantity_on_hand": 6}, {"sku": "FREE", "quantity_on_hand": 0}),
            (2, "quantity_on_hand"),
            (3, "quantity_on_hand"),
        )
        self.assertIn("5 on hand", five)
        self.assertIn("not tracked", free)

    def test_the_id_tells_which_part_is_meant_and_may_give_it_another_sku(self) -> None:
        part = self.new_part(sku="OLD")
        self.assertImported(file_of({"id": part, "sku": "NEW"}), updated=1)
        self.assertEqual(self.part("NEW")["id"], part)
        self.new_part(sku="OTHER")
        self.assertFaults(file_of({"id": 999, "sku": "X"}, {"id": part, "sku": "OTHER"}), (2, "id"), (3, "sku"))

    def test_one_part_stands_in_one_row(self) -> None:
        part = self.new_part(sku="PAD")
        self.assertFaults(file_of(PADS, PADS | {"sku": "B"}, PADS), (4, "sku"))
        self.assertFaults(file_of({"id": part, "sku": ""}, {"id": part, "sku": ""}), (3, "id"))
        self.assertFaults(file_of({"id": part, "sku": ""}, {"id": "", "sku": "PAD"}), (3, "id"))

    def test_an_archived_part_is_not_there(self) -> None:
        part = self.new_part(sku="PAD")
        self.assertStatus(self.advisor.delete(f"/inventory/{part}"), 204)
        self.assertImported(file_of(PADS), created=1)
        self.assertFaults(file_of({"id": part}), (2, "id"))

    def test_a_new_part_needs_a_name_and_a_price(self) -> None:
        self.assertFaults(
            file_of({"sku": "A", "name": "", "price": 1}, {"sku": "B", "name": "B", "price": ""}),
            (2, "name"),
            (3, "price"),
        )
        self.assertFaults(file_of({"sku": "A"}), (2, "name"), (2, "price"))

    def test_rules_are_those_of_the_fields(self) -> None:
        for column, cells in {
            "price": ("much", "-1", "1.001", "1,50", "1e3", "$5"),
            "name": ("n" * 121, "\x00"),
            "quantity_on_hand": ("1.5", "-1", "1000001", "ten", "99999999999"),
            "reorder_point": ("-1", "x"),
            "cost": ("x",),
            "sku": ("s" * 65,),
            "id": ("0", "x"),
        }.items():
            for cell in cells:
                with self.subTest(f"{column} {cell}"):
                    self.assertFaults(file_of(PADS | {column: cell}), (2, column))

    def test_a_dry_run_tells_the_same_and_does_nothing(self) -> None:
        self.new_part(sku="PAD")
        self.new_part(sku="SAME", name="Same", price="1.00")
        before = self.stored()
        file = file_of(PADS, {"name": "Same", "price": "1.00", "sku": "SAME"}, {"name": "N", "price": 1, "sku": "NEW"})
        self.assertImported(file, created=1, updated=1, unchanged=1, query="?dry_run=true")
        self.assertEqual(self.stored(), before)
        self.assertFaults(file_of({"sku": "NEW"}), (2, "name"), (2, "price"), query="?dry_run=true")
        self.assertImported(file, created=1, updated=1, unchanged=1, query="?dry_run=false")
        self.assertInvalid(self.send(file, query="?dry_run=maybe"), "dry_run")
        self.assertInvalid(self.send(file, query="?fast=true"), "fast")


class Customers(ImportTest):
    """POST /customers/import"""

    PATH = CUSTOMERS

    def test_new_rows_are_walk_ins(self) -> None:
        self.assertImported(
            file_of(
                {"name": "Dana", "email": "Dana@Example.com", "phone": "(212) 555-0187", "address": "1 Main St,\r\nNY"},
                {"name": "Lee", "phone": "+44 20 7946 0958"},
            ),
            created=2,
        )
        dana, lee = self.customer_of("Dana"), self.customer_of("Lee")
        self.assertEqual(
            (dana["email"], dana["phone"], dana["address"]),
            ("dana@example.com", "+12125550187", "1 Main St,\r\nNY"),
        )
        self.assertEqual((lee["email"], lee["phone"]), (None, "+442079460958"))
        self.assertIsNone(self.row(Customer, dana["id"]).password_hash)

    def test_an_email_is_compared_without_case(self) -> None:
        self.assertImported(file_of({"name": "Cus Tomer", "email": self.customer.email.upper()}), unchanged=1)
        self.assertImported(file_of({"email": self.customer.email, "phone": "212 555 0142"}), updated=1)
        row = self.row(Customer, self.customer.id)
        self.assertEqual((row.phone, row.version), ("+12125550142", 2))
        self.assertIsNotNone(row.password_hash)
        self.assertStatus(self.customer.get(f"/customers/{self.customer.id}"), 200)

    def test_an_email_that_several_share_needs_the_id(self) -> None:
        couple = [self.save(Customer(name=name, email="both@example.com")) for name in ("Ann", "Bob")]
        self.assertFaults(file_of({"email": "both@example.com", "phone": "212 555 0142"}), (2, "email"))
        ids = [{"id": one.id, "email": "both@example.com", "name": one.name.upper()} for one in couple]
        self.assertImported(file_of(*ids), updated=2)
        self.assertEqual([self.row(Customer, one.id).name for one in couple], ["ANN", "BOB"])

    def test_a_new_customer_needs_a_name_and_a_contact(self) -> None:
        self.assertFaults(file_of({"name": "Ann"}), (2, "email"))
        self.assertFaults(file_of({"name": "", "email": "ann@example.com"}), (2, "name"))
        self.assertFaults(
            file_of({"name": "Ann", "email": "ann"}, {"name": "B", "email": "b@"}), (2, "email"), (3, "email")
        )
        self.assertFaults(file_of({"name": "Ann", "phone": "555"}), (2, "phone"))

    def test_nobody_is_given_a_password_or_another_email_to_sign_in_with(self) -> None:
        new = {"id": self.customer.id, "email": "mine@example.com"}
        self.assertFaults(file_of(new), (2, "email"))
        self.assertFaults(file_of({"name": "Ann", "email": "a@example.com", "password": "x" * 12}), (1, "password"))
        walk_in = self.save(Customer(name="Walter", email="old@example.com")).id
        self.assertImported(file_of({"id": walk_in, "email": "new@example.com"}), updated=1)

    def test_one_customer_stands_in_one_row(self) -> None:
        ann = {"name": "Ann", "email": "ann@example.com"}
        self.assertFaults(file_of(ann, {"name": "Bob", "email": "ANN@example.com"}), (3, "email"))
        self.assertImported(
            file_of({"name": "A", "phone": "212 555 0142"}, {"name": "B", "phone": "212 555 0142"}), created=2
        )

    def test_the_erased_are_not_there(self) -> None:
        self.assertStatus(self.admin.delete(f"/customers/{self.stranger.id}"), 204)
        self.assertFaults(file_of({"id": self.stranger.id, "name": "Back"}), (2, "id"))


class RoundTrip(ImportTest):
    """What was exported is imported without a change."""

    def test_files_come_back_unchanged(self) -> None:
        for name in FORMULAS + HARMLESS:
            self.new_part(name=name, location=name[:64], sku=name)
            self.save(Customer(name=name, email="shared@example.com", phone="+12125550142", address=name))
        self.new_part(name="No SKU", on_hand=None)
        self.save(Customer(name="No e-mail", phone="+442079460958"))
        self.assertStatus(self.use(self.new_ticket(), self.new_part(), 3), 200)
        before = self.stored()
        for query in ("", "?bom=true"):
            for path, rows in (("/inventory", len(before[0])), ("/customers", len(before[1]))):
                with self.subTest(path + query):
                    file = self.advisor.get(f"{path}.csv{query}").data
                    self.assertImported(file, unchanged=rows, path=f"{path}/import")
        self.assertEqual(self.stored(), before)

    def test_a_file_makes_another_shop_like_this_one(self) -> None:
        names = [*FORMULAS, *HARMLESS]
        self.assertImported(
            file_of(*({"name": f"'{n}" if n in FORMULAS else n, "price": 1} for n in names)), created=len(names)
        )
        self.assertEqual(list(db.session.scalars(select(Part.name).order_by(Part.id))), names)


class Files(ImportTest):
    """What is taken for a file."""

    def test_encodings_are_known_by_their_marks(self) -> None:
        text = "name,price\r\nJürgen 车,1\r\n"
        for number, file in enumerate(
            (
                text.encode(),
                codecs.BOM_UTF8 + text.encode(),
                text.encode("utf-16"),
                codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
            )
        ):
            with self.subTest(number):
                self.assertImported(file, created=1)
        self.assertEqual(set(db.session.scalars(select(Part.name))), {"Jürgen 车"})

    def test_other_encodings_are_refused_by_row_and_column(self) -> None:
        file = "name,price,location\nOil,1,A\nJürgen,1,A\nOil,1,für\n".encode("latin-1")
        messages = self.assertFaults(file, (3, "name"), (4, "location"))
        self.assertIn("UTF-8", messages[0])
        self.assertFaults(
            "name,price\nOil,1\n".encode("utf-16-le"), (1, "\0n\0a\0m\0e\0"[1:]), (1, "\0p\0r\0i\0c\0e\0")
        )
        self.assertFaults(codecs.BOM_UTF16_LE + "name,price\nOil,1".encode("utf-16-le")[:-1], (2, "price"))

    def test_cells_are_apart_by_comma_semicolon_or_tab(self) -> None:
        for delimiter in ",;\t":
            with self.subTest(delimiter):
                self.assertImported(file_of({"name": "a,b;c\td", "price": "1"}, delimiter=delimiter), created=1)
        self.assertEqual(set(db.session.scalars(select(Part.name))), {"a,b;c\td"})

    def test_lines_end_in_every_usual_way_and_empty_ones_are_no_rows(self) -> None:
        for end in ("\r\n", "\n", "\r"):
            self.assertImported(end.join(("name,price", "Oil,1", "", "Air,1")), created=2)
            self.assertFaults(end.join(("name,price", "Oil,1", "", "Air,x", "")), (4, "price"))

    def test_rows_and_columns_that_are_blank_throughout_are_nothing(self) -> None:
        for delimiter in ",;\t":
            rows = (
                ("", "", ""),
                ("name", "", "price", "sku", "", ""),
                ("Filter", "", "9", f"X{ord(delimiter)}", "", ""),
                ("", "", "", "", "", "", "", ""),
                (" ", "\xa0", "", " "),
                ('""', '" "', '""'),
                ("Oil", "", "1"),  # what is missing at its end is empty
                ("", "", "", "", "", ""),
            )
            with self.subTest(delimiter):
                self.assertImported("\r\n".join(map(delimiter.join, rows)), created=2)
                bad = "\r\n".join(map(delimiter.join, (*rows, ("Air", "", "x"))))
                self.assertFaults(bad, (len(rows) + 1, "price"))

    def test_a_cell_without_the_name_of_a_column_is_refused(self) -> None:
        for row in ("Oil,1,X", "Oil,1,,X", "Oil,1,,,,X"):
            (message,) = self.assertFaults(f"name,price,,\nAir,2,,\n{row}\n", (3, None))
            self.assertIn("1 cells more than the first row has names", message)

    def test_a_missing_cell_leaves_a_field_as_it_is(self) -> None:
        self.new_part(sku="PAD", location="A1")
        self.assertImported("sku,price,location\nPAD,9.95\n", updated=1)
        self.assertEqual((self.part("PAD")["price"], self.part("PAD")["location"]), ("9.95", "A1"))
        self.assertFaults("sku,name,price\nNEW,New\n", (2, "price"))

    def test_decimals_have_a_comma_where_it_does_not_part_the_cells(self) -> None:
        for number, delimiter in enumerate(";\t"):
            file = file_of({**PADS, "sku": f"C{number}", "price": "9,90", "cost": "0,5"}, delimiter=delimiter)
            with self.subTest(delimiter):
                self.assertImported(file, created=1)
                part = self.part(f"C{number}")
                self.assertEqual((part["price"], part["cost"]), ("9.90", "0.50"))
                self.assertImported(file, unchanged=1)
                point = file_of({**PADS, "sku": f"C{number}", "price": "9.90"}, delimiter=delimiter)
                self.assertImported(point, unchanged=1)
                for price in ("9,905", "1.234,50", "1,234,5", "9,", ",9", "9,9x", "-9,90"):
                    wrong = {"name": "Oil", "price": price}
                    self.assertFaults(file_of(wrong, delimiter=delimiter), (2, "price"))
        self.assertFaults(file_of({**PADS, "price": "9,90"}), (2, "price"))
        self.assertImported("name;price;quantity_on_hand\nA,5;1,5;3\n", created=1)
        db.session.rollback()
        self.assertEqual(db.session.scalar(select(Part.price).where(Part.name == "A,5")), Decimal("1.50"))
        self.assertFaults("name;price;quantity_on_hand\nOil;1;3,5\n", (2, "quantity_on_hand"))

    def test_what_a_spreadsheet_has_spoilt_is_refused_by_cell_and_says_why(self) -> None:
        self.new_part(sku="1.23457E+11")
        spoilt = ["1.23457E+11", "1,23457E+11", "1E+05", "-1.5E-07", "#REF!", "#N/A", "#NAME?", "########"]
        for sku in (*spoilt, "12-Mar", "1-Sep", "Mar-12"):
            with self.subTest(sku):
                (message,) = self.assertFaults(file_of({**PADS, "sku": sku}), (2, "sku"))
                self.assertRegex(message, "^A spreadsheet .*; format the column as text, and enter it again.$")
        for column in ("name", "location"):
            self.assertFaults(file_of({**PADS, column: "1.23457E+11"}), (2, column))
        self.assertFaults(file_of({"name": "Ann", "phone": "2.12556E+09"}), (2, "phone"), path=CUSTOMERS)
        for number, sku in enumerate(("1E5", "E+11", "1.5E+11-X", "12-MAR", "12-MAR-4", "#4", "1.23457", "2026-03-12")):
            with self.subTest(sku):
                self.assertImported(file_of({"name": f"Part {number} 12-Mar", "price": 1, "sku": sku}), created=1)

    def test_names_of_columns_may_be_in_capitals(self) -> None:
        self.assertImported("Name, PRICE \nOil,1\n", created=1)

    def test_unknown_and_repeated_columns_are_refused(self) -> None:
        (message,) = self.assertFaults("name,price,colour\nOil,1,red\n", (1, "colour"))
        self.assertIn("reorder_point", message)
        self.assertFaults("name,price,name\nOil,1,Air\n", (1, "name"))

    def test_a_file_has_at_most_a_hundred_columns(self) -> None:
        for path in (PARTS, CUSTOMERS):
            for number in (101, 16_000):
                with self.subTest(path, columns=number):
                    names = ",".join(["name", *(f"c{n}" for n in range(1, number))])
                    refused = self.advisor.request("POST", path, data=f"{names}\r\n", content_type="text/csv")
                    problem = self.assertProblem(refused, 422, "invalid-input")
                    self.assertEqual(
                        [fault["message"] for fault in problem["rows"]], ["A file has at most 100 columns."]
                    )

    def test_what_is_no_table_is_refused(self) -> None:
        self.assertFaults(b"", (1, None))
        self.assertFaults("\r\n", (1, None))
        self.assertFaults("name,price\nOil,1,2\nAir,1,2\n", (2, None), (3, None))
        self.assertFaults(",,\r\n ,\r\n", (1, None))
        self.assertFaults('name,price\nOil,1\n"Air,1\n', (3, None))
        self.assertFaults('name,price\n"Oil"x,1\n', (2, None))
        self.assertFaults("name,price\n" + "n" * 200_000 + ",1\n", (2, None))
        self.assertImported("name,price\n", created=0)

    def test_no_more_than_a_hundred_faults_are_told(self) -> None:
        rows = "name,price\n" + "Oil,x\n" * 500
        self.assertFaults(rows, *((number, "price") for number in range(2, 102)))
        self.assertFaults(
            "sku\n" + "\n".join(f"S{n}" for n in range(500)),
            *((number // 2, ("name", "price")[number % 2]) for number in range(4, 104)),
        )

    def test_a_file_has_an_end(self) -> None:
        most, checking.MAX_ROWS = checking.MAX_ROWS, 10
        self.addCleanup(setattr, checking, "MAX_ROWS", most)
        self.assertImported("name,price\n" + "Oil,1\n" * 10, created=10)
        self.assertFaults("name,price\n" + "Oil,1\n" * 11, (12, None))

    def test_other_types_are_refused(self) -> None:
        file = file_of(PADS)
        for content_type in ("application/json", "text/plain", "text/csv; charset=latin-1", "", "text/csvx"):
            with self.subTest(content_type):
                answer = self.send(file, content_type=content_type)
                self.assertProblem(answer, 415, "unsupported-media-type")
        self.assertImported(file, created=1, content_type="Text/CSV; charset=UTF-8; header=present")
        self.assertProblem(
            self.advisor.request("POST", "/inventory", data=file, content_type="text/csv"),
            415,
            "unsupported-media-type",
        )

    def test_a_file_may_be_larger_than_other_bodies_and_not_larger_than_it_may(self) -> None:
        self.assertImported("name,price\n" + ("Oil,1" + " " * 4000 + "\n") * 500, created=500)
        self.assertProblem(self.send(b"n" * 20_000_000), 413, "body-too-large")
        self.assertProblem(self.advisor.post("/inventory", {"name": "n" * 1_048_576}), 413, "body-too-large")


class Retries(ImportTest):
    """Idempotency-Key"""

    def test_a_file_that_is_sent_again_is_imported_once(self) -> None:
        file = "name,price\n" + ("Oil,1" + " " * 4000 + "\n") * 300
        for _ in range(2):
            self.assertImported(file, created=300, headers={"Idempotency-Key": "import-1"})
        self.assertEqual(db.session.scalar(select(func.count()).select_from(Part)), 300)
        refused = [self.send("name,price\nOil,x\n", headers={"Idempotency-Key": "import-2"}) for _ in range(2)]
        self.assertEqual((refused[0].status_code, refused[0].data), (422, refused[1].data))


class LongFiles(ImportTest):
    """Many rows take a few statements for each thousand, and not much more memory than few."""

    def rows(self, number: int) -> bytes:
        lines = (f"Brake pad {n},{n % 900}.50,SKU-{n:07},{n % 50},{n % 5},A{n % 99}" for n in range(number))
        return ("name,price,sku,quantity_on_hand,reorder_point,location\n" + "\n".join(lines)).encode()

    def test_the_ledger_and_the_shelf_agree(self) -> None:
        self.assertImported(self.rows(2_500), created=2_500)
        on_hand = db.session.scalar(select(func.sum(Part.quantity_on_hand)))
        self.assertEqual(on_hand, db.session.scalar(select(func.sum(StockMovement.quantity))))
        apart = (
            select(Part.id)
            .join(StockMovement, StockMovement.part_id == Part.id)
            .where(StockMovement.quantity != Part.quantity_on_hand)
        )
        self.assertEqual(list(db.session.scalars(apart)), [])

    def test_a_thousand_rows_take_few_statements(self) -> None:
        with statements() as created:
            self.assertImported(self.rows(4_000), created=4_000)
        with statements() as updated:
            self.assertImported(self.rows(4_000).replace(b".50,", b".75,"), updated=4_000)
        for sent in (created, updated):
            self.assertLess(len(sent), 50)

    def test_memory_hardly_grows_with_the_rows(self) -> None:
        # Of few rows at once few show it.
        self.enterContext(mock.patch.object(operations, "ROWS_AT_ONCE", 200))
        peaks = []
        self.assertImported(self.rows(500), created=500, query="?dry_run=true")  # what is kept is kept from then on
        for number in (500, 3_000):
            file = self.rows(number)
            tracemalloc.start()
            self.assertImported(file, created=number, query="?dry_run=true")
            peaks.append(tracemalloc.get_traced_memory()[1] - len(file))
            tracemalloc.stop()
        self.assertLess(peaks[1] - peaks[0], 1_500_000, peaks)


class Races(RaceTest):
    """Imports among others."""

    def send(self, path: str, *rows: dict[str, Any]) -> TestResponse:
        return self.advisor.request("POST", path, data=file_of(*rows), content_type="text/csv")

    def test_the_same_file_sent_many_times_at_once_enters_once(self) -> None:
        for path, rows in (
            (PARTS, [{"name": f"Part {n}", "price": 1, "sku": f"S{n}", "quantity_on_hand": 3} for n in range(50)]),
            (CUSTOMERS, [{"name": f"Person {n}", "email": f"p{n}@example.com"} for n in range(50)]),
        ):
            answers = at_once([lambda path=path, rows=rows: self.send(path, *rows)] * 6)
            self.assertEqual(statuses(answers), {200: 6})
            self.assertEqual(sorted(answer.json["created"] for answer in answers), [0, 0, 0, 0, 0, 50])
        self.assertEqual(db.session.scalar(select(func.sum(StockMovement.quantity))), 150)

    def test_no_change_of_others_is_lost(self) -> None:
        parts = [self.make_part(sku=f"S{n}") for n in range(20)]
        tickets = [self.make_ticket() for _ in range(10)]
        prices = [{"sku": f"S{n}", "price": "77.00"} for n in reversed(range(20))]
        requests: Iterable[Any] = [
            *(lambda: self.send(PARTS, *prices) for _ in range(3)),
            *(
                lambda path=f"/service-tickets/{ticket}/add-part/{part}": self.advisor.put(path, {"quantity": 2})
                for ticket, part in zip(tickets, parts, strict=False)
            ),
            *(lambda part=part: self.advisor.put(f"/inventory/{part}", {"location": "Z9"}) for part in parts[10:]),
        ]
        answers = at_once(requests)
        self.assertEqual(statuses(answers), {200: 23})
        rows = db.session.execute(select(Part.price, Part.location, Part.quantity_reserved).order_by(Part.id)).all()
        self.assertEqual(rows[:10], [(Decimal("77.00"), None, 2)] * 10)
        self.assertEqual(rows[10:], [(Decimal("77.00"), "Z9", 0)] * 10)
