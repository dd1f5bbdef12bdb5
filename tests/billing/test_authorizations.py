"""/service-tickets/{id}/authorizations: the customer's word, who may give it, and the ceiling that it sets."""

from typing import Any

from tests.support.repair_orders import RepairOrderTest

METHODS = ("in_person", "phone", "text", "email")


class AuthorizationTest(RepairOrderTest):
    """A quote of 100.00."""

    def setUp(self) -> None:
        super().setUp()
        self.quote = self.new_quote()
        self.assertStatus(self.work(self.quote, "1.0"), 201)
        self.path = f"/service-tickets/{self.quote}/authorizations"

    def stands(self) -> tuple[str, str | None]:
        """Where the ticket stands, and its ceiling."""
        seen = self.ticket(self.quote)
        return seen["status"], seen["authorized_amount"]


class Authorize(AuthorizationTest):
    """POST /service-tickets/{id}/authorizations"""

    def test_the_customer_approves_online(self) -> None:
        response = self.authorize(self.quote, self.customer, amount="100.00")
        authorization = self.assertStatus(response, 201)
        self.assertEqual(response.headers["Location"], self.path)
        self.assertTrue(authorization.pop("created_at").endswith("Z"))
        told = {"decision": "approved", "method": "online", "amount": "100.00", "said_by": None, "recorded_by": None}
        [job] = self.ticket(self.quote)["jobs"]
        shown = {name: job[name] for name in ("id", "name", "notes", "status", "totals", "parts", "labor", "fees")}
        seen = {"jobs": [shown], "totals": self.figures(self.quote), "contact": None}
        self.assertEqual(authorization, {"id": authorization["id"], **told, **seen})
        self.assertEqual(self.stands(), ("open", "100.00"))

    def test_the_front_desk_records_who_said_it_and_how(self) -> None:
        for caller, name in ((self.advisor, "Avi Advisor"), (self.admin, "Ada Admin")):
            for method in METHODS:
                with self.subTest(f"{caller.email} {method}"):
                    sent = {"decision": "approved", "method": method, "said_by": "Dana, his wife"}
                    authorization = self.assertStatus(self.authorize(self.new_quote(), caller, **sent), 201)
                    self.assertLessEqual(sent.items(), authorization.items())
                    self.assertEqual(authorization["recorded_by"], {"id": caller.id, "name": name})

    def test_what_staff_record_was_said_by_someone(self) -> None:
        for method in METHODS:
            with self.subTest(method):
                self.assertInvalid(self.advisor.post(self.path, {"decision": "approved", "method": method}), "said_by")
        for said_by in (None, " ", "s" * 121):
            with self.subTest(said_by):
                self.assertInvalid(self.authorize(self.quote, said_by=said_by), "said_by")
        self.assertEqual(self.stands(), ("estimate", None))

    def test_only_the_customer_says_it_online_and_only_staff_record(self) -> None:
        self.assertProblem(self.authorize(self.quote, method="online", amount="100.00"), 403, "forbidden")
        recorded = self.authorize(self.quote, self.customer, method="phone", said_by="Me")
        self.assertProblem(recorded, 403, "forbidden")
        self.assertEqual(self.stands(), ("estimate", None))

    def test_mechanics_strangers_and_nobody_may_not(self) -> None:
        self.assertProblem(self.authorize(self.quote, self.anyone), 401, "not-signed-in")
        self.assertProblem(self.authorize(self.quote, self.mechanic), 403, "forbidden")
        stranger = self.assertProblem(self.authorize(self.quote, self.stranger), 404, "not-found")
        missing = self.assertProblem(self.authorize(999, self.stranger, amount="0.00"), 404, "not-found")
        self.assertEqual(stranger["detail"].replace(str(self.quote), "999"), missing["detail"])
        self.assertEqual(self.stands(), ("estimate", None))

    def test_the_amount_is_the_total_unless_given(self) -> None:
        for caller in (self.customer, self.advisor):
            with self.subTest(caller.email):
                quote = self.new_quote()
                self.assertStatus(self.work(quote, "2.5"), 201)
                self.assertEqual(self.assertStatus(self.authorize(quote, caller), 201)["amount"], "250.00")
                self.assertEqual(self.ticket(quote)["authorized_amount"], "250.00")

    def test_a_customers_amount_is_the_total_that_they_were_shown(self) -> None:
        for amount in ("99.99", "100.01", "0"):
            with self.subTest(amount):
                refused = self.authorize(self.quote, self.customer, amount=amount)
                self.assertEqual(self.assertProblem(refused, 409, "total-changed")["total"], "100.00")
        self.assertEqual(self.stands(), ("estimate", None))

    def test_an_advisor_records_a_higher_ceiling_and_no_lower_one(self) -> None:
        self.assertProblem(self.authorize(self.quote, amount="99.99"), 409, "total-changed")
        self.assertEqual(self.stands(), ("estimate", None))
        self.assertStatus(self.authorize(self.quote, amount="150"), 201)
        self.assertEqual(self.stands(), ("open", "150.00"))

    def test_what_does_not_fit_is_refused_by_name(self) -> None:
        for field, value in (
            ("decision", "maybe"),
            ("decision", None),
            ("method", "fax"),
            ("method", None),
            ("amount", "-1"),
            ("amount", "1.005"),
            ("amount", None),
            ("recorded_by", 1),
            ("ticket_id", 1),
        ):
            with self.subTest(f"{field}={value}"):
                self.assertInvalid(self.authorize(self.quote, **{field: value}), field)
        self.assertInvalid(self.customer.post(self.path, {}), "decision")
        self.assertInvalid(self.customer.post(self.path, {"decision": "declined"}), "method", "said_by")

    def test_where_there_is_nothing_to_authorise_it_is_refused(self) -> None:
        declined, void, completed = self.new_quote(), self.new_quote(), self.new_completed()
        invoiced, paid = self.new_invoiced(), self.new_invoiced(hours=None)
        self.assertStatus(self.authorize(declined, decision="declined"), 201)
        self.assertStatus(self.move(void, "void"), 200)
        for status, ticket in zip(
            ("declined", "void", "completed", "invoiced", "paid"),
            (declined, void, completed, invoiced, paid),
            strict=True,
        ):
            for decision in ("approved", "declined"):
                with self.subTest(f"{decision} while {status}"):
                    refused = self.authorize(ticket, decision=decision)
                    problem = self.assertProblem(refused, 409, "ticket-locked")
                    self.assertEqual(problem["ticket_status"], status)


