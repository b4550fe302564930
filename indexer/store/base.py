"""Values that a store takes and returns: terms of a query, files, rows and labels."""

from typing import NamedTuple

from indexer.datatypes import Document, Passage
from indexer.text.analysis import Kind


class WeightedTerm(NamedTuple):
    """A term of a query, its kind, and the weight of a match."""

    term: str
    kind: Kind
    weight: float


class SeenFile(NamedTuple):
    """The state of one file when a build read it."""

    sha256: str | None
    """None where the file could not be read."""
    reason: str | None
    """Why the file was refused; None where it was read."""
    sidecar_hash: str = ""
    """Hash of the facts that sidecars give about the file."""


class Row(NamedTuple):
    """A passage with its row, document and text, and the keys of its terms and vectors."""

    row: int
    passage: Passage
    document: Document
    text: str
    terms_key: bytes | None
    vector_key: bytes
    title_key: bytes | None


Labels = dict[str, str | None]
"""The values of an article that filters compare and facets count, by field."""
