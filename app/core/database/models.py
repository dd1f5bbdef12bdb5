"""Base classes and column helpers that all models share."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, Connection, Index, Text, event, true
from sqlalchemy.orm import Mapped, Mapper, declared_attr, mapped_column, relationship
from sqlalchemy.orm.attributes import get_history
from sqlalchemy.schema import SchemaItem

from app.core.database.base import Base


def readonly_relationship(**options: Any) -> Any:
    """A view-only relationship, which output schemas read; foreign keys are written through their columns.

    Access to one that was not loaded raises, which prevents N+1 queries. A flush does not process it.
    """
    return relationship(viewonly=True, lazy="raise_on_sql", **options)


class Row(Base):
    """A model with a numeric id. To clients, rows that `not_deleted` excludes do not exist."""

    __abstract__ = True

    id: Mapped[int] = mapped_column(primary_key=True, sort_order=-1)

    # What staff call a row of this model, in messages.
    noun: ClassVar[str]

    @classmethod
    def not_deleted(cls) -> ColumnElement[bool]:
        """Return the criterion for rows that have not been erased or archived."""
        return true()

    def differences(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return those of the attribute `values` that differ from the row's own."""
        return {name: value for name, value in values.items() if getattr(self, name) != value}


def search_index(table: str, column: str = "search_text") -> Index:
    """Return a trigram index, which finds text anywhere in a column; it exists on PostgreSQL only."""
    name = f"ix_{table}_{column}_trigrams"
    index = Index(name, column, postgresql_using="gin", postgresql_ops={column: "gin_trgm_ops"}, info=POSTGRESQL_ONLY)
    return index.ddl_if(dialect="postgresql")


POSTGRESQL_ONLY = {"dialect": "postgresql"}


def is_of_dialect(item: SchemaItem, dialect: str) -> bool:
    """Return whether this part of the schema exists on the dialect."""
    return bool(item.info.get("dialect", dialect) == dialect)


# The C collation compares bytes, as SQLite does, so that both databases sort alike.
SortKey = Text().with_variant(Text(collation="C"), "postgresql")


def folded(fold: Callable[..., Any], *names: str, kind: Any = Text, **options: Any) -> Any:
    """A column with the value `fold(*names)` of other columns of its row, for comparing, sorting and searching."""

    def default_value(context: Any) -> Any:
        values = context.get_current_parameters()
        return fold(*(values.get(name) for name in names))

    return mapped_column(kind, default=default_value, info={"folded": (fold, names)}, **options)


@event.listens_for(Row, "before_update", propagate=True)
def _refold(mapper: Mapper[Any], _connection: Connection, row: Row) -> None:
    """Recompute folded columns whose source columns changed."""
    for name, (fold, names) in folded_columns(mapper).items():
        if any(get_history(row, each).has_changes() for each in names):
            setattr(row, name, fold(*(getattr(row, each) for each in names)))


@cache
def folded_columns(mapper: Mapper[Any]) -> dict[str, tuple[Callable[..., Any], tuple[str, ...]]]:
    """Return the folded columns of a model by name, each as its fold function and the names of its source columns."""
    return {column.key: column.info["folded"] for column in mapper.local_table.columns if "folded" in column.info}


class Versioned:
    """A version counter for optimistic locking: a write that is based on an outdated version fails."""

    version: Mapped[int] = mapped_column(default=1, sort_order=99, doc="Grows with every change of this object.")

    @declared_attr.directive
    @classmethod
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"version_id_col": cls.version}
