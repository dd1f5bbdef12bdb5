"""What several models share."""

from typing import Any, ClassVar

from sqlalchemy import ColumnElement, true
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from app.extensions import Base


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


class Versioned:
    """Counts the changes of a row; a write based on an outdated count fails."""

    version: Mapped[int] = mapped_column(default=1, sort_order=99, doc="Grows with every change of this object.")

    @declared_attr.directive
    @classmethod
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"version_id_col": cls.version}
