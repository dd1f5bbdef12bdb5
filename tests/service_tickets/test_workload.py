"""What mechanics have to do: GET /mechanics/{id}/tickets, and `open_tickets` in the list."""

from tests.support import Caller
from tests.support.repair_orders import RepairOrderTest


class WorkloadTest(RepairOrderTest):
    """Tickets that mechanics are assigned to."""

    def assigned(self, *mechanics: Caller, **fields: str) -> int:
        """The id of a new ticket of these mechanics."""
        ticket = self.new_ticket(self.advisor, **fields)
        self.assertStatus(self.edit(ticket, add_mechanic_ids=[mechanic.id for mechanic in mechanics]), 200)
        return ticket

    def load(self, query: str = "") -> dict[int, int]:
        """How many open tickets each member of staff has, in the order of the list."""
        listed = self.assertStatus(self.mechanic.get(f"/mechanics{query}"), 200)
        return {mechanic["id"]: mechanic["open_tickets"] for mechanic in listed}


class MechanicTickets(WorkloadTest):
    """GET /mechanics/{id}/tickets"""

    def test_staff_see_those_that_a_mechanic_is_assigned_to_the_newest_first(self) -> None:
        tickets = [self.assigned(self.colleague), self.assigned(self.colleague, self.mechanic), self.new_completed()]
        self.assigned(self.mechanic)
        for caller in (self.mechanic, self.colleague, self.advisor, self.admin):
            with self.subTest(caller.email):
                response = caller.get(f"/mechanics/{self.colleague.id}/tickets")
                listed = self.assertStatus(response, 200)
                self.assertEqual([ticket["id"] for ticket in listed], tickets[1::-1])
                self.assertEqual(listed[0], caller.get(f"/service-tickets/{tickets[1]}").json)
                self.assertEqual(response.headers["X-Total-Count"], "2")

    def test_it_comes_in_pages(self) -> None:
        tickets = [self.assigned(self.colleague) for _ in range(3)]
        response = self.advisor.get(f"/mechanics/{self.colleague.id}/tickets?page=2&per_page=2")
        self.assertEqual([ticket["id"] for ticket in self.assertStatus(response, 200)], tickets[:1])
        self.assertIn('rel="prev"', response.headers["Link"])

    def test_finished_ones_and_those_of_people_who_left_are_among_them(self) -> None:
        ticket = self.assigned(self.colleague)
        self.take_to(ticket, "paid")
        self.assertStatus(self.admin.delete(f"/mechanics/admin/delete/{self.colleague.id}"), 204)
        (listed,) = self.assertStatus(self.advisor.get(f"/mechanics/{self.colleague.id}/tickets"), 200)
        self.assertEqual((listed["id"], listed["status"]), (ticket, "paid"))

    def test_others_may_not(self) -> None:
        path = f"/mechanics/{self.mechanic.id}/tickets"
        self.assertProblem(self.anyone.get(path), 401, "not-signed-in")
        self.assertProblem(self.customer.get(path), 403, "forbidden")
        self.assertProblem(self.advisor.get("/mechanics/999/tickets"), 404, "not-found")


class OpenTickets(WorkloadTest):
    """`open_tickets` of a mechanic"""

    def test_it_counts_what_is_assigned_and_open_or_in_progress(self) -> None:
        for status, start, counted in (
            ("estimate", "estimate", 0),
            ("declined", "estimate", 0),
            ("open", "open", 1),
            ("in_progress", "open", 1),
            ("completed", "open", 0),
            ("invoiced", "open", 0),
            ("paid", "open", 0),
            ("void", "open", 0),
        ):
            with self.subTest(status):
                worker = self.make_mechanic(f"Worker {status.replace('_', ' ')}")
                ticket = self.assigned(worker, status=start)
                if status == "invoiced":
                    self.assertStatus(self.work(ticket), 201)
                self.take_to(ticket, status)
                self.assertEqual(self.load()[worker.id], counted)
                self.assertEqual(self.advisor.get(f"/mechanics/{worker.id}").json["open_tickets"], counted)

    def test_it_does_not_count_what_they_only_opened(self) -> None:
        self.new_ticket(self.colleague)
        self.assertEqual(self.load()[self.colleague.id], 0)

    def test_customers_do_not_see_it(self) -> None:
        for mechanic in self.assertStatus(self.customer.get("/mechanics"), 200):
            self.assertEqual(set(mechanic), {"id", "name"})

    def test_it_is_sorted_both_ways_and_ties_by_id(self) -> None:
        self.assigned(self.mechanic, self.colleague)
        self.assigned(self.mechanic)
        idle, one, two = [self.admin.id, self.advisor.id], self.colleague.id, self.mechanic.id
        self.assertEqual(
            list(self.load("?sort=open_tickets").items()), [(idle[0], 0), (idle[1], 0), (one, 1), (two, 2)]
        )
        self.assertEqual(list(self.load("?sort=-open_tickets")), [two, one, *idle])

    def test_names_and_ids_sort_too(self) -> None:
        ids = sorted(self.load())
        for query, order in (
            ("", ids),
            ("?sort=id", ids),
            ("?sort=-id", ids[::-1]),
            ("?sort=name", [self.admin.id, self.advisor.id, self.colleague.id, self.mechanic.id]),
            ("?sort=-name", [self.mechanic.id, self.colleague.id, self.advisor.id, self.admin.id]),
        ):
            with self.subTest(query):
                self.assertEqual(list(self.load(query)), order)
        for sort in ("", "email", "--id", "open_tickets;id"):
            with self.subTest(sort):
                self.assertInvalid(self.mechanic.get(f"/mechanics?sort={sort}"), "sort")

    def test_a_sorted_list_keeps_its_order_over_pages(self) -> None:
        self.assigned(self.mechanic)
        self.assertEqual(list(self.load("?sort=-open_tickets&per_page=1")), [self.mechanic.id])
        response = self.mechanic.get("/mechanics?sort=-open_tickets&per_page=1")
        self.assertIn("sort=-open_tickets", response.headers["Link"])

    def test_the_list_is_never_behind_the_tickets(self) -> None:
        ticket = self.new_ticket()
        path, me = f"/service-tickets/{ticket}", self.mechanic.id
        for change, counted in (
            (lambda: self.mechanic.put(f"{path}/assign-mechanic/{me}"), 1),
            (lambda: self.mechanic.put(f"{path}/remove-mechanic/{me}"), 0),
            (lambda: self.edit(ticket, add_mechanic_ids=[me]), 1),
            (lambda: self.move(ticket, "in_progress"), 1),
            (lambda: self.move(ticket, "completed"), 0),
            (lambda: self.move(ticket, "in_progress"), 1),
            (lambda: self.move(ticket, "open"), 1),
            (lambda: self.move(ticket, "void"), 0),
        ):
            self.load()  # it is in the cache now
            self.assertStatus(change(), 200)
            self.assertEqual(self.load()[me], counted)

    def test_a_quote_counts_from_its_authorisation_on(self) -> None:
        quote = self.assigned(self.mechanic, status="estimate")
        self.assertEqual(self.load()[self.mechanic.id], 0)
        self.assertStatus(self.authorize(quote, self.customer), 201)
        self.assertEqual(self.load()[self.mechanic.id], 1)
