"""The workflow of GitHub Actions, what `make workflow` does not look at in it, and `.ci/run`, which it runs."""

import os
import re
import subprocess
import unittest
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
WORKFLOW = ROOT / ".github" / "workflows" / "main.yaml"
RUN = ROOT / ".ci" / "run"


class Workflow(unittest.TestCase):
    """What it may, and when it deploys."""

    def setUp(self) -> None:
        self.text = WORKFLOW.read_text()
        self.workflow = yaml.safe_load(self.text)
        self.test, self.deploy = self.workflow["jobs"]["test"], self.workflow["jobs"]["deploy"]

    def test_it_reads_the_code_and_may_nothing_else(self) -> None:
        self.assertEqual(self.workflow["permissions"], {"contents": "read"})
        for job in (self.test, self.deploy):
            self.assertLessEqual(set(job.get("permissions", {}).values()), {"read"})

    def test_actions_are_pinned_by_commit_and_keep_no_credentials(self) -> None:
        used = re.findall(r"uses: (\S+)(.*)", self.text)
        self.assertTrue(used)
        for action, comment in used:
            self.assertRegex(action, r"^[\w-]+/[\w-]+@[0-9a-f]{40}$")
            self.assertRegex(comment, r"^ # v\d+\.\d+\.\d+$")
        checkouts = [
            step for job in (self.test, self.deploy) for step in job["steps"] if "checkout" in step.get("uses", "")
        ]
        self.assertTrue(all(step["with"]["persist-credentials"] is False for step in checkouts))

    def test_only_what_was_tested_and_is_on_main_is_deployed(self) -> None:
        self.assertEqual(self.deploy["needs"], "test")
        self.assertIn("github.ref == 'refs/heads/main'", self.deploy["if"])
        self.assertIn("github.event_name == 'push'", self.deploy["if"])
        self.assertNotIn("||", self.deploy["if"])

    def test_secrets_are_told_to_the_deploying_step_alone(self) -> None:
        *others, last = self.deploy["steps"]
        self.assertEqual(set(last["env"]), {"RENDER_SERVICE_ID", "RENDER_API_KEY"})
        self.assertEqual(self.text.count("secrets."), 2)
        self.assertEqual(others[0]["with"]["sparse-checkout"], ".github")

    def test_it_runs_what_a_person_runs_in_full(self) -> None:
        commands = [step["run"] for step in self.test["steps"] if "run" in step]
        self.assertEqual(commands, [".ci/run"])  # a step that is added there is added here
        (step,) = (step for step in self.test["steps"] if "run" in step)
        self.assertEqual(step["env"], {"THOROUGH": "1"})
        self.assertFalse({"if", "continue-on-error"} & set(step))
        self.assertTrue(os.access(RUN, os.X_OK))


class Run(unittest.TestCase):
    """`.ci/run`, by a person and in the workflow."""

    def setUp(self) -> None:
        self.text = RUN.read_text()

    def test_all_that_must_hold_is_a_step(self) -> None:
        for command in ("check", "workflow", "test", "clients", "bench-quick"):
            self.assertRegex(self.text, rf"make --no-print-directory .*\b{command}\b")
        for program in ("fuzz", "availability", "siege", "chaos"):
            self.assertRegex(self.text, rf"-m tests\.programs\.{program}\b")
        self.assertIn(".ci/audit.py", self.text)

    def test_no_step_is_only_for_one_of_them(self) -> None:
        told = re.findall(r".*(?:THOROUGH|GITHUB_ACTIONS).*", self.text.split("\nset -euo", 1)[1])
        choice, groups, audit = told  # how much of a step, how it is shown, and what no network means
        self.assertEqual(choice, 'if [ -n "${THOROUGH:-}" ]; then')
        self.assertIn("::group::", groups)
        self.assertIn(".ci/audit.py || ", audit)

    def test_in_full_nothing_is_left_out(self) -> None:
        full = self.text.split('"${THOROUGH:-}" ]; then\n')[1].splitlines()[0]
        self.assertEqual(
            full.strip(),
            "suite_on_postgresql=coverage by_psycopg_3=all"
            " fuzz_on=postgresql fuzz=(--cases 100) browser=(swagger desk) bench=() every=1",
        )

    def test_an_audit_that_asked_nobody_is_no_green_in_full(self) -> None:
        (command,) = re.findall(r"audit\.py \|\| (.*)", self.text)
        for code, thorough, green in ((3, "", True), (3, "1", False), (1, "", False), (1, "1", False)):
            with self.subTest(code=code, thorough=thorough):
                script = f"set -eu; (exit {code}) || {command}"
                done = subprocess.run(["bash", "-c", script], env={**os.environ, "THOROUGH": thorough}, check=False)
                self.assertEqual(done.returncode == 0, green)

    def test_it_installs_every_program_that_tests_skip_without(self) -> None:
        for program in ("initdb", "redis-server", "pgbouncer", "npm", "zsh"):
            self.assertRegex(self.text, rf"{program}[^\n]* \|\| missing\+=")
