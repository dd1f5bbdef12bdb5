"""The runbook names what there is: metrics, settings, commands, routes and files."""

import re
import unittest
from pathlib import Path

import config
from tests.support import shared_app

DOCS = Path(__file__).parents[2] / "docs"
# What Prometheus makes of a histogram.
PARTS_OF_HISTOGRAM = r"_(bucket|sum|count)$"
NOT_SETTINGS = {"GITHUB_SHA", "RENDER_SERVICE_ID", "RENDER_API_KEY", "SIGTERM"}


class Runbook(unittest.TestCase):
    """docs/operations.md"""

    def setUp(self) -> None:
        self.text = (DOCS / "operations.md").read_text()

    def test_its_metrics_are_those_of_the_document_on_monitoring(self) -> None:
        known = set(re.findall(r"`((?:shop|process)_\w+)`", (DOCS / "monitoring.md").read_text()))
        named = {re.sub(PARTS_OF_HISTOGRAM, "", name) for name in re.findall(r"\b(?:shop|process)_\w+", self.text)}
        self.assertGreater(len(named), 5)
        self.assertLessEqual(named, known)

    def test_its_settings_exist(self) -> None:
        named = set(re.findall(r"`([A-Z][A-Z_]{4,})`", self.text)) - NOT_SETTINGS
        self.assertGreater(len(named), 5)
        self.assertLessEqual(named, {setting.name for setting in config.SETTINGS})

    def test_its_commands_exist(self) -> None:
        commands = set(re.findall(r"\bflask\s(?:db\s)?([a-z][\w-]+)", self.text))
        known = set(shared_app().cli.commands) | {"current", "upgrade", "downgrade"}
        self.assertGreater(len(commands), 4)
        self.assertLessEqual(commands, known)

    def test_its_routes_exist(self) -> None:
        routes = {re.sub(r"<[^>]*>", "{id}", rule.rule) for rule in shared_app().url_map.iter_rules()} | {"/metrics"}
        named = set(re.findall(r"`(?:GET |POST )?(/[\w/{}-]+)", self.text))
        self.assertGreater(len(named), 4)
        self.assertLessEqual(named, routes)

    def test_its_links_lead_somewhere(self) -> None:
        for link in re.findall(r"\]\(([^)#]+)", self.text):
            self.assertTrue((DOCS / link).is_file(), link)
