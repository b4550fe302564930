"""The file format of the bundled model's 4-bit weights. Pure functions.

The file is little-endian: a header, the unigram vocabulary with its log-probabilities, a table that
normalizes single code points, and a directory of tensors, which are either float32 or rows of blocks of 32
weights. A block is one float16 scale, then 16 bytes whose low nibbles are weights 0-15 and high nibbles
16-31; a weight is (nibble - 8) * scale.
"""

import struct
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.errors import ModelError

MAGIC = b"E5S1"
UNKNOWN_PENALTY = 10.0  # subtracted from the score of the least likely piece, as in the model's own engine


@dataclass(frozen=True, slots=True)
class Blocks:
    """A tensor in 4 bits, in blocks of weights that share a scale."""

    scales: NDArray[np.float16]
    """One for each block, (blocks,)."""
    nibbles: NDArray[np.uint8]
    """Bytes of two weights each, (blocks, weights of a block / 2)."""

    def numbers(self) -> NDArray[np.uint8]:
        """Return the weights as numbers from 0 to 15, (blocks, weights of a block); 8 stands for zero."""
        return np.concatenate([self.nibbles & 0x0F, self.nibbles >> 4], axis=1)

    def values(self) -> NDArray[np.float32]:
        """Return the weights as float32, flat and in order."""
        weights = self.numbers().astype(np.float32)
        weights -= 8
        weights *= self.scales.astype(np.float32)[:, None]
        return weights.reshape(-1)


@dataclass(frozen=True, slots=True)
class Weights:
    """The content of the file; `pieces` are in the order of their ids."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    types: int
    epsilon: float
    specials: dict[str, int]
    pieces: list[str]
    scores: list[float]
    normalization: dict[int, str]
    tensors: dict[str, NDArray[np.float32] | Blocks]

    def vocabulary_with_unknown(self, unknown: str) -> tuple[list[str], list[float]]:
        """Return the pieces and their scores, with `unknown` in place of the unknown piece.

        It becomes an ordinary piece that matches `unknown`, with the score of the model's own engine.
        """
        pieces, scores, place = list(self.pieces), list(self.scores), self.specials["unk"]
        pieces[place], scores[place] = unknown, min(self.scores) - UNKNOWN_PENALTY
        return pieces, scores

    def values(self, name: str) -> NDArray[np.float32]:
        """Return a tensor as float32, flat and in order."""
        tensor = self.tensors[name]
        return tensor.values() if isinstance(tensor, Blocks) else tensor


def parse_weights(data: bytes) -> Weights:
    """Parse a file in the format that the docstring of this module describes; ModelError for another."""
    cursor = _Cursor(data)
    if cursor.take(4) != MAGIC or cursor.read("I") != (1,):
        raise ModelError("The weights file has another format than Warraq reads.")
    hidden, layers, heads, feed_forward, vocabulary, positions, types = cursor.read("7i")
    (epsilon,) = cursor.read("f")
    (block,) = cursor.read("i")
    count, bos, eos, pad, unk = cursor.read("5i")
    (blob_length,) = cursor.read("Q")
    offsets = np.frombuffer(cursor.take(4 * (count + 1)), "<u4").tolist()
    scores = np.frombuffer(cursor.take(4 * count), "<f4").tolist()
    blob = cursor.take(blob_length)
    pieces = [blob[start:end].decode() for start, end in pairwise(offsets)]
    rows, _ = cursor.read("iI")
    normalization = {}
    for _ in range(rows):
        code_point, length = cursor.read("IB")
        normalization[code_point] = "".join(map(chr, cursor.read(f"{length}I")))
    (tensor_count,) = cursor.read("i")
    directory = []
    for _ in range(tensor_count):
        (name_length,) = cursor.read("H")
        directory.append((cursor.take(name_length).decode(), *cursor.read("BIQQ")))
    tensors = {
        name: np.frombuffer(data, "<f4", items, start)
        if kind == 0
        else read_blocks(np.frombuffer(data, np.uint8, size, start), block)
        for name, kind, items, start, size in directory
    }
    specials = {"bos": bos, "eos": eos, "pad": pad, "unk": unk}
    return Weights(
        hidden, layers, heads, feed_forward, vocabulary, positions, types, epsilon,
        specials, pieces, scores, normalization, tensors,
    )  # fmt: skip


def read_blocks(raw: NDArray[np.uint8], block: int) -> Blocks:
    """Read blocks of a float16 scale and the nibbles of `block` weights."""
    rows = raw.reshape(-1, 2 + block // 2)
    return Blocks(rows[:, :2].copy().view("<f2").reshape(-1), rows[:, 2:])


class _Cursor:
    def __init__(self, data: bytes) -> None:
        self.data, self.offset = data, 0

    def take(self, length: int) -> bytes:
        self.offset += length
        return self.data[self.offset - length : self.offset]

    def read(self, layout: str) -> tuple[Any, ...]:
        return struct.unpack("<" + layout, self.take(struct.calcsize("<" + layout)))
