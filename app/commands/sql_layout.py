"""SQL for people to read: in lines, with what stands between parentheses further to the right."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

WIDTH = 120
# What begins a line: a clause, and what continues one.
CLAUSES = {"SELECT", "FROM", "WHERE", "LEFT", "JOIN", "GROUP", "ORDER", "LIMIT", "UNION"}
CONTINUED = {"AND", "OR"}
# Text and names in quotes, parentheses, commas, white space, and all else.
WORDS = re.compile(r"""'(?:[^']|'')*'|"[^"]*"|[(),]|\s+|[^\s'"(),]+""")


def lay_out(sql: str) -> str:
    """The statement in lines: what does not fit in one has a line for each clause, column and member of an object."""
    return _lines(_nested(iter(WORDS.findall(sql))), 0)


def _nested(words: Iterator[str]) -> tuple[Any, ...]:
    """The words up to the parenthesis that closes; those between two parentheses as a tuple of their own."""
    found: list[Any] = []
    for word in words:
        if word == ")":
            break
        found.append(_nested(words) if word == "(" else " " if word.isspace() else word)
    return tuple(found)


def _flat(words: Iterable[Any]) -> str:
    return "".join(f"({_flat(word)})" if isinstance(word, tuple) else word for word in words)


def _lines(words: tuple[Any, ...], indent: int) -> str:
    """The words, in one line where they fit; the first line is not indented."""
    if indent + len(_flat(words)) <= WIDTH:
        return _flat(words).strip()
    lines, is_query = [], False
    for part in _parts(words):
        begins_clause = part[0] in CLAUSES
        is_query = is_query or begins_clause
        column = indent + (2 if is_query and not begins_clause else 0)
        lines.append(" " * column + "".join(_word(word, column) for word in part).rstrip())
    return "\n".join(lines).lstrip()


def _word(word: Any, indent: int) -> str:
    if not isinstance(word, tuple) or indent + len(_flat(word)) <= WIDTH:
        return _flat([word])
    if len(word) == 1:
        return f"({_word(word[0], indent)})"
    inner = indent + 2
    return f"(\n{' ' * inner}{_lines(word, inner)}\n{' ' * indent})"


def _parts(words: tuple[Any, ...]) -> Iterator[list[Any]]:
    """What stands in a line each. The name of a member and its value stand together."""
    part: list[Any] = []
    for word in words:
        if part and _begins_line(word) and part[-2:] != ["OUTER", " "]:
            yield part
            part = []
        if part or word != " ":
            part.append(word)
        if word == "," and not _is_name(part[:-1]):
            yield part
            part = []
    if part:
        yield part


def _begins_line(word: Any) -> bool:
    return isinstance(word, str) and (word in CLAUSES or word in CONTINUED)


def _is_name(part: list[Any]) -> bool:
    return len(part) == 1 and isinstance(part[0], str) and part[0].startswith("'")
