"""Bad input: whatever is sent, the answer is a problem document, and nothing changes in the database."""

import io
import json
from typing import Any, NamedTuple
from urllib.parse import quote

from werkzeug.test import TestResponse

from app.core.database.base import Base
from app.extensions import db
from app.models import Vehicle
from tests.support import PASSWORD, Caller, ShopTest, forget_counts

JSON = "application/json"


class Route(NamedTuple):
    """A route that takes a body, who may call it, and a body that it takes."""

    caller: Caller
    method: str
    path: str
    body: dict[str, Any]


class Field(NamedTuple):
    """A field of one of the routes; `most` is its greatest length where it is text."""

    route: str
    name: str
    most: int = 0


class Number(NamedTuple):
    """A number that stands in a body as it is written here, which Python's own encoder would not do."""

    text: str


HUGE = [Number(text) for text in ("1e400", "-1e400", "1e999999999", "1e9999999999999999999", "9" * 4000)]

TEXTS = [
    Field("POST /mechanics", "name", 120),
    Field("POST /mechanics", "email", 254),
    Field("POST /mechanics", "password", 128),
    Field("POST /mechanics", "phone", 40),
    Field("POST /mechanics", "specialty", 120),
    Field("PUT /mechanics/{mechanic}", "name", 120),
    Field("PATCH /mechanics/{mechanic}", "specialty", 120),
    Field("POST /mechanics/login", "email", 254),
    Field("POST /mechanics/login", "password", 128),
    Field("POST /customers", "name", 120),
    Field("POST /customers", "email", 254),
    Field("POST /customers", "password", 128),
    Field("POST /customers", "phone", 40),
    Field("POST /customers", "address", 500),
    Field("PUT /customers/{customer}", "current_password", 128),
    Field("PATCH /customers/{customer}", "address", 500),
    Field("POST /customers/login", "email", 254),
    Field("POST /customers/login", "password", 128),
    Field("POST /inventory", "name", 120),
    Field("POST /inventory", "sku", 64),
    Field("POST /inventory", "location", 64),
    Field("PUT /inventory/{part}", "name", 120),
    Field("POST /service-tickets", "description", 2000),
    Field("POST /service-tickets/mechanic/create", "description", 2000),
    Field("PUT /service-tickets/{ticket}/edit", "description", 2000),
    Field("PUT /service-tickets/{ticket}/status", "reason", 500),
    Field("POST /service-tickets/{ticket}/labor", "description", 500),
    Field("PUT /service-tickets/{ticket}/labor/{line}", "description", 500),
    Field("POST /service-tickets/{ticket}/authorizations", "said_by", 120),
    Field("POST /service-tickets/{billed}/payments", "reference", 120),
    Field("POST /inventory/{part}/movements", "reason", 200),
    Field("POST /customers/{customer}/vehicles", "vin", 17),
    Field("POST /customers/{customer}/vehicles", "plate", 16),
    Field("POST /customers/{customer}/vehicles", "plate_state", 20),
    Field("POST /customers/{customer}/vehicles", "make", 60),
    Field("POST /customers/{customer}/vehicles", "model", 60),
    Field("POST /customers/{customer}/vehicles", "notes", 2000),
    Field("PUT /customers/{customer}/vehicles/{vehicle}", "plate", 16),
    Field("PATCH /customers/{customer}/vehicles/{vehicle}", "notes", 2000),
]
WHOLE_NUMBERS = [
    Field("POST /inventory", "quantity_on_hand"),
    Field("PUT /inventory/{part}", "reorder_point"),
    Field("PATCH /inventory/{part}", "reorder_point"),
    Field("POST /inventory/{part}/movements", "quantity"),
    Field("POST /customers/{customer}/vehicles", "year"),
    Field("POST /customers/{customer}/vehicles", "odometer"),
    Field("PUT /customers/{customer}/vehicles/{vehicle}", "odometer"),
    Field("PUT /customers/{customer}/vehicles/{vehicle}", "customer_id"),
    Field("PATCH /customers/{customer}/vehicles/{vehicle}", "year"),
    Field("POST /service-tickets/{ticket}/labor", "mechanic_id"),
    Field("PUT /service-tickets/{ticket}/labor/{line}", "mechanic_id"),
    Field("POST /service-tickets", "vehicle_id"),
    Field("POST /service-tickets", "customer_id"),
    Field("POST /service-tickets", "odometer"),
    Field("POST /service-tickets/mechanic/create", "customer_id"),
    Field("PUT /service-tickets/{ticket}/edit", "odometer"),
    Field("PUT /service-tickets/{ticket}/edit", "vehicle_id"),
    Field("PUT /service-tickets/{ticket}/add-part/{part}", "quantity"),
]
AMOUNTS = [
    Field("POST /inventory", "price"),
    Field("POST /inventory", "cost"),
    Field("PUT /inventory/{part}", "price"),
    Field("PATCH /inventory/{part}", "cost"),
    Field("PUT /service-tickets/{ticket}/edit", "discount_amount"),
    Field("PUT /service-tickets/{ticket}/edit", "discount_percent"),
    Field("POST /service-tickets/{ticket}/labor", "hours"),
    Field("POST /service-tickets/{ticket}/labor", "rate"),
    Field("PUT /service-tickets/{ticket}/labor/{line}", "hours"),
    Field("PUT /service-tickets/{ticket}/labor/{line}", "rate"),
    Field("POST /service-tickets/{ticket}/authorizations", "amount"),
    Field("POST /service-tickets/{billed}/payments", "amount"),
]
# Where nothing is not enough.
POSITIVE = [field for field in AMOUNTS if field.name == "hours" or "payments" in field.route]
FLAGS = [
    Field("PUT /customers/{customer}/vehicles/{vehicle}", "override"),
    Field("POST /service-tickets", "override"),
    Field("PUT /service-tickets/{ticket}/edit", "override"),
    Field("PUT /service-tickets/{ticket}/add-part/{part}", "backorder"),
    Field("POST /inventory", "taxable"),
    Field("PATCH /inventory/{part}", "taxable"),
    Field("POST /service-tickets/{ticket}/labor", "taxable"),
    Field("PUT /service-tickets/{ticket}/labor/{line}", "taxable"),
]
CHOICES = [
    Field("POST /service-tickets", "status"),
    Field("PUT /service-tickets/{ticket}/status", "status"),
    Field("PUT /service-tickets/{ticket}/status", "hold"),
    Field("POST /service-tickets/{ticket}/authorizations", "decision"),
    Field("POST /service-tickets/{ticket}/authorizations", "method"),
    Field("POST /service-tickets/{billed}/payments", "kind"),
    Field("POST /service-tickets/{billed}/payments", "method"),
    Field("POST /inventory/{part}/movements", "kind"),
    Field("POST /inventory", "unit"),
    Field("PUT /inventory/{part}", "unit"),
]
LISTS = (
    "/mechanics",
    "/mechanics/1/tickets",
    "/customers",
    "/customers/1/vehicles",
    "/customers/1/vehicles/1/history",
    "/inventory",
    "/inventory/1/movements",
    "/service-tickets",
    "/service_tickets",
    "/service-tickets/1/history",
    "/service-tickets/1/authorizations",
    "/service-tickets/1/payments",
)


