"""Find weak new passwords: common ones, and those made of facts that strangers may know about the owner.

`common_passwords.txt` has the most common words of passwords: 20,000 leaked passwords, without the figures and signs
around their words. It comes from Django (BSD licence), whose list is by Royce Williams.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from app.core.text.normalize import MIN_PASSWORD

LIST = Path(__file__).with_name("common_passwords.txt")
# Shorter words are too common to make a password weak.
MIN_WORD = 4
MIN_CHARACTERS = 5
SEQUENCES = ("abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm", "qwertzuiopasdfghjklyxcvbnm", "0123456789")
# Figures and signs that replace letters.
_LETTERS = str.maketrans("013457@$!", "oleastasi")
_AROUND = re.compile(r"^[\W\d_]+|[\W\d_]+$")


def weakness(password: str, known: Iterable[str | None] = ()) -> str | None:
    """Return why the password is weak, as text for its owner; None if it is not.

    `known`: texts that strangers may know about the owner, such as e-mail, name and the shop's name.
    """
    folded = _folded(password)
    letters = re.sub(r"[\W\d_]", "", folded)
    if len(set(folded)) < MIN_CHARACTERS or _is_repetition(folded) or _is_repetition(letters):
        return "Repeats itself; choose one with more in it."
    if _is_sequence(folded):
        return "Follows the alphabet or the keyboard; choose another."
    cores = _cores(folded)
    if cores & _words_of(known):
        return "Made of a name or an e-mail that others know; choose another."
    if cores & common():
        return "Among those that are guessed first; choose another."
    return None


@cache
def common() -> frozenset[str]:
    """Return the words of `common_passwords.txt`."""
    return frozenset(LIST.read_text().split())


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _cores(folded: str) -> set[str]:
    """Return the text without figures and signs around it, also with figures and signs read as letters."""
    core = _AROUND.sub("", folded)
    found = {folded, core, core.translate(_LETTERS), _AROUND.sub("", folded.translate(_LETTERS))}
    found |= {re.sub(r"[\W_]", "", text) for text in found}
    return {text for text in found if len(text) >= MIN_WORD}


def _words_of(known: Iterable[str | None]) -> set[str]:
    """Return the texts, folded, the words in them, and each text without separators."""
    texts = [_folded(text) for text in known if text]
    words = {word for text in texts for word in re.split(r"[\W_]+", text)}
    parts = {part for text in texts for part in (text, *text.split("@"))}
    together = {re.sub(r"[\W_]", "", part) for part in parts}
    return {word for word in words | parts | together if len(word) >= MIN_WORD}


def _is_repetition(folded: str) -> bool:
    """Return whether the text repeats a shorter text."""
    return any(folded[size:] == folded[:-size] for size in range(1, min(MIN_PASSWORD, len(folded) // 2 + 1)))


def _is_sequence(folded: str) -> bool:
    """Return whether the text follows the alphabet, a keyboard or the digits, forwards or backwards, repeatedly."""
    text = re.sub(r"[\W_]", "", folded)
    repeated = [sequence * (len(text) // len(sequence) + 2) for sequence in SEQUENCES]
    return bool(text) and any(text in sequence or text in sequence[::-1] for sequence in repeated)
