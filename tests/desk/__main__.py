"""Try the desk in Chromium, over a real server on a new demo shop: ``python -m tests.desk [NAME ...]``.

A program and no unit test; it needs Node.js and Chromium (`CHROMIUM` says where, /usr/bin/chromium unless given). Each
tests/desk/NAME.spec.mjs runs by itself, on a demo shop of its own; it starts and stops its servers (`server.mjs`). The
shops are on SQLite, or on the PostgreSQL of `TEST_DATABASE_URL`. Exits with 1 where a test fails.
"""

import os
import subprocess
import sys
from pathlib import Path

from click import echo

from app import create_app
from app.commands import demo
from app.extensions import db
from tests.support import new_database, new_migrated_database, settings

HERE = Path(__file__).parent
SPECS = {path.name.removesuffix(".spec.mjs"): path for path in sorted(HERE.glob("*.spec.mjs"))}


def demo_database() -> str:
    """The address of a new database with the demo shop."""
    database = new_migrated_database()
    app = create_app(settings(DATABASE_URL=database))
    with app.app_context():
        demo.fill(app.config["SHOP_RATES"])
        db.engine.dispose()
        db.engines["reads"].dispose()
    return database


def run(path: Path, database: str, **more: str) -> bool:
    """Whether all tests of the file pass, in an environment with `more`."""
    environ = {**os.environ, "DATABASE_URL": database, "PYTHON": sys.executable, "PASSWORD": demo.PASSWORD, **more}
    return subprocess.run(["node", "--test-reporter=spec", path], env=environ, check=False).returncode == 0


def main(names: list[str]) -> int:
    """The exit code."""
    if unknown := set(names) - SPECS.keys():
        echo(f"There is no {', '.join(sorted(unknown))}; there are {', '.join(SPECS)}.")
        return 2
    template = demo_database()
    failed = [name for name in names or SPECS if not run(SPECS[name], new_database(template))]
    echo(f"Failed: {', '.join(failed)}" if failed else f"{len(names or SPECS)} files passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
