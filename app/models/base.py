"""What several models share."""

from functools import cache
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, Connection, Index, Text, event, true
from sqlalchemy.orm import Mapped, Mapper, declared_attr, mapped_column, relationship
from sqlalchemy.orm.attributes import get_history
from sqlalchemy.schema import SchemaItem

from app.extensions import Base
from app.rules.search import searchable, sort_key


def shows(**options: Any) -> Any:
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
    def present(cls) -> ColumnElement[bool]:
        """The criterion for rows that have not been erased or archived."""
        return true()


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
FoldedText = Text().with_variant(Text(collation="C"), "postgresql")


def folded(source: str, **options: Any) -> Any:
    """A column that keeps the sort key of another one: what its text is sorted and filtered by."""

    def of_new_row(context: Any) -> str | None:
        return _key(context.get_current_parameters().get(source))

    return mapped_column(FoldedText, default=of_new_row, info={"folds": source}, sort_order=97, **options)


def _key(text: str | None) -> str | None:
    return None if text is None else sort_key(text)


class Searchable:
    """Keeps the words of some of its columns in one, folded, to be searched; and the keys of its `folded` columns."""

    searched: ClassVar[tuple[str, ...]]

    @declared_attr
    @classmethod
    def search_text(cls) -> Mapped[str]:
        def of_new_row(context: Any) -> str:
            values = context.get_current_parameters()
            return searchable(*(values.get(name) for name in cls.searched))

        return mapped_column(Text, default=of_new_row, server_default="", sort_order=98)


class Named(Searchable):
    """A searchable row with a name, by which its list is sorted."""

    @declared_attr
    @classmethod
    def name_key(cls) -> Mapped[str]:
        return folded("name", server_default="")  # type: ignore[no-any-return]


@event.listens_for(Searchable, "before_update", propagate=True)
def _fold_anew(mapper: Mapper[Any], _connection: Connection, row: Searchable) -> None:
    """Bring what is searched and sorted by up to what it is made of, where that changed."""
    if any(get_history(row, name).has_changes() for name in row.searched):
        row.search_text = searchable(*(getattr(row, name) for name in row.searched))
    for key, source in _folded_columns(mapper):
        if get_history(row, source).has_changes():
            setattr(row, key, _key(getattr(row, source)))


@cache
def _folded_columns(mapper: Mapper[Any]) -> list[tuple[str, str]]:
    return [(column.key, column.info["folds"]) for column in mapper.persist_selectable.c if "folds" in column.info]


class Versioned:
    """Counts the changes of a row; a write based on an outdated count fails."""

    version: Mapped[int] = mapped_column(default=1, sort_order=99, doc="Grows with every change of this object.")

    @declared_attr.directive
    @classmethod
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"version_id_col": cls.version}
