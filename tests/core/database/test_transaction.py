"""Transactions: what they save, what they tell, and what a query within one sees."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from sqlalchemy import bindparam, func, insert, literal, select, update
from sqlalchemy.exc import IntegrityError

from app.core.database.reads import read
from app.core.database.transaction import Changes, atomic, committed, get_for_update, is_underway, transaction
from app.core.json_sql import CompiledQuery
from app.extensions import db
from app.models import Mechanic, Part, TicketEvent
from tests.support import ShopTest

COUNT = CompiledQuery(select(func.count(Part.id)).where(Part.name == bindparam("name")))
NAME = CompiledQuery(select(Part.name, literal("100 %")).where(Part.id == bindparam("id")))


def part(name: str, price: str = "1.00") -> Part:
    return Part(name=name, price=Decimal(price))


class TransactionTest(ShopTest):
    """A shop that notes what is told of its commits."""

    @contextmanager
    def told(self) -> Iterator[list[tuple[set[type], set[type]]]]:
        """What is told of commits meanwhile: which models were inserted, and which updated or deleted."""
        heard: list[tuple[set[type], set[type]]] = []

        def hear(changes: Changes) -> None:
            heard.append((set(changes.inserted), set(changes.changed)))

        with committed.connected_to(hear):
            yield heard

    def count(self) -> Any:
        return read(select(func.count(Part.id)))[0][0]


class Saving(TransactionTest):
    """What is there afterwards."""

    def test_it_is_there_after_the_commit_and_not_after_a_failure(self) -> None:
        with atomic():
            db.session.add(part("Wiper"))
        self.assertEqual(self.count(), 1)
        with self.assertRaises(ZeroDivisionError), atomic():
            db.session.add(part("Bulb"))
            1 / 0  # noqa: B018  # fails
        with atomic():
            db.session.add(part("Fuse"))
        self.assertEqual(self.count(), 2)

    def test_what_the_database_refuses_is_refused_and_leaves_nothing(self) -> None:
        with self.assertRaises(IntegrityError), atomic():
            db.session.add(part("Wiper"))
            db.session.flush()
            db.session.add(part("Free", "-1.00"))
        self.assertEqual(self.count(), 0)

    def test_within_another_transaction_it_belongs_to_that(self) -> None:
        with self.assertRaises(ZeroDivisionError), atomic():
            with atomic():
                db.session.add(part("Wiper"))
            self.assertEqual(self.count(), 1)
            1 / 0  # noqa: B018  # fails
        self.assertEqual(self.count(), 0)

    def test_another_application_context_has_no_part_in_it(self) -> None:
        with atomic():
            db.session.add(part("Wiper"))
            self.assertEqual(self.count(), 1)
            with self.app.app_context():
                self.assertFalse(is_underway())
                self.assertEqual(self.count(), 0)
        self.assertEqual(self.count(), 1)

    def test_it_begins_once_and_with_the_first_that_writes(self) -> None:
        begun: list[int] = []
        with transaction(lambda: begun.append(1)):
            self.assertFalse(is_underway())
            for name in ("Wiper", "Bulb"):
                with atomic():
                    db.session.add(part(name))
            self.assertTrue(is_underway())
        self.assertEqual((begun, self.count()), ([1], 2))
        self.assertFalse(is_underway())

    def test_only_what_was_set_is_written_and_the_version_counts(self) -> None:
        part_id = self.make_part(name="Oil filter")
        with atomic():
            row = get_for_update(Part, part_id)
            row.price = Decimal("1.23")
        self.assertEqual((self.row(Part, part_id).price, self.row(Part, part_id).version), (Decimal("1.23"), 2))
        with atomic():
            row = get_for_update(Part, part_id)
            row.price, row.name = Decimal("1.23"), "Oil filter"
        self.assertEqual(self.row(Part, part_id).version, 2)

    def test_the_searched_text_follows(self) -> None:
        part_id = self.make_part(name="Oil filter")
        with atomic():
            get_for_update(Part, part_id).name = "Air FILTER"
        self.assertIn("air filter", self.row(Part, part_id).search_text)

    def test_what_is_written_once_is_not_changed(self) -> None:
        sent = {"customer_id": self.customer.id, "description": "Squeals"}
        self.assertStatus(self.advisor.post("/service-tickets", sent), 201)
        with self.assertRaises(TypeError), atomic():
            db.session.scalars(select(TicketEvent)).one().what = "nothing"
        self.assertNotEqual(db.session.scalars(select(TicketEvent)).one().what, "nothing")


class Telling(TransactionTest):
    """Who listens is told after the outermost commit, and of nothing that was not saved."""

    def test_the_models_that_were_written_whatever_wrote_them(self) -> None:
        price = Decimal("2.00")
        ways = {
            "a new row": (lambda: db.session.add(part("Wiper")), ({Part}, set())),
            "in bulk": (lambda: db.session.execute(insert(Part), [{"name": "Fuse", "price": price}]), ({Part}, set())),
            "an update": (lambda: db.session.execute(update(Part).values(price=price)), (set(), {Part})),
            "a row": (lambda: setattr(get_for_update(Mechanic, self.mechanic.id), "name", "Mel"), (set(), {Mechanic})),
        }
        for way, (write, expected) in ways.items():
            with self.subTest(way), self.told() as told, atomic():
                write()
            self.assertEqual(told, [expected], way)

    def test_nothing_for_a_savepoint_before_the_commit(self) -> None:
        with self.told() as told:
            with atomic():
                with db.session.begin_nested():
                    db.session.add(part("Wiper"))
                self.assertEqual(told, [])
            self.assertEqual(told, [({Part}, set())])

    def test_once_for_those_within_another(self) -> None:
        with self.told() as told, atomic():
            with atomic():
                db.session.add(part("Wiper"))
            self.assertEqual(told, [])
        self.assertEqual(len(told), 1)

    def test_nothing_of_what_failed_or_only_read(self) -> None:
        with self.told() as told:
            with self.assertRaises(ZeroDivisionError), atomic():
                db.session.add(part("Bulb"))
                db.session.flush()
                1 / 0  # noqa: B018  # fails
            with atomic():
                self.count()
        self.assertEqual(told, [])

    def test_who_is_deactivated_is_out_at_once(self) -> None:
        self.assertStatus(self.mechanic.get("/mechanics"), 200)
        with atomic():
            get_for_update(Mechanic, self.mechanic.id).active = False
        self.assertProblem(self.mechanic.get("/mechanics"), 401, "not-signed-in")

    def test_a_cached_list_shows_it_at_once(self) -> None:
        part_id = self.make_part(name="Oil filter")
        self.assertEqual(self.assertStatus(self.advisor.get("/inventory"), 200)[0]["name"], "Oil filter")
        with atomic():
            get_for_update(Part, part_id).name = "Air filter"
        self.assertEqual(self.assertStatus(self.advisor.get("/inventory"), 200)[0]["name"], "Air filter")


class Queries(TransactionTest):
    """Reading, within a transaction and outside."""

    NAMES = ("O'Neill's \\ \"filter\"", "%(name)s, 50 %", "$1 + $2", "; DROP TABLE parts", "SELECT 1", "Ölfilter 🛢")

    def test_every_query_of_the_transaction_sees_what_it_wrote(self) -> None:
        queries = {
            "compiled": lambda name: read(COUNT, {"name": name})[0][0],
            "not compiled": lambda name: read(select(func.count(Part.id)).where(Part.name == name))[0][0],
            "of the ORM": lambda name: len(db.session.scalars(select(Part).where(Part.name == name)).all()),
        }
        for kind, query in queries.items():
            with self.subTest(kind), atomic():
                db.session.add(part(kind))
                self.assertEqual(query(kind), 1)

    def test_values_are_values_whatever_stands_in_them(self) -> None:
        for name in self.NAMES:
            with self.subTest(name):
                part_id = self.make_part(name=name)
                self.assertEqual([tuple(row) for row in read(NAME, {"id": part_id})], [(name, "100 %")])
                self.assertEqual(read(COUNT, {"name": name})[0][0], 1)
                with atomic():
                    self.assertEqual(read(COUNT, {"name": name})[0][0], 1)

    def test_values_come_back_as_their_columns_read_them(self) -> None:
        part_id = self.make_part(price=Decimal("12.50"))
        price = CompiledQuery(
            select(Part.price, Part.cost).where(Part.id == bindparam("id"), Part.price < Decimal(1000))
        )
        self.assertEqual([tuple(row) for row in read(price, {"id": part_id})], [(Decimal("12.50"), None)])

    def test_a_text_that_depends_on_its_values_is_refused(self) -> None:
        listed = CompiledQuery(select(Part.id).where(Part.name.in_(bindparam("names", expanding=True))))
        with self.assertRaisesRegex(TypeError, "depends on its values"):
            read(listed, {"names": ["Wiper"]})
