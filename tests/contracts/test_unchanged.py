"""What is set to the value that it has changes nothing: no version is counted, nothing recorded, nobody gets a 412."""

from typing import Any

from sqlalchemy import select

from app.core.database.base import Base
from app.extensions import db
from app.models import Part, Vehicle
from app.rules.ticket_life import TicketStatus
from tests.support import Caller
from tests.support.catalogue import Catalogue, Operation
from tests.support.repair_orders import ACCORD, RepairOrderTest

TICKET = "/service-tickets/{ticket_id}"
CAR = "/customers/{customer_id}/vehicles/{vehicle_id}"
# What sets no values of the row that it changes: it has tests of its own below.
SETS_NOTHING = {f"{TICKET}/add-part/{{part_id}}", f"{TICKET}/remove-part/{{part_id}}"}
# Not a value that is set, but a move, which is made once.
MOVED = {"status"}
# Sent together, and only where the front desk gave a price.
PRICE = {"unit_price", "price_reason"}


class UnchangedTest(RepairOrderTest):
    """A shop with one of each thing, all of whose fields have a value."""

    def setUp(self) -> None:
        super().setUp()
        numbers: dict[str, Any] = {"reorder_point": 3, "cost": "6.10"}
        self.part = self.new_part(sku="OIL-1", location="B2-01", **numbers)
        self.car = self.new_vehicle(vin=ACCORD, odometer=98_000, notes="Rust", plate_state="NY")
        self.number = self.new_ticket(vehicle_id=self.car, odometer=98_000)
        self.assertStatus(self.use(self.number, self.part, 2), 200)
        self.assertStatus(self.edit(self.number, add_mechanic_ids=[self.mechanic.id], discount_percent="5"), 200)
        self.line = self.assertStatus(self.work(self.number, mechanic_id=self.mechanic.id), 201)["id"]
        self.assertStatus(self.advisor.put(f"/service-tickets/{self.number}/status", {"hold": "parts"}), 200)
        for path, fields in (
            (f"/customers/{self.customer.id}", {"address": "48 Orchard Street", "phone": "212 555 0142"}),
            (f"/mechanics/{self.mechanic.id}", {"specialty": "Brakes", "phone": "212 555 0143"}),
        ):
            self.assertStatus(self.admin.put(path, fields), 200)

        self.catalogue = Catalogue(self.app)
        ids = {"customer_id": self.customer.id, "vehicle_id": self.car, "mechanic_id": self.mechanic.id}
        ids |= {"part_id": self.part, "ticket_id": self.number, "line_id": self.line}
        ids["job_id"] = self.ticket(self.number)["jobs"][0]["id"]
        self.ids = self.catalogue.fill_in(self.admin, ids)

    def address(self, path: str) -> str:
        """The path with the ids of these things."""
        return path.format(**self.ids)

    def rows(self, *left_out: str) -> dict[str, list[Any]]:
        """All that is stored, but for some tables."""
        db.session.rollback()
        tables = [table for table in Base.metadata.sorted_tables if table.name not in left_out]
        return {table.name: list(db.session.execute(select(table).order_by(*table.primary_key))) for table in tables}

    def assertNothingChanges(self, method: str, path: str, body: Any = None) -> None:
        """The request is taken, and leaves every row as it is."""
        before = self.rows()
        self.assertStatus(self.admin.request(method, self.address(path), json=body), 200)
        after = self.rows()
        for table, rows in before.items():
            self.assertEqual(after[table], rows, table)


class PresentValues(UnchangedTest):
    """Every writable field, sent as it is shown."""

    def test_every_field_of_every_change_may_be_sent_as_it_is(self) -> None:
        for operation in self.changes():
            shown = self.assertStatus(self.admin.get(self.address(self.catalogue.row_of(operation))), 200)
            schema = self.catalogue.body(operation) or {}
            present = self.writable(schema, {name: value for name, value in shown.items() if name not in MOVED})
            self.assertTrue(present, operation)
            for body in (present, *({name: value} for name, value in present.items())):
                with self.subTest(str(operation), body=body):
                    self.assertNothingChanges(operation.method, operation.path, body)

    def writable(self, schema: dict[str, Any], shown: dict[str, Any]) -> dict[str, Any]:
        """What is shown, as far as it may be sent: of lines in a list what one of them may be written with."""
        fields = schema["properties"]
        return {
            name: [self.writable(self.catalogue.resolved(fields[name]["items"]), each) for each in value]
            if value and isinstance(value, list) and isinstance(value[0], dict)
            else value
            for name, value in shown.items()
            if name in fields and not (name in PRICE and shown["price_reason"] is None)
        }

    def changes(self) -> list[Operation]:
        """What sets values of a row."""
        changes = [each for each in self.catalogue.changes() if self.catalogue.body(each)]
        return [each for each in changes if each.path not in SETS_NOTHING]


