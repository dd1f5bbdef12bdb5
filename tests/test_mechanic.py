"""/mechanics: the staff, who may change whom, and their sign-in."""

from typing import Any

from app.extensions import db
from app.models import Mechanic
from app.rules.roles import Role
from app.rules.ticket_life import TicketStatus
from tests.support import PASSWORD, Caller, ShopTest

NEW = {"name": "Rosa Delgado", "email": "rosa@example.com", "password": "torque wrench 90 Nm"}
FIELDS = {"id", "name", "email", "phone", "role", "specialty", "active", "open_tickets", "version"}
ANOTHER_PASSWORD = "another password for tests"


class CreateMechanic(ShopTest):
    """POST /mechanics"""

    def test_an_admin_creates_a_mechanic(self) -> None:
        response = self.admin.post("/mechanics", {**NEW, "phone": "(212) 555-0142", "specialty": " Brakes "})
        created = self.assertStatus(response, 201)
        self.assertEqual(
            created,
            {
                "id": created["id"],
                "name": "Rosa Delgado",
                "email": "rosa@example.com",
                "phone": "+12125550142",
                "role": "mechanic",
                "specialty": "Brakes",
                "active": True,
                "open_tickets": 0,
                "version": 1,
            },
        )
        self.assertEqual(response.headers["Location"], f"/mechanics/{created['id']}")
        self.assertEqual(self.admin.get(response.headers["Location"]).json, created)

    def test_an_admin_creates_every_role(self) -> None:
        for role in ("mechanic", "advisor", "admin"):
            with self.subTest(role):
                sent = {**NEW, "email": f"{role}@example.com", "role": role}
                self.assertEqual(self.assertStatus(self.admin.post("/mechanics", sent), 201)["role"], role)

    def test_only_an_admin_creates_a_mechanic(self) -> None:
        self.assertProblem(self.anyone.post("/mechanics", NEW), 401, "not-signed-in")
        for caller in (self.customer, self.mechanic, self.advisor):
            self.assertProblem(caller.post("/mechanics", NEW), 403, "forbidden")

    def test_an_email_belongs_to_one_mechanic_whatever_its_case(self) -> None:
        for email in (self.mechanic.email, self.mechanic.email.upper()):
            with self.subTest(email):
                self.assertProblem(self.admin.post("/mechanics", {**NEW, "email": email}), 409, "email-taken")

    def test_a_deactivated_mechanic_keeps_their_email(self) -> None:
        self.admin.delete(f"/mechanics/admin/delete/{self.mechanic.id}")
        self.assertProblem(self.admin.post("/mechanics", {**NEW, "email": self.mechanic.email}), 409, "email-taken")

    def test_a_customer_of_the_same_email_does_not_stand_in_the_way(self) -> None:
        self.assertStatus(self.admin.post("/mechanics", {**NEW, "email": self.customer.email}), 201)

    def test_name_and_email_are_required(self) -> None:
        self.assertInvalid(self.admin.post("/mechanics", {}), "name", "email")

    def test_what_does_not_fit_is_refused_by_name(self) -> None:
        for field, value in (
            ("name", " "),
            ("name", "n" * 121),
            ("email", "no address"),
            ("password", "short"),
            ("password", "p" * 129),
            ("phone", "12"),
            ("role", "owner"),
            ("role", None),
            ("specialty", ""),
            ("active", False),
            ("open_tickets", 1),
            ("id", 7),
            ("version", 7),
        ):
            with self.subTest(f"{field}={value}"):
                self.assertInvalid(self.admin.post("/mechanics", {**NEW, field: value}), field)

    def test_a_password_has_12_to_128_characters(self) -> None:
        for number, length in enumerate((12, 128)):
            sent = {
                **NEW,
                "email": f"m{number}@example.com",
                "password": "".join(map(chr, range(0x4E00, 0x4E00 + length))),
            }
            self.assertStatus(self.admin.post("/mechanics", sent), 201)


