"""GET /customers.csv, /inventory.csv, /service-tickets.csv: lists for spreadsheets, whole, safe, and streamed."""

import csv
import http.client
import io
import socket
import tracemalloc
from decimal import Decimal
from urllib.parse import urlsplit

from flask import Flask
from sqlalchemy import insert, text

from app import create_app
from app.extensions import db
from app.models import AuditEvent, AuditKind, Customer, Part
from app.spreadsheets import csv_format
from tests.support import Caller, ShopTest, new_migrated_database, settings
from tests.support.instruments import statements
from tests.support.live import serving
from tests.support.repair_orders import ACCORD, SECRET_KEY, RepairOrderTest

PRICE = Decimal("1.00")
FILES = ("/customers.csv", "/inventory.csv", "/service-tickets.csv", "/service_tickets.csv")
# What spreadsheets would run, and what only looks like it.
FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", '=HYPERLINK("http://evil.example")', "'=1+1", "''@x")
INNER = {
    "Bob;=1+1": "Bob;'=1+1",
    "Bob,@SUM(A1)": "Bob,'@SUM(A1)",
    "Bob|-1": "Bob|'-1",
    "Bob;'=1+1": "Bob;''=1+1",
    'Bob;"=1+1"': 'Bob;\'"=1+1"',
    "Bob\n=1+1;+2": "Bob\n'=1+1;'+2",
    "\uff1d1+1": "'\uff1d1+1",
    ";\uff20x": ";'\uff20x",
}
HARMLESS = ("'t Hooft", "1=1", "a@b", "O'Brien", 'the "big" one', "a,b;c", "two\r\nlines", "Jürgen 车")


def rows_of(file: bytes) -> list[dict[str, str]]:
    """The rows of a file, by column."""
    return list(csv.DictReader(io.StringIO(file.decode(), newline="")))


class ExportTest(RepairOrderTest):
    """Requests for files."""

    def exported(self, path: str, by: Caller | None = None) -> list[dict[str, str]]:
        """The rows of a file."""
        response = (by or self.advisor).get(path)
        self.assertEqual(response.status_code, 200, response.text)
        return rows_of(response.data)


