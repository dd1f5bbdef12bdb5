"""Fail where a pinned package has a known vulnerability that `.ci/audit.toml` does not pass over.

Arguments go to pip-audit, such as `--vulnerability-service osv`. Ends with 1 for a vulnerability and for an entry that
is past its date, and with 3 where the advisories could not be asked.
"""

import subprocess
import sys
import tomllib
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
REQUIREMENTS = HERE.parent / "requirements.txt"
FAILED, UNANSWERED = 1, 3


class Ignored(NamedTuple):
    """An advisory that does not concern this application, why, and the day from which that is to be looked at again."""

    advisory: str
    package: str
    until: date
    reason: str


def read(text: str) -> list[Ignored]:
    """The entries of the file. Raises `TypeError` where one lacks something or has more."""
    return [Ignored(**entry) for entry in tomllib.loads(text)["ignored"]]


def overdue(entries: list[Ignored], today: date) -> list[str]:
    """What to say of the entries whose day has come."""
    return [
        f"{entry.advisory} ({entry.package}) was passed over until {entry.until}: see whether there is a fix now, and "
        "whether the reason in .ci/audit.toml still holds."
        for entry in entries
        if entry.until <= today
    ]


def audit(entries: list[Ignored], options: list[str]) -> int:
    """Run pip-audit over what is pinned; returns the exit code."""
    ignored = [f"--ignore-vuln={entry.advisory}" for entry in entries]
    pinned = ["--strict", "--disable-pip", "--require-hashes", f"--requirement={REQUIREMENTS}"]
    command = [sys.executable, "-m", "pip_audit", "--progress-spinner=off", *pinned, *ignored, *options]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    print(done.stdout, end="")
    if done.returncode and not done.stdout.strip():  # where it found something, it lists that
        print("Nothing was audited: the advisories could not be asked.", file=sys.stderr)
        return UNANSWERED
    return FAILED if done.returncode else 0


def main(options: list[str]) -> int:
    """Audit; returns the exit code."""
    entries = read((HERE / "audit.toml").read_text())
    late = overdue(entries, datetime.now(UTC).date())
    for line in late:
        print(line, file=sys.stderr)
    return audit(entries, options) or (FAILED if late else 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
