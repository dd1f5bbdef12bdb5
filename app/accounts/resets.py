"""Forgotten passwords: what comes before the mail is queued."""

from flask import current_app

from app.accounts import guesses, invites_operations
from app.models import Account
from app.problems import MailUnavailable


def request_reset(account: type[Account], email: str) -> None:
    """Queue a mail for the account with this e-mail. Raises `MailUnavailable`, `TooManyRequests`: for any e-mail."""
    if current_app.config["SMTP_URL"] is None:
        raise MailUnavailable
    guesses.count_reset(account, email)
    invites_operations.request_reset(account, email)
