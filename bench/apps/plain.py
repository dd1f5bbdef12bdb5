"""How gunicorn serves the others: as many threads, and nothing of this project's own."""

worker_class = "gthread"
threads = 4
keepalive = 65
control_socket_disable = True
