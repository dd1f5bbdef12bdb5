"""A shop that has worked under the simple form goes on under repair orders: what its data becomes, there and back."""

from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache as once
from io import StringIO
from typing import Any, NamedTuple

from flask_migrate import downgrade, upgrade
from sqlalchemy import BigInteger, Connection, MetaData, Table, inspect, select, text

from app.core.database.base import Base
from app.extensions import db
from app.models import Assignment, Mechanic, Part, ServiceTicket
from app.models.ticket import NO_PROMISE
from app.rules.roles import Role
from app.rules.units import Unit
from tests import support
from tests.migrations.test_migrations import MigrationTest
from tests.support import ShopTest

SIMPLE, ORDERS = "0001", "0002"
BEFORE_CREDITS, CREDITS = "0008", "0009"
BEFORE_IDS, IDS = "0009", "0010"
UNFOLDED, FOLDED = "0011", "0012"
READINGS = "0013"
THREE_PLACES, FOUR_PLACES = "0013", "0014"
BEFORE_MAILS, MAILS = "0021", "0022"
BEFORE_COPIES_OF_HOLDS, COPIES_OF_HOLDS = "0020", "0021"
BEFORE_DESK_FIELDS, DESK_FIELDS = "0022", "0023"
BEFORE_FRACTIONS, FRACTIONS = "0023", "0024"
# What is stored for one unit of a part.
UNIT = 1 if support.ON_POSTGRESQL else 100
MOMENT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)

# Parts: what the shelf says under the simple form, where open tickets have taken their units already.
PADS, ROTOR, BULB, OIL, RELIC, DUST = 1, 2, 3, 4, 5, 6
ON_SHELF = {PADS: 7, ROTOR: 0, BULB: 20, OIL: None, RELIC: 1, DUST: 0}
ARCHIVED = {RELIC}
PRICES = {PADS: 6490, ROTOR: 8900, BULB: 399, OIL: 1150, RELIC: 25_000, DUST: 100}
# Tickets and their lines: (part, quantity, price in cents), which is not always the catalogue's.
STATUS = {1: "open", 2: "open", 3: "open", 4: "completed", 5: "completed", 6: "open"}
LINES: dict[int, list[tuple[int, int, int]]] = {
    1: [(PADS, 2, 6490), (ROTOR, 2, 8900), (OIL, 4, 1150)],
    2: [(PADS, 1, 5990), (RELIC, 1, 25_000)],
    3: [(PADS, 3, 6490)],
    4: [(BULB, 2, 399), (PADS, 4, 6490)],
    5: [(OIL, 5, 1099)],
    6: [],
}
# What that comes to: taken by open tickets, and so given back and reserved.
HELD = {PADS: 6, ROTOR: 2, BULB: 0, OIL: 0, RELIC: 1, DUST: 0}
OPENING = {PADS: 13, ROTOR: 2, BULB: 20, RELIC: 2}
TOTALS = {1: 35380, 2: 30990, 3: 19470, 4: 26758, 5: 5495, 6: 0}


class FilledTest(MigrationTest):
    """A database that is filled by plain SQL, and looked at so."""

    def insert(self, table: str, *rows: dict[str, Any]) -> None:
        with db.engine.begin() as connection:
            connection.execute(Table(table, MetaData(), autoload_with=connection).insert(), list(rows))