def encoded(body: Any) -> bytes:
    """The body as JSON, in which a `Number` among the fields stands as it is written."""
    if not isinstance(body, dict):
        return json.dumps(body).encode()
    values = {name: value.text if isinstance(value, Number) else json.dumps(value) for name, value in body.items()}
    return ("{" + ", ".join(f"{json.dumps(name)}: {value}" for name, value in values.items()) + "}").encode()


class BadInputTest(ShopTest):
    """Sends what is wrong, and compares the whole database before and after each test."""

    def setUp(self) -> None:
        super().setUp()
        self.part, self.ticket = self.make_part(), self.make_ticket()
        self.vehicle = int(self.save(Vehicle(customer_id=self.customer.id)).id)
        self.line = self.make_labor(self.ticket)
        billed = self.make_invoiced_ticket()
        mechanic, customer = f"/mechanics/{self.mechanic.id}", f"/customers/{self.customer.id}"
        part, ticket = f"/inventory/{self.part}", f"/service-tickets/{self.ticket}"
        person = {"name": "New", "email": "new@example.com", "password": "a new password"}
        opening = {"customer_id": self.customer.id, "description": "Oil change"}
        vehicle, labor = f"{customer}/vehicles/{self.vehicle}", f"{ticket}/labor/{self.line}"
        delivery = {"kind": "receive", "quantity": 5}
        word = {"decision": "approved", "method": "phone", "said_by": "Cus Tomer"}
        payment = {"kind": "payment", "amount": "1.00", "method": "cash"}
        self.routes = {
            "POST /mechanics": Route(self.admin, "POST", "/mechanics", person),
            "PUT /mechanics/{mechanic}": Route(self.admin, "PUT", mechanic, {"name": "Mel"}),
            "PATCH /mechanics/{mechanic}": Route(self.mechanic, "PATCH", mechanic, {"name": "Mel M."}),
            "POST /mechanics/login": self.login("/mechanics/login", self.mechanic),
            "POST /customers": Route(self.anyone, "POST", "/customers", person),
            "PUT /customers/{customer}": Route(self.customer, "PUT", customer, {"name": "Cus"}),
            "PATCH /customers/{customer}": Route(self.advisor, "PATCH", customer, {"name": "Cus T."}),
            "POST /customers/login": self.login("/customers/login", self.customer),
            "POST /inventory": Route(self.advisor, "POST", "/inventory", {"name": "Pad", "price": "1"}),
            "PUT /inventory/{part}": Route(self.advisor, "PUT", part, {"price": "2"}),
            "PATCH /inventory/{part}": Route(self.admin, "PATCH", part, {"price": "3"}),
            "POST /service-tickets": Route(self.mechanic, "POST", "/service-tickets", opening),
            "POST /service-tickets/mechanic/create": Route(
                self.advisor, "POST", "/service_tickets/mechanic/create", opening
            ),
            "PUT /service-tickets/{ticket}/edit": Route(self.advisor, "PUT", f"{ticket}/edit", {"odometer": 7}),
            "PUT /service-tickets/{ticket}/add-part/{part}": Route(
                self.mechanic, "PUT", f"{ticket}/add-part/{self.part}", {"quantity": 2}
            ),
            "PUT /service-tickets/{ticket}/status": Route(
                self.mechanic, "PUT", f"{ticket}/status", {"status": "in_progress"}
            ),
            "POST /service-tickets/{ticket}/labor": Route(
                self.advisor, "POST", f"{ticket}/labor", {"description": "Oil change", "hours": "0.5"}
            ),
            "PUT /service-tickets/{ticket}/labor/{line}": Route(self.advisor, "PUT", labor, {"hours": "0.5"}),
            "POST /service-tickets/{ticket}/authorizations": Route(
                self.advisor, "POST", f"{ticket}/authorizations", word
            ),
            "POST /service-tickets/{billed}/payments": Route(
                self.advisor, "POST", f"/service-tickets/{billed}/payments", payment
            ),
            "POST /inventory/{part}/movements": Route(self.advisor, "POST", f"{part}/movements", delivery),
            "POST /customers/{customer}/vehicles": Route(
                self.customer, "POST", f"{customer}/vehicles", {"plate": "8ABC123"}
            ),
            "PUT /customers/{customer}/vehicles/{vehicle}": Route(self.advisor, "PUT", vehicle, {"odometer": 7}),
            "PATCH /customers/{customer}/vehicles/{vehicle}": Route(self.customer, "PATCH", vehicle, {"notes": "Bar"}),
        }
        self.before = self.everything()
        self.is_changed = False  # set by a test that also sends what is good

    def tearDown(self) -> None:
        if not self.is_changed:
            self.assertEqual(self.everything(), self.before)

    def make_invoiced_ticket(self) -> int:
        ticket = self.make_ticket()
        self.assertStatus(self.advisor.put(f"/service-tickets/{ticket}/add-part/{self.part}"), 200)
        self.take_to(ticket, "invoiced")
        return ticket

    def login(self, path: str, owner: Caller) -> Route:
        return Route(self.anyone, "POST", path, {"email": owner.email, "password": PASSWORD})

    def everything(self) -> dict[str, list[Any]]:
        """All rows of all tables."""
        with db.engine.connect() as connection:
            tables = Base.metadata.sorted_tables
            return {table.name: sorted(map(repr, connection.execute(table.select()))) for table in tables}

    def send(self, route: Route, body: Any, content_type: str | None = JSON) -> TestResponse:
        """Send a body, which is bytes or is written as JSON; the counters of the limits start anew each time."""
        forget_counts(self.app)
        data = body if isinstance(body, bytes) else encoded(body)
        return route.caller.request(route.method, route.path, data=data, content_type=content_type)

    def assertRefused(self, response: TestResponse, *statuses: int) -> dict[str, Any]:
        """The answer is a problem document of one of these statuses."""
        self.assertIn(response.status_code, statuses, response.text)
        self.assertEqual(response.content_type, "application/problem+json")
        problem: dict[str, Any] = json.loads(response.data)
        self.assertEqual(problem["status"], response.status_code)
        return problem

    def assertSpoilt(self, fields: list[Field], values: list[Any], *statuses: int) -> None:
        """A good body is refused once one of the fields has one of the values; a 422 names the field."""
        for field in fields:
            route = self.routes[field.route]
            for value in values:
                with self.subTest(f"{field.route} {field.name}={value!r:.40}"):
                    problem = self.assertRefused(self.send(route, {**route.body, field.name: value}), *statuses)
                    if problem["status"] == 422:
                        self.assertEqual(list(problem["errors"]), [field.name])


