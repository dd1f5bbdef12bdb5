"""Tokens, sign-in and passwords: what lets people in, and what does not."""

import base64
import time
import unittest
from typing import Any
from unittest import mock

from flask import Flask
from jose import jwt
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from app.accounts import passwords
from app.core.http.policy import open_to_anyone, require_policies
from app.extensions import db
from app.models import Customer, Mechanic, SignIn
from app.rules.roles import Role
from tests.support import FULL_COST_HASHER, PASSWORD, Caller, ShopTest
from tests.support.forger import Forger, part

# A few routes that take a mechanic's token, with a body for each.
ROUTES: dict[str, Any] = {
    "GET /mechanics": None,
    "GET /service-tickets": None,
    "POST /customers": {"name": "Walter Inn", "phone": "212 555 0187"},
    "PUT /mechanics/{own}": {},
}
CLAIMS = ("sub", "jti", "iat", "exp", "iss", "aud")


class Tokens(ShopTest):
    """A forged, outdated or mangled token is a 401, whatever the route."""

    def setUp(self) -> None:
        super().setUp()
        self.forger = Forger(self.mechanic.token, self.app.config["SECRET_KEY"])
        self.claims, self.signed = self.forger.claims, self.forger.signed
        self.by_hand, self.headed = self.forger.by_hand, self.forger.headed

    def ask(self, route: str, authorization: str) -> TestResponse:
        """The answer of a route to this header."""
        method, path = route.split()
        path, body = path.format(own=self.mechanic.id), ROUTES[route]
        return self.anyone.request(method, path, json=body, headers={"Authorization": authorization})

    def assertWorthless(self, cases: dict[str, str], scheme: str = "Bearer ") -> None:
        """None of the tokens is taken anywhere."""
        for name, token in cases.items():
            for route in ROUTES:
                with self.subTest(f"{name}: {route}"):
                    response = self.ask(route, scheme + token)
                    self.assertProblem(response, 401, "not-signed-in")
                    self.assertEqual(response.headers["WWW-Authenticate"], "Bearer")

    def test_the_token_that_is_forged_here_is_good_as_it_is(self) -> None:
        for token in (self.mechanic.token or "", self.signed(), self.headed()):
            for route in ROUTES:
                with self.subTest(route):
                    self.assertIn(self.ask(route, f"Bearer {token}").status_code, (200, 201))

    def test_another_signature(self) -> None:
        head, payload, signature = (self.mechanic.token or "").split(".")
        as_admin = part({**self.claims, "sub": f"mechanic:{self.admin.id}"})
        flipped = ("A" if signature[0] != "A" else "B") + signature[1:]
        self.assertWorthless(
            {
                "another key": self.signed(key="k" * 43),
                "an empty key": self.signed(key="\0"),
                "no signature": f"{head}.{payload}.",
                "a changed signature": f"{head}.{payload}.{flipped}",
                "changed claims": f"{head}.{as_admin}.{signature}",
                "two parts": f"{head}.{payload}",
                "four parts": f"{head}.{payload}.{signature}.{signature}",
            }
        )

    def test_another_algorithm(self) -> None:
        payload = part(self.claims)
        self.assertWorthless(
            {
                "HS384 with our key": self.signed(algorithm="HS384"),
                "HS512 with our key": self.signed(algorithm="HS512"),
                "none": f"{part({**self.forger.header, 'alg': 'none'})}.{payload}.",
                "None": f"{part({**self.forger.header, 'alg': 'None'})}.{payload}.",
                "none, signed": self.headed(alg="none"),
                "RS256, signed with our key": self.headed(alg="RS256"),
                "no algorithm": self.headed("alg"),
                "an algorithm that is no text": self.headed(alg=["HS256"]),
            }
        )

    def test_another_time(self) -> None:
        now = int(time.time())
        self.assertWorthless(
            {
                "expired": self.signed(iat=now - 7200, exp=now - 1),
                "expired long ago": self.signed(exp=0),
                "issued in the future": self.signed(iat=now + 3600, exp=now + 7200),
            }
        )

    def test_another_issuer_or_audience(self) -> None:
        self.assertWorthless(
            {
                f"{claim}={value!r}": self.signed(**{claim: value})
                for claim in ("iss", "aud")
                for value in ("", "another-api")
            }
        )

    def test_every_claim_is_required(self) -> None:
        self.assertWorthless({f"without {claim}": self.signed(claim) for claim in CLAIMS})
        self.assertWorthless({f"null {claim}": self.signed(**{claim: None}) for claim in CLAIMS})

    def test_claims_of_another_kind(self) -> None:
        self.assertWorthless(
            {
                f"{claim}={value!r}": self.signed(**{claim: value})
                for claim, value in (
                    ("iat", "1700000000"),
                    ("iat", [1]),
                    ("exp", "soon"),
                    ("exp", {}),
                    ("sub", 5),
                    ("sub", ["mechanic:3"]),
                    ("jti", 5),
                    ("jti", ["x"]),
                    ("jti", "\0"),
                    ("jti", "\ud800"),
                    ("aud", 5),
                    ("iss", 5),
                )
            }
        )

    def test_the_subject_is_a_kind_and_an_id(self) -> None:
        number = self.mechanic.id
        for subject in (
            f"{number}",
            f"mechanic:{number} ",
            f"mechanic:0{number}",
            f"mechanic:{number}\n",
            f"Mechanic:{number}",
            f"admin:{number}",
            f"mechanic:-{number}",
            "mechanic:",
            "mechanic:9999999999",
            "mechanic:" + "9" * 30,
            "",
            f":{number}",
        ):
            self.assertWorthless({f"sub={subject!r}": self.signed(sub=subject)})

    def test_a_session_is_its_owners(self) -> None:
        customers = jwt.get_unverified_claims(self.customer.token)
        self.assertEqual(self.customer.id, self.admin.id)  # the same number among customers and among staff
        self.assertWorthless(
            {
                "an admin with a customer's session": self.signed(**{**customers, "sub": f"mechanic:{self.admin.id}"}),
                "an admin with a mechanic's session": self.signed(sub=f"mechanic:{self.admin.id}"),
                "a customer with a mechanic's session": self.signed(sub=f"customer:{self.mechanic.id}"),
                "a session that never was": self.signed(jti="0" * 32),
            }
        )

    def test_a_session_that_has_run_out(self) -> None:
        token = self.sign_in("mechanic", self.mechanic.id, hours=-1)
        jti = jwt.get_unverified_claims(token)["jti"]
        self.assertIsNotNone(self.row(SignIn, jti))
        self.assertWorthless({"its claims say that it lives": self.signed(jti=jti)})

    def test_a_token_is_no_longer_than_4_kib(self) -> None:
        short, long = self.signed(padding="p" * 500), self.signed(padding="p" * 4096)
        self.assertEqual(self.anyone.get("/mechanics", headers={"Authorization": f"Bearer {short}"}).status_code, 200)
        self.assertGreater(len(long), 4096)
        self.assertWorthless({"longer": long, "much longer": self.signed(padding="p" * 60_000)})

    def test_headers_and_claims_that_are_not_objects(self) -> None:
        good = self.forger.header
        self.assertWorthless(
            {
                "a deep header": f"{part(b'[' * 2500)}.{part(self.claims)}.x",
                "deep claims": self.by_hand(good, b'{"a":' * 500),
                "an array as header": self.by_hand([good]),
                "text as claims": self.by_hand(good, "claims"),
                "an array as claims": self.by_hand(good, [self.claims]),
                "null as claims": self.by_hand(good, b"null"),
                "no JSON": self.by_hand(good, b"\xff\xfe"),
                "a number of many digits": self.by_hand(good, b'{"exp": ' + b"9" * 2500 + b"}"),
                "a number that is none": self.by_hand(good, b'{"exp": NaN}'),
            }
        )

    def test_garbage(self) -> None:
        self.assertWorthless(
            {
                repr(text): text
                for text in ("", " ", ".", "..", "...", "a.b.c", "garbage", "\xff.\xff.\xff", "=.=.=", "e30.e30.e30")
            }
        )

    def test_another_scheme(self) -> None:
        token = self.mechanic.token or ""
        basic = base64.b64encode(f"{self.mechanic.email}:{PASSWORD}".encode()).decode()
        self.assertWorthless({"Basic": basic, "Basic with a token": token}, "Basic ")
        self.assertWorthless({"Token": token}, "Token ")
        self.assertWorthless({"none": token}, "")

    def test_a_token_in_the_query_or_in_a_cookie_is_none(self) -> None:
        token = self.mechanic.token
        self.assertProblem(self.anyone.get(f"/mechanics?token={token}"), 401, "not-signed-in")
        self.assertProblem(self.anyone.get("/mechanics", headers={"Cookie": f"token={token}"}), 401, "not-signed-in")

    def test_a_bad_token_is_worse_than_none_for_a_sign_up(self) -> None:
        sent = {"name": "Dana", "email": "dana@example.com", "password": "blue hatchback 2014"}
        headers = {"Authorization": f"Bearer {self.signed(key='k' * 43)}"}
        self.assertProblem(self.anyone.post("/customers", sent, headers=headers), 401, "not-signed-in")
        self.assertStatus(self.anyone.post("/customers", sent), 201)


