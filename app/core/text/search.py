"""Finding text: words in any order, numbers and sizes as they are written, phones and plates however written.

What is stored and what is looked for are folded by the same rules: case, accents and what keyboards write differently
(apostrophes, hyphens, letters such as ł and ø) make no difference.
"""

import re
import unicodedata

import phonenumbers
from phonenumbers import PhoneMetadata

from app.core.text.normalize import DOTS, HYPHENS, normal_phone, without_unseen

MAX_WORDS = 8
# Shorter words are found where a word begins, longer ones anywhere: an index of trigrams serves both.
TRIGRAM = 3
# So many characters count when text is sorted: more would not fit into an index, four bytes each.
MAX_OF_KEY = 120
# Fewer digits than this are no part of a phone number that anybody looks for.
MIN_DIGITS = 3

# Kinds of quotes, of primes, and letters that stand for an apostrophe.
QUOTES = "'\"`´¨‘’‚‛“”„‟‹›«»ʹʺʻʼʽˈʾʿ′″‵‶＇＂`´"
_DROPPED = re.compile(f"[{QUOTES}{HYPHENS}]")
# Around a word these belong to the sentence, within it to the word: 7.5, 205/55, a@b.example.
_AROUND = ".,;:!?¿¡…·()[]{}<>"
_SAME = {"æ": "ae", "œ": "oe", "ð": "d", "þ": "th", "ŋ": "n", "ĸ": "k", "ı": "i", "ə": "e"}
_SIGNS = {"⁄": "/", "∕": "/", "×": "x"}
_PHONE = re.compile(rf"[+(]?[\d\s()/+{HYPHENS}{DOTS}]*")


def _plain_letters() -> dict[str, str]:
    """Latin letters with a stroke, a hook or the like, which Unicode does not take apart, and the plain ones."""
    named = ((chr(code), unicodedata.name(chr(code), "")) for code in range(0x80, 0x2B0))
    plain = ((letter, re.match("LATIN SMALL LETTER ([A-Z]) WITH ", name)) for letter, name in named)
    return {letter: match[1].lower() for letter, match in plain if match}


_PLAIN = str.maketrans(_plain_letters() | _SAME | _SIGNS)


def fold(text: str) -> str:
    """The text without case, accents, apostrophes and hyphens: O’Hara becomes ohara, Łukasz lukasz, 10W-30 10w30."""
    text = _DROPPED.sub("", text)
    if not text.isascii():
        text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", without_unseen(text)).casefold())
        text = "".join(part for part in text if not unicodedata.combining(part)).translate(_PLAIN)
    return text.casefold()


def words(text: str) -> list[str]:
    """The words of a text, folded, without the marks of sentences around them."""
    return [word for part in fold(text).split() if (word := part.strip(_AROUND))]


def searchable(*texts: str | None) -> str:
    """What is kept of a row to be searched: all its words, with a space before each."""
    return "".join(f" {word}" for text in texts if text for word in words(text))


def sort_key(text: str | None) -> str | None:
    """What text is sorted by and compared by where it begins: folded, single spaces, no longer than an index takes."""
    return None if text is None else " ".join(fold(text).split())[:MAX_OF_KEY]


def pattern(word: str) -> str:
    """What LIKE finds a word of the searchable text with; the escape is a backslash."""
    return f"%{'' if len(word) >= TRIGRAM else ' '}{escaped(word)}%"


def escaped(text: str) -> str:
    """The text for LIKE, in which nothing stands for anything else."""
    return re.sub(r"([\\%_])", r"\\\1", text)


def patterns(text: str) -> dict[str, str]:
    """A LIKE pattern for each word that is looked for, under names that tell how many there are."""
    return {str(number): pattern(word) for number, word in enumerate(words(text)[:MAX_WORDS])}


def phone_patterns(text: str, region: str) -> dict[str, str]:
    """LIKE patterns for what may be a phone number or a part of one, as it may stand in E.164.

    `region` reads those without a country code. There is none where the text is written in another way.
    """
    text = unicodedata.normalize("NFKC", without_unseen(text))
    digits = phonenumbers.normalize_digits_only(text)
    if not _PHONE.fullmatch(text) or len(digits) < MIN_DIGITS:
        return {}
    forms = dict.fromkeys((digits, _without_dialled(digits, region), _whole_number(text, region) or digits))
    return {f"phone_{number}": f"%{form}%" for number, form in enumerate(forms)}


def _without_dialled(digits: str, region: str) -> str:
    """The digits without what is only dialled before them, within the country or out of it."""
    country = PhoneMetadata.metadata_for_region(region, None)
    if country is None:
        return digits
    out = re.match(country.international_prefix or "$", digits)
    trunk = country.national_prefix
    # In North America it is also the country code, and stands before each number anyway.
    return (
        digits[out.end() :]
        if out
        else digits
        if trunk == str(country.country_code)
        else digits.removeprefix(trunk or "")
    )


def _whole_number(text: str, region: str) -> str | None:
    """The digits of the number in E.164; None where it is not a whole one."""
    try:
        return normal_phone(text, region).removeprefix("+")
    except ValueError:
        return None


def folded_beginning(text: str) -> dict[str, str]:
    """The LIKE pattern for sort keys that begin so; none where nothing is left of the text."""
    key = sort_key(text)
    return {"start": f"{escaped(key)}%"} if key else {}
