"""GET /me"""

from datetime import UTC, datetime

from app.extensions import db
from app.models import SignIn
from tests.support import ShopTest


class Me(ShopTest):
    """Whose token this is"""

    def test_staff_are_told_their_role(self) -> None:
        for caller, role in ((self.admin, "admin"), (self.advisor, "advisor"), (self.mechanic, "mechanic")):
            shown = self.assertStatus(caller.get("/me"), 200)
            self.assertEqual((shown["kind"], shown["id"], shown["email"]), ("mechanic", caller.id, caller.email))
            self.assertEqual(shown["role"], role)
            self.assertEqual(shown.keys(), {"kind", "id", "name", "email", "role", "expires_at"})

    def test_customers_have_no_role(self) -> None:
        shown = self.assertStatus(self.customer.get("/me"), 200)
        self.assertEqual((shown["kind"], shown["id"]), ("customer", self.customer.id))
        self.assertEqual((shown["name"], shown["role"]), ("Cus Tomer", None))

    def test_it_tells_when_this_token_expires(self) -> None:
        expiry = datetime(2999, 5, 4, 3, 2, 1, tzinfo=UTC)
        db.session.query(SignIn).filter_by(mechanic_id=self.admin.id).update({"expires_at": expiry})
        db.session.commit()
        self.assertEqual(self.admin.get("/me").json["expires_at"], "2999-05-04T03:02:01.000000Z")
        self.assertNotEqual(self.advisor.get("/me").json["expires_at"], "2999-05-04T03:02:01.000000Z")

    def test_nobody_else_is_told_anything(self) -> None:
        self.assertProblem(self.anyone.get("/me"), 401, "not-signed-in")
        self.assertInvalid(self.customer.get("/me?id=1"), "id")

    def test_what_is_known_already_is_not_sent_again(self) -> None:
        tag = self.customer.get("/me").headers["ETag"]
        self.assertEqual(self.customer.get("/me", headers={"If-None-Match": tag}).status_code, 304)
        self.assertEqual(self.stranger.get("/me", headers={"If-None-Match": tag}).status_code, 200)

    def test_a_session_that_has_ended_is_nobodys(self) -> None:
        self.assertStatus(self.customer.post("/customers/logout"), 204)
        self.assertProblem(self.customer.get("/me"), 401, "not-signed-in")