class Login(ShopTest):
    """Signing in tells nothing to those who do not know the password."""

    def test_an_unknown_email_and_a_wrong_password_look_the_same(self) -> None:
        walk_in = self.save(Customer(name="Walter Inn", email="walter@example.com"))
        gone = self.make_mechanic("Gone", active=False)
        for path, known in (("/mechanics/login", self.mechanic.email), ("/customers/login", self.customer.email)):
            answers = []
            for email in (known, "nobody@example.com", walk_in.email, gone.email, "no address", "a@b@c"):
                response = self.anyone.post(path, {"email": email, "password": "not the password"})
                problem = self.assertProblem(response, 401, "sign-in-failed")
                varying = {"request_id": problem.pop("request_id"), "X-Request-ID": response.headers["X-Request-ID"]}
                headers = {name: value for name, value in response.headers if name not in varying}
                answers.append((problem, headers))
            for answer in answers[1:]:
                with self.subTest(path):
                    self.assertEqual(answer, answers[0])

    def test_a_failed_sign_in_opens_no_session(self) -> None:
        def sessions() -> int | None:
            db.session.rollback()
            return db.session.scalar(select(func.count()).select_from(SignIn))

        before = sessions()
        self.anyone.post("/mechanics/login", {"email": self.mechanic.email, "password": "not the password"})
        self.assertEqual(sessions(), before)
        self.anyone.post("/mechanics/login", {"email": self.mechanic.email, "password": PASSWORD})
        self.assertEqual(sessions(), (before or 0) + 1)

    def test_a_password_counts_to_the_last_character(self) -> None:
        for password in (PASSWORD + " ", PASSWORD.upper(), PASSWORD[:-1], " " + PASSWORD):
            with self.subTest(repr(password)):
                sent = {"email": self.mechanic.email, "password": password}
                self.assertProblem(self.anyone.post("/mechanics/login", sent), 401, "sign-in-failed")

    def test_staff_and_customers_of_one_email_sign_in_at_their_own_doors(self) -> None:
        both = self.make_customer("Mel At Home", email=self.mechanic.email)
        sent = {"email": both.email, "password": PASSWORD}
        for path, subject in (
            ("/mechanics/login", f"mechanic:{self.mechanic.id}"),
            ("/customers/login", f"customer:{both.id}"),
        ):
            token = self.assertStatus(self.anyone.post(path, sent), 200)["token"]
            self.assertEqual(jwt.get_unverified_claims(token)["sub"], subject)

    def test_login_ignores_the_authorization_header(self) -> None:
        for path, who in (("/mechanics/login", self.mechanic), ("/customers/login", self.customer)):
            for authorization in ("Bearer garbage", "Basic eDp5", f"Bearer {self.stranger.token}"):
                with self.subTest(f"{path} {authorization[:14]}"):
                    sent = {"email": who.email, "password": PASSWORD}
                    response = self.anyone.post(path, sent, headers={"Authorization": authorization})
                    self.assertStatus(response, 200)

    def test_every_sign_in_is_a_session_of_its_own(self) -> None:
        sent = {"email": self.mechanic.email, "password": PASSWORD}
        first, second = (Caller(self.app, self.anyone.post("/mechanics/login", sent).json["token"]) for _ in range(2))
        self.assertStatus(first.post("/mechanics/logout"), 204)
        self.assertProblem(first.get("/mechanics"), 401, "not-signed-in")
        self.assertStatus(second.get("/mechanics"), 200)

    def test_a_token_says_no_more_than_it_must(self) -> None:
        sent = {"email": self.mechanic.email, "password": PASSWORD}
        answer = self.anyone.post("/mechanics/login", sent).json
        claims = jwt.get_unverified_claims(answer["token"])
        self.assertEqual(set(claims), set(CLAIMS))
        self.assertEqual(claims["exp"] - claims["iat"], answer["expires_in"])

    def test_a_logged_out_token_is_worthless_everywhere_and_in_the_same_words(self) -> None:
        for who, path in ((self.mechanic, "/mechanics"), (self.customer, "/customers")):
            self.assertStatus(who.post(f"{path}/logout"), 204)
            for again in (who.get("/mechanics"), who.get("/inventory"), who.post(f"{path}/logout")):
                problem = self.assertProblem(again, 401, "not-signed-in")
                never = self.assertProblem(self.anyone.get("/mechanics"), 401, "not-signed-in")
                self.assertEqual(problem["detail"], never["detail"])


