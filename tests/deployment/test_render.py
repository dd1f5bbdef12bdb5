"""render.yaml, held to the documentation of Render's blueprints: fields, values, and what they refer to."""

import base64
import re
import runpy
import secrets
import shlex
import tomllib
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

import yaml

import config
from tests.support import shared_app
from tests.support.instruments import statements

ROOT = Path(__file__).parents[2]

# What the reference of the blueprint's YAML lists, without what it calls deprecated (`env`, `autoDeploy`, `redis`).
FIELDS = {
    "root": {"services", "databases", "envVarGroups", "projects", "ungrouped", "previews"},
    "web": {
        "name",
        "type",
        "runtime",
        "plan",
        "previews",
        "buildCommand",
        "startCommand",
        "preDeployCommand",
        "region",
        "repo",
        "branch",
        "autoDeployTrigger",
        "domains",
        "healthCheckPath",
        "maxShutdownDelaySeconds",
        "numInstances",
        "scaling",
        "buildFilter",
        "rootDir",
        "disk",
        "envVars",
        "ipAllowList",
    },
    "keyvalue": {"name", "type", "plan", "previewPlan", "region", "ipAllowList", "maxmemoryPolicy"},
    "database": {
        "name",
        "plan",
        "previewPlan",
        "diskSizeGB",
        "previewDiskSizeGB",
        "region",
        "ipAllowList",
        "postgresMajorVersion",
        "databaseName",
        "user",
        "readReplicas",
        "highAvailability",
    },
}
REQUIRED = {
    "web": {"name", "type", "runtime", "buildCommand", "startCommand"},
    "keyvalue": {"name", "type", "ipAllowList"},
    "database": {"name"},
}
PLANS = {"free", "starter", "standard", "pro", "pro plus", "pro max", "pro ultra"}
DATABASE_PLAN = r"free|basic-(256mb|[14]gb)|(pro|accelerated)-[1-9][0-9]*gb"
TRIGGERS = {"commit", "checksPass", "off"}
EVICTION = {"allkeys-lru", "volatile-lru", "allkeys-random", "volatile-random", "volatile-ttl", "noeviction"}
# Each variable comes from one of these.
SOURCES = ({"value"}, {"generateValue"}, {"sync"}, {"fromDatabase"}, {"fromService"})
SECRETS = {"SECRET_KEY", "METRICS_TOKEN"}


class BlueprintTest(unittest.TestCase):
    """The file in the root of the repository, read."""

    def setUp(self) -> None:
        self.blueprint = yaml.safe_load((ROOT / "render.yaml").read_text())
        services = {service["type"]: service for service in self.blueprint["services"]}
        self.assertEqual(len(services), len(self.blueprint["services"]))
        self.web, self.cache = services["web"], services["keyvalue"]
        (self.database,) = self.blueprint["databases"]
        self.variables = {variable.pop("key"): variable for variable in self.web["envVars"]}


