"""The metadata block, between lines of three dashes, that a text may begin with. Pure functions."""

from typing import Any

import yaml

_HEAD = 1 << 16  # code points in which a Markdown file has its first heading


def front_matter(text: str) -> str:
    """Return the block of metadata that a text begins with, fences and all; "" where it has none."""
    lines = text[:_HEAD].splitlines(keepends=True)
    if not lines or lines[0].rstrip() != "---":
        return ""
    for at, line in enumerate(lines[1:], 1):
        if line.rstrip() in ("---", "..."):
            block = "".join(lines[: at + 1])
            return block if _fields(block) else ""
    return ""


def _fields(matter: str) -> dict[str, Any]:
    try:
        # Every value as the text that it is: dates are ours to read.
        loaded = yaml.load("\n".join(matter.splitlines()[1:-1]), yaml.BaseLoader)
    except (yaml.YAMLError, RecursionError, ValueError, OverflowError):
        return {}
    return {str(key): value for key, value in loaded.items()} if isinstance(loaded, dict) else {}
