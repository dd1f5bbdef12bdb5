"""Which new passwords are refused as soon guessed: common ones, and those made of what is known of their owner.

The kept list (`common_passwords.txt`) has the words that people's passwords are made of most: those of 20,000 leaked
passwords, without what stands around them. It comes from Django (BSD licence), whose list is by Royce Williams.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from app.core.text.normalize import MIN_PASSWORD

LIST = Path(__file__).with_name("common_passwords.txt")
# A shorter word in a password gives nothing away.
MIN_WORD = 4
MIN_CHARACTERS = 5
ROWS = ("abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm", "qwertzuiopasdfghjklyxcvbnm", "0123456789")
# Figures and signs that stand for letters.
_LETTERS = str.maketrans("013457@$!", "oleastasi")
_AROUND = re.compile(r"^[\W\d_]+|[\W\d_]+$")


def weakness(password: str, known: Iterable[str | None] = ()) -> str | None:
    """Why the password would soon be guessed, in words; None where it would not.

    `known` is what strangers may know of its owner: e-mail, name, the shop's name.
    """
    folded = _folded(password)
    letters = re.sub(r"[\W\d_]", "", folded)
    if len(set(folded)) < MIN_CHARACTERS or _is_repetition(folded) or _is_repetition(letters):
        return "Repeats itself; choose one with more in it."
    if _is_run(folded):
        return "Follows the alphabet or the keyboard; choose another."
    cores = _cores(folded)
    if cores & _words_of(known):
        return "Made of a name or an e-mail that others know; choose another."
    if cores & common():
        return "Among those that are guessed first; choose another."
    return None


@cache
def common() -> frozenset[str]:
    """The kept list."""
    return frozenset(LIST.read_text().split())


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _cores(folded: str) -> set[str]:
    """What is left without figures and signs around it, also where they stand for letters within."""
    core = _AROUND.sub("", folded)
    found = {folded, core, core.translate(_LETTERS), _AROUND.sub("", folded.translate(_LETTERS))}
    found |= {re.sub(r"[\W_]", "", text) for text in found}
    return {text for text in found if len(text) >= MIN_WORD}


def _words_of(known: Iterable[str | None]) -> set[str]:
    """The texts, the words in them, and these written together."""
    texts = [_folded(text) for text in known if text]
    words = {word for text in texts for word in re.split(r"[\W_]+", text)}
    parts = {part for text in texts for part in (text, *text.split("@"))}
    together = {re.sub(r"[\W_]", "", part) for part in parts}
    return {word for word in words | parts | together if len(word) >= MIN_WORD}


def _is_repetition(folded: str) -> bool:
    """Whether it is one shorter text over and over."""
    return any(folded[size:] == folded[:-size] for size in range(1, min(MIN_PASSWORD, len(folded) // 2 + 1)))


def _is_run(folded: str) -> bool:
    """Whether it goes along a row, forwards or backwards, again and again."""
    text = re.sub(r"[\W_]", "", folded)
    endless = [row * (len(text) // len(row) + 2) for row in ROWS]
    return bool(text) and any(text in row or text in row[::-1] for row in endless)
