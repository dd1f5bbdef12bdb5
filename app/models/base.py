"""Mixins that several models share."""

from typing import ClassVar

from sqlalchemy.orm import Mapped, declared_attr

from app.core.database.models import SortKey, folded
from app.core.text.search import searchable, sort_key


class Searchable:
    """Mixin that stores the folded text of the `searched` columns in one column, for search."""

    searched: ClassVar[tuple[str, ...]]

    @declared_attr
    @classmethod
    def search_text(cls) -> Mapped[str]:
        column: Mapped[str] = folded(searchable, *cls.searched, server_default="", nullable=False, sort_order=98)
        return column


class Named(Searchable):
    """A searchable row with a name and a sort key of that name."""

    @declared_attr
    @classmethod
    def name_key(cls) -> Mapped[str]:
        column: Mapped[str] = folded(sort_key, "name", kind=SortKey, server_default="", nullable=False, sort_order=97)
        return column
