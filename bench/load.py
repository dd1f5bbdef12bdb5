"""The client: a separate process that sends requests on a few connections, one after the other on each.

It reads its task (`Load`, as JSON) from standard input and prints its results (`Seen`). It uses one thread and plain
sockets, to leave as much of the machine as possible to the server.
"""

import json
import selectors
import socket
import subprocess
import sys
import time
from dataclasses import asdict, dataclass


@dataclass
class Load:
    """Send `requests`, whole HTTP messages, in turn and around, for so many seconds."""

    port: int
    requests: list[str]
    seconds: float
    connections: int = 4


@dataclass
class Seen:
    """How many answers came, in what time, how long they took in milliseconds, and the first that was no success."""

    requests: int
    seconds: float
    p50: float
    p99: float
    failed: str = ""


def run(load: Load) -> Seen:
    """Let a process of its own do it. Raises `RuntimeError` with the first answer that was no success."""
    command = (sys.executable, "-m", "bench.load")
    client = subprocess.run(command, input=json.dumps(asdict(load)), stdout=subprocess.PIPE, text=True, check=True)
    seen = Seen(**json.loads(client.stdout))
    if seen.failed:
        raise RuntimeError(f"A request failed:\n{seen.failed}")
    return seen


class _Connection:
    """One request at a time; the next is sent as soon as an answer is complete."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""
        self.length = 0
        self.sent_at = 0.0

    def send(self, request: bytes) -> None:
        self.received, self.length = b"", 0
        self.sent_at = time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> bool:
        """Take what is there; whether the answer is complete."""
        data = self.socket.recv(262_144)
        if not data:
            raise ConnectionError("the server closed the connection")
        self.received += data
        if not self.length:
            head, found, _ = self.received.partition(b"\r\n\r\n")
            if not found:
                return False
            body = head.lower().partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0]
            self.length = len(head) + 4 + int(body or 0)
        return len(self.received) >= self.length


def _keep_busy(load: Load) -> Seen:
    requests = [request.encode() for request in load.requests]
    took: list[float] = []
    selector = selectors.DefaultSelector()
    number = 0
    started = time.perf_counter()
    until = started + load.seconds
    for _ in range(load.connections):
        connection = _Connection(load.port)
        selector.register(connection.socket, selectors.EVENT_READ, connection)
        connection.send(requests[number % len(requests)])
        number += 1
    busy = load.connections
    while busy:
        for key, _ in selector.select():
            connection = key.data
            if not connection.receive():
                continue
            finished = time.perf_counter()
            took.append(finished - connection.sent_at)
            if not connection.received.startswith(b"HTTP/1.1 2"):
                return Seen(len(took), finished - started, 0, 0, connection.received.decode(errors="replace"))
            if finished < until:
                connection.send(requests[number % len(requests)])
                number += 1
            else:
                busy -= 1
    elapsed = time.perf_counter() - started
    took.sort()
    return Seen(len(took), elapsed, 1000 * took[len(took) // 2], 1000 * took[min(len(took) - 1, int(len(took) * 0.99))])


if __name__ == "__main__":
    print(json.dumps(asdict(_keep_busy(Load(**json.load(sys.stdin))))))