class Decline(AuthorizationTest):
    """`decision` declined"""

    def test_an_estimate_becomes_declined(self) -> None:
        for caller in (self.customer, self.advisor, self.admin):
            with self.subTest(caller.email):
                quote = self.new_quote()
                sent: dict[str, Any] = {"decision": "declined"}
                self.assertEqual(self.assertStatus(self.authorize(quote, caller, **sent), 201)["decision"], "declined")
                self.assertEqual(self.ticket(quote)["status"], "declined")

    def test_a_declined_one_is_revived_changed_and_approved_after_all(self) -> None:
        self.assertStatus(self.authorize(self.quote, self.customer, decision="declined"), 201)
        self.assertProblem(self.work(self.quote), 409, "ticket-locked")
        self.assertStatus(self.move(self.quote, "estimate"), 200)
        self.assertStatus(self.edit(self.quote, discount_percent="20"), 200)
        self.assertStatus(self.authorize(self.quote, self.customer, amount="80.00"), 201)
        self.assertEqual(self.stands(), ("open", "80.00"))

    def test_on_an_open_ticket_there_must_be_something_to_decline(self) -> None:
        self.assertStatus(self.authorize(self.quote, self.customer), 201)
        refusal = self.authorize(self.quote, self.customer, decision="declined")
        self.assertEqual(self.assertProblem(refusal, 409, "nothing-proposed")["ticket_status"], "open")
        self.assertEqual(self.stands(), ("open", "100.00"))


