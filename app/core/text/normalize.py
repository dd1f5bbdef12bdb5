"""Text that people type: what of it can be seen, and in which one form e-mails, phones, SKUs and passwords are kept."""

import re
import unicodedata

import phonenumbers
from email_validator import EmailNotValidError, validate_email

MIN_PASSWORD, MAX_PASSWORD = 12, 128

# What Unicode shows as nothing: soft hyphens, joiners, marks of direction, fillers, the empty Braille pattern. These
# come along where text is pasted, and say nothing at its ends.
NOTHING = r"\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufeff\uffa0"
# What chooses how the sign before it looks: at an end it may be a part of that, alone it is nothing too.
SELECTORS = r"\u034f\u17b4\u17b5\u180b-\u180d\u180f\ufe00-\ufe0f"
_BEYOND = r"\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"  # beyond 16 bits: tags, scores, shorthand
_AT_AN_END = re.compile(rf"^[\s{NOTHING}]+|[\s{NOTHING}]+$")
_UNSEEN = re.compile(rf"[{NOTHING}{SELECTORS}{_BEYOND}]")
# White space that text may have; vertical tabs and form feeds are control characters, which it may not.
SPACES = r" \t\n\r\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
# As keyboards and word processors write them; in formulas, names and numbers they mean the same.
HYPHENS = r"\-\u058a\u05be\u2010-\u2015\u2043\u207b\u208b\u2212\u2e3a\u2e3b\u30a0\ufe58\ufe63\uff0d"
_HYPHEN = re.compile(f"[{HYPHENS}]")
DOTS = r".\u00b7\u2022\u2024\u2027\u2219\u22c5\u30fb"
_DOT = re.compile(f"[{DOTS}]")


def trim(text: str) -> str:
    """The text without white space, and what nobody sees, around it; empty where there is nothing to be seen in it."""
    return _AT_AN_END.sub("", text) if _UNSEEN.sub("", text).strip() else ""


def without_unseen(text: str) -> str:
    """The text without what nobody sees, wherever it stands: for codes and numbers, in which that means nothing."""
    return _UNSEEN.sub("", text)


def normal_password(text: str) -> str:
    """The password in the one form that every keyboard comes to (NIST SP 800-63B: NFKC, before it is hashed)."""
    return unicodedata.normalize("NFKC", text)


def normal_email(text: str) -> str:
    """The address in lower case. Raises `ValueError` where it is none; no mail server is asked."""
    try:
        return validate_email(without_unseen(text), check_deliverability=False).normalized.lower()
    except EmailNotValidError as error:
        raise ValueError("Not a valid e-mail address.") from error


def normal_phone(text: str, region: str) -> str:
    """The number in E.164, such as +12125550142; `region` (a country code) reads those without a country code.

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
