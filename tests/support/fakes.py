"""Fakes for the slow parts: a model whose vectors are counted words, and what goes with it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np

from indexer import Searcher
from indexer.embedding.language_neutral import read_sample
from indexer.store.folder import IndexFolder
from indexer.store.reader import GenerationReader

DIMENSION = 64
# Of which tests make passages that the model tells apart.
WORDS = [
    "river",
    "grain",
    "envoy",
    "market",
    "winter",
    "dam",
    "treaty",
    "port",
    "drone",
    "light",
    "olive",
    "canal",
]
# The texts that every build encodes to estimate the language-neutral space; no test counts them.
SAMPLE = {
    text
    for texts in (read_sample().arabic, read_sample().english)
    for each in texts.values()
    for text in each
}


@dataclass
class FakeModel:
    """A model that is distinguished by its name and opens at once; it is its own Encoder.

    A vector counts the words of a text, each in one of 64 places by its hash, so texts that share
    words are near each other in a way that a test can work out.
    """

    name: str = "fake"
    weights: str = "fake-weights"
    backend: str = "torch"
    window: int = 512
    dimension: int = DIMENSION
    prompts: dict[str, str] = field(default_factory=lambda: {"query": "q: ", "document": "d: "})
    encoded: list[str] = field(default_factory=list)
    opened: int = 0

    def open(self) -> "FakeModel":
        self.opened += 1
        return self

    def count_tokens(self, text: str) -> int:
        return len(text.split()) + 2

    def encode_passages(self, texts: Sequence[str]) -> np.ndarray:
        self.encoded += [text for text in texts if text not in SAMPLE]
        return (
            np.stack([bag_of_words(text) for text in texts])
            if texts
            else np.empty((0, DIMENSION), np.float32)
        )

    def encode_queries(self, texts: Sequence[str]) -> np.ndarray:
        return np.stack([bag_of_words(text) for text in texts])


def open_fake(index: Path, _model: str | None = None, before: Searcher | None = None) -> Searcher:
    """Open an index with the fake model, as a SearchService opens one with a real model."""
    return Searcher(GenerationReader.open(IndexFolder(index)), before.encoder if before else FakeModel())


_PAIRS = {
    text: f"{role} {number}"
    for each in (read_sample().arabic, read_sample().english)
    for role, texts in each.items()
    for number, text in enumerate(texts)
}


@dataclass
class TwoTongues(FakeModel):
    """A model that answers in the language of the question, unless the neutral space corrects it.

    The two texts of a pair of the parallel sample mean the same; in every vector one place says which
    language the text is in, and counts for more than what the text means.
    """

    name: str = "two-tongues"
    weights: str = "two-tongues-weights"

    def encode_passages(self, texts: Sequence[str]) -> np.ndarray:
        self.encoded += [text for text in texts if text not in SAMPLE]
        return self.encode_queries(texts) if texts else np.empty((0, DIMENSION), np.float32)

    def encode_queries(self, texts: Sequence[str]) -> np.ndarray:
        return np.stack([_in_its_tongue(text) for text in texts])


@lru_cache(4_096)
def _in_its_tongue(text: str) -> np.ndarray:
    if text in _PAIRS:
        seed = int.from_bytes(hashlib.sha256(_PAIRS[text].encode()).digest()[:8], "big")
        vector = np.random.default_rng(seed).normal(size=DIMENSION)
        own = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
        vector += 0.1 * np.random.default_rng(own).normal(size=DIMENSION)
        vector /= np.linalg.norm(vector)
    else:
        vector = bag_of_words(text).astype(np.float64)
    arabic = sum("\u0600" <= letter <= "\u06ff" for letter in text)
    vector[-1] = 3 if 2 * arabic > sum(map(str.isalpha, text)) else -3
    return (vector / np.linalg.norm(vector)).astype(np.float32)


@lru_cache(4_096)
def bag_of_words(text: str) -> np.ndarray:
    vector = np.full(DIMENSION, 1e-3, np.float32)
    for word in text.casefold().split():
        vector[hashlib.sha256(word.encode()).digest()[0] % DIMENSION] += 1
    return vector / np.linalg.norm(vector)
