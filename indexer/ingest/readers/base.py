"""The Reader protocol and the values that readers yield."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from indexer.datatypes import Basis
from indexer.errors import UnreadableFile
from indexer.ingest.encoding.detect import Decoded
from indexer.ingest.files import OpenFile
from indexer.ingest.metadata.fields import Facts


@dataclass(frozen=True, slots=True)
class Extract:
    """One article as a reader found it in a file; only readers create extracts."""

    text: str
    basis: Basis
    encoding: str
    facts: Facts = field(default_factory=Facts)
    number: int | None = None
    """The article's position in a file of many articles, from 1; None if the file is one article."""
    id: str = ""
    """The id that a record gives for itself; "" if it has none."""
    left_out: tuple[str, ...] = ()
    """The lines of a web page that the extraction left out of the article."""
    notes: tuple[str, ...] = ()
    """Repairs of the text and oddities in it, one line each, for people."""


@dataclass(frozen=True, slots=True)
class RefusedRecord:
    """A record that is refused, with the reason; the other records of its file are still read."""

    number: int
    reason: str


class Reader(Protocol):
    """Read a file of one format; raises UnreadableFile with the reason to refuse the whole file."""

    def __call__(self, file: OpenFile) -> Iterator[Extract | RefusedRecord]: ...


def text_article(decoded: Decoded, facts: Facts) -> Extract:
    """Return a text file as one article; raises UnreadableFile if it is blank."""
    if not decoded.text.strip():
        raise UnreadableFile("it is empty")
    basis: Basis = "extracted" if decoded.repairs else "file"
    return Extract(decoded.text, basis, decoded.encoding, facts, notes=decoded.repairs + decoded.notes)


def with_title(title: str, text: str) -> str:
    """Return an extracted text with its title as the first line, as in text files, but never twice."""
    first = text.lstrip().split("\n", 1)[0].strip()
    return text if not title or first == title else f"{title}\n\n{text}"
