"""What models are made of, whatever they stand for."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, Connection, Index, Text, event, true
from sqlalchemy.orm import Mapped, Mapper, declared_attr, mapped_column, relationship
from sqlalchemy.orm.attributes import get_history
from sqlalchemy.schema import SchemaItem

from app.core.database.base import Base


def readonly_relationship(**options: Any) -> Any:
    """A relationship that answers show and nothing is written through: foreign keys are set by their columns.

    Looking at one that was not loaded raises, so that no row sends a statement of its own. What is not written through
    costs a flush nothing either.
    """
    return relationship(viewonly=True, lazy="raise_on_sql", **options)


class Row(Base):
    """A model with a numeric id. What `present` leaves out is, for clients, not there."""

    __abstract__ = True

    id: Mapped[int] = mapped_column(primary_key=True, sort_order=-1)

    # What a person at the front desk calls a row of this model.
    noun: ClassVar[str]

    @classmethod
    def not_deleted(cls) -> ColumnElement[bool]:
        """The criterion for rows that have not been erased or archived."""
        return true()

    def differences(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Of these values of attributes those that differ from the row's own: the others are no change."""
        return {name: value for name, value in values.items() if getattr(self, name) != value}


def search_index(table: str, column: str = "search_text") -> Index:
    """An index of trigrams, which finds text anywhere in a column; only PostgreSQL has it."""
    name = f"ix_{table}_{column}_trigrams"
    index = Index(name, column, postgresql_using="gin", postgresql_ops={column: "gin_trgm_ops"}, info=POSTGRESQL_ONLY)
    return index.ddl_if(dialect="postgresql")


POSTGRESQL_ONLY = {"dialect": "postgresql"}


def is_of_dialect(item: SchemaItem, dialect: str) -> bool:
    """Whether this part of the schema is meant for the dialect."""
    return bool(item.info.get("dialect", dialect) == dialect)


# Compared byte by byte, on PostgreSQL too, so that both databases sort it alike.
SortKey = Text().with_variant(Text(collation="C"), "postgresql")


def folded(fold: Callable[..., str | None], *names: str, kind: Any = Text, **options: Any) -> Any:
    """A column that keeps what `fold` makes of other columns of its row, to be compared, sorted by and searched."""

    def of_new_row(context: Any) -> str | None:
        values = context.get_current_parameters()
        return fold(*(values.get(name) for name in names))

    return mapped_column(kind, default=of_new_row, info={"folded": (fold, names)}, **options)


@event.listens_for(Row, "before_update", propagate=True)
def _fold_anew(mapper: Mapper[Any], _connection: Connection, row: Row) -> None:
    """Bring folded columns up to what they are made of, where that changed."""
    for name, (fold, names) in folded_columns(mapper).items():
        if any(get_history(row, each).has_changes() for each in names):
            setattr(row, name, fold(*(getattr(row, each) for each in names)))


@cache
def folded_columns(mapper: Mapper[Any]) -> dict[str, tuple[Callable[..., str | None], tuple[str, ...]]]:
    """By the names of a model's folded columns: what folds them, and of which columns they are made."""
    return {column.key: column.info["folded"] for column in mapper.local_table.columns if "folded" in column.info}


class Versioned:
    """Counts the changes of a row; a write based on an outdated count fails."""

    version: Mapped[int] = mapped_column(default=1, sort_order=99, doc="Grows with every change of this object.")

    @declared_attr.directive
    @classmethod
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"version_id_col": cls.version}
