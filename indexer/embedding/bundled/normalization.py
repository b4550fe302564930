"""How the bundled model's vocabulary wants its text. Pure functions and the name of their file."""

import json
import re
from pathlib import Path

NORMALIZATION = "normalization.json"
METASPACE = "▁"
UNKNOWN = "\U0010ffff"  # a noncharacter: stands for every character that no piece of the vocabulary has


class Normalizer:
    """Text to what the vocabulary knows: single code points mapped by table, runs of spaces to one.

    A character that no piece contains becomes `UNKNOWN`, one token each. (The tokenizers library
    would fuse a run of them into one token; the model's own engine does not.)
    """

    def __init__(self, table: dict[int, str], alphabet: str) -> None:
        known = {ord(char): char for char in alphabet if char != METASPACE} | {0x20: " "}
        self.table = _DefaultTable(
            known | {key: "".join(known.get(ord(c), UNKNOWN) for c in value) for key, value in table.items()}
        )

    def __call__(self, text: str) -> str:
        return re.sub("  +", " ", text.translate(self.table))


class _DefaultTable(dict[int, str]):
    def __missing__(self, key: int) -> str:
        return UNKNOWN


def read_normalizer(folder: Path) -> Normalizer:
    """Read the table that stands beside an unpacked model."""
    stored = json.loads((folder / NORMALIZATION).read_text("utf-8"))
    return Normalizer({int(key): value for key, value in stored["table"].items()}, stored["alphabet"])
