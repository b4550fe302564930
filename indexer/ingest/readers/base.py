"""What readers make of files: the Reader seam and the values that cross it."""

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
    """One article as it was found in a file; only readers make them."""

    text: str
    basis: Basis
    encoding: str
    facts: Facts = field(default_factory=Facts)
    number: int | None = None
    """The article's place in a file that holds many, from 1; None in a file that holds one."""
    id: str = ""
    """The id that the article has in that file."""
    left_out: tuple[str, ...] = ()
    """The lines of a page that extraction took to be outside its article."""
    notes: tuple[str, ...] = ()
    """What was repaired in the text, and what is odd about it."""


@dataclass(frozen=True, slots=True)
class RefusedRecord:
    """A record that is no article, and why; the file's other records are."""

    number: int
    reason: str


class Reader(Protocol):
    """One format's way from a file to articles; UnreadableFile refuses the file with its reason."""

    def __call__(self, file: OpenFile) -> Iterator[Extract | RefusedRecord]: ...


def text_article(decoded: Decoded, facts: Facts) -> Extract:
    """Return the article that a text file is; UnreadableFile where it is blank."""
    if not decoded.text.strip():
        raise UnreadableFile("it is empty")
    basis: Basis = "extracted" if decoded.repairs else "file"
    return Extract(decoded.text, basis, decoded.encoding, facts, notes=decoded.repairs + decoded.notes)


def with_title(title: str, text: str) -> str:
    """Return an extracted text under its title, as text files have it; not twice."""
    first = text.lstrip().split("\n", 1)[0].strip()
    return text if not title or first == title else f"{title}\n\n{text}"
