"""Normalisation of typed text: invisible characters, e-mail addresses, phone numbers and passwords."""

import re
import unicodedata

import phonenumbers
from email_validator import EmailNotValidError, validate_email

MIN_PASSWORD, MAX_PASSWORD = 12, 128

# Invisible characters: soft hyphens, joiners, direction marks, fillers, the empty Braille pattern. Pasted text has
# them; at the ends of a text they have no meaning.
NOTHING = r"\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufeff\uffa0"
# Variation selectors change the look of the character before them, so they stay at the end of a text; alone they are
# invisible.
SELECTORS = r"\u034f\u17b4\u17b5\u180b-\u180d\u180f\ufe00-\ufe0f"
_BEYOND = r"\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"  # beyond 16 bits: tags, scores, shorthand
_AT_AN_END = re.compile(rf"^[\s{NOTHING}]+|[\s{NOTHING}]+$")
_UNSEEN = re.compile(rf"[{NOTHING}{SELECTORS}{_BEYOND}]")
# White space that text may contain. Vertical tabs and form feeds are control characters, which it may not.
SPACES = r" \t\n\r\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
# Variants of the hyphen and the dot that keyboards and word processors write; in formulas, names and numbers they mean
# the same.
HYPHENS = r"\-\u058a\u05be\u2010-\u2015\u2043\u207b\u208b\u2212\u2e3a\u2e3b\u30a0\ufe58\ufe63\uff0d"
_HYPHEN = re.compile(f"[{HYPHENS}]")
DOTS = r".\u00b7\u2022\u2024\u2027\u2219\u22c5\u30fb"
_DOT = re.compile(f"[{DOTS}]")


def trim(text: str) -> str:
    """Strip white space and invisible characters; return an empty string where the text has no visible character."""
    return _AT_AN_END.sub("", text) if _UNSEEN.sub("", text).strip() else ""


def without_unseen(text: str) -> str:
    """Remove invisible characters anywhere: for codes and numbers, in which they have no meaning."""
    return _UNSEEN.sub("", text)


def normal_password(text: str) -> str:
    """Return the password in NFKC, which is the same from every keyboard (NIST SP 800-63B), to be hashed."""
    return unicodedata.normalize("NFKC", text)


def normal_email(text: str) -> str:
    """Return the address in lower case. Raises `ValueError` for an invalid one; no mail server is contacted."""
    try:
        return validate_email(without_unseen(text), check_deliverability=False).normalized.lower()
    except EmailNotValidError as error:
        raise ValueError("Not a valid e-mail address.") from error


def normal_phone(text: str, region: str) -> str:
    """Return the number in E.164, such as +12125550142; `region` is the country of numbers without a country code.

    Raises `ValueError` where it is no possible number.
    """
    plain = _DOT.sub(".", unicodedata.normalize("NFKC", without_unseen(text)))
    try:
        number = phonenumbers.parse(plain, region)
    except phonenumbers.NumberParseException as error:
        raise ValueError("Not a valid phone number.") from error
    possible = phonenumbers.is_possible_number_with_reason(number)
    if possible != phonenumbers.ValidationResult.IS_POSSIBLE or number.extension:
        raise ValueError("Not a valid phone number; write the area code, and a + before a foreign country code.")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
