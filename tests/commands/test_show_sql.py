"""``flask show-sql``: the SQL that a route sends to read."""

import re
import unittest

from flask import Flask

from app import create_app
from app.commands.show_sql import readable
from app.commands.sql_layout import WIDTH, lay_out
from tests.support import ON_POSTGRESQL, Caller, Commands, ShopTest, settings
from tests.support.instruments import statements


def words(sql: str) -> str:
    """The statement without its white space."""
    return re.sub(r"\s", "", sql)


class ShowSql(Commands, ShopTest):
    """The command prints what the request of the same operation sends."""

    @classmethod
    def make_app(cls) -> Flask:
        return create_app(settings())

    def setUp(self) -> None:
        super().setUp()
        document = self.assertStatus(self.anyone.get("/openapi.json"), 200)
        self.reads = {
            path["get"]["operationId"]: address
            for address, path in document["paths"].items()
            if path.get("get", {}).get("security")
            and {} not in path["get"]["security"]  # needs a token
            and "ETag" in path["get"]["responses"]["200"].get("headers", {})
        }

    def printed(self, *arguments: str) -> str:
        result = self.run_command("show-sql", *arguments)
        self.assertDone(result)
        return result.output

    def sent(self, caller: Caller, address: str) -> list[str]:
        """The statements of a request, without those that look who sends it."""
        with statements() as sent:
            caller.get(address)
        return [text for text in sent if "last_used_at" not in text]

    def test_it_knows_every_operation_of_the_document_that_reads(self) -> None:
        self.assertGreater(len(self.reads), 20)
        self.assertEqual(set(readable()), set(self.reads))

    def test_it_prints_what_the_request_sends(self) -> None:
        for operation, address in self.reads.items():
            with self.subTest(operation):
                who = self.customer if operation.startswith("list_my_tickets") else self.admin
                [sent] = self.sent(who, re.sub(r"\{\w+\}", "1", address))
                self.assertIn(words(sent), words(self.printed(operation)))

    def test_with_the_parameters_of_path_and_query(self) -> None:
        [sent] = self.sent(self.admin, "/service-tickets?sort=-total&status=open,completed")
        printed = self.printed("list_tickets", "sort=-total", "status=open,completed")
        self.assertIn(words(sent), words(printed))
        self.assertIn("completed", printed)
        self.assertRegex(self.printed("get_ticket", "ticket_id=7"), r"-- with .*\b7\b")

    def test_as_a_customer_sees_it(self) -> None:
        self.assertIn("quantity_on_hand", self.printed("list_parts"))
        self.assertNotIn("quantity_on_hand", self.printed("list_parts", "--customer"))
        self.assertIn("customer_id = ", self.printed("get_ticket", "--customer"))
        self.assertIn("admin", self.printed("get_ticket").rpartition("-- with")[2])
        self.assertNotIn("admin", self.printed("get_ticket", "--customer").rpartition("-- with")[2])

    def test_it_reads_past_the_cache_and_leaves_it_as_it_was(self) -> None:
        self.assertStatus(self.admin.get("/inventory"), 200)
        self.assertIn("json", self.printed("list_parts"))
        self.assertEqual(self.sent(self.admin, "/inventory"), [])

    def test_what_cannot_be_shown_is_refused_with_what_can(self) -> None:
        for operation in ("create_ticket", "get_health", "export_customers", "nothing"):
            with self.subTest(operation):
                self.assertRefused(self.run_command("show-sql", operation), f"'{operation}' .*get_ticket, ")

    def test_what_the_route_refuses_is_said(self) -> None:
        for arguments, words in (
            (("list_tickets", "sort=colour"), "sort: Not a list"),
            (("list_tickets", "colour=red"), "colour: Unknown"),
            (("get_ticket", "ticket_id=first"), "That is no id"),
            (("get_ticket", "ticket_id=99999999999"), "nothing at /service-tickets/99999999999"),
            (("list_customers", "--customer"), "Only staff"),
        ):
            with self.subTest(arguments):
                self.assertRefused(self.run_command("show-sql", *arguments), words)

    def test_a_database_that_does_not_answer_is_said(self) -> None:
        url = "postgresql://nobody@127.0.0.1:1/none" if ON_POSTGRESQL else "sqlite:////nowhere/at/all.db"
        app = create_app(settings(DATABASE_URL=url))
        self.assertRefused(self.run_command("show-sql", "get_ticket", app=app), "The database does not answer")


class Layout(unittest.TestCase):
    """Statements in lines"""

    def test_a_line_for_each_clause_and_column_where_one_is_too_short(self) -> None:
        members = [f"'member_{n}', t.column_{n}" for n in range(6)]
        sql = (
            f"SELECT json_object({', '.join(members)}), t.b \nFROM t LEFT OUTER JOIN u ON u.id = t.u "
            "\nWHERE t.a = ? AND t.text = ', (FROM it''s'"
        )
        lines = [
            "SELECT json_object(",
            *(f"  {member}," for member in members[:-1]),
            f"  {members[-1]}",
            "),",
            "  t.b",
            "FROM t",
            "LEFT OUTER JOIN u ON u.id = t.u",
            "WHERE t.a = ?",
            "  AND t.text = ', (FROM it''s'",
        ]
        self.assertEqual(lay_out(sql).splitlines(), lines)

    def test_what_fits_stays_in_one(self) -> None:
        sql = "SELECT count(*) FROM (SELECT a FROM t UNION ALL SELECT b FROM u) AS v"
        self.assertEqual(lay_out(sql), sql)
        self.assertLessEqual(max(map(len, lay_out(f"{sql} WHERE {' AND '.join([sql] * 9)}").splitlines())), WIDTH)
