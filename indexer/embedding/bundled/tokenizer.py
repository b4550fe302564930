"""The tokens of a text for the bundled model: the likeliest pieces of each word.

The tokenizers library does the same, with which tests compare, but its table of the 250,000 pieces takes
280 MB and 1.3 seconds to make; here a dictionary holds them.
"""

import json
from array import array
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.embedding.bundled.normalization import (
    METASPACE,
    UNKNOWN,
    Normalizer,
    read_normalizer,
    write_normalization,
)
from indexer.embedding.bundled.weights import Weights

PIECES, SCORES, ENDS = "pieces.txt", "scores.f32", "ends.json"
_WORDS_KEPT = 1 << 15  # words whose pieces are remembered
_REMEMBERED = 64  # code points; a longer word is too rare to be remembered


class Tokenizer:
    """Split text into pieces of a unigram vocabulary, by their ids.

    `scores` are the pieces' logarithms of probability. `bos` and `eos` stand before and behind every text.
    """

    def __init__(
        self,
        pieces: Sequence[str],
        scores: Sequence[float] | NDArray[np.float32],
        bos: int,
        eos: int,
        normalize: Normalizer,
    ) -> None:
        self._ids = {piece: number for number, piece in enumerate(pieces)}
        self._scores = array("d", np.asarray(scores, np.float64).tobytes())
        self._longest = max(map(len, pieces))
        self._ends, self._normalize = (bos, eos), normalize
        self._remembered = lru_cache(_WORDS_KEPT)(self._likeliest)

    def __call__(self, text: str, window: int | None = None) -> list[int]:
        """Return the ids of the tokens of a text; `window` of them at most, the rest is not read."""
        (bos, eos), ids = self._ends, list[int]()
        for word in (METASPACE + self._normalize(text).replace(" ", f" {METASPACE}")).split(" "):
            ids += self._remembered(word) if len(word) <= _REMEMBERED else self._likeliest(word)
            if window and len(ids) >= window - 2:
                del ids[window - 2 :]
                break
        return [bos, *ids, eos]

    def _likeliest(self, word: str) -> list[int]:
        """Return the ids of the pieces that make up a word with the highest sum of scores.

        Of two such ways the one is taken whose last piece is longer, and so on back.
        """
        ids, scores, longest, length = self._ids, self._scores, self._longest, len(word)
        best: list[float | None] = [0.0] + [None] * length
        last_piece = [0] * (length + 1)  # the id of the piece that ends here on the best way
        starts = [0] * (length + 1)
        for start in range(length):
            so_far = best[start]
            if so_far is None:
                continue
            for end in range(start + 1, min(length, start + longest) + 1):
                piece = ids.get(word[start:end])
                if piece is not None:
                    score, rival = so_far + scores[piece], best[end]
                    if rival is None or score > rival:
                        best[end], last_piece[end], starts[end] = score, piece, start
        found, end = list[int](), length
        while end:
            found.append(last_piece[end])
            end = starts[end]
        found.reverse()
        return found


def write_tokenizer(folder: Path, weights: Weights) -> None:
    """Write the vocabulary and the normalization table of the weights into a model's folder."""
    pieces, scores = weights.vocabulary_with_unknown(UNKNOWN)
    (folder / PIECES).write_bytes("\n".join(pieces).encode())  # in a form that is read in no time
    (folder / SCORES).write_bytes(np.array(scores, "<f4").tobytes())
    (folder / ENDS).write_text(json.dumps({end: weights.specials[end] for end in ("bos", "eos")}), "utf-8")
    write_normalization(folder, weights)


def read_tokenizer(folder: Path) -> Tokenizer:
    """Read the tokenizer of a model's folder."""
    pieces = (folder / PIECES).read_bytes().decode().split("\n")
    scores = np.frombuffer((folder / SCORES).read_bytes(), "<f4")
    ends: dict[str, int] = json.loads((folder / ENDS).read_text("utf-8"))
    return Tokenizer(pieces, scores, **ends, normalize=read_normalizer(folder))
