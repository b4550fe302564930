"""The language-neutral space: vectors in which a passage's language does not count.

An embedding model answers in the language of the question, because part of each vector says which
language the text is in. The space is estimated from pairs of texts that say the same thing in Arabic
and in English, written for this purpose and shipped with this module; it needs no language label
afterwards and is applied to passages and questions alike, in one place each.

In a space of dimension d, for a vector x of role r (passage or question):

    neutral(x) = unit(W P (x - CENTRE * m_r))

P projects out the plane of the two mean differences between the languages, one of passages and one
of questions: the directions that tell Arabic from English. W = sqrt(t) (S + t I)^(-1/2), with S the
covariance of the remaining differences within pairs and t = SPREAD * trace(S) / d, shrinks the directions
in which translations still differ (within-class covariance normalisation; Hatch, Kajarekar and Stolcke,
2006). m_r is the mean of the role's sample: taking part of it out spreads vectors that otherwise all
point one way (Mu and Viswanath, 2018).

Mean nDCG@10 of dense search over twelve directions of four data sets, dev questions (MRR@10 for the
headlines): with the plain vectors 0.793, P alone 0.874, P and W 0.877, P and CENTRE 0.880, all 0.886.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file, save_file

from indexer.embedding.encoder import TEXT, Encoder
from indexer.settings import Backend

METHOD = "plane-wccn-centre-1"  # changed when the same sample would give another space
SAMPLE = Path(__file__).with_name("parallel.jsonl")
BUNDLED_SPACE = Path(__file__).with_name("bundled_space.safetensors")
"""The space of the bundled model, estimated from SAMPLE by benchmarks/bundled_space.py."""
SPREAD = 6.0
CENTRE = 0.7
GAIN = 0.1  # least gain, as a share of the missing mean reciprocal rank; less is noise in this sample

Role = Literal["passage", "question"]
Vectors: TypeAlias = "dict[Role, NDArray[np.float32]]"
ROLES: tuple[Role, ...] = ("passage", "question")


@dataclass(frozen=True, slots=True)
class Sample:
    """Parallel texts: for each role as many in Arabic as in English, pair by pair."""

    arabic: dict[Role, list[str]]
    english: dict[Role, list[str]]
    sha256: str


@cache
def read_sample(path: Path = SAMPLE) -> Sample:
    """Read the parallel sample that ships with the program, once; every build asks for it three times."""
    data = path.read_bytes()
    rows = [json.loads(line) for line in data.decode().splitlines()]
    arabic, english = (
        {role: [row[lang] for row in rows if row["kind"] == role] for role in ROLES} for lang in ("ar", "en")
    )
    return Sample(arabic, english, hashlib.sha256(data).hexdigest())


@dataclass(frozen=True, slots=True)
class NeutralSpace:
    """A linear map (d, d) and an offset (d,) for each role; vectors are rows."""

    matrix: NDArray[np.float32]
    offsets: dict[Role, NDArray[np.float32]]

    def apply(self, vectors: NDArray[np.float32], role: Role) -> NDArray[np.float32]:
        """Map unit vectors (n, d) of one role to unit vectors of the space."""
        # Multiply row by row: in one product of all rows, the last digits of a row depend on the number of
        # rows, and duplicates of a passage must have the same score.
        return _unit((vectors[:, None] @ self.matrix)[:, 0] - self.offsets[role])

    def save(self, path: Path, origin: dict[str, str] | None = None) -> None:
        """Write the space to a file, without pickle; `origin` says what it was estimated from."""
        vectors = {str(role): self.offsets[role] for role in ROLES}
        try:
            save_file({"matrix": self.matrix} | vectors, path, origin)
        except SafetensorError as error:  # such as a full disk
            raise OSError(str(error)) from error

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a space that `save` wrote; ValueError where a file holds something else."""
        try:
            stored = load_file(path)
            matrix, offsets = stored["matrix"], {role: stored[role] for role in ROLES}
        except (SafetensorError, KeyError) as error:
            raise ValueError(str(error)) from error
        dimension = len(matrix)
        shapes = [matrix.shape, *(offset.shape for offset in offsets.values())]
        if shapes != [(dimension, dimension), *[(dimension,)] * len(ROLES)]:
            raise ValueError("it holds no space")
        return cls(matrix, offsets)


