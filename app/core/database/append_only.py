"""Records that are written once: the ORM refuses to change them here, the database by triggers of the migrations.

The triggers of ticket events let a text be emptied, which erasing a customer demands, and nothing be written for it.
"""

from typing import TypeVar

from sqlalchemy import Connection, event
from sqlalchemy.orm import Mapper

from app.core.database.base import Base

T = TypeVar("T", bound=type[Base])


def append_only(model: T) -> T:
    """Class decorator: rows of the model are inserted and never changed or deleted. Raises `TypeError` at the flush."""

    def refuse(_mapper: Mapper[Base], _connection: Connection, row: Base) -> None:
        raise TypeError(f"{type(row).__name__} is append-only.")

    event.listen(model, "before_update", refuse)
    event.listen(model, "before_delete", refuse)
    return model
