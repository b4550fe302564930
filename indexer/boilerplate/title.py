"""Which line of a document is its title, and what stands above it. Works on DocumentLines."""

from collections.abc import Sequence

from indexer.boilerplate.document_lines import DocumentLines
from indexer.boilerplate.patterns import names_a_section
from indexer.boilerplate.wording import (
    FULL_STOP,
    count_words,
    is_credit_or_date,
    is_title_with_site,
    key,
    same_words,
    share_of,
)

TITLE_LENGTH = 200  # code points; a longer first line is a paragraph, whose beginning is the title
SHORTENED = 90
TOP = 12  # lines in which a title is said again
SPOKEN_OF = 0.4  # share of a title's words that the article's paragraphs use


def find_title(lines: DocumentLines) -> None:
    """Set `lines.title` and keep that line.

    It is, in this order: the line that has the known title; a line that is said again near the top; a line
    above the article whose words the paragraphs use; the first line above the article; the first line kept.
    """
    lines.title = _title_line(lines)
    if lines.title is not None and lines.rules[lines.title] != "front-matter":
        lines.keep(lines.title)


def title_text(line: str) -> str:
    """Return a line as a title: without Markdown's signs, and shortened if it is a paragraph."""
    line = line.lstrip("#").strip() or line
    if len(line) <= TITLE_LENGTH:
        return line
    return line[: line.rfind(" ", 0, SHORTENED) + 1 or SHORTENED].rstrip() + "…"


def _title_line(lines: DocumentLines) -> int | None:
    if not lines.contents:
        return None
    known = _known_title(lines)
    return known if known is not None else _likeliest_title(lines)


def _likeliest_title(lines: DocumentLines) -> int:
    top = [place for place in range(min(TOP, len(lines))) if _can_be_title(lines, place)]
    repeated = _said_twice(lines, top)
    if repeated is not None:
        _cut_above(lines, repeated)
        return repeated
    above = _cut_sections(lines, [place for place in top if place < lines.first_prose()])
    spoken_of = _spoken_of(lines, above)
    first = next((place for place in above if lines.rules[place] is None), None)
    if spoken_of is None:
        return first if first is not None else next(lines.kept(), 0)
    if first is None or spoken_of == first:
        return spoken_of
    if _names_the_site(lines, first, spoken_of):
        _cut_above(lines, spoken_of)
        return spoken_of
    return first


def _known_title(lines: DocumentLines) -> int | None:
    """Return the line that has the title that the file or a sidecar gives."""
    title = lines.document.title
    shown = (place for place, rule in enumerate(lines.rules) if title and rule != "front-matter")
    return next((place for place in shown if same_words(lines.contents[place], title)), None)


def _can_be_title(lines: DocumentLines, place: int) -> bool:
    """Whether a line at the top can be a title; «Explained: …» and «فيديو | …» open titles too."""
    return lines.rules[place] in (None, "see-also") and not is_credit_or_date(lines.contents[place])


def _said_twice(lines: DocumentLines, top: Sequence[int]) -> int | None:
    pairs = ((one, other) for one in top for other in top if one < other)
    return next((one for one, other in pairs if _says_again(lines, one, other)), None)


def _says_again(lines: DocumentLines, one: int, other: int) -> bool:
    first, second = lines.contents[one], lines.contents[other]
    words, again = key(first), key(second)
    if len(words.split()) < 3 or len(first) > TITLE_LENGTH or FULL_STOP.search(first):
        return False
    if is_title_with_site(words, second) or is_title_with_site(again, first):
        return True
    # Under another line of some length it is a paragraph twice, or a refrain.
    above = [lines.contents[place] for place in range(one) if lines.rules[place] is None]
    return words == again and other <= one + 4 and all(len(line.split()) <= 2 for line in above)


def _cut_above(lines: DocumentLines, title: int) -> None:
    """Cut the short lines above a title that is certain: the site's name, its claim, the section's name."""
    for place in range(title):
        content = lines.contents[place]
        if lines.rules[place] is None and len(content) <= 60 and not is_credit_or_date(content):
            lines.rules[place] = "site-name"


def _cut_sections(lines: DocumentLines, above: list[int]) -> list[int]:
    """Cut names of sections at the very top, as long as another line can be the title; returns the rest."""
    while len(above) > 1 and lines.rules[above[0]] is None and names_a_section(lines.contents[above[0]]):
        lines.rules[above[0]] = "navigation"
        above = above[1:]
    return above


def _spoken_of(lines: DocumentLines, above: Sequence[int]) -> int | None:
    """Return the first line that the article speaks of; one with a bar only where there is no other."""
    subject = lines.subject()
    spoken_of = [place for place in above if share_of(lines.contents[place], subject) >= SPOKEN_OF]
    plain = [
        place for place in spoken_of if " | " not in lines.contents[place]
    ]  # sites write names with bars
    return next(iter(plain or spoken_of), None)


def _names_the_site(lines: DocumentLines, place: int, title: int) -> bool:
    """Whether the first line above the article names the site, and not the title that seems to follow.

    Such a line is short and the article does not speak of it; and boilerplate stands around it, or a notice
    of the site has its words.
    """
    content = lines.contents[place]
    if " | " in content and any(lines.rules[:title]):
        return True
    if count_words(content) > 9 or share_of(content, lines.subject()) > 0.5:
        return False
    if any(lines.rules[:place]) or count_words(content) <= 3:
        return True
    words = key(content).split()
    name = " ".join(words[1:] if count_words(content) > 2 else words)  # without «صحيفة», «وكالة», "The"
    notices = (
        key(line)
        for line, rule in zip(lines.contents, lines.rules, strict=True)
        if rule in ("copyright", "subscribe", "navigation")
    )
    return any(lines.rules[place:title]) or any(name in notice for notice in notices)
