"""Clean a document: ordered passes decide which lines are boilerplate, by which rule. Pure functions.

A line is cut on one of three signals: its text (patterns.py), its position (the passes below), or how many
articles of its source contain it (repetition.py). Only whole lines are cut, each under a rule of rules.toml;
the rest of the text is unchanged. A doubtful line is kept.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from indexer.boilerplate.document_lines import PROSE, DocumentLines
from indexer.boilerplate.patterns import (
    LONG,
    is_keyword_list,
    is_network,
    names_a_section,
    normalize_line,
)
from indexer.boilerplate.repetition import cut_repeated_lines
from indexer.boilerplate.title import TOP, find_title, title_text
from indexer.boilerplate.wording import (
    FIGURE,
    SENTENCE_END,
    TIME_AT_END,
    YEAR,
    count_words,
    is_credit_or_date,
    key,
    nearly_same_words,
    same_words,
)
from indexer.datatypes import Cut, Document
from indexer.text.byline import author_of
from indexer.text.front_matter import front_matter

LONGEST_LIST = 300  # lines; a longer list is not a list of other articles
BYLINES = 5  # kept lines at the top that may name the author
LISTED = 15  # headlines; a longer list with text after it belongs to the article
LEAST_FOOTER = 3  # lines of boilerplate after the article that make a footer
SMALL = 90  # code points; only shorter lines may be cut because of their neighbours

_COUNT_IN_BRACKETS = re.compile(r"\(\d+\)")
_SECTION_END = re.compile(r"نهايه\b|.{2,25} نهايه$|end of\b")
# A short line between two lines of one of these rules is boilerplate too.
_BOX_RULES = frozenset({"subscribe", "share", "comments", "cookies"})
_RULES_AFTER_ARTICLE = frozenset(
    {"share", "related", "tags", "comments", "copyright", "subscribe", "navigation", "controls", "tracking"}
)
# A bare number next to a line of one of these rules is a count.
_RULES_WITH_COUNTS = frozenset({"share", "comments", "controls", "subscribe"})
_COMMENT_RULES = frozenset({"comments", "controls", "share", "subscribe", "copyright"})
_BUTTON_RULES = frozenset({"cookies", "controls", "navigation", "subscribe", "share", "comments"})


def clean(
    document: Document, repeated: Mapping[int, int] | None = None, secret: bytes = b""
) -> tuple[Document, tuple[Cut, ...]]:
    """Return a document without its boilerplate, and the lines that were cut.

    `repeated` has the lines that many articles of the document's source share: from `line_key` with this
    secret to the number of articles. In the returned text every code point of a cut line is a space, so that
    ranges of the original text stay valid. If the document has no title, the title is taken from the lines
    that are kept, and so is the author from a byline.
    """
    lines = DocumentLines(document, repeated or {}, secret)
    for apply in PASSES if lines.contents else ():
        apply(lines)
    cuts = tuple(
        Cut(line.number, line.start, line.end, rule, lines.articles.get(place))
        for place, (line, rule) in enumerate(zip(lines.lines, lines.rules, strict=True))
        if rule
    )
    title = document.title or ("" if lines.title is None else title_text(lines.contents[lines.title]))
    author = document.author or _author(lines)
    return replace(document, title=title, author=author, text=blank_cut_lines(document.text, cuts)), cuts


def _author(lines: DocumentLines) -> str:
    """Return the name in the first byline near the top or at the end of the kept lines; "" without one."""
    kept = list(lines.kept())
    names = (author_of(lines.contents[place]) for place in [*kept[1:BYLINES], *kept[-1:]])
    return next(filter(None, names), "")


def blank_cut_lines(text: str, cuts: Sequence[Cut]) -> str:
    """Return a text with a space for every code point of its cut lines, so that ranges stay valid."""
    parts, end = [], 0
    for cut in cuts:
        parts += [text[end : cut.start], " " * (cut.end - cut.start)]
        end = cut.end
    return "".join([*parts, text[end:]])


def cut_front_matter(lines: DocumentLines) -> None:
    """Cut the metadata block at the start of the text."""
    end = len(front_matter(lines.document.text))
    for place, line in enumerate(lines.lines):
        if line.end <= end:
            lines.rules[place] = "front-matter"


def cut_sections_above(lines: DocumentLines) -> None:
    """Cut lines above the first paragraph that are names of sections."""
    for place in range(lines.first_prose()):
        if lines.rules[place] is None and names_a_section(lines.contents[place]):
            lines.cut(place, "navigation")


def cut_repeated_titles(lines: DocumentLines) -> None:
    """Cut every other line with the words of the title; near the top, also near copies of it.

    A line among short lines is kept: it is the verse or the sentence from which the title was taken.
    """
    title = _title_of(lines)
    for place in lines.kept():
        content = lines.contents[place]
        same = same_words(content, title) and not _is_verse(lines, place)
        nearly = place < TOP and len(key(title).split()) >= 3 and nearly_same_words(title, content)
        if same or (nearly and not same_words(content, title)):
            lines.cut(place, "title-repeated")


def _is_verse(lines: DocumentLines, place: int) -> bool:
    """Return whether two short lines of the article follow, or one precedes and one follows."""
    pairs = (place + 1, place + 2), (place - 1, place + 1)
    inside = (pair for pair in pairs if pair[0] >= 0 and pair[1] < len(lines))
    return any(all(_is_short_text(lines, other) for other in pair) for pair in inside)


def _is_short_text(lines: DocumentLines, place: int) -> bool:
    content = lines.contents[place]
    return (
        place != lines.title
        and lines.rules[place] is None
        and not lines.is_prose(place)
        and count_words(content) >= 2
        and not is_credit_or_date(content)
        and not names_a_section(content)
        and not FIGURE.search(content)
    )


def cut_table_of_contents(lines: DocumentLines) -> None:
    """Cut a table of contents: the lines under its heading that occur again further down, as headings."""
    last: dict[str, int] = {}  # by the words of a line, its last place
    headings = [place for place, rule in enumerate(lines.rules) if rule == "controls"]
    if headings:
        last = {key(content): place for place, content in enumerate(lines.contents)}
    for heading in headings:
        for place in range(heading + 1, len(lines)):
            content = lines.contents[place]
            if place == lines.title or lines.rules[place] is not None or len(content) > SMALL:
                break
            if not key(content) or last[key(content)] == place:
                break
            lines.cut(place, "navigation")


def cut_lists_of_articles(lines: DocumentLines) -> None:
    """Cut the headlines under headings such as «related», down to the end of each list."""
    last = lines.last_prose()
    headings = [place for place, rule in enumerate(lines.rules) if rule == "related"]
    for heading in [place for place in headings if len(lines.contents[place]) <= 60]:
        for place in _listed_under(lines, heading, last):
            lines.cut(place, "related")


def _listed_under(lines: DocumentLines, heading: int, last: int) -> list[int]:
    """Return the headlines under a heading; `last` is the article's last paragraph."""
    listed: list[int] = []
    limit = min(len(lines), heading + LONGEST_LIST)
    for place in range(heading + 1, limit):
        content = lines.contents[place]
        if lines.rules[place] is not None:
            if _SECTION_END.match(normalize_line(content)):
                return listed
        elif place == lines.title:
            return []  # the list is above the title, and nothing marks its end
        elif not lines.is_headline(place):
            return _without_heading_of_text(lines, listed)
        elif listed and place <= last and count_words(content) <= 2 and not is_credit_or_date(content):
            return listed  # too short for a headline, so it is a heading of the article
        else:
            listed.append(place)
    if limit < len(lines):
        return []
    return [
        place
        for place in listed
        if not is_credit_or_date(lines.contents[place]) or YEAR.search(lines.contents[place])
    ]