class WholeForms(UnchangedTest):
    """Clients that send every field with each save: what they did not change is checked against nothing."""

    FIELDS = ("description", "vehicle_id", "odometer", "discount_percent", "discount_amount")

    def form(self, ticket: int) -> dict[str, Any]:
        shown = self.assertStatus(self.advisor.get(f"/service-tickets/{ticket}"), 200)
        return {name: shown[name] for name in self.FIELDS if name != "odometer" or shown[name] is not None}

    def assertSaved(self, ticket: int, caller: Caller | None = None) -> None:
        """The form of a ticket is taken as it is, and changes nothing; with one change, it changes that."""
        before, form = self.rows(), self.form(ticket)
        path = f"/service-tickets/{ticket}/edit"
        self.assertStatus((caller or self.advisor).put(path, form), 200)
        self.assertEqual(self.rows(), before)
        self.assertStatus((caller or self.advisor).put(path, {**form, "description": "Grinds"}), 200)
        after = self.form(ticket)
        self.assertEqual(after, {**form, "description": "Grinds"})

    def test_an_older_ticket_of_a_car_that_has_come_further(self) -> None:
        self.new_ticket(vehicle_id=self.car, odometer=99_000)
        self.assertSaved(self.number)

    def test_a_ticket_of_a_car_that_was_sold(self) -> None:
        sold = {"customer_id": self.stranger.id}
        self.assertStatus(self.advisor.put(self.address(CAR), sold), 200)
        self.assertSaved(self.number)

    def test_a_ticket_of_a_car_that_was_removed(self) -> None:
        self.assertStatus(self.advisor.delete(self.address(CAR)), 204)
        self.assertSaved(self.number)

    def test_a_mechanic_sends_the_discount_that_is_there(self) -> None:
        self.assertSaved(self.number, self.mechanic)
        refused = self.mechanic.put(f"/service-tickets/{self.number}/edit", {"discount_percent": "6"})
        self.assertProblem(refused, 403, "forbidden")

    def test_a_mechanic_sends_the_rate_that_is_there(self) -> None:
        path = self.address(f"{TICKET}/labor/{{line_id}}")
        shown = self.assertStatus(self.mechanic.get(path), 200)
        form = {name: shown[name] for name in ("description", "hours", "rate", "mechanic_id")}
        before = self.rows()
        self.assertStatus(self.mechanic.put(path, form), 200)
        self.assertEqual(self.rows(), before)
        changed = self.assertStatus(self.mechanic.put(path, {**form, "hours": "9.9"}), 200)
        self.assertEqual((changed["hours"], changed["rate"]), ("9.9", shown["rate"]))
        self.assertProblem(self.mechanic.put(path, {**form, "rate": "1.00"}), 403, "forbidden")

    def test_people_send_their_own_role_and_e_mail(self) -> None:
        path = f"/mechanics/{self.mechanic.id}"
        shown = self.assertStatus(self.mechanic.get(path), 200)
        form = {name: shown[name] for name in ("name", "email", "phone", "specialty", "role", "active")}
        self.assertStatus(self.mechanic.put(path, {**form, "specialty": "Engines"}), 200)
        self.assertProblem(self.mechanic.put(path, {**form, "role": "admin"}), 403, "forbidden")

    def test_a_ticket_in_any_state(self) -> None:
        for status in TicketStatus:
            first = "estimate" if status in (TicketStatus.ESTIMATE, TicketStatus.DECLINED) else "open"
            ticket = self.new_ticket(status=first, vehicle_id=self.car)
            self.assertStatus(self.use(ticket, self.new_part()), 200)
            self.take_to(ticket, status.value)
            with self.subTest(status.value):
                self.assertNothingChanges("PUT", f"/service-tickets/{ticket}/edit", self.form(ticket))

    def test_a_stale_form_is_stale_all_the_same(self) -> None:
        path = f"/service-tickets/{self.number}"
        tag = self.advisor.get(path).headers["ETag"]
        form = self.form(self.number)
        self.assertStatus(self.edit(self.number, description="Grinds"), 200)
        self.assertEqual(self.advisor.put(f"{path}/edit", form, headers={"If-Match": tag}).status_code, 412)


