"""README's commands work as they are pasted into bash and zsh; the tour against a demo shop served by gunicorn."""

import os
import re
import shlex
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import config
from app import create_app
from app.commands import demo
from app.extensions import db
from tests.support import new_migrated_database, settings
from tests.support.live import serving

README = (config.ROOT / "README.md").read_text()
# What the tour shows along the way.
FACTS = (
    r'"mechanics":\[{"id":\d+,"name":"Nina Park"}\]',
    '"make":"Honda"',
    '"quantity_reserved":2,"quantity_available":4',
    "299.41\n",
    '"signed_name":"Robin Lee"',
    '"what":"approval link","before":"sent","after":"opened"',
    r'"declined": ?\[{"name": ?"Rear struts", ?"total": ?"',
    '"status":"paid"',
    r'"balance":"0\.00"',
    r"'why': \['phone'",
    '"created":0,"updated":1,"unchanged":',
    "304\n",
    "412\n",
    r"X-Total-Count: \d+",
    'rel="prev"',
)
DEMO_ADDRESS = "http://127.0.0.1:5000"
# As a person has them: interactive, so that zsh takes # for a word and both take ! for the history; without files of
# theirs. They read from standard input, and end at the first command that fails.
SHELLS = {
    "bash": ["bash", "--noprofile", "--norc", "-i", "-e", "-o", "pipefail"],
    "zsh": ["zsh", "-f", "-i", "-o", "err_exit", "-o", "pipefail", "-o", "no_prompt_sp", "-o", "no_prompt_cr", "-s"],
}
# What a shell says, and goes on, where it did not understand.
NOT_UNDERSTOOD = re.compile(r"event not found|no matches found|command not found|unmatched|parse error|syntax error")


def blocks(text: str) -> list[str]:
    """The shell commands of a text, a block each."""
    return re.findall(r"```sh\n(.*?)```", text, re.DOTALL)


def tour() -> tuple[str, str]:
    """What the tour sets for the shop, and what it sends."""
    section = README.split("\n## A five-minute tour\n")[1].split("\n## ")[0]
    start, script = "\n".join(blocks(section)).split("\nmake run\n")
    return start, script


class ShellTest(unittest.TestCase):
    """A person's shell."""

    def paste(self, shell: str, script: str, folder: str, **environ: str) -> str:
        """What the commands print on standard output, in this shell; all of them succeed."""
        if shutil.which(shell) is None:
            raise unittest.SkipTest(f"{shell} is not installed: apt-get install {shell}, or brew install {shell}")
        prompts = {"PS1": "", "PS2": "", "HISTFILE": ""}
        done = subprocess.run(
            SHELLS[shell],
            input=f"{script}\necho and that is all\n",
            cwd=folder,
            env={**os.environ, **prompts, **environ},
            start_new_session=True,  # without a terminal
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        told = f"{shell}:\n{done.stdout}\n{done.stderr}"
        self.assertEqual(done.returncode, 0, told)
        self.assertTrue(done.stdout.endswith("and that is all\n"), told)
        self.assertIsNone(NOT_UNDERSTOOD.search(done.stderr), told)
        return done.stdout


class Tour(ShellTest):
    """The five-minute tour, from the first sign-in to the last page."""

    def test_every_command_works_and_the_story_holds_twice(self) -> None:
        url = new_migrated_database()
        app = create_app(settings(DATABASE_URL=url))
        with app.app_context():
            demo.fill(app.config["SHOP_RATES"])
            db.engine.dispose()
        start, script = tour()
        rates = dict(pair.split("=") for pair in start.split()[1:])
        self.assertIn(DEMO_ADDRESS, script)
        with serving(url, **rates) as (address, _log), tempfile.TemporaryDirectory() as folder:
            for shell in SHELLS:  # one after the other at the same shop
                with self.subTest(shell):
                    self.check(self.paste(shell, script.replace(DEMO_ADDRESS, address), folder))
                    receipt = Path(folder) / "invoice.pdf"
                    self.assertTrue(receipt.read_bytes().startswith(b"%PDF"))
                    receipt.unlink()

    def check(self, told: str) -> None:
        compact = told.replace('" : ', '":').replace(', "', ',"')  # as SQLite spaces JSON
        for fact in FACTS:
            self.assertRegex(compact, fact)
        for figure in re.findall(r"(\d+\.\d\d)\*{0,2} \|\n", README):
            self.assertIn(f"'{figure}'", told)  # the example worked by hand, line by line


class Blocks(ShellTest):
    """The blocks that install and start: the shells understand them, and call programs that do nothing here."""

    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        (self.folder / ".venv" / "bin").mkdir(parents=True)
        (self.folder / ".venv" / "bin" / "activate").touch()
        programs = self.folder / "programs"
        programs.mkdir()
        for name in ("make", "python3", "pip", "cp", "flask"):
            (programs / name).write_text('#!/bin/sh\necho "$(basename "$0") $*"\n')
            (programs / name).chmod(0o755)
        self.path = f"{programs}{os.pathsep}{os.environ['PATH']}"

    def lines(self, shell: str) -> list[str]:
        begin = README.split("\n## A five-minute tour\n")[0]
        start, _ = tour()
        script = "\n".join([*blocks(begin), start, "make run"])
        told = self.paste(shell, script, str(self.folder), PATH=self.path, LABOR_RATE="")
        return told.splitlines()[:-1]

    def test_each_command_is_called_as_it_is_written(self) -> None:
        for shell in SHELLS:
            with self.subTest(shell):
                self.assertEqual(
                    self.lines(shell),
                    [
                        "make run",
                        "python3 -m venv .venv",
                        "pip install -r requirements.txt",
                        "cp .env.example .env",
                        "flask db upgrade",
                        "flask create-admin boss@example.com --name Olivia Grant",
                        "make run",
                    ],
                )

    def test_no_document_has_a_comment_among_its_commands(self) -> None:
        for document in (config.ROOT / "README.md", *(config.ROOT / "docs").rglob("*.md")):
            words = [word for block in blocks(document.read_text()) for word in shlex.split(block)]
            self.assertEqual([word for word in words if word.startswith("#")], [], document)

    def test_what_a_shell_does_not_understand_is_noticed(self) -> None:
        for shell, script in (
            ("zsh", "ls # a comment"),
            ("zsh", "echo http://127.0.0.1/?page=1"),
            ("zsh", 'echo "well!done"'),
            ("bash", 'echo "well!done"'),
            ("bash", "false | true"),
        ):
            with self.subTest(shell, script=script), self.assertRaises(AssertionError):
                self.paste(shell, script, str(self.folder))
