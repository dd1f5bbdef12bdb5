"""Rows that are written past the unit of work come to the same as those that it writes, and statements go together."""

from decimal import Decimal
from typing import Any

from sqlalchemy import bindparam, func, insert, literal, select, update
from sqlalchemy.exc import IntegrityError

from app import writing
from app.database import read
from app.extensions import db
from app.models import Customer, Mechanic, Part, PartLine, ServiceTicket, TicketEvent, Vehicle
from app.planning import planned_once
from app.rules.ticket_life import TicketStatus
from app.rules.totals import Rates
from app.statements import Order, Prepared
from app.transaction import atomic, execute, is_underway, write_later
from tests.support import ShopTest

RATES = Rates(Decimal("120.00"), Decimal("8.25"), Decimal("4.000"), Decimal("5.000"), None)
COUNT = Prepared(planned_once(select(func.count(Part.id)).where(Part.name == bindparam("name"))))
NAME = Prepared(planned_once(select(Part.name, literal("100 %")).where(Part.id == bindparam("id"))))


class Rows(ShopTest):
    """`app/writing.py`"""

    def setUp(self) -> None:
        super().setUp()
        self.part = self.make_part(name="Oil filter")

    def hold(self, model: Any, row_id: int) -> Any:
        """The row, as a change would read it."""
        query = Prepared(writing.columns_of(model).where(model.id == bindparam("id")))
        (row,) = writing.rows_of((model,), execute(Order(query, {"id": row_id}))[0])
        return row

    def stored(self, model: Any, row_id: int) -> dict[str, Any]:
        """All columns of a row but its id."""
        db.session.expire_all()
        row = db.session.get_one(model, row_id)
        return {column.name: getattr(row, column.name) for column in model.__table__.columns if column.name != "id"}

    def test_a_new_row_has_all_that_the_unit_of_work_would_give_it(self) -> None:
        fields = {"customer_id": self.customer.id, "description": "Straße, SQUEALS", "opened_by_id": self.advisor.id}
        watched = ServiceTicket(rates=RATES, **fields)
        self.save(watched)
        with atomic():
            unwatched = ServiceTicket(rates=RATES, **fields)
            writing.add(unwatched)
        self.assertEqual((unwatched.balance, unwatched.version), (Decimal("0.00"), 1))
        first, second = (self.stored(ServiceTicket, ticket) for ticket in (watched.id, unwatched.id))
        for name in ("created_at", "updated_at"):
            self.assertLessEqual(first.pop(name), second.pop(name))
        self.assertEqual(first, second)
        self.assertEqual((second["status"], second["labor_rate"]), (TicketStatus.OPEN, RATES.labor))

    def test_a_row_is_what_the_database_holds(self) -> None:
        with atomic():
            part = self.hold(Part, self.part)
            held = {column.name: getattr(part, column.name) for column in Part.__table__.columns}
        self.assertEqual(held.pop("id"), self.part)
        self.assertEqual(held, self.stored(Part, self.part))

    def test_only_what_was_set_is_written_and_the_version_counts(self) -> None:
        with atomic():
            part = self.hold(Part, self.part)
            # Another hand, which the lock of an operation would keep away.
            execute(
                Order(
                    Prepared(update(Part).where(Part.id == bindparam("which")), ["sku"]),
                    {"which": part.id, "sku": "X1"},
                )
            )
            part.price = Decimal("1.23")
            writing.save(part)
        stored = self.stored(Part, self.part)
        self.assertEqual((stored["sku"], stored["price"], stored["version"]), ("X1", Decimal("1.23"), 2))

    def test_what_was_not_changed_is_not_written(self) -> None:
        before = self.stored(Part, self.part)
        with atomic():
            writing.save(self.hold(Part, self.part))
        self.assertEqual(self.stored(Part, self.part), before)

    def test_the_searched_text_follows(self) -> None:
        with atomic():
            part = self.hold(Part, self.part)
            part.name = "Air FILTER"
            writing.save(part)
        self.assertIn("air filter", self.stored(Part, self.part)["search_text"])

    def test_what_is_written_once_is_not_changed(self) -> None:
        sent = {"customer_id": self.customer.id, "description": "Squeals"}
        self.assertStatus(self.advisor.post("/service-tickets", sent), 201)
        event = db.session.scalars(select(TicketEvent)).one()
        with self.assertRaises(TypeError), atomic():
            row = self.hold(TicketEvent, event.id)
            row.what = "nothing"
            writing.save(row)
        self.assertNotEqual(self.stored(TicketEvent, event.id)["what"], "nothing")

    def test_what_an_outer_join_did_not_find_is_none(self) -> None:
        columns = writing.columns_of(Customer, Vehicle).select_from(Customer)
        query = Prepared(columns.outerjoin(Vehicle, Vehicle.customer_id == Customer.id))
        with atomic():
            rows = [writing.rows_of((Customer, Vehicle), values) for values in execute(Order(query, {}))]
        self.assertEqual({customer.id for customer, _ in rows}, {self.customer.id, self.stranger.id})
        self.assertEqual([vehicle for _, vehicle in rows], [None, None])

    def test_a_row_is_deleted_at_the_end(self) -> None:
        ticket = self.make_ticket()
        self.assertStatus(self.advisor.put(f"/service-tickets/{ticket}/add-part/{self.part}", {"quantity": 1}), 200)
        line = db.session.scalars(select(PartLine)).one()
        with atomic():
            writing.remove(self.hold(PartLine, line.id))
        self.assertEqual(read(select(func.count(PartLine.id)))[0][0], 0)

    def test_who_is_deactivated_is_out_at_once(self) -> None:
        self.assertStatus(self.mechanic.get("/mechanics"), 200)
        with atomic():
            mechanic = self.hold(Mechanic, self.mechanic.id)
            mechanic.active = False
            writing.save(mechanic)
        self.assertProblem(self.mechanic.get("/mechanics"), 401, "not-signed-in")

    def test_a_cached_list_shows_it_at_once(self) -> None:
        self.assertEqual(self.assertStatus(self.advisor.get("/inventory"), 200)[0]["name"], "Oil filter")
        with atomic():
            part = self.hold(Part, self.part)
            part.name = "Air filter"
            writing.save(part)
        self.assertEqual(self.assertStatus(self.advisor.get("/inventory"), 200)[0]["name"], "Air filter")


