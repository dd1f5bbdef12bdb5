"""How many SQL statements a write takes, its answer included: exactly so many, and not more for a larger ticket.

Apart from BEGIN and COMMIT, which are no statements here, and from the look at the session, which other tests count.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import configure_mappers
from werkzeug.test import TestResponse

from app.core.database.base import Base
from tests.support import ON_POSTGRESQL, ShopTest
from tests.support.instruments import statements
from tests.support.repair_orders import RepairOrderTest


class WritesTest(RepairOrderTest):
    """A shop with a part that is there in plenty, and a ticket that has other lines and a mechanic already."""

    def setUp(self) -> None:
        super().setUp()
        self.part = self.new_part(1000)
        self.order = self.new_ticket()
        for _ in range(5):
            self.assertStatus(self.use(self.order, self.new_part(10)), 200)
            self.assertStatus(self.work(self.order), 201)
        self.assertStatus(self.edit(self.order, add_mechanic_ids=[self.mechanic.id]), 200)

    def assertSends(
        self, number: int, write: Callable[[], TestResponse], status: int = 200, *, more_events: int = 0
    ) -> Any:
        """The write succeeds with so many statements; returns the JSON of its answer.

        PostgreSQL takes all events of a write in one statement, SQLite one more for each of the `more_events`.
        """
        number += 0 if ON_POSTGRESQL else more_events
        with statements() as sent:
            response = write()
        answer = self.assertStatus(response, status)
        counted = [statement for statement in sent if "sign_ins" not in statement and "BEGIN" not in statement]
        self.assertEqual(len(counted), number, "\n\n".join(counted))
        return answer


class Opening(WritesTest):
    """POST /service-tickets"""

    def open(self, **fields: Any) -> TestResponse:
        sent = {"customer_id": self.customer.id, "description": "Squeals when braking", **fields}
        return self.advisor.post("/service-tickets", sent)

    def test_a_ticket_takes_five(self) -> None:
        self.assertSends(5, self.open, 201)
        self.assertSends(5, lambda: self.open(status="estimate"), 201)

    def test_one_with_a_car_and_its_odometer_takes_six(self) -> None:
        car = self.new_vehicle()
        self.assertSends(6, lambda: self.open(vehicle_id=car, odometer=84210), 201)


class Parts(WritesTest):
    """PUT /service-tickets/{id}/add-part/{part_id}, remove-part/{part_id}"""

    def test_a_new_line_another_quantity_and_taking_it_off_take_ten(self) -> None:
        self.assertSends(10, lambda: self.use(self.order, self.part, 2))
        self.assertSends(10, lambda: self.use(self.order, self.part, 5))
        self.assertSends(10, lambda: self.use(self.order, self.part, 1))
        self.assertSends(10, lambda: self.take_off(self.order, self.part))

    def test_what_is_so_already_takes_three(self) -> None:
        self.assertSends(3, lambda: self.take_off(self.order, self.part))
        self.assertStatus(self.use(self.order, self.part, 2), 200)
        self.assertSends(3, lambda: self.use(self.order, self.part, 2))

    def test_waiting_for_a_delivery_takes_ten(self) -> None:
        scarce = self.new_part(1)
        self.assertSends(10, lambda: self.use(self.order, scarce, 3, backorder=True))

    def test_what_touches_no_shelf_takes_nine_and_the_first_line_of_a_ticket_nine(self) -> None:
        untracked, quote = self.new_part(None), self.new_quote()
        self.assertSends(9, lambda: self.use(self.order, untracked))
        self.assertSends(9, lambda: self.use(quote, self.part))

    def test_a_mechanic_who_did_not_open_the_ticket_takes_one_more(self) -> None:
        order = self.new_ticket(self.colleague)
        self.assertStatus(self.edit(order, add_mechanic_ids=[self.mechanic.id]), 200)
        self.assertSends(11, lambda: self.use(order, self.part, 2, by=self.colleague))
        self.assertSends(11, lambda: self.use(order, self.part, 3, by=self.mechanic))


class Labor(WritesTest):
    """POST /service-tickets/{id}/labor, PUT and DELETE .../labor/{line_id}"""

    def test_a_line_takes_nine_to_add_and_to_take_off_and_ten_to_change(self) -> None:
        line = self.assertSends(9, lambda: self.work(self.order), 201)
        path = f"/service-tickets/{self.order}/labor/{line['id']}"
        self.assertSends(10, lambda: self.advisor.put(path, {"hours": "2.5"}))
        self.assertSends(9, lambda: self.advisor.delete(path), 204)


class Mechanics(WritesTest):
    """PUT /service-tickets/{id}/assign-mechanic/{mechanic_id}, remove-mechanic/{mechanic_id}, edit"""

    def test_assigning_and_taking_off_takes_eight_and_three_where_it_is_so_already(self) -> None:
        path = f"/service-tickets/{self.order}"
        for action in ("assign", "remove"):
            for number in (8, 3):
                with self.subTest(action, number=number):
                    address = f"{path}/{action}-mechanic/{self.colleague.id}"
                    self.assertSends(number, lambda address=address: self.advisor.put(address))

    def test_fields_that_it_is_found_by_take_eight(self) -> None:
        self.assertSends(8, lambda: self.edit(self.order, description="Squeals in the rain"))
        two = {"description": "Squeals always", "odometer": 84210}
        self.assertSends(8, lambda: self.edit(self.order, **two), more_events=1)


class Moves(WritesTest):
    """PUT /service-tickets/{id}/status, and what moves a ticket besides"""

    def test_a_move_that_touches_no_shelf_takes_six(self) -> None:
        self.assertSends(6, lambda: self.move(self.order, "in_progress", by=self.mechanic))
        self.assertSends(6, lambda: self.move(self.order, "open"))
        self.assertSends(6, lambda: self.advisor.put(f"/service-tickets/{self.order}/status", {"hold": "parts"}))

    def test_the_money_of_a_ticket(self) -> None:
        order = self.new_completed()
        self.assertSends(12, lambda: self.invoice(order), 201, more_events=1)
        self.assertSends(8, lambda: self.pay(order, "40.00"), 201)
        self.assertSends(8, lambda: self.pay(order, "60.00"), 201, more_events=1)

    def test_the_word_of_a_customer(self) -> None:
        quote = self.new_quote()
        self.assertStatus(self.work(quote), 201)
        self.assertSends(11, lambda: self.authorize(quote), 201, more_events=2)


class Relationships(ShopTest):
    """What a relationship leads to is loaded on purpose, or not at all."""

    def test_none_sends_a_statement_by_being_looked_at(self) -> None:
        configure_mappers()
        relations = [relation for mapper in Base.registry.mappers for relation in mapper.relationships]
        self.assertGreater(len(relations), 10)
        for relation in relations:
            with self.subTest(str(relation)):
                self.assertEqual(relation.lazy, "raise_on_sql")
