"""What several models share."""

from typing import ClassVar

from sqlalchemy.orm import Mapped, declared_attr

from app.core.database.models import SortKey, folded
from app.core.text.search import searchable, sort_key


class Searchable:
    """Keeps the words of some of its columns in one, folded, to be searched; and the keys of its `folded` columns."""

    searched: ClassVar[tuple[str, ...]]

    @declared_attr
    @classmethod
    def search_text(cls) -> Mapped[str]:
        column: Mapped[str] = folded(searchable, *cls.searched, server_default="", nullable=False, sort_order=98)
        return column


class Named(Searchable):
    """A searchable row with a name, by which its list is sorted."""

    @declared_attr
    @classmethod
    def name_key(cls) -> Mapped[str]:
        column: Mapped[str] = folded(sort_key, "name", kind=SortKey, server_default="", nullable=False, sort_order=97)
        return column
