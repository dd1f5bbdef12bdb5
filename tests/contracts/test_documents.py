"""Documents name what is there: files, links, and the targets of make."""

import re
import unittest
from pathlib import Path

import config

DOCUMENTS = [config.ROOT / "README.md", *config.ROOT.glob("docs/**/*.md"), *config.ROOT.glob("app/**/*.md")]
FILE = re.compile(r"\b(?:app|tests|bench|docs|migrations)/[\w./-]*\.(?:py|md|json|ts|svg)\b")
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")
TARGET = re.compile(r"`make ([a-z-]+)")
# What a reader of docs/extending.md is to write.
TO_BE_WRITTEN = re.compile(r"supplier|_color")


def missing_files(text: str) -> set[str]:
    """The files that a text names and that are not there."""
    return {name for name in FILE.findall(text) if not TO_BE_WRITTEN.search(name) and not (config.ROOT / name).exists()}


def missing_links(document: Path, text: str) -> set[str]:
    """The links of a document that lead nowhere."""
    return {link for link in LINK.findall(text) if not (document.parent / link).exists()}


class Documents(unittest.TestCase):
    """README.md, docs/, and the pages beside code."""

    def test_every_file_that_one_names_is_there(self) -> None:
        for document in DOCUMENTS:
            with self.subTest(document.relative_to(config.ROOT)):
                self.assertEqual(missing_files(document.read_text()), set())

    def test_every_link_leads_somewhere(self) -> None:
        for document in DOCUMENTS:
            with self.subTest(document.relative_to(config.ROOT)):
                self.assertEqual(missing_links(document, document.read_text()), set())

    def test_every_command_of_make_is_one(self) -> None:
        targets = set(re.findall(r"^([a-z-]+):", (config.ROOT / "Makefile").read_text(), re.MULTILINE))
        for document in DOCUMENTS:
            with self.subTest(document.relative_to(config.ROOT)):
                self.assertEqual(set(TARGET.findall(document.read_text())) - targets, set())

    def test_what_is_missing_is_noticed(self) -> None:
        self.assertEqual(missing_files("see `app/nowhere.py` and `app/__init__.py`"), {"app/nowhere.py"})
        here = config.ROOT / "README.md"
        self.assertEqual(missing_links(here, "[a](docs/nowhere.md), [b](config.py), [c](#here)"), {"docs/nowhere.md"})