class SimpleShop(FilledTest):
    """A database of the simple form with a shop's data in it, written by plain SQL."""

    def new_database(self) -> str:
        return support.new_migrated_database(SIMPLE)

    def setUp(self) -> None:
        super().setUp()
        self.fill()
        self.before = self.everything()

    def fill(self) -> None:
        person = {"password_hash": support.password_hash(), "version": 1}
        self.insert(
            "mechanics",
            person | {"id": 1, "name": "Ada", "email": "ada@example.com", "role": "admin", "active": True},
            person | {"id": 2, "name": "Mel", "email": "mel@example.com", "role": "mechanic", "active": True},
        )
        self.insert("customers", person | {"id": 1, "name": "Cus", "email": "cus@example.com", "created_at": MOMENT})
        self.insert("parts", *(self.part(part_id) for part_id in ON_SHELF))
        self.insert("service_tickets", *(self.ticket(ticket_id) for ticket_id in STATUS))
        self.insert("ticket_mechanics", {"ticket_id": 1, "mechanic_id": 2})
        self.insert(
            "part_lines",
            *(
                {"ticket_id": ticket_id, "part_id": part_id, "quantity": quantity, "unit_price": price}
                for ticket_id, lines in LINES.items()
                for part_id, quantity, price in lines
            ),
        )
        self.count_ids_on()

    def part(self, part_id: int) -> dict[str, Any]:
        return {
            "id": part_id,
            "name": f"Part {part_id}",
            "price": PRICES[part_id],
            "quantity_on_hand": ON_SHELF[part_id],
            "quantity_reserved": 0,
            "archived_at": MOMENT if part_id in ARCHIVED else None,
            "version": 4,
        }

    def ticket(self, ticket_id: int) -> dict[str, Any]:
        return {
            "id": ticket_id,
            "status": STATUS[ticket_id],
            "description": "Squeals when braking",
            "odometer": 84210,
            "customer_id": 1,
            "opened_by_id": 2,
            "created_at": MOMENT,
            "updated_at": MOMENT,
            "version": 3,
        }

    def count_ids_on(self) -> None:
        """Ids that were given by hand are not given again."""
        if not support.ON_POSTGRESQL:
            return
        with db.engine.begin() as connection:
            for table in ("mechanics", "customers", "parts", "service_tickets"):
                connection.exec_driver_sql(f"SELECT setval('{table}_id_seq', (SELECT max(id) FROM {table}))")

    def unit(self) -> int:
        """What is stored for one unit of a part: on SQLite a hundred, since there are fractions of them."""
        [kind] = [c["type"] for c in inspect(db.engine).get_columns("part_lines") if c["name"] == "quantity"]
        return 100 if isinstance(kind, BigInteger) else 1

    def parts(self) -> dict[int, tuple[int | None, int]]:
        """On hand and reserved, by part."""
        columns = f"id, quantity_on_hand / {self.unit()}, quantity_reserved / {self.unit()}"
        return {row[0]: row[1:] for row in self.rows(f"SELECT {columns} FROM parts")}

    def assertLedger(self) -> None:
        """What is on hand is the sum of what moved, and what is reserved is what lines hold."""
        unit = self.unit()
        moved = dict(self.rows(f"SELECT part_id, sum(quantity) / {unit} FROM stock_movements GROUP BY part_id"))
        held = dict(self.rows(f"SELECT part_id, sum(quantity_reserved) / {unit} FROM part_lines GROUP BY part_id"))
        for part_id, (on_hand, reserved) in self.parts().items():
            self.assertEqual(reserved, held.get(part_id, 0), f"part {part_id}")
            self.assertEqual(on_hand or 0, moved.get(part_id, 0), f"part {part_id}")


class Upgraded(NamedTuple):
    """A simple shop on which all migrations ran: its address, and what was in it before them."""

    url: str
    before: dict[str, list[tuple[Any, ...]]]


@once
def upgraded_shop() -> Upgraded:
    """The one of which each test has a copy: it is filled and migrated once."""
    shop = SimpleShop()
    shop.setUp()
    upgrade(support.MIGRATIONS)
    shop.doCleanups()
    return Upgraded(shop.url, shop.before)


class UpgradedShop(SimpleShop):
    """A simple shop with its data, after all migrations."""

    def new_database(self) -> str:
        return support.new_database(upgraded_shop().url)

    def fill(self) -> None:
        pass  # it was before the migrations

    def setUp(self) -> None:
        super().setUp()
        self.before = upgraded_shop().before


