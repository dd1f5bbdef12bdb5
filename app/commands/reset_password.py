"""``flask reset-password``: let somebody back in."""

import click

from app.accounts import reset_operations
from app.commands.command import Command, read_password
from app.core.fields import Password
from app.core.fields.schemas import Input
from app.models import Account

KINDS = ("mechanic", "customer")


class NewPasswordSchema(Input):
    """What is entered."""

    password = Password(required=True)


@click.command("reset-password", cls=Command)
@click.argument("email")
@click.option("--kind", type=click.Choice(KINDS), help="Whose it is, where staff and a customer have the same e-mail.")
@click.option("--password-stdin", is_flag=True, help="Read the password from one line of standard input.")
def reset_password(email: str, kind: str | None, password_stdin: bool) -> None:
    """Set the password of staff or of a customer who is locked out, and end all their sessions."""
    account = _find(email, kind)
    entered = NewPasswordSchema().load({"password": read_password(from_stdin=password_stdin)})
    name = f"{account.noun} {account.email}"
    reset_operations.reset_password(account, **entered)
    click.echo(f"The {name} has a new password, and is signed out everywhere.")


def _find(email: str, kind: str | None) -> Account:
    try:
        accounts = [each for each in reset_operations.find_accounts(email) if kind in (None, each.noun)]
    except ValueError:
        accounts = []
    if not accounts:
        raise click.ClickException(
            f"No {kind or 'member of staff or customer'} with this e-mail can sign in. Admins activate staff; "
            "customers without a password get an invite."
        )
    if len(accounts) > 1:
        raise click.ClickException(
            "A mechanic and a customer have this e-mail: add --kind mechanic or --kind customer."
        )
    return accounts[0]