class ListMechanics(ShopTest):
    """GET /mechanics"""

    def test_staff_see_all_fields_but_no_password(self) -> None:
        for caller in (self.mechanic, self.advisor, self.admin):
            listed = self.assertStatus(caller.get("/mechanics"), 200)
            self.assertEqual([row["id"] for row in listed], [1, 2, 3, 4])
            self.assertEqual(set(listed[0]), FIELDS)

    def test_a_customer_sees_names_only_even_after_staff_asked(self) -> None:
        self.advisor.get("/mechanics")
        listed = self.assertStatus(self.customer.get("/mechanics"), 200)
        self.assertEqual(listed[2], {"id": self.mechanic.id, "name": "Mel Mechanic"})

    def test_staff_see_all_fields_even_after_a_customer_asked(self) -> None:
        self.customer.get("/mechanics")
        self.assertEqual(set(self.advisor.get("/mechanics").json[0]), FIELDS)

    def test_nobody_sees_it_without_a_token(self) -> None:
        self.assertProblem(self.anyone.get("/mechanics"), 401, "not-signed-in")

    def test_deactivated_ones_are_listed_only_when_asked_for(self) -> None:
        self.admin.delete(f"/mechanics/admin/delete/{self.colleague.id}")
        for path, expected in (
            ("/mechanics", [1, 2, 3]),
            ("/mechanics?active=true", [1, 2, 3]),
            ("/mechanics?active=false", [self.colleague.id]),
        ):
            with self.subTest(path):
                self.assertEqual([row["id"] for row in self.advisor.get(path).json], expected)

    def test_a_write_shows_in_the_next_list(self) -> None:
        self.advisor.get("/mechanics")
        self.admin.post("/mechanics", NEW)
        self.admin.patch(f"/mechanics/{self.mechanic.id}", {"name": "Mel Senior"})
        names = [row["name"] for row in self.advisor.get("/mechanics").json]
        self.assertIn("Rosa Delgado", names)
        self.assertIn("Mel Senior", names)

    def test_the_links_of_a_page_keep_the_filter(self) -> None:
        response = self.admin.get("/mechanics?active=true&per_page=3")
        self.assertEqual(response.headers["X-Total-Count"], "4")
        following = next(link for link in response.headers["Link"].split(", ") if 'rel="next"' in link)
        address = following[1 : following.index(">")]
        self.assertIn("active=true", address)
        self.assertEqual([row["id"] for row in self.admin.get(address).json], [4])

    def test_the_workload_counts_what_is_assigned_and_open_or_in_progress(self) -> None:
        for status in TicketStatus:
            with self.subTest(status.value):
                who = self.make_mechanic(f"On {status.value}")
                self.make_ticket(status=status, mechanics=[db.session.get(Mechanic, who.id)])
                shown = self.assertStatus(self.advisor.get(f"/mechanics/{who.id}"), 200)
                self.assertEqual(shown["open_tickets"], 1 if status.value in ("open", "in_progress") else 0)

    def test_it_is_sorted_by_workload_with_the_id_as_a_tie_break(self) -> None:
        for caller in (self.colleague, self.colleague, self.mechanic):
            self.make_ticket(opened_by=self.admin, mechanics=[db.session.get(Mechanic, caller.id)])
        idle = [self.admin.id, self.advisor.id]
        busy = [self.mechanic.id, self.colleague.id]
        for sort, expected in (
            ("open_tickets", [*idle, *busy]),
            ("-open_tickets", [*reversed(busy), *idle]),
            ("id", [*idle, *busy]),
            ("-id", [*reversed(busy), *reversed(idle)]),
            ("name", [self.admin.id, self.advisor.id, self.colleague.id, self.mechanic.id]),
        ):
            with self.subTest(sort):
                listed = self.assertStatus(self.advisor.get(f"/mechanics?sort={sort}"), 200)
                self.assertEqual([row["id"] for row in listed], expected)

    def test_it_is_sorted_by_nothing_else(self) -> None:
        for value in ("email", "password_hash", "", "id,,name", "OPEN_TICKETS"):
            with self.subTest(value):
                self.assertInvalid(self.admin.get(f"/mechanics?sort={value}"), "sort")

    def test_active_is_true_or_false(self) -> None:
        for value in ("maybe", "1", "", "TRUE"):
            with self.subTest(value):
                self.assertInvalid(self.admin.get(f"/mechanics?active={value}"), "active")


class GetMechanic(ShopTest):
    """GET /mechanics/{id}"""

    def test_staff_see_all_fields(self) -> None:
        shown = self.assertStatus(self.colleague.get(f"/mechanics/{self.mechanic.id}"), 200)
        self.assertEqual(set(shown), FIELDS)
        self.assertEqual(shown["email"], self.mechanic.email)

    def test_a_customer_sees_the_name_only(self) -> None:
        shown = self.assertStatus(self.customer.get(f"/mechanics/{self.mechanic.id}"), 200)
        self.assertEqual(shown, {"id": self.mechanic.id, "name": "Mel Mechanic"})

    def test_nobody_sees_it_without_a_token(self) -> None:
        self.assertProblem(self.anyone.get(f"/mechanics/{self.mechanic.id}"), 401, "not-signed-in")

    def test_who_is_not_there_is_not_found(self) -> None:
        self.assertProblem(self.admin.get("/mechanics/999"), 404, "not-found")