class Bodies(BadInputTest):
    """Bodies that are wrong whatever the route."""

    def test_the_bodies_that_are_spoilt_here_are_good_as_they_are(self) -> None:
        for name in self.routes:
            with self.subTest(name):
                self.doCleanups()
                self.setUp()
                self.assertIn(self.send(self.routes[name], self.routes[name].body).status_code, (200, 201))
                self.is_changed = True

    def test_what_is_not_json_is_malformed(self) -> None:
        for body in (
            b"{",
            b"nonsense",
            b"{'name': 1}",
            b'{"name": 1}}',
            b'{"name": 1,}',
            b'{"name": "\xff"}',
            b"\x00",
            b" ",
            b'{"name": "a\nb"}',
            b'{"name": NaN}',
            b'{"name": Infinity}',
            b'{"name": -Infinity}',
            b"[" * 10_000,
            b'{"a":' * 10_000,
            b"[" * 10_000 + b"]" * 10_000,
            b'{"name": ' + b"9" * 5000 + b"}",
            b'{"name": 01}',
        ):
            for name, route in self.routes.items():
                with self.subTest(f"{name} {body[:30]!r}"):
                    problem = self.assertRefused(self.send(route, body), 400)
                    self.assertEqual(problem["type"], "/problems/malformed-json")

    def test_what_is_json_but_no_object_is_invalid(self) -> None:
        for body in ([], [{}], None, True, 7, 1.5, "text", [1, 2]):
            for name, route in self.routes.items():
                with self.subTest(f"{name} {body}"):
                    self.assertInvalid(self.send(route, body), "body")
                    self.assertRefused(self.send(route, [route.body]), 422)

    def test_unknown_and_read_only_fields_are_named(self) -> None:
        for field in (
            "nonsense",
            "id",
            "version",
            "created_at",
            "password_hash",
            "json",
            "query",
            "_schema",
            "",
            "a\x00b",
        ):
            for name, route in self.routes.items():
                with self.subTest(f"{name} {field!r}"):
                    problem = self.assertRefused(self.send(route, {**route.body, field: 1}), 422)
                    if field != "_schema":
                        self.assertEqual(list(problem["errors"]), [field])

    def test_an_unknown_field_may_have_any_name(self) -> None:
        for field in ("\ud800", "a\udfffb", "n" * 100_000, "🔧"):
            for name, route in self.routes.items():
                with self.subTest(f"{name} {field[:5]!r}"):
                    self.assertRefused(self.send(route, {**route.body, field: 1}), 400, 422)

    def test_no_body_makes_a_long_answer(self) -> None:
        bodies: tuple[Any, ...] = (
            {f"{number:04}{'n' * 900}": 1 for number in range(900)},
            {str(number): 1 for number in range(80_000)},
            {"a": [1] * 200_000},
            {"a": {str(number): {} for number in range(50_000)}},
            [[[]] * 100_000],
        )
        for body in (json.dumps(each).encode() for each in bodies):
            for name, route in self.routes.items():
                with self.subTest(f"{name} {body[:20]!r}"):
                    response = self.send(route, body)
                    problem = self.assertRefused(response, 422)
                    self.assertLessEqual(len(problem["errors"]), 100)
                    self.assertLess(len(response.data), 20_000)

    def test_a_body_may_have_a_thousand_members(self) -> None:
        for number, named in ((1_000, "Unknown field."), (1_001, "Has more than 1,000 members.")):
            for value in ({"a": [0] * (number - 1)}, {"a": {str(n): 0 for n in range(number - 1)}}):
                problem = self.assertRefused(self.advisor.post("/inventory", value), 422)
                self.assertIn([named], problem["errors"].values())

    def test_over_a_megabyte_is_too_large(self) -> None:
        for name, route in self.routes.items():
            with self.subTest(name):
                problem = self.assertRefused(self.send(route, {**route.body, "name": "n" * 1_048_576}), 413)
                self.assertEqual(problem["type"], "/problems/body-too-large")

    def test_over_a_megabyte_in_chunks_is_too_large(self) -> None:
        response = self.advisor.request(
            "POST",
            "/inventory",
            input_stream=io.BytesIO(b'{"name": "Pad", "price": 1}' + b" " * 1_048_576),
            content_type=JSON,
            headers={"Transfer-Encoding": "chunked"},
            environ_overrides={"wsgi.input_terminated": True},
        )
        self.assertRefused(response, 413)

    def test_a_body_that_is_not_json_by_its_content_type_is_unsupported(self) -> None:
        for content_type in (
            None,
            "text/plain",
            "text/json",
            "application/xml",
            "application/jsonp",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "nonsense",
        ):
            for name, route in self.routes.items():
                with self.subTest(f"{name} {content_type}"):
                    problem = self.assertRefused(self.send(route, route.body, content_type), 415)
                    self.assertEqual(problem["type"], "/problems/unsupported-media-type")


