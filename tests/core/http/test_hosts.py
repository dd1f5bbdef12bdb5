"""Which hosts are served: those that are named, a problem document for all others, and the probes always."""

from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from app import create_app
from tests.support import ShopTest, settings

STRANGE = (
    "evil.example.com",
    "shop.example.com.evil.example.com",
    "evilshop.example.com",
    "shop.example.com@evil.example.com",
    "127.0.0.1",
    "[::1]",
    "",
    " ",
    "shop.example.com evil",
    "shop.example.com:0",
    "shop.example.com:99999999",
    "shop.example.com/evil",
    "\xff.example.com",
    "x" * 5000,
)


class HostTest(ShopTest):
    """Requests for hosts."""

    CHANGES: dict[str, str] = {}

    @classmethod
    def make_app(cls) -> Flask:
        return create_app(settings(**cls.CHANGES))

    def ask(self, host: str, path: str = "/inventory", **headers: str) -> TestResponse:
        return self.admin.get(path, environ_overrides={"HTTP_HOST": host}, headers=headers)

    def assertRefused(self, response: TestResponse) -> Any:
        self.assertEqual(response.headers["X-Content-Type-Options"], "nosniff")
        return self.assertProblem(response, 400, "bad-request")


class Named(HostTest):
    """`ALLOWED_HOSTS` is set."""

    CHANGES = {"ALLOWED_HOSTS": "shop.example.com, .shops.example.com"}

    def test_they_are_served_on_any_port_in_any_case(self) -> None:
        for host in ("shop.example.com", "SHOP.Example.com", "shop.example.com:8443", "north.shops.example.com"):
            with self.subTest(host):
                self.assertStatus(self.ask(host), 200)

    def test_no_other_is(self) -> None:
        for host in STRANGE:
            with self.subTest(host[:50]):
                self.assertRefused(self.ask(host))

    def test_whatever_is_asked_for(self) -> None:
        for path in ("/", "/nothing", "/docs/", "/openapi.json", "/problems", "/healthy", "/health/x"):
            with self.subTest(path):
                self.assertRefused(self.ask("evil.example.com", path))
        self.assertRefused(self.admin.post("/inventory", {}, environ_overrides={"HTTP_HOST": "evil.example.com"}))

    def test_balancers_ask_at_any_address(self) -> None:
        for path in ("/health", "/health/", "/ready"):
            for host in ("10.0.0.7:10000", "", "evil.example.com"):
                with self.subTest(f"{path} at {host}"):
                    self.assertStatus(self.ask(host, path), 200)

    def test_a_forwarded_host_is_not_believed(self) -> None:
        self.assertStatus(self.ask("shop.example.com", **{"X-Forwarded-Host": "evil.example.com"}), 200)
        self.assertRefused(self.ask("evil.example.com", **{"X-Forwarded-Host": "shop.example.com"}))


class BehindAProxy(HostTest):
    """`TRUSTED_PROXIES` is set: the host is still that of the Host header, which the proxy passes on."""

    CHANGES = {"ALLOWED_HOSTS": "shop.example.com", "TRUSTED_PROXIES": "1"}

    def test_a_header_that_the_proxy_does_not_set_is_not_believed(self) -> None:
        self.assertStatus(self.ask("shop.example.com", **{"X-Forwarded-Host": "evil.example.com"}), 200)
        self.assertRefused(self.ask("evil.example.com", **{"X-Forwarded-Host": "shop.example.com"}))


class BehindAProxyThatSetsTheHost(HostTest):
    """The host is the one that the proxy was asked for."""

    CHANGES = {**BehindAProxy.CHANGES, "TRUSTED_PROXIES_SET_HOST": "true"}

    def test_the_forwarded_host_counts(self) -> None:
        self.assertStatus(self.ask("10.0.0.7", **{"X-Forwarded-Host": "shop.example.com"}), 200)
        self.assertRefused(self.ask("shop.example.com", **{"X-Forwarded-Host": "evil.example.com"}))


class Unnamed(HostTest):
    """`ALLOWED_HOSTS` is not set, in development."""

    def test_any_host_is_served(self) -> None:
        for host in ("localhost:5000", "127.0.0.1", "[::1]:5000", "bay-3.local", ""):
            with self.subTest(host):
                self.assertStatus(self.ask(host), 200)
