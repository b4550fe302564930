"""The Store seam: one thing with a dense leg, a lexical leg and filters.

Fusion stays above it, so that every store ranks alike. Ids are strings; scores are higher-is-better.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from ..datatypes import Article, Candidate, Document, Passage
from ..text.analysis import Kind

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class WeightedTerm(NamedTuple):
    """A term of a question, the kind of term it is, and what a match of it counts."""

    term: str
    kind: Kind
    weight: float


@dataclass(frozen=True, slots=True)
class Filters:
    """What a passage must be to be looked at by either leg; None asks nothing."""

    lang: str | None = None


class Store(Protocol):
    """What a search asks of a store. Candidates come best first, ties in the order of the archive."""

    generation: str

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

    def documents(self, doc_ids: Sequence[str]) -> dict[str, Document]:
        """Return the documents of these ids, by id."""
        ...

    def article(self, doc_id: str) -> Article | None:
        """Return a document with all its passages; None where the index has none of that id."""
        ...

    def close(self) -> None:
        """Let go of files; nothing is asked afterwards."""
        ...
