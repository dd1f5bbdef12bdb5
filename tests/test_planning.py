"""Statements that are planned once a connection, and made anew after a migration."""

import unittest
from collections import Counter
from decimal import Decimal

from sqlalchemy import bindparam, func, literal, select, text
from sqlalchemy.exc import IntegrityError

from app.database import read
from app.extensions import db
from app.models import Part, ServiceTicket
from app.planning import planned_once
from tests.support import ON_POSTGRESQL, ShopTest

PLANNED = text("SELECT statement FROM pg_prepared_statements")


@unittest.skipUnless(ON_POSTGRESQL, "SQLite has no server to plan")
class Planning(ShopTest):
    """On PostgreSQL."""

    def setUp(self) -> None:
        super().setUp()
        db.session.remove()
        for engine in db.engines.values():
            engine.dispose()

    def planned(self, engine: str | None = None) -> Counter[str]:
        """What the one connection of an engine has planned."""
        with db.engines[engine].connect() as connection:
            return Counter(connection.scalars(PLANNED))

    def test_one_object_is_planned_once_a_connection(self) -> None:
        first, second = self.make_part(name="Oil filter"), self.make_part(name="Air filter")
        for _ in range(10):
            self.assertEqual(self.assertStatus(self.admin.get(f"/inventory/{first}"), 200)["name"], "Oil filter")
            self.assertEqual(self.assertStatus(self.admin.get(f"/inventory/{second}"), 200)["name"], "Air filter")
        planned = {statement: times for statement, times in self.planned("reads").items() if "parts" in statement}
        self.assertEqual(list(planned.values()), [1])

    def test_values_are_passed_as_they_are(self) -> None:
        named = planned_once(
            select(Part.id, literal("100 %"), func.length(bindparam("name", "")))
            .where(Part.name == bindparam("name"), Part.price == bindparam("price", type_=Part.price.type))
            .order_by(Part.id)
        )
        for name in ("O'Neill's \\ \"filter\"", "%(name)s, 50 %", "$1 + $2", "; DROP TABLE parts", "Ölfilter 🛢"):
            with self.subTest(name):
                part_id = self.make_part(name=name)
                price = db.session.get_one(Part, part_id).price
                found = db.session.execute(named, {"name": name, "price": price}).one()
                self.assertEqual(tuple(found), (part_id, "100 %", len(name)))

    def test_without_values(self) -> None:
        self.assertEqual(db.session.scalar(planned_once(select(func.count()).select_from(ServiceTicket))), 0)

    def test_what_is_planned_outlives_a_transaction_that_failed(self) -> None:
        ticket, part = self.make_ticket(), self.make_part()
        path = f"/service-tickets/{ticket}/add-part/{part}"
        self.assertStatus(self.advisor.put(path, {"quantity": 11}), 409)
        for quantity in range(1, 9):
            self.assertStatus(self.advisor.put(path, {"quantity": quantity}), 200)
        with self.assertRaises(IntegrityError):
            self.save(Part(name="Free", price=Decimal(-1)))
        db.session.rollback()
        self.assertStatus(self.advisor.put(path, {"quantity": 9}), 200)

    def test_a_migration_meanwhile_costs_a_read_nothing_and_a_write_one_try(self) -> None:
        ticket, part = self.make_ticket(), self.make_part()
        path = f"/inventory/{part}"
        for quantity in range(1, 9):
            self.assertStatus(self.advisor.patch(path, {"reorder_point": quantity}), 200)
        self.addCleanup(self.alter, 120)
        name = planned_once(select(Part.name).where(Part.id == bindparam("id")))
        self.assertEqual(read(name, {"id": part})[0][0], "Oil filter")
        self.alter(150)
        self.assertEqual(read(name, {"id": part})[0][0], "Oil filter")
        self.assertStatus(self.advisor.get(f"/service-tickets/{ticket}"), 200)
        headers = {"Authorization": f"Bearer {self.advisor.token}"}
        sent = {"reorder_point": 9}
        self.assertProblem(self.app.test_client().patch(path, headers=headers, json=sent), 503, "unavailable")
        self.assertEqual(self.assertStatus(self.advisor.patch(path, {"reorder_point": 10}), 200)["reorder_point"], 10)

    def alter(self, length: int) -> None:
        """Change the type of a column."""
        db.session.remove()
        with db.engine.begin() as connection:
            connection.execute(text(f"ALTER TABLE parts ALTER COLUMN name TYPE varchar({length})"))