class Upgrade(UpgradedShop):
    """What open tickets took is on the shelf again, and theirs."""

    def test_the_shelf_has_back_what_open_tickets_took_and_holds_it_for_them(self) -> None:
        expected = {
            part_id: (None if on_shelf is None else on_shelf + HELD[part_id], HELD[part_id])
            for part_id, on_shelf in ON_SHELF.items()
        }
        self.assertEqual(self.parts(), expected)

    def test_what_is_available_is_what_was_on_the_shelf(self) -> None:
        available = self.rows(f"SELECT id, (quantity_on_hand - quantity_reserved) / {self.unit()} FROM parts")
        self.assertEqual(dict(available), ON_SHELF)

    def test_opening_movements_sum_to_what_is_on_hand(self) -> None:
        self.assertLedger()
        opening = self.rows(
            f"SELECT part_id, kind, quantity / {self.unit()}, ticket_id FROM stock_movements ORDER BY part_id"
        )
        self.assertEqual(opening, [(part_id, "receive", units, None) for part_id, units in OPENING.items()])

    def test_lines_of_open_tickets_reserve_and_those_of_completed_ones_are_issued(self) -> None:
        found = self.rows(
            "SELECT ticket_id, part_id, quantity_reserved, quantity_issued, quantity_short FROM part_lines ORDER BY id"
        )
        expected = []
        for ticket_id, lines in LINES.items():
            for part_id, quantity, _ in lines:
                units = 0 if ON_SHELF[part_id] is None else quantity * self.unit()
                stock = (units, 0, 0) if STATUS[ticket_id] == "open" else (0, units, 0)
                expected.append((ticket_id, part_id, *stock))
        self.assertEqual(found, expected)

    def test_lines_and_tickets_have_their_totals(self) -> None:
        lines = self.rows(f"SELECT line_total, quantity * unit_price / {self.unit()} FROM part_lines")
        self.assertTrue(all(total == product for total, product in lines), lines)
        figures = "id, total_parts, total_labor + total_discount + total_supplies + total_tax, total, paid, balance"
        expected = [(ticket_id, total, 0, total, 0, total) for ticket_id, total in TOTALS.items()]
        self.assertEqual(self.rows(f"SELECT {figures} FROM service_tickets ORDER BY id"), expected)

    def test_versions_of_parts_whose_figures_changed_grew(self) -> None:
        versions = dict(self.rows("SELECT id, version FROM parts"))
        for part_id, units in HELD.items():
            self.assertGreaterEqual(versions[part_id], 4)
            if units:
                self.assertGreater(versions[part_id], 4)

    def test_nothing_points_nowhere(self) -> None:
        self.assertEqual(self.drift(), [])
        if not support.ON_POSTGRESQL:
            self.assertEqual(self.rows("PRAGMA foreign_key_check"), [])
        with self.assertRaisesRegex(Exception, "(?i)foreign key"), db.engine.begin() as connection:
            connection.exec_driver_sql("DELETE FROM parts")

    def test_the_series_of_invoices_starts_at_one(self) -> None:
        self.assertEqual(self.rows("SELECT last_number FROM invoice_series"), [(0,)])


class Downgrade(UpgradedShop):
    """The way back gives the old figures, and the way up again the new ones."""

    def test_down_gives_everything_back(self) -> None:
        downgrade(support.MIGRATIONS, SIMPLE)
        self.assertEqual(self.everything(), self.before)

    def test_up_again_gives_the_same(self) -> None:
        first = self.without_moments()
        downgrade(support.MIGRATIONS, SIMPLE)
        upgrade(support.MIGRATIONS)
        self.assertEqual(self.without_moments(), first)
        self.assertLedger()

    def without_moments(self) -> dict[str, list[tuple[Any, ...]]]:
        """Everything but when the opening movements were written."""
        movements = self.rows("SELECT part_id, kind, quantity, reason FROM stock_movements ORDER BY id")
        return self.everything() | {"stock_movements": movements}

    def test_reworked_units_are_taken_under_the_old_form_and_held_under_the_new(self) -> None:
        """A ticket in rework has issued its units: that is what the simple form calls taken."""
        with db.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE service_tickets SET status = 'in_progress' WHERE id = 4")
        downgrade(support.MIGRATIONS, SIMPLE)
        self.assertEqual({part_id: on_hand for part_id, (on_hand, _) in self.parts().items()}, ON_SHELF)
        upgrade(support.MIGRATIONS)
        self.assertEqual(self.parts()[PADS], (ON_SHELF[PADS] + HELD[PADS] + 4, HELD[PADS] + 4))
        self.assertLedger()


class Credits(SimpleShop):
    """What was overpaid was called paid."""

    def test_it_is_invoiced_and_what_was_paid_to_the_cent_stays_paid(self) -> None:
        upgrade(support.MIGRATIONS, BEFORE_CREDITS)
        with db.engine.begin() as connection:
            for ticket_id, beyond in ((4, 0), (5, 100)):
                connection.exec_driver_sql(
                    f"UPDATE service_tickets SET status = 'paid', paid = total + {beyond}, balance = -{beyond}"
                    f" WHERE id = {ticket_id}"
                )
        upgrade(support.MIGRATIONS, CREDITS)
        listed = "SELECT id, status, balance FROM service_tickets WHERE id > 3 ORDER BY id"
        self.assertEqual(self.rows(listed), [(4, "paid", 0), (5, "invoiced", -100), (6, "open", 0)])
        downgrade(support.MIGRATIONS, BEFORE_CREDITS)
        self.assertEqual(self.rows(listed), [(4, "paid", 0), (5, "paid", -100), (6, "open", 0)])


