"""Check out an earlier commit of this project in the same environment, to compare the current state with it."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.data import Shop

ROOT = Path(__file__).parents[1]


class Unavailable(Exception):
    """Why an earlier commit cannot be measured."""


@dataclass(frozen=True)
class Parent:
    """A commit, checked out in `folder`; `title` is its short id and subject."""

    folder: Path
    title: str

    def require_tables(self, shop: Shop) -> None:
        """Raises `Unavailable` where it needs other tables than the shop has."""
        command = (sys.executable, "-m", "flask", "db", "heads")
        environ = {**os.environ, **shop.environ}
        asked = subprocess.run(command, env=environ, cwd=self.folder, capture_output=True, text=True)
        if asked.returncode:
            raise Unavailable(f"it does not start here: {asked.stderr.strip()[-300:]}")
        heads = " ".join(sorted(line.split()[0] for line in asked.stdout.splitlines() if line.endswith("(head)")))
        if heads != shop.revision():
            raise Unavailable(f"its migrations end at {heads}, and those of the present state at {shop.revision()}")


@contextmanager
def checked_out(revision: str) -> Iterator[Parent]:
    """The commit in a worktree while the block runs. Raises `Unavailable` where git does not have it."""
    commit = _git("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    title = _git("log", "-1", "--format=%h %s", commit)
    with tempfile.TemporaryDirectory(prefix="bench-parent-") as scratch:
        folder = Path(scratch) / "checkout"
        _git("worktree", "add", "--detach", "--quiet", str(folder), commit)
        try:
            yield Parent(folder, title)
        finally:
            _git("worktree", "remove", "--force", str(folder))


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(("git", *arguments), cwd=ROOT, check=True, capture_output=True, text=True)
    except FileNotFoundError:
        raise Unavailable("git is not installed") from None
    except subprocess.CalledProcessError as error:
        raise Unavailable(error.stderr.strip() or "git does not know it") from None
    return done.stdout.strip()