def _without_heading_of_text(lines: DocumentLines, listed: list[int]) -> list[int]:
    """Return a list that text follows, without the heading of that text; [] if the list is too long."""
    if listed and _is_heading_of_text(lines, listed[-1], alone=len(listed) == 1):
        listed = listed[:-1]
    return listed if len(listed) <= LISTED else []


def _is_heading_of_text(lines: DocumentLines, place: int, *, alone: bool) -> bool:
    """Return whether the last line of a list is the heading of the article's text below it."""
    content = lines.contents[place]
    questions = sum(lines.contents[other][-1] in "?؟" for other in lines.kept())
    if content.endswith(("?", "؟")) and questions >= 4:
        return True  # an article of questions and answers
    return count_words(content) <= (3 if alone else 5)


def cut_keywords(lines: DocumentLines) -> None:
    """Cut lists of keywords that are outside the article or consist mostly of the title's words."""
    first, last = lines.first_prose(), lines.last_prose()
    title = set(key(lines.contents[lines.title or 0]).split())
    for place in lines.kept():
        content = lines.contents[place]
        if is_credit_or_date(content):
            continue
        words = key(content).split()
        repeats_title = len(title.intersection(words)) >= 0.5 * len(words)
        labelled = place > last and place - 1 != last and lines.rules[place - 1] is None
        outside = (place < first or place > last) and not labelled
        if (outside or repeats_title) and is_keyword_list(content, least=4):
            lines.cut(place, "tags")


def keep_lone_buttons(lines: DocumentLines) -> None:
    """Keep one or two words inside the article that only look like a button: an answer, a heading."""
    times = Counter(map(key, lines.contents))
    last = lines.last_prose()
    for place in range(lines.first_prose(), len(lines)):
        if place >= last and not _heads_a_sentence(lines, place):
            continue
        content = lines.contents[place]
        looks_like_button = lines.rules[place] in _BUTTON_RULES and count_words(content) <= 2
        if not looks_like_button or _COUNT_IN_BRACKETS.search(content):
            continue
        alone = times[key(content)] < 2 and not any(lines.rules[other] for other in lines.neighbours(place))
        if alone or (content.endswith(".") and not content.endswith("..")):
            lines.rules[place] = None