class Fields(BadInputTest):
    """One field is wrong, and is named."""

    def test_text_is_text(self) -> None:
        self.assertSpoilt(TEXTS, [1, 1.5, True, [], ["a"], {}, {"a": 1}], 422)

    def test_text_holds_no_control_characters_and_no_halves_of_characters(self) -> None:
        long_enough = "some text of 12 and more "
        values = [long_enough + end for end in ("\x00", "\x07", "\x1b[31m", "\x7f", "\ud800", "\udfff", "\udc00\ud800")]
        self.assertSpoilt(TEXTS, values, 422)

    def test_text_is_not_blank(self) -> None:
        plain = [field for field in TEXTS if "password" not in field.name]
        self.assertSpoilt(plain, ["", " ", "\t\n", "\u2003"], 422)

    def test_text_has_a_greatest_length(self) -> None:
        for field in TEXTS:
            self.assertSpoilt([field], ["x" * (field.most + extra) for extra in (1, 100_000)], 422)

    def test_whole_numbers_are_whole_numbers(self) -> None:
        values = ["1", "", 1.5, True, False, [], [1], {}, -1, 10**30, 2**31, 2**63, Number("1e-400"), *HUGE]
        self.assertSpoilt(WHOLE_NUMBERS, values, 400, 422)

    def test_amounts_have_at_most_two_places_and_are_not_negative(self) -> None:
        texts = [
            "1.234",
            "-1",
            "-0.01",
            "1e2",
            "1E2",
            "",
            " ",
            "1,50",
            "1 ",
            "+1",
            "1_000",
            "$1",
            "NaN",
            "Infinity",
            "٣",
        ]
        numbers = [1.234, -1, -0.01, 10**9, 10**30, Number("1e-3"), Number("1e-400"), Number("0.001"), *HUGE]
        others = [True, False, [], ["1"], {}]
        self.assertSpoilt(AMOUNTS, [*texts, *numbers, *others], 400, 422)

    def test_what_is_worked_or_paid_is_more_than_nothing(self) -> None:
        self.assertSpoilt(POSITIVE, ["0", "0.0", 0, 0.0, None], 422)

    def test_hours_come_in_tenths_and_percents_end_at_100(self) -> None:
        hours = [field for field in AMOUNTS if field.name == "hours"]
        self.assertSpoilt(hours, ["0.25", "1.75", 0.05, "1000", 1000], 422)
        percents = [field for field in AMOUNTS if field.name == "discount_percent"]
        self.assertSpoilt(percents, ["100.01", "101", 100.5, "0.005"], 422)

    def test_a_vin_has_17_characters_and_none_that_looks_like_a_digit(self) -> None:
        good = "1HGCM82633A004352"
        vins = [good[:-1], good + "1", *(letter + good[1:] for letter in "IOQioq-É٣ "), f"{good[:8]} {good[9:]}"]
        self.assertSpoilt([Field("POST /customers/{customer}/vehicles", "vin")], vins, 422)

    def test_a_movement_makes_sense(self) -> None:
        route = self.routes["POST /inventory/{part}/movements"]
        for body, field in (
            ({"kind": "receive", "quantity": 0}, "quantity"),
            ({"kind": "receive", "quantity": -1}, "quantity"),
            ({"kind": "adjust", "quantity": 0, "reason": "Counted"}, "quantity"),
            ({"kind": "adjust", "quantity": -1}, "reason"),
            ({"kind": "adjust", "quantity": -1, "reason": None}, "reason"),
            ({"kind": "issue", "quantity": -1, "reason": "Taken"}, "kind"),
            ({"kind": "return", "quantity": 1, "reason": "Back"}, "kind"),
        ):
            with self.subTest(str(body)):
                response = self.send(route, body)
                self.assertInvalid(response, field)
                self.assertRefused(response, 422)

    def test_what_an_advisor_records_was_said_by_someone(self) -> None:
        route = self.routes["POST /service-tickets/{ticket}/authorizations"]
        for method in ("in_person", "phone", "text", "email"):
            for said in ({}, {"said_by": None}):
                with self.subTest(f"{method} {said}"):
                    response = self.send(route, {"decision": "approved", "method": method, **said})
                    self.assertInvalid(response, "said_by")
                    self.assertRefused(response, 422)

    def test_choices_and_truth_values_are_nothing_that_resembles_them(self) -> None:
        route = self.routes["PUT /mechanics/{mechanic}"]
        for name, value in (
            *(("active", value) for value in ("true", "false", 1, 0, "", None, [], {})),
            *(("role", value) for value in ("Admin", "owner", "", None, 1, True, ["admin"], {"admin": 1})),
        ):
            with self.subTest(f"{name}={value!r}"):
                response = self.send(route, {name: value})
                self.assertInvalid(response, name)
                self.assertRefused(response, 422)

    def test_new_choices_and_truth_values_are_nothing_that_resembles_them(self) -> None:
        self.assertSpoilt(FLAGS, ["true", "false", 1, 0, "", None, [], {}], 422)
        self.assertSpoilt(CHOICES, ["nonsense", "", "Open", "PARTS", 1, True, [], ["open"], {"is": "open"}], 422)

    def test_huge_numbers_are_refused_wherever_they_stand(self) -> None:
        for number in HUGE:
            for name, route in self.routes.items():
                for field in (*route.body, "nonsense"):
                    with self.subTest(f"{name} {field}={number!r:.30}"):
                        self.assertRefused(self.send(route, {**route.body, field: number}), 400, 422)

    def test_of_several_faults_all_are_named(self) -> None:
        sent = {"name": "", "price": "-1", "quantity_on_hand": "many", "colour": "red"}
        self.assertInvalid(self.send(self.routes["POST /inventory"], sent), *sent)

    def test_a_fault_within_a_list_is_told_with_its_place(self) -> None:
        route = self.routes["PUT /service-tickets/{ticket}/edit"]
        response = self.send(route, {"add_mechanic_ids": [self.mechanic.id, "x"]})
        self.assertInvalid(response, "add_mechanic_ids.1")


