"""The OpenAPI document as Swagger UI and client generators take it: what is sent as it is offered, and which types."""

import re
from collections.abc import Iterator
from typing import Any

from flask import Flask

from app import create_app
from app.commands import demo
from tests.contracts.test_openapi import BEARER, FILE, DocumentTest
from tests.support import Caller, settings
from tests.support.catalogue import Operation

# The addresses of the brief have no date, and other names for the same are what is to be used no more.
SECOND_ADDRESSES = {"GET /customers/my-tickets"}
DEMO = {"mechanics": demo.STAFF[0].email, "customers": demo.CUSTOMERS[0].email}


class Parameters(DocumentTest):
    """What is sent beside a body."""

    def parameters(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for operation in self.operations():
            shared = self.document["paths"][operation.path].get("parameters", [])
            for parameter in map(self.resolved, [*shared, *operation.doc.get("parameters", [])]):
                yield f"{operation} {parameter['name']}", parameter

    def test_no_header_has_an_example_which_swagger_ui_would_send(self) -> None:
        for name, parameter in self.parameters():
            if parameter["in"] == "header":
                with self.subTest(name):
                    given = {*parameter, *parameter["schema"]} & {"example", "examples", "default"}
                    self.assertEqual(given, set())

    def test_every_parameter_of_a_path_has_an_example(self) -> None:
        for name, parameter in self.parameters():
            if parameter["in"] == "path":
                with self.subTest(name):
                    self.assertIn("example", parameter, "IDS in app/commands/demo.py has none")
                    self.assertMatches(parameter["schema"], parameter["example"])

    def test_those_of_lists_stand_where_they_are_used(self) -> None:
        for operation in self.operations():
            for parameter in operation.doc.get("parameters", []):
                if "$ref" in parameter:
                    with self.subTest(f"{operation} {parameter}"):
                        self.assertEqual(self.resolved(parameter)["in"], "header")

    def test_sort_has_a_pattern_that_names_its_keys(self) -> None:
        for name, parameter in self.parameters():
            if parameter["name"] == "sort":
                with self.subTest(name):
                    keys = re.match(r"\^-\?\(([a-z_|]+)\)", parameter["schema"]["pattern"])
                    assert keys is not None
                    self.assertIn("id", keys[1].split("|"))

    def test_what_takes_several_values_is_an_array_with_commas(self) -> None:
        arrays = [(name, each) for name, each in self.parameters() if each["schema"].get("type") == "array"]
        self.assertLessEqual({"status", "hold"}, {each["name"] for _, each in arrays})
        for name, parameter in arrays:
            with self.subTest(name):
                self.assertEqual((parameter["style"], parameter["explode"]), ("form", False))
                values = self.resolved(parameter["schema"]["items"])["enum"]
                self.assertEqual(parameter["schema"]["maxItems"], len(values))
                method, path, _ = name.split()
                if "{" not in path and method == "GET":
                    query = {parameter["name"]: ",".join(values)}
                    answers = [caller.get(path, query_string=query) for caller in (self.admin, self.customer)]
                    self.assertIn(200, [answer.status_code for answer in answers])

    def test_moments_are_dates_or_times(self) -> None:
        moments = {
            name for name, each in self.parameters() if re.search("_(from|before)$|^(since|until)$", each["name"])
        }
        formats = {
            name
            for name, each in self.parameters()
            if [one.get("format") for one in each["schema"].get("anyOf", [])] == ["date", "date-time"]
        }
        self.assertTrue(moments)
        self.assertEqual(formats, moments)


class Deprecated(DocumentTest):
    """What clients are told to use no more: the PATCH that is the same as a PUT, and second addresses."""

    def test_it_is_exactly_that(self) -> None:
        patches = {
            str(each)
            for each in self.operations()
            if each.method == "PATCH" and "put" in self.document["paths"][each.path]
        }
        deprecated = {str(each) for each in self.operations() if each.doc.get("deprecated")}
        self.assertEqual(deprecated, patches | SECOND_ADDRESSES)

    def test_each_says_what_to_use_instead(self) -> None:
        for operation in self.operations():
            if operation.doc.get("deprecated"):
                with self.subTest(str(operation)):
                    self.assertRegex(operation.doc["description"], r"^Deprecated: use (PUT|/\S+), which is the same\. ")


class OnTheDemoShop(DocumentTest):
    """Each example, sent alone and as it is to a new demo shop, by a demo account that may."""

    @classmethod
    def make_app(cls) -> Flask:
        return create_app(settings(RATELIMIT_ENABLED="false"))

    def _hire_and_sign_up(self) -> None:
        demo.fill(self.app.config["SHOP_RATES"])

    def setUp(self) -> None:
        super().setUp()
        self.callers = {kind: Caller(self.app, self.sign_in(kind[:-1], 1)) for kind in DEMO}

    def test_every_example_succeeds_or_says_what_to_do_first(self) -> None:
        for operation in sorted(self.operations(), key=lambda each: each.method != "GET"):
            for number, (summary, options) in enumerate(self.requests(operation)):
                with self.subTest(str(operation), number=number):
                    if operation.method != "GET":
                        self.doCleanups()
                        self.setUp()
                    response = self.sender(operation).request(operation.method, self.path(operation), **options)
                    if summary.startswith("First"):
                        self.assertIn(str(response.status_code), operation.doc["responses"])
                    else:
                        self.assertLess(response.status_code, 300, response.data)

    def requests(self, operation: Operation) -> Iterator[tuple[str, dict[str, Any]]]:
        """What is offered to be sent, each with its summary."""
        content = operation.doc.get("requestBody", {}).get("content", {})
        if FILE in content:
            yield "", {"data": content[FILE]["example"], "content_type": FILE}
        elif not content:
            yield "", {}
        for example in content.get("application/json", {}).get("examples", {}).values():
            yield example["summary"], {"json": example["value"]}

    def path(self, operation: Operation) -> str:
        parameters = [*self.document["paths"][operation.path].get("parameters", [])]
        parameters += map(self.resolved, operation.doc.get("parameters", []))
        return operation.path.format(**{each["name"]: each["example"] for each in parameters if each["in"] == "path"})

    def sender(self, operation: Operation) -> Caller:
        if operation.doc["security"] != [BEARER]:
            return self.anyone
        return self.callers["mechanics" if self.catalogue.view(operation).policy.roles else "customers"]