class Rates(SimpleShop):
    """Rates get a fourth place, and lose it again."""

    def test_they_stay_what_they_are(self) -> None:
        upgrade(support.MIGRATIONS, THREE_PLACES)
        with db.engine.begin() as connection:
            connection.exec_driver_sql(
                "UPDATE service_tickets SET parts_tax_rate = 8875, supplies_rate = 5000 WHERE id = 1"
            )
        listed = "SELECT parts_tax_rate, labor_tax_rate, supplies_rate FROM service_tickets WHERE id < 3 ORDER BY id"
        before = self.everything()
        upgrade(support.MIGRATIONS, FOUR_PLACES)
        self.assertEqual(self.rows(listed), [(88750, 0, 50000), (0, 0, 0)])
        read = select(ServiceTicket.parts_tax_rate, ServiceTicket.supplies_rate).where(ServiceTicket.id == 1)
        self.assertEqual(db.session.execute(read).one(), (Decimal("8.875"), Decimal("5")))
        db.session.rollback()
        downgrade(support.MIGRATIONS, THREE_PLACES)
        self.assertEqual(self.everything(), before)

    def test_a_fourth_place_is_rounded_on_the_way_down(self) -> None:
        upgrade(support.MIGRATIONS, FOUR_PLACES)
        with db.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE service_tickets SET parts_tax_rate = 81875, labor_tax_rate = 81874")
        downgrade(support.MIGRATIONS, THREE_PLACES)
        rates = self.rows("SELECT DISTINCT parts_tax_rate, labor_tax_rate FROM service_tickets")
        self.assertEqual(rates, [(8188, 8187)])


class Holds(SimpleShop):
    """What a ticket waits for is copied to its assignments, and stays with the ticket."""

    def test_assignments_get_it_and_lose_it_again(self) -> None:
        upgrade(support.MIGRATIONS, BEFORE_COPIES_OF_HOLDS)
        with db.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE service_tickets SET hold = 'parts' WHERE id IN (1, 3)")
            assigned = "INSERT INTO ticket_mechanics SELECT 2, 2, status, created_at, updated_at, total"
            connection.exec_driver_sql(f"{assigned} FROM service_tickets WHERE id = 2")
        before = self.everything()
        upgrade(support.MIGRATIONS, COPIES_OF_HOLDS)
        listed = self.rows("SELECT ticket_id, hold FROM ticket_mechanics ORDER BY ticket_id")
        self.assertEqual(listed, [(1, "parts"), (2, None)])
        downgrade(support.MIGRATIONS, BEFORE_COPIES_OF_HOLDS)
        self.assertEqual(self.everything(), before)


class InvitesOfNobody(SimpleShop):
    """Invites for a forgotten password, which no member of staff made, go with the mails that told them."""

    def test_those_of_staff_stay_and_those_of_nobody_go(self) -> None:
        upgrade(support.MIGRATIONS, BEFORE_MAILS)
        made = {"token_hash": "a" * 64, "mechanic_id": 1, "made_by_id": 1, "expires_at": MOMENT}
        self.insert("invites", made)
        before = self.everything()
        upgrade(support.MIGRATIONS, MAILS)
        self.insert("invites", {**made, "token_hash": "b" * 64, "made_by_id": None})
        mail = {"kind": "reset", "mechanic_id": 1, "status": "queued", "message_id": "m", "tries": 0}
        self.insert("mails", {**mail, "due_at": MOMENT, "expires_at": MOMENT, "created_at": MOMENT})
        downgrade(support.MIGRATIONS, BEFORE_MAILS)
        self.assertEqual(self.everything(), before)