class Ceiling(AuthorizationTest):
    """No change takes the total above what was authorised."""

    def setUp(self) -> None:
        super().setUp()
        self.assertStatus(self.edit(self.quote, discount_amount="10"), 200)
        self.part = self.new_part(price="20.00")
        self.line = self.ticket(self.quote)["labor"][0]["id"]
        self.assertStatus(self.authorize(self.quote, amount="110.00"), 201)

    def changes(self) -> dict[str, tuple[Any, str]]:
        """What takes the total of 90.00 beyond 110.00, and to how much."""
        labor = f"/service-tickets/{self.quote}/labor"
        return {
            "a part": (lambda: self.use(self.quote, self.part, 2), "130.00"),
            "labor": (lambda: self.work(self.quote, "0.3"), "120.00"),
            "more hours": (lambda: self.advisor.put(f"{labor}/{self.line}", {"hours": "1.3"}), "120.00"),
            "a higher rate": (lambda: self.advisor.put(f"{labor}/{self.line}", {"rate": "120.01"}), "110.01"),
        }

    def test_up_to_it_everything_goes(self) -> None:
        self.assertStatus(self.use(self.quote, self.part, 1), 200)
        self.assertEqual(self.figures(self.quote)["total"], "110.00")

    def test_what_goes_beyond_is_refused_and_changes_nothing(self) -> None:
        for status in ("open", "in_progress"):
            for name, (change, total) in self.changes().items():
                with self.subTest(f"{name} while {status}"):
                    problem = self.assertProblem(change(), 409, "above-authorization")
                    self.assertEqual((problem["total"], problem["authorized"]), (total, "110.00"))
                    self.assertEqual(self.figures(self.quote)["total"], "90.00")
            self.assertStatus(self.move(self.quote, "in_progress" if status == "open" else "open"), 200)
        self.assertEqual(self.advisor.get(f"/inventory/{self.part}").json["quantity_reserved"], 0)

    def test_a_discount_is_not_taken_back_beyond_it(self) -> None:
        self.assertStatus(self.use(self.quote, self.part), 200)
        for change in ({"discount_amount": None}, {"discount_amount": "9.99"}, {"discount_percent": "1"}):
            with self.subTest(change):
                self.assertProblem(self.edit(self.quote, **change), 409, "above-authorization")
        self.assertEqual(self.ticket(self.quote)["discount_amount"], "10.00")
        self.assertStatus(self.edit(self.quote, discount_amount="10.01"), 200)

    def test_raised_by_another_authorisation_it_lets_the_change_through(self) -> None:
        for name, (change, _) in self.changes().items():
            with self.subTest(name):
                self.assertStatus(self.authorize(self.quote, self.customer), 201)  # down to what it costs now
                self.assertProblem(change(), 409, "above-authorization")
                self.assertStatus(self.authorize(self.quote, amount="1000.00"), 201)
                self.assertLess(change().status_code, 300)

    def test_it_is_raised_while_the_work_goes_on(self) -> None:
        self.assertStatus(self.move(self.quote, "in_progress"), 200)
        self.assertStatus(self.authorize(self.quote, amount="130.00"), 201)
        self.assertEqual(self.stands(), ("in_progress", "130.00"))
        self.assertStatus(self.use(self.quote, self.part, 2), 200)

    def test_a_customer_takes_it_down_to_the_total(self) -> None:
        self.assertStatus(self.authorize(self.quote, self.customer, amount="90.00"), 201)
        self.assertEqual(self.stands(), ("open", "90.00"))
        self.assertProblem(self.use(self.quote, self.part), 409, "above-authorization")

    def test_a_quote_itself_has_none(self) -> None:
        quote = self.new_quote()
        self.assertStatus(self.work(quote, "100"), 201)
        self.assertIsNone(self.ticket(quote)["authorized_amount"])

    def test_a_ticket_that_never_was_a_quote_has_none(self) -> None:
        ticket = self.new_ticket()
        self.assertStatus(self.work(ticket), 201)
        self.assertStatus(self.authorize(ticket), 201)
        self.assertStatus(self.work(ticket, "100"), 201)
        self.assertEqual(self.figures(ticket)["total"], "10100.00")


class ListAuthorizations(AuthorizationTest):
    """GET /service-tickets/{id}/authorizations"""

    def test_the_customer_and_the_front_desk_read_them_the_oldest_first(self) -> None:
        self.assertStatus(self.authorize(self.quote, self.customer), 201)
        for amount in ("110.00", "120.00"):
            self.assertStatus(self.authorize(self.quote, amount=amount), 201)
        for caller in (self.customer, self.advisor, self.admin):
            with self.subTest(caller.email):
                response = caller.get(f"{self.path}?per_page=2")
                amounts = [authorization["amount"] for authorization in self.assertStatus(response, 200)]
                self.assertEqual((amounts, response.headers["X-Total-Count"]), (["100.00", "110.00"], "3"))

    def test_others_may_not(self) -> None:
        self.assertProblem(self.anyone.get(self.path), 401, "not-signed-in")
        self.assertProblem(self.mechanic.get(self.path), 403, "forbidden")
        self.assertProblem(self.stranger.get(self.path), 404, "not-found")
        self.assertProblem(self.advisor.get("/service-tickets/999/authorizations"), 404, "not-found")

    def test_those_of_other_tickets_are_not_among_them(self) -> None:
        self.assertStatus(self.authorize(self.new_quote()), 201)
        self.assertEqual(self.assertStatus(self.customer.get(self.path), 200), [])
