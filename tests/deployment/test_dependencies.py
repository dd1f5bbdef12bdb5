"""What is pinned: looked after by Dependabot, audited, and the same Python everywhere."""

import json
import runpy
import subprocess
import sys
import threading
import unittest
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
GATE = ROOT / ".ci" / "audit.py"
DAY = timedelta(days=1)


def tracked(*patterns: str) -> set[str]:
    """The folders of the files in the repository whose names fit, seen from its root."""
    paths = subprocess.check_output(["git", "ls-files", "--", *patterns], cwd=ROOT, text=True).split()
    return {f"/{Path(path).parent}".removesuffix(".") for path in paths}


class Dependabot(unittest.TestCase):
    """Nothing that is pinned is left out."""

    def setUp(self) -> None:
        configuration = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text())
        self.updates = {
            update["package-ecosystem"]: set(update.get("directories", [update.get("directory")]))
            for update in configuration["updates"]
        }

    def test_every_place_of_every_kind_is_looked_at(self) -> None:
        self.assertEqual(self.updates["pip"], tracked("*requirements*.txt"))
        self.assertEqual(self.updates["npm"], tracked("*package-lock.json", "*package.json"))
        self.assertEqual(self.updates["docker"], tracked("*Dockerfile"))
        self.assertEqual(self.updates["docker-compose"], tracked("*compose.yaml"))
        self.assertEqual(self.updates["github-actions"], {"/"})


class Advisories(BaseHTTPRequestHandler):
    """A stand-in of the service: it knows what `vulnerable` holds, by package."""

    vulnerable: dict[str, str] = {}

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        advisory = self.vulnerable.get(asked["package"]["name"])
        package = {"name": asked["package"]["name"], "ecosystem": "PyPI"}
        affected = [{"package": package, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]}]
        found = {"id": advisory, "aliases": [], "summary": "A flaw", "details": "A flaw.", "affected": affected}
        body = json.dumps({"vulns": [found]} if advisory else {}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class Audit(unittest.TestCase):
    """The gate."""

    def setUp(self) -> None:
        self.gate = runpy.run_path(str(GATE))
        self.entries = self.gate["read"]((GATE.parent / "audit.toml").read_text())

    def run_gate(self, vulnerable: dict[str, str]) -> subprocess.CompletedProcess[str]:
        handler = type("Known", (Advisories,), {"vulnerable": vulnerable})
        with ThreadingHTTPServer(("127.0.0.1", 0), handler) as service:
            threading.Thread(target=service.serve_forever, args=(0.05,), daemon=True).start()
            done = self.ask(f"http://127.0.0.1:{service.server_port}")
            service.shutdown()
        return done

    def ask(self, address: str) -> subprocess.CompletedProcess[str]:
        program = "import runpy; g = runpy.run_path(%r); raise SystemExit(g['audit'](%s, %s))"
        entries = f"g['read'](open({str(GATE.parent / 'audit.toml')!r}).read())"
        options = ["--vulnerability-service=osv", f"--osv-url={address}"]
        command = [sys.executable, "-c", program % (str(GATE), entries, options)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def test_what_is_passed_over_is_green(self) -> None:
        done = self.run_gate({entry.package: entry.advisory for entry in self.entries})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_another_advisory_is_red(self) -> None:
        for vulnerable in ({"ecdsa": "GHSA-aaaa-bbbb-cccc"}, {"flask": "GHSA-aaaa-bbbb-cccc"}):
            with self.subTest(vulnerable):
                done = self.run_gate(vulnerable)
                self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
                self.assertIn("GHSA-aaaa-bbbb-cccc", done.stdout)

    def test_a_service_that_does_not_answer_is_no_green(self) -> None:
        self.assertEqual(self.ask("http://127.0.0.1:1").returncode, 3)

    def test_every_entry_has_a_reason_and_ends(self) -> None:
        pinned = (ROOT / "requirements.txt").read_text()
        for entry in self.entries:
            self.assertIn(f"\n{entry.package}==", pinned)
            self.assertRegex(entry.advisory, r"^(GHSA|CVE|PYSEC)-")
            self.assertGreater(len(entry.reason), 80)
            self.assertIsInstance(entry.until, date)

    def test_no_code_of_ecdsa_is_even_loaded(self) -> None:
        program = "import sys, app, app.accounts.tokens; print('jose' in sys.modules, 'ecdsa' in sys.modules)"
        done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
        self.assertEqual(done.stdout.split(), ["True", "False"])

    def test_it_fails_from_the_day_on(self) -> None:
        overdue = self.gate["overdue"]
        for entry in self.entries:
            self.assertEqual(overdue([entry], entry.until - DAY), [])
            for today in (entry.until, entry.until + DAY):
                (told,) = overdue([entry], today)
                self.assertIn(entry.advisory, told)
