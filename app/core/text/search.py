"""Text search: words in any order, numbers and sizes as written, phone numbers and plates in any notation.

Stored text and search terms are folded by the same rules, which ignore case, accents and variants that keyboards write
(apostrophes, hyphens, letters such as ł and ø).
"""

import re
import unicodedata

import phonenumbers
from phonenumbers import PhoneMetadata

from app.core.text.normalize import DOTS, HYPHENS, normal_phone, without_unseen

MAX_WORDS = 8
# Words shorter than a trigram match at the beginning of a word, longer ones anywhere; one trigram index serves both.
TRIGRAM = 3
# The characters of a sort key, up to four bytes each: an index entry has no room for more.
MAX_OF_KEY = 120
# Fewer digits than this are not searched as a part of a phone number.
MIN_DIGITS = 3

# Quotes, primes, and letters that serve as an apostrophe.
QUOTES = "'\"`´¨‘’‚‛“”„‟‹›«»ʹʺʻʼʽˈʾʿ′″‵‶＇＂`´"
_DROPPED = re.compile(f"[{QUOTES}{HYPHENS}]")
# Punctuation around a word is dropped; within a word it is kept: 7.5, 205/55, a@b.example.
_AROUND = ".,;:!?¿¡…·()[]{}<>"
_SAME = {"æ": "ae", "œ": "oe", "ð": "d", "þ": "th", "ŋ": "n", "ĸ": "k", "ı": "i", "ə": "e"}
_SIGNS = {"⁄": "/", "∕": "/", "×": "x"}
_PHONE = re.compile(rf"[+(]?[\d\s()/+{HYPHENS}{DOTS}]*")
# The number of a row; one with more digits is no id.
_NUMBER = re.compile(r"\s*(?:#|No\.?|№)?\s*([0-9]{1,9})\s*", re.IGNORECASE)


def _plain_letters() -> dict[str, str]:
    """Map Latin letters with a stroke, a hook or the like, which Unicode does not decompose, to their base letters."""
    named = ((chr(code), unicodedata.name(chr(code), "")) for code in range(0x80, 0x2B0))
    plain = ((letter, re.match("LATIN SMALL LETTER ([A-Z]) WITH ", name)) for letter, name in named)
    return {letter: match[1].lower() for letter, match in plain if match}


_PLAIN = str.maketrans(_plain_letters() | _SAME | _SIGNS)


def fold(text: str) -> str:
    """Remove case, accents, apostrophes and hyphens: O’Hara becomes ohara, Łukasz lukasz, 10W-30 10w30."""
    text = _DROPPED.sub("", text)
    if not text.isascii():
        text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", without_unseen(text)).casefold())
        text = "".join(part for part in text if not unicodedata.combining(part)).translate(_PLAIN)
    return text.casefold()


def words(text: str) -> list[str]:
    """Return the folded words of a text, without the punctuation around them."""
    return [word for part in fold(text).split() if (word := part.strip(_AROUND))]


def searchable(*texts: str | None) -> str:
    """Return the search text of a row: all its words, with a space before each."""
    return "".join(f" {word}" for text in texts if text for word in words(text))


def sort_key(text: str | None) -> str | None:
    """Return the key for sorting and for prefix search: folded, single spaces, at most `MAX_OF_KEY` characters."""
    return None if text is None else " ".join(fold(text).split())[:MAX_OF_KEY]


def pattern(word: str) -> str:
    """Return the LIKE pattern for a word of a search text; the escape character is a backslash."""
    return f"%{'' if len(word) >= TRIGRAM else ' '}{escaped(word)}%"


def escaped(text: str) -> str:
    """Escape the wildcards of LIKE."""
    return re.sub(r"([\\%_])", r"\\\1", text)


def patterns(text: str) -> dict[str, str]:
    """Return a LIKE pattern for each word of the search term, under its number."""
    return {str(number): pattern(word) for number, word in enumerate(words(text)[:MAX_WORDS])}


def phone_patterns(text: str, region: str) -> dict[str, str]:
    """Return LIKE patterns for a phone number or a part of one, as E.164 may contain it.

    `region` is the country of numbers without a country code. Empty where the text is not written as a number, and
    where its words find whatever these would find.
    """
    text = unicodedata.normalize("NFKC", without_unseen(text))
    digits = phonenumbers.normalize_digits_only(text)
    if not _PHONE.fullmatch(text) or len(digits) < MIN_DIGITS:
        return {}
    forms = dict.fromkeys((digits, _without_prefix(digits, region), _e164_digits(text, region) or digits))
    needed = [form for form in forms if not has_words(form, text) and not any(f in form for f in forms if f != form)]
    return {f"phone_{number}": f"%{form}%" for number, form in enumerate(needed)}


def has_words(folded: str, text: str) -> bool:
    """Return whether whatever contains this folded text is found by the words of another text, too."""
    return all(len(word) >= TRIGRAM and word in folded for word in words(text))


def number_in(text: str) -> dict[str, int]:
    """Return the number of a row that the text is, such as ``4711`` or ``#4711``; empty where it is none."""
    match = _NUMBER.fullmatch(unicodedata.normalize("NFKC", without_unseen(text)))
    return {"number": int(match[1])} if match else {}


def _without_prefix(digits: str, region: str) -> str:
    """Remove the international or the national prefix, which are dialled but not a part of E.164."""
    country = PhoneMetadata.metadata_for_region(region, None)
    if country is None:
        return digits
    out = re.match(country.international_prefix or "$", digits)
    trunk = country.national_prefix
    # In North America the trunk prefix is also the country code, with which E.164 begins anyway.
    return (
        digits[out.end() :]
        if out
        else digits
        if trunk == str(country.country_code)
        else digits.removeprefix(trunk or "")
    )


def _e164_digits(text: str, region: str) -> str | None:
    """Return the digits of the number in E.164; None where it is incomplete."""
    try:
        return normal_phone(text, region).removeprefix("+")
    except ValueError:
        return None


def folded_beginning(text: str) -> dict[str, str]:
    """Return the LIKE pattern for sort keys that begin with this text; empty where folding leaves nothing of it."""
    key = sort_key(text)
    return {"start": f"{escaped(key)}%"} if key else {}
