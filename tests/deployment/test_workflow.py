"""The workflow of GitHub Actions: what actionlint and its schema (`make workflow`) do not look at."""

import re
import unittest
from pathlib import Path

import yaml

WORKFLOW = Path(__file__).parents[2] / ".github" / "workflows" / "main.yaml"


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

    def test_all_that_must_hold_is_tried_on_each_python(self) -> None:
        commands = "\n".join(step.get("run", "") for step in self.test["steps"])
        for command in ("make check", "make audit", "make test", "tests.programs.fuzz", "make workflow"):
            self.assertIn(command, commands)
        self.assertEqual(set(self.test["services"]), {"postgres", "redis"})
