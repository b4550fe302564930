"""Bytes of one file to documents. One Reader a format, chosen by the file's name.

A reader gets the untouched bytes and returns documents whose text is the decoded file, or raises
UnreadableFile with the reason. It splits nothing and knows no model.
"""

import hashlib
from pathlib import PurePosixPath
from typing import Protocol

from ..datatypes import Document
from ..errors import UnreadableFile
from ..text.language import detect
from .lines import split_lines

TITLE_LENGTH = 200  # code points; a longer first line is a paragraph, its beginning the title
SHORTENED = 90


class Reader(Protocol):
    """One format's way from bytes to documents."""

    def __call__(self, path: str, data: bytes) -> list[Document]: ...


def read_text(path: str, data: bytes) -> list[Document]:
    """Read a plain text article: one document, whose title is its first line that is not blank."""
    if b"\0" in data:
        raise UnreadableFile("it is not text: it holds NUL bytes")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnreadableFile(f"it is not UTF-8 text (byte {error.start + 1:,}); save it as UTF-8") from None
    text = text.removeprefix("\ufeff")
    lines = [stripped for line in split_lines(text) if (stripped := text[line.start : line.end].strip())]
    if not lines:
        raise UnreadableFile("it is empty")
    metadata = {
        "path": path,
        "sha256": hashlib.sha256(data).hexdigest(),
        "basis": "file",
        "encoding": "utf-8",
    }
    source = PurePosixPath(path).parent.as_posix()
    return [
        Document(path, _title(lines[0]), text, "" if source == "." else source, detect(text), None, metadata)
    ]


def _title(line: str) -> str:
    if len(line) <= TITLE_LENGTH:
        return line
    return line[: line.rfind(" ", 0, SHORTENED) + 1 or SHORTENED].rstrip() + "…"


READERS: dict[str, Reader] = {".txt": read_text}


def read_documents(path: str, data: bytes) -> list[Document]:
    """Read a file by the reader of its suffix; UnreadableFile where there is none."""
    suffix = PurePosixPath(path).suffix.lower()
    reader = READERS.get(suffix)
    if reader is None:
        known = ", ".join(sorted(READERS))
        raise UnreadableFile(f"{suffix or 'a file without a suffix'} is not a format that is read ({known})")
    return reader(path, data)
