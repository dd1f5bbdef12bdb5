"""Optimistic concurrency: a change may require a version of its row, so that no one's change is overwritten unseen."""

from dataclasses import dataclass

from app.core.database.models import Versioned
from app.core.problems import PreconditionFailed


@dataclass(frozen=True)
class IfMatch:
    """The versions that a change accepts; None accepts any."""

    versions: frozenset[str] | None = None

    def require(self, row: Versioned) -> None:
        """Raises `PreconditionFailed` where the row has another version.

        Call it on a locked row, after checking that the client may change the row.
        """
        if self.versions is not None and str(row.version) not in self.versions:
            raise PreconditionFailed(f"It has changed; its version is now {row.version}.", version=row.version)


ANY_VERSION = IfMatch()
