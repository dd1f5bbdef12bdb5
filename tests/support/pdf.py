"""Read the text of a PDF that the application made, through the tables of its embedded fonts."""

import re
import zlib

STREAM = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.DOTALL)
# The font that is chosen, a run of its glyphs, the end of a piece of text.
TOKEN = re.compile(rb"/F(\d) [\d.]+ Tf|\(((?:\\.|[^\\)])*)\) Tj|(ET)", re.DOTALL)
GLYPH = re.compile(rb"<([0-9A-F]{4})> <([0-9A-F]+)>")


def pages(pdf: bytes) -> list[str]:
    """The text of each page, one piece of text a line."""
    streams = [_unpacked(packed) for packed in STREAM.findall(pdf)]
    fonts = [
        {int(glyph, 16): bytes.fromhex(text.decode()).decode("utf-16-be") for glyph, text in GLYPH.findall(stream)}
        for stream in streams
        if b"beginbfchar" in stream
    ]
    return [_text(stream, fonts) for stream in streams if b" Tf ET\n" in stream]


def _unpacked(packed: bytes) -> bytes:
    try:
        return zlib.decompress(packed)
    except zlib.error:  # a picture, or what is not compressed
        return packed


def _text(page: bytes, fonts: list[dict[int, str]]) -> str:
    text, font = "", fonts[0]
    for chosen, glyphs, end in TOKEN.findall(page):
        if chosen:
            font = fonts[int(chosen) - 1]
        elif end:
            text += "\n"
        else:
            codes = re.sub(rb"\\(.)", lambda escaped: {b"r": b"\r", b"n": b"\n"}.get(escaped[1], escaped[1]), glyphs)
            text += "".join(font[codes[i] << 8 | codes[i + 1]] for i in range(0, len(codes), 2))
    return re.sub("\n+", "\n", text)
