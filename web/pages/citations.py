"""Cite words of an article, as plain text and as Markdown. Pure functions.

Labels, numbers and dates are in the language of the interface. The cited words are not changed, except that
characters are escaped or removed that would act as markup or change the direction of the text around them.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from flask_babel import gettext as _

from indexer import Document
from web.i18n.locale import day, ngettext, number

QUOTED = 2_000  # code points of a quotation at most; nearly every passage is shorter

_LINE_END = re.compile(r"\r\n|\r|\n")
_CONTROL = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_DIRECTION_CONTROL = re.compile("[\u202a-\u202e\u2066-\u2069]")  # changes the direction of the text after it
_OVERRIDE = re.compile("[\u202d\u202e]")
_INVISIBLE = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_WEB_ADDRESS = re.compile(r"https?://[^\s\0-\x20\x7f-\x9f\\]+", re.IGNORECASE)

# Characters that Markdown interprets anywhere, and the parts of addresses that many programs turn into links;
# then characters that make a heading, list, rule or table of a line that begins with them.
_MARKUP = re.compile(r"[\\`*_\[\]<>&|~$#@]|:(?=//)|(?<=www)\.", re.IGNORECASE)
_OPENING = re.compile(r"([0-9]*)([-+=:.)])")


@dataclass(frozen=True, slots=True)
class Citation:
    """Words of an article, the first and the last line of them, and the address that shows them."""

    document: Document
    lines: tuple[int, int]
    words: str
    address: str


def plain(citation: Citation) -> str:
    """Return a citation as plain text: one line for each fact, then the exact words."""
    words, shortened = shorten(citation.words)
    facts = [f"{label}: {value}" for label, value, _is_code in _facts(citation)]
    label, address = _("Words"), _("Address")  # not inside f-strings, where pybabel finds no texts
    facts.append(f"{address}:\n{citation.address}")  # on a line of its own, which has its own direction
    facts.append(f"{label} ({shortened}):" if shortened else f"{label}:")
    return "\n".join([title_of(citation.document), *facts, visible(words)])


def markdown(citation: Citation) -> str:
    """Return a citation as Markdown: the title as a link, the facts as a list, the words as a quotation."""
    words, shortened = shorten(citation.words)
    title = f"**[{_escaped(title_of(citation.document))}]({citation.address})**"
    facts = [
        f"- {label}: {_code(value) if is_code else _escaped(value)}"
        for label, value, is_code in _facts(citation)
    ]
    note = ["", f"({shortened})"] if shortened else []
    return "\n".join([title, "", *facts, "", *_quotation(visible(words)), *note])


def title_of(document: Document) -> str:
    """Return an article's title as one line; its path if it has no title."""
    return title_or_path(document.title, document.file.path)


def title_or_path(title: str, path: str) -> str:
    """Return a title as one line; the path of the article's file if it has no title."""
    return one_line(title) or shown_path(path)


def one_line(text: str) -> str:
    """Return a text as one line, without the characters that would change the direction of text after it."""
    return visible(_DIRECTION_CONTROL.sub("", " ".join(text.split())))


def unturned(text: str) -> str:
    """Return a text without the characters that force a direction on it; a receipt keeps them."""
    return _OVERRIDE.sub("", text)


def visible(text: str) -> str:
    """Return a text with U+FFFD for each control character, which neither pages nor print can show."""
    return _CONTROL.sub("\ufffd", text)


def shown_path(path: str) -> str:
    """Return a file's path with escapes for invisible characters, such as a line end in a name."""
    return _INVISIBLE.sub(lambda match: match[0].encode("unicode_escape").decode(), path)


def record_of(document: Document) -> str | None:
    """Return the id of an article's record in its file; None if the file is one article."""
    record = document.doc_id.removeprefix(document.file.path)
    return record[2:] if record.startswith("::") else None


def original_of(document: Document) -> str | None:
    """Return the web address of the original article; None if it has none that is safe as a link."""
    address = document.url
    try:
        safe = _WEB_ADDRESS.fullmatch(address) and urlsplit(address).hostname
    except ValueError:
        return None
    # Escape invisible characters, as browsers do, so that none changes the direction of the text around it.
    return _INVISIBLE.sub(lambda match: quote(match[0]), address) if safe else None


def shorten(words: str) -> tuple[str, str]:
    """Return the words to quote, at most QUOTED code points, and a note if they were shortened, else ""."""
    if len(words) <= QUOTED:
        return words, ""
    end = QUOTED
    while end > QUOTED - 100 and not words[end].isspace():
        end -= 1
    if not words[end].isspace():  # the word is very long: cut inside it, but keep marks with their letter
        end = QUOTED
        while end > 1 and unicodedata.combining(words[end]):
            end -= 1
    first = words[:end].rstrip()
    note = ngettext(
        "shortened: the first %(shown)s of %(all)s character",
        "shortened: the first %(shown)s of %(all)s characters",
        len(words),
        shown=number(len(first)),
        all=number(len(words)),
    )
    return f"{first}…", note


def _facts(citation: Citation) -> Iterator[tuple[str, str, bool]]:
    """Yield the known facts: a label, the value, and whether to show the value as code."""
    document = citation.document
    author, published = document.author, document.published
    if author:
        yield _("Author"), one_line(author), False
    if document.source:
        yield _("Source"), one_line(document.source), False
    if published:
        yield _("Date"), day(published), False
    if original := original_of(document):
        yield _("Original"), original, True
    yield _("File"), shown_path(document.file.path), True
    if record := record_of(document):
        yield _("Record"), shown_path(record), True
    yield *lines_of(citation), False
    yield "sha256", document.file.sha256, True


def lines_of(citation: Citation) -> tuple[str, str]:
    """Return a label for the cited lines, and their numbers."""
    first, last = citation.lines
    extracted = citation.document.file.basis == "extracted"
    if first == last:
        return _("Line of the extracted text") if extracted else _("Line"), number(first)
    label = _("Lines of the extracted text") if extracted else _("Lines")
    return label, f"{number(first)}–{number(last)}"


def _escaped(line: str) -> str:
    """Return a line with everything escaped that Markdown would interpret."""
    escaped = _MARKUP.sub(r"\\\g<0>", line)
    return _OPENING.sub(r"\1\\\2", escaped, count=1) if _OPENING.match(escaped) else escaped


def _code(text: str) -> str:
    """Return a text as a code span, fenced by more backticks than any run in it; code needs no escapes."""
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    pad = " " if text[:1] in "` " or text[-1:] in "` " else ""  # Markdown strips one space at each end
    return f"{fence}{pad}{text}{pad}{fence}"


def _quotation(words: str) -> list[str]:
    """Return words as the lines of a Markdown quotation, with their line ends kept."""
    lines = [_escaped(line.strip(" \t")) for line in _LINE_END.split(words.strip())]
    return [f"> {line}  " if line else ">" for line in lines]
