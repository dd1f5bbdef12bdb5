"""The image and compose.yaml, as far as can be told without Docker: what they say, and that what they start runs."""

import json
import os
import re
import secrets
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

import config
from tests.support import new_database
from tests.support.instruments import RedisServer
from tests.support.live import call

ROOT = Path(__file__).parents[2]
SECRET = re.compile(r"SECRET|TOKEN|PASSWORD|_URL$|KEY")
# What a copy of the image's files starts with: the programs of this environment stand in for those of /venv.
PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions, each on one line, and their arguments."""
    lines = [line for line in (ROOT / "Dockerfile").read_text().splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in joined.splitlines() if line)]


def argument(instruction: str) -> str:
    """The last argument of an instruction of the last stage: the one that counts."""
    return [rest for name, rest in instructions() if name == instruction][-1]


class Dockerfile(unittest.TestCase):
    """What the image is made of."""

    def test_every_stage_is_the_newest_python_that_the_workflow_tests(self) -> None:
        _, newest = re.findall(r'"(3\.[0-9]+)"', (ROOT / ".github" / "workflows" / "main.yaml").read_text())
        bases = {rest.split()[0] for name, rest in instructions() if name == "FROM"}
        self.assertEqual(len(bases), 1)
        self.assertRegex(bases.pop(), rf"^python:{re.escape(newest)}-slim-[a-z]+$")

    def test_packages_are_installed_by_hash_and_never_built(self) -> None:
        (install,) = (rest for name, rest in instructions() if name == "RUN" and "pip install" in rest)
        for option in ("--require-hashes", "--only-binary :all:", "--no-cache-dir", "-r /requirements.txt"):
            self.assertIn(option, install)

    def test_what_serves_is_not_root_and_owns_nothing(self) -> None:
        names = [name for name, _ in instructions()]
        self.assertRegex(argument("USER"), r"^[1-9][0-9]*$")  # a number, which a host can check
        self.assertLess(max(i for i, name in enumerate(names) if name in {"RUN", "COPY"}), names.index("USER"))
        self.assertFalse([rest for name, rest in instructions() if name == "COPY" and "--chown" in rest])

    def test_no_secret_is_baked_in(self) -> None:
        for name, rest in instructions():
            if name in {"ENV", "ARG"}:
                for variable in re.findall(r"(\w+)=", rest):
                    self.assertNotRegex(variable, SECRET)

    def test_commands_get_signals_and_are_those_of_render(self) -> None:
        self.assertEqual(json.loads(argument("CMD")), ["gunicorn", "flask_app:app"])
        self.assertNotIn("ENTRYPOINT", {name for name, _ in instructions()})


class Compose(unittest.TestCase):
    """What is started together."""

    def setUp(self) -> None:
        self.text = (ROOT / "compose.yaml").read_text()
        self.services = yaml.safe_load(self.text)["services"]
        self.app = self.services["app"]

    def test_nothing_starts_without_secrets_and_none_is_written_down(self) -> None:
        environment = {**self.app["environment"], **self.services["database"]["environment"]}
        for name, value in environment.items():
            if SECRET.search(name) and name != "REDIS_URL":  # which has none
                self.assertRegex(value, r"\$\{[A-Z_]+:\?", name)

    def test_variables_are_settings(self) -> None:
        self.assertLessEqual(set(self.app["environment"]), {setting.name for setting in config.SETTINGS})

    def test_only_this_machine_reaches_the_app_and_only_the_app_the_stores(self) -> None:
        (port,) = self.app["ports"]
        self.assertTrue(port.startswith("127.0.0.1:"))
        self.assertTrue(port.endswith(f":{self.app['environment']['PORT']}"))
        self.assertEqual([name for name, service in self.services.items() if "ports" in service], ["app"])

    def test_it_waits_for_healthy_stores(self) -> None:
        stores = set(self.services) - {"app"}
        self.assertEqual(self.app["depends_on"], {store: {"condition": "service_healthy"} for store in stores})
        for store in stores:
            self.assertIn("test", self.services[store]["healthcheck"])

    def test_the_app_may_write_nothing_and_stops_in_its_own_time(self) -> None:
        self.assertIs(self.app["read_only"], True)
        self.assertEqual(self.app["cap_drop"], ["ALL"])
        self.assertGreater(int(self.app["stop_grace_period"].removesuffix("s")), 25)


class Starting(unittest.TestCase):
    """The start commands of compose.yaml and of Render's free plan, from a copy of the files that the image has."""

    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="shop-image-"))
        self.addCleanup(shutil.rmtree, self.folder)
        excluded = {"*", "**/__pycache__", "**/*.pyc", "**/*.md"}
        rules = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
        self.assertEqual({rule for rule in rules if rule[0] != "!"}, excluded)
        for name in (rule[1:] for rule in rules if rule[0] == "!"):
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, self.folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.md"))
            else:
                shutil.copy(ROOT / name, self.folder)
        self.redis = RedisServer()
        self.addCleanup(self.redis.end)

    @contextmanager
    def started(self, command: list[str]) -> Iterator[dict[str, str]]:
        """The environment of the server that the command starts, once it is ready."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        environ = {
            "PATH": PATH,
            "FLASK_APP": "flask_app",
            "APP_ENV": "production",
            "PYTHONDONTWRITEBYTECODE": "1",
            "SECRET_KEY": secrets.token_hex(32),
            "DATABASE_URL": new_database(),
            "REDIS_URL": self.redis.url,
            "PORT": str(port),
        }
        log = (self.folder / "log").open("wb")
        server = subprocess.Popen(command, cwd=self.folder, env=environ, stdout=log, stderr=log)
        try:
            self.wait(f"http://127.0.0.1:{port}/ready", server)
            yield environ
        finally:
            server.terminate()
            self.assertEqual(
                server.wait(30), 0, (self.folder / "log").read_text()
            )  # by gunicorn: the signal came to it
            log.close()

    def wait(self, address: str, server: subprocess.Popen[bytes]) -> None:
        for _ in range(600):
            try:
                answer = call(address)
                self.assertEqual((answer["status"], answer["database"], answer["redis"]), ("ready", "ok", "ok"))
                return
            except OSError:
                self.assertIsNone(server.poll(), (self.folder / "log").read_text())
                time.sleep(0.05)
        self.fail((self.folder / "log").read_text())

    def check(self, environ: dict[str, str]) -> int:
        """What the image's health check ends with."""
        program, *rest = json.loads(argument("HEALTHCHECK").partition("CMD ")[2])
        self.assertEqual(program, "python")
        return subprocess.run([sys.executable, *rest], env=environ, stderr=subprocess.DEVNULL, check=False).returncode

    def test_compose_migrates_and_serves(self) -> None:
        compose: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
        with self.started(shlex.split(compose["services"]["app"]["command"])) as environ:
            self.assertEqual(self.check(environ), 0)
        self.assertNotEqual(self.check(environ), 0)

    def test_render_s_free_plan_migrates_and_serves(self) -> None:
        free = yaml.safe_load((ROOT / "render.yaml").read_text())
        with self.started(["bash", "-c", free["services"][0]["startCommand"]]) as environ:
            self.assertEqual(self.check(environ), 0)
