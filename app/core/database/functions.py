"""SQL functions of our own, and how PostgreSQL and SQLite spell each of them."""

from typing import Any

from sqlalchemy import String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


class HexDigest(FunctionElement[str]):
    """The SHA-256 hash of a text in hexadecimal digits. On SQLite a function of the connection (`engine.py`)."""

    name = "hex_digest"
    type = String()
    inherit_cache = True


@compiles(HexDigest, "postgresql")
def _built_in(element: HexDigest, compiler: Any, **options: Any) -> str:
    return f"encode(sha256(convert_to({compiler.process(element.clauses, **options)}, 'UTF8')), 'hex')"


@compiles(HexDigest, "sqlite")
def _own_function(element: HexDigest, compiler: Any, **options: Any) -> str:
    return f"hex_digest({compiler.process(element.clauses, **options)})"
