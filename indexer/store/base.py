"""The values that a store is asked with and answers with."""

from typing import NamedTuple

from indexer.datatypes import Document, Passage
from indexer.text.analysis import Kind


class WeightedTerm(NamedTuple):
    """A term of a question, the kind of term it is, and what a match of it counts."""

    term: str
    kind: Kind
    weight: float


class SeenFile(NamedTuple):
    """What a build saw of one file."""

    sha256: str | None
    """None where it could not be read."""
    reason: str | None
    """Why it was refused, if so."""
    sidecar_hash: str = ""
    """A hash of what sidecars say of it."""


class Row(NamedTuple):
    """A passage with its document, its text, and the keys of what else is kept of it."""

    row: int
    passage: Passage
    document: Document
    text: str
    terms_key: bytes | None
    vector_key: bytes


Labels = dict[str, str | None]
"""What an article is filed under: its value of each filter that is of articles, by field."""
