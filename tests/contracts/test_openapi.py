"""The OpenAPI document and the page that shows it: valid, complete, and true."""

import hashlib
import re
import unittest
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any, ClassVar

from flask import Flask
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from werkzeug.test import TestResponse

from app import create_app
from app.accounts.passwords import hash_password
from app.core.database.types import now
from app.core.openapi.parser import MAX_MARKS, MAX_MEMBERS
from app.core.openapi.refusals import schema_name
from app.core.problems import Problem
from app.extensions import db
from app.models import Customer, Invite, Mechanic, ServiceTicket, Vehicle
from app.rules.job_life import JobStatus
from tests import support
from tests.support import Caller, ShopTest
from tests.support.catalogue import Catalogue, Operation

BEARER = {"bearer": []}
FILE = "text/csv"
PROBLEM_JSON = "application/problem+json"
# Served and not documented: the alias of /service-tickets, and pages for people.
UNDOCUMENTED = ("/service_tickets", "/docs", "/favicon.ico", "/desk", "/approve/")


class DocumentTest(ShopTest):
    """The document as it is served."""

    catalogue: ClassVar[Catalogue]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.catalogue = Catalogue(cls.app)

    def setUp(self) -> None:
        super().setUp()
        self.document, self.resolved = self.catalogue.document, self.catalogue.resolved

    def operations(self) -> list[Operation]:
        return self.catalogue.operations

    def assertMatches(self, schema: dict[str, Any], value: Any) -> None:
        """The value is valid under a schema of the document."""
        whole = {**schema, "components": self.document["components"]}
        faults = [f"{error.json_path}: {error.message}" for error in OAS31Validator(whole).iter_errors(value)]
        self.assertEqual(faults, [])

    def bodies(self) -> Iterator[tuple[Operation, dict[str, Any]]]:
        """Every operation with a body in JSON, and the body's schema."""
        for operation in self.operations():
            if schema := self.catalogue.body(operation):
                yield operation, schema


class Document(DocumentTest):
    """What the document says, and that it says it of everything."""

    def test_it_is_valid_openapi_31(self) -> None:
        self.assertRegex(self.document["openapi"], r"^3\.1\.")
        self.assertEqual([error.message for error in OpenAPIV31SpecValidator(self.document).iter_errors()], [])

    def test_every_served_route_and_no_other_is_in_it(self) -> None:
        served = {
            (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
            for rule in self.app.url_map.iter_rules()
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
            if rule.rule != "/" and not rule.rule.startswith(UNDOCUMENTED)
        }
        self.assertEqual({(operation.method, operation.path) for operation in self.operations()}, served)

    def test_no_good_body_is_refused_for_its_size(self) -> None:
        """One list of a body may be full, the longest, and every text that stands in none made of commas."""
        for operation, schema in self.bodies():
            with self.subTest(str(operation)):
                texts = sum(field.get("maxLength", 0) for field in schema.get("properties", {}).values())
                members = self.most_members(schema)
                self.assertLess(texts + 2 * members, MAX_MARKS)
                self.assertLess(members, MAX_MEMBERS)

    def most_members(self, schema: dict[str, Any]) -> int:
        """How many members and items a value has at most, with those of its own, where one list of it is full."""
        schema = self.resolved(schema)
        kinds = [*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())]
        own = max(map(self.most_members, kinds), default=0)
        if "items" in schema:
            return own + int(schema["maxItems"]) * (1 + self.most_members(schema["items"]))
        fields = schema.get("properties", {}).values()
        return own + len(fields) + max(map(self.most_members, fields), default=0)

    def test_security_is_the_policy_of_the_view(self) -> None:
        for operation in self.operations():
            with self.subTest(str(operation)):
                policy = self.catalogue.view(operation).policy
                expected = [BEARER] if policy.token else [{}, BEARER] if policy.optional else []
                self.assertEqual(operation.doc["security"], expected)
        self.assertEqual(self.document["components"]["securitySchemes"]["bearer"]["scheme"], "bearer")

    def test_operation_ids_are_unique_and_in_snake_case(self) -> None:
        ids = [operation.doc["operationId"] for operation in self.operations()]
        self.assertEqual(sorted(set(ids)), sorted(ids))
        self.assertEqual([name for name in ids if not re.fullmatch("[a-z]+(_[a-z]+)*", name)], [])

    def test_every_operation_is_described(self) -> None:
        tags = {tag["name"]: tag.get("description") for tag in self.document["tags"]}
        self.assertTrue(all(tags.values()), tags)
        for operation in self.operations():
            with self.subTest(str(operation)):
                self.assertEqual(len(operation.doc["tags"]), 1)
                self.assertIn(operation.doc["tags"][0], tags)
                self.assertTrue(operation.doc["summary"].endswith("."))
                described = operation.doc.get("description", "").strip()
                self.assertRegex(described, r"(?s)^[A-Z`].{8,}\.$", "who may do it, and what it is for?")
                self.assertNotIn(operation.doc["summary"], described)
                for parameter in map(self.resolved, operation.doc.get("parameters", [])):
                    self.assertTrue(parameter.get("description"), parameter["name"])
                for status, answer in operation.doc["responses"].items():
                    self.assertTrue(self.resolved(answer)["description"], status)

    def test_every_reference_resolves_and_nothing_lies_about_unused(self) -> None:
        used = set()
        for reference in references(self.document):
            self.assertTrue(reference.startswith("#/"), reference)
            self.assertTrue(self.resolved({"$ref": reference}), reference)
            used.add(reference)
        kept = {
            f"#/components/{kind}/{name}"
            for kind in ("schemas", "responses", "parameters")
            for name in self.document["components"].get(kind, {})
        }
        self.assertEqual(kept - used, set())

    def test_inputs_refuse_unknown_fields(self) -> None:
        for operation, schema in self.bodies():
            with self.subTest(str(operation)):
                self.assertIs(schema["additionalProperties"], False)

    def test_creating_tells_where_and_lists_tell_how_many(self) -> None:
        for operation in self.operations():
            with self.subTest(str(operation)):
                responses = operation.doc["responses"]
                if "201" in responses:
                    self.assertIn("Location", responses["201"]["headers"])
                shape = responses.get("200", {}).get("content", {}).get("application/json", {}).get("schema", {})
                if shape.get("type") == "array":
                    self.assertEqual(set(responses["200"]["headers"]), {"Link", "X-Total-Count", "ETag"})


