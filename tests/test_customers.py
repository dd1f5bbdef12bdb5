"""/customers: sign-up and walk-ins, who sees and changes whom, erasure, and the customer's own tickets."""

from typing import Any

from app.models import Customer
from app.rules.ticket_life import TicketStatus
from tests.support import PASSWORD, Caller, ShopTest

NEW = {"name": "Dana Whitfield", "email": "dana@example.com", "password": "blue hatchback 2014"}
WALK_IN = {"name": "Walter Inn", "phone": "(212) 555-0187"}
ANOTHER_PASSWORD = "another password for tests"
FIELDS = {"id", "name", "email", "phone", "address", "created_at", "version"}


def links(response: Any) -> dict[str, str]:
    """The addresses of a `Link` header, by relation."""
    parts = (link.split("; ") for link in response.headers["Link"].split(", "))
    return {relation[len('rel="') : -1]: address[1:-1] for address, relation in parts}


class SignUp(ShopTest):
    """POST /customers by anyone"""

    def test_anyone_signs_up(self) -> None:
        response = self.anyone.post("/customers", {**NEW, "phone": "212.555.0187", "address": "48 Orchard Street"})
        created = self.assertStatus(response, 201)
        self.assertEqual(set(created), FIELDS)
        self.assertEqual(
            (created["name"], created["email"], created["phone"], created["address"], created["version"]),
            ("Dana Whitfield", "dana@example.com", "+12125550187", "48 Orchard Street", 1),
        )
        self.assertRegex(created["created_at"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")
        self.assertEqual(response.headers["Location"], f"/customers/{created['id']}")

    def test_who_signed_up_signs_in_whatever_the_case_of_the_email(self) -> None:
        created = self.anyone.post("/customers", {**NEW, "email": "Dana@Example.COM"}).json
        self.assertEqual(created["email"], "dana@example.com")
        sent = {"email": "DANA@example.com", "password": NEW["password"]}
        token = self.assertStatus(self.anyone.post("/customers/login", sent), 200)["token"]
        self.assertEqual(Caller(self.app, token).get(f"/customers/{created['id']}").json, created)

    def test_name_email_and_password_are_required(self) -> None:
        for missing in NEW:
            with self.subTest(missing):
                sent = {name: value for name, value in NEW.items() if name != missing}
                self.assertInvalid(self.anyone.post("/customers", sent), missing)

    def test_a_phone_is_no_substitute_for_the_email_of_a_sign_up(self) -> None:
        sent = {"name": "Dana", "phone": "212 555 0187", "password": NEW["password"]}
        self.assertInvalid(self.anyone.post("/customers", sent), "email")

    def test_an_email_that_signs_in_is_taken_whatever_its_case(self) -> None:
        for email in (self.customer.email, self.customer.email.upper()):
            with self.subTest(email):
                self.assertProblem(self.anyone.post("/customers", {**NEW, "email": email}), 409, "email-taken")

    def test_a_sign_up_never_attaches_to_a_walk_in(self) -> None:
        walk_in = self.advisor.post("/customers", {**WALK_IN, "email": NEW["email"]}).json
        ticket = self.make_ticket(customer=Caller(self.app, id=walk_in["id"]))
        created = self.assertStatus(self.anyone.post("/customers", NEW), 201)
        self.assertNotEqual(created["id"], walk_in["id"])
        token = self.sign_in("customer", created["id"])
        newcomer = Caller(self.app, token)
        self.assertEqual(newcomer.get("/customers/mytickets").json, [])
        self.assertProblem(newcomer.get(f"/service-tickets/{ticket}"), 404, "not-found")
        self.assertEqual(self.advisor.get(f"/customers/{walk_in['id']}").json, walk_in)

    def test_the_email_of_staff_is_free_for_a_customer(self) -> None:
        self.assertStatus(self.anyone.post("/customers", {**NEW, "email": self.mechanic.email}), 201)

    def test_what_does_not_fit_is_refused_by_name(self) -> None:
        for field, value in (
            ("name", ""),
            ("name", "n" * 121),
            ("email", "dana"),
            ("password", "short"),
            ("password", "p" * 129),
            ("phone", "call me"),
            ("address", "a" * 501),
            ("id", 7),
            ("created_at", "2020-01-01T00:00:00Z"),
            ("password_hash", "x"),
        ):
            with self.subTest(f"{field}={value}"):
                self.assertInvalid(self.anyone.post("/customers", {**NEW, field: value}), field)


class WalkIn(ShopTest):
    """POST /customers by staff"""

    def test_any_staff_enter_a_walk_in_with_a_phone_or_an_email(self) -> None:
        for caller, contact in (
            (self.mechanic, {"phone": "212 555 0187"}),
            (self.advisor, {"email": "w@example.com"}),
            (self.admin, {"phone": "212 555 0187", "email": "w@example.com"}),
        ):
            with self.subTest(caller.email):
                self.assertStatus(caller.post("/customers", {"name": "Walter Inn", **contact}), 201)

    def test_a_walk_in_needs_a_name_and_a_contact(self) -> None:
        self.assertInvalid(self.advisor.post("/customers", {"name": "Walter Inn"}), "email")
        self.assertInvalid(self.advisor.post("/customers", {"phone": "212 555 0187"}), "name")

    def test_couples_share_an_email_as_walk_ins(self) -> None:
        for name in ("Pat", "Sam"):
            self.assertStatus(self.advisor.post("/customers", {"name": name, "email": "us@example.com"}), 201)

    def test_a_walk_in_may_have_the_email_of_an_account(self) -> None:
        self.assertStatus(self.advisor.post("/customers", {"name": "Spouse", "email": self.customer.email}), 201)
        sent = {"email": self.customer.email, "password": PASSWORD}
        token = self.assertStatus(self.anyone.post("/customers/login", sent), 200)["token"]
        self.assertStatus(Caller(self.app, token).get(f"/customers/{self.customer.id}"), 200)

    def test_a_walk_in_has_no_password_and_cannot_sign_in(self) -> None:
        sent = {"name": "Walter Inn", "email": "w@example.com"}
        created = self.advisor.post("/customers", sent).json
        self.assertIsNone(self.row(Customer, created["id"]).password_hash)
        for password in (PASSWORD, "None", " "):
            credentials = {"email": "w@example.com", "password": password}
            self.assertProblem(self.anyone.post("/customers/login", credentials), 401, "sign-in-failed")

    def test_staff_set_nobodys_password(self) -> None:
        self.assertProblem(self.advisor.post("/customers", NEW), 403, "forbidden")

    def test_a_customer_enters_no_walk_ins(self) -> None:
        self.assertProblem(self.customer.post("/customers", WALK_IN), 403, "forbidden")

    def test_nobody_without_a_token_enters_walk_ins(self) -> None:
        sent = {"name": "Walter Inn", "email": "w@example.com"}
        self.assertInvalid(self.anyone.post("/customers", sent), "password")


class ListCustomers(ShopTest):
    """GET /customers"""

    def setUp(self) -> None:
        super().setUp()
        for number in range(3, 26):
            self.save(Customer(name=f"Customer {number}", phone="+12125550142"))

    def test_staff_see_all_fields(self) -> None:
        for caller in (self.mechanic, self.advisor, self.admin):
            self.assertEqual(set(self.assertStatus(caller.get("/customers"), 200)[0]), FIELDS)

    def test_it_is_not_for_customers_nor_anyone(self) -> None:
        self.assertProblem(self.customer.get("/customers"), 403, "forbidden")
        self.assertProblem(self.anyone.get("/customers"), 401, "not-signed-in")

    def test_a_page_has_20_rows_and_the_second_has_the_rest(self) -> None:
        pages = [self.assertStatus(self.advisor.get(path), 200) for path in ("/customers", "/customers?page=2")]
        self.assertEqual([[row["id"] for row in page] for page in pages], [[*range(1, 21)], [*range(21, 26)]])
        self.assertEqual(self.advisor.get("/customers?page=1").json, pages[0])

    def test_the_links_lead_through_the_list(self) -> None:
        first = self.advisor.get("/customers?per_page=10")
        self.assertEqual(first.headers["X-Total-Count"], "25")
        self.assertEqual(set(links(first)), {"first", "next", "last"})
        second = self.advisor.get(links(first)["next"])
        self.assertEqual(set(links(second)), {"first", "prev", "next", "last"})
        self.assertEqual(self.advisor.get(links(second)["prev"]).json, first.json)
        self.assertEqual(self.advisor.get(links(second)["first"]).json, first.json)
        last = self.advisor.get(links(second)["next"])
        self.assertEqual(set(links(last)), {"first", "prev", "last"})
        self.assertEqual(self.advisor.get(links(first)["last"]).json, last.json)
        self.assertEqual([row["id"] for row in first.json + second.json + last.json], [*range(1, 26)])

    def test_a_page_beyond_the_end_is_empty(self) -> None:
        response = self.advisor.get("/customers?page=3")
        self.assertEqual(self.assertStatus(response, 200), [])
        self.assertEqual(response.headers["X-Total-Count"], "25")
        self.assertNotIn("next", links(response))

    def test_per_page_is_1_to_100(self) -> None:
        self.assertEqual(len(self.advisor.get("/customers?per_page=1").json), 1)
        self.assertEqual(len(self.advisor.get("/customers?per_page=100").json), 25)
        for value in ("0", "101", "-1", "x", ""):
            with self.subTest(value):
                self.assertInvalid(self.advisor.get(f"/customers?per_page={value}"), "per_page")

    def test_an_erased_customer_is_not_listed(self) -> None:
        self.admin.delete(f"/customers/{self.stranger.id}")
        response = self.advisor.get("/customers?per_page=100")
        self.assertNotIn(self.stranger.id, [row["id"] for row in response.json])
        self.assertEqual(response.headers["X-Total-Count"], "24")

    def test_a_trailing_slash_makes_no_difference(self) -> None:
        self.assertEqual(self.advisor.get("/customers/?page=2").json, self.advisor.get("/customers?page=2").json)


class GetCustomer(ShopTest):
    """GET /customers/{id}"""

    def test_staff_and_the_customer_see_it(self) -> None:
        for caller in (self.customer, self.mechanic, self.advisor, self.admin):
            shown = self.assertStatus(caller.get(f"/customers/{self.customer.id}"), 200)
            self.assertEqual(set(shown), FIELDS)
            self.assertEqual(shown["name"], "Cus Tomer")

    def test_anothers_looks_as_if_it_were_not_there(self) -> None:
        hidden = self.assertProblem(self.stranger.get(f"/customers/{self.customer.id}"), 404, "not-found")
        missing = self.assertProblem(self.stranger.get("/customers/999"), 404, "not-found")
        self.assertEqual(hidden["detail"].replace(str(self.customer.id), "999"), missing["detail"])
        self.assertEqual(set(hidden), set(missing))

    def test_nobody_sees_it_without_a_token(self) -> None:
        self.assertProblem(self.anyone.get(f"/customers/{self.customer.id}"), 401, "not-signed-in")


class UpdateCustomer(ShopTest):
    """PUT and PATCH /customers/{id}"""

    def change(self, caller: Caller, who: Caller, **changes: Any) -> Any:
        return caller.put(f"/customers/{who.id}", changes)

    def test_put_and_patch_change_what_is_sent_and_leave_the_rest(self) -> None:
        for count, method in enumerate(("PUT", "PATCH"), start=2):
            with self.subTest(method):
                path, sent = f"/customers/{self.customer.id}", {"address": f"By {method}"}
                shown = self.assertStatus(self.customer.request(method, path, json=sent), 200)
                self.assertEqual((shown["address"], shown["name"]), (f"By {method}", "Cus Tomer"))
                self.assertEqual((shown["email"], shown["version"]), (self.customer.email, count))

    def test_nothing_changed_is_no_new_version(self) -> None:
        for changes in ({}, {"name": "Cus Tomer"}):
            self.assertEqual(self.assertStatus(self.change(self.advisor, self.customer, **changes), 200)["version"], 1)

    def test_the_front_desk_changes_anyone(self) -> None:
        for caller in (self.advisor, self.admin):
            self.assertStatus(self.change(caller, self.customer, address=caller.email), 200)

    def test_a_mechanic_may_not_and_a_stranger_finds_nothing(self) -> None:
        self.assertProblem(self.change(self.mechanic, self.customer, name="X"), 403, "forbidden")
        self.assertProblem(self.change(self.anyone, self.customer, name="X"), 401, "not-signed-in")
        self.assertProblem(self.change(self.stranger, self.customer, name="X"), 404, "not-found")
        self.assertEqual(self.row(Customer, self.customer.id).name, "Cus Tomer")

    def test_who_is_not_there_is_not_found(self) -> None:
        self.assertProblem(self.advisor.put("/customers/999", {"name": "X"}), 404, "not-found")

    def test_own_password_and_email_need_the_present_password(self) -> None:
        for changes in ({"password": ANOTHER_PASSWORD}, {"email": "moved@example.com"}, {"email": None}):
            for proof in ({}, {"current_password": "not the present one"}):
                with self.subTest(f"{changes} {proof}"):
                    answer = self.change(self.customer, self.customer, **changes, **proof)
                    self.assertProblem(answer, 403, "wrong-password")
        self.assertEqual(self.row(Customer, self.customer.id).version, 1)

    def test_a_new_password_ends_the_other_sessions_and_not_the_one_that_asked(self) -> None:
        other = Caller(self.app, self.sign_in("customer", self.customer.id))
        changes = {"password": ANOTHER_PASSWORD, "current_password": PASSWORD}
        self.assertStatus(self.change(self.customer, self.customer, **changes), 200)
        self.assertProblem(other.get("/customers/mytickets"), 401, "not-signed-in")
        self.assertStatus(self.customer.get("/customers/mytickets"), 200)
        self.assertStatus(self.stranger.get("/customers/mytickets"), 200)
        for password, status in ((PASSWORD, 401), (ANOTHER_PASSWORD, 200)):
            sent = {"email": self.customer.email, "password": password}
            self.assertStatus(self.anyone.post("/customers/login", sent), status)

    def test_a_new_email_ends_the_other_sessions_and_not_the_one_that_asked(self) -> None:
        other = Caller(self.app, self.sign_in("customer", self.customer.id))
        changes = {"email": "Moved@Example.com", "current_password": PASSWORD}
        self.assertEqual(self.change(self.customer, self.customer, **changes).json["email"], "moved@example.com")
        self.assertProblem(other.get("/customers/mytickets"), 401, "not-signed-in")
        self.assertStatus(self.customer.get("/customers/mytickets"), 200)

    def test_an_email_changed_by_the_front_desk_ends_the_sessions(self) -> None:
        self.assertStatus(self.change(self.advisor, self.customer, email="moved@example.com"), 200)
        self.assertProblem(self.customer.get("/customers/mytickets"), 401, "not-signed-in")
        self.assertStatus(self.advisor.get("/customers"), 200)

    def test_other_changes_end_no_session(self) -> None:
        self.change(self.advisor, self.customer, name="Cus T. Omer", phone="212 555 0142")
        self.assertStatus(self.customer.get("/customers/mytickets"), 200)

    def test_the_front_desk_sets_nobodys_password(self) -> None:
        for caller in (self.advisor, self.admin):
            answer = self.change(caller, self.customer, password=ANOTHER_PASSWORD)
            self.assertProblem(answer, 403, "forbidden")

    def test_an_email_that_signs_in_is_taken(self) -> None:
        answer = self.change(self.advisor, self.customer, email=self.stranger.email.upper())
        self.assertProblem(answer, 409, "email-taken")

    def test_a_walk_in_may_get_the_email_of_an_account(self) -> None:
        walk_in = self.advisor.post("/customers", WALK_IN).json
        path = f"/customers/{walk_in['id']}"
        self.assertStatus(self.advisor.put(path, {"email": self.customer.email}), 200)

    def test_an_account_keeps_its_email(self) -> None:
        answer = self.change(self.advisor, self.customer, email=None, phone="212 555 0142")
        self.assertProblem(answer, 409, "contact-needed")

    def test_a_walk_in_keeps_a_contact(self) -> None:
        path = f"/customers/{self.advisor.post('/customers', WALK_IN).json['id']}"
        self.assertProblem(self.advisor.put(path, {"phone": None}), 409, "contact-needed")
        shown = self.assertStatus(self.advisor.put(path, {"phone": None, "email": "w@example.com"}), 200)
        self.assertEqual((shown["phone"], shown["email"]), (None, "w@example.com"))


class EraseCustomer(ShopTest):
    """DELETE /customers/{id}"""

    def erase(self, caller: Caller, who: Caller) -> Any:
        return caller.delete(f"/customers/{who.id}")

    def test_the_customer_and_an_admin_may(self) -> None:
        for caller, who in ((self.customer, self.customer), (self.admin, self.stranger)):
            response = self.erase(caller, who)
            self.assertEqual((response.status_code, response.data), (204, b""))
            self.assertProblem(self.advisor.get(f"/customers/{who.id}"), 404, "not-found")

    def test_nobody_else_may(self) -> None:
        self.assertProblem(self.erase(self.anyone, self.customer), 401, "not-signed-in")
        self.assertProblem(self.erase(self.stranger, self.customer), 404, "not-found")
        for caller in (self.mechanic, self.advisor):
            self.assertProblem(self.erase(caller, self.customer), 403, "forbidden")

    def test_nothing_personal_is_left(self) -> None:
        self.change_contact()
        self.erase(self.admin, self.customer)
        row = self.row(Customer, self.customer.id)
        self.assertEqual((row.email, row.phone, row.address, row.password_hash), (None,) * 4)
        self.assertNotIn("Tomer", row.name)

    def change_contact(self) -> None:
        sent = {"phone": "212 555 0142", "address": "48 Orchard Street"}
        self.assertStatus(self.advisor.put(f"/customers/{self.customer.id}", sent), 200)

    def test_the_token_and_the_password_are_worth_nothing_afterwards(self) -> None:
        self.erase(self.customer, self.customer)
        self.assertProblem(self.customer.get("/customers/mytickets"), 401, "not-signed-in")
        sent = {"email": self.customer.email, "password": PASSWORD}
        self.assertProblem(self.anyone.post("/customers/login", sent), 401, "sign-in-failed")

    def test_the_email_is_free_again_and_leads_to_nothing_old(self) -> None:
        ticket = self.make_ticket()
        self.take_to(ticket, "paid")
        self.assertStatus(self.erase(self.customer, self.customer), 204)
        created = self.assertStatus(self.anyone.post("/customers", {**NEW, "email": self.customer.email}), 201)
        self.assertNotEqual(created["id"], self.customer.id)
        again = Caller(self.app, self.sign_in("customer", created["id"]))
        self.assertProblem(again.get(f"/service-tickets/{ticket}"), 404, "not-found")

    def test_not_while_a_ticket_is_unfinished(self) -> None:
        ticket = self.make_ticket()
        problem = self.assertProblem(self.erase(self.customer, self.customer), 409, "unfinished-tickets")
        self.assertEqual(problem["ticket_ids"], [ticket])
        self.assertEqual(self.row(Customer, self.customer.id).name, "Cus Tomer")
        self.take_to(ticket, "paid")
        self.assertStatus(self.erase(self.customer, self.customer), 204)

    def test_a_ticket_is_finished_when_it_is_paid_void_or_declined(self) -> None:
        for status in (status.value for status in TicketStatus):
            with self.subTest(status):
                customer = self.make_customer(f"Their {status}")
                ticket = self.make_ticket(customer=customer, status=TicketStatus.ESTIMATE)
                part = self.make_part()
                self.assertStatus(self.advisor.put(f"/service-tickets/{ticket}/add-part/{part}"), 200)
                self.take_to(ticket, status)
                answer = self.erase(self.admin, customer)
                if status in ("paid", "void", "declined"):
                    self.assertStatus(answer, 204)
                else:
                    problem = self.assertProblem(answer, 409, "unfinished-tickets")
                    self.assertEqual(problem["ticket_ids"], [ticket])

    def test_the_tickets_of_others_do_not_matter(self) -> None:
        self.make_ticket(customer=self.stranger)
        self.assertStatus(self.erase(self.customer, self.customer), 204)

    def test_finished_tickets_keep_their_figures_without_the_person(self) -> None:
        ticket, part = self.make_ticket(), self.make_part()
        self.mechanic.put(f"/service-tickets/{ticket}/add-part/{part}", {"quantity": 2})
        self.take_to(ticket, "paid")
        self.assertStatus(self.erase(self.admin, self.customer), 204)
        shown = self.assertStatus(self.advisor.get(f"/service-tickets/{ticket}"), 200)
        self.assertEqual(shown["parts"][0]["line_total"], "25.00")
        self.assertEqual(shown["customer_id"], self.customer.id)
        self.assertNotIn("Tomer", str(shown["customer"]))
        self.assertNotIn(self.customer.email, str(shown))
        invoice = self.assertStatus(self.advisor.get(f"/service-tickets/{ticket}/invoice"), 200)
        nothing_else = {"email": None, "phone": None, "address": None}
        self.assertEqual(invoice["bill_to"], {"name": "Cus Tomer", **nothing_else})
        self.assertEqual((invoice["totals"]["parts"], invoice["totals"]["paid"]), ("25.00", "25.00"))

    def test_an_erased_customer_is_not_there_any_more(self) -> None:
        self.erase(self.admin, self.customer)
        self.assertProblem(self.erase(self.admin, self.customer), 404, "not-found")
        self.assertProblem(self.advisor.put(f"/customers/{self.customer.id}", {"name": "X"}), 404, "not-found")
        sent = {"customer_id": self.customer.id, "description": "Oil change"}
        self.assertProblem(self.advisor.post("/service-tickets", sent), 404, "not-found")


class SignInAsCustomer(ShopTest):
    """POST /customers/login and /customers/logout"""

    def log_in(self, email: str, password: str = PASSWORD) -> Any:
        return self.anyone.post("/customers/login", {"email": email, "password": password})

    def test_a_token_comes_out_that_works(self) -> None:
        answer = self.assertStatus(self.log_in(self.customer.email), 200)
        self.assertEqual((answer["token_type"], answer["expires_in"]), ("Bearer", 12 * 3600))
        self.assertStatus(Caller(self.app, answer["token"]).get("/customers/mytickets"), 200)

    def test_whatever_is_wrong_looks_the_same(self) -> None:
        for email, password in (
            (self.customer.email, "not the password"),
            ("nobody@example.com", PASSWORD),
            ("no address", PASSWORD),
            (self.mechanic.email, PASSWORD),
        ):
            with self.subTest(email):
                self.assertProblem(self.log_in(email, password), 401, "sign-in-failed")

    def test_email_and_password_are_required(self) -> None:
        self.assertInvalid(self.anyone.post("/customers/login", {}), "email", "password")

    def test_logout_ends_this_session_and_no_other(self) -> None:
        other = Caller(self.app, self.sign_in("customer", self.customer.id))
        response = self.customer.post("/customers/logout")
        self.assertEqual((response.status_code, response.data), (204, b""))
        self.assertProblem(self.customer.get("/customers/mytickets"), 401, "not-signed-in")
        self.assertStatus(other.get("/customers/mytickets"), 200)

    def test_logout_is_for_the_owner_of_the_token(self) -> None:
        self.assertProblem(self.anyone.post("/customers/logout"), 401, "not-signed-in")
        self.assertProblem(self.mechanic.post("/customers/logout"), 403, "forbidden")
        self.assertStatus(self.mechanic.get("/mechanics"), 200)


class MyTickets(ShopTest):
    """GET /customers/mytickets and /customers/my-tickets"""

    PATHS = ("/customers/mytickets", "/customers/my-tickets")

    def test_a_customer_sees_exactly_their_own(self) -> None:
        mine = {self.make_ticket(), self.make_ticket(status=TicketStatus.COMPLETED)}
        self.make_ticket(customer=self.stranger)
        for path in self.PATHS:
            with self.subTest(path):
                listed = self.assertStatus(self.customer.get(path), 200)
                self.assertEqual({row["id"] for row in listed}, mine)
                self.assertEqual({row["customer_id"] for row in listed}, {self.customer.id})

    def test_a_ticket_looks_as_it_does_alone_but_for_the_lines_of_its_jobs(self) -> None:
        ticket, part = self.make_ticket(), self.make_part()
        self.mechanic.put(f"/service-tickets/{ticket}/add-part/{part}")
        self.mechanic.put(f"/service-tickets/{ticket}/assign-mechanic/{self.mechanic.id}")
        alone = self.assertStatus(self.customer.get(f"/service-tickets/{ticket}"), 200)
        (job,) = alone["jobs"]
        for lines in ("parts", "labor", "fees"):
            del job[lines]
        self.assertEqual(self.customer.get(self.PATHS[0]).json, [alone])

    def test_it_comes_in_pages(self) -> None:
        tickets = {self.make_ticket() for _ in range(3)}
        for path in self.PATHS:
            with self.subTest(path):
                first = self.customer.get(f"{path}?per_page=2")
                self.assertEqual(first.headers["X-Total-Count"], "3")
                second = self.customer.get(links(first)["next"])
                self.assertEqual({row["id"] for row in first.json + second.json}, tickets)

    def test_without_tickets_it_is_empty(self) -> None:
        response = self.stranger.get(self.PATHS[0])
        self.assertEqual(self.assertStatus(response, 200), [])
        self.assertEqual(response.headers["X-Total-Count"], "0")

    def test_it_is_for_customers(self) -> None:
        for path in self.PATHS:
            self.assertProblem(self.anyone.get(path), 401, "not-signed-in")
            for caller in (self.mechanic, self.advisor, self.admin):
                self.assertProblem(caller.get(path), 403, "forbidden")