class Files(ExportTest):
    """What a file is, and what is in it."""

    def test_staff_get_files_and_nobody_else(self) -> None:
        for path in FILES:
            for caller in (self.mechanic, self.advisor, self.admin):
                with self.subTest(f"{path} {caller.email}"):
                    response = caller.get(path)
                    self.assertEqual((response.status_code, response.mimetype), (200, "text/csv"))
                    self.assertEqual(response.mimetype_params["charset"], "utf-8")
                    name = path.lstrip("/").replace("_", "-")
                    self.assertEqual(response.headers["Content-Disposition"], f'attachment; filename="{name}"')
                    self.assertEqual(response.headers["Cache-Control"], "no-store")
            self.assertProblem(self.customer.get(path), 403, "forbidden")
            self.assertProblem(self.anyone.get(path), 401, "not-signed-in")

    def test_lines_end_as_the_standard_says_and_the_first_names_the_columns(self) -> None:
        self.new_part(sku="A")
        header, row, end = self.advisor.get("/inventory.csv").text.split("\r\n")
        self.assertEqual(end, "")
        part = self.assertStatus(self.advisor.get("/inventory"), 200)[0]
        self.assertEqual(header.split(","), list(part))
        self.assertEqual(
            row.split(","),
            ["" if value is None else "true" if value is True else str(value) for value in part.values()],
        )

    def test_a_file_without_rows_has_its_header(self) -> None:
        for path in ("/inventory.csv", "/service-tickets.csv"):
            self.assertEqual(self.advisor.get(path).text.count("\r\n"), 1)

    def test_it_begins_with_a_mark_where_that_is_asked_for(self) -> None:
        self.assertTrue(self.advisor.get("/customers.csv?bom=true").data.startswith(b"\xef\xbb\xbfid,"))
        self.assertTrue(self.advisor.get("/customers.csv?bom=false").data.startswith(b"id,"))
        self.assertInvalid(self.advisor.get("/customers.csv?bom=yes"), "bom")

    def test_a_ticket_is_one_row_with_its_sums(self) -> None:
        vehicle = self.new_vehicle(vin=ACCORD)
        ticket = self.new_ticket(vehicle_id=vehicle, odometer=90)
        for mechanic in (self.colleague, self.mechanic):
            path = f"/service-tickets/{ticket}/assign-mechanic/{mechanic.id}"
            self.assertStatus(self.advisor.put(path), 200)
        self.assertStatus(self.work(ticket, "1.5"), 201)
        (row,) = self.exported("/service-tickets.csv")
        shown = self.ticket(ticket)
        self.assertEqual(
            (row["customer_name"], row["vehicle_plate"], row["vehicle_vin"], row["opened_by"], row["mechanics"]),
            ("Cus Tomer", "8ABC123", ACCORD, "Mel Mechanic", "Mel Mechanic, Coll Eague"),
        )
        self.assertEqual({name: row[name] for name in shown["totals"]}, shown["totals"])
        for name in ("id", "status", "odometer", "customer_id", "vehicle_id", "created_at", "version"):
            self.assertEqual(row[name], str(shown[name]))

    def test_no_hash_of_a_password_and_nobody_who_was_erased_is_in_it(self) -> None:
        self.assertStatus(self.admin.delete(f"/customers/{self.stranger.id}"), 204)
        file = self.advisor.get("/customers.csv").text
        self.assertNotIn("argon2", file)
        self.assertNotIn("password", file)
        self.assertEqual([row["id"] for row in rows_of(file.encode())], [str(self.customer.id)])

    def test_the_filters_and_the_order_are_those_of_the_list(self) -> None:
        self.new_part(on_hand=1, sku="LOW", name="Zed", reorder_point=5)
        self.new_part(on_hand=9, sku="HIGH", name="Air", reorder_point=5)
        self.assertEqual([row["sku"] for row in self.exported("/inventory.csv?low_stock=true")], ["LOW"])
        self.assertEqual([row["sku"] for row in self.exported("/inventory.csv?sort=name")], ["HIGH", "LOW"])
        self.assertEqual([row["sku"] for row in self.exported("/inventory.csv?sort=-id")], ["HIGH", "LOW"])
        self.new_vehicle(self.stranger, plate="FIND ME")
        (row,) = self.exported("/customers.csv?plate=findme")
        self.assertEqual(row["id"], str(self.stranger.id))

    def test_a_file_has_no_pages(self) -> None:
        for path in FILES:
            for name in ("page", "per_page", "limit", "cursor", "nonsense"):
                with self.subTest(f"{path} {name}"):
                    self.assertInvalid(self.advisor.get(f"{path}?{name}=1"), name)

    def test_it_is_on_record_who_exported_what(self) -> None:
        for path in FILES[:3]:
            self.exported(path)
        events = db.session.query(AuditEvent).filter_by(kind=AuditKind.EXPORTED).order_by(AuditEvent.id).all()
        self.assertEqual([(e.subject, e.mechanic_id) for e in events], [(p[1:], self.advisor.id) for p in FILES[:3]])


class Formulas(ExportTest):
    """What a spreadsheet would run is text, and can be had back."""

    def test_a_formula_is_made_text_and_nothing_else_is_touched(self) -> None:
        for name in FORMULAS + HARMLESS:
            with self.subTest(name):
                part = self.new_part(name=name)
                row = next(row for row in self.exported("/inventory.csv") if row["id"] == str(part))
                self.assertEqual(row["name"], f"'{name}" if name in FORMULAS else name)

    def test_a_formula_behind_any_delimiter_is_made_text(self) -> None:
        for given, escaped in INNER.items():
            with self.subTest(given):
                self.assertEqual(csv_format.escape_formula(given), escaped)
                self.assertEqual(csv_format.unescape_formula(escaped), given)
                line = csv_format.write([["1", csv_format.escape_formula(given), "x"]])
                for delimiter in ",;|\t":
                    for cells in csv.reader(io.StringIO(line), delimiter=delimiter):
                        self.assertEqual(
                            [c for c in cells if c.lstrip('"')[:1] in set("=+-@\uff1d\uff0b\uff0d\uff20")], []
                        )
        names = {f"{given}." for given in INNER}
        ids = {name: self.new_part(name=name) for name in sorted(names) if name.isprintable()}
        exported = {int(row["id"]): row["name"] for row in self.exported("/inventory.csv")}
        for name, part in ids.items():
            self.assertEqual(exported[part], csv_format.escape_formula(name))

    def test_a_phone_number_is_no_sum(self) -> None:
        self.save(Customer(name="Phone", phone="+12125550142"))
        self.assertEqual(self.exported("/customers.csv?sort=-id")[0]["phone"], "'+12125550142")

    def test_numbers_stay_numbers(self) -> None:
        ticket = self.new_invoiced()
        self.assertStatus(self.pay(ticket, "40.00"), 201)
        (row,) = self.exported("/service-tickets.csv")
        self.assertEqual((row["total"], row["balance"]), ("100.00", "60.00"))

    def test_what_is_escaped_is_unescaped(self) -> None:
        cells = [*FORMULAS, *INNER, *HARMLESS, "", "'", "''", "'''=", "\tx", "\rx", "\nx", "'-", "-", "x'=", "'x="]
        for cell in cells:
            with self.subTest(cell):
                self.assertEqual(csv_format.unescape_formula(csv_format.escape_formula(cell)), cell)
                self.assertNotIn(csv_format.escape_formula(cell)[:1], tuple("=+-@\t\r\n"))