class Queries(BadInputTest):
    """Query parameters that are wrong."""

    def lists(self) -> list[tuple[Caller, str]]:
        return [*((self.admin, path) for path in LISTS), (self.customer, "/customers/mytickets")]

    def test_pages_are_whole_numbers_from_1(self) -> None:
        values = [
            "0",
            "-1",
            "abc",
            "1.5",
            "1.0",
            "1e1",
            "",
            " ",
            "+1",
            "1 ",
            "٣",
            "\x00",
            "9" * 11,
            "9" * 30,
            "9" * 5000,
        ]
        for caller, path in self.lists():
            for name in ("page", "per_page"):
                for value in values:
                    with self.subTest(f"{path} {name}={value!r:.20}"):
                        response = caller.get(f"{path}?{name}={quote(value)}")
                        self.assertInvalid(response, name)

    def test_a_value_that_is_no_text_is_refused(self) -> None:
        for caller, path in self.lists():
            for query in ("page=%ff", "page=%ed%a0%80", "per_page=%00"):
                with self.subTest(f"{path}?{query}"):
                    self.assertRefused(caller.get(f"{path}?{query}"), 400, 422)

    def test_unknown_parameters_are_named(self) -> None:
        for caller, path in self.lists():
            for query, name in (("colour=red", "colour"), ("Page=1", "Page"), ("json=1", "json"), ("query=1", "query")):
                with self.subTest(f"{path}?{query}"):
                    self.assertInvalid(caller.get(f"{path}?{query}"), name)

    def test_an_unknown_parameter_may_have_any_name(self) -> None:
        for query in ("%00=1", "%ff=1", "%ed%a0%80=1", "=1", "n" * 5000 + "=1"):
            with self.subTest(query[:20]):
                self.assertRefused(self.admin.get(f"/customers?{query}"), 400, 422)

    def test_repeated_parameters_are_named(self) -> None:
        for caller, path in self.lists():
            for query, name in (("page=1&page=1", "page"), ("per_page=5&page=1&per_page=6", "per_page")):
                with self.subTest(f"{path}?{query}"):
                    self.assertInvalid(caller.get(f"{path}?{query}"), name)

    def test_a_route_without_parameters_takes_none(self) -> None:
        ticket, customer = f"/service-tickets/{self.ticket}", f"/customers/{self.customer.id}"
        for caller, method, path in (
            (self.admin, "GET", f"/mechanics/{self.mechanic.id}"),
            (self.admin, "DELETE", f"/mechanics/admin/delete/{self.mechanic.id}"),
            (self.mechanic, "POST", "/mechanics/logout"),
            (self.customer, "POST", "/customers/logout"),
            (self.customer, "GET", customer),
            (self.customer, "DELETE", customer),
            (self.mechanic, "GET", f"/inventory/{self.part}"),
            (self.advisor, "DELETE", f"/inventory/{self.part}"),
            (self.mechanic, "GET", ticket),
            (self.advisor, "PUT", f"{ticket}/assign-mechanic/{self.mechanic.id}"),
            (self.advisor, "PUT", f"{ticket}/remove-mechanic/{self.mechanic.id}"),
            (self.advisor, "PUT", f"{ticket}/remove-part/{self.part}"),
            (self.mechanic, "GET", f"{ticket}/labor/{self.line}"),
            (self.mechanic, "DELETE", f"{ticket}/labor/{self.line}"),
            (self.advisor, "POST", f"{ticket}/invoice"),
            (self.customer, "GET", f"{ticket}/invoice"),
            (self.customer, "GET", f"{ticket}/invoice.pdf"),
            (self.customer, "GET", f"{ticket}/estimate.pdf"),
            (self.mechanic, "GET", f"{ticket}/work-order.pdf"),
            (self.customer, "GET", f"{customer}/vehicles/{self.vehicle}"),
            (self.customer, "DELETE", f"{customer}/vehicles/{self.vehicle}"),
            (self.anyone, "GET", "/health"),
        ):
            with self.subTest(f"{method} {path}"):
                response = caller.request(method, f"{path}?colour=red")
                self.assertInvalid(response, "colour")
                self.assertRefused(response, 422)

    def test_a_good_body_does_not_help(self) -> None:
        for name, route in self.routes.items():
            with self.subTest(name):
                spoilt = route._replace(path=f"{route.path}?colour=red")
                self.assertRefused(self.send(spoilt, route.body), 422)


