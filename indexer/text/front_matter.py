"""Front matter: the metadata block at the start of a text, in YAML between lines of three dashes or in TOML
between lines of three plus signs. Pure functions.
"""

import tomllib
from typing import Any

import yaml

HEAD_LENGTH = 1 << 16
"""Code points that are searched for the end of the block, and for a first heading after it."""

_ENDS = {"---": ("---", "..."), "+++": ("+++",)}  # the first line of a block, and the lines that end it


def front_matter(text: str) -> str:
    """Return the metadata block at the start of a text, with its lines of dashes; "" if there is none."""
    lines = text[:HEAD_LENGTH].splitlines(keepends=True)
    ends = _ENDS.get(lines[0].rstrip()) if lines else None
    if ends is None:
        return ""
    for number, line in enumerate(lines[1:], 1):
        if line.rstrip() in ends:
            block = "".join(lines[: number + 1])
            return block if front_matter_fields(block) else ""
    return ""


def front_matter_fields(matter: str) -> dict[str, Any]:
    """Return the fields of a metadata block; {} if it is not a YAML mapping or TOML."""
    if matter.startswith("+++"):
        return _toml_fields("\n".join(matter.splitlines()[1:-1]))
    try:
        # BaseLoader keeps every value as text, so that `dates` reads the dates.
        content = yaml.load("\n".join(matter.splitlines()[1:-1]), yaml.BaseLoader)
    except (yaml.YAMLError, RecursionError, ValueError, OverflowError):
        return {}
    return {str(key): value for key, value in content.items()} if isinstance(content, dict) else {}


def _toml_fields(content: str) -> dict[str, Any]:
    try:
        fields = tomllib.loads(content)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError):
        return {}
    # As in YAML, values are text, so that `dates` reads the dates.
    return {key: value if isinstance(value, dict | list) else str(value) for key, value in fields.items()}
