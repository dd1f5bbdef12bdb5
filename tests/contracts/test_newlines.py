"""Every answer in JSON is a line of text: it ends with a newline, whatever made it.

`Caller` looks at every answer of every test; here are those of each kind.
"""

import json

from tests.support.repair_orders import RepairOrderTest


class Newlines(RepairOrderTest):
    """Answers whose text comes from SQL, from a dictionary, from the cache, from a key, from an error, in pieces."""

    def test_there_is_one_and_the_tag_counts_it(self) -> None:
        ticket = self.new_invoiced()
        key = {"Idempotency-Key": "a-key"}
        part = {"name": "Belt", "price": "9.90"}
        for caller, method, path, status, more in (
            (self.anyone, "GET", "/health", 200, {}),
            (self.anyone, "GET", "/ready", 200, {}),
            (self.anyone, "GET", "/openapi.json", 200, {}),
            (self.admin, "GET", f"/service-tickets/{ticket}", 200, {}),
            (self.admin, "GET", "/service-tickets", 200, {}),
            (self.admin, "GET", "/service-tickets?limit=1", 200, {}),
            (self.admin, "GET", "/inventory", 200, {}),
            (self.admin, "GET", "/inventory", 200, {}),  # from the cache
            (self.admin, "GET", f"/service-tickets/{ticket}/invoice", 200, {}),
            (self.admin, "GET", f"/customers/{self.customer.id}/personal-data", 200, {}),
            (self.admin, "POST", "/inventory", 201, {"json": part, "headers": key}),
            (self.admin, "POST", "/inventory", 201, {"json": part, "headers": key}),  # the same again
            (self.admin, "POST", "/inventory", 422, {"json": {}}),
            (self.anyone, "GET", "/inventory", 401, {}),
            (self.anyone, "GET", "/nothing", 404, {}),
            (self.anyone, "DELETE", "/health", 405, {}),
        ):
            with self.subTest(f"{method} {path} {status}"):
                answer = caller.request(method, path, **more)
                body = answer.get_data()
                self.assertEqual(answer.status_code, status, answer.text)
                self.assertEqual((body[-1:], body[-2:-1].isspace()), (b"\n", False))
                self.assertEqual(int(answer.headers.get("Content-Length", len(body))), len(body))
                json.loads(body)

    def test_what_a_write_answers_has_the_tag_of_a_read(self) -> None:
        made = self.admin.post("/inventory", {"name": "Belt", "price": "9.90"})
        read = self.admin.get(made.headers["Location"])
        self.assertEqual((made.headers["ETag"], made.get_data()), (read.headers["ETag"], read.get_data()))
        again = self.admin.get(made.headers["Location"], headers={"If-None-Match": read.headers["ETag"]})
        self.assertEqual((again.status_code, again.get_data()), (304, b""))
