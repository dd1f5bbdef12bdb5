"""A hundred ways to make a token that is not good, tried on every route that looks at one."""

import base64
import secrets
import time
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from jose import jwt

from app.core.keys import key_id
from tests.support import PASSWORD, Caller
from tests.support.forger import Forger, part
from tests.support.instruments import OwnAppTest

PREVIOUS, UNKNOWN = secrets.token_urlsafe(32), secrets.token_urlsafe(32)


def pem(key: Any) -> str:
    """A private key as text."""
    text: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return text.decode()


class Forged(OwnAppTest):
    """None is let in anywhere, and none is more than a 401."""

    SETTINGS = {
        "SECRET_KEY_PREVIOUS": PREVIOUS,
        "RATELIMIT_PER_CLIENT": "1000000 per minute",
        "RATELIMIT_WRITES": "1000000 per minute",
    }

    def setUp(self) -> None:
        super().setUp()
        self.forger = Forger(self.admin.token, self.app.config["SECRET_KEY"])

    def test_no_forged_token_is_taken_on_any_route(self) -> None:
        cases, routes = self.cases(), self.routes()
        self.assertGreater(len(cases), 100)
        client, taken = self.app.test_client(), []
        for method, path, is_open in routes:
            for name, case in cases.items():
                if is_open and "Authorization" not in dict(case.get("headers", {})):
                    continue  # whoever sends no token is anyone
                query = case.get("query_string")
                answer = client.open(path, method=method, headers=case.get("headers"), query_string=query)
                if (answer.status_code, answer.json["type"]) != (401, "/problems/not-signed-in"):
                    taken.append(f"{method} {path} with {name}: {answer.status}")
        self.assertEqual(taken, [])

    def test_what_they_are_forged_from_is_good(self) -> None:
        client = self.app.test_client()
        good = (self.admin.token, self.forger.signed(), self.forger.headed(), self.forger.signed(nbf=0))
        for method, path, _ in self.routes():
            for token in () if "/logout" in path else good:
                headers = {"Authorization": f"Bearer {token}"}
                answer = client.open(path, method=method, headers=headers, buffered=True)
                self.assertNotEqual(answer.status_code, 401, f"{method} {path}")

    def routes(self) -> list[tuple[str, str, bool]]:
        """Every method and path of which the token is looked at, and whether one may be left out."""
        found = []
        for rule in self.app.url_map.iter_rules():
            policy = self.app.view_functions[rule.endpoint].policy  # type: ignore[attr-defined]
            if policy.token or policy.optional:
                path = self.app.url_map.bind("localhost").build(rule.endpoint, dict.fromkeys(rule.arguments, 999_999))
                found += [(method, path, policy.optional) for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}]
        return sorted(found)

    def cases(self) -> dict[str, dict[str, Any]]:
        """What is sent in place of a good token: headers, or a query."""
        tokens = {
            **self.other_algorithms(),
            **self.other_keys(),
            **self.other_times(),
            **self.other_claims(),
            **self.ended_sessions(),
            **self.garbage(),
        }
        good = f"Bearer {self.admin.token}"
        basic = base64.b64encode(f"{self.admin.email}:{PASSWORD}".encode()).decode()
        return {
            **{name: {"headers": {"Authorization": f"Bearer {token}"}} for name, token in tokens.items()},
            "nothing": {},
            "Basic": {"headers": {"Authorization": f"Basic {basic}"}},
            "the token as Basic": {"headers": {"Authorization": f"Basic {self.admin.token}"}},
            "no scheme": {"headers": {"Authorization": self.admin.token}},
            "the header twice": {"headers": [("Authorization", good), ("Authorization", good)]},
            "two tokens": {"headers": {"Authorization": f"{good} {self.admin.token}"}},
            "another header": {"headers": {"X-Authorization": good, "Proxy-Authorization": good}},
            "a cookie": {"headers": {"Cookie": f"token={self.admin.token}; Authorization={good}"}},
            "the query": {"query_string": {"token": self.admin.token, "access_token": self.admin.token}},
        }

    def other_algorithms(self) -> dict[str, str]:
        forger, payload = self.forger, part(self.forger.claims)
        rsa_key, ec_key = rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP256R1())
        unsigned = {
            f"alg {name!r}": f"{part({**forger.header, 'alg': name})}.{payload}."
            for name in ("none", "None", "NONE", "nOnE", "", None)
        }
        return {
            **unsigned,
            "RS256": forger.signed(key=pem(rsa_key), algorithm="RS256"),
            "ES256": forger.signed(key=pem(ec_key), algorithm="ES256"),
            "HS384": forger.signed(algorithm="HS384"),
            "HS512": forger.signed(algorithm="HS512"),
            "alg none, signed": forger.headed(alg="none"),
            "alg RS256, signed as HS256": forger.headed(alg="RS256"),
            "no alg": forger.headed("alg"),
            "a list of algs": forger.headed(alg=["HS256"]),
        }

    def other_keys(self) -> dict[str, str]:
        forger, header = self.forger, self.forger.header
        head, payload, signature = forger.headed().split(".")
        own = {"kty": "oct", "k": base64.urlsafe_b64encode(UNKNOWN.encode()).decode()}
        kids = ("../../../../dev/null", "' OR '1'='1", "'; DROP TABLE sign_ins --", "", "x" * 2000, "\0", "é\u202e")
        return {
            "another key": forger.by_hand(header, key=UNKNOWN),
            "another key and its kid": forger.by_hand({**header, "kid": key_id(UNKNOWN)}, key=UNKNOWN),
            "the previous key's kid, another key": forger.by_hand({**header, "kid": key_id(PREVIOUS)}, key=UNKNOWN),
            "the previous key's kid, the present key": forger.headed(kid=key_id(PREVIOUS)),
            "the present key's kid, the previous key": forger.by_hand(header, key=PREVIOUS),
            "an empty key": forger.by_hand(header, key="\0"),
            "a key of its own in the header": forger.by_hand({**header, "jwk": own}, key=UNKNOWN),
            "no kid": forger.headed("kid"),
            **{f"kid {kid[:20]!r}": forger.headed(kid=kid) for kid in kids},
            **{f"kid {kid!r}": forger.headed(kid=kid) for kid in (None, 0, True, [header["kid"]], {"kid": 1})},
            "no signature": f"{head}.{payload}.",
            "two parts": f"{head}.{payload}",
            "four parts": f"{head}.{payload}.{signature}.{signature}",
            "changed claims": f"{head}.{part({**forger.claims, 'sub': 'mechanic:2'})}.{signature}",
        }

    def other_times(self) -> dict[str, str]:
        forger, now = self.forger, int(time.time())
        return {
            "expired": forger.signed(iat=now - 7200, exp=now - 1),
            "issued in the future": forger.signed(iat=now + 3600, exp=now + 7200),
            "not to be used yet": forger.signed(nbf=now + 3600),
            "a time as text": forger.signed(exp=str(now + 3600)),
            "a time that is no whole number": forger.signed(exp=now + 3600.5),
            "true as time": forger.signed(iat=True),
        }

    def other_claims(self) -> dict[str, str]:
        signed, own = self.forger.signed, self.forger.claims
        jti_of_a_customer = jwt.get_unverified_claims(self.customer.token)["jti"]
        subjects = ("admin:1", "mechanic:-1", f"mechanic:{10**30}", " mechanic:1", "mechanic: 1", "mechanic:01")
        subjects += ("mechanic:1\n", "mechanic:\u0661", "MECHANIC:1", "mechanic:1 OR 1=1", "1", "", "mechanic:")
        return {
            **{f"without {claim}": signed(claim) for claim in own},
            **{f"{claim} null": signed(**{claim: None}) for claim in own},
            **{f"sub {subject!r}": signed(sub=subject) for subject in subjects},
            "sub a number": signed(sub=1),
            "sub a list": signed(sub=["mechanic:1"]),
            "another aud": signed(aud="another-api"),
            "a list of auds": signed(aud=[own["aud"], "another-api"]),
            "another iss": signed(iss="another-api"),
            "the staff of the customer's id": signed(jti=jti_of_a_customer),
            "the customer of the staff's id": signed(sub="customer:1"),
            "jti of a colleague": signed(sub=f"mechanic:{self.mechanic.id}"),
            "jti that never was": signed(jti="0" * 32),
            "jti in SQL": signed(jti="' OR ''='"),
        }

    def ended_sessions(self) -> dict[str, str | None]:
        gone, leaver = self.make_customer("Gone"), self.make_mechanic("Leaver")
        other = Caller(self.app, self.sign_in("customer", self.customer.id))
        out = Caller(self.app, self.sign_in("mechanic", self.admin.id))
        sent = {"password": "a new password", "current_password": PASSWORD}
        self.assertStatus(self.customer.put(f"/customers/{self.customer.id}", sent), 200)
        self.assertStatus(self.admin.delete(f"/customers/{gone.id}"), 204)
        self.assertStatus(self.admin.delete(f"/mechanics/admin/delete/{leaver.id}"), 204)
        self.assertStatus(out.post("/mechanics/logout"), 204)
        return {
            "logged out": out.token,
            "changed password": other.token,
            "deleted customer": gone.token,
            "deactivated mechanic": leaver.token,
        }

    def garbage(self) -> dict[str, str]:
        forger = self.forger
        return {
            **{f"{text!r}": text for text in ("", ".", "..", "a.b.c", "garbage", "\xff.\xff.\xff", "e30.e30.e30")},
            "60 KB": forger.signed(padding="p" * 45_000),
            "a deep header": f"{part(b'[' * 2500)}.{part(forger.claims)}.x",
            "deep claims": forger.by_hand(forger.header, b'{"a":' * 500),
            "claims that are no object": forger.by_hand(forger.header, [forger.claims]),
            "a header that is no object": forger.by_hand([forger.header]),
        }


