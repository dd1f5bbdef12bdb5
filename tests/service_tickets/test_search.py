"""Search, filters and sort: what they find, for whom, and that PostgreSQL finds it by indexes."""

import unittest
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import product
from typing import Any
from unittest import mock

from sqlalchemy import Engine, event, text

from app import create_app
from app.core.lists import pages
from app.core.text.search import sort_key
from app.extensions import db
from app.models import Mechanic, Vehicle
from app.rules.ticket_life import Hold, TicketStatus
from app.service_tickets import routes
from app.service_tickets.filters import ASSIGNMENTS, BLOCKS, TICKETS
from tests.support import ON_POSTGRESQL, Caller, ShopTest, new_migrated_database, settings
from tests.support.instruments import statements
from tests.test_customers import links


class SearchTest(ShopTest):
    """A shop in which things are looked for."""

    def found(self, path: str, caller: Caller | None = None, name: str = "name") -> list[Any]:
        """What one member of the rows found is."""
        return [row[name] for row in self.assertStatus((caller or self.advisor).get(path), 200)]


class FindCustomers(SearchTest):
    """GET /customers?q= and its kin"""

    def setUp(self) -> None:
        super().setUp()
        self.eloise = self.make_customer("Éloïse Smith-Ångström", phone="+12125550142", email="eloise@example.net")
        self.make_customer("Li Wu", phone="+442079460018", email="100%_sure@example.net")
        self.make_customer("Walt Blacksmith", phone="+12125559999", email="walt@example.net")
        car = {"vin": "1HGCM82633A004352", "plate": "8ABC123"}
        self.assertStatus(self.advisor.post(f"/customers/{self.eloise.id}/vehicles", car), 201)

    def test_one_box_finds_names_phones_emails_plates_and_vins(self) -> None:
        eloise, li, walt = "Éloïse Smith-Ångström", "Li Wu", "Walt Blacksmith"
        for words, names in (
            ("555 0142", [eloise]),
            ("(212) 555-0142", [eloise]),
            ("5550142", [eloise]),
            ("smith", [eloise, walt]),
            ("SMITH", [eloise, walt]),
            ("eloise", [eloise]),
            ("ÉLOÏSE angstrom", [eloise]),
            ("smith eloise", [eloise]),
            ("li", [li]),
            ("wu li", [li]),
            ("mi", []),  # two letters find the beginnings of words
            ("8ABC123", [eloise]),
            ("8abc-123", [eloise]),
            ("004352", [eloise]),
            ("1hgcm82633a004352", [eloise]),
            ("walt@example", [walt]),
            ("%_sure", [li]),
            ("%", []),
            ("_", []),
            ("\\", []),
            ("smith nobody", []),
            ("2079460018", [li]),
        ):
            with self.subTest(words):
                response = self.advisor.get("/customers", query_string={"q": words})
                self.assertEqual([row["name"] for row in self.assertStatus(response, 200)], names)

    def test_each_part_has_a_filter_of_its_own(self) -> None:
        for name, value in (
            ("name", "angstrom"),
            ("phone", "212-555-0142"),
            ("email", "Eloise@Example.net"),
            ("plate", "8 abc 123"),
            ("vin", "1HGCM82633A004352"),
        ):
            with self.subTest(name):
                response = self.advisor.get("/customers", query_string={name: value})
                self.assertEqual([row["id"] for row in self.assertStatus(response, 200)], [self.eloise.id])
        both = self.advisor.get("/customers", query_string={"name": "smith", "phone": "2125559999"})
        self.assertEqual([row["name"] for row in self.assertStatus(both, 200)], ["Walt Blacksmith"])

    def test_what_changes_is_found_by_what_it_is_now(self) -> None:
        path = f"/customers/{self.eloise.id}"
        self.assertStatus(self.advisor.put(path, {"name": "Zoë Keller"}), 200)
        self.assertEqual(self.found("/customers?q=keller"), ["Zoë Keller"])
        self.assertEqual(self.found("/customers?q=angstrom"), [])
        self.assertStatus(self.admin.delete(path), 204)
        for words in ("keller", "5550142", "8ABC123"):
            self.assertEqual(self.found(f"/customers?q={words}"), [])

    def test_it_pages_and_sorts_and_takes_one_statement(self) -> None:
        with statements() as sent:
            page = self.advisor.get("/customers?q=example&limit=2&sort=-name")
        self.assertEqual(len([one for one in sent if "sign_ins" not in one]), 1, sent)
        self.assertEqual(len(page.json or []), 2)
        self.assertIn("q=example", links(page)["next"])

    def test_nothing_and_too_much_are_refused(self) -> None:
        for words in ("", "  ", "x" * 101, "a\0b"):
            with self.subTest(words):
                self.assertInvalid(self.advisor.get("/customers", query_string={"q": words}), "q")
        self.assertInvalid(self.advisor.get("/customers?q=a&q=b"), "q")
        self.assertInvalid(self.advisor.get("/customers?phone=12"), "phone")
        self.assertInvalid(self.advisor.get("/customers?vin=12"), "vin")


