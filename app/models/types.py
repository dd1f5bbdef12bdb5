"""Column types that mean the same on SQLite and PostgreSQL."""

import enum
from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import BigInteger, DateTime, Dialect, Enum, String
from sqlalchemy.types import TypeDecorator

from app.rules.money import from_cents, to_cents

# The largest value of a PostgreSQL integer; ids and counts stay below it.
LARGEST_INTEGER = 2**31 - 1


class Money(TypeDecorator[Decimal]):
    """A `Decimal` with two places, stored as whole cents: SQLite has no exact decimals."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        return None if value is None else to_cents(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else from_cents(value)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware `datetime` in UTC: SQLite gives naive ones back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class EmailAddress(String):
    """A normalised e-mail address, so that comparing it is comparing text."""

    def __init__(self) -> None:
        super().__init__(254)


class PhoneNumber(String):
    """A phone number in E.164."""

    def __init__(self) -> None:
        super().__init__(20)


def named(values: type[enum.Enum]) -> Enum:
    """A text column that holds the enum's values; new ones need no change of the schema."""
    return Enum(
        values,
        native_enum=False,
        create_constraint=False,
        length=20,
        values_callable=lambda members: [member.value for member in members],
    )


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)
