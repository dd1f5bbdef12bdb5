"""What is done to the parts catalogue."""

from typing import Any

from sqlalchemy import exists, select

from app.extensions import db
from app.models import Part, PartLine
from app.models.types import now
from app.transaction import atomic, locked


@atomic()
def create_part(**fields: Any) -> Part:
    """A new part. Raises `SkuTaken`."""
    part = Part(**fields)
    db.session.add(part)
    return part


@atomic()
def update_part(part_id: int, **changes: Any) -> Part:
    """Change the fields that are given; lines made before keep their price. Raises `NotFound`, `SkuTaken`."""
    part = locked(Part, part_id)
    for name, value in changes.items():
        setattr(part, name, value)
    return part


@atomic()
def delete_part(part_id: int) -> None:
    """Delete a part; one that tickets use is archived, so that they keep its name. Raises `NotFound`."""
    part = locked(Part, part_id)
    if db.session.scalar(select(exists().where(PartLine.part_id == part_id))):
        part.archived_at = now()
    else:
        db.session.delete(part)
