"""What browsers ask for by themselves: the start and the icon."""

from flask import Flask

from app import create_app
from tests.support import ShopTest, settings

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
ICON_OF_WINDOWS = b"\0\0\1\0"


class Start(ShopTest):
    """GET /, where the shop has no desk (tests/desk)"""

    @classmethod
    def make_app(cls) -> Flask:
        return create_app(settings(DESK="off"))

    def test_people_are_led_to_the_documentation_and_programs_to_the_document(self) -> None:
        for accept, to in (
            (BROWSER, "/docs"),
            ("*/*", "/docs"),
            ("text/plain", "/docs"),
            (None, "/docs"),
            ("application/json", "/openapi.json"),
            ("application/json, text/plain, */*", "/openapi.json"),
            ("text/html;q=0.1, application/json", "/openapi.json"),
        ):
            with self.subTest(accept):
                answer = self.anyone.get("/", headers={"Accept": accept} if accept else {})
                self.assertEqual((answer.status_code, answer.headers["Location"]), (302, to))
                self.assertEqual(answer.headers["Vary"], "Accept, Authorization")
                self.assertEqual(answer.headers["Cache-Control"], "no-store")
                self.assertStatus(self.anyone.get(to), 200)

    def test_nothing_is_written_there(self) -> None:
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            self.assertProblem(self.admin.request(method, "/"), 405, "method-not-allowed")


class Icon(ShopTest):
    """GET /favicon.ico"""

    def test_it_is_an_image_that_browsers_keep(self) -> None:
        answer = self.anyone.get("/favicon.ico")
        self.assertEqual((answer.status_code, answer.mimetype), (200, "image/vnd.microsoft.icon"))
        self.assertTrue(answer.get_data().startswith(ICON_OF_WINDOWS))
        self.assertEqual(answer.headers["Cache-Control"], "public, max-age=3600")
        again = self.anyone.get("/favicon.ico", headers={"If-None-Match": answer.headers["ETag"]})
        self.assertEqual(again.status_code, 304)
