"""Find the title among the lines of a document, and cut the site's lines above it. Works on DocumentLines."""

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

TITLE_LENGTH = 200  # code points; a longer line is a paragraph, whose beginning then serves as the title
SHORTENED = 90  # code points of such a beginning
TOP = 12  # lines at the top in which a title may be repeated
SPOKEN_OF = 0.4  # least share of a line's stems that the paragraphs use, if the line is their title


def find_title(lines: DocumentLines) -> None:
    """Set `lines.title` and keep that line.

    The title is the first of these that exists: the line with the known title; a line that is repeated near
    the top; a line above the article whose words the paragraphs use; the first line above the article; the
    first line that is kept.
    """
    lines.title = _title_line(lines)
    if lines.title is not None and lines.rules[lines.title] != "front-matter":
        lines.keep(lines.title)


def title_text(line: str) -> str:
    """Return the title that a line gives: without Markdown's #, and shortened if the line is a paragraph."""
    line = line.lstrip("#").strip() or line
    if len(line) <= TITLE_LENGTH:
        return line
    return line[: line.rfind(" ", 0, SHORTENED) + 1 or SHORTENED].rstrip() + "…"


def _title_line(lines: DocumentLines) -> int | None:
    if not lines.contents:
        return None
    place = _known_title(lines)
    return place if place is not None else _likeliest_title(lines)


def _likeliest_title(lines: DocumentLines) -> int:
    top = [place for place in range(min(TOP, len(lines))) if _can_be_title(lines, place)]
    repeated = _repeated_near_top(lines, top)
    if repeated is not None:
        _cut_above(lines, repeated)
        return repeated
    above = _cut_sections_at_top(lines, [place for place in top if place < lines.first_prose()])
    used = _used_by_paragraphs(lines, above)
    first = next((place for place in above if lines.rules[place] is None), None)
    if used is None:
        return first if first is not None else next(lines.kept(), 0)
    if first is None or used == first:
        return used
    if _names_the_site(lines, first, used):
        _cut_above(lines, used)
        return used
    return first


def _known_title(lines: DocumentLines) -> int | None:
    """Return the place of the line with the title that the file or a sidecar gives; None without one."""
    title = lines.document.title
    shown = (place for place, rule in enumerate(lines.rules) if title and rule != "front-matter")
    return next((place for place in shown if same_words(lines.contents[place], title)), None)


def _can_be_title(lines: DocumentLines, place: int) -> bool:
    """Return whether a line can be a title; the rule see-also also matches titles such as «Explained: …»."""
    return lines.rules[place] in (None, "see-also") and not is_credit_or_date(lines.contents[place])


def _repeated_near_top(lines: DocumentLines, top: Sequence[int]) -> int | None:
    """Return the first of the lines at the top that another of them repeats."""
    pairs = ((one, other) for one in top for other in top if one < other)
    return next((one for one, other in pairs if _repeats(lines, one, other)), None)


def _repeats(lines: DocumentLines, one: int, other: int) -> bool:
    """Return whether the line at `one` is a title that the line at `other` repeats."""
    first, second = lines.contents[one], lines.contents[other]
    first_key, second_key = key(first), key(second)
    if len(first_key.split()) < 3 or len(first) > TITLE_LENGTH or FULL_STOP.search(first):
        return False
    if is_title_with_site(first_key, second) or is_title_with_site(second_key, first):
        return True
    # Below a longer line, a repeated line is a paragraph that occurs twice, or a refrain.
    above = [lines.contents[place] for place in range(one) if lines.rules[place] is None]
    return first_key == second_key and other <= one + 4 and all(len(line.split()) <= 2 for line in above)


def _cut_above(lines: DocumentLines, title: int) -> None:
    """Cut the short lines above a certain title: the site's name, its slogan, the name of the section."""
    for place in range(title):
        content = lines.contents[place]
        if lines.rules[place] is None and len(content) <= 60 and not is_credit_or_date(content):
            lines.cut(place, "site-name")


def _cut_sections_at_top(lines: DocumentLines, above: list[int]) -> list[int]:
    """Cut names of sections at the top while another line can still be the title; return the other lines."""
    while len(above) > 1 and lines.rules[above[0]] is None and names_a_section(lines.contents[above[0]]):
        lines.cut(above[0], "navigation")
        above = above[1:]
    return above


def _used_by_paragraphs(lines: DocumentLines, above: Sequence[int]) -> int | None:
    """Return the first line whose words the paragraphs use; a line with a bar only if there is no other."""
    # Sites often write their names with a bar.
    subject = lines.subject()
    used = [place for place in above if share_of(lines.contents[place], subject) >= SPOKEN_OF]
    without_bar = [place for place in used if " | " not in lines.contents[place]]
    return next(iter(without_bar or used), None)


def _names_the_site(lines: DocumentLines, place: int, title: int) -> bool:
    """Return whether the line at `place` names the site, so that the line at `title` is the title.

    A site's name is short, and the article hardly uses its words. In addition, it has at most three words, or
    boilerplate above or below it, or a notice of the site contains it.
    """
    content = lines.contents[place]
    if " | " in content and any(lines.rules[:title]):
        return True
    if count_words(content) > 9 or share_of(content, lines.subject()) > 0.5:
        return False
    if any(lines.rules[:place]) or count_words(content) <= 3:
        return True
    words = key(content).split()
    name = " ".join(words[1:] if count_words(content) > 2 else words)  # drop «صحيفة», «وكالة», "The"
    notices = (
        key(line)
        for line, rule in zip(lines.contents, lines.rules, strict=True)
        if rule in ("copyright", "subscribe", "navigation")
    )
    return any(lines.rules[place:title]) or any(name in notice for notice in notices)
