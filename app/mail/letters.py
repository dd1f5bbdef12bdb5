"""Letters: whom a queued mail goes to, and what it says. Both are made when it is sent, and stored nowhere."""

from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import NamedTuple

from flask import current_app
from sqlalchemy import select

from app.accounts.invites_links import directions
from app.accounts.invites_operations import expiry, open_reset
from app.approvals import operations as approvals
from app.approvals.links import page_for
from app.core.database.transaction import atomic, get_for_update
from app.core.database.types import now
from app.core.problems import NotFound
from app.extensions import db
from app.models import Account, Customer, Mail, MailKind, MailStatus, Mechanic

# No word of it comes from a client: else strangers could have the shop mail what they like to whom they like.
SUBJECTS = {
    MailKind.INVITE: "Choose your password at {shop}",
    MailKind.RESET: "A new password at {shop}",
    MailKind.APPROVAL: "{shop} asks for your approval",
}
TEXTS = {
    MailKind.INVITE: "{shop} invites you to choose a password for your account.",
    MailKind.RESET: "Somebody, probably you, forgot the password of your account at {shop}.",
    MailKind.APPROVAL: "{shop} proposes work on your vehicle. See what it costs, and approve or decline each job.",
}
REST = """Hello,

{why}

{directions}

It works once, until {until}.
If this is not for you, do nothing, and nothing changes.
"""


class Letter(NamedTuple):
    """What the text of a mail depends on."""

    recipient: str
    token: str
    expires_at: datetime


@atomic()
def prepare(mail_id: int) -> Letter | None:
    """Return the letter of a mail; None where it lets nobody in (any more), and then it is dropped.

    The token of a forgotten password is made at the first try, and is the same at the next ones.
    """
    owner = _lock_owner(mail_id)
    mail = get_for_update(Mail, mail_id)  # after its owner, in the order that operations lock in
    if mail.status is not MailStatus.QUEUED:
        return None
    if owner and mail.kind is MailKind.RESET and mail.token is None and _may_reset(owner):
        mail.token = open_reset(owner)
    until = _good_until(mail, owner) if owner else None
    if not (owner and owner.email and mail.token and until):
        mail.finish(MailStatus.DROPPED)
        return None
    return Letter(owner.email, mail.token, until)


def _lock_owner(mail_id: int) -> Account | None:
    mail = db.session.get(Mail, mail_id)
    if mail is None or (mail.customer_id or mail.mechanic_id) is None:
        return None
    try:
        return get_for_update(Customer if mail.customer_id else Mechanic, mail.customer_id or mail.mechanic_id or 0)
    except NotFound:  # erased meanwhile
        return None


def _may_reset(owner: Account) -> bool:
    account = type(owner)
    return db.session.scalar(select(account.id).where(account.id == owner.id, account.may_reset_password())) is not None


def _good_until(mail: Mail, owner: Account) -> datetime | None:
    """Return until when the token of the mail is good for this owner; None where it is not."""
    if mail.token is None:
        return None
    if mail.kind is MailKind.APPROVAL:
        return approvals.expiry(mail.token, owner.id)
    return expiry(mail.token, owner)


def _directions(mail: Mail, token: str) -> str:
    """Return what to do with the token, for people to read."""
    return f"Open this page:\n\n{page_for(token)}" if mail.kind is MailKind.APPROVAL else directions(token)


def write(mail: Mail, letter: Letter) -> EmailMessage:
    """Return the message."""
    sender: Address = current_app.config["MAIL_FROM"]
    shop = " ".join(current_app.config["SHOP_NAME"].split())
    zone = current_app.config["SHOP_TIMEZONE"]
    message = EmailMessage(SMTP)
    message["From"] = Address(sender.display_name or shop, sender.username, sender.domain)
    message["To"] = letter.recipient
    message["Subject"] = SUBJECTS[mail.kind].format(shop=shop)
    message["Date"] = format_datetime(now())
    message["Message-ID"] = f"<{mail.message_id}@{sender.domain}>"
    message["Auto-Submitted"] = "auto-generated"  # so that no out-of-office note comes back
    message.set_content(
        REST.format(
            why=TEXTS[mail.kind].format(shop=shop),
            directions=_directions(mail, letter.token),
            until=f"{letter.expires_at.astimezone(zone):%Y-%m-%d %H:%M} ({zone.key})",
        )
    )
    return message
