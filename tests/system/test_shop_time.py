"""`SHOP_TIMEZONE`: printed dates and dates in filters are the shop's own, moments in answers stay UTC."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from app.billing.papers.texts import Formats
from app.models import AuditEvent, AuditKind, ServiceTicket
from tests.support import Caller
from tests.support.papers import SHOP, invoice, printed
from tests.support.pdf import pages
from tests.support.repair_orders import RepairOrderTest, shop

NEW_YORK = ZoneInfo("America/New_York")


class ShopTimeTest(RepairOrderTest):
    """A shop in New York."""

    SETTINGS = {"SHOP_TIMEZONE": NEW_YORK.key}

    def opened(self, *local: int) -> int:
        """The id of a ticket that was opened and last changed at this time in New York."""
        moment = datetime(*local, tzinfo=NEW_YORK).astimezone(UTC)  # type: ignore[misc, arg-type]  # year, month, ...
        row: Any = self.row(ServiceTicket, self.make_ticket(created_at=moment, updated_at=moment))
        return int(row.id)

    def listed(self, query: str, path: str = "/service-tickets") -> list[int]:
        return sorted(row["id"] for row in self.assertStatus(self.admin.get(f"{path}?{query}"), 200))


class Filters(ShopTimeTest):
    """A date without a time"""

    def test_a_day_is_the_shops_from_midnight_to_midnight(self) -> None:
        before, first, evening, last, after = (
            self.opened(2026, 11, 23, 23, 59),
            self.opened(2026, 11, 24, 0, 0),
            self.opened(2026, 11, 24, 19, 20),  # in UTC the next day
            self.opened(2026, 11, 24, 23, 59, 59),
            self.opened(2026, 11, 25, 0, 0),
        )
        for name in ("created", "updated"):
            with self.subTest(name):
                day = f"{name}_from=2026-11-24&{name}_before=2026-11-25"
                self.assertEqual(self.listed(day), [first, evening, last])
                self.assertEqual(self.listed(f"{name}_before=2026-11-24"), [before])
                self.assertEqual(self.listed(f"{name}_from=2026-11-25"), [after])
        rows = self.admin.get("/service-tickets.csv?created_from=2026-11-24&created_before=2026-11-25").text
        self.assertEqual(len(rows.splitlines()), 1 + 3)

    def test_days_on_which_clocks_change_are_shorter_and_longer(self) -> None:
        spring, autumn = self.opened(2026, 3, 8, 23, 30), self.opened(2026, 11, 1, 23, 30)
        self.assertEqual(self.listed("created_from=2026-03-08&created_before=2026-03-09"), [spring])
        self.assertEqual(self.listed("created_from=2026-11-01&created_before=2026-11-02"), [autumn])

    def test_a_moment_is_what_it_says(self) -> None:
        evening = self.opened(2026, 11, 24, 19, 20)
        for written in ("2026-11-25T00:20:00Z", "2026-11-24T19:20:00-05:00"):
            self.assertEqual(self.listed(f"created_from={written.replace('+', '%2B')}"), [evening])
        self.assertEqual(self.ticket(evening)["created_at"], "2026-11-25T00:20:00.000000Z")

    def test_the_audit_log_too(self) -> None:
        moment = datetime(2026, 11, 24, 19, 20, tzinfo=NEW_YORK)
        event = AuditEvent(kind=AuditKind.EXPORTED, mechanic_id=self.admin.id, created_at=moment)
        self.save(event)
        self.assertEqual(self.listed("since=2026-11-24&until=2026-11-25", "/audit"), [event.id])
        self.assertEqual(self.listed("since=2026-11-25&until=2026-11-26", "/audit"), [])

    def test_the_first_and_the_last_day_of_all(self) -> None:
        self.assertEqual(self.listed("created_before=0001-01-01"), [])
        self.assertEqual(self.listed("created_from=9999-12-31"), [])
        tokyo = Caller(shop(SHOP_TIMEZONE="Asia/Tokyo"), self.admin.token)
        self.assertStatus(tokyo.get("/service-tickets?created_from=0001-01-01"), 200)  # in UTC before the first year


class Printed(ShopTimeTest):
    """The invoice as PDF"""

    def test_its_dates_are_the_shops(self) -> None:
        payment = {"kind": "payment", "amount": "1.00", "method": "cash", "reference": None}
        paid = invoice(
            issued_at="2026-11-25T00:20:00.000000Z",
            payments=[{**payment, "created_at": "2026-11-26T04:59:00.000000Z"}],
        )
        for zone, issued, taken in (
            (NEW_YORK, "Nov 24, 2026", "Nov 25, 2026"),
            (ZoneInfo("Asia/Tokyo"), "Nov 25, 2026", "Nov 26, 2026"),
        ):
            (text,) = printed("invoice", paid, SHOP._replace(formats=Formats("USD", zone, "US")))
            self.assertIn(f"Issued {issued}\n", text)
            self.assertIn(f"{taken}: Payment, cash\n", text)

    def test_the_shops_zone_is_the_one_that_is_set(self) -> None:
        order = self.new_invoiced()
        path = f"/service-tickets/{order}/invoice"
        issued = self.assertStatus(self.customer.get(path), 200)["issued_at"]
        self.assertTrue(issued.endswith("Z"))
        day = datetime.fromisoformat(issued).astimezone(NEW_YORK).date()
        self.assertIn(f"Issued {day:%b} {day.day}, {day.year}\n", pages(self.customer.get(f"{path}.pdf").data)[0])
