"""Plain text and Markdown: the decoded file is the article's text, so offsets point into the file."""

from collections.abc import Iterator
from itertools import pairwise

from markdown_it import MarkdownIt

from indexer.ingest.encoding.detect import decode
from indexer.ingest.files import OpenFile
from indexer.ingest.metadata.fields import Facts, FieldNames, facts_of, one_line
from indexer.ingest.readers.base import Extract, RefusedRecord, text_article
from indexer.text.front_matter import _HEAD, _fields, front_matter
from indexer.text.language import detect


def read_text(file: OpenFile) -> Iterator[Extract | RefusedRecord]:
    """Read a plain text article."""
    yield text_article(decode(file.read()), Facts())


def read_markdown(file: OpenFile, names: FieldNames) -> Iterator[Extract | RefusedRecord]:
    """Read a Markdown article: facts from its front matter, else the title from its first heading."""
    decoded = decode(file.read())
    matter = front_matter(decoded.text)
    facts = facts_of(_fields(matter), names, detect(decoded.text))
    heading = Facts(title=_first_heading(decoded.text[len(matter) : len(matter) + _HEAD]))
    yield text_article(decoded, facts.or_else(heading))


def _first_heading(text: str) -> str:
    tokens = MarkdownIt("commonmark").parse(text)
    for heading, inline in pairwise(tokens):
        if heading.type == "heading_open":
            # A break between lines has no content.
            return one_line(
                "".join(each.content or " " * each.type.endswith("break") for each in inline.children or [])
            )
    return ""
