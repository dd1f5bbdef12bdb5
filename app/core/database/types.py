"""Column types that behave the same on SQLite and PostgreSQL."""

import enum
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Enum, Numeric, String
from sqlalchemy.types import TypeDecorator, TypeEngine

from app.core.decimals import from_units, to_units, without_zeros

# The largest value of a PostgreSQL integer; ids and counts stay below it.
LARGEST_INTEGER = 2**31 - 1


class Exact(TypeDecorator[Decimal]):
    """A `Decimal` with a fixed number of places, stored as an integer of its last place: SQLite has no decimals."""

    impl = BigInteger
    cache_ok = True

    def __init__(self, places: int) -> None:
        super().__init__()
        self.places = places

    @property
    def python_type(self) -> type[Decimal]:
        return Decimal

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        return None if value is None else to_units(value, self.places)

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else from_units(value, self.places)


class Money(Exact):
    """An amount of money, to the cent."""

    cache_ok = True

    def __init__(self) -> None:
        super().__init__(2)


class Hours(Exact):
    """Hours of work, in steps of 0.1."""

    cache_ok = True

    def __init__(self) -> None:
        super().__init__(1)


class Percent(Exact):
    """A rate in percent; some tax rates have four places, such as 8.1875."""

    cache_ok = True

    def __init__(self, places: int = 4) -> None:
        super().__init__(places)


class Quantity(Exact):
    """A number of units of goods, to the hundredth.

    PostgreSQL stores it as it is: during a deploy, code of before there were fractions reads whole ones as it did.
    """

    cache_ok = True

    def __init__(self) -> None:
        super().__init__(2)

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Numeric() if dialect.name == "postgresql" else BigInteger())

    def process_bind_param(self, value: Decimal | int | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        units = to_units(Decimal(value), self.places)
        return without_zeros(from_units(units, self.places)) if dialect.name == "postgresql" else units

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Decimal | None]:
        # Not that of `Numeric`, which asks for the driver's type of the column: compiled queries do not know that.
        return lambda value: self.process_result_value(value, dialect)

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        if value is None:
            return None
        return without_zeros(value if dialect.name == "postgresql" else from_units(value, self.places))


class UtcDateTime(TypeDecorator[datetime]):
    """An aware `datetime` in UTC: SQLite returns naive ones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def enum_column(values: type[enum.Enum]) -> Enum:
    """Return a text column for the enum's values; a new value needs no migration."""
    return Enum(
        values,
        native_enum=False,
        create_constraint=False,
        length=20,
        values_callable=lambda members: [member.value for member in members],
    )


def now() -> datetime:
    """Return the current time, aware, in UTC."""
    return datetime.now(UTC)


class EmailAddress(String):
    """A normalised e-mail address; two addresses are equal if their texts are."""

    def __init__(self) -> None:
        super().__init__(254)


class PhoneNumber(String):
    """A phone number in E.164."""

    def __init__(self) -> None:
        super().__init__(20)
