"""The requests of `tests.programs.transcript` that README's tour does not have."""

import re
from collections.abc import Iterator
from typing import Any

DEMO = "wrench-and-socket"
PASSWORD = "a box of washers"
CSV = {"Content_Type": "text/csv"}
ROLES = ("", "customer", "mechanic", "advisor", "admin")


def tell(shop: Any) -> None:
    """A story in which everything is done that can be done, and some of it refused; `shop` is a `Client`."""
    ask = shop.ask
    for role in ROLES[1:]:
        shop.sign_in(role, "customers" if role == "customer" else "mechanics", f"{role}@example.com", DEMO)
    for kind in ("mechanics", "customers"):
        _accounts(shop, kind)
    _vehicles(ask)
    _parts(ask)
    _tickets(ask)
    _manners(shop)


def _accounts(shop: Any, kind: str) -> None:
    """Somebody is entered, changed, invited, signed in and out in every way, and leaves."""
    ask = shop.ask
    person = {"name": "Ida Voss", "email": f"ida.{kind}@example.com"}
    path = f"/{kind}/{ask('admin', 'POST', f'/{kind}', person, Idempotency_Key=kind).get('id')}"
    for again in (person, {**person, "name": "Ada"}):
        ask("admin", "POST", f"/{kind}", again, Idempotency_Key=kind)
    ask("admin", "POST", f"/{kind}", {**person, "email": "no address", "phone": "1"})
    invite = {"token": ask("admin", "POST", f"{path}/invite").get("token"), "password": PASSWORD}
    for _ in range(2):
        ask("", "POST", "/invites/accept", invite)
    ask("", "POST", f"/{kind}/forgot-password", {"email": person["email"]})
    shop.sign_in("ida", kind, person["email"], "a wrong password")
    shop.sign_in("ida", kind, person["email"], PASSWORD)
    ask("ida", "PUT", path, {"password": "another box of nuts"})
    ask("ida", "PUT", path, {"phone": "(212) 555-0111"}, If_Match='"99-0"')
    ask("ida", "PUT", path, {"phone": "(212) 555-0111"})
    ask("ida", "PATCH", path, {"name": "Ida Voss-Lind"})
    for way in ("logout", "logout-everywhere"):
        shop.sign_in("ida", kind, person["email"], PASSWORD)
        for _ in range(2):
            ask("ida", "POST", f"/{kind}/{way}")
    ask("admin", "DELETE", f"{path}/sessions")
    if kind == "mechanics":
        ask("admin", "DELETE", f"/mechanics/admin/delete{path.removeprefix('/mechanics')}")
        ask("admin", "DELETE", "/mechanics/admin/delete/1")
        ask("admin", "GET", "/mechanics?active=false")
    else:
        ask("admin", "DELETE", path)
        ask("admin", "DELETE", "/customers/1")
        for trial in ("?dry_run=true", ""):
            ask("admin", "POST", f"/customers/import{trial}", b"name,email\nMo Ray,mo@example.com\n", **CSV)
        ask("admin", "POST", "/customers/import", b"name,email\nMo Ray,mo\n,x@example.com\n", **CSV)


def _vehicles(ask: Any) -> None:
    cars = "/customers/1/vehicles"
    car = f"{cars}/{ask('customer', 'POST', cars, {'vin': '1M8GDM9AXKP042788', 'odometer': 100}).get('id')}"
    ask("customer", "POST", cars, {"vin": "1M8GDM9AXKP04278O"})
    ask("customer", "PUT", car, {"odometer": 90})
    ask("advisor", "PUT", car, {"odometer": 90, "override": True})
    ask("customer", "PATCH", car, {"vin": "1M8GDM9A1KP042788", "plate": "1 abc-23"})
    ask("customer", "DELETE", car)
    ask("advisor", "PUT", f"{cars}/1", {"customer_id": 2})
    ask("advisor", "PUT", "/customers/2/vehicles/1", {"customer_id": 1})


