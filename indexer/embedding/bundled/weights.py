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


@dataclass(frozen=True, slots=True)
class Weights:
    """The content of the file; `tensors` are float32, `pieces` are in the order of their ids."""

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
    tensors: dict[str, NDArray[np.float32]]


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
        else dequantize(np.frombuffer(data, np.uint8, size, start), block)
        for name, kind, items, start, size in directory
    }
    specials = {"bos": bos, "eos": eos, "pad": pad, "unk": unk}
    return Weights(
        hidden, layers, heads, feed_forward, vocabulary, positions, types, epsilon,
        specials, pieces, scores, normalization, tensors,
    )  # fmt: skip


def dequantize(raw: NDArray[np.uint8], block: int) -> NDArray[np.float32]:
    """Turn blocks of (float16 scale, nibbles) into float32 weights, flat and in order."""
    rows = raw.reshape(-1, 2 + block // 2)
    scales = rows[:, :2].copy().view("<f2").astype(np.float32)
    nibbles = rows[:, 2:]
    weights = np.empty((len(rows), block), np.float32)
    weights[:, : block // 2] = nibbles & 0x0F
    weights[:, block // 2 :] = nibbles >> 4
    weights -= 8
    weights *= scales
    return weights.reshape(-1)


class _Cursor:
    def __init__(self, data: bytes) -> None:
        self.data, self.offset = data, 0

    def take(self, length: int) -> bytes:
        self.offset += length
        return self.data[self.offset - length : self.offset]

    def read(self, layout: str) -> tuple[Any, ...]:
        return struct.unpack("<" + layout, self.take(struct.calcsize("<" + layout)))
