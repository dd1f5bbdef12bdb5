"""The document that clients are built from: what it promised it keeps, and it is committed as it is."""

import copy
import json
import unittest
from collections.abc import Callable
from functools import cache
from typing import Any

from tests.programs.compatibility import COMMITTED, breaks, current, text_of

Document = dict[str, Any]
TICKET = "/service-tickets/{ticket_id}"


@cache
def committed() -> Document:
    document: Document = json.loads(COMMITTED.read_text())
    return document


class Committed(unittest.TestCase):
    """docs/openapi.json"""

    def test_no_client_breaks(self) -> None:
        self.assertEqual(list(breaks(committed(), current())), [])

    def test_it_is_the_document_of_today(self) -> None:
        self.assertTrue(COMMITTED.read_text() == text_of(current()), "make openapi writes it anew")


class Breaks(unittest.TestCase):
    """`breaks` sees what a client would notice, and nothing else"""

    def after(self, change: Callable[[Document], object]) -> list[str]:
        changed = copy.deepcopy(committed())
        change(changed)
        return list(breaks(committed(), changed))

    def test_what_clients_notice(self) -> None:
        changes: tuple[tuple[str, Callable[[Document], object]], ...] = (
            ("is gone", lambda d: d["paths"].pop(TICKET)),
            ("operationId", lambda d: d["paths"][TICKET]["get"].update(operationId="read_ticket")),
            ("needs a token", lambda d: d["paths"]["/health"]["get"].update(security=[{"bearer": []}])),
            ("parameter q is gone", lambda d: self.drop(d["paths"]["/customers"]["get"]["parameters"], "q")),
            ("page is required", lambda d: self.require(d["paths"]["/customers"]["get"]["parameters"], "page")),
            ("total is gone", lambda d: d["components"]["schemas"]["Totals"]["properties"].pop("total")),
            ("may be missing", lambda d: d["components"]["schemas"]["Totals"]["required"].remove("total")),
            ("email is gone", lambda d: d["components"]["schemas"]["NewCustomer"]["properties"].pop("email")),
            ("phone is required", lambda d: d["components"]["schemas"]["NewCustomer"]["required"].append("phone")),
            ("values changed", lambda d: d["components"]["schemas"]["Role"]["enum"].append("owner")),
            ("values changed", lambda d: d["components"]["schemas"]["Role"]["enum"].remove("admin")),
            ("type was", lambda d: d["components"]["schemas"]["Part"]["properties"]["price"].update(type="number")),
            ("type was", lambda d: d["components"]["schemas"]["Part"]["properties"]["id"].update(type="number")),
            ("201", lambda d: d["paths"]["/customers"]["post"]["responses"].pop("201")),
            ("Link is gone", lambda d: d["paths"]["/customers"]["get"]["responses"]["200"]["headers"].pop("Link")),
        )
        for told, change in changes:
            with self.subTest(told):
                self.assertIn(told, "\n".join(self.after(change)))

    def test_what_they_do_not(self) -> None:
        schema = {"type": "string"}
        changes: tuple[Callable[[Document], object], ...] = (
            lambda d: None,
            lambda d: d["paths"].update({"/new": {"get": {"operationId": "get_new", "responses": {}}}}),
            lambda d: d["paths"]["/customers"]["get"]["parameters"].append(
                {"in": "query", "name": "new", "schema": schema}
            ),
            lambda d: d["components"]["schemas"]["Totals"]["properties"].update(new=schema),
            lambda d: d["components"]["schemas"]["NewCustomer"]["properties"].update(new=schema),
            lambda d: d["paths"]["/customers"]["get"].update(summary="List the customers"),
            lambda d: d["components"]["schemas"]["NewVehicle"]["properties"]["odometer"].update(type="number"),
        )
        for change in changes:
            self.assertEqual(self.after(change), [])

    def test_an_answer_may_become_one_of_several_and_a_text_a_list_with_commas(self) -> None:
        document: Document = {
            "paths": {"/a": {"get": {"operationId": "get_a", "responses": {"409": {"content": {"x": {}}}}}}},
            "components": {"schemas": {name: {"properties": {}} for name in ("Old", "New")}},
        }
        old, new = copy.deepcopy(document), copy.deepcopy(document)
        first, second = ({"$ref": f"#/components/schemas/{name}"} for name in ("Old", "New"))
        for changed, schema, kind in (
            (old, first, {"schema": {"type": "string"}}),
            (new, {"oneOf": [second, first]}, {"schema": {"type": "array"}, "explode": False}),
        ):
            changed["components"]["schemas"]["Old"] = {"required": ["id"], "properties": {"id": {"type": "integer"}}}
            get = changed["paths"]["/a"]["get"]
            get["responses"]["409"]["content"]["x"]["schema"] = schema
            get["parameters"] = [{"in": "query", "name": "status", **kind}]
        self.assertEqual(list(breaks(old, new)), [])
        del new["paths"]["/a"]["get"]["parameters"][0]["explode"]
        new["paths"]["/a"]["get"]["responses"]["409"]["content"]["x"]["schema"] = {"oneOf": [second]}
        self.assertEqual(len(list(breaks(old, new))), 3)  # another text; the member may be missing, and is gone

    def drop(self, parameters: list[Document], name: str) -> None:
        parameters[:] = [one for one in parameters if one.get("name") != name]

    def require(self, parameters: list[Document], name: str) -> None:
        next(one for one in parameters if one.get("name") == name)["required"] = True