class FindTickets(SearchTest):
    """GET /service-tickets with filters"""

    def setUp(self) -> None:
        super().setUp()
        car = self.save(Vehicle(customer_id=self.customer.id, plate="8ABC123"))
        self.car = car.id
        mel = db.session.get_one(Mechanic, self.mechanic.id)
        moment = datetime(2026, 5, 4, 8, 30, tzinfo=UTC)
        self.brakes = self.make_ticket(description="Brakes squeal: Citroën, été", mechanics=[mel], vehicle_id=car.id)
        self.oil = self.make_ticket(
            description="Oil change", status=TicketStatus.IN_PROGRESS, hold=Hold.PARTS, customer=self.stranger
        )
        self.old = self.make_ticket(
            description="Oil leak", status=TicketStatus.ESTIMATE, created_at=moment, updated_at=moment
        )

    def test_each_filter(self) -> None:
        brakes, oil, old = self.brakes, self.oil, self.old
        for query, ids in (
            ("status=open", [brakes]),
            ("status=open,in_progress", [oil, brakes]),
            ("hold=parts", [oil]),
            ("hold=customer,other", []),
            (f"customer_id={self.stranger.id}", [oil]),
            (f"vehicle_id={self.car}", [brakes]),
            (f"mechanic_id={self.mechanic.id}", [brakes]),
            ("unassigned=true", [old, oil]),
            ("unassigned=false", [brakes]),
            ("q=oil", [old, oil]),
            ("q=OIL+leak", [old]),
            ("q=citroen+ete", [brakes]),
            ("created_from=2026-05-04&created_before=2026-05-05", [old]),
            ("created_before=2026-05-04", []),
            ("created_from=2026-05-04T08:30:00Z&created_before=2026-05-04T08:30:01Z", [old]),
            ("updated_from=2026-05-04T10:30:00%2B02:00&updated_before=2026-05-05", [old]),
            ("unassigned=true&status=in_progress&q=oil", [oil]),
            ("q=oil&sort=id", [oil, old]),
            ("sort=-created_at", [oil, brakes, old]),
        ):
            with self.subTest(query):
                self.assertEqual(self.found(f"/service-tickets?{query}", name="id"), ids)
                self.assertEqual(self.found(f"/service_tickets?{query}", name="id"), ids)

    def test_whose_tickets_a_list_shows_is_no_choice(self) -> None:
        self.assertEqual(self.found("/customers/mytickets?status=open", self.customer, "id"), [self.brakes])
        self.assertEqual(self.found("/customers/mytickets?q=oil", self.customer, "id"), [self.old])
        self.assertInvalid(self.customer.get(f"/customers/mytickets?customer_id={self.stranger.id}"), "customer_id")
        self.assertEqual(self.found(f"/mechanics/{self.mechanic.id}/tickets?status=paid", name="id"), [])

    def test_a_ticket_is_assigned_as_long_as_it_has_a_mechanic(self) -> None:
        path = f"/service-tickets/{self.oil}"
        for step, ids in (
            (f"{path}/assign-mechanic/{self.mechanic.id}", [self.old]),
            (f"{path}/assign-mechanic/{self.colleague.id}", [self.old]),
            (f"{path}/remove-mechanic/{self.mechanic.id}", [self.old]),
            (f"{path}/remove-mechanic/{self.mechanic.id}", [self.old]),
            (f"{path}/remove-mechanic/{self.colleague.id}", [self.old, self.oil]),
        ):
            self.assertStatus(self.advisor.put(step), 200)
            self.assertEqual(self.found("/service-tickets?unassigned=true", name="id"), ids, step)
        change = {"add_mechanic_ids": [self.mechanic.id, self.colleague.id], "description": "Oil change, again"}
        self.assertStatus(self.advisor.put(f"{path}/edit", change), 200)
        self.assertEqual(self.found("/service-tickets?unassigned=true", name="id"), [self.old])
        self.assertEqual(self.found("/service-tickets?q=again", name="id"), [self.oil])

    def test_what_is_found_by_words_is_sorted_by_id(self) -> None:
        for sort in ("total", "-created_at", "updated_at,id"):
            for path in ("/service-tickets", "/service-tickets.csv", f"/mechanics/{self.mechanic.id}/tickets"):
                with self.subTest(path, sort=sort):
                    answer = self.advisor.get(f"{path}?q=oil&sort={sort}")
                    problem = self.assertProblem(answer, 422, "unsupported-order")
                    self.assertEqual((set(problem["errors"]), problem["allowed"]), ({"sort"}, ["id"]))

    def test_what_is_too_much_is_refused(self) -> None:
        mine, day = f"/mechanics/{self.mechanic.id}/tickets", "created_from=2026-01-01"
        with mock.patch.object(pages, "MAX_COUNTED", 1):
            self.assertInvalid(self.advisor.get(f"{mine}?q=oil"), "q")
            self.assertStatus(self.advisor.get(f"{mine}?q=brakes"), 200)
            for query in (f"{day}&sort=updated_at", "updated_from=2026-01-01&sort=id"):
                answer = self.advisor.get(f"/service-tickets?{query}")
                problem = self.assertProblem(answer, 422, "unsupported-order")
                self.assertEqual(problem["allowed"], [query.partition("_")[0] + "_at"])
            for sort in ("created_at", "-created_at", "id", "-id", "total", "-updated_at"):
                self.assertEqual(len(self.found(f"/service-tickets?{day}&sort={sort}", name="id")), 3)
        self.assertEqual(len(self.found(f"/service-tickets?{day}&sort=updated_at", name="id")), 3)

    def test_long_ranges_are_in_order_though_ids_and_dates_are_not(self) -> None:
        """In blocks of two ids, of which some have no row of the range, others one that is far from its neighbours."""
        mel = db.session.get_one(Mechanic, self.mechanic.id)
        for day in (3, 9, 1, 5, 6, 5, 20, 2, 4, 8, 30, 31):
            moment = datetime(2025, 1, day, tzinfo=UTC)
            self.make_ticket(mechanics=[mel] * (day % 2), created_at=moment, updated_at=moment)
        between = "created_from=2025-01-02&created_before=2025-01-06"
        ranges = ("created_from=2025-01-05", "created_before=2025-01-09", between)
        blocks = BLOCKS._replace(size=2)
        small = replace(TICKETS, blocks=blocks, through={"mechanic_id": replace(ASSIGNMENTS, blocks=blocks)})
        paths = ("/service-tickets?", f"/service-tickets?mechanic_id={mel.id}&")
        for path, dates, sort in product(paths, ranges, ("id", "-id", "total", "-total", "created_at")):
            with self.subTest(path, dates=dates, sort=sort):
                gathered = self.found(f"{path}{dates}&sort={sort}", name="id")
                self.assertGreater(len(gathered), 1)
                with mock.patch.object(pages, "MAX_COUNTED", 1), mock.patch.object(routes, "TICKETS", small):
                    self.assertEqual(self.walked(f"{path}{dates}&sort={sort}&limit=2"), gathered)

    def walked(self, path: str | None) -> list[int]:
        """The ids of a list, from link to link."""
        ids = []
        while path:
            page = self.advisor.get(path)
            ids += [row["id"] for row in self.assertStatus(page, 200)]
            path = links(page).get("next")
        return ids

    def test_one_mechanics_tickets_on_hold_are_those_that_are(self) -> None:
        mine, path = f"/mechanics/{self.mechanic.id}/tickets?hold=parts,customer", f"/service-tickets/{self.oil}"
        for step, change, ids in (
            (f"assign-mechanic/{self.mechanic.id}", {}, [self.oil]),
            ("status", {"hold": "customer"}, [self.oil]),
            ("status", {"hold": "other"}, []),
            ("status", {"hold": "parts"}, [self.oil]),
            ("status", {"hold": None}, []),
        ):
            self.assertStatus(self.advisor.put(f"{path}/{step}", change or None), 200)
            for query in ("", "&sort=-total", "&status=in_progress", "&created_from=2026-01-01&sort=id"):
                self.assertEqual(self.found(mine + query, name="id"), ids, (change, query))

    def test_one_mechanics_tickets_with_a_balance_are_those_of_the_shop(self) -> None:
        mel = db.session.get_one(Mechanic, self.mechanic.id)
        ten, twelve = Decimal(10), Decimal(12)
        billed = {"total_parts": ten, "total": ten, "status": TicketStatus.INVOICED, "mechanics": [mel]}
        due = self.make_ticket(balance=ten, **billed)
        credit = self.make_ticket(paid=twelve, balance=ten - twelve, **billed)
        for balance, ids in (("open", [due]), ("credit", [credit])):
            for path in (
                f"/mechanics/{mel.id}/tickets?",
                "/service-tickets?",
                f"/service-tickets?mechanic_id={mel.id}&",
            ):
                for sort in ("id", "-id"):
                    query = f"{path}balance={balance}&sort={sort}"
                    self.assertEqual(self.found(query, name="id"), ids, query)

    def test_a_moment_beyond_the_calendar_is_one_where_no_ticket_is(self) -> None:
        first = ("0001-01-01", "0001-01-01T00:00:00%2B23:59", "0046-01-01T00:00:00-06:12")
        last = ("9999-12-31", "9999-12-31T23:59:59-23:59")
        for name, moment, count in (
            *((name, moment, 3) for name in ("created_from", "updated_from") for moment in first),
            *((name, moment, 0) for name in ("created_before", "updated_before") for moment in first),
            *((name, moment, 0) for name in ("created_from", "updated_from") for moment in last),
            *((name, moment, 3) for name in ("created_before", "updated_before") for moment in last),
        ):
            with self.subTest(name, moment=moment):
                self.assertEqual(len(self.found(f"/service-tickets?{name}={moment}", name="id")), count)

    def test_what_is_no_filter_is_refused(self) -> None:
        for name, value in (
            ("status", "finished"),
            ("status", ""),
            ("status", "open,"),
            ("hold", "lunch"),
            ("customer_id", "0"),
            ("vehicle_id", "x"),
            ("mechanic_id", "2147483648"),
            ("unassigned", "maybe"),
            ("created_from", "yesterday"),
            ("created_from", "2026-02-30"),
            ("created_before", "2026-05-04T08:30:00"),
            ("updated_from", "2026-05-04T25:00:00Z"),
            ("sort", "description"),
            ("total", "1"),
        ):
            with self.subTest(f"{name}={value}"):
                self.assertInvalid(self.advisor.get("/service-tickets", query_string={name: value}), name)


