"""A made-up weights file in the bundled model's format, small enough to write and read by hand."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

HIDDEN, LAYERS, HEADS, FEED_FORWARD, POSITIONS, TYPES = 32, 2, 4, 64, 20, 2
EPSILON = 2.0**-20  # exact in float32
PIECES = {
    "<s>": 0.0, "<pad>": 0.0, "</s>": 0.0, "<unk>": 0.0,
    "▁": -2.0, "▁ab": -2.5, "a": -4.0, "b": -4.5, "سلام": -5.0, "س": -6.0, "ل": -6.0, "ا": -6.0, "م": -6.0,
}  # fmt: skip
TABLE = {0x41: "a", 0x9: " ", 0xAD: "", 0xFEFB: "لا", 0x2469: "▶"}


@dataclass(frozen=True)
class Blocks:
    """A 4-bit tensor: rows of a scale and 32 nibbles, each 0 to 15."""

    rows: Sequence[tuple[float, Sequence[int]]]

    def packed(self) -> bytes:
        return b"".join(
            struct.pack("<e", scale)
            + bytes(low | high << 4 for low, high in zip(nibbles[:16], nibbles[16:], strict=True))
            for scale, nibbles in self.rows
        )

    def values(self) -> list[float]:
        return [(nibble - 8) * scale for scale, nibbles in self.rows for nibble in nibbles]


def made_up_tensors(seed: int = 0) -> dict[str, "Blocks | np.ndarray"]:
    """All tensors of a tiny BERT: matrices in blocks, biases and layer norms as they are."""
    random = np.random.default_rng(seed)

    def blocks(items: int) -> Blocks:
        scales = random.choice([0.125, 0.0625, 0.03125], items // 32).tolist()  # exact in float16
        return Blocks([(scale, random.integers(0, 16, 32).tolist()) for scale in scales])

    def plain(items: int) -> np.ndarray:
        return random.normal(size=items).astype(np.float32)

    tensors: dict[str, Blocks | np.ndarray] = {
        "emb.word": blocks(len(PIECES) * HIDDEN),
        "emb.pos": blocks(POSITIONS * HIDDEN),
        "emb.type": plain(TYPES * HIDDEN),
        "emb.ln.w": plain(HIDDEN),
        "emb.ln.b": plain(HIDDEN),
    }
    for layer in range(LAYERS):
        for part, rows, columns in [
            ("q", HIDDEN, HIDDEN), ("k", HIDDEN, HIDDEN), ("v", HIDDEN, HIDDEN), ("ao", HIDDEN, HIDDEN),
            ("fi", FEED_FORWARD, HIDDEN), ("fo", HIDDEN, FEED_FORWARD),
        ]:  # fmt: skip
            tensors[f"l{layer}.{part}.w"] = blocks(rows * columns)
            tensors[f"l{layer}.{part}.b"] = plain(rows)
        for norm in ("aln", "oln"):
            tensors[f"l{layer}.{norm}.w"] = plain(HIDDEN)
            tensors[f"l{layer}.{norm}.b"] = plain(HIDDEN)
    return tensors


def serialize(
    tensors: Mapping[str, "Blocks | np.ndarray"],
    pieces: Mapping[str, float] = PIECES,
    table: Mapping[int, str] = TABLE,
    magic: bytes = b"E5S1",
    version: int = 1,
) -> bytes:
    """Write the format; tensors stand one after another behind their directory."""
    pack = struct.pack
    encoded = [piece.encode() for piece in pieces]
    ends = np.cumsum([0, *map(len, encoded)])
    names = list(pieces)
    data = magic + pack("<I", version)
    data += pack("<7i", HIDDEN, LAYERS, HEADS, FEED_FORWARD, len(pieces), POSITIONS, TYPES)
    data += pack("<fi", EPSILON, 32)
    data += pack("<5i", len(pieces), *(names.index(piece) for piece in ("<s>", "</s>", "<pad>", "<unk>")))
    data += pack("<Q", ends[-1]) + ends.astype("<u4").tobytes()
    data += np.array(list(pieces.values()), "<f4").tobytes() + b"".join(encoded)
    rows = b"".join(
        pack(f"<IB{len(text)}I", code_point, len(text), *map(ord, text)) for code_point, text in table.items()
    )
    data += pack("<iI", len(table), len(rows)) + rows
    data += pack("<i", len(tensors))
    bodies = {
        name: tensor.packed() if isinstance(tensor, Blocks) else tensor.astype("<f4").tobytes()
        for name, tensor in tensors.items()
    }
    at = len(data) + sum(2 + len(name.encode()) + 1 + 4 + 8 + 8 for name in tensors)
    for name, tensor in tensors.items():
        items = len(tensor.values()) if isinstance(tensor, Blocks) else tensor.size
        kind = int(isinstance(tensor, Blocks))
        data += pack("<H", len(name.encode())) + name.encode()
        data += pack("<BIQQ", kind, items, at, len(bodies[name]))
        at += len(bodies[name])
    return data + b"".join(bodies.values())
