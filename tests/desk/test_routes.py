"""The pages of the desk and of approval links: files for anyone, under a strict policy."""

import secrets

from flask import Flask

from app import create_app
from app.desk.routes import STATIC, TYPES
from tests.contracts.test_openapi import Page
from tests.core.logging.test_logs import LogTest
from tests.support import ShopTest, settings

TOKEN = secrets.token_urlsafe(32)
PAGES = ("/desk", "/desk/", f"/approve/{TOKEN}", f"/approve/{TOKEN}/")
MODULE = "/desk/vendor/preact.js"


class Pages(ShopTest):
    """GET /desk and /approve/{token}"""

    def test_anyone_gets_them_whatever_token_is_sent(self) -> None:
        for path in (*PAGES, "/approve/x", "/approve/%00", "/approve/%C3%A9", f"/approve/{'x' * 4000}", MODULE):
            for caller in (self.anyone, self.customer, self.admin):
                with self.subTest(f"{path:.40}"):
                    self.assertStatus(caller.get(path), 200)
            forged = self.anyone.get(path, headers={"Authorization": "Bearer garbage"})
            self.assertEqual(forged.status_code, 200)

    def test_all_tokens_get_the_same_page(self) -> None:
        first, second = (self.anyone.get(f"/approve/{token}") for token in (TOKEN, "another"))
        self.assertEqual(first.data, second.data)
        self.assertNotIn(TOKEN, first.text + str(first.headers))

    def test_their_policy_lets_only_our_own_files_run(self) -> None:
        for path in PAGES:
            with self.subTest(path):
                response = self.anyone.get(path)
                self.assertEqual(response.mimetype, "text/html")
                policy = response.headers["Content-Security-Policy"]
                rules = dict(rule.strip().partition(" ")[::2] for rule in policy.split(";"))
                for name in ("default-src", "base-uri", "form-action", "frame-ancestors", "trusted-types"):
                    self.assertEqual(rules[name], "'none'", name)
                for name in ("script-src", "style-src", "connect-src"):
                    self.assertEqual(rules[name], "'self'", name)
                self.assertNotRegex(policy, r"unsafe|http|\*")
                self.assertEqual(response.headers["X-Content-Type-Options"], "nosniff")
                self.assertEqual(response.headers["Referrer-Policy"], "no-referrer")

    def test_they_have_nothing_inline_and_nothing_from_elsewhere(self) -> None:
        for path in PAGES:
            with self.subTest(path):
                page = Page(self.anyone.get(path).text)
                self.assertEqual(page.inline, [])
                self.assertTrue(page.addresses)
                for address in page.addresses:
                    self.assertRegex(address, "^/[^/]")
                    self.assertEqual(self.anyone.get(address).status_code, 200, address)

    def test_nothing_is_written_there(self) -> None:
        for path in (*PAGES, MODULE):
            for method in ("POST", "PUT", "PATCH", "DELETE"):
                self.assertProblem(self.admin.request(method, path), 405, "method-not-allowed")

    def test_the_start_leads_people_to_the_desk_and_programs_to_the_document(self) -> None:
        for accept, to in (("text/html", "/desk"), ("*/*", "/desk"), ("application/json", "/openapi.json")):
            answer = self.anyone.get("/", headers={"Accept": accept})
            self.assertEqual((answer.status_code, answer.headers["Location"]), (302, to))


class Files(ShopTest):
    """GET /desk/{name}"""

    def test_each_file_has_its_type(self) -> None:
        served = [path for path in STATIC.rglob("*") if path.suffix in TYPES]
        self.assertTrue({".css", ".html", ".js"} <= {path.suffix for path in served})
        for path in served:
            with self.subTest(path.name):
                response = self.anyone.get(f"/desk/{path.relative_to(STATIC)}")
                self.assertEqual(response.data, path.read_bytes())
                self.assertEqual(response.content_type, f"{TYPES[path.suffix]}; charset=utf-8")

    def test_browsers_keep_them_and_ask_each_time(self) -> None:
        for path in ("/desk", "/desk/index.html", MODULE):
            with self.subTest(path):
                first = self.anyone.get(path)
                self.assertEqual(first.headers["Cache-Control"], "no-cache")
                again = self.anyone.get(path, headers={"If-None-Match": first.headers["ETag"]})
                self.assertEqual((again.status_code, again.data), (304, b""))

    def test_the_page_of_a_link_is_kept_by_no_cache(self) -> None:
        self.assertEqual(self.anyone.get(f"/approve/{TOKEN}").headers["Cache-Control"], "no-store")

    def test_what_is_no_file_of_theirs_is_not_found(self) -> None:
        for name in (
            *("nothing.js", "vendor", "vendor/", "types.d.ts", "../routes.py", "..%2froutes.py", "%2e%2e/__init__.py"),
            *("%2fetc%2fhosts.txt", "%00.js", "vendor%5cpreact.js", f"{'x' * 1000}.js", f"{'x/' * 500}y.js"),
        ):
            with self.subTest(f"{name:.40}"):
                self.assertProblem(self.anyone.get(f"/desk/{name}"), 404, "not-found")


class Logs(LogTest):
    """What is logged of a page"""

    def test_a_token_is_in_no_log_and_no_statement_is_sent(self) -> None:
        for path, route in (("/desk", "/desk"), (MODULE, "/desk/<path:name>"), (PAGES[2], "/approve/<token>")):
            line = self.line(self.anyone, "GET", path)
            self.assertEqual((line["route"], line["queries"]), (route, 0))
            self.assertNotIn(TOKEN, str(line))


class Off(ShopTest):
    """A shop with pages of its own: ``DESK=off``"""

    @classmethod
    def make_app(cls) -> Flask:
        return create_app(settings(DESK="off"))

    def test_nothing_is_served_there(self) -> None:
        for path in (*PAGES, MODULE):
            self.assertProblem(self.anyone.get(path), 404, "not-found")
