"""Stock keeping units: their normal form, which is stored, and the key that compares them."""

import re
import unicodedata

from app.core.text.normalize import HYPHENS, without_unseen
from app.core.text.search import escaped

MAX_SKU = 64
_HYPHEN = re.compile(f"[{HYPHENS}]")


def sku_form(text: str) -> str:
    """Return a SKU, or a prefix of one, with one form for characters that look alike and single spaces; keeps case."""
    composed = unicodedata.normalize("NFC", without_unseen(text))
    return " ".join(_HYPHEN.sub("-", composed).split())


def normal_sku(text: str) -> str:
    """Return the SKU in its normal form. Raises `ValueError` if that is longer than `MAX_SKU`."""
    sku = sku_form(text)
    if len(sku) > MAX_SKU:
        raise ValueError(f"Longer than maximum length {MAX_SKU}.")
    return sku


def sku_key(sku: str | None) -> str | None:
    """Return the key that compares a normal SKU, regardless of case and of the width of letters."""
    return None if sku is None else unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", sku).casefold())


def sku_beginning(text: str) -> dict[str, str]:
    """Return `start`, the LIKE pattern for keys of SKUs that begin with the text; empty if no text is left."""
    key = sku_key(sku_form(text))
    return {"start": f"{escaped(key)}%"} if key else {}
