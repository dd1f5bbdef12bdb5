"""What tickets are found by: the migration writes what the application would have written."""

from flask_migrate import downgrade, upgrade
from sqlalchemy import inspect, select

from app.commands import demo
from app.core.database.transaction import atomic
from app.extensions import db
from app.models import TicketWords, Vehicle
from tests import support
from tests.migrations.test_migrations import MigrationTest
from tests.support.consistency import broken_rules

BEFORE_WORDS, WORDS = "0027", "0028"


class Words(MigrationTest):
    """A demo shop with a plate in other letters and a car that nothing is known of"""

    def new_database(self) -> str:
        return support.new_migrated_database()

    def setUp(self) -> None:
        super().setUp()
        demo.fill(self.app.config["SHOP_RATES"])
        with atomic():
            odd = Vehicle(customer_id=1, plate="Ä123ЖЫ", vin="5YJ3E1EA7KF000042")
            db.session.add_all([odd, Vehicle(customer_id=1)])
            db.session.flush()
            self.odd = odd.id

    def words(self) -> list[tuple[object, ...]]:
        found = select(TicketWords.id, TicketWords.search_text).order_by(TicketWords.id)
        folded = select(Vehicle.id, Vehicle.search_text).order_by(Vehicle.id)
        with db.engine.connect() as connection:
            return [tuple(row) for query in (found, folded) for row in connection.execute(query)]

    def test_they_are_the_same_after_a_way_down_and_up(self) -> None:
        before = self.words()
        self.assertIn((self.odd, " a123жы kf000042"), before)
        downgrade(support.MIGRATIONS, BEFORE_WORDS)
        self.assertFalse(inspect(db.engine).has_table("ticket_words"))
        upgrade(support.MIGRATIONS, WORDS)
        self.assertEqual(self.words(), before)
        self.assertEqual(broken_rules(), {})
