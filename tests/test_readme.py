"""README's tour works as it is pasted, against a demo shop served by gunicorn."""

import re
import subprocess
import unittest
from pathlib import Path

from app import create_app, demo
from app.extensions import db
from tests.live import serving
from tests.support import migrated, new_database, settings

README = (Path(__file__).parent.parent / "README.md").read_text()
DEMO_ADDRESS = "http://127.0.0.1:5000"


def commands(heading: str) -> str:
    """The shell commands under a heading of the README."""
    section = README.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return "\n".join(re.findall(r"```sh\n(.*?)```", section, re.DOTALL))


class Tour(unittest.TestCase):
    """The five-minute tour, from the first sign-in to the last page."""

    def test_every_command_works_and_the_story_holds(self) -> None:
        url = migrated(new_database())
        app = create_app(settings(DATABASE_URL=url))
        with app.app_context():
            demo.fill()
            db.engine.dispose()
        script = commands("A five-minute tour")
        self.assertIn(DEMO_ADDRESS, script)
        with serving(url) as (address, _log):
            shell = ["bash", "-euo", "pipefail", "-c", script.replace(DEMO_ADDRESS, address)]
            tour = subprocess.run(shell, capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(tour.returncode, 0, tour.stdout + tour.stderr)
        for fact in (
            '"quantity_on_hand":4',
            '"mechanics":[{"id":6,"name":"Nina Park"}]',
            "X-Total-Count: 7",
            'rel="prev"',
        ):
            self.assertIn(fact, tour.stdout)