class StatusSince(SimpleShop):
    """A ticket has its status since its last event of that kind, and else since it was opened."""

    def test_it_comes_from_the_history_and_goes_to_assignments(self) -> None:
        upgrade(support.MIGRATIONS, BEFORE_DESK_FIELDS)
        moments = {"status": "2026-03-05 06:07:08", "mechanics": "2026-03-06 07:08:09"}
        with db.engine.begin() as connection:
            for what, moment in (*moments.items(), ("status", "2026-03-04 08:00:00")):
                connection.exec_driver_sql(
                    "INSERT INTO ticket_events (ticket_id, mechanic_id, what, created_at)"
                    f" VALUES (1, 2, '{what}', '{moment}')"
                )
        before = self.everything()
        upgrade(support.MIGRATIONS, DESK_FIELDS)
        moved, opened = datetime(2026, 3, 5, 6, 7, 8, tzinfo=UTC), MOMENT
        for model, ids in ((ServiceTicket, (1, 2)), (Assignment, (1,))):
            found = db.session.execute(
                select(model.id, model.status_since, model.promised_key).where(model.id.in_(ids)).order_by(model.id)
            ).all()
            expected = [(1, moved, NO_PROMISE), (2, opened, NO_PROMISE)][: len(ids)]
            self.assertEqual([tuple(row) for row in found], expected)
        db.session.rollback()
        downgrade(support.MIGRATIONS, BEFORE_DESK_FIELDS)
        self.assertEqual(self.everything(), before)

    def test_the_code_before_may_still_assign_mechanics(self) -> None:
        upgrade(support.MIGRATIONS, DESK_FIELDS)
        copied = "status, created_at, updated_at, total"
        with db.engine.begin() as connection:
            connection.exec_driver_sql(
                f"INSERT INTO ticket_mechanics (ticket_id, mechanic_id, {copied})"
                f" SELECT id, 2, {copied} FROM service_tickets WHERE id = 2"
            )
        self.assertEqual(db.session.get_one(Assignment, (2, 2)).promised_key, NO_PROMISE)


class Fractions(SimpleShop):
    """Quantities get two places, and lose them again where there is nothing behind the point."""

    def setUp(self) -> None:
        super().setUp()
        upgrade(support.MIGRATIONS, BEFORE_FRACTIONS)
        self.before = self.everything()

    def test_whole_units_stay_what_they_are_there_and_back(self) -> None:
        upgrade(support.MIGRATIONS, FRACTIONS)
        lines = self.rows("SELECT quantity, quantity_reserved, taxable, unit_cost, price_reason FROM part_lines")
        self.assertIn((3 * UNIT, 3 * UNIT, True, None, None), lines)
        self.assertEqual(self.rows("SELECT DISTINCT unit, taxable FROM parts"), [("each", True)])
        part = db.session.get_one(Part, PADS)
        self.assertEqual((part.quantity_on_hand, part.quantity_reserved, part.unit), (13, 6, Unit.EACH))
        db.session.rollback()
        downgrade(support.MIGRATIONS, BEFORE_FRACTIONS)
        self.assertEqual(self.everything(), self.before)

    def test_a_fraction_is_not_rounded_on_the_way_down(self) -> None:
        upgrade(support.MIGRATIONS, FRACTIONS)
        with db.engine.begin() as connection:
            connection.execute(text(f"UPDATE part_lines SET quantity = quantity + 0.25 * {UNIT} WHERE part_id = {OIL}"))
        before = self.everything()
        with redirect_stderr(StringIO()) as told, self.assertRaises(SystemExit):
            downgrade(support.MIGRATIONS, BEFORE_FRACTIONS)
        self.assertIn("part_lines has some", told.getvalue())
        self.assertEqual(self.everything(), before)

    def test_ids_that_were_given_are_not_given_again(self) -> None:
        with db.engine.begin() as connection:
            last = connection.execute(text("SELECT max(id) FROM part_lines")).scalar_one()
            connection.execute(text(f"DELETE FROM part_lines WHERE id = {last}"))
        upgrade(support.MIGRATIONS, FRACTIONS)
        with db.engine.begin() as connection:
            line = "INSERT INTO part_lines (ticket_id, part_id, quantity, quantity_reserved, quantity_issued,"
            line += f" quantity_short, unit_price, line_total) VALUES (6, {PADS}, {UNIT}, 0, 0, 0, 1, 1) RETURNING id"
            self.assertGreater(connection.execute(text(line)).scalar_one(), last)


