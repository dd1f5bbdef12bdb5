"""The sender: a thread of each serving process that delivers mail, woken after each commit that queued some."""

import atexit
import logging
import os
import threading
import time

from flask import Flask, current_app

from app.core.database.transaction import Changes, committed
from app.mail import delivery
from app.models import Mail

log = logging.getLogger(__name__)

# How often it looks for mails that nobody told it of: those that another process left when it ended.
LOOK_SECONDS = 60.0
PURGE_SECONDS = 24 * 3600.0
# How long the end of the process waits for a mail that is being sent.
PATIENCE_SECONDS = 15.0
SENDER = "shop.mail_sender"


def start(app: Flask) -> None:
    """Deliver mail in this process from now on, until it ends; do nothing where `SMTP_URL` is not set."""
    if app.config["SMTP_URL"] is not None:
        app.extensions[SENDER] = sender = Sender(app)
        sender.wake()
        atexit.register(sender.stop)


class Sender:
    """A thread that delivers mail."""

    def __init__(self, app: Flask) -> None:
        self._app, self._process, self._purge_at = app, 0, 0.0
        self._wake, self._stopping = threading.Event(), threading.Event()

    def wake(self) -> None:
        """Deliver what is due now. Start the thread where this process has none: one does not survive a fork."""
        if self._process != os.getpid():
            self._process = os.getpid()
            self._thread = threading.Thread(target=self._run, name="mail", daemon=True)
            self._thread.start()
        self._wake.set()

    def stop(self) -> None:
        """End the thread, after the mail that it is sending."""
        self._stopping.set()
        self._wake.set()
        if self._process == os.getpid():
            self._thread.join(PATIENCE_SECONDS)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            wait = self._deliver()
            self._wake.wait(min(LOOK_SECONDS if wait is None else wait, LOOK_SECONDS))

    def _deliver(self) -> float | None:
        """Deliver what is due. Return the seconds until more is; None for unknown."""
        try:
            with self._app.app_context():
                self._purge()
                return delivery.deliver_due(self._stopping.is_set)
        except Exception as error:
            # Such as a database that is away. Not its text, which might quote an address.
            log.warning("Mail waits: %s", type(error).__name__)
            return None

    def _purge(self) -> None:
        if time.monotonic() >= self._purge_at:
            delivery.purge()
            self._purge_at = time.monotonic() + PURGE_SECONDS


@committed.connect
def _wake_sender(changes: Changes) -> None:
    """Wake the process's sender, if it has one."""
    sender: Sender | None = current_app.extensions.get(SENDER)
    if sender is not None and Mail in changes.inserted:
        sender.wake()
