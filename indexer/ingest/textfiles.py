"""Plain text and Markdown: the decoded file is the article's text, so offsets point into the file."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from ..text.language import detect
from .encodings import decode
from .extracts import Extract, RefusedRecord, of_text
from .fields import Facts, FieldNames, facts_of, one_line
from .files import OpenFile

_HEAD = 1 << 16  # code points in which a Markdown file has its first heading


def read_text(file: OpenFile) -> Iterator[Extract | RefusedRecord]:
    """Read a plain text article."""
    yield of_text(decode(file.read()), Facts())


def read_markdown(file: OpenFile, names: FieldNames) -> Iterator[Extract | RefusedRecord]:
    """Read a Markdown article: facts from its front matter, else the title from its first heading."""
    decoded = decode(file.read())
    matter = front_matter(decoded.text)
    facts = facts_of(_fields(matter), names, detect(decoded.text))
    heading = Facts(title=_first_heading(decoded.text[len(matter) : len(matter) + _HEAD]))
    yield of_text(decoded, facts.or_else(heading))


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
    import yaml

    try:
        # Every value as the text that it is: dates are ours to read.
        loaded = yaml.load("\n".join(matter.splitlines()[1:-1]), yaml.BaseLoader)
    except (yaml.YAMLError, RecursionError, ValueError, OverflowError):
        return {}
    return {str(key): value for key, value in loaded.items()} if isinstance(loaded, dict) else {}


def _first_heading(text: str) -> str:
    from markdown_it import MarkdownIt

    tokens = MarkdownIt("commonmark").parse(text)
    for heading, inline in pairwise(tokens):
        if heading.type == "heading_open":
            # A break between lines has no content.
            return one_line(
                "".join(each.content or " " * each.type.endswith("break") for each in inline.children or [])
            )
    return ""