class Ids(MigrationTest):
    """Ids are never used again, in any table that numbers its rows."""

    def new_database(self) -> str:
        return support.new_migrated_database()

    def setUp(self) -> None:
        super().setUp()
        self.assertEqual(self.app.test_cli_runner().invoke(args=["demo"]).exit_code, 0)
        with db.engine.begin() as connection:
            connection.exec_driver_sql(
                "INSERT INTO audit_events (kind, mechanic_id, created_at)"
                " VALUES ('signed_in', 1, '2026-03-04 05:06:07')"
            )
            moment = "'2026-03-04 05:06:07'"
            connection.exec_driver_sql(
                "INSERT INTO mails (kind, mechanic_id, status, message_id, tries, due_at, expires_at, created_at)"
                f" VALUES ('invite', 1, 'sent', 'a', 1, {moment}, {moment}, {moment})"
            )

    def sell_whole_units(self, connection: Connection) -> None:
        """Leave no fraction of a quart, which older schemas have no place for."""
        lines = ("quantity", "quantity_reserved", "quantity_issued", "quantity_short")
        for table, columns in (("parts", ("quantity_on_hand", "quantity_reserved")), ("part_lines", lines)):
            whole = ", ".join(f"{name} = {name} - {name} % {UNIT}" for name in columns)
            connection.execute(text(f"UPDATE {table} SET {whole}"))

    def keep_one_job(self, connection: Connection) -> None:
        """Leave each ticket its first job alone, and no fee: older schemas have no place for more."""
        spare = "SELECT id FROM jobs WHERE id NOT IN (SELECT min(id) FROM jobs GROUP BY ticket_id)"
        for statement in (
            "DELETE FROM fee_lines",
            *(f"DELETE FROM {table} WHERE job_id IN ({spare})" for table in ("part_lines", "labor_lines")),
            f"DELETE FROM jobs WHERE id IN ({spare})",
            "UPDATE service_tickets SET total = total - total_fees, balance = balance - total_fees, total_fees = 0",
        ):
            connection.exec_driver_sql(statement)

    def test_rebuilding_the_tables_keeps_every_row_and_every_guard(self) -> None:
        with db.engine.begin() as connection:
            self.sell_whole_units(connection)
            self.keep_one_job(connection)
        downgrade(support.MIGRATIONS, IDS)
        before, guards = self.everything(), self.triggers()
        self.assertGreater(sum(map(len, before.values())), 100)
        downgrade(support.MIGRATIONS, BEFORE_IDS)
        self.assertEqual((self.everything(), self.triggers()), (before, guards))
        upgrade(support.MIGRATIONS, IDS)
        self.assertEqual((self.everything(), self.triggers()), (before, guards))

    def test_the_last_row_of_any_table_leaves_its_id_to_no_other(self) -> None:
        numbered = [table for table in Base.metadata.sorted_tables if table.autoincrement_column is not None]
        self.assertGreater(len(numbered), 10)
        numbered.remove(Base.metadata.tables["invoice_series"])  # its one row came with its id, and no other ever comes
        for table in numbered:
            with self.subTest(table.name), self.unguarded() as connection:
                last = connection.execute(table.select().order_by(table.c.id.desc()).limit(1)).mappings().one()
                connection.execute(table.delete().where(table.c.id == last["id"]))
                again = {name: value for name, value in last.items() if name != "id"}
                given = connection.execute(table.insert().values(again)).inserted_primary_key
                assert given is not None
                self.assertGreater(given[0], last["id"])

    @contextmanager
    def unguarded(self) -> Iterator[Connection]:
        """A transaction that is rolled back, without foreign keys and guards."""
        with db.engine.connect() as connection:
            if support.ON_POSTGRESQL:
                connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            else:
                connection.connection.cursor().execute("PRAGMA foreign_keys=OFF")
                for _, trigger in self.triggers():
                    connection.exec_driver_sql(f"DROP TRIGGER {trigger}")
            try:
                yield connection
            finally:
                connection.rollback()
                connection.invalidate()