class TicketsOfAMechanic(ShopTest):
    """GET /mechanics/{id}/tickets"""

    def test_staff_see_those_that_they_are_assigned_to_the_newest_first(self) -> None:
        mine = [
            self.make_ticket(
                opened_by=self.admin, status=status, mechanics=[db.session.get(Mechanic, self.mechanic.id)]
            )
            for status in (TicketStatus.OPEN, TicketStatus.PAID, TicketStatus.VOID)
        ]
        self.make_ticket(opened_by=self.mechanic)
        for caller in (self.mechanic, self.colleague, self.advisor, self.admin):
            listed = self.assertStatus(caller.get(f"/mechanics/{self.mechanic.id}/tickets"), 200)
            self.assertEqual([row["id"] for row in listed], list(reversed(mine)))
        self.assertEqual(listed[0], self.admin.get(f"/service-tickets/{mine[-1]}").json)
        self.assertEqual(self.admin.get(f"/mechanics/{self.colleague.id}/tickets").json, [])

    def test_customers_and_strangers_may_not(self) -> None:
        path = f"/mechanics/{self.mechanic.id}/tickets"
        self.assertProblem(self.anyone.get(path), 401, "not-signed-in")
        self.assertProblem(self.customer.get(path), 403, "forbidden")


class UpdateMechanic(ShopTest):
    """PUT and PATCH /mechanics/{id}"""

    def change(self, caller: Caller, who: Caller, **changes: Any) -> Any:
        return caller.put(f"/mechanics/{who.id}", changes)

    def test_put_and_patch_change_what_is_sent_and_leave_the_rest(self) -> None:
        for count, method in enumerate(("PUT", "PATCH"), start=2):
            with self.subTest(method):
                path, sent = f"/mechanics/{self.mechanic.id}", {"specialty": f"By {method}"}
                shown = self.assertStatus(self.mechanic.request(method, path, json=sent), 200)
                self.assertEqual(shown["specialty"], f"By {method}")
                self.assertEqual((shown["name"], shown["email"]), ("Mel Mechanic", self.mechanic.email))
                self.assertEqual(shown["version"], count)

    def test_nothing_changed_is_no_new_version(self) -> None:
        for changes in ({}, {"name": "Mel Mechanic"}):
            self.assertEqual(self.assertStatus(self.change(self.admin, self.mechanic, **changes), 200)["version"], 1)

    def test_optional_fields_are_cleared_with_null(self) -> None:
        self.change(self.mechanic, self.mechanic, specialty="Brakes", phone="212 555 0142")
        shown = self.assertStatus(self.change(self.mechanic, self.mechanic, specialty=None, phone=None), 200)
        self.assertEqual((shown["specialty"], shown["phone"]), (None, None))

    def test_what_is_required_is_not_cleared(self) -> None:
        for field in ("name", "email", "password", "role", "active"):
            with self.subTest(field):
                self.assertInvalid(self.change(self.admin, self.mechanic, **{field: None}), field)

    def test_a_mechanic_may_not_change_another(self) -> None:
        for caller in (self.mechanic, self.advisor):
            self.assertProblem(self.change(caller, self.colleague, phone=None), 403, "forbidden")

    def test_a_mechanic_may_not_give_themself_a_role_or_activity(self) -> None:
        for changes in ({"role": "admin"}, {"active": False}, {"name": "Mel", "role": "advisor"}):
            with self.subTest(str(changes)):
                self.assertProblem(self.change(self.mechanic, self.mechanic, **changes), 403, "forbidden")
        self.assertEqual(self.row(Mechanic, self.mechanic.id).version, 1)

    def test_a_customer_may_not_even_with_the_id_of_their_own_number(self) -> None:
        self.assertEqual(self.customer.id, self.admin.id)  # the case that an id alone would let through
        self.assertProblem(self.change(self.customer, self.admin, name="X"), 403, "forbidden")

    def test_an_admin_changes_a_role_which_counts_at_once(self) -> None:
        self.assertProblem(self.mechanic.post("/inventory", {"name": "Pad", "price": "1"}), 403, "forbidden")
        self.assertEqual(
            self.assertStatus(self.change(self.admin, self.mechanic, role="advisor"), 200)["role"], "advisor"
        )
        self.assertStatus(self.mechanic.post("/inventory", {"name": "Pad", "price": "1"}), 201)

    def test_deactivating_ends_the_sessions_and_activating_does_not_bring_them_back(self) -> None:
        self.assertFalse(self.assertStatus(self.change(self.admin, self.mechanic, active=False), 200)["active"])
        self.assertProblem(self.mechanic.get("/mechanics"), 401, "not-signed-in")
        self.assertTrue(self.assertStatus(self.change(self.admin, self.mechanic, active=True), 200)["active"])
        self.assertProblem(self.mechanic.get("/mechanics"), 401, "not-signed-in")
        credentials = {"email": self.mechanic.email, "password": PASSWORD}
        self.assertStatus(self.anyone.post("/mechanics/login", credentials), 200)

    def test_the_last_admin_keeps_role_and_activity(self) -> None:
        for changes in ({"role": "mechanic"}, {"active": False}):
            with self.subTest(str(changes)):
                self.assertProblem(self.change(self.admin, self.admin, **changes), 409, "last-admin")
        row = self.row(Mechanic, self.admin.id)
        self.assertEqual((row.role, row.active), (Role.ADMIN, True))

    def test_one_of_two_admins_may_step_down(self) -> None:
        self.make_mechanic("Second Admin", Role.ADMIN)
        self.assertStatus(self.change(self.admin, self.admin, role="advisor"), 200)
        self.assertProblem(self.admin.post("/mechanics", NEW), 403, "forbidden")

    def test_a_deactivated_admin_is_no_second_one(self) -> None:
        self.make_mechanic("Second Admin", Role.ADMIN, active=False)
        self.assertProblem(self.change(self.admin, self.admin, role="advisor"), 409, "last-admin")

    def test_an_email_of_another_is_taken(self) -> None:
        for email in (self.colleague.email, self.colleague.email.title()):
            self.assertProblem(self.change(self.admin, self.mechanic, email=email), 409, "email-taken")

    def test_who_is_not_there_is_not_found(self) -> None:
        self.assertProblem(self.admin.put("/mechanics/999", {"name": "X"}), 404, "not-found")

    def test_own_password_and_email_need_the_present_password(self) -> None:
        for caller in (self.mechanic, self.admin):
            for changes in ({"password": ANOTHER_PASSWORD}, {"email": "moved@example.com"}):
                for proof in ({}, {"current_password": "not the present one"}):
                    with self.subTest(f"{caller.email} {changes} {proof}"):
                        self.assertProblem(self.change(caller, caller, **changes, **proof), 403, "wrong-password")
        row = self.row(Mechanic, self.mechanic.id)
        self.assertEqual((row.version, row.email), (1, self.mechanic.email))

    def test_sending_the_same_email_needs_no_password(self) -> None:
        self.assertStatus(self.change(self.mechanic, self.mechanic, email=self.mechanic.email.upper(), name="Mel"), 200)

    def test_a_new_password_ends_the_other_sessions_and_not_the_one_that_asked(self) -> None:
        other = Caller(self.app, self.sign_in("mechanic", self.mechanic.id))
        self.assertStatus(other.get("/mechanics"), 200)
        changes = {"password": ANOTHER_PASSWORD, "current_password": PASSWORD}
        self.assertStatus(self.change(self.mechanic, self.mechanic, **changes), 200)
        self.assertProblem(other.get("/mechanics"), 401, "not-signed-in")
        self.assertStatus(self.mechanic.get("/mechanics"), 200)
        self.assertStatus(self.colleague.get("/mechanics"), 200)
        for password, status in ((PASSWORD, 401), (ANOTHER_PASSWORD, 200)):
            sent = {"email": self.mechanic.email, "password": password}
            self.assertStatus(self.anyone.post("/mechanics/login", sent), status)

    def test_a_new_email_ends_the_other_sessions_and_not_the_one_that_asked(self) -> None:
        other = Caller(self.app, self.sign_in("mechanic", self.mechanic.id))
        changes = {"email": "Moved@Example.com", "current_password": PASSWORD}
        shown = self.assertStatus(self.change(self.mechanic, self.mechanic, **changes), 200)
        self.assertEqual(shown["email"], "moved@example.com")
        self.assertProblem(other.get("/mechanics"), 401, "not-signed-in")
        self.assertStatus(self.mechanic.get("/mechanics"), 200)

    def test_an_admin_sets_a_password_without_the_old_one_and_ends_the_sessions(self) -> None:
        self.assertStatus(self.change(self.admin, self.mechanic, password=ANOTHER_PASSWORD), 200)
        self.assertProblem(self.mechanic.get("/mechanics"), 401, "not-signed-in")
        self.assertStatus(self.admin.get("/mechanics"), 200)
        sent = {"email": self.mechanic.email, "password": ANOTHER_PASSWORD}
        self.assertStatus(self.anyone.post("/mechanics/login", sent), 200)