class Refusals(DocumentTest):
    """What is refused stands in the document, as problem documents."""

    def test_refusals_are_problem_documents(self) -> None:
        for operation in self.operations():
            for status, response in operation.doc["responses"].items():
                answer = self.resolved(response)
                if status >= "400" and operation.path != "/ready":
                    with self.subTest(f"{operation} {status}"):
                        self.assertEqual(list(answer["content"]), [PROBLEM_JSON])
                        documented = answer["content"][PROBLEM_JSON]
                        schemas = documented["schema"].get("oneOf", [documented["schema"]])
                        problems = [Problem.by_slug[slug] for slug in documented["examples"]]
                        self.assertEqual([each["$ref"] for each in schemas], [reference(each) for each in problems])

    def test_every_operation_tells_what_it_refuses(self) -> None:
        for operation in self.operations():
            with self.subTest(str(operation)):
                expected = {"422", "429", "500", "503"}
                if operation.path in ("/health", "/ready"):
                    expected.remove("429")
                if BEARER in operation.doc["security"] or operation.path.endswith("/login"):
                    expected.add("401")
                if operation.doc["security"] == [BEARER] and not self.for_everyone_signed_in(operation):
                    expected.add("403")
                if "requestBody" in operation.doc:
                    expected |= {"400", "413", "415"}
                if "{" in operation.path:
                    expected.add("404")
                self.assertEqual(expected - operation.doc["responses"].keys(), set())

    def test_examples_of_problems_are_valid(self) -> None:
        for operation in self.operations():
            for status, response in operation.doc["responses"].items():
                documented = self.resolved(response).get("content", {}).get(PROBLEM_JSON, {})
                for slug, example in documented.get("examples", {}).items():
                    with self.subTest(f"{operation} {status} {slug}"):
                        self.assertMatches(documented["schema"], example["value"])
                        self.assertMatches({"$ref": reference(Problem.by_slug[slug])}, example["value"])
                        self.assertEqual(str(example["value"]["status"]), status)

    def test_a_problem_is_told_from_others_by_its_type(self) -> None:
        schemas = self.document["components"]["schemas"]
        for slug, problem in Problem.by_slug.items():
            if (name := reference(problem).rpartition("/")[2]) in schemas:
                with self.subTest(slug):
                    common, own = schemas[name]["allOf"]
                    self.assertEqual(common, {"$ref": "#/components/schemas/Problem"})
                    self.assertEqual(own["properties"]["type"]["enum"], [f"/problems/{slug}"])
                    self.assertEqual(own["properties"].keys(), {"type", *problem.members})
                    self.assertEqual(set(own["required"]), {"type", *problem.example})

    def test_every_problem_has_a_page(self) -> None:
        for address in self.document["components"]["schemas"]["Problem"]["properties"]["type"]["enum"]:
            with self.subTest(address):
                page = self.anyone.get(address)
                self.assertStatus(page, 200)
                self.assertEqual(page.mimetype, "text/html")

    def for_everyone_signed_in(self, operation: Operation) -> bool:
        policy = self.catalogue.view(operation).policy
        return policy.customers and len(policy.roles) == 3


