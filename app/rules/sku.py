"""Stock keeping units: the one form in which each is kept, and by what they are compared."""

import re
import unicodedata

from app.core.text.normalize import HYPHENS, without_unseen
from app.core.text.search import escaped

MAX_SKU = 64
_HYPHEN = re.compile(f"[{HYPHENS}]")


def sku_form(text: str) -> str:
    """A SKU, or the beginning of one, in the one form for what looks alike, with single spaces; case stays as it is."""
    composed = unicodedata.normalize("NFC", without_unseen(text))
    return " ".join(_HYPHEN.sub("-", composed).split())


def normal_sku(text: str) -> str:
    """The SKU as it is kept. Raises `ValueError` where its one form is longer than a SKU may be."""
    sku = sku_form(text)
    if len(sku) > MAX_SKU:
        raise ValueError(f"Longer than maximum length {MAX_SKU}.")
    return sku


def sku_key(sku: str | None) -> str | None:
    """By what a normal SKU is compared: neither case nor the width of letters makes a difference."""
    return None if sku is None else unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", sku).casefold())


def sku_beginning(text: str) -> dict[str, str]:
    """The LIKE pattern for keys of SKUs that begin so; none where nothing is left of the text."""
    key = sku_key(sku_form(text))
    return {"start": f"{escaped(key)}%"} if key else {}
