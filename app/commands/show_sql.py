"""``flask show-sql``: the SQL that a route sends to read."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import click
from flask import current_app, request
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError
from werkzeug.routing import Rule

from app.accounts.access import AccountPolicy, Identity
from app.commands.sql_layout import lay_out
from app.core.http.request import current_request
from app.core.problems import Problem
from app.extensions import cache, db
from app.rules.roles import Role


class Statement(NamedTuple):
    """What was sent: the text, and the values of its parameters."""

    text: str
    values: Any


@click.command("show-sql")
@click.argument("operation")
@click.argument("parameters", nargs=-1, metavar="[NAME=VALUE]...")
@click.option("--customer", is_flag=True, help="As customers get it; else as an admin does, where staff may at all.")
def show_sql(operation: str, parameters: tuple[str, ...], customer: bool) -> None:
    """Print the SQL that a GET sends to the configured database, such as `list_tickets sort=-total status=open`.

    OPERATION is an operationId of the OpenAPI document. Ids in its path are 1 unless given. The statements are sent,
    as the route would; they only read. An export reads as the list that it is of.
    """
    reads = readable()
    if operation not in reads:
        raise click.ClickException(f"{operation!r} does not read. There are: {', '.join(sorted(reads))}.")
    given = dict(each.partition("=")[::2] for each in parameters)
    for statement in _sent(reads[operation], given, as_customer=customer):
        click.echo(f"{lay_out(statement.text)};\n-- with {statement.values}\n")


def readable() -> dict[str, Rule]:
    """Return the URL rules of the operations that only read, by operationId: every GET with a token and an ETag."""
    rules = [rule for rule in current_app.url_map.iter_rules() if "GET" in (rule.methods or ()) and _reads(rule)]
    # Of a blueprint that is registered twice, the first address is the one of the document.
    return {rule.endpoint.rpartition(".")[2]: rule for rule in reversed(rules)}


def _reads(rule: Rule) -> bool:
    view: Any = current_app.view_functions[rule.endpoint]
    return view.policy.token and getattr(view, "tag", None) is not None


def _sent(rule: Rule, given: Mapping[str, str], *, as_customer: bool) -> list[Statement]:
    """The statements of a request with these parameters, by someone who may send it."""
    view: Any = current_app.view_functions[rule.endpoint]
    address = _address(rule, given)
    with current_app.test_request_context(address), _uncached(), _recorded() as sent:
        if request.view_args is None:
            raise click.ClickException(f"There is nothing at {address}.")
        identity = _identity(view.policy, request.view_args.get("customer_id", 1), as_customer=as_customer)
        current_request().authorised = view.policy, identity
        # What a view behind this policy takes for its first argument.
        caller = identity if view.policy.roles else identity.id
        try:
            view.__wrapped__(caller, **request.view_args)  # the view behind its policy
        except Problem as problem:
            if not sent:  # else the row is not there, which reading found
                raise click.ClickException(_in_words(problem)) from None
        except DBAPIError as error:
            raise click.ClickException(f"The database does not answer: {str(error.orig).strip()}") from None
    return sent


def _address(rule: Rule, given: Mapping[str, str]) -> str:
    """The address with these parameters: those that are not in its path are of the query."""
    try:
        return current_app.url_map.bind("").build(rule.endpoint, {**dict.fromkeys(rule.arguments, "1"), **given})
    except ValueError as error:
        raise click.ClickException(f"That is no id: {error}.") from None


def _in_words(problem: Problem) -> str:
    faults: Mapping[str, list[str]] = problem.extra.get("errors", {})
    return "; ".join([problem.detail, *(f"{name}: {' '.join(messages)}" for name, messages in faults.items())])


def _identity(policy: AccountPolicy, customer_id: int, *, as_customer: bool) -> Identity:
    """Who sends the request: this customer where they are asked for or nobody else may, else an admin."""
    if as_customer and not policy.customers:
        raise click.ClickException(f"Only {policy.whom()} may do this.")
    is_customer = as_customer or not policy.roles
    return Identity(customer_id, None, "") if is_customer else Identity(1, Role.ADMIN, "")


@contextmanager
def _uncached() -> Iterator[None]:
    """Read what may be in the cache, too."""
    caches = current_app.extensions["cache"]
    before = dict(caches)
    cache.init_app(current_app, {"CACHE_TYPE": "NullCache", "CACHE_NO_NULL_WARNING": True})
    try:
        yield
    finally:
        caches.update(before)


@contextmanager
def _recorded() -> Iterator[list[Statement]]:
    """The statements that are sent meanwhile to read."""
    sent: list[Statement] = []

    def note(_connection: Any, _cursor: Any, text: str, values: Any, *_: Any) -> None:
        sent.append(Statement(text, values))

    engine = db.engines["reads"]
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)
