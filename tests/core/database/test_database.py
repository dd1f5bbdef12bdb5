"""When the database does not answer in time."""

import time
import unittest
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from sqlalchemy import create_engine, select, text

from app import create_app
from app.core.database import engine as database
from app.core.database.engine import TRUSTED_SECONDS
from app.extensions import db
from app.models import Part
from tests.support import DURABLE_SYNCHRONOUS, ON_POSTGRESQL, ShopTest, close_connections, new_database, settings

END_THE_OTHERS = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@contextmanager
def somebody_holds(part_id: int) -> Iterator[None]:
    """Another connection has the part locked; on SQLite, the whole database."""
    with db.engine.connect().execution_options(writes=True) as connection, connection.begin():
        connection.execute(select(Part.id).where(Part.id == part_id).with_for_update())
        yield


class Locks(ShopTest):
    """A lock that is not to be had in time is a 503, and nothing is changed."""

    def test_a_write_that_waits_too_long_is_told_to_come_back(self) -> None:
        part_id = self.make_part()
        with somebody_holds(part_id), self.app.app_context():
            response = self.app.test_client().patch(
                f"/inventory/{part_id}",
                json={"price": "99.00"},
                headers={"Authorization": f"Bearer {self.admin.token}"},
            )
        self.assertProblem(response, 503, "unavailable")
        self.assertEqual(response.headers["Retry-After"], "1")
        self.assertEqual(self.assertStatus(self.admin.get(f"/inventory/{part_id}"), 200)["price"], "12.50")

    def test_reads_go_on_meanwhile_and_writes_after(self) -> None:
        part_id = self.make_part()
        with somebody_holds(part_id):
            self.assertStatus(self.admin.get(f"/inventory/{part_id}"), 200)
        self.assertStatus(self.admin.patch(f"/inventory/{part_id}", {"price": "99.00"}), 200)


@unittest.skipUnless(ON_POSTGRESQL, "there are no connections to lose")
class LostConnections(ShopTest):
    """A server that restarted while nobody asked it anything is not noticed."""

    def test_writes_and_reads_go_on_over_new_connections(self) -> None:
        part_id = self.make_part()
        self.assertStatus(self.admin.patch(f"/inventory/{part_id}", {"price": "99.00"}), 200)
        db.session.remove()
        engine = create_engine(db.engine.url)
        with engine.connect() as connection:
            self.assertGreaterEqual(len(connection.execute(END_THE_OTHERS).all()), 2)
        engine.dispose()
        time.sleep(TRUSTED_SECONDS)
        self.assertStatus(self.admin.patch(f"/inventory/{part_id}", {"price": "98.00"}), 200)
        self.assertEqual(self.assertStatus(self.admin.get(f"/inventory/{part_id}"), 200)["price"], "98.00")


@unittest.skipIf(ON_POSTGRESQL, "a server has settings of its own")
class Durability(unittest.TestCase):
    """What was committed is on the disk."""

    def test_sqlite_waits_for_the_disk(self) -> None:
        with mock.patch.object(database, "SQLITE_SYNCHRONOUS", DURABLE_SYNCHRONOUS):
            app = create_app(settings(DATABASE_URL=new_database()))
            with app.app_context(), db.engine.connect() as connection:
                self.assertEqual(connection.exec_driver_sql("PRAGMA synchronous").scalar(), 2)  # FULL
        close_connections(app)
