"""When the database does not answer in time."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import select

from app.extensions import db
from app.models import Part
from tests.support import ShopTest


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
