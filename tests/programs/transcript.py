"""Whether two revisions answer the same, byte for byte: ``python -m tests.programs.transcript --against HEAD``.

A change of the code's shape changes no answer. Each revision serves a demo shop of its own, as `make run` does. The
requests are README's tour and those of `transcript_requests`. What chance and the clock decide is replaced by its kind;
tokens, tags and the like are told apart by the request that first showed them, so that each must stand in the same
places. The exit code is 1 where anything differs, or where an operation was not both done and refused.
"""

import argparse
import hashlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import unified_diff
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import count, zip_longest
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

from click import echo
from dotenv import dotenv_values

from tests.programs.transcript_requests import read_and_refuse, tell
from tests.support import MAIL
from tests.support.live import free_port

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
DOCUMENT = Path("docs/openapi.json")
HOST = "127.0.0.1:5000"  # as README has it, whatever the port is
SETTINGS = {
    "APP_ENV": "testing",
    "SECRET_KEY": hashlib.sha256(b"transcript").hexdigest(),
    "CORS_ORIGINS": "https://desk.example.com",
    "WEB_CONCURRENCY": "1",
    "THREADS": "64",  # so that an export finds a place though the last one's is given back after its end was sent
    "DATABASE_POOL_SIZE": "8",
    **{f"RATELIMIT_{name}": "1000000 per day" for name in ("PER_CLIENT", "WRITES", "LOGIN", "EXPORTS", "SIGN_UP")},
    **{f"RATELIMIT_{name}": "1000000 per day" for name in ("RESETS", "RESETS_PER_ADDRESS")},
    **MAIL,
    "RATELIMIT_GUESSES": "10 per day",
    "PYTHONHASHSEED": "0",  # `Allow` is a set
}
# What chance and the clock decide. Of a tag that is the hash, in which there may be times; the version is compared.
UNSTABLE = {
    "time": r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?|(?<=^Date: ).*|(?<=^Retry-After: )\d+"
    r"|(?<=Come back in )\d+|(?<=again in )\d+"
    r"|(?<=CreationDate \(D:)\d{14}",
    "request": r"\b[0-9a-f]{32}\b",
    "tag": r"(?<=[\"-])[0-9a-f]{16}(?=\")",
    "token": r"\beyJ[\w-]+\.[\w-]+\.[\w-]+|(?<=\"token\":\")[\w-]{43}(?=\")"
    r"|(?<=/approve/)[\w-]{43}|(?<=/approvals/)[\w-]{43}",
    "device": r"(?<=^X-Device: )\S+",
    "cursor": r"(?<=cursor=)[^&>\"]+",
    "file": r"(?<=<)[0-9A-F]{32}(?=>)",
}
UNSTABLE_TEXT = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in UNSTABLE.items()), re.MULTILINE)


class Entry(NamedTuple):
    """A request as method and target; the status, 0 for a file; all that was answered, what is unstable replaced."""

    request: str
    status: int
    text: str