class FindParts(SearchTest):
    """GET /inventory with filters"""

    def setUp(self) -> None:
        super().setUp()
        self.make_part(name="Brake pads, front", sku="BRK-PAD-F", location="A3-12")
        self.make_part(name="Brake fluid", sku="brk-fluid", location="B1")
        self.make_part(name="Pâte à joint", sku=None, location=None)

    def test_by_name_sku_and_location(self) -> None:
        pads, fluid = "Brake pads, front", "Brake fluid"
        for query, names in (
            ("q=brake", [pads, fluid]),
            ("q=pate+joint", ["Pâte à joint"]),
            ("sku=brk", [pads, fluid]),
            ("sku=BRK-PAD", [pads]),
            ("sku=PAD", []),
            ("sku=%25", []),
            ("location=a3", [pads]),
            ("q=brake&location=b", [fluid]),
            ("q=brake&sort=name", [fluid, pads]),
        ):
            with self.subTest(query):
                self.assertEqual(self.found(f"/inventory?{query}"), names)

    def test_a_location_is_found_in_any_way_of_writing(self) -> None:
        self.make_part(name="Lamp", location="Bühne 3")
        self.make_part(name="Hose", location="Große Halle")
        for start in ("Bühne 3", "bühne", "BÜHNE 3", "Bu\u0308hne", "buhne", "große", "GROSSE halle", "Große Halle"):
            with self.subTest(start):
                response = self.advisor.get("/inventory", query_string={"location": start})
                self.assertEqual(len(self.assertStatus(response, 200)), 1)
        lamp = self.found("/inventory?q=lamp", name="id")[0]
        self.assertStatus(self.advisor.put(f"/inventory/{lamp}", {"location": None}), 200)
        self.assertEqual(self.found("/inventory?location=buhne"), [])

    def test_customers_look_for_what_they_see(self) -> None:
        self.assertEqual(self.found("/inventory?q=fluid", self.customer), ["Brake fluid"])
        for query in ("sku=BRK", "location=A3", "low_stock=true"):
            with self.subTest(query):
                self.assertProblem(self.customer.get(f"/inventory?{query}"), 403, "forbidden")


