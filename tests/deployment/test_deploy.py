"""The workflow's deploy step, against a stand-in of Render's API that answers as documented."""

import json
import os
import subprocess
import sys
import threading
import time
import unittest
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

SCRIPT = Path(__file__).parents[2] / ".github" / "deploy.py"
COMMIT = "4f1c2d3e" * 5
KEY = "rnd_not_to_be_seen"
DEPLOYS = "/v1/services/srv-1/deploys"
HANG = object()


class Sent(NamedTuple):
    """One request to the stand-in."""

    method: str
    path: str
    key: str | None
    body: Any


class StandIn(ThreadingHTTPServer):
    """Render's API: the answers that a test lists, in turn; the last one is given again and again."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[Sent] = []
        self.creations: list[Any] = []
        self.polls: list[Any] = []
        self.listed: list[Any] = []
        self.free = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}/v1"

    def answer_to(self, asked: Sent) -> Any:
        """Status, JSON or None, and headers."""
        self.asked.append(asked)
        if asked.method == "POST":
            answers = self.creations
        elif asked.path.startswith(f"{DEPLOYS}?"):
            answers = self.listed
        else:
            answers = self.polls
        return answers.pop(0) if len(answers) > 1 else answers[0]


class Handler(BaseHTTPRequestHandler):
    """Answers as the stand-in says."""

    server: StandIn

    def do_POST(self) -> None:
        self.answer()

    def do_GET(self) -> None:
        self.answer()

    def answer(self) -> None:
        length = int(self.headers["Content-Length"] or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        answer = self.server.answer_to(Sent(self.command, self.path, self.headers["Authorization"], body))
        if answer is HANG:
            self.server.free.wait(30)
            return
        status, content, headers = answer
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        data = b"" if content is None else json.dumps(content).encode()
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def deploy(status: str, **fields: Any) -> dict[str, Any]:
    """A deploy as Render describes it."""
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    return {"id": "dep-1", "commit": {"id": COMMIT}, "status": status, "createdAt": now, **fields}


def said(status: str, **fields: Any) -> tuple[int, Any, dict[str, str]]:
    """An answer that shows a deploy."""
    return 200, deploy(status, **fields), {}


CREATED = (201, deploy("created"), {})


class Deploying(unittest.TestCase):
    """What becomes of a commit."""

    def setUp(self) -> None:
        self.render = StandIn()
        self.addCleanup(self.render.server_close)
        threading.Thread(target=self.render.serve_forever, args=(0.05,)).start()
        self.addCleanup(self.render.shutdown)
        self.addCleanup(self.render.free.set)
        self.render.creations = [CREATED]
        self.render.polls = [said("build_in_progress"), said("update_in_progress"), said("live")]

    def run_script(self, **changes: str) -> subprocess.CompletedProcess[str]:
        """The step as the workflow runs it, but for the address and the pauses; it never tells the key."""
        environ = {
            "PATH": os.environ["PATH"],
            "RENDER_API_URL": self.render.url,
            "RENDER_SERVICE_ID": "srv-1",
            "RENDER_API_KEY": KEY,
            "GITHUB_SHA": COMMIT,
            "DEPLOY_POLL_SECONDS": "0.02",
            "DEPLOY_SECONDS": "20",
            **changes,
        }
        done = subprocess.run([sys.executable, SCRIPT], env=environ, capture_output=True, text=True, timeout=60)
        self.assertNotIn(KEY, done.stdout + done.stderr)
        self.assertNotIn("Traceback", done.stderr)
        return done

    def assertLive(self, **changes: str) -> str:
        """The step succeeds; returns what it says."""
        done = self.run_script(**changes)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("dep-1: live", done.stdout)
        return done.stdout

    def assertFails(self, words: str, **changes: str) -> None:
        """The step fails, and says these words."""
        done = self.run_script(**changes)
        self.assertEqual(done.returncode, 1)
        self.assertIn(words, done.stderr)

    def test_the_tested_commit_is_deployed_and_waited_for(self) -> None:
        told = self.assertLive()
        key = f"Bearer {KEY}"
        creation, *polls = self.render.asked
        self.assertEqual(creation, Sent("POST", DEPLOYS, key, {"commitId": COMMIT}))
        self.assertEqual(polls, [Sent("GET", f"{DEPLOYS}/dep-1", key, None)] * 3)
        for status in ("build_in_progress", "update_in_progress", "live", COMMIT):
            self.assertIn(status, told)

    def test_every_state_on_the_way_is_waited_through(self) -> None:
        states = ("created", "queued", "build_in_progress", "pre_deploy_in_progress", "update_in_progress", "live")
        self.render.polls = [said(state) for state in states]
        self.assertLive()

    def test_one_that_is_queued_is_waited_for(self) -> None:
        self.render.creations = [(202, deploy("queued"), {})]
        self.assertLive()

    def test_one_that_is_queued_without_a_word_is_found(self) -> None:
        long_ago = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
        before = deploy("build_failed", id="dep-0", createdAt=long_ago)
        another = deploy("live", id="dep-2", commit={"id": "0" * 40})
        listed = [[another, before], [another, before, deploy("queued")]]
        self.render.creations = [(202, None, {})]
        self.render.listed = [(200, [{"deploy": one, "cursor": "c"} for one in page], {}) for page in listed]
        self.assertLive()
        self.assertEqual(
            {asked.path for asked in self.render.asked if asked.path.startswith(f"{DEPLOYS}/")}, {f"{DEPLOYS}/dep-1"}
        )

    def test_one_that_does_not_become_live_fails(self) -> None:
        for status in ("build_failed", "pre_deploy_failed", "update_failed", "canceled", "deactivated"):
            with self.subTest(status):
                self.render.polls = [said("build_in_progress"), said(status)]
                self.assertFails(status)

    def test_what_is_refused_fails_at_once(self) -> None:
        for status in (400, 401, 403, 404, 409):
            with self.subTest(status):
                self.render.asked.clear()
                self.render.creations = [(status, {"id": "x", "message": f"you sent {KEY}"}, {})]
                self.assertFails(f"Render refused: {status}")
                self.assertEqual(len(self.render.asked), 1)

    def test_a_key_that_is_withdrawn_meanwhile_fails(self) -> None:
        self.render.polls = [said("build_in_progress"), (401, {"message": "unauthorized"}, {})]
        self.assertFails("Render refused: 401")

    def test_too_many_requests_are_sent_again_when_it_says(self) -> None:
        busy = (429, {"message": "rate limit exceeded"}, {"Retry-After": "1"})
        self.render.creations = [busy, CREATED]
        self.render.polls = [said("build_in_progress"), busy, said("live")]
        began = time.monotonic()
        self.assertLive()
        self.assertGreater(time.monotonic() - began, 2)

    def test_what_fails_at_render_is_asked_again(self) -> None:
        for status in (500, 502, 503):
            with self.subTest(status):
                self.render.creations = [(status, None, {}), CREATED]
                self.render.polls = [(status, None, {}), said("build_in_progress"), (status, None, {}), said("live")]
                self.assertLive()

    def test_it_gives_up_in_time(self) -> None:
        for name, polls in {
            "forever building": [said("build_in_progress")],
            "no answer": [HANG],
            "busy": [(429, None, {"Retry-After": "600"})],
            "broken": [(503, None, {})],
        }.items():
            with self.subTest(name):
                self.render.polls = polls
                began = time.monotonic()
                self.assertFails("in time", DEPLOY_SECONDS="1.5")
                self.assertLess(time.monotonic() - began, 10)

    def test_a_service_that_is_away_is_waited_for_no_longer(self) -> None:
        self.assertFails("in time", RENDER_API_URL="http://127.0.0.1:1/v1", DEPLOY_SECONDS="0.5")

    def test_the_key_follows_no_redirect(self) -> None:
        self.render.creations = [(302, None, {"Location": f"{self.render.url}/elsewhere"})]
        self.assertFails("Render refused: 302")
        self.assertEqual(len(self.render.asked), 1)

    def test_a_missing_secret_is_named(self) -> None:
        for name in ("RENDER_SERVICE_ID", "RENDER_API_KEY", "GITHUB_SHA"):
            with self.subTest(name):
                self.assertFails(name, **{name: ""})
        self.assertEqual(self.render.asked, [])