class LongFiles(ShopTest):
    """A long file takes no more memory, statements for some hundred rows, and no row is lost on the way."""

    ROWS = 6_500

    def fill(self, rows: int) -> None:
        db.session.execute(
            insert(Customer),
            [{"name": f"Customer {n}", "phone": "+12125550142", "address": "x" * 450} for n in range(rows)],
        )
        db.session.commit()

    def test_every_row_is_there_once_in_order(self) -> None:
        db.session.execute(insert(Part), [{"name": f"Part {n % 7}", "price": PRICE} for n in range(2_500)])
        db.session.commit()
        for sort in ("id", "-id", "name", "-name"):
            rows = rows_of(self.advisor.get(f"/inventory.csv?sort={sort}").data)
            self.assertEqual(len({row["id"] for row in rows}), 2_500)
            key = [(row["name"] if "name" in sort else "", int(row["id"])) for row in rows]
            names = [name for name, _ in key]
            self.assertEqual(names, sorted(names, reverse=sort == "-name"))

    def test_memory_does_not_grow_with_the_file(self) -> None:
        self.fill(self.ROWS)
        peaks = []
        for query in ("?plate=NOBODY", ""):
            self.length(query)  # whatever is made once is made
            tracemalloc.start()
            length = self.length(query)
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
        self.assertGreater(length, 3_000_000)
        self.assertLess(peaks[1], length)
        self.assertLess(peaks[1], 3_000_000)

    def test_there_is_a_statement_for_each_five_hundred_rows(self) -> None:
        self.fill(3_500)
        with statements() as sent:
            self.length("")
        reads = [statement for statement in sent if "customers" in statement and "SELECT" in statement]
        self.assertEqual(len([s for s in reads if "here" in s]), 8, sent)

    def length(self, query: str) -> int:
        """How long the file is, which nobody keeps."""
        headers = {"Authorization": f"Bearer {self.advisor.token}"}
        with self.app.app_context():
            response = self.app.test_client().get(f"/customers.csv{query}", headers=headers, buffered=False)
            length = sum(len(piece) for piece in response.iter_encoded())
            response.close()
        return length


class BrokenFiles(ShopTest):
    """Who gets half a file learns that it is half."""

    URL = ""

    @classmethod
    def make_app(cls) -> Flask:
        cls.URL = new_migrated_database()
        return create_app(settings(DATABASE_URL=cls.URL, SECRET_KEY=SECRET_KEY))

    def test_what_fails_midway_ends_the_connection(self) -> None:
        rows = [{"name": f"Part {n}", "price": PRICE, "location": "x" * 60, "sku": f"{n:060}"} for n in range(60_000)]
        db.session.execute(insert(Part), rows)
        db.session.commit()
        with serving(self.URL, SECRET_KEY=SECRET_KEY) as (address, log):
            whole = self.ask(address).read()
            self.assertEqual(whole.count(b"\r\n"), 60_001)
            half = self.ask(address)
            begun = half.read(10_000)
            db.session.execute(text("ALTER TABLE parts RENAME TO parts_away"))
            db.session.commit()
            with self.assertRaises(http.client.IncompleteRead) as broken:
                half.read()
            self.assertLess(len(begun) + len(broken.exception.partial), len(whole))
            self.assertEndsInAProblem(self.ask(address))
        self.assertNotIn("x" * 60, log.read_text())

    def ask(self, address: str) -> http.client.HTTPResponse:
        """The answer, of which no more is taken in than is read: the server waits."""
        host, port = urlsplit(address).hostname or "", urlsplit(address).port
        connection = http.client.HTTPConnection(host, port, timeout=60)
        connection.sock = socket.socket()
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
        connection.sock.connect((host, port))
        connection.request("GET", "/inventory.csv", headers={"Authorization": f"Bearer {self.advisor.token}"})
        self.addCleanup(connection.close)
        return connection.getresponse()

    def assertEndsInAProblem(self, response: http.client.HTTPResponse) -> None:
        """What fails before the file begins is a problem document."""
        self.assertGreaterEqual(response.status, 500)
        self.assertEqual(response.getheader("Content-Type"), "application/problem+json")
