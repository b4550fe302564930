"""Sentences of a passage as a generation stores them: ranges, and vectors in 8 bits. Pure functions.

A vector is stored as whole numbers from -127 to 127 with one scale: a quarter of its size as float32.
"""

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.text.sentences import Range

KEY_BYTES = 32


def pack_ranges(ranges: Sequence[Range]) -> bytes:
    """Return ranges of code points as they are stored: pairs of unsigned 32-bit integers."""
    return np.asarray(ranges, "<u4").tobytes()


def unpack_ranges(stored: bytes) -> list[Range]:
    """Return the ranges that `pack_ranges` stored."""
    return list(struct.iter_unpack("<2I", stored))


def unpack_keys(stored: bytes) -> list[bytes]:
    """Return the vector keys that are stored one after the other."""
    return [stored[first : first + KEY_BYTES] for first in range(0, len(stored), KEY_BYTES)]


def pack_vectors(vectors: NDArray[np.float32]) -> bytes:
    """Return vectors (n, d) as they are stored, each by itself."""
    packed = np.empty(len(vectors), _layout(vectors.shape[1]))
    scales = np.maximum(np.abs(vectors).max(axis=1), np.finfo(np.float32).tiny) / 127
    packed["scale"], packed["values"] = scales, np.rint(vectors / scales[:, None])
    return packed.tobytes()


def unpack_vectors(stored: bytes, dimension: int) -> NDArray[np.float32]:
    """Return vectors (n, dimension) that `pack_vectors` stored, as far as 8 bits hold them."""
    packed = np.frombuffer(stored, _layout(dimension))
    return np.asarray(packed["values"] * packed["scale"][:, None], np.float32)


def cosines(stored: bytes, vector: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the cosine of each stored vector with a unit vector (d,); it depends on these two alone."""
    packed = np.frombuffer(stored, _layout(len(vector)))
    return np.asarray((packed["values"] * vector).sum(axis=1) * packed["scale"])


def _layout(dimension: int) -> Any:
    return np.dtype([("scale", "<f4"), ("values", "i1", (dimension,))])
