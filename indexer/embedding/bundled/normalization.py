"""Normalization of text for the bundled model's vocabulary. Pure functions, and their file."""

import json
import re
from pathlib import Path

from indexer.embedding.bundled.weights import Weights

NORMALIZATION = "normalization.json"
METASPACE = "▁"
UNKNOWN = "\U0010ffff"  # a noncharacter, in place of every character that no piece of the vocabulary contains


class Normalizer:
    """Normalize text for the vocabulary: map single code points by a table, and runs of spaces to one space.

    A character that no piece contains becomes `UNKNOWN`, one token each. (The tokenizers library would merge
    a run of them into one token; the model's own engine does not.)
    """

    def __init__(self, table: dict[int, str], alphabet: str) -> None:
        alphabet_table = {ord(char): char for char in alphabet if char != METASPACE} | {0x20: " "}
        self.table = _DefaultTable(
            alphabet_table
            | {
                key: "".join(alphabet_table.get(ord(c), UNKNOWN) for c in value)
                for key, value in table.items()
            }
        )

    def __call__(self, text: str) -> str:
        return re.sub("  +", " ", text.translate(self.table))


class _DefaultTable(dict[int, str]):
    def __missing__(self, key: int) -> str:
        return UNKNOWN


def write_normalization(folder: Path, weights: Weights) -> None:
    """Write the normalization table of a model into its folder."""
    alphabet = "".join(sorted(piece for piece in weights.pieces if len(piece) == 1))
    table = {str(key): value for key, value in weights.normalization.items()}
    (folder / NORMALIZATION).write_text(json.dumps({"alphabet": alphabet, "table": table}), "utf-8")


def read_normalizer(folder: Path) -> Normalizer:
    """Read the normalization table of a converted model."""
    stored = json.loads((folder / NORMALIZATION).read_text("utf-8"))
    return Normalizer({int(key): value for key, value in stored["table"].items()}, stored["alphabet"])