class FindMechanics(SearchTest):
    """GET /mechanics?q="""

    def test_by_name_and_by_nothing_that_customers_do_not_see(self) -> None:
        for caller in (self.advisor, self.customer):
            self.assertEqual(self.found("/mechanics?q=mel", caller), ["Mel Mechanic"])
            self.assertEqual(self.found("/mechanics?q=mel.mechanic", caller), [])


class Names(SearchTest):
    """sort=name, as people sort: alike on both databases"""

    SORTED = ("ältere", "Ápple", "apple pie", "Zed", "Zoe", "zoë", "zoo")

    def test_neither_case_nor_accents_count(self) -> None:
        for number, name in enumerate(reversed(self.SORTED)):
            self.make_customer(name, email=f"c{number}@example.com")
            self.make_mechanic(name, email=f"m{number}@example.com")
            self.make_part(name=name)
        for path in ("/customers", "/mechanics", "/inventory"):
            with self.subTest(path):
                names = [name for name in self.found(f"{path}?sort=name") if name in self.SORTED]
                self.assertEqual([sort_key(name) for name in names], [sort_key(name) for name in self.SORTED])
                self.assertEqual(self.found(f"{path}?sort=-name,-id"), self.found(f"{path}?sort=name")[::-1])

    def test_who_is_renamed_moves(self) -> None:
        zed = self.make_customer("Zed")
        self.assertStatus(self.advisor.put(f"/customers/{zed.id}", {"name": "ábel"}), 200)
        self.assertEqual(self.found("/customers?sort=name")[0], "ábel")

    def test_the_longest_name_fits_its_index(self) -> None:
        for name in ("\ufdfa" * 120, "\U0001f600" * 120):  # the first is folded to 18 letters each
            sent = {"name": name, "phone": "+12125550100"}
            self.assertStatus(self.advisor.post("/customers", sent), 201)


