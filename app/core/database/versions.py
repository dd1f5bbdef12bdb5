"""Versions: a change may name the versions of a row that it goes on, so that nothing is overwritten unseen."""

from dataclasses import dataclass

from app.core.database.models import Versioned
from app.core.problems import PreconditionFailed


@dataclass(frozen=True)
class IfMatch:
    """The versions that a change goes on; any where `versions` is None."""

    versions: frozenset[str] | None = None

    def require(self, row: Versioned) -> None:
        """Raises `PreconditionFailed` where the row has another version.

        Ask it of a row that is locked, once it is known that the client may change the row.
        """
        if self.versions is not None and str(row.version) not in self.versions:
            raise PreconditionFailed(f"It has changed; its version is now {row.version}.", version=row.version)


ANY_VERSION = IfMatch()
