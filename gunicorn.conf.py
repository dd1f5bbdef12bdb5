"""How gunicorn serves the application: threads in a few processes, of which the machine's memory sets the number.

The application's modules are imported here, once: the workers share that memory, and the next one is there
in no time. SIGHUP reads the settings anew; new code needs a new start.
"""

import ctypes
import gc
import json
import logging
import os
import re
import secrets
import shutil
import socket
import struct
import sys
import tempfile
from itertools import count
from pathlib import Path

from gunicorn import util
from gunicorn.glogging import Logger
from gunicorn.http.errors import InvalidHeader, InvalidHTTPVersion, InvalidRequestLine

from app.core.http.bodies import MAX_DRAINED_BYTES
from app.core.logging import logs
from config import load

settings = load()

# In production the host's proxy calls from outside; anywhere else nobody but this machine does.
bind = f"{'0.0.0.0' if settings['APP_ENV'] == 'production' else '127.0.0.1'}:{settings['PORT']}"  # noqa: S104  # the proxy is on another host
worker_class = "gthread"
workers = settings["WEB_CONCURRENCY"]
threads = settings["THREADS"]
# A worker that says nothing for so long is killed; what is in flight when it is asked to stop has so long to end.
timeout = 30
graceful_timeout = 25
# Longer than the proxies in front keep theirs, so that it is never they who find one closed.
keepalive = 65
# A leak would take long to matter at this rate, and a new worker costs next to nothing.
max_requests, max_requests_jitter = 20_000, 2_000
# Heartbeats are written to a file: on a disk that is busy a worker would seem dead.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108  # gunicorn makes a file of its own there
control_socket_disable = True

# Nobody's word is taken for the address, the scheme and the path: what a proxy says of them is read by the application,
# as far as `TRUSTED_PROXIES` goes.
forwarded_allow_ips, forwarder_headers, secure_scheme_headers = "", "", {}

# What is larger is refused unread. The application itself refuses bodies of more than 1 MB.
limit_request_line = 8190
limit_request_fields = 64
limit_request_field_size = 8190

# For so long a client may send nothing in the midst of a request, or take nothing of its answer: it holds a thread.
SILENCE_SECONDS = 10


class Log(Logger):
    """gunicorn's own words in the form of ours, without the parts of a request that it quotes."""

    def setup(self, cfg):
        super().setup(cfg)
        self.error_log.setLevel(settings["LOG_LEVEL"])
        for handler in self.error_log.handlers:
            handler.setFormatter(logs.formatter(settings))

    def warning(self, msg, *args, **kwargs):
        if not msg.startswith("Invalid request from"):  # told below
            super().warning(msg, *args, **kwargs)

    def exception(self, msg, *args, **kwargs):
        if isinstance(sys.exc_info()[1], BlockingIOError):
            self.info("A client was silent for too long")
        elif "%s" in str(msg):
            super().exception(msg.partition(" %s")[0], **kwargs)
        else:
            super().exception(msg, *args, **kwargs)


logger_class = Log


def write_problem(client, status, reason, _quoted):
    """Answer what is no HTTP with a problem document too, where gunicorn's own page quotes what it could not read."""
    request_id = secrets.token_hex(16)
    slug = "server-error" if status == 500 else "bad-request"
    detail = "The request could not be read." if status != 500 else "Something failed on our side; it has been logged."
    body = {"type": f"/problems/{slug}", "title": reason, "status": status, "detail": detail, "request_id": request_id}
    text = json.dumps(body)
    head = {
        "Connection": "close",
        "Content-Type": "application/problem+json",
        "Content-Length": len(text),
        "X-Content-Type-Options": "nosniff",
        "X-Request-ID": request_id,
    }
    lines = [f"HTTP/1.1 {status} {reason}", *(f"{name}: {value}" for name, value in head.items()), "", text]
    told = {"request_id": request_id, "status": status}
    logging.getLogger("gunicorn.error").warning("Refused unread: %s", type(sys.exc_info()[1]).__name__, extra=told)
    util.write_nonblock(client, "\r\n".join(lines).encode())


util.write_error = write_problem


# To check a password takes 19 MiB for a moment. The C library would keep them for the next, once for each thread; to
# get them anew costs a sign-in some 10 ms, which is a quarter more, and halves the memory of a worker.
M_MMAP_THRESHOLD = -3
mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc's alone
if mallopt:
    mallopt(M_MMAP_THRESHOLD, 1 << 20)


def when_ready(server):
    gc.collect()
    gc.freeze()  # the collector would touch what the workers share, and so give each a copy
    patience = struct.pack("ll", SILENCE_SECONDS, 0)
    for listener in server.LISTENERS:  # whose connections inherit it
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            listener.sock.setsockopt(socket.SOL_SOCKET, option, patience)


# Metrics: the workers count in files of one folder. Each has a number, and who takes its place goes on with its files:
# there are never more of them than workers.
if settings["METRICS_TOKEN"] and os.environ.get("METRICS_OF") != str(os.getpid()):  # not again at a SIGHUP
    os.environ["METRICS_OF"] = str(os.getpid())
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="shop-metrics-", dir=worker_tmp_dir)


# RFC 3986 3.2.2, and the port of RFC 9110 4.2; a name may be empty.
HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]*)(:[0-9]{0,5})?", re.ASCII)


def require_host(req):
    """RFC 9112 3.2: a request says once and in good form whom it is for. gunicorn refuses what says it twice."""
    if req.version not in ((1, 0), (1, 1)):
        raise InvalidHTTPVersion(req.version)
    hosts = [value for name, value in req.headers if name == "HOST"]
    if (not hosts and req.version == (1, 1)) or not all(HOST.fullmatch(host) for host in hosts):
        raise InvalidHeader("HOST", req=req)
    if "://" in req.uri[:8]:  # the absolute form
        authority = req.uri.partition("://")[2].partition("/")[0].partition("?")[0]
        if hosts != [authority]:
            raise InvalidRequestLine(req.uri)


def pre_request(worker, req):
    require_host(req)
    # The application reads a body to its end, however it answers, but for one that is longer than anything it takes; of
    # one that comes in chunks nobody knows in time. Its connection is closed after the answer, which says so.
    for name, value in req.headers:
        if name == "TRANSFER-ENCODING" or (name == "CONTENT-LENGTH" and int(value) > MAX_DRAINED_BYTES):
            req.force_close()


def pre_fork(server, worker):
    taken = {other.number for other in server.WORKERS.values()}
    worker.number = next(number for number in count() if number not in taken)


def post_fork(server, worker):
    if settings["METRICS_TOKEN"]:
        from prometheus_client import values

        values.ValueClass = values.MultiProcessValue(lambda: worker.number)


def child_exit(server, worker):
    if settings["METRICS_TOKEN"]:
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(worker.number)


def on_exit(server):
    if settings["METRICS_TOKEN"]:
        shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)
