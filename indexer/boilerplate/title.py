"""Find the title among the lines of a document. Works on DocumentLines.

The first line of a text is most often its headline, whatever its words, so its words alone never cut it: it
goes only if many articles share it, or if the title stands below it: a known title, a repeated one, or, under
a link of the site whose words the article does not use, another headline.
"""

import re
from collections.abc import Sequence

from indexer.boilerplate.document_lines import DocumentLines
from indexer.boilerplate.patterns import names_a_section, normalize_line
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
_HEADING_SIGN = re.compile(r"#+\s+")  # «#word» is a hashtag
_SITE_WORD = re.compile(
    r"\b(?:صحيفه|جريده|وكاله|مجله|قناه|موقع|بوابه|شبكه|وزاره|جامعه|مدونه|اذاعه|university|times|news|review|gazette"
    r"|courier|herald|tribune|tv|radio|weekly|magazine|quarterly|blog)\b"
)
CREDIT_SHARE = 0.6  # of the stems of a byline or a date line, more than which no paragraph uses
SITE_WORDS = 3  # a site's name above the title has at most so many words


def find_title(lines: DocumentLines) -> None:
    """Set `lines.title`, and keep that line; keep the first line too unless the title is certain.

    The title is the first of these that exists: the line with the known title; a line that is repeated near
    the top; the first line, or a line below it if the first reads like a site's name or boilerplate.
    """
    first = next((place for place, rule in enumerate(lines.rules) if rule not in _NEVER_THE_TITLE), None)
    if first is None:
        first = next(lines.kept(), 0)
    title = _known_title(lines)
    if title is None:
        title = _repeated_near_top(lines)
        if title is not None:
            _cut_above(lines, title)
    if title is None:
        title = _below_boilerplate(lines, first)
    if title is None:
        if lines.rules[first] != "front-matter":
            lines.protect(first)
        title = _below_site_name(lines, first)
    lines.title = first if title is None else title
    if lines.rules[lines.title] != "front-matter":
        lines.keep(lines.title)


def title_text(line: str) -> str:
    """Return the title that a line gives: without Markdown's #, and shortened if the line is a paragraph."""
    heading = _HEADING_SIGN.match(line)
    line = line[heading.end() :] if heading else line
    if len(line) <= TITLE_LENGTH:
        return line
    return line[: line.rfind(" ", 0, SHORTENED) + 1 or SHORTENED].rstrip() + "…"


def _known_title(lines: DocumentLines) -> int | None:
    """Return the place of the line with the title that the file or a sidecar gives; None without one."""
    title = lines.document.title
    shown = (place for place, rule in enumerate(lines.rules) if title and rule != "front-matter")
    return next((place for place in shown if same_words(lines.contents[place], title)), None)


def _can_be_title(lines: DocumentLines, place: int) -> bool:
    """Return whether a line can be a title; the rule see-also also matches titles such as «Explained: …»."""
    return lines.rules[place] in (None, "see-also") and not is_credit_or_date(lines.contents[place])


def _repeated_near_top(lines: DocumentLines) -> int | None:
    """Return the first of the lines at the top that another of them repeats."""
    top = [place for place in range(min(TOP, len(lines))) if _can_be_title(lines, place)]
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


def _below_boilerplate(lines: DocumentLines, first: int) -> int | None:
    """Cut a first line that is a link of the site, and return the headline below it; None without one."""
    content = lines.contents[first]
    section = names_a_section(content)
    if not (section or lines.rules[first] in _LINKS) or share_of(content, lines.subject()) >= SPOKEN_OF:
        return None
    below = _headlines_below(lines, first)
    if below and section:
        lines.cut(first, "navigation")
    return _used_by_paragraphs(lines, below) or next(iter(below), None)


def _below_site_name(lines: DocumentLines, first: int) -> int | None:
    """Return the title below a first line that seems to name the site; None if the first line is the title.

    A site's name is short, and no paragraph uses its words. Besides, it says what it is, or is written with
    a bar, or stands among boilerplate; a short headline or the name of a column does none of that. The title
    has words that the paragraphs use.
    """
    content = lines.contents[first]
    words, share = count_words(content), share_of(content, lines.subject())
    named = words <= 2 * SITE_WORDS and share < SPOKEN_OF and bool(_SITE_WORD.search(normalize_line(content)))
    scraped = any(lines.rules[first + 1 : lines.first_prose()])
    short = words <= SITE_WORDS and share == 0 and scraped
    credit = is_credit_or_date(content) and share < CREDIT_SHARE
    if not (named or short or credit or " | " in content) and lines.rules[first] in (None, "see-also"):
        return None
    return _used_by_paragraphs(lines, _headlines_below(lines, first))


def _headlines_below(lines: DocumentLines, first: int) -> list[int]:
    """Return the lines between the first line and the first paragraph that can be headlines."""
    below = range(first + 1, min(first + TOP, lines.first_prose()))
    return [
        place
        for place in below
        if _can_be_title(lines, place)
        and count_words(lines.contents[place]) >= 3
        and not names_a_section(lines.contents[place])
    ]


def _used_by_paragraphs(lines: DocumentLines, places: Sequence[int]) -> int | None:
    """Return the first line whose words the paragraphs use; a line with a bar only if there is no other.

    If they use the words of none, it is the line of which they use the most words, at least two.
    """
    subject = lines.subject()
    used = [place for place in places if share_of(lines.contents[place], subject) >= SPOKEN_OF]
    without_bar = [place for place in used if " | " not in lines.contents[place]]  # sites write bars
    if used:
        return next(iter(without_bar or used))
    counts = {place: len(subject & lines.stems(place)) for place in places}
    best = max(places, key=lambda place: counts[place], default=None)
    return best if best is not None and counts[best] >= 2 else None


_LINKS = ("navigation", "loading", "cookies", "share", "subscribe", "advertisement", "copyright", "tracking")
_NEVER_THE_TITLE = ("front-matter", "repeated")