class Afterwards(UpgradedShop):
    """The API works on what came over."""

    def setUp(self) -> None:
        super().setUp()
        self.admin = self.caller()

    def caller(self) -> support.Caller:
        """The admin who came over, signed in."""
        shop = ShopTest()
        shop.app = self.app
        token = shop.sign_in("mechanic", 1)
        admin = db.session.scalars(select(Mechanic).where(Mechanic.role == Role.ADMIN)).one()
        return support.Caller(self.app, token, admin.id, admin.email)

    def put(self, path: str, body: Any = None, status: int = 200) -> Any:
        response = self.admin.put(f"/service-tickets/{path}", body)
        self.assertEqual(response.status_code, status, response.text)
        return response.json

    def test_a_part_comes_off_an_old_open_ticket(self) -> None:
        shown = self.put(f"1/remove-part/{ROTOR}")
        self.assertEqual(shown["totals"]["total"], "175.80")
        self.assertEqual(self.parts()[ROTOR], (2, 0))
        self.assertLedger()

    def test_an_archived_part_comes_off_too(self) -> None:
        self.put(f"2/remove-part/{RELIC}")
        self.assertEqual(self.parts()[RELIC], (2, 0))
        self.assertLedger()

    def test_an_old_ticket_is_started_completed_invoiced_and_paid(self) -> None:
        for status in ("in_progress", "completed"):
            self.put("1/status", {"status": status})
        self.assertEqual(self.parts()[PADS], (11, 4))
        self.assertEqual(self.parts()[ROTOR], (0, 0))
        self.assertLedger()
        invoice = self.admin.post("/service-tickets/1/invoice")
        self.assertEqual((invoice.status_code, invoice.json["totals"]["total"]), (201, "353.80"), invoice.text)
        payment = {"kind": "payment", "amount": "353.80", "method": "cash"}
        self.assertEqual(self.admin.post("/service-tickets/1/payments", payment).status_code, 201)
        self.assertEqual(self.admin.get("/service-tickets/1").json["status"], "paid")

    def test_an_old_completed_ticket_is_reworked_and_its_units_come_back(self) -> None:
        self.put("4/status", {"status": "in_progress"})
        self.assertEqual(self.parts()[PADS], (13, 6))
        self.put(f"4/add-part/{PADS}", {"quantity": 1})
        self.assertEqual(self.parts()[PADS], (16, 6))
        self.put(f"4/remove-part/{BULB}")
        self.assertEqual(self.parts()[BULB], (22, 0))
        self.assertLedger()

    def test_void_gives_everything_back(self) -> None:
        self.put("3/status", {"status": "void"})
        self.assertEqual(self.parts()[PADS], (13, 3))
        self.assertLedger()

    def test_no_more_is_taken_than_is_there(self) -> None:
        self.put(f"6/add-part/{PADS}", {"quantity": 8}, status=409)
        self.put(f"6/add-part/{PADS}", {"quantity": 7})
        self.put(f"6/add-part/{DUST}", status=409)
        self.assertLedger()

    def test_the_ledger_of_old_parts_is_shown(self) -> None:
        shown = self.admin.get(f"/inventory/{PADS}/movements").json
        self.assertEqual([(one["kind"], one["quantity"], one["mechanic"]) for one in shown], [("receive", 13, None)])

    def test_new_rows_do_not_take_old_ids(self) -> None:
        body = {"customer_id": 1, "description": "Oil change"}
        made = self.admin.post("/service-tickets/", body)
        self.assertEqual((made.status_code, made.json["id"]), (201, len(STATUS) + 1), made.text)