class DeleteMechanic(ShopTest):
    """DELETE /mechanics/admin/delete/{id}"""

    def delete(self, caller: Caller, mechanic_id: int) -> Any:
        return caller.delete(f"/mechanics/admin/delete/{mechanic_id}")

    def test_it_deactivates_and_ends_the_sessions(self) -> None:
        response = self.delete(self.admin, self.mechanic.id)
        self.assertEqual((response.status_code, response.data), (204, b""))
        self.assertProblem(self.mechanic.get("/mechanics"), 401, "not-signed-in")
        sent = {"email": self.mechanic.email, "password": PASSWORD}
        self.assertProblem(self.anyone.post("/mechanics/login", sent), 401, "sign-in-failed")
        shown = self.assertStatus(self.admin.get(f"/mechanics/{self.mechanic.id}"), 200)
        self.assertEqual((shown["active"], shown["version"]), (False, 2))

    def test_history_keeps_the_name(self) -> None:
        ticket = self.make_ticket()
        self.mechanic.put(f"/service-tickets/{ticket}/assign-mechanic/{self.mechanic.id}")
        self.delete(self.admin, self.mechanic.id)
        shown = self.admin.get(f"/service-tickets/{ticket}").json
        named = {"id": self.mechanic.id, "name": "Mel Mechanic"}
        self.assertEqual((shown["opened_by"], shown["mechanics"]), (named, [named]))

    def test_only_an_admin_may(self) -> None:
        self.assertProblem(self.delete(self.anyone, self.mechanic.id), 401, "not-signed-in")
        for caller in (self.customer, self.mechanic, self.advisor):
            self.assertProblem(self.delete(caller, self.mechanic.id), 403, "forbidden")
        self.assertTrue(self.row(Mechanic, self.mechanic.id).active)

    def test_never_the_last_admin(self) -> None:
        self.assertProblem(self.delete(self.admin, self.admin.id), 409, "last-admin")
        self.assertTrue(self.row(Mechanic, self.admin.id).active)
        second = self.make_mechanic("Second Admin", Role.ADMIN)
        self.assertStatus(self.delete(second, self.admin.id), 204)
        self.assertProblem(self.delete(second, second.id), 409, "last-admin")

    def test_who_is_not_there_is_not_found(self) -> None:
        self.assertProblem(self.delete(self.admin, 999), 404, "not-found")