class Blueprint(BlueprintTest):
    """Services and databases."""

    def test_it_has_documented_fields_alone_and_all_that_are_required(self) -> None:
        self.assertLessEqual(set(self.blueprint), FIELDS["root"])
        for kind, item in {"web": self.web, "keyvalue": self.cache, "database": self.database}.items():
            with self.subTest(kind):
                self.assertLessEqual(set(item), FIELDS[kind])
                self.assertLessEqual(REQUIRED[kind], set(item))

    def test_fields_have_documented_values(self) -> None:
        self.assertEqual(self.web["runtime"], "python")
        self.assertLessEqual({self.web["plan"], self.cache["plan"]}, PLANS)
        self.assertRegex(self.database["plan"], rf"^({DATABASE_PLAN})$")
        self.assertIn(self.web["autoDeployTrigger"], TRIGGERS)  # bare, YAML reads off as false
        self.assertIn(self.cache["maxmemoryPolicy"], EVICTION)
        self.assertRegex(self.database["postgresMajorVersion"], r"^[0-9]{2}$")
        self.assertIs(type(self.web["maxShutdownDelaySeconds"]), int)
        self.assertIn(self.web["maxShutdownDelaySeconds"], range(1, 301))

    def test_names_are_given_once(self) -> None:
        names = [self.web["name"], self.cache["name"], self.database["name"]]
        self.assertEqual(len(set(names)), len(names))

    def test_pre_deploy_commands_are_not_for_free_plans(self) -> None:
        self.assertTrue(self.web["preDeployCommand"])
        self.assertNotEqual(self.web["plan"], "free")

    def test_all_are_in_one_region_where_they_reach_each_other(self) -> None:
        self.assertEqual(len({item.get("region") for item in (self.web, self.cache, self.database)}), 1)

    def test_stores_are_reached_from_inside_only(self) -> None:
        self.assertEqual((self.cache["ipAllowList"], self.database["ipAllowList"]), ([], []))

    def test_deploys_are_the_workflow_s(self) -> None:
        self.assertEqual(self.web["autoDeployTrigger"], "off")

    def test_it_may_stop_as_long_as_gunicorn_lets_it(self) -> None:
        with mock.patch.dict("os.environ", {"APP_ENV": "testing", "SECRET_KEY": secrets.token_hex(32)}):
            served = runpy.run_path(str(ROOT / "gunicorn.conf.py"))
        self.assertGreater(self.web["maxShutdownDelaySeconds"], served["graceful_timeout"])

    def test_what_is_started_is_there(self) -> None:
        program, target = shlex.split(self.web["startCommand"])
        self.assertEqual(program, "gunicorn")
        module, _, name = target.partition(":")
        self.assertIn(f"\n{name} = ", (ROOT / f"{module}.py").read_text())
        self.assertEqual(self.web["preDeployCommand"], "flask db upgrade")
        requirements = self.web["buildCommand"].removeprefix("pip install -r ")
        self.assertTrue((ROOT / requirements).is_file())

    def test_the_health_check_is_open_and_asks_nobody(self) -> None:
        client = shared_app().test_client()
        with statements() as sent:
            answer = client.get(self.web["healthCheckPath"], headers={"Host": "10.0.0.1:10000"})
        self.assertEqual((answer.status_code, sent), (200, []))


class Variables(BlueprintTest):
    """The environment of the web service."""

    def value_of(self, name: str) -> Any:
        return self.variables[name]["value"]

    def test_each_is_a_setting(self) -> None:
        known = {setting.name for setting in config.SETTINGS} | {"PYTHON_VERSION"}
        self.assertLessEqual(set(self.variables), known)

    def test_each_has_one_source(self) -> None:
        for name, source in self.variables.items():
            self.assertIn(set(source), SOURCES, name)
            self.assertIs(source.get("sync", False), False)
            self.assertIs(source.get("generateValue", True), True)

    def test_references_lead_to_what_is_here(self) -> None:
        database = {"name": self.database["name"], "property": "connectionString"}
        cache = {"type": "keyvalue", "name": self.cache["name"], "property": "connectionString"}
        self.assertEqual(self.variables["DATABASE_URL"], {"fromDatabase": database})
        self.assertEqual(self.variables["REDIS_URL"], {"fromService": cache})

    def test_secrets_are_never_written_down(self) -> None:
        for name in SECRETS:
            self.assertEqual(self.variables[name], {"generateValue": True})

    def test_the_python_is_named_in_full_and_supported(self) -> None:
        version = str(self.value_of("PYTHON_VERSION"))
        self.assertRegex(version, r"^3\.[0-9]+\.[0-9]+$")
        least = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
        workflow = (ROOT / ".github" / "workflows" / "main.yaml").read_text()
        oldest, newest = re.findall(r'"(3\.[0-9]+)"', workflow)
        self.assertEqual(least, f">={oldest}")
        minors = [int(text.split(".")[1]) for text in (oldest, version, newest)]
        self.assertEqual(minors, sorted(minors))

    def test_production_starts_with_them(self) -> None:
        stand_ins = {
            "fromDatabase": "postgresql://user:secret@dpg-1-a:5432/shop",
            "fromService": "redis://red-1:6379",
            "generateValue": base64.b64encode(secrets.token_bytes(32)).decode(),
            "sync": "",
        }
        environ = {"RENDER": "true", "RENDER_EXTERNAL_URL": "https://mechanic-shop-api.onrender.com", "PORT": "10000"}
        for name, source in self.variables.items():
            ((kind, value),) = source.items()
            environ[name] = str(value) if kind == "value" else stand_ins[kind]
        read = config.load(environ)
        self.assertEqual(read["APP_ENV"], "production")
        self.assertEqual(read["ALLOWED_HOSTS"], ("mechanic-shop-api.onrender.com",))
        self.assertEqual(read["TRUSTED_PROXIES"], 2)
        self.assertGreaterEqual(len(read["METRICS_TOKEN"]), 32)