class Waiting(ShopTest):
    """What is to be written later."""

    def later(self, name: str) -> None:
        """Have a part entered."""
        writing.save(Part(name=name, price=Decimal("1.00")))

    def count(self) -> Any:
        return read(select(func.count(Part.id)))[0][0]

    def test_every_query_of_the_transaction_sees_it(self) -> None:
        queries = {
            "prepared": lambda name: execute(Order(COUNT, {"name": name}))[0][0],
            "read": lambda name: read(COUNT, {"name": name})[0][0],
            "read, not prepared": lambda name: read(select(func.count(Part.id)).where(Part.name == name))[0][0],
            "of the ORM": lambda name: len(db.session.scalars(select(Part).where(Part.name == name)).all()),
        }
        for kind, query in queries.items():
            with self.subTest(kind), atomic():
                self.later(kind)
                self.assertEqual(query(kind), 1)

    def test_it_is_there_after_the_commit_and_not_after_a_failure(self) -> None:
        with atomic():
            self.later("Wiper")
        self.assertEqual(self.count(), 1)
        with self.assertRaises(ZeroDivisionError), atomic():
            self.later("Bulb")
            1 / 0  # noqa: B018  # fails
        with atomic():
            self.later("Fuse")
        self.assertEqual(self.count(), 2)

    def test_what_the_database_refuses_is_refused_and_leaves_nothing(self) -> None:
        with self.assertRaises(IntegrityError), atomic():
            self.later("Wiper")
            writing.save(Part(name="Free", price=Decimal("-1.00")))
        self.assertEqual(self.count(), 0)

    def test_outside_a_transaction_it_is_refused(self) -> None:
        with self.assertRaises(RuntimeError):
            self.later("Wiper")
        with atomic():
            self.later("Bulb")
        with self.assertRaises(RuntimeError):
            self.later("Fuse")
        self.assertEqual(self.count(), 1)

    def test_within_another_transaction_it_belongs_to_that(self) -> None:
        with self.assertRaises(ZeroDivisionError), atomic():
            with atomic():
                self.later("Wiper")
            self.assertEqual(self.count(), 1)
            1 / 0  # noqa: B018  # fails
        self.assertEqual(self.count(), 0)

    def test_another_application_context_has_no_part_in_it(self) -> None:
        with atomic():
            self.later("Wiper")
            self.assertEqual(self.count(), 1)
            with self.app.app_context():
                self.assertFalse(is_underway())
                self.assertEqual(self.count(), 0)
                with self.assertRaises(RuntimeError):
                    self.later("Bulb")
        self.assertEqual(self.count(), 1)


class Together(ShopTest):
    """Several statements at once, as one message where the driver can."""

    NAMES = ("O'Neill's \\ \"filter\"", "%(name)s, 50 %", "$1 + $2", "; DROP TABLE parts", ";\nSELECT 1", "Ölfilter 🛢")

    def test_each_has_its_own_values_and_sees_what_was_done_before(self) -> None:
        enter = Prepared(
            planned_once(insert(Part.__table__).returning(Part.__table__.c.id)),
            ["name", "price", "quantity_reserved", "search_text", "version"],
        )
        rest = {"price": Decimal("1.00"), "quantity_reserved": 0, "search_text": "", "version": 1}
        for name in self.NAMES:
            with self.subTest(name), atomic():
                orders = [Order(enter, {"name": name, **rest}) for _ in range(3)]
                found = execute(*orders, Order(COUNT, {"name": "somebody else's"}), Order(COUNT, {"name": name}))
                self.assertEqual([tuple(row) for row in found], [(3,)])

    def test_the_rows_are_those_of_the_last(self) -> None:
        parts = [self.make_part(name=name) for name in self.NAMES]
        with atomic():
            found = execute(*(Order(NAME, {"id": part}) for part in parts))
        self.assertEqual([tuple(row) for row in found], [(self.NAMES[-1], "100 %")])

    def test_those_that_are_planned_go_with_those_that_are_not(self) -> None:
        part = self.make_part(name="Wiper")
        plain = Prepared(select(func.count(Part.id)))
        with atomic():
            self.assertEqual(execute(Order(NAME, {"id": part}), Order(plain, {}))[0][0], 1)
            self.assertEqual(execute(Order(plain, {}), Order(NAME, {"id": part}))[0][0], "Wiper")

    def test_a_statement_with_a_list_of_values_goes_with_others(self) -> None:
        names = Prepared(select(func.count(Part.id)).where(Part.name.in_(bindparam("names", expanding=True))))
        part = self.make_part(name="Wiper")
        with atomic():
            found = execute(Order(NAME, {"id": part}), Order(names, {"names": ["Wiper", "Bulb"]}))
        self.assertEqual(found[0][0], 1)

    def test_nothing_waits_and_nothing_is_asked(self) -> None:
        with atomic():
            self.assertEqual(list(execute()), [])
            write_later(Order(COUNT, {"name": ""}), Part)
            self.assertEqual(execute()[0][0], 0)