def space_origin(weights: str) -> dict[str, str]:
    """Return all that decides the space of a model: its weights, the sample and the method."""
    return {"weights": weights, "text": TEXT, "sample": read_sample().sha256, "method": METHOD}


def bundled_space(weights: str) -> NeutralSpace | None:
    """Return the space that ships for a model with these weights; None where none does."""
    with safe_open(BUNDLED_SPACE, "numpy") as stored:
        origin = stored.metadata()
    return NeutralSpace.load(BUNDLED_SPACE) if origin == space_origin(weights) else None


def estimate(arabic: Vectors, english: Vectors) -> NeutralSpace:
    """Estimate the space from the vectors of a parallel sample, by role, pair by pair."""
    differences = {role: (arabic[role] - english[role]).astype(np.float64) for role in ROLES}
    plane = np.linalg.qr(np.stack([differences[role].mean(axis=0) for role in ROLES], axis=1))[0]
    within = np.concatenate([pairs - pairs.mean(axis=0) for pairs in differences.values()])
    covariance = within.T @ within / len(within)
    values, axes = np.linalg.eigh(covariance)
    threshold = max(SPREAD * values.mean(), np.finfo(np.float64).tiny)
    whiten = (axes * np.sqrt(threshold / (np.maximum(values, 0) + threshold))) @ axes.T
    matrix = (np.eye(len(plane)) - plane @ plane.T) @ whiten
    means = {role: np.concatenate([arabic[role], english[role]]).mean(axis=0) for role in ROLES}
    offsets = {role: (CENTRE * means[role] @ matrix).astype(np.float32) for role in ROLES}
    return NeutralSpace(matrix.astype(np.float32), offsets)


@dataclass(frozen=True, slots=True)
class NeutralEncoder:
    """An Encoder that maps the vectors of `base` to a language-neutral space."""

    base: Encoder
    space: NeutralSpace

    @property
    def name(self) -> str:
        return self.base.name

    @property
    def weights(self) -> str:
        return self.base.weights

    @property
    def backend(self) -> Backend:
        return self.base.backend

    @property
    def dimension(self) -> int:
        return self.base.dimension

    @property
    def prompts(self) -> dict[str, str]:
        return self.base.prompts

    @property
    def window(self) -> int:
        return self.base.window

    def count_tokens(self, text: str) -> int:
        return self.base.count_tokens(text)

    def encode_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self.space.apply(self.base.encode_passages(texts), "passage")

    def encode_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self.space.apply(self.base.encode_queries(texts), "question")


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, np.finfo(np.float32).tiny), np.float32)


def improves(arabic: Vectors, english: Vectors, folds: int = 8) -> bool:
    """Return whether the space finds translations better than the plain vectors do, out of sample.

    The space is estimated without one fold of the pairs; then each text of this fold looks for its
    translation among the texts of the fold with the same role, in both languages. The pairs of the estimate
    are not tested: the space separates them from all other texts, so they would be too easy. The measure is
    the mean reciprocal rank: an encoder that puts texts of one language first ranks translations behind them.
    """
    plain, neutral = [], []
    for fold in range(folds):
        used = {role: np.arange(len(arabic[role])) % folds != fold for role in ROLES}
        space = estimate(
            {role: arabic[role][used[role]] for role in ROLES},
            {role: english[role][used[role]] for role in ROLES},
        )
        for role in ROLES:
            left_out = [vectors[role][~used[role]] for vectors in (arabic, english)]
            plain.append(_translation_ranks(*left_out))
            neutral.append(_translation_ranks(*(space.apply(vectors, role) for vectors in left_out)))
    missing, still_missing = (1 - np.mean(1 / np.concatenate(ranks)) for ranks in (plain, neutral))
    return bool(still_missing < (1 - GAIN) * missing)


def _translation_ranks(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[Any]:
    """Return the rank, from 1, of the translation of each text among all texts but itself."""
    vectors = np.concatenate([one, other])
    scores = vectors @ vectors.T
    np.fill_diagonal(scores, -np.inf)
    texts = np.arange(len(vectors))
    translations = np.roll(texts, len(one))
    return np.asarray((scores > scores[texts, translations][:, None]).sum(axis=1) + 1)
