"""Read plain text and Markdown. The decoded file is the article's text, so offsets point into the file."""

import html
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from markdown_it import MarkdownIt

from indexer.ingest.encoding.detect import Decoded, decode
from indexer.ingest.files import OpenFile
from indexer.ingest.metadata.fields import ENTITY, Facts, FieldNames, facts_of, one_line
from indexer.ingest.readers.base import Extract, RefusedRecord, text_article
from indexer.text.front_matter import HEAD_LENGTH, front_matter, front_matter_fields
from indexer.text.language import detect


def read_text(file: OpenFile) -> Iterator[Extract | RefusedRecord]:
    """Read a plain text file as one article."""
    yield text_article(_without_references(decode(file.read())), Facts())


def _without_references(decoded: Decoded) -> Decoded:
    """Return a text with the letters for which HTML references such as &#1576; or &quot; stand."""
    references = len(ENTITY.findall(decoded.text))
    if not references:
        return decoded
    note = f"references to letters, as HTML has them, read as the letters: {references:,}"
    return replace(decoded, text=html.unescape(decoded.text), repairs=(*decoded.repairs, note))


def read_markdown(file: OpenFile, names: FieldNames) -> Iterator[Extract | RefusedRecord]:
    """Read a Markdown file as one article, with the facts of its front matter.

    If those have no title, the first heading is the title.
    """
    decoded = decode(file.read())
    matter = front_matter(decoded.text)
    facts = facts_of(front_matter_fields(matter), names, detect(decoded.text))
    heading = Facts(title=_first_heading(decoded.text[len(matter) : len(matter) + HEAD_LENGTH]))
    yield text_article(decoded, facts.or_else(heading))


def _first_heading(text: str) -> str:
    tokens = MarkdownIt("commonmark").parse(text)
    for heading, inline in pairwise(tokens):
        if heading.type == "heading_open":
            # A line break inside the heading is a token without content.
            pieces = (token.content or " " * token.type.endswith("break") for token in inline.children or [])
            return one_line("".join(pieces))
    return ""
