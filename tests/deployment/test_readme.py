"""README's tour works as it is pasted, against a demo shop served by gunicorn."""

import re
import subprocess
import tempfile
import unittest
from pathlib import Path

from app import create_app
from app.commands import demo
from app.extensions import db
from tests.support import new_migrated_database, settings
from tests.support.live import serving

README = (Path(__file__).parents[2] / "README.md").read_text()
# What the tour shows along the way.
FACTS = (
    '"mechanics":[{"id":6,"name":"Nina Park"}]',
    '"make":"Honda"',
    '"quantity_reserved":2,"quantity_available":4',
    "299.41\n",
    '"declined":[{"name":"Rear struts","total":"',
    '"status":"paid"',
    '"balance":"0.00"',
    "'why': ['phone']",
    '"created":0,"updated":1,"unchanged":',
    "304\n",
    "412\n",
    "X-Total-Count: 8",
    'rel="prev"',
)
DEMO_ADDRESS = "http://127.0.0.1:5000"


def commands(heading: str) -> str:
    """The shell commands under a heading of the README."""
    section = README.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return "\n".join(re.findall(r"```sh\n(.*?)```", section, re.DOTALL))


class Tour(unittest.TestCase):
    """The five-minute tour, from the first sign-in to the last page."""

    def test_every_command_works_and_the_story_holds(self) -> None:
        url = new_migrated_database()
        app = create_app(settings(DATABASE_URL=url))
        with app.app_context():
            demo.fill(app.config["SHOP_RATES"])
            db.engine.dispose()
        start, script = commands("A five-minute tour").split("\nmake run\n")
        rates = dict(pair.split("=") for pair in start.split()[1:])
        self.assertIn(DEMO_ADDRESS, script)
        with serving(url, **rates) as (address, _log), tempfile.TemporaryDirectory() as folder:
            shell = ["bash", "-euo", "pipefail", "-c", script.replace(DEMO_ADDRESS, address)]
            tour = subprocess.run(shell, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
            self.assertEqual(tour.returncode, 0, tour.stdout + tour.stderr)
            self.assertTrue((Path(folder) / "invoice.pdf").read_bytes().startswith(b"%PDF"))
        told = tour.stdout.replace('" : ', '":').replace(', "', ',"')  # as SQLite spaces JSON
        for fact in FACTS:
            self.assertIn(fact, told)
        for figure in re.findall(r"(\d+\.\d\d)\*{0,2} \|\n", README):
            self.assertIn(f"'{figure}'", tour.stdout)  # the example worked by hand, line by line
