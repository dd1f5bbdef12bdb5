"""Every list that the document has, in every order of one field and of two: walked by cursor, and page by page.

Lists and their orders are read from the document. A list that is built later is walked as soon as it stands there, with
rows made of its POST's example; where its orders do not differ among these, it fails here until `fill` makes others.
"""

import csv
import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise, permutations
from typing import Any, ClassVar
from unittest import mock

from flask import Flask

from app import create_app
from app.core.lists import pages
from app.core.lists.listing import Listing
from app.core.text.search import sort_key
from app.extensions import db
from app.inventory.schemas import PART
from app.models import AuditEvent, AuditKind, Mechanic, Part, ServiceTicket, Vehicle
from app.spreadsheets import exporting
from tests.core.lists.test_paging import walk
from tests.support import Caller, ShopTest, settings
from tests.support.catalogue import Catalogue
from tests.test_customers import links

# So many rows has every list at least, and so many are on a page.
ROWS, ON_PAGE = 7, 5
NAMES = ("Zoe", "zed", "ápple", "ältere", "Zoe", "Apple", "ápple", "O'Neill", "zoo")
MOMENTS = tuple(datetime(2026, 5, 1 + day, 8, 30, tzinfo=UTC) for day in (3, 0, 1, 3, 2, 0, 1, 4, 2))
AMOUNTS = tuple(Decimal(cents) / 100 for cents in (0, 1250, 999, 1250, 100_000, 0, 999, 5, 10_000))


def orders(names: list[str]) -> Iterator[str]:
    """Every order of one field in each direction; and of two, whose other directions are these from behind."""
    for name in names:
        yield from (name, f"-{name}")
    for first, second in permutations(names, 2):
        yield from (f"{first},{second}", f"-{first},{second}")


class EveryList(ShopTest):
    """What the document says can be sorted"""

    cases: ClassVar[int] = 0

    @classmethod
    def make_app(cls) -> Flask:
        return create_app(settings(RATELIMIT_ENABLED="false"))

    def setUp(self) -> None:
        super().setUp()
        catalogue = Catalogue(self.app)
        self.ids = catalogue.fill_in(self.admin, self.fill())
        self.fill_ticket()
        catalogue.fill_lists(self.admin, self.ids, ROWS)
        self.lists = {
            path.format(**self.ids): list(self.fields(parameter["schema"]["pattern"]))
            for path, methods in catalogue.document["paths"].items()
            for parameter in methods.get("get", {}).get("parameters", [])
            if parameter.get("name") == "sort"
        }

    def fields(self, pattern: str) -> list[str]:
        """The names in the pattern of `sort`."""
        found = re.match(r"\^-\?\(([a-z_|]+)\)", pattern)
        self.assertTrue(found, pattern)
        return found[1].split("|") if found else []

    def fill(self) -> dict[str, int]:
        """Rows for every list, with the same and with different values of what they are sorted by; the ids in paths."""
        crew = [self.make_mechanic(name, email=f"m{n}@example.com") for n, name in enumerate(NAMES)]
        mel = db.session.get_one(Mechanic, self.mechanic.id)
        for n, (name, moment, amount) in enumerate(zip(NAMES, MOMENTS, AMOUNTS, strict=True)):
            self.make_customer(name, email=f"c{n}@example.com", created_at=moment)
            part = self.make_part(name=name, price=amount, quantity_on_hand=5)
            car = int(self.save(Vehicle(customer_id=self.customer.id)).id)
            self.save(AuditEvent(kind=AuditKind.SIGNED_IN, mechanic_id=mel.id))
        cars = {"customer_id": self.customer.id, "vehicle_id": car}
        for n, (moment, amount) in enumerate(zip(MOMENTS, AMOUNTS, strict=True)):
            mechanics = [mel, *(db.session.get_one(Mechanic, each.id) for each in crew[: n % 3])]
            figures = {"total_labor": amount, "total": amount, "balance": amount}
            times = {"created_at": moment, "updated_at": moment + timedelta(hours=n % 2)}
            times |= {"status_since": moment + timedelta(days=n % 3)}
            times |= {"promised_at": moment + timedelta(days=n % 4)} if n % 4 else {}
            ticket = int(
                self.save(
                    ServiceTicket(
                        description="Squeals", opened_by_id=mel.id, mechanics=mechanics, **cars, **figures, **times
                    )
                ).id
            )
        ids = {"customer_id": self.customer.id, "mechanic_id": mel.id, "part_id": part, "ticket_id": ticket}
        return {**ids, "vehicle_id": car}

    def fill_ticket(self) -> None:
        """What belongs to one ticket and to one part, which leaves the ticket locked."""
        ticket, part = self.ids["ticket_id"], self.ids["part_id"]
        path = f"/service-tickets/{ticket}"
        for _ in range(ROWS):
            word = {"decision": "approved", "method": "phone", "said_by": "The owner"}
            self.assertStatus(self.advisor.post(f"{path}/authorizations", word), 201)
            delivery = {"kind": "receive", "quantity": 1}
            self.assertStatus(self.advisor.post(f"/inventory/{part}/movements", delivery), 201)
            self.assertStatus(self.advisor.post(f"{path}/jobs", {"name": "Struts"}), 201)
        self.take_to(ticket, "invoiced")
        for _ in range(ROWS):
            payment = {"kind": "payment", "amount": "0.01", "method": "cash"}
            self.assertStatus(self.advisor.post(f"{path}/payments", payment), 201)

    def reader(self, path: str) -> Caller:
        """Who may read it."""
        return self.customer if self.admin.get(path).status_code == 403 else self.admin

    def test_every_order_shows_each_row_once_by_cursor_and_by_page(self) -> None:
        for path, names in self.lists.items():
            caller = self.reader(path)
            if path.endswith(".csv"):
                continue
            everything = self.assertStatus(caller.get(f"{path}?per_page=100"), 200)
            self.assertDiverse(path, names, everything)
            for sort in orders(names):
                with self.subTest(path, sort=sort):
                    self.assertWalked(caller, f"{path}?sort={sort}", everything)
                    type(self).cases += 1
        self.assertGreater(self.cases, 200)

    def assertWalked(self, caller: Caller, path: str, everything: list[Any]) -> None:
        by_cursor = [row for page in walk(caller, f"{path}&limit={ON_PAGE}") for row in page.json or []]
        by_page = [row for page in walk(caller, f"{path}&per_page={ON_PAGE}") for row in page.json or []]
        self.assertEqual(by_cursor, by_page)
        self.assertCountEqual([row["id"] for row in by_cursor], [row["id"] for row in everything])
        self.assertSorted(path.partition("sort=")[2], by_cursor)

    def test_every_export_shows_each_row_once_in_every_order(self) -> None:
        for path, names in self.lists.items():
            if not path.endswith(".csv"):
                continue
            rows = self.exported(path)
            self.assertGreaterEqual(len(rows), ROWS, path)
            for sort in orders(names):
                with self.subTest(path, sort=sort), mock.patch.object(exporting, "ROWS_AT_ONCE", ON_PAGE):
                    found = self.exported(f"{path}?sort={sort}")
                    self.assertCountEqual([row["id"] for row in found], [row["id"] for row in rows])
                    self.assertSorted(sort, found)

    def exported(self, path: str) -> list[dict[str, Any]]:
        answer = self.admin.get(path)
        self.assertEqual(answer.status_code, 200, answer.text)
        return list(csv.DictReader(io.StringIO(answer.text)))

    def assertDiverse(self, path: str, names: list[str], rows: list[dict[str, Any]]) -> None:
        """There are rows, and values of every field that is sorted by, of which some are the same."""
        self.assertGreaterEqual(len(rows), ROWS, f"{path} has too few rows to be walked: fill it")
        for name in names:
            values = {shown(row, name) for row in rows}
            self.assertGreaterEqual(len(values), 3, f"{path} has too few values of {name}")
            self.assertTrue(name == "id" or len(values) < len(rows), f"{path} has no {name} twice")

    def assertSorted(self, sort: str, rows: list[dict[str, Any]]) -> None:
        """Each row stands behind the one before it, as far as the answer shows what counts."""
        names = [*sort.split(","), "id"]
        for row, following in pairwise(rows):
            for name in names:
                one, two = (comparable(name, shown(each, name.removeprefix("-"))) for each in (row, following))
                if one != two:
                    self.assertTrue(one > two if name.startswith("-") else one < two, (sort, one, two))
                    break