class SignInAsStaff(ShopTest):
    """POST /mechanics/login and /mechanics/logout"""

    def log_in(self, email: str, password: str = PASSWORD) -> Any:
        return self.anyone.post("/mechanics/login", {"email": email, "password": password})

    def test_a_token_comes_out_that_works(self) -> None:
        answer = self.assertStatus(self.log_in(self.mechanic.email), 200)
        self.assertEqual(set(answer), {"token", "token_type", "expires_in"})
        self.assertEqual((answer["token_type"], answer["expires_in"]), ("Bearer", 12 * 3600))
        self.assertStatus(Caller(self.app, answer["token"]).get("/service-tickets"), 200)

    def test_the_email_is_compared_without_case(self) -> None:
        self.assertStatus(self.log_in(self.mechanic.email.upper()), 200)

    def test_whatever_is_wrong_looks_the_same(self) -> None:
        self.make_mechanic("Gone", active=False)
        for email, password in (
            (self.mechanic.email, "not the password"),
            ("nobody@example.com", PASSWORD),
            ("no address", PASSWORD),
            ("gone@example.com", PASSWORD),
            (self.customer.email, PASSWORD),
        ):
            with self.subTest(email):
                self.assertProblem(self.log_in(email, password), 401, "sign-in-failed")

    def test_email_and_password_are_required(self) -> None:
        self.assertInvalid(self.anyone.post("/mechanics/login", {}), "email", "password")

    def test_logout_ends_this_session_and_no_other(self) -> None:
        other = Caller(self.app, self.sign_in("mechanic", self.mechanic.id))
        response = self.mechanic.post("/mechanics/logout")
        self.assertEqual((response.status_code, response.data), (204, b""))
        self.assertProblem(self.mechanic.get("/mechanics"), 401, "not-signed-in")
        self.assertProblem(self.mechanic.post("/mechanics/logout"), 401, "not-signed-in")
        self.assertStatus(other.get("/mechanics"), 200)

    def test_logout_is_for_the_owner_of_the_token(self) -> None:
        self.assertProblem(self.anyone.post("/mechanics/logout"), 401, "not-signed-in")
        self.assertProblem(self.customer.post("/mechanics/logout"), 403, "forbidden")
        self.assertStatus(self.customer.get("/mechanics"), 200)
