"""The two blueprints, held to the documentation of Render: fields, values, and what they refer to."""

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
    "cron": {
        "name",
        "type",
        "runtime",
        "plan",
        "schedule",
        "buildCommand",
        "startCommand",
        "region",
        "repo",
        "branch",
        "autoDeployTrigger",
        "buildFilter",
        "rootDir",
        "envVars",
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
    "cron": {"name", "type", "runtime", "schedule", "buildCommand", "startCommand"},
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


# What Render waits for a service to stop, unless it is told otherwise.
USUAL_SHUTDOWN_SECONDS = 30
# What Render hands out for each source.
STAND_INS = {
    "fromDatabase": "postgresql://user:secret@dpg-1-a:5432/shop",
    "fromService": "redis://red-1:6379",
    "generateValue": base64.b64encode(secrets.token_bytes(32)).decode(),
    "sync": "",
}


def variables(service: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The sources of a service's variables by name."""
    return {
        variable["key"]: {name: value for name, value in variable.items() if name != "key"}
        for variable in service["envVars"]
    }


def environment(service: dict[str, Any]) -> dict[str, str]:
    """What a service finds in its environment on Render."""
    environ = {"RENDER": "true", "PORT": "10000"}
    for name, source in variables(service).items():
        ((kind, value),) = source.items()
        environ[name] = str(value) if kind == "value" else STAND_INS[kind]
        if "envVarKey" in (value if isinstance(value, dict) else {}):
            environ[name] = STAND_INS["generateValue"]
    return environ


class BlueprintTests:
    """What holds in both files."""

    FILE: str

    def setUp(self: Any) -> None:
        self.blueprint = yaml.safe_load((ROOT / self.FILE).read_text())
        self.services = {service["type"]: service for service in self.blueprint["services"]}
        self.assertEqual(len(self.services), len(self.blueprint["services"]))
        self.web, self.cache = self.services["web"], self.services["keyvalue"]
        (self.database,) = self.blueprint["databases"]
        self.programs = [service for service in self.blueprint["services"] if "envVars" in service]
        self.variables = variables(self.web)

    def test_it_has_documented_fields_alone_and_all_that_are_required(self: Any) -> None:
        self.assertLessEqual(set(self.blueprint), FIELDS["root"])
        for kind, item in {**self.services, "database": self.database}.items():
            with self.subTest(kind):
                self.assertLessEqual(set(item), FIELDS[kind])
                self.assertLessEqual(REQUIRED[kind], set(item))

    def test_fields_have_documented_values(self: Any) -> None:
        self.assertLessEqual({service["plan"] for service in self.services.values()}, PLANS)
        self.assertRegex(self.database["plan"], rf"^({DATABASE_PLAN})$")
        self.assertIn(self.cache["maxmemoryPolicy"], EVICTION)
        self.assertRegex(self.database["postgresMajorVersion"], r"^[0-9]{2}$")
        for program in self.programs:
            self.assertEqual(program["runtime"], "python")
            self.assertIn(program["autoDeployTrigger"], TRIGGERS)  # bare, YAML reads off as false

    def test_names_are_given_once(self: Any) -> None:
        names = [item["name"] for item in (*self.blueprint["services"], self.database)]
        self.assertEqual(len(set(names)), len(names))

    def test_all_are_in_one_region_where_they_reach_each_other(self: Any) -> None:
        self.assertEqual(len({item.get("region") for item in (*self.services.values(), self.database)}), 1)

    def test_stores_are_reached_from_inside_only(self: Any) -> None:
        self.assertEqual((self.cache["ipAllowList"], self.database["ipAllowList"]), ([], []))

    def test_deploys_are_the_workflow_s(self: Any) -> None:
        self.assertEqual(self.web["autoDeployTrigger"], "off")

    def test_it_may_stop_as_long_as_gunicorn_lets_it(self: Any) -> None:
        with mock.patch.dict("os.environ", {"APP_ENV": "testing", "SECRET_KEY": secrets.token_hex(32)}):
            served = runpy.run_path(str(ROOT / "gunicorn.conf.py"))
        delay = self.web.get("maxShutdownDelaySeconds", USUAL_SHUTDOWN_SECONDS)
        self.assertIs(type(delay), int)
        self.assertIn(delay, range(served["graceful_timeout"] + 1, 301))

    def test_what_is_installed_and_served_is_there(self: Any) -> None:
        program, target = shlex.split(self.web["startCommand"])[-2:]
        self.assertEqual(program, "gunicorn")
        module, _, name = target.partition(":")
        self.assertRegex((ROOT / f"{module}.py").read_text(), rf"(?m)^ *{name} = ")
        for program in self.programs:
            self.assertTrue((ROOT / program["buildCommand"].removeprefix("pip install -r ")).is_file())

    def test_the_health_check_is_open_and_asks_nobody(self: Any) -> None:
        client = shared_app().test_client()
        with statements() as sent:
            answer = client.get(self.web["healthCheckPath"], headers={"Host": "10.0.0.1:10000"})
        self.assertEqual((answer.status_code, sent), (200, []))

    def test_each_variable_is_a_setting_from_one_source(self: Any) -> None:
        known = {setting.name for setting in config.SETTINGS} | {"PYTHON_VERSION"}
        for program in self.programs:
            for name, source in variables(program).items():
                self.assertIn(name, known)
                self.assertIn(set(source), SOURCES, name)
                self.assertIs(source.get("sync", False), False)
                self.assertIs(source.get("generateValue", True), True)

    def test_references_lead_to_what_is_here(self: Any) -> None:
        database = {"name": self.database["name"], "property": "connectionString"}
        cache = {"type": "keyvalue", "name": self.cache["name"], "property": "connectionString"}
        for program in self.programs:
            found = variables(program)
            self.assertEqual(found["DATABASE_URL"], {"fromDatabase": database})
            self.assertEqual(found["REDIS_URL"], {"fromService": cache})

    def test_secrets_are_never_written_down(self: Any) -> None:
        for name in SECRETS:
            self.assertEqual(self.variables[name], {"generateValue": True})

    def test_the_python_is_the_newest_that_the_workflow_tests(self: Any) -> None:
        oldest, newest = re.findall(r'"(3\.[0-9]+)"', (ROOT / ".github" / "workflows" / "main.yaml").read_text())
        least = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
        self.assertEqual(least, f">={oldest}")
        for program in self.programs:
            version = str(variables(program)["PYTHON_VERSION"]["value"])
            self.assertRegex(version, rf"^{re.escape(newest)}\.[0-9]+$")  # Render wants it in full

    def test_production_starts_with_them(self: Any) -> None:
        environ = {**environment(self.web), "RENDER_EXTERNAL_URL": "https://mechanic-shop-api.onrender.com"}
        read = config.load({**environ, "RENDER_GIT_COMMIT": "4f1c2d3e"})
        self.assertEqual(read["APP_ENV"], "production")
        self.assertEqual(read["ALLOWED_HOSTS"], ("mechanic-shop-api.onrender.com",))
        self.assertEqual(read["TRUSTED_PROXIES"], 2)
        self.assertEqual(read["REVISION"], "4f1c2d3e")
        self.assertGreaterEqual(len(read["METRICS_TOKEN"]), 32)


class Free(BlueprintTests, unittest.TestCase):
    """The blueprint that Render reads unless another is named: nothing in it costs anything."""

    FILE = "render.yaml"

    def test_every_plan_is_free(self) -> None:
        items = [*self.services.values(), self.database]
        self.assertEqual({item["plan"] for item in items}, {"free"})

    def test_it_has_nothing_that_free_plans_lack(self) -> None:
        self.assertEqual(set(self.services), {"web", "keyvalue"})  # cron jobs cost something
        lacking = {"preDeployCommand", "disk", "scaling", "numInstances", "maxShutdownDelaySeconds"}
        self.assertEqual(set(self.web) & lacking, set())

    def test_the_start_migrates_and_then_leaves_its_process_to_gunicorn(self) -> None:
        migrate, serve = self.web["startCommand"].split(" && ")
        self.assertEqual(migrate, "flask db upgrade")
        self.assertTrue(serve.startswith("exec gunicorn "))  # which then gets the signal to stop


class Paid(BlueprintTests, unittest.TestCase):
    """The blueprint of a shop that works."""

    FILE = "render-paid.yaml"

    def test_nothing_sleeps_or_ends(self) -> None:
        self.assertNotIn("free", {item["plan"] for item in (*self.services.values(), self.database)})

    def test_migrations_run_before_the_new_version_serves(self) -> None:
        self.assertEqual(self.web["preDeployCommand"], "flask db upgrade")

    def test_names_are_those_of_the_free_one_which_it_takes_over(self) -> None:
        free = yaml.safe_load((ROOT / Free.FILE).read_text())
        for group in ("services", "databases"):
            self.assertLessEqual(
                {item["name"] for item in free[group]}, {item["name"] for item in self.blueprint[group]}
            )
        self.assertLessEqual(set(variables(free["services"][0])), set(self.variables))

    def test_the_clean_up_runs_nightly_with_the_shop_s_own_key_and_database(self) -> None:
        cron = self.services["cron"]
        self.assertRegex(cron["schedule"], r"^\d+ \d+ \* \* \*$")
        program, command = shlex.split(cron["startCommand"])
        self.assertEqual(program, "flask")
        self.assertIn(command, shared_app().cli.commands)
        key = {"type": "web", "name": self.web["name"], "envVarKey": "SECRET_KEY"}
        self.assertEqual(variables(cron)["SECRET_KEY"], {"fromService": key})
        self.assertEqual(config.load(environment(cron))["APP_ENV"], "production")