class NoMove(UnchangedTest):
    """What is there already is not put there again."""

    def test_a_part_that_is_on_the_ticket_in_that_number(self) -> None:
        for body in ({"quantity": 2}, {"quantity": 2, "backorder": True}, {"quantity": 2, "backorder": False}):
            with self.subTest(body=body):
                self.assertNothingChanges("PUT", f"{TICKET}/add-part/{{part_id}}", body)

    def test_a_part_that_waits_is_not_made_to_wait_again(self) -> None:
        self.assertStatus(self.use(self.number, self.part, 20, backorder=True), 200)
        for body in ({"quantity": 20}, {"quantity": 20, "backorder": True}):
            with self.subTest(body=body):
                self.assertNothingChanges("PUT", f"{TICKET}/add-part/{{part_id}}", body)

    def test_a_mechanic_who_is_on_the_ticket(self) -> None:
        self.assertNothingChanges("PUT", f"{TICKET}/assign-mechanic/{{mechanic_id}}")
        self.assertNothingChanges("PUT", f"{TICKET}/edit", {"add_mechanic_ids": [self.mechanic.id]})

    def test_what_is_not_on_the_ticket_is_not_taken_off(self) -> None:
        other = self.new_part(name="Belt")
        self.assertNothingChanges("PUT", f"{TICKET}/remove-part/{other}")
        self.assertNothingChanges("PUT", f"{TICKET}/remove-mechanic/{self.colleague.id}")
        self.assertNothingChanges("PUT", f"{TICKET}/edit", {"remove_mechanic_ids": [self.colleague.id]})

    def test_a_file_of_what_is_there(self) -> None:
        for path in ("/inventory", "/customers"):
            with self.subTest(path):
                file = self.advisor.get(f"{path}.csv").get_data()
                before = self.rows()
                answer = self.advisor.request("POST", f"{path}/import", data=file, content_type="text/csv")
                self.assertEqual(self.assertStatus(answer, 200)["unchanged"], 1 if path == "/inventory" else 2)
                self.assertEqual(self.rows(), before)


class Beside(UnchangedTest):
    """What a change locks, and does not change, is not counted."""

    def version(self, model: type[Any], row_id: int) -> int:
        return int(self.row(model, row_id).version)

    def test_a_ticket_with_the_cars_own_odometer(self) -> None:
        before = self.version(Vehicle, self.car)
        ticket = self.new_ticket(vehicle_id=self.car, odometer=98_000)
        self.new_ticket(vehicle_id=self.car)
        self.assertStatus(self.edit(ticket, odometer=98_000, vehicle_id=self.car), 200)
        self.assertEqual(self.version(Vehicle, self.car), before)
        self.new_ticket(vehicle_id=self.car, odometer=98_001)
        self.assertEqual(self.version(Vehicle, self.car), before + 1)

    def test_whoever_looked_at_the_car_before_a_ticket_may_change_it(self) -> None:
        tag = self.advisor.get(self.address(CAR)).headers["ETag"]
        self.new_ticket(vehicle_id=self.car, odometer=98_000)
        answer = self.advisor.put(self.address(CAR), {"notes": "No rust"}, headers={"If-Match": tag})
        self.assertStatus(answer, 200)

    def test_a_backorder_of_what_is_not_there(self) -> None:
        part = self.new_part(on_hand=0)
        tag = self.advisor.get(f"/inventory/{part}").headers["ETag"]
        before, ledger = self.version(Part, part), self.rows()["stock_movements"]
        for quantity in (3, 5, 4):
            self.assertStatus(self.use(self.number, part, quantity, backorder=True), 200)
            self.assertEqual(self.version(Part, part), before)
        self.assertStatus(self.take_off(self.number, part), 200)
        self.assertEqual((self.version(Part, part), self.rows()["stock_movements"]), (before, ledger))
        self.assertStatus(self.advisor.put(f"/inventory/{part}", {"price": "1.00"}, headers={"If-Match": tag}), 200)

    def test_parts_of_a_quote(self) -> None:
        before, quote = self.version(Part, self.part), self.new_quote()
        self.assertStatus(self.use(quote, self.part, 2), 200)
        self.assertStatus(self.use(quote, self.part, 3), 200)
        self.assertStatus(self.move(quote, "void"), 200)
        self.assertEqual(self.version(Part, self.part), before)

    def test_parts_that_are_not_counted(self) -> None:
        part = self.new_part(on_hand=None)
        before = self.version(Part, part)
        for last in ("completed", "void"):
            ticket = self.new_ticket()
            self.assertStatus(self.use(ticket, part, 2), 200)
            self.assertStatus(self.use(ticket, part, 3), 200)
            self.assertStatus(self.move(ticket, *(["in_progress"] if last == "completed" else []), last), 200)
        self.assertEqual(self.version(Part, part), before)

    def test_a_move_that_moves_no_parts(self) -> None:
        before, ledger = self.version(Part, self.part), self.rows()["stock_movements"]
        self.assertStatus(self.move(self.number, "in_progress", "open", "in_progress"), 200)
        self.assertEqual((self.version(Part, self.part), self.rows()["stock_movements"]), (before, ledger))