class FoldedTexts(FilledTest):
    """Texts that were stored before are found as new ones are, and no SKU is lost where two look alike."""

    SKUS = {
        1: "caf\u00e9-1",
        2: "cafe\u0301-1",
        3: "CAF\u00c9-1",
        4: "caf\u00e9\u20111",
        5: "Caf\u00e9-1 #4",
        6: "BRK  1",
        7: None,
        8: "x" * 64,
        9: "X" * 64,
        10: "caf\u00e9-1",  # archived
        11: "plain",
    }
    TOLD_APART = {
        1: "caf\u00e9-1",
        2: "caf\u00e9-1 #2",
        3: "CAF\u00c9-1 #3",
        4: "caf\u00e9-1 #4",
        5: "Caf\u00e9-1 #4 #5",
        6: "BRK 1",
        7: None,
        8: "x" * 64,
        9: "X" * 61 + " #9",
        10: "caf\u00e9-1",
        11: "plain",
    }

    def new_database(self) -> str:
        return support.new_migrated_database(UNFOLDED)

    def setUp(self) -> None:
        super().setUp()
        numbers = {"price": 100, "quantity_reserved": 0, "version": 1, "search_text": " as it was"}
        archived = {10: MOMENT}
        self.insert(
            "parts",
            *(
                {
                    "id": part_id,
                    "name": "O\u2019Hara\u2019s",
                    "sku": sku,
                    "archived_at": archived.get(part_id),
                    **numbers,
                }
                for part_id, sku in self.SKUS.items()
            ),
        )
        person = {"version": 1, "created_at": MOMENT, "phone": "+12125550142", "search_text": " as it was"}
        self.insert("customers", *({"id": n, "name": f"\u0141ukasz {n}", **person} for n in range(1, 2501)))
        with redirect_stdout(StringIO()) as told:
            upgrade(support.MIGRATIONS, FOLDED)
        self.told = told.getvalue()

    def test_skus_that_look_alike_are_told_apart_and_all_others_stay(self) -> None:
        found = self.rows("SELECT id, sku, version FROM parts ORDER BY id")
        self.assertEqual({part_id: sku for part_id, sku, _ in found}, self.TOLD_APART)
        for part_id, sku, version in found:
            self.assertEqual(version, 1 if sku == self.SKUS[part_id] else 2, part_id)
        keys = self.rows("SELECT sku_key FROM parts WHERE archived_at IS NULL AND sku IS NOT NULL")
        self.assertEqual(len(set(keys)), 9)
        for part_id in (2, 3, 4, 5, 9):
            self.assertIn(f"Part {part_id}: its SKU {self.SKUS[part_id]!r} looks like", self.told)
        self.assertEqual(self.told.count("Part "), 5)

    def test_texts_are_found_as_new_ones_are(self) -> None:
        self.assertEqual(
            self.rows("SELECT search_text, name_text FROM parts WHERE id IN (2, 11) ORDER BY id"),
            [(" oharas cafe1 #2", " oharas"), (" oharas plain", " oharas")],
        )
        found = self.rows("SELECT id, search_text FROM customers ORDER BY id")
        self.assertEqual(found, [(n, f" lukasz {n} +12125550142") for n in range(1, 2501)])

    def test_down_and_up_again_loses_nothing(self) -> None:
        downgrade(support.MIGRATIONS, UNFOLDED)
        self.assertEqual(dict(self.rows("SELECT id, sku FROM parts")), self.TOLD_APART)
        upgrade(support.MIGRATIONS, FOLDED)
        self.assertEqual(dict(self.rows("SELECT id, sku FROM parts")), self.TOLD_APART)


class EnteredReadings(FilledTest):
    """Readings that came with no ticket are known as such, also those of before."""

    def test_a_reading_that_is_not_of_the_newest_ticket_was_entered(self) -> None:
        upgrade(support.MIGRATIONS, FOLDED)
        person = {"id": 1, "version": 1, "email": "ada@example.com", "phone": "+12125550142"}
        self.insert("mechanics", person | {"name": "Ada", "role": "admin", "active": True, "password_hash": "-"})
        self.insert("customers", person | {"name": "Cus", "created_at": MOMENT})
        cars = {1: 500, 2: 500, 3: None, 4: 700}
        self.insert("vehicles", *({"id": n, "customer_id": 1, "odometer": o, "version": 1} for n, o in cars.items()))
        tables = MetaData()
        with db.engine.connect() as connection:
            tickets = Table("service_tickets", tables, autoload_with=connection)
        numbers = {column.name: 0 for column in tickets.columns if not column.nullable and column.name != "id"}
        ticket = numbers | {"status": "open", "description": "-", "search_text": " -", "is_assigned": False}
        ticket |= {"customer_id": 1, "opened_by_id": 1, "created_at": MOMENT, "updated_at": MOMENT}
        readings = ((1, 400), (1, 500), (1, None), (4, 600))
        self.insert("service_tickets", *({**ticket, "vehicle_id": car, "odometer": at} for car, at in readings))
        upgrade(support.MIGRATIONS, READINGS)
        found = self.rows("SELECT id, odometer, odometer_entered FROM vehicles ORDER BY id")
        self.assertEqual(found, [(1, 500, None), (2, 500, 500), (3, None, None), (4, 700, 700)])
        downgrade(support.MIGRATIONS, FOLDED)
        self.assertEqual(dict(self.rows("SELECT id, odometer FROM vehicles")), cars)