class Rotation(OwnAppTest):
    """A key can be replaced while people are signed in."""

    def token_of(self, **keys: str) -> str:
        """The customer's token as it would be signed with these settings."""
        with self.start(**keys).app_context():
            return self.sign_in("customer", self.customer.id)

    def start(self, **keys: str) -> Any:
        """The application, started again with these keys."""
        self.settings = {**self.settings, "SECRET_KEY_PREVIOUS": None, **keys}
        return self.start_app()

    def test_both_keys_are_good_and_the_present_one_signs(self) -> None:
        old = self.token_of(SECRET_KEY=UNKNOWN)
        both = self.start(SECRET_KEY=PREVIOUS, SECRET_KEY_PREVIOUS=UNKNOWN)
        self.assertStatus(Caller(both, old).get("/inventory"), 200)
        answer = Caller(both).post("/customers/login", {"email": self.customer.email, "password": PASSWORD})
        new = self.assertStatus(answer, 200)["token"]
        self.assertEqual(jwt.get_unverified_header(new)["kid"], key_id(PREVIOUS))
        self.assertStatus(Caller(self.start(SECRET_KEY=PREVIOUS), new).get("/inventory"), 200)

    def test_a_key_that_is_gone_lets_nobody_in(self) -> None:
        old = self.token_of(SECRET_KEY=UNKNOWN)
        self.assertProblem(Caller(self.start(SECRET_KEY=PREVIOUS), old).get("/inventory"), 401, "not-signed-in")

    def test_the_next_key_may_be_made_known_first(self) -> None:
        ahead = self.token_of(SECRET_KEY=PREVIOUS)
        behind = self.start(SECRET_KEY=UNKNOWN, SECRET_KEY_PREVIOUS=PREVIOUS)
        self.assertStatus(Caller(behind, ahead).get("/inventory"), 200)

    def test_the_name_of_a_key_does_not_tell_it(self) -> None:
        self.assertRegex(key_id(UNKNOWN), "^[0-9a-f]{8}$")
        self.assertNotIn(key_id(UNKNOWN), UNKNOWN)
        self.assertNotEqual(key_id(UNKNOWN), key_id(PREVIOUS))
