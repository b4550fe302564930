"""The Store seam: one thing with a dense leg, a lexical leg and filters.

Fusion stays above it, so that every store ranks alike. Ids are strings; scores are higher-is-better.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from ..datatypes import Article, Candidate, Document, Passage
from ..text.analysis import Kind
from .manifest import Manifest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


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
    beside: str = ""
    """A hash of what sidecars say of it."""


class Row(NamedTuple):
    """A passage with its document, its text, and the keys of what else is kept of it."""

    row: int
    passage: Passage
    document: Document
    text: str
    folded_key: bytes | None
    vector_key: bytes


class Labels(NamedTuple):
    """What an article is filed under."""

    source: str
    published: str | None


@dataclass(frozen=True, slots=True)
class Filters:
    """What a passage must be to be looked at by either leg; None asks nothing."""

    lang: str | None = None
    source: str | None = None
    published_from: str | None = None
    """First day of an article, YYYY-MM-DD; an article without a date is never within days."""
    published_to: str | None = None

    @property
    def by_date(self) -> bool:
        return bool(self.published_from or self.published_to)


class Store(Protocol):
    """What a search asks of a store. Candidates come best first, ties in the order of the archive."""

    generation: str
    manifest: Manifest
    archive: Path
    """Where the articles were when the index was built."""
    fields: Mapping[str, str]
    """The names of fields in records that the user gave for that."""
    damage: str | None
    """What is wrong with the index, and the remedy, where a newer generation could not be opened."""

    def size(self) -> tuple[int, int]:
        """Count the documents and the passages."""
        ...

    def dense(self, vector: "NDArray[np.float32]", depth: int, filters: Filters) -> list[Candidate]:
        """Return the passages nearest a unit vector, by cosine."""
        ...

    def lexical(self, terms: Sequence[WeightedTerm], depth: int, filters: Filters) -> list[Candidate]:
        """Return the passages that hold most of the terms, by the weighted sum of their BM25."""
        ...

    def cosines(self, vector: "NDArray[np.float32]", passages: Sequence[Passage]) -> list[float]:
        """Return the dense scores of passages found otherwise."""
        ...

    def vector(self, passage: Passage) -> "NDArray[np.float32]":
        """Return the unit vector of a passage."""
        ...

    def labels(self, doc_ids: Sequence[str]) -> dict[str, Labels]:
        """Return what the documents of these ids are filed under, by id."""
        ...

    def years(self) -> dict[str | None, int]:
        """Count the documents by the year they were published in, newest first; None where unknown."""
        ...

    def undated(self, filters: Filters) -> int:
        """Count the articles without a date among those that the other filters leave."""
        ...

    def documents(self, doc_ids: Sequence[str]) -> dict[str, Document]:
        """Return the documents of these ids, by id."""
        ...

    def article(self, doc_id: str) -> Article | None:
        """Return a document with all its passages; None where the index has none of that id."""
        ...

    def close(self) -> None:
        """Let go of files; nothing is asked afterwards."""
        ...
