"""One mail through a real SMTP server: encryption, passwords, and what refusals mean."""

import datetime
import ipaddress
import os
import ssl
import unittest
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from unittest import mock

from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from app.core import smtp
from config import SmtpServer
from tests.support import scratch
from tests.support.mailbox import Mailbox

USER, SECRET = "me@example.com", "hush hush/@:"


def self_signed() -> Path:
    """A file with a key and its certificate for 127.0.0.1, which nobody but itself vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    today = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(today - datetime.timedelta(1)).not_valid_after(today + datetime.timedelta(1))
    certificate = builder.add_extension(x509.SubjectAlternativeName([address]), critical=False).sign(
        key, hashes.SHA256()
    )
    encoding = serialization.Encoding.PEM
    private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = scratch() / "smtp.pem"
    file.write_bytes(private + certificate.public_bytes(encoding))
    return file


class SmtpTest(unittest.TestCase):
    """A server with the options of the test, and a client."""

    def serve(self, **options: Any) -> Mailbox:
        mailbox = Mailbox(**options)
        self.addCleanup(mailbox.stop)
        return mailbox

    def send(self, mailbox: Mailbox, *, to: str = "pat@example.com", tls: bool = False, user: str = "") -> None:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = "desk@example.com", to, "Hello"
        message.set_content("Hello")
        smtp.send(SmtpServer("127.0.0.1", mailbox.port, tls, user, SECRET if user else ""), message)

    def assertNotSent(self, mailbox: Mailbox, for_good: bool, words: str, **options: Any) -> None:
        with self.assertRaisesRegex(smtp.NotSent, words) as caught:
            self.send(mailbox, **options)
        self.assertEqual(caught.exception.for_good, for_good)
        self.assertNotIn("example.com", str(caught.exception))
        self.assertEqual(mailbox.all(), [])


class Answers(SmtpTest):
    """What the server answers"""

    def test_a_mail_that_it_takes_has_come(self) -> None:
        mailbox = self.serve()
        self.send(mailbox)
        self.assertEqual([mail["Subject"] for mail in mailbox.all()], ["Hello"])

    def test_a_mail_that_it_took_is_sent_whatever_it_says_then(self) -> None:
        mailbox = self.serve()
        mailbox.to_goodbye = "421 Not so fast"
        self.send(mailbox)
        self.assertEqual(len(mailbox.all()), 1)

    def test_what_it_refuses_for_good_is_told_from_what_it_refuses_for_now(self) -> None:
        mailbox = self.serve()
        for to_recipient, to_text, for_good in (
            ("550 no pat@example.com here", "", True),
            ("450 pat@example.com is busy", "", False),
            ("", "554 spam from desk@example.com", True),
            ("", "451 later, desk@example.com", False),
        ):
            with self.subTest(to_recipient or to_text):
                mailbox.to_recipient, mailbox.to_text = to_recipient, to_text
                self.assertNotSent(mailbox, for_good, (to_recipient or to_text)[:3])

    def test_a_server_that_is_away_may_come_back(self) -> None:
        mailbox = self.serve()
        mailbox.stop()
        self.assertNotSent(mailbox, False, "ConnectionRefusedError")

    def test_letters_that_it_does_not_take_are_refused_for_good(self) -> None:
        mailbox = self.serve(enable_SMTPUTF8=False)
        self.assertNotSent(mailbox, True, "NotSupported", to="dörte@example.com")
        mailbox = self.serve(enable_SMTPUTF8=True)
        self.send(mailbox, to="dörte@example.com")
        self.assertEqual(mailbox.all()[0].recipients, ["dörte@example.com"])


class Encryption(SmtpTest):
    """TLS, wherever the server can"""

    def setUp(self) -> None:
        self.file = self_signed()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(self.file)
        self.passwords: list[bytes] = []

    def trusting(self) -> Any:
        return mock.patch.dict(os.environ, SSL_CERT_FILE=str(self.file))

    def authenticate(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        self.passwords.append(data.password)
        right = (data.login, data.password) == (USER.encode(), SECRET.encode())
        return AuthResult(success=right, handled=False)

    def test_starttls_is_used_where_it_is_offered(self) -> None:
        mailbox = self.serve(tls_context=self.context, require_starttls=True)
        with self.trusting():
            self.send(mailbox)
        self.assertEqual(len(mailbox.all()), 1)

    def test_smtps_is_encrypted_from_the_first_byte(self) -> None:
        mailbox = self.serve(ssl_context=self.context)
        with self.trusting():
            self.send(mailbox, tls=True)
        self.assertEqual(len(mailbox.all()), 1)

    def test_a_certificate_that_nobody_vouches_for_is_refused(self) -> None:
        self.assertNotSent(self.serve(tls_context=self.context), False, "SSLCertVerificationError")
        self.assertNotSent(self.serve(ssl_context=self.context), False, "SSLCertVerificationError", tls=True)

    def test_a_user_signs_in_over_tls(self) -> None:
        mailbox = self.serve(tls_context=self.context, authenticator=self.authenticate, auth_required=True)
        with self.trusting(), mock.patch.object(smtp, "THIS_MACHINE", ()):
            self.send(mailbox, user=USER)
            self.assertEqual(len(mailbox.all()), 1)
            self.assertNotSent(mailbox, False, "SMTPAuthenticationError 535", user="you@example.com")

    def test_no_password_is_sent_without_tls_but_to_this_machine(self) -> None:
        mailbox = self.serve(authenticator=self.authenticate, auth_require_tls=False)
        with mock.patch.object(smtp, "THIS_MACHINE", ()):
            self.assertNotSent(mailbox, False, "no STARTTLS", user=USER)
        self.assertEqual(self.passwords, [])
        self.send(mailbox, user=USER)
        self.assertEqual(self.passwords, [SECRET.encode()])

    def test_a_server_that_wants_no_user_is_told_none(self) -> None:
        self.assertNotSent(self.serve(), False, "no user and password", user=USER)


if __name__ == "__main__":
    unittest.main()