class Answer(NamedTuple):
    """A status, the headers in their order, and the body."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        """The header, or nothing."""
        return dict(self.headers).get(name, "")


def _sorted(document: bytes) -> bytes:
    """The OpenAPI document in the order of names: in which order packages register their routes says nothing."""
    return json.dumps(json.loads(document), sort_keys=True).encode() if document else document


class Client:
    """Sends requests to one server, as people who are signed in, and keeps a transcript."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.transcript: list[Entry] = []
        self.last = Answer(0, [], b"")
        self._tokens: dict[str, str] = {}
        self._labels: dict[str, str] = {}

    def sign_in(self, who: str, kind: str, email: str, password: str) -> None:
        """Send what follows as `who` with a new token."""
        signed_in = self.ask("", "POST", f"/{kind}/login", {"email": email, "password": password})
        self._tokens[who] = signed_in.get("token", "")

    def ask(self, who: str, method: str, target: str, sent: Any = None, **headers: str) -> Any:
        """The JSON of the answer, `{}` where it is none; what is sent is JSON, unless it is bytes.

        A header is named with `_` for `-`.
        """
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if self._tokens.get(who):
            given["Authorization"] = f"Bearer {self._tokens[who]}"
        if sent is not None:
            given.setdefault("Content-Type", "application/json")
        body = sent if isinstance(sent, bytes) or sent is None else json.dumps(sent).encode()
        answer = self.send(method, target, given, body)
        return json.loads(answer.body) if answer.body and "json" in answer.header("Content-Type") else {}

    def send(self, method: str, target: str, headers: dict[str, str], body: bytes | None) -> Answer:
        """Send the request, and write down what is answered."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, target, body, {**headers, "Host": HOST})
        response = connection.getresponse()
        self.last = Answer(response.status, response.getheaders(), response.read())
        connection.close()
        head = [f"{response.status} {response.reason}", *(f"{name}: {value}" for name, value in self.last.headers)]
        body = _sorted(self.last.body) if target == "/openapi.json" else self.last.body
        self.note(f"{method} {target}", response.status, "\n".join([*head, "", ""]).encode() + body)
        return self.last

    def note(self, request: str, status: int, text: bytes) -> None:
        """Add an entry to the transcript."""
        new: defaultdict[str | None, Iterator[int]] = defaultdict(lambda: count(1))

        def label(match: re.Match[str]) -> str:
            kind, number = match.lastgroup, len(self.transcript) + 1
            if kind == "time":
                return "<time>"
            if match[0] not in self._labels:
                self._labels[match[0]] = f"<{kind} {number}.{next(new[kind])}>"
            return self._labels[match[0]]

        stable = [UNSTABLE_TEXT.sub(label, part) for part in (request, text.decode(errors="backslashreplace"))]
        self.transcript.append(Entry(stable[0], status, stable[1]))


@contextmanager
def recording(client: Client) -> Iterator[str]:
    """The address of a proxy that sends all it gets as `client`, for programs that send their requests themselves."""

    class Proxy(BaseHTTPRequestHandler):
        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline()
            if not self.parse_request():
                return
            length = int(self.headers.get("Content-Length", 0))
            answer = client.send(self.command, self.path, dict(self.headers), self.rfile.read(length) or None)
            self.send_response_only(answer.status)
            for name, value in answer.headers:
                if name not in ("Transfer-Encoding", "Connection"):
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)
            self.close_connection = True

    with HTTPServer(("127.0.0.1", 0), Proxy) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


@contextmanager
def serving(tree: Path, folder: Path, **rates: str) -> Iterator[int]:
    """The port of the demo shop that the code in `tree` makes and serves; its database and its log are in `folder`."""
    unset = dict.fromkeys(dotenv_values(tree / ".env"), "")  # only one of the trees may have it
    environ = {"PATH": os.environ["PATH"], **unset, **SETTINGS, **rates, "DATABASE_URL": f"sqlite:///{folder}/shop.db"}
    environ["PORT"] = str(free_port())  # it serves on the one below, but asks whether this one is free
    with (folder / "log").open("wb") as log, socket.create_server(("127.0.0.1", 0)) as listener:
        started: dict[str, Any] = {"cwd": tree, "env": environ, "stdout": log, "stderr": log}
        if subprocess.run([sys.executable, "-m", "flask", "prepare"], check=False, **started).returncode:
            sys.exit(f"{tree} made no shop:\n{(folder / 'log').read_text()}")
        command = [sys.executable, "-m", "gunicorn", "flask_app:app", f"--bind=fd://{listener.fileno()}"]
        server = subprocess.Popen(command, pass_fds=[listener.fileno()], **started)
        port = listener.getsockname()[1]
    try:
        yield port  # calls wait in the queue of the socket until it is served, and are refused where the server ends
    except OSError:
        sys.exit(f"{tree} was not served to the end:\n{(folder / 'log').read_text()}")
    finally:
        server.terminate()
        server.wait(60)


def record(tree: Path) -> list[Entry]:
    """The transcript of all requests, sent to a demo shop of the code in `tree`, and the committed document."""
    tour = README.split("\n## A five-minute tour\n")[1].split("\n## ")[0]
    start, script = "".join(re.findall(r"```sh\n(.*?)```", tour, re.DOTALL)).split("\nmake run\n")
    script = script.replace("run=$(date +%s)", "run=1")  # what makes its names unlike those of another run
    rates = dict(pair.split("=") for pair in start.split()[1:])
    with tempfile.TemporaryDirectory() as folder, serving(tree, Path(folder), **rates) as port:
        client = Client(port)
        with recording(client) as address:
            shell = ["bash", "-c", script.replace(f"http://{HOST}", address)]
            subprocess.run(
                shell, cwd=folder, capture_output=True, timeout=120, check=False
            )  # what went wrong stands in the transcript
        tell(client)
        read_and_refuse(client, json.loads((ROOT / DOCUMENT).read_text()))
    client.note(str(DOCUMENT), 0, (tree / DOCUMENT).read_bytes())
    return client.transcript


def differences(before: list[Entry], after: list[Entry], names: tuple[str, str]) -> Iterator[str]:
    """The lines of a unified diff for each request that was answered otherwise; JSON has a line a member there."""
    for number, pair in enumerate(zip_longest(before, after, fillvalue=Entry("nothing", 0, "")), 1):
        if pair[0] != pair[1]:
            files = (f"{name}: {number}. {entry.request}" for name, entry in zip(names, pair, strict=True))
            old, new = (re.sub(r'(?<=[,\[{])(?=["{])', "\n", entry.text).split("\n") for entry in pair)
            for line in unified_diff(old, new, *files, lineterm=""):
                yield line.encode("unicode_escape").decode()


def coverage(transcript: list[Entry]) -> tuple[int, list[str]]:
    """How many operations the document has, and which of them were not both done and refused."""
    paths = json.loads((ROOT / DOCUMENT).read_text())["paths"]
    operations = {f"{method.upper()} {path}" for path in paths for method in paths[path] if method != "parameters"}
    seen = set()
    for entry in transcript:
        asked = entry.request.partition("?")[0]
        fits = (name for name in operations if re.fullmatch(re.sub(r"{\w+}", "[^/]+", name), asked))
        seen.add((min(fits, key=lambda name: name.count("{"), default=""), entry.status // 100))
    return len(operations), sorted(name for name in operations if not {(name, 2), (name, 4)} <= seen)


@contextmanager
def checked_out(revision: str | None) -> Iterator[Path]:
    """The folder of the revision, removed afterwards; the work tree where there is none."""
    if revision is None:
        yield ROOT
        return
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        subprocess.run(["git", "worktree", "add", "--quiet", "--detach", tree, revision], cwd=ROOT, check=True)
        try:
            yield tree
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", tree], cwd=ROOT, check=True)


def main() -> int:
    """Compare two revisions; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.programs.transcript")
    parser.add_argument("--against", default="HEAD", help="the revision before (HEAD)")
    parser.add_argument("--revision", help="the revision after (the work tree as it is)")
    parser.add_argument("--write", type=Path, metavar="FILE", help="keep the transcript of the revision after")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the servers end with us
    with checked_out(options.against) as old, checked_out(options.revision) as new:
        before, after = record(old), record(new)
    text = "".join(f"{number}. {entry.request}\n{entry.text}\n\n" for number, entry in enumerate(after, 1))
    if options.write:
        options.write.write_text(text)
    for line in differences(before, after, (options.against, options.revision or "work tree")):
        echo(line)
    total, missing = coverage(after)
    for name in missing:
        echo(f"Not both done and refused: {name}")
    done = f"{len(after) - 1} requests, {total - len(missing)} of {total} operations both done and refused"
    if before != after:
        echo(f"{sum(one != other for one, other in zip_longest(before, after))} answers differ: {done}")
    else:
        echo(f"identical: {done}, {DOCUMENT}; sha256 {hashlib.sha256(text.encode()).hexdigest()}")
    return 1 if missing or before != after else 0


if __name__ == "__main__":
    sys.exit(main())
