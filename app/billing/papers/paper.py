"""A paper: what it is made from, its entity tag, and its PDF, which is rendered once and kept for who asks again."""

import json
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from fpdf import FPDF_VERSION

from app.billing.papers import estimate, invoice, work_order
from app.billing.papers.layout import Page
from app.billing.papers.letterhead import Letterhead
from app.core.expiring_cache import ExpiringCache
from app.core.http.slow_work import PDF, place
from app.core.lists import caching

ESTIMATE, WORK_ORDER, INVOICE = "estimate", "work-order", "invoice"
WRITERS: dict[str, Callable[[dict[str, Any], Letterhead], Page]] = {
    ESTIMATE: estimate.write,
    WORK_ORDER: work_order.write,
    INVOICE: invoice.write,
}
# Part of the entity tag: a new version of the library or of these modules may render other bytes.
_RENDERER = b"".join(
    [FPDF_VERSION.encode(), *(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))]
)
# A PDF takes some 60 KB.
_KEPT = 48
# How long a PDF is kept: by this process, and for all processes in Redis, where there is one.
SECONDS = 24 * 3600


class Paper(NamedTuple):
    """The whole input of a PDF: which document, its content as JSON in the shapes of the API, and the letterhead."""

    kind: str
    content: str
    shop: Letterhead

    def tag(self) -> str:
        """Return the PDF's entity tag (16 hex digits), without rendering the PDF."""
        return self._digest()[:16]

    def _digest(self) -> str:
        settings = self.shop._replace(logo=None)
        return sha256(
            repr((self.kind, self.content, settings)).encode() + (self.shop.logo or b"") + _RENDERER
        ).hexdigest()

    def pdf(self) -> bytes:
        """Return the PDF; one that is kept costs no rendering. Raises `Unavailable` if many are being rendered."""
        digest = self._digest()

        def load() -> tuple[bytes, float]:
            pdf = caching.get_or_share(f"paper:{digest}", self._render, SECONDS)
            return pdf, time.monotonic() + SECONDS

        return _kept.get_or_load(digest, load)

    def _render(self) -> bytes:
        with place(PDF):
            return render(self.kind, json.loads(self.content), self.shop)


_kept = ExpiringCache[str, bytes](time.monotonic, most=_KEPT)


def render(kind: str, content: dict[str, Any], shop: Letterhead) -> bytes:
    """Return the PDF of a document of this kind. Equal input, equal bytes."""
    return bytes(WRITERS[kind](content, shop).output())