class Examples(DocumentTest):
    """Every example is valid, and can be sent as it is."""

    # The state that a ticket must be in, where it is not just open.
    STATES = {
        "POST /service-tickets/{ticket_id}/invoice": "completed",
        "GET /service-tickets/{ticket_id}/invoice": "invoiced",
        "GET /service-tickets/{ticket_id}/invoice.pdf": "invoiced",
        "POST /service-tickets/{ticket_id}/payments": "invoiced",
    }

    def setUp(self) -> None:
        super().setUp()
        ticket, part = self.make_ticket(), self.make_part()
        self.assertStatus(self.advisor.put(f"/service-tickets/{ticket}/add-part/{part}", {"quantity": 2}), 200)
        work = {"description": "Road test", "hours": "0.3"}
        line = self.assertStatus(self.advisor.post(f"/service-tickets/{ticket}/labor", work), 201)
        ids = {
            "customer_id": self.stranger.id,
            "vehicle_id": self.save(Vehicle(customer_id=self.stranger.id)).id,
            "mechanic_id": self.colleague.id,
            "ticket_id": ticket,
            "line_id": line["id"],
            "job_id": self.make_job(ticket, JobStatus.PROPOSED, id=6),
            "part_id": part,
        }
        self.ids = self.catalogue.fill_in(self.admin, ids)
        link = self.assertStatus(self.advisor.post(f"/service-tickets/{ticket}/approval-link"), 201)
        self.token = link["url"].rpartition("/")[2]

    def test_every_body_has_an_example(self) -> None:
        self.assertEqual([str(each) for each, _ in self.bodies() if self.catalogue.example(each) is None], [])

    def test_examples_are_valid_and_can_be_sent(self) -> None:
        for operation, schema in list(self.bodies()):
            for number, example in enumerate(self.catalogue.examples(operation)):
                with self.subTest(str(operation), number=number):
                    self.doCleanups()
                    self.setUp()
                    self.assertMatches(schema, example)
                    if operation.path.endswith("/login"):
                        self.open_account(**example)
                    if operation.path == "/invites/accept":
                        self.invite(example["token"])
                    if "revive_job_id" in example:
                        example = {"revive_job_id": self.declined_job()}
                    has_dry_run = any(each.get("name") == "dry_run" for each in operation.doc.get("parameters", []))
                    dry = [{"dry_run": "true"}] if has_dry_run else []  # it has an answer of its own
                    answers = [self.send(operation, example, query) for query in (*dry, {})]
                    self.assertDocumented(operation, *answers)

    def test_files_are_taken_as_they_are_described(self) -> None:
        files = [operation for operation in self.operations() if FILE in str(operation.doc.get("requestBody"))]
        self.assertEqual(len(files), 2)
        for operation in files:
            with self.subTest(str(operation)):
                body = operation.doc["requestBody"]
                self.assertTrue(body["required"] and body["description"])
                options = {"data": body["content"][FILE]["example"], "content_type": FILE}
                self.assertDocumented(operation, self.admin.request("POST", operation.path, **options))

    def test_what_takes_no_body_answers_as_documented(self) -> None:
        for operation in list(self.operations()):
            if "requestBody" not in operation.doc:
                with self.subTest(str(operation)):
                    self.doCleanups()
                    self.setUp()
                    self.assertDocumented(operation, self.send(operation, None))

    def open_account(self, email: str, password: str) -> None:
        for model in (Mechanic, Customer):
            self.save(model(name="Exa Mple", email=email, password_hash=hash_password(password)))

    def declined_job(self) -> int:
        """The id of a job that was declined on another ticket for the same car."""
        car = self.save(Vehicle(customer_id=self.customer.id)).id
        db.session.get_one(ServiceTicket, self.ids["ticket_id"]).vehicle_id = car
        db.session.commit()
        return self.make_declined_job(self.make_ticket(vehicle_id=car), id=100)

    def invite(self, token: str) -> None:
        hashed = hashlib.sha256(token.encode()).hexdigest()
        self.save(
            Invite(
                token_hash=hashed,
                expires_at=now() + timedelta(minutes=1),
                customer_id=self.stranger.id,
                made_by_id=self.admin.id,
            )
        )

    def send(self, operation: Operation, body: Any, query: dict[str, str] | None = None) -> TestResponse:
        if str(operation) in self.STATES:
            self.take_to(self.ids["ticket_id"], self.STATES[str(operation)])
        if operation.path == "/approvals/{token}" and body:
            shown = self.assertStatus(self.anyone.get(f"/approvals/{self.token}"), 200)
            body = {**body, "version": shown["version"]}
        path = operation.path.format(**self.ids, slug="not-found", token=self.token)
        return self.sender(operation, body or {}).request(operation.method, path, json=body, query_string=query)

    def sender(self, operation: Operation, body: dict[str, Any]) -> Caller:
        """Someone who may; nobody in particular where anyone may."""
        if operation.doc["security"] != [BEARER]:
            return self.anyone
        if body.get("method") == "online":
            return self.customer  # whose ticket it is
        return self.admin if self.catalogue.view(operation).policy.roles else self.customer

    def assertDocumented(self, operation: Operation, *answers: TestResponse) -> None:
        """The answers are the successes that the document describes: their status, type, shape, headers."""
        told = [str(answer.status_code) for answer in answers]
        self.assertEqual(told, successes(operation), answers[-1].data.decode(errors="replace"))
        for answer, status in zip(answers, told, strict=True):
            documented = operation.doc["responses"][status]
            self.assertEqual(bool(answer.data), "content" in documented)
            if answer.data:
                self.assertIn(answer.mimetype, documented["content"])
            if answer.is_json:
                self.assertMatches(documented["content"][answer.mimetype]["schema"], answer.json)
            self.assertEqual(set(documented.get("headers", {})) - set(answer.headers.keys()), set())


