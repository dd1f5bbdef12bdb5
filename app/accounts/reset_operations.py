"""A new password for who is locked out, set by who runs the server."""

from sqlalchemy import select

from app.accounts.auditing import audit_changes
from app.accounts.operations import end_sessions
from app.accounts.passwords import hash_password, known
from app.core.database.transaction import atomic, get_for_update, release_connection
from app.core.text.normalize import normal_email
from app.extensions import db
from app.models import Account, Customer, Mechanic


def find_accounts(email: str) -> list[Account]:
    """Return the accounts with this e-mail that may have a password: of staff, also of who has none yet.

    Walk-ins are none. Raises `ValueError` for what is no e-mail.
    """
    email = normal_email(email)
    staff = select(Mechanic).where(Mechanic.email == email, Mechanic.active)
    customers = select(Customer).where(Customer.email == email, Customer.may_sign_in())
    return [*db.session.scalars(staff), *db.session.scalars(customers)]


def reset_password(account: Account, password: str) -> None:
    """Set the password, end all sessions, and forget the wrong ones that were counted; the audit log names no author.

    Wrong passwords are counted under the present password (`app/accounts/guesses.py`), so a new one has none. Raises
    `InvalidInput` for a weak password.
    """
    model, account_id, words = type(account), account.id, known({"name": account.name, "email": account.email})
    release_connection()
    password_hash = hash_password(password, *words)
    with atomic():
        owner = get_for_update(model, account_id)
        owner.password_hash = password_hash
        audit_changes(None, owner)
        end_sessions(owner)
