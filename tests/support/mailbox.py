"""A real SMTP server on the loopback interface, and tests of an application that mails to it."""

import asyncio
import logging
import re
import socket
from collections.abc import Awaitable
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from queue import Queue
from threading import Event
from typing import Any

from aiosmtpd.controller import Controller

from app.extensions import db
from app.mail import delivery
from app.models import Mail
from tests.support.instruments import OwnAppTest

# The server logs what it gets: it stands for another machine, whose log is not the application's.
logging.getLogger("mail.log").disabled = True
TOKEN = re.compile(r"^([\w-]{43})\r?$", re.M)
# How long a test waits for what another thread or process does, before it fails.
PATIENCE_SECONDS = 30


class _OnSocket(Controller):
    """aiosmtpd on a socket that is bound already, so that nobody else can have taken its port."""

    def __init__(self, listener: socket.socket, handler: Any, **options: Any) -> None:
        self._listener = listener
        super().__init__(handler, hostname="127.0.0.1", port=listener.getsockname()[1], **options)

    def _create_server(self) -> Awaitable[Any]:
        return self.loop.create_server(self._factory_invoker, sock=self._listener, ssl=self.ssl_context)


class Mailbox:
    """An SMTP server that keeps what it gets in `mails`, and can be away. `options` are those of aiosmtpd."""

    def __init__(self, **options: Any) -> None:
        self.mails: Queue[EmailMessage] = Queue()
        # What it answers to a recipient, to a text and to the goodbye; empty: yes.
        self.to_recipient = self.to_text = self.to_goodbye = ""
        # The first is set when a text has come; it is answered while the second is set.
        self.receiving, self.may_answer = Event(), Event()
        self.may_answer.set()
        self.port, self._options, self._server = 0, options, None
        self.start()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Accept mail, at the same port as before."""
        listener = socket.create_server(("127.0.0.1", self.port))
        self.port = listener.getsockname()[1]
        self._server = _OnSocket(listener, self, **self._options)
        self._server.start()

    def stop(self) -> None:
        """Refuse connections."""
        if self._server is not None:
            self._server.stop()
            self._server = None

    def all(self) -> list[EmailMessage]:
        """The mails that have come since they were read last."""
        return [self.mails.get_nowait() for _ in range(self.mails.qsize())]

    def next(self) -> EmailMessage:
        """The next mail, which another thread or process sends."""
        return self.mails.get(timeout=PATIENCE_SECONDS)

    # What aiosmtpd calls.

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:
        if not self.to_recipient:
            envelope.rcpt_tos.append(address)
        return self.to_recipient or "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        self.receiving.set()
        await asyncio.get_running_loop().run_in_executor(None, self.may_answer.wait)
        if not self.to_text:
            message: Any = message_from_bytes(envelope.content, policy=default)
            message.recipients = list(envelope.rcpt_tos)
            self.mails.put(message)
        return self.to_text or "250 OK"

    async def handle_QUIT(self, _server: Any, _session: Any, _envelope: Any) -> str:
        return self.to_goodbye or "221 Bye"


def token_in(mail: EmailMessage) -> str:
    """The token that a mail tells, whose application has no page for it."""
    (token,) = TOKEN.findall(mail.get_content())
    return token


class MailTest(OwnAppTest):
    """A shop that mails to `mailbox`, when a test says `deliver`."""

    def setUp(self) -> None:
        self.mailbox = Mailbox()
        self.addCleanup(self.mailbox.stop)
        super().setUp()

    def surroundings(self) -> dict[str, str]:
        return {"SMTP_URL": self.mailbox.url}

    def deliver(self) -> list[EmailMessage]:
        """Send what is due, as the sender does; return what has come."""
        with self.app.app_context():
            delivery.deliver_due()
        return self.mailbox.all()

    def queued(self) -> list[Mail]:
        """The rows of the outbox, the oldest first."""
        db.session.rollback()
        return list(db.session.query(Mail).order_by(Mail.id).populate_existing())