class Passwords(ShopTest):
    """How passwords are kept."""

    PARAMETERS = "$argon2id$v=19$m=19456,t=2,p=1$"

    def setUp(self) -> None:
        super().setUp()
        self.enterContext(mock.patch.object(passwords, "hasher", FULL_COST_HASHER))

    def test_they_are_kept_as_argon2id_hashes(self) -> None:
        sent = {"name": "New", "email": "new@example.com", "password": "a password to be hashed"}
        mechanic = self.assertStatus(self.admin.post("/mechanics", sent), 201)
        customer = self.assertStatus(self.anyone.post("/customers", sent), 201)
        hashes = [self.row(Mechanic, mechanic["id"]).password_hash, self.row(Customer, customer["id"]).password_hash]
        changes = {"password": "another password", "current_password": PASSWORD}
        self.assertStatus(self.customer.put(f"/customers/{self.customer.id}", changes), 200)
        hashes.append(self.row(Customer, self.customer.id).password_hash)
        for kept in hashes:
            self.assertTrue(kept.startswith(self.PARAMETERS), kept)
        self.assertNotEqual(hashes[0], hashes[1])  # each with a salt of its own

    def test_they_are_in_no_answer(self) -> None:
        sent = {"name": "New", "email": "new@example.com", "password": "a password to be hashed"}
        for response in (
            self.admin.post("/mechanics", {**sent, "role": Role.ADMIN.value}),
            self.anyone.post("/customers", sent),
            self.admin.get("/mechanics"),
            self.admin.get("/customers"),
            self.anyone.post("/customers", sent),
            self.anyone.post("/customers", {**sent, "name": ""}),
        ):
            self.assertNotIn("argon2", response.text)
            self.assertNotIn("password", response.text)


class Policies(unittest.TestCase):
    """An application with a view that declares no policy does not start."""

    def test_a_view_without_a_policy_is_named(self) -> None:
        app = Flask("a shop", static_folder=None)
        app.add_url_rule("/open", "open", open_to_anyone(lambda: "open"))
        require_policies(app)
        app.add_url_rule("/bare", "forgotten", lambda: "bare")
        with self.assertRaisesRegex(RuntimeError, "forgotten"):
            require_policies(app)
