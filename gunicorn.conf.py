"""gunicorn's configuration: threads in a few processes, whose number depends on the machine's memory.

This file imports the application's modules once: the workers share that memory, and a new one starts quickly. SIGHUP
reads the settings again; new code needs a restart.
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

from app.commands import start
from app.core.http.bodies import MAX_DRAINED_BYTES
from app.core.logging import logs
from config import ConfigError, load

try:
    settings = load()
    if os.environ.get("SERVER_OF") != str(os.getpid()):  # skipped at a SIGHUP: what serves goes on
        os.environ["SERVER_OF"] = str(os.getpid())
        start.check(settings)
except (ConfigError, start.NotStarted) as error:
    sys.exit(f"Error: {error}")

if settings["REDIS_URL"]:
    import redis  # noqa: F401  # so that the workers share it

# In production the proxy connects from another host; otherwise only this machine connects.
bind = f"{'0.0.0.0' if settings['APP_ENV'] == 'production' else '127.0.0.1'}:{settings['PORT']}"  # noqa: S104  # the proxy is on another host
worker_class = "gthread"
workers = settings["WEB_CONCURRENCY"]
threads = settings["THREADS"]
# The master kills a worker without a heartbeat for `timeout` seconds; a stopping worker has `graceful_timeout` seconds
# to finish its requests.
timeout = 30
graceful_timeout = 25
# Longer than the keep-alive of proxies, so that a proxy never sends a request on a connection that was just closed.
keepalive = 65
# Bounds memory leaks; a new worker is cheap.
max_requests, max_requests_jitter = 20_000, 2_000
# Heartbeats are written to a file: on a busy disk a worker would seem dead.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108  # gunicorn creates a temporary file there
control_socket_disable = True

# gunicorn trusts no forwarding headers; the application reads them, as far as `TRUSTED_PROXIES` allows.
forwarded_allow_ips, forwarder_headers, secure_scheme_headers = "", "", {}

# Larger requests are refused unread. The application itself refuses bodies of more than 1 MB.
limit_request_line = 8190
limit_request_fields = 64
limit_request_field_size = 8190

# How long a client may send nothing within a request, or accept nothing of its response: it occupies a thread.
SILENCE_SECONDS = 10


class Log(Logger):
    """gunicorn's log in the application's format, without the parts of requests that gunicorn quotes."""

    def setup(self, cfg):
        super().setup(cfg)
        self.error_log.setLevel(settings["LOG_LEVEL"])
        for handler in self.error_log.handlers:
            handler.setFormatter(logs.formatter(settings))

    def warning(self, msg, *args, **kwargs):
        if not msg.startswith("Invalid request from"):  # `write_problem` logs it
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
    """Answer malformed HTTP with a problem document; gunicorn's own page quotes what it could not parse."""
    request_id = secrets.token_hex(16)
    slug = "server-error" if status == 500 else "bad-request"
    detail = "The request could not be read." if status != 500 else "Something failed on our side; it has been logged."
    body = {"type": f"/problems/{slug}", "title": reason, "status": status, "detail": detail, "request_id": request_id}
    text = json.dumps(body) + "\n"
    head = {
        "Connection": "close",
        "Content-Type": "application/problem+json",
        "Content-Length": len(text),
        "X-Content-Type-Options": "nosniff",
        "X-Request-ID": request_id,
    }
    lines = [f"HTTP/1.1 {status} {reason}", *(f"{name}: {value}" for name, value in head.items()), "", text]
    fields = {"request_id": request_id, "status": status}
    logging.getLogger("gunicorn.error").warning("Refused unread: %s", type(sys.exc_info()[1]).__name__, extra=fields)
    util.write_nonblock(client, "\r\n".join(lines).encode())


util.write_error = write_problem


# Verifying a password takes 19 MiB for a moment. glibc would keep them for the next one, once per thread. Allocating
# them each time costs a sign-in some 10 ms, a quarter more, and halves a worker's memory.
M_MMAP_THRESHOLD = -3
mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc only
if mallopt:
    mallopt(M_MMAP_THRESHOLD, 1 << 20)


def when_ready(server):
    gc.collect()
    gc.freeze()  # the collector would write to shared pages and so copy them to each worker
    socket_timeout = struct.pack("ll", SILENCE_SECONDS, 0)
    for listener in server.LISTENERS:  # accepted connections inherit the options
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            listener.sock.setsockopt(socket.SOL_SOCKET, option, socket_timeout)


# Metrics: each worker writes files with its number in one folder. A replacement takes over the number and its files, so
# there are never more files than workers.
if settings["METRICS_TOKEN"] and os.environ.get("METRICS_OF") != str(os.getpid()):  # skipped at a SIGHUP
    os.environ["METRICS_OF"] = str(os.getpid())
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="shop-metrics-", dir=worker_tmp_dir)


# RFC 3986 3.2.2, with the port of RFC 9110 4.2; the name may be empty.
HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]*)(:[0-9]{0,5})?", re.ASCII)


def require_host(req):
    """Require one well-formed Host header (RFC 9112 3.2). gunicorn itself refuses a repeated one."""
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
    # The application drains every body up to `MAX_DRAINED_BYTES`. A longer body, or a chunked one, whose length is not
    # known in time, has its connection closed after the response, which says so.
    for name, value in req.headers:
        if name == "TRANSFER-ENCODING" or (name == "CONTENT-LENGTH" and int(value) > MAX_DRAINED_BYTES):
            req.force_close()


def pre_fork(server, worker):
    used_numbers = {other.number for other in server.WORKERS.values()}
    worker.number = next(number for number in count() if number not in used_numbers)


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