def _heads_a_sentence(lines: DocumentLines, place: int) -> bool:
    """Return whether a paragraph precedes the line and a kept sentence of the article follows it."""
    if not (0 < place < len(lines) - 1) or not lines.is_prose(place - 1):
        return False
    below = lines.contents[place + 1]
    return lines.rules[place + 1] is None and count_words(below) >= 4 and bool(SENTENCE_END.search(below))


def cut_comments(lines: DocumentLines) -> None:
    """Cut everything below the heading of the comments, unless paragraphs of the article follow it.

    The heading must have their number, or another sign of comments below it, such as a button to reply.
    """
    long = max((place for place in lines.kept() if len(lines.contents[place]) >= 2 * PROSE), default=-1)
    last_text = min(lines.last_prose(), long)
    last_sign = max((place for place, rule in enumerate(lines.rules) if rule in _COMMENT_RULES), default=-1)
    for place in range(len(lines) // 2 + 1, len(lines)):
        if lines.rules[place] != "comments" or place <= last_text:
            continue
        if last_sign > place or any(char.isdecimal() for char in lines.contents[place]):
            for below in range(place + 1, len(lines)):
                lines.cut(below, "comments")
            return


def cut_networks_and_counts(lines: DocumentLines) -> None:
    """Cut names of networks next to each other or to buttons, and bare numbers next to buttons."""
    networks = [is_network(content) for content in lines.contents]
    for place, content in enumerate(lines.contents):
        if lines.rules[place] is not None:
            continue
        neighbours = lines.neighbours(place)
        near_counter = any(lines.rules[other] in _RULES_WITH_COUNTS for other in neighbours)
        if networks[place] and (near_counter or any(networks[other] for other in neighbours)):
            lines.cut(place, "share")
        elif near_counter and content.isdecimal() and len(content) <= 6:
            lines.cut(place, "controls")


def cut_inside_boxes(lines: DocumentLines) -> None:
    """Cut a short line between two lines of one box, such as the box of a newsletter."""
    for place in range(1, len(lines) - 1):
        before, after = lines.rules[place - 1], lines.rules[place + 1]
        short = lines.rules[place] is None and len(lines.contents[place]) <= SMALL
        if short and before == after and before in _BOX_RULES:
            lines.cut(place, "among-boilerplate")


def cut_after_article(lines: DocumentLines) -> None:
    """Cut short lines with boilerplate on both sides, after the article's last paragraph."""
    last = lines.last_prose()
    boilerplate = [
        place for place in range(last + 1, len(lines)) if lines.rules[place] in _RULES_AFTER_ARTICLE
    ]
    if last < 0 or not boilerplate:
        return
    _cut_foreign_paragraphs(lines, last, boilerplate[0])
    # At the end of the text nothing stands below, so more must stand above.
    end = boilerplate[-1] if len(boilerplate) < LEAST_FOOTER else len(lines)
    for run in _runs_of_kept_lines(lines, boilerplate[0] + 1, end):
        if len(run) <= 3 and all(_is_small(lines, place) for place in run):
            for place in run:
                lines.cut(place, "among-boilerplate")


def _cut_foreign_paragraphs(lines: DocumentLines, last: int, boilerplate_start: int) -> None:
    """Cut paragraphs that follow two lines of boilerplate and share no word with the article."""
    prose = [place for place in range(last + 1) if lines.is_prose(place)]
    for place in range(boilerplate_start + 1, len(lines)):
        rules = lines.rules[last + 1 : place]
        below_boilerplate = sum(rule not in (None, "divider") for rule in rules) >= 2
        short_prose = lines.is_prose(place) and len(lines.contents[place]) <= LONG
        if below_boilerplate and short_prose and not lines.shares_a_word(place, prose):
            lines.cut(place, "among-boilerplate")


def _runs_of_kept_lines(lines: DocumentLines, first: int, end: int) -> Iterable[list[int]]:
    """Return the runs of kept lines between two places; a line of signs alone ends no run."""
    runs: list[list[int]] = [[]]
    for place in range(first, end):
        if lines.rules[place] is None:
            runs[-1].append(place)
        elif runs[-1] and lines.rules[place] != "divider":
            runs.append([])
    return runs


def _is_small(lines: DocumentLines, place: int) -> bool:
    content = lines.contents[place]
    return (
        place != lines.title
        and len(content) <= SMALL
        and not SENTENCE_END.search(content)
        and not FIGURE.search(content)
        and not TIME_AT_END.search(content)
        and not is_credit_or_date(content)
    )


def _title_of(lines: DocumentLines) -> str:
    return lines.document.title or lines.contents[lines.title or 0]


PASSES: tuple[Callable[[DocumentLines], None], ...] = (
    cut_front_matter,
    cut_repeated_lines,
    find_title,
    cut_sections_above,
    cut_repeated_titles,
    cut_table_of_contents,
    cut_lists_of_articles,
    cut_keywords,
    keep_lone_buttons,
    cut_comments,
    cut_networks_and_counts,
    cut_inside_boxes,
    cut_after_article,
)
"""The passes over a document's lines, in order; each pass sees the decisions of the passes before it."""
