"""Finding text: case and accents do not matter, words are found in any order, phones and plates however written."""

import re
import unicodedata

MOST_WORDS = 8
# Shorter words are found where a word begins, longer ones anywhere: an index of trigrams serves both.
TRIGRAM = 3
# So many characters count when text is sorted: more would not fit into an index, four bytes each.
MOST_OF_KEY = 120


def fold(text: str) -> str:
    """The text without case and accents: Éloïse becomes eloise."""
    parts = unicodedata.normalize("NFKD", text)
    return "".join(part for part in parts if not unicodedata.combining(part)).casefold()


def searchable(*texts: str | None) -> str:
    """What is kept of a row to be searched: all its words, folded, with a space before each."""
    return "".join(f" {word}" for text in texts if text for word in fold(text).split())


def sort_key(text: str) -> str:
    """What text is sorted by and compared by where it begins: folded, single spaces, no longer than an index takes."""
    return " ".join(fold(text).split())[:MOST_OF_KEY]


def words_of(text: str) -> list[str]:
    """The words that are looked for; digits as they stand in a phone number are one."""
    if re.fullmatch(r"[\d\s().+/-]+", text) and any(map(str.isdigit, text)):
        return [re.sub(r"\D", "", fold(text))]
    return fold(text).split()[:MOST_WORDS]


def pattern(word: str) -> str:
    """What LIKE finds a word of the searchable text with; the escape is a backslash."""
    return f"%{'' if len(word) >= TRIGRAM else ' '}{escaped(word)}%"


def escaped(text: str) -> str:
    """The text for LIKE, in which nothing stands for anything else."""
    return re.sub(r"([\\%_])", r"\\\1", text)


def patterns(text: str) -> dict[str, str]:
    """A LIKE pattern for each word that is looked for, under names that tell how many there are."""
    return {str(number): pattern(word) for number, word in enumerate(words_of(text))}


def beginning(text: str) -> dict[str, str]:
    """The LIKE pattern for text in capitals that begins so."""
    return {"start": f"{escaped(text.upper())}%"}


def folded_beginning(text: str) -> dict[str, str]:
    """The LIKE pattern for sort keys that begin so; none where nothing is left of the text."""
    key = sort_key(text)
    return {"start": f"{escaped(key)}%"} if key else {}


def vehicle_patterns(text: str) -> dict[str, str]:
    """LIKE patterns for a plate and for the end of a VIN; one that finds neither where the text is too short."""
    compact = escaped(re.sub("[ -]", "", text).upper())
    if len(compact) < TRIGRAM:
        return {"plate": compact, "vin": compact}
    return {"plate": f"%{compact}%", "vin": f"%{compact}"}
