"""Text in any script, as far as the fonts have it: the rest stands in Latin letters."""

import unicodedata
from collections.abc import Container
from functools import lru_cache
from itertools import groupby

from anyascii import anyascii

# Replaces a character that no font has and that cannot be transliterated.
SUBSTITUTE = "?"
# Unicode categories of invisible characters: format characters (direction marks, joiners) and controls.
UNSEEN = ("Cf", "Cc")


def legible(text: str, known: Container[int]) -> str:
    """Return the text with the characters of `known` code points as they are, and others transliterated.

    Line ends become `\\n`, tabs become spaces.
    """
    lines = unicodedata.normalize("NFC", text).replace("\t", " ").splitlines()
    return "\n".join(_legible_line(line, known) for line in lines)


def _legible_line(line: str, known: Container[int]) -> str:
    if line.isascii() and line.isprintable():
        return line
    runs = groupby(line, lambda character: ord(character) in known)
    return "".join("".join(run) if is_known else _transliterate("".join(run)) for is_known, run in runs)


@lru_cache(maxsize=512)
def _transliterate(text: str) -> str:
    """Return the text in Latin letters, without invisible characters such as direction marks."""
    visible = (character for character in text if unicodedata.category(character) not in UNSEEN)
    return "".join(anyascii(character) or _substitute(character) for character in visible)


def _substitute(character: str) -> str:
    return "" if unicodedata.combining(character) else SUBSTITUTE