class LongWords(ShopTest):
    """As much as a filter takes"""

    def test_every_list_and_export_is_searched_for_it(self) -> None:
        document = self.assertStatus(self.anyone.get("/openapi.json"), 200)
        asked = {
            (path, parameter["name"], parameter["schema"]["maxLength"])
            for path, methods in document["paths"].items()
            for parameter in methods.get("get", {}).get("parameters", [])
            if parameter.get("name") in {"q", "name", "location", "sku"}
        }
        self.assertGreaterEqual(len(asked), 10)
        ids = {"customer_id": self.customer.id, "mechanic_id": self.mechanic.id}
        ids["vehicle_id"] = self.save(Vehicle(customer_id=self.customer.id)).id
        for path, name, most in sorted(asked):
            caller = self.customer if path.endswith("tickets") and path.startswith("/customers") else self.admin
            for words in (
                "0" * most,
                "a" * most,
                "ß" * most,
                "%_" * (most // 2),
                "a " * (most // 2 - 1) + "a",
                "\u0390" * most,
            ):
                with self.subTest(path, name=name, words=words[:9]):
                    answer = caller.get(path.format(**ids), query_string={name: words})
                    self.assertEqual(answer.status_code, 200, answer.text)


class WordsAndDates(ShopTest):
    """Filters that go with the order of ids alone, beside a range of dates"""

    def test_they_are_in_that_order_unless_another_is_asked_for(self) -> None:
        tickets = [self.make_ticket(description="Squeals") for _ in range(3)]
        for filters in ("q=squeals", "q=squeals&created_from=2020-01-01", "q=squeals&updated_before=2050-01-01"):
            listed = self.assertStatus(self.advisor.get(f"/service-tickets?{filters}"), 200)
            self.assertEqual([ticket["id"] for ticket in listed], tickets[::-1])
        for path in ("/service-tickets", "/service-tickets.csv"):
            answer = self.advisor.get(f"{path}?balance=open&created_from=2020-01-01")
            self.assertEqual(answer.status_code, 200, answer.text)


class NothingToLookFor(ShopTest):
    """Accents and other marks alone, which are no letters, in every parameter that is searched by words"""

    def test_it_is_refused_by_every_list_and_export(self) -> None:
        document = self.assertStatus(self.anyone.get("/openapi.json"), 200)
        asked = {
            (path, parameter["name"])
            for path, methods in document["paths"].items()
            for parameter in methods.get("get", {}).get("parameters", [])
            if parameter.get("name") in {"q", "name", "location"}
        }
        self.assertGreaterEqual(len(asked), 10)
        ids = {"customer_id": self.customer.id, "mechanic_id": self.mechanic.id}
        ids["vehicle_id"] = self.save(Vehicle(customer_id=self.customer.id)).id
        for path, name in sorted(asked):
            caller = self.customer if path.endswith("tickets") and path.startswith("/customers") else self.admin
            for marks in ("\u00b4", "\u00a8", "\u0301", "\u0308\u0301", "\u00b4 \u00a8", "-", "\u2011\u2011", "\u2019"):
                with self.subTest(path, name=name, text=marks):
                    self.assertInvalid(caller.get(path.format(**ids), query_string={name: marks}), name)


if ON_POSTGRESQL:
    MANY = """
        INSERT INTO customers (id, name, email, phone, created_at, version, search_text)
        SELECT n, 'Customer ' || md5(n::text), 'c' || n || '@example.com', '+1212' || 2000000 + n, now(), 1,
            ' customer ' || md5(n::text) || ' c' || n || '@example.com +1212' || 2000000 + n
        FROM generate_series(1, 20000) AS n;
        INSERT INTO vehicles (id, customer_id, vin, plate, version)
        SELECT n, n, '1HGCM82633A' || to_char(n, 'FM000000'), 'B' || to_char(n, 'FM000000'), 1
        FROM generate_series(1, 20000) AS n;
        INSERT INTO mechanics (id, name, email, role, active, password_hash, version)
        SELECT n, 'Staff ' || n, 's' || n || '@example.com', 'mechanic', true, '', 1 FROM generate_series(1, 30) AS n;
        INSERT INTO service_tickets (id, status, hold, description, search_text, customer_id, vehicle_id, opened_by_id,
            created_at, updated_at, version, labor_rate, parts_tax_rate, labor_tax_rate, supplies_rate, total_parts,
            total_labor, total_discount, total_supplies, total_tax, total, paid, balance, is_assigned)
        SELECT n, CASE WHEN n % 500 = 0 THEN 'open' ELSE 'paid' END, CASE WHEN n % 700 = 0 THEN 'parts' END,
            md5(n::text), ' ' || md5(n::text), 1 + n % 20000, 1 + n % 20000, 1 + n % 30,
            now() - n * interval '1 minute', now() - n * interval '1 minute', 1, 0, 0, 0, 0, n, 0, 0, 0, 0, n, 0, n,
            n % 900 <> 0
        FROM generate_series(1, 200000) AS n;
        INSERT INTO ticket_words (ticket_id, search_text)
        SELECT t.id, t.search_text || E'\\n' || c.search_text || E'\\n b' || to_char(t.vehicle_id, 'FM000000')
        FROM service_tickets t JOIN customers c ON c.id = customer_id;
        INSERT INTO ticket_mechanics (ticket_id, mechanic_id, status, created_at, updated_at, total)
        SELECT id, 1 + id % 30, status, created_at, updated_at, total FROM service_tickets WHERE id % 900 <> 0;
    """

    class Plans(unittest.TestCase):
        """How PostgreSQL finds things among 20,000 customers and 200,000 tickets"""

        def test_every_search_filter_and_order_is_by_an_index(self) -> None:
            app = create_app(settings(DATABASE_URL=new_migrated_database()))
            with app.app_context():
                with db.engine.begin() as connection:
                    connection.execute(text("SET LOCAL statement_timeout = 0"))
                    connection.execute(text(MANY))
                with db.engine.connect() as connection:  # as the database does by itself, in time
                    connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("VACUUM ANALYZE"))
                case = SearchTest()
                case.app = app
                advisor = case.make_mechanic("Avi Advisor", id=31)
                for query in QUERIES:
                    with self.subTest(query):
                        self.assertByIndex(advisor, query)
                db.session.remove()
                db.engine.dispose()
                db.engines["reads"].dispose()

        def assertByIndex(self, caller: Caller, path: str) -> None:
            plans: list[str] = []

            def explain(connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
                if "sign_ins" not in statement:
                    cursor = connection.connection.cursor()
                    cursor.execute(f"EXPLAIN {statement}", parameters)
                    plans.append("\n".join(row[0] for row in cursor.fetchall()))

            event.listen(Engine, "before_cursor_execute", explain)
            try:
                self.assertEqual(caller.get(path).status_code, 200)
            finally:
                event.remove(Engine, "before_cursor_execute", explain)
            self.assertEqual(len(plans), 1)
            tables = "customers|service_tickets|ticket_words|vehicles|ticket_mechanics"
            self.assertNotRegex(plans[0], rf"Seq Scan on ({tables})\b")

    QUERIES = (
        "/customers?q=2012345",
        "/customers?q=9f61408e",
        "/customers?q=B012345",
        "/customers?q=012345",
        "/customers?name=9f61408e",
        "/customers?phone=2122012345",
        "/customers?email=c5@example.com",
        "/customers?plate=B012345",
        "/customers?vin=1HGCM82633A012345",
        "/customers?limit=20",
        "/service-tickets?q=9f61408e",
        "/service-tickets?q=B012345",
        "/service-tickets?q=B.012.345",
        "/service-tickets?q=212.201.2345",
        "/service-tickets?q=012345",
        "/service-tickets?q=12345",
        "/service-tickets?q=2012345&unassigned=true",
        "/service-tickets/board",
        "/service-tickets/board?mechanic_id=7",
        "/service-tickets/board?advisor_id=7",
        "/search?q=9f61408e",
        "/search?q=B012345",
        "/search?q=012345",
        "/search?q=12345",
        "/search?q=1HGCM82633A012345",
        "/service-tickets?status=open",
        "/service-tickets?status=open,in_progress",
        "/service-tickets?hold=parts",
        "/service-tickets?unassigned=true",
        "/service-tickets?balance=open",
        "/service-tickets?balance=credit",
        "/service-tickets?customer_id=77",
        "/service-tickets?vehicle_id=77",
        "/service-tickets?created_from=2026-01-01&created_before=2026-01-02",
        "/service-tickets?updated_from=2026-01-01&updated_before=2026-01-02",
        "/service-tickets?limit=20&sort=-created_at",
        "/service-tickets?limit=20&sort=total",
        "/service-tickets?limit=20&mechanic_id=7",
    )
