"""Sending one mail through an SMTP server."""

import smtplib
import ssl
from contextlib import suppress
from email.message import EmailMessage

from config import SmtpServer

# For each step of the protocol.
TIMEOUT_SECONDS = 10
THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


class NotSent(Exception):
    """The server did not take the mail. `for_good`: it refuses this mail, and another try is of no use.

    The text is the class of the error and the SMTP status alone: what servers say quotes addresses.
    """

    def __init__(self, why: Exception | str, *, status: int | None = None, for_good: bool = False) -> None:
        super().__init__(f"{why if isinstance(why, str) else type(why).__name__} {status or ''}".strip())
        self.for_good = for_good


def send(server: SmtpServer, message: EmailMessage) -> None:
    """Hand the message over to the server, encrypted wherever the server can. Raises `NotSent`."""
    try:
        _send(server, message)
    except smtplib.SMTPRecipientsRefused as error:
        status = max(status for status, _ in error.recipients.values())
        raise NotSent(error, status=status, for_good=status >= 500) from None
    except smtplib.SMTPDataError as error:
        raise NotSent(error, status=error.smtp_code, for_good=error.smtp_code >= 500) from None
    except smtplib.SMTPResponseException as error:  # such as a wrong password, which the operator corrects
        raise NotSent(error, status=error.smtp_code) from None
    except smtplib.SMTPNotSupportedError as error:  # the address has letters that this server does not take
        raise NotSent(error, for_good=True) from None
    except OSError as error:  # smtplib's other errors too
        raise NotSent(error) from None


def _send(server: SmtpServer, message: EmailMessage) -> None:
    tls = ssl.create_default_context()
    if server.tls:
        connection: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT_SECONDS, context=tls)
    else:
        connection = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_SECONDS)
    try:
        _encrypt_and_sign_in(connection, server, tls)
        connection.send_message(message)
        with suppress(OSError):  # the server has taken the mail
            connection.quit()
    finally:
        connection.close()


def _encrypt_and_sign_in(connection: smtplib.SMTP, server: SmtpServer, tls: ssl.SSLContext) -> None:
    connection.ehlo()
    if not server.tls and connection.has_extn("starttls"):
        connection.starttls(context=tls)
        connection.ehlo()
    elif not server.tls and server.user and server.host not in THIS_MACHINE:
        raise NotSent("The server offers no STARTTLS, and no password is sent without")
    if server.user:
        if not connection.has_extn("auth"):
            raise NotSent("The server takes no user and password")
        connection.login(server.user, server.password)
