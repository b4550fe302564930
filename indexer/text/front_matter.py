"""Front matter: the metadata block between lines of three dashes at the start of a text. Pure functions."""

from typing import Any

import yaml

HEAD_LENGTH = 1 << 16
"""Code points that are searched for the end of the block, and for a first heading after it."""


def front_matter(text: str) -> str:
    """Return the metadata block at the start of a text, with its lines of dashes; "" if there is none."""
    lines = text[:HEAD_LENGTH].splitlines(keepends=True)
    if not lines or lines[0].rstrip() != "---":
        return ""
    for number, line in enumerate(lines[1:], 1):
        if line.rstrip() in ("---", "..."):
            block = "".join(lines[: number + 1])
            return block if front_matter_fields(block) else ""
    return ""


def front_matter_fields(matter: str) -> dict[str, Any]:
    """Return the fields of a metadata block; {} if it is not a YAML mapping."""
    try:
        # BaseLoader keeps every value as text, so that `dates` reads the dates.
        content = yaml.load("\n".join(matter.splitlines()[1:-1]), yaml.BaseLoader)
    except (yaml.YAMLError, RecursionError, ValueError, OverflowError):
        return {}
    return {str(key): value for key, value in content.items()} if isinstance(content, dict) else {}
