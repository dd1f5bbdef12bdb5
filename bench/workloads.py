"""The measured requests, the same for every application except for the URL of the last page of a list."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice

from bench.data import PASSWORD, Shop
from bench.servers import Server

PER_PAGE = 20
# Requests made for one round; a client that gets further begins again.
MANY = 2000
READERS = ("ours", "ours3", "limit", "limit3", "classic", "fastapi", "fastapi-sql", "parent")
WRITERS = ("ours", "ours3", "limit", "classic", "fastapi", "fastapi-sql", "parent")


@dataclass(frozen=True)
class Request:
    """What a client sends, beside its token."""

    method: str
    path: str
    body: str | None = None

    def headers(self, token: str) -> dict[str, str]:
        """The headers that go with it."""
        described = {} if self.body is None else {"Content-Type": "application/json"}
        return {"Authorization": f"Bearer {token}", **described}

    def message(self, token: str) -> str:
        """The whole HTTP message."""
        length = {} if self.body is None else {"Content-Length": str(len(self.body))}
        headers = {"Host": "127.0.0.1", **self.headers(token), **length}
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"{self.method} {self.path} HTTP/1.1\r\n{head}\r\n{self.body or ''}"


class Asker:
    """Makes requests over a shop for one app. What writes touch is split between the apps, so none meets another's."""

    def __init__(self, shop: Shop, server: Server, apps: Sequence[str]) -> None:
        self.shop, self.server = shop, server
        mine = apps.index(server.app.name)
        self.lines = shop.lines_being_worked_on()[mine :: len(apps)]
        self.customers = range(1 + mine, shop.customers + 1, len(apps))
        self.rounds = count(1)
        self._last_page: str | None = None

    def one_ticket(self) -> Iterator[Request]:
        for number in count():
            yield Request("GET", f"/service-tickets/{1 + number * 7919 % self.shop.tickets}")

    def page(self) -> Iterator[Request]:
        while True:
            yield Request("GET", f"/service-tickets?per_page={PER_PAGE}")

    def mechanics(self) -> Iterator[Request]:
        while True:
            yield Request("GET", "/mechanics")

    def customers_last(self) -> Iterator[Request]:
        self._last_page = self._last_page or LAST_PAGE[self.server.app.name](self)
        while True:
            yield Request("GET", self._last_page)

    def create(self) -> Iterator[Request]:
        odometer = 200_000 + next(self.rounds)
        while True:
            for customer_id in self.customers:
                fields = {"customer_id": customer_id, "vehicle_id": customer_id, "odometer": odometer}
                yield Request("POST", "/service-tickets", json.dumps({**fields, "description": "Annual service"}))
            odometer += 1

    def add_part(self) -> Iterator[Request]:
        while True:
            quantity = 5 + next(self.rounds) % 40
            for ticket_id, part_id in self.lines:
                body = json.dumps({"quantity": quantity})
                yield Request("PUT", f"/service-tickets/{ticket_id}/add-part/{part_id}", body)

    def login(self) -> Iterator[Request]:
        while True:
            for customer_id in self.customers:
                body = {"email": f"customer.{customer_id}@example.com", "password": PASSWORD}
                yield Request("POST", "/customers/login", json.dumps(body))

    def walk_customers(self) -> str:
        """Ours: from link to link to the end, or by number where there are no cursors."""
        token = self.shop.token()
        path = f"/customers?limit={PER_PAGE}"
        response, _ = self.server.ask("GET", path, headers={"Authorization": f"Bearer {token}"})
        if response.status != 200:
            return self.numbered_page()
        while following := next_page(response.headers.get("Link", "")):
            path = following
            response, _ = self.server.ask("GET", path, headers={"Authorization": f"Bearer {token}"})
        return path

    def numbered_page(self) -> str:
        """By page and size."""
        return f"/customers?page={self.shop.customers // PER_PAGE}&per_page={PER_PAGE}"

    def page_after_id(self) -> str:
        """By the last id before it."""
        return f"/customers?after={self.shop.customers - PER_PAGE}&limit={PER_PAGE}"

    def skipped_page(self) -> str:
        """By how many rows to skip."""
        return f"/customers?offset={self.shop.customers - PER_PAGE}&limit={PER_PAGE}"


LAST_PAGE: dict[str, Callable[[Asker], str]] = {
    "ours": Asker.walk_customers,
    "ours3": Asker.walk_customers,
    "parent": Asker.walk_customers,
    "limit": Asker.page_after_id,
    "limit3": Asker.page_after_id,
    "fastapi-sql": Asker.page_after_id,
    "classic": Asker.numbered_page,
    "fastapi": Asker.skipped_page,
}


def next_page(link: str) -> str | None:
    """The address of the next page in a `Link` header."""
    found = re.search('<([^>]*)>; rel="next"', link)
    return found and found[1]


@dataclass(frozen=True)
class Workload:
    """A request that is measured, of which apps, and how many SQL statements this project may take for it.

    `base` is the app that is 1 in the picture. `connections` are those of the client: on a busy machine this project
    refuses the fourth sign-in at once.
    """

    name: str
    title: str
    requests: Callable[[Asker], Iterator[Request]]
    apps: tuple[str, ...]
    statements: int
    writes: bool = False
    base: str = "limit"
    connections: int = 4

    @property
    def changes(self) -> bool:
        """Whether the shop is another one afterwards; to sign in is a matter of each app's own."""
        return self.writes and self.name != "login"

    def messages(self, asker: Asker) -> list[str]:
        """What the client sends in one round."""
        token = asker.shop.token()
        return [request.message(token) for request in islice(self.requests(asker), MANY)]


# The numbers are the statements that this project may send, `BEGIN`, `COMMIT` and what looks up the session apart: they
# are changed here, and nowhere else.
WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload("one-ticket", "one ticket", Asker.one_ticket, READERS, 1),
        Workload("page", "page of 20 tickets", Asker.page, READERS, 1),
        Workload(
            "mechanics",
            "list of mechanics (cached)",
            Asker.mechanics,
            ("ours", "bare", "classic", "fastapi", "parent"),
            0,
            base="bare",
        ),
        Workload(
            "customers-last",
            "last page of customers",
            Asker.customers_last,
            ("ours", "limit", "classic", "fastapi", "fastapi-sql", "parent"),
            1,
        ),
        Workload("create", "create a ticket", Asker.create, WRITERS, 12, writes=True),
        Workload("add-part", "add-part", Asker.add_part, WRITERS, 14, writes=True),
        Workload(
            "login",
            "login",
            Asker.login,
            ("ours", "limit", "classic", "fastapi", "parent"),
            6,
            writes=True,
            connections=2,
        ),
    )
}