def _parts(ask: Any) -> None:
    bulb = {"name": "Bulb H7", "price": "7.90", "sku": "BLB-H7", "quantity_on_hand": 3, "cost": "2.10"}
    part = f"/inventory/{ask('advisor', 'POST', '/inventory', bulb).get('id')}"
    ask("advisor", "POST", "/inventory", bulb)
    ask("advisor", "POST", "/inventory", {**bulb, "price": 7.905, "quantity_on_hand": -1})
    ask("advisor", "PUT", part, {"price": "8.20"})
    ask("advisor", "PATCH", part, {"reorder_point": 5, "location": "E2"})
    for change in ({"kind": "receive", "quantity": 4}, {"kind": "adjust", "quantity": -2, "reason": "Broken"}):
        ask("advisor", "POST", f"{part}/movements", change)
    ask("advisor", "POST", f"{part}/movements", {"kind": "adjust", "quantity": -20, "reason": "Lost"})
    ask("advisor", "GET", f"{part}/movements")
    ask("advisor", "DELETE", part)
    ask("advisor", "DELETE", "/inventory/2")
    for trial in ("?dry_run=true", ""):
        ask("advisor", "POST", f"/inventory/import{trial}", b"name;price;sku\nFuse;0,40;FUS-10\n", **CSV)
    ask("advisor", "POST", "/inventory/import", b"name,price\nFuse,cheap\n", **CSV)


def _tickets(ask: Any) -> None:
    work = {"customer_id": 1, "vehicle_id": 1, "description": "Rattles", "odometer": 190000}
    quote = f"/service-tickets/{ask('mechanic', 'POST', '/service-tickets/mechanic/create', work).get('id')}"
    ask("advisor", "PUT", f"{quote}/status", {"status": "void"})
    ask("mechanic", "POST", "/service-tickets", {**work, "vehicle_id": 2})
    ask("mechanic", "POST", "/service-tickets", {**work, "odometer": 5})
    ticket = f"/service_tickets/{ask('mechanic', 'POST', '/service-tickets', {**work, 'status': 'estimate'}).get('id')}"
    ticket = ticket.replace("_", "-")
    labor = (
        f"{ticket}/labor/{ask('mechanic', 'POST', f'{ticket}/labor', {'description': 'Look', 'hours': 1}).get('id')}"
    )
    ask("mechanic", "PUT", labor, {"hours": "2.5"})
    ask("mechanic", "PUT", labor, {"rate": "1.00"})
    ask("mechanic", "GET", labor)
    ask("mechanic", "DELETE", labor)
    ask("mechanic", "POST", f"{ticket}/labor", {"description": "Tighten", "hours": "0.5", "mechanic_id": 3})
    ask("advisor", "PUT", f"{ticket}/add-part/9", {"quantity": 1})
    ask("advisor", "PUT", f"{ticket}/edit", {"discount_amount": "5.00", "add_mechanic_ids": [4], "description": "Hums"})
    ask("advisor", "POST", f"{ticket}/authorizations", {"decision": "declined", "method": "phone", "said_by": "Dana"})
    ask("advisor", "PUT", f"{ticket}/status", {"status": "estimate"})
    ask("customer", "POST", f"{ticket}/authorizations", {"decision": "approved", "method": "online", "amount": "1.00"})
    ask("advisor", "POST", f"{ticket}/authorizations", {"decision": "approved", "method": "phone", "said_by": "Dana"})
    ask("mechanic", "PUT", f"{ticket}/add-part/9", {"quantity": 2})
    for sent in ({"quantity": 999}, {"quantity": 999, "backorder": True}):
        ask(
            "advisor",
            "POST",
            f"{ticket}/authorizations",
            {"decision": "approved", "method": "phone", "amount": "99999.00", "said_by": "Dana"},
        )
        ask("mechanic", "PUT", f"{ticket}/add-part/3", sent)
    ask("mechanic", "PUT", f"{ticket}/status", {"hold": "parts"})
    ask("advisor", "PUT", f"{ticket}/remove-part/3")
    for way in ("assign", "remove"):
        ask("advisor", "PUT", f"{ticket}/{way}-mechanic/5")
    for status in ("completed", "in_progress", "completed", "in_progress", "completed"):
        ask("mechanic", "PUT", f"{ticket}/status", {"status": status})
    for _ in range(2):
        ask("advisor", "POST", f"{ticket}/invoice", Idempotency_Key="invoice")
    ask("advisor", "POST", f"{ticket}/invoice")
    for kind, amount in (("payment", "9999.00"), ("payment", "20.00"), ("refund", "5.00"), ("refund", "50.00")):
        ask("advisor", "POST", f"{ticket}/payments", {"kind": kind, "amount": amount, "method": "cash"})
    ask("advisor", "PUT", f"{ticket}/edit", {"description": "Hums no more"})
    for sent in ({"status": "completed"}, {"status": "completed", "reason": "Forgot a line"}):
        ask("admin", "PUT", f"{ticket}/status", sent)
    ask("advisor", "POST", f"{ticket}/invoice")
    for part in ("", "/authorizations", "/history", "/invoice", "/invoice.pdf", "/estimate.pdf", "/payments"):
        ask("customer", "GET", ticket + part)
        ask("advisor", "GET", ticket + part)
        ask("advisor", "GET", (ticket + part).replace("-", "_"))