def successes(operation: Operation) -> list[str]:
    """Return the statuses of the successes that the document describes."""
    return [status for status in operation.doc["responses"] if status < "300"]


class Servers(unittest.TestCase):
    """The address that the document gives for the API."""

    def test_it_is_the_public_url_where_one_is_set(self) -> None:
        app = create_app(support.settings(PUBLIC_URL="https://shop.example.com/"))
        self.assertEqual(self.servers(app), ["https://shop.example.com"])

    def test_it_is_the_address_asked_at_where_none_is_set(self) -> None:
        self.assertEqual(self.servers(support.shared_app()), ["http://bay-3.local:8080"])

    def servers(self, app: Flask) -> list[str]:
        document = app.test_client().get("/openapi.json", base_url="http://bay-3.local:8080").json
        return [server["url"] for server in document["servers"]]


class Page(HTMLParser):
    """What a page loads, and what a strict policy would refuse to run on it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.inline: list[str] = []
        self.within = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.within = tag
        for name, value in attributes:
            if name in ("src", "href") and value and tag != "a":
                self.addresses.append(value)
            if name == "style" or name.startswith("on"):
                self.inline.append(f"{name} of {tag}")

    def handle_endtag(self, tag: str) -> None:
        self.within = ""

    def handle_data(self, data: str) -> None:
        if self.within in ("script", "style") and data.strip():
            self.inline.append(f"{self.within}: {data.strip()}")


class DocsPage(ShopTest):
    """/docs under a strict Content-Security-Policy, with nothing from elsewhere."""

    def test_its_policy_lets_only_our_own_files_run(self) -> None:
        for path in ("/docs", "/docs/", "/problems", "/problems/not-found"):
            with self.subTest(path):
                response = self.anyone.get(path)
                self.assertStatus(response, 200)
                self.assertEqual(response.mimetype, "text/html")
                policy = response.headers["Content-Security-Policy"]
                rules = dict(rule.strip().partition(" ")[::2] for rule in policy.split(";"))
                self.assertEqual(rules["default-src"], "'none'")
                self.assertEqual((rules["script-src"], rules["style-src"]), ("'self'", "'self'"))
                self.assertEqual(rules["frame-ancestors"], "'none'")
                self.assertNotRegex(policy, r"unsafe|http|\*")

    def test_it_has_nothing_inline_and_nothing_from_elsewhere(self) -> None:
        for path in ("/docs", "/problems", "/problems/not-found"):
            with self.subTest(path):
                page = Page(self.anyone.get(path).text)
                self.assertEqual(page.inline, [])
                self.assertTrue(page.addresses)
                for address in page.addresses:
                    self.assertRegex(address, "^/[^/]")
                    asset = self.anyone.get(address)
                    self.assertEqual(asset.status_code, 200, address)
                    self.assertTrue(asset.data)
                    self.assertRegex(asset.mimetype, r"^(text/(css|javascript)|application/javascript|image/png)$")

    def test_a_script_of_ours_opens_the_document(self) -> None:
        page = Page(self.anyone.get("/docs").text)
        scripts = [self.anyone.get(address).text for address in page.addresses if address.startswith("/docs/assets/")]
        self.assertTrue(any('"/openapi.json"' in script for script in scripts))

    def test_files_outside_the_folders_of_assets_are_not_served(self) -> None:
        for path in ("/docs/../flask_swagger_ui.py", "/docs/%2e%2e/__init__.py", "/docs/assets/..%2froutes.py"):
            with self.subTest(path):
                self.assertStatus(self.anyone.get(path), 404)


def reference(problem: type[Problem]) -> str:
    """Where the schema of a problem stands in the document."""
    return f"#/components/schemas/{schema_name(problem)}"


def references(node: Any) -> Iterator[str]:
    """Every `$ref` in a document."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)
