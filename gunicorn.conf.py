"""How gunicorn serves the application; the number of workers is WEB_CONCURRENCY (1 unless set)."""

from config import load

settings = load()

# In production the host's proxy calls from outside; anywhere else nobody but this machine does.
bind = f"{'0.0.0.0' if settings['APP_ENV'] == 'production' else '127.0.0.1'}:{settings['PORT']}"  # noqa: S104  # the proxy is on another host
worker_class = "gthread"
threads = settings["DATABASE_POOL_SIZE"]
timeout = 30
graceful_timeout = 25
keepalive = 65
limit_request_line = 8190  # the most that it reads
max_requests, max_requests_jitter = 2000, 200
control_socket_disable = True