def _manners(shop: Any) -> None:
    """What HTTP has, whatever the resource."""
    ask = shop.ask
    ask("", "GET", "/nowhere")
    ask("", "GET", "/docs")
    ask("", "GET", "/docs/")
    ask("", "DELETE", "/health")
    ask("", "GET", "/health", X_Request_ID="from-a-proxy", Origin="https://desk.example.com")
    ask("", "OPTIONS", "/customers", Origin="https://desk.example.com", Access_Control_Request_Method="POST")
    for body, kind in ((b"{", "application/json"), (b"a=1", "text/plain"), (b"[]", "application/json")):
        ask("admin", "POST", "/inventory", body, Content_Type=kind)
    ask("admin", "POST", "/inventory", b" " * 1_100_000)
    ask("", "GET", "/customers/1", Authorization="Bearer nothing")
    for _ in range(11):
        shop.sign_in("nobody", "customers", "hannah.weiss@example.com", "a wrong password")


def read_and_refuse(shop: Any, document: dict[str, Any]) -> None:
    """Read everything as everybody, lists in every order and by every filter; have every operation refused."""
    for path, methods in document["paths"].items():
        here = re.sub(r"{\w+}", "1", path.replace("{slug}", "not-found"))
        nowhere = re.sub(r"{\w+}", "2147483647", path)
        for method, operation in methods.items():
            if method == "get":
                _read(shop, here, [_resolve(document, one) for one in operation["parameters"]], document)
            if method != "parameters":
                sent = {} if "requestBody" in operation else None
                for who in ROLES:
                    shop.ask(who, method.upper(), f"{here}?unknown=1", sent)
                if nowhere != path:
                    shop.ask("admin", method.upper(), nowhere, sent)


def _read(shop: Any, path: str, parameters: list[dict[str, Any]], document: dict[str, Any]) -> None:
    for who in ROLES:
        shop.ask(who, "GET", path)
        shop.ask(who, "HEAD", path, If_None_Match=shop.last.header("ETag"))
        shop.ask(who, "GET", path, If_None_Match=shop.last.header("ETag"))
    for parameter in parameters:
        for value in _values(document, _resolve(document, parameter["schema"])) if parameter["in"] == "query" else ():
            shop.ask("admin", "GET", f"{path}?{parameter['name']}={value}")
            while cursor := re.search(r'<([^>]+cursor=[^>]+)>; rel="next"', shop.last.header("Link")):
                shop.ask("admin", "GET", cursor[1])


def _resolve(document: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in node:
        return node
    found = document
    for key in node["$ref"].split("/")[1:]:
        found = found[key]
    return found


def _values(document: dict[str, Any], schema: dict[str, Any]) -> Iterator[str]:
    """What to send for a parameter: each word that it takes, or one example of its type."""
    words = re.match(r"\^(-\?)?\(([a-z_|]+)\)", schema.get("pattern", ""))
    if "enum" in schema:
        yield from schema["enum"]
    elif schema.get("type") == "array":
        yield from _values(document, _resolve(document, schema["items"]))
    elif words:
        yield from words[2].split("|")
        yield from (f"-{word}" for word in words[2].split("|") if words[1])
    elif "anyOf" in schema:
        yield "2020-01-01"
    else:
        yield from {"boolean": ("true", "false"), "integer": ("4",)}.get(schema["type"], ("brake", "555"))
