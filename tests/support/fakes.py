"""Fakes for the slow parts: a model whose vectors are counted words, and what goes with it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

DIMENSION = 64


@dataclass
class FakeModel:
    """A model that is told apart by its name and opens at once; it is its own Encoder.

    A vector counts the words of a text, each in one of 64 places by its hash, so texts that share
    words are near each other in a way that a test can work out.
    """

    name: str = "fake"
    weights: str = "fake-weights"
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
        self.encoded += texts
        return (
            np.stack([bag_of_words(text) for text in texts])
            if texts
            else np.empty((0, DIMENSION), np.float32)
        )

    def encode_queries(self, texts: Sequence[str]) -> np.ndarray:
        return np.stack([bag_of_words(text) for text in texts])


def bag_of_words(text: str) -> np.ndarray:
    vector = np.full(DIMENSION, 1e-3, np.float32)
    for word in text.casefold().split():
        vector[hashlib.sha256(word.encode()).digest()[0] % DIMENSION] += 1
    return vector / np.linalg.norm(vector)
