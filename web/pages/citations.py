"""Citations of words of an article, as plain text and as Markdown. Pure functions.

Labels, numbers and dates are in the language of the interface. What is cited stays what it is; it is only
kept from being taken for markup, and from turning the direction of what stands around it.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from flask_babel import gettext as _

from indexer import Document
from web.i18n.locale import day, ngettext, number

QUOTED = 2_000  # code points; the words of nearly every passage are fewer

_LINE_END = re.compile(r"\r\n|\r|\n")
_CONTROL = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_TURN = re.compile("[\u202a-\u202e\u2066-\u2069]")  # turns the direction of what follows
_UNSEEN = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_WEB = re.compile(r"https?://[^\s\0-\x20\x7f-\x9f\\]+", re.IGNORECASE)

# What Markdown reads anywhere, with addresses that many make links of; and what makes a heading, a list,
# a rule or a table of the line that begins with it.
_MARKUP = re.compile(r"[\\`*_\[\]<>&|~$#@]|:(?=//)|(?<=www)\.", re.IGNORECASE)
_OPENING = re.compile(r"([0-9]*)([-+=:.)])")


@dataclass(frozen=True, slots=True)
class Citation:
    """What is cited: words of an article, the lines that they stand on, and the address that shows them."""

    document: Document
    lines: tuple[int, int]
    words: str
    address: str


def plain(citation: Citation) -> str:
    """Return a citation as plain text, a line for each fact, then the exact words."""
    words, shortened = shorten(citation.words)
    facts = [f"{label}: {value}" for label, value, _is_code in _facts(citation)]
    label, address = _("Words"), _("Address")  # outside of f-strings, in which nobody looks for texts
    facts.append(f"{address}:\n{citation.address}")  # on a line that has its own direction
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
    """Return an article's title as a line of its own, or its path where it has none."""
    return one_line(document.title) or shown_path(document.file.path)


def one_line(text: str) -> str:
    """Return a text as one line that turns the direction of nothing after it."""
    return visible(_TURN.sub("", " ".join(text.split())))


def visible(text: str) -> str:
    """Return a text with a sign in place of each control character, which pages and papers cannot hold."""
    return _CONTROL.sub("\ufffd", text)


def shown_path(path: str) -> str:
    """Return a file's path with escapes in place of what is not seen, such as a line end in its name."""
    return _UNSEEN.sub(lambda found: found[0].encode("unicode_escape").decode(), path)


def record_of(document: Document) -> str | None:
    """Return the id of an article's record, None where the article has its file to itself."""
    record = document.doc_id.removeprefix(document.file.path)
    return record[2:] if record.startswith("::") else None


def original_of(document: Document) -> str | None:
    """Return the address on the web that an article came from, None where it is none that may be a link."""
    address = document.url
    try:
        safe = _WEB.fullmatch(address) and urlsplit(address).hostname
    except ValueError:
        return None
    # Escaped as browsers do it themselves: nothing in it may turn the direction of what stands around it.
    return _UNSEEN.sub(lambda found: quote(found[0]), address) if safe else None


def shorten(words: str) -> tuple[str, str]:
    """Return the words that are quoted and, where they are not all, a note that says so."""
    if len(words) <= QUOTED:
        return words, ""
    end = QUOTED
    while end > QUOTED - 100 and not words[end].isspace():
        end -= 1
    if not words[end].isspace():  # a word that has no end: no mark is taken from its letter
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
    """Yield what is known: its label, the value, and whether it is to be shown as code."""
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
    """Return the lines that are cited: which they are called, and their numbers."""
    first, last = citation.lines
    extracted = citation.document.file.basis == "extracted"
    if first == last:
        return _("Line of the extracted text") if extracted else _("Line"), number(first)
    label = _("Lines of the extracted text") if extracted else _("Lines")
    return label, f"{number(first)}–{number(last)}"


def _escaped(line: str) -> str:
    """Return a line with all that Markdown would read escaped."""
    escaped = _MARKUP.sub(r"\\\g<0>", line)
    return _OPENING.sub(r"\1\\\2", escaped, count=1) if _OPENING.match(escaped) else escaped


def _code(text: str) -> str:
    """Return a text as a code span, in which nothing is escaped, fenced by more backticks than it has."""
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    pad = " " if text[:1] in "` " or text[-1:] in "` " else ""  # one at either end belongs to the fence
    return f"{fence}{pad}{text}{pad}{fence}"


def _quotation(words: str) -> list[str]:
    """Return words as the lines of a quotation that keeps their line ends."""
    lines = [_escaped(line.strip(" \t")) for line in _LINE_END.split(words.strip())]
    return [f"> {line}  " if line else ">" for line in lines]
