"""Deploy one commit to Render and wait until it is live; ends with 1 and a reason where it does not get there.

Reads RENDER_SERVICE_ID, RENDER_API_KEY and GITHUB_SHA; for tests also RENDER_API_URL, DEPLOY_SECONDS and
DEPLOY_POLL_SECONDS. Runs on the Python of the runner, with nothing installed.
"""

import json
import os
import sys
import time
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener

# Any other status is on the way to one of these.
LIVE = "live"
ENDED = {"build_failed", "pre_deploy_failed", "update_failed", "canceled", "deactivated"}
TIMEOUT_SECONDS = 30
# A deploy that is only queued has no id yet; it is found among the latest, created since the request but for this.
SKEW = timedelta(minutes=1)


class Failed(Exception):
    """The commit is not live; the message says why."""


class Answer(NamedTuple):
    """What Render said: its JSON, None where it said nothing, and when."""

    body: Any
    at: datetime


class NoRedirects(HTTPRedirectHandler):
    """The key is for one host alone."""

    def redirect_request(self, *_: Any) -> None:
        """Follow none: it becomes an error."""


class Render:
    """The deploys of one service, and how long there is left to wait for one."""

    def __init__(self, environ: dict[str, str]) -> None:
        """Raises `Failed` where a secret is missing."""
        for name in ("RENDER_SERVICE_ID", "RENDER_API_KEY", "GITHUB_SHA"):
            if not environ.get(name):
                raise Failed(f"{name} is not set.")
        base = environ.get("RENDER_API_URL") or "https://api.render.com/v1"
        self._deploys = f"{base.rstrip('/')}/services/{environ['RENDER_SERVICE_ID']}/deploys"
        self._key = environ["RENDER_API_KEY"]
        self._open = build_opener(NoRedirects).open
        self._pause = float(environ.get("DEPLOY_POLL_SECONDS") or 10)
        self._deadline = time.monotonic() + float(environ.get("DEPLOY_SECONDS") or 15 * 60)

    def deploy(self, commit: str) -> str:
        """The id of a new deploy of the commit."""
        answer = self._ask("", {"commitId": commit})
        if answer.body:
            return str(answer.body["id"])
        while not (found := self._queued(commit, answer.at - SKEW)):
            self._sleep(self._pause)
        return found

    def _queued(self, commit: str, since: datetime) -> str | None:
        for item in self._ask("?limit=20").body:
            deploy = item["deploy"]
            if deploy["commit"]["id"] == commit and datetime.fromisoformat(deploy["createdAt"]) >= since:
                return str(deploy["id"])
        return None

    def wait(self, deploy: str) -> None:
        """Until it is live, telling each state that it passes. Raises `Failed`."""
        told = None
        while (status := self._ask(f"/{deploy}").body["status"]) != LIVE:
            if status != told:
                print(f"{deploy}: {status}", flush=True)
            if status in ENDED:
                raise Failed(f"The deploy ended as {status}; its log is in Render's dashboard.")
            told = status
            self._sleep(self._pause)
        print(f"{deploy}: {LIVE}")

    def _ask(self, path: str, body: dict[str, str] | None = None) -> Answer:
        """What Render answers, asked again where it is busy or away. Raises `Failed`."""
        headers = {
            "Authorization": f"Bearer {self._key}",
            "Accept": "application/json",
            "Content-Type": "application/json",
        }
        data = json.dumps(body).encode() if body else None
        request = Request(self._deploys + path, data, headers)  # noqa: S310  # the address is the workflow's own
        while True:
            pause = self._pause
            try:
                with self._open(request, timeout=min(TIMEOUT_SECONDS, self._left())) as response:
                    text = response.read()
                    return Answer(json.loads(text) if text.strip() else None, _when(response.headers["Date"]))
            except HTTPError as error:
                with error:
                    if error.code != 429 and error.code < 500:
                        raise Failed(f"Render refused: {error.code} {error.reason}") from None
                    print(f"Render answered {error.code}; asking again", flush=True)
                    pause = _seconds(error.headers["Retry-After"]) or pause
            except (OSError, HTTPException, ValueError) as error:  # away, cut off, or no JSON
                print(f"Render did not answer ({type(error).__name__}); asking again", flush=True)
            self._sleep(pause)

    def _sleep(self, seconds: float) -> None:
        time.sleep(min(seconds, self._left()))

    def _left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise Failed("The deploy did not become live in time.")
        return left


def _when(date: str | None) -> datetime:
    return parsedate_to_datetime(date) if date else datetime.now(UTC)


def _seconds(retry_after: str | None) -> float:
    return float(retry_after) if retry_after and retry_after.isdigit() else 0


def main() -> None:
    """Deploy, and wait."""
    try:
        render = Render(dict(os.environ))
        deploy = render.deploy(os.environ["GITHUB_SHA"])
        print(f"{deploy}: commit {os.environ['GITHUB_SHA']}", flush=True)
        render.wait(deploy)
    except Failed as reason:
        sys.exit(str(reason))


if __name__ == "__main__":
    main()