def shown(row: dict[str, Any], name: str) -> Any:
    """What an answer shows of a sort key, in whichever of its objects."""
    if name in row:
        return row[name]
    return next(each[name] for each in row.values() if isinstance(each, dict) and name in each)


def comparable(name: str, value: Any) -> Any:
    """The value as it sorts: numbers as such, moments as text, names folded, nothing behind all others."""
    if value in (None, ""):
        return "~"
    text = sort_key(str(value)) if name.endswith("name") else str(value)
    return Decimal(text) if re.fullmatch(r"-?\d+(\.\d+)?", text) else text


class NullKeys(ShopTest):
    """A sort key that can be null, which counts as larger than every value"""

    LISTING = Listing(
        Part,
        sorts={
            "id": Part.id,
            "reorder_point": Part.reorder_point,
            "available": Part.quantity_available,
            "cost": Part.cost,
            "archived_at": Part.archived_at,
        },
    )

    def setUp(self) -> None:
        super().setUp()
        points = (None, 3, 1, None, 3, None, 2)
        costs = (Decimal(1), None, Decimal(2), None, None, Decimal(1), None)
        for number, (point, cost) in enumerate(zip(points, costs, strict=True)):
            self.make_part(reorder_point=point, cost=cost, quantity_on_hand=None if number % 3 else 5)
        self.rows = self.assertStatus(self.admin.get("/inventory"), 200)

    def test_every_order(self) -> None:
        for sort in orders(list(self.LISTING.sorts)):
            with self.subTest(sort):
                names = tuple(sort.split(","))
                expected = self.ordered(names)
                self.assertEqual(self.by_cursor(names), expected)
                with self.app.test_request_context():
                    page = pages.render_page(PART, self.LISTING, {"sort": names})
                self.assertEqual([row["id"] for row in page.json or []], expected)

    def by_cursor(self, sort: tuple[str, ...]) -> list[int]:
        found: list[int] = []
        query: dict[str, Any] = {"sort": sort, "limit": 2}
        while query:
            with self.app.test_request_context():
                page = pages.render_page(PART, self.LISTING, query)
            found += [row["id"] for row in page.json or []]
            following = links(page).get("next", "")
            query = {**query, "cursor": following.partition("cursor=")[2]} if following else {}
        return found

    def ordered(self, sort: tuple[str, ...]) -> list[int]:
        rows = sorted(self.rows, key=lambda row: int(row["id"]))
        for name in reversed(sort):
            column = {"available": "quantity_available"}.get(name.removeprefix("-"), name.removeprefix("-"))
            values = {row["id"]: row.get(column) for row in rows}
            rows.sort(
                key=lambda row, values=values: (  # type: ignore[misc]
                    values[row["id"]] is None,
                    Decimal(values[row["id"]] or 0),
                ),
                reverse=name.startswith("-"),
            )
        return [row["id"] for row in rows]