class Paths(BadInputTest):
    """Ids in paths that no row can have."""

    def test_they_are_not_found(self) -> None:
        ids = [
            "0",
            "-1",
            "+1",
            "abc",
            "1.5",
            "1e3",
            "%00",
            "%ff",
            "1%00",
            "٣",
            str(2**31),
            str(2**63),
            "9" * 30,
            "9" * 3000,
        ]
        ticket, customer = f"/service-tickets/{self.ticket}", f"/customers/{self.customer.id}"
        bodies = {path.rpartition("/")[2]: route.body for path, route in self.routes.items()}
        for method, path in (
            ("GET", "/mechanics/{}"),
            ("PUT", "/mechanics/{}"),
            ("DELETE", "/mechanics/admin/delete/{}"),
            ("GET", "/customers/{}"),
            ("PATCH", "/customers/{}"),
            ("DELETE", "/customers/{}"),
            ("GET", "/inventory/{}"),
            ("PUT", "/inventory/{}"),
            ("DELETE", "/inventory/{}"),
            ("GET", "/service-tickets/{}"),
            ("PUT", "/service_tickets/{}/edit"),
            ("PUT", "/service-tickets/{}/status"),
            ("PUT", ticket + "/assign-mechanic/{}"),
            ("PUT", ticket + "/remove-mechanic/{}"),
            ("PUT", ticket + "/add-part/{}"),
            ("PUT", ticket + "/remove-part/{}"),
            ("GET", "/mechanics/{}/tickets"),
            ("GET", "/inventory/{}/movements"),
            ("POST", "/inventory/{}/movements"),
            ("GET", "/customers/{}/vehicles"),
            ("POST", "/customers/{}/vehicles"),
            ("GET", customer + "/vehicles/{}"),
            ("PATCH", customer + "/vehicles/{}"),
            ("DELETE", customer + "/vehicles/{}"),
            ("GET", customer + "/vehicles/{}/history"),
            ("GET", "/service-tickets/{}/history"),
            ("POST", "/service_tickets/{}/labor"),
            ("GET", ticket + "/labor/{}"),
            ("PUT", ticket + "/labor/{}"),
            ("DELETE", ticket + "/labor/{}"),
            ("POST", "/service-tickets/{}/authorizations"),
            ("GET", "/service-tickets/{}/authorizations"),
            ("POST", "/service-tickets/{}/invoice"),
            ("GET", "/service-tickets/{}/invoice"),
            ("GET", "/service-tickets/{}/invoice.pdf"),
            ("GET", "/service-tickets/{}/estimate.pdf"),
            ("GET", "/service-tickets/{}/work-order.pdf"),
            ("POST", "/service-tickets/{}/payments"),
            ("GET", "/service-tickets/{}/payments"),
        ):
            for number in ids:
                with self.subTest(f"{method} {path} {number:.20}"):
                    forget_counts(self.app)
                    body = bodies.get(path.rpartition("/")[2]) if method in ("POST", "PUT") else None
                    response = self.admin.request(method, path.format(number), json=body)
                    self.assertRefused(response, 404)
