"""A document to the lines that are its article: what is cut, and by which rule. Pure functions.

Three witnesses speak: what a line says (furniture.py), where it stands, and in how many articles of
its source it stands. Everything that is cut is a whole line under a rule of furniture.toml; the rest of the
text is untouched. In doubt a line is kept.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from ..datatypes import Cut, Document
from .furniture import LONG, fold, is_network, is_tag_bag, names_a_section, rule_of
from .lines import Line, trimmed
from .textfiles import front_matter

TITLE_LENGTH = 200  # code points; a longer first line is a paragraph, its beginning the title
SHORTENED = 90
PROSE = 130  # code points; a line as long is a paragraph, and with a full stop one of 70 is
HEADLINE = 160  # code points; no headline in a list of others is longer
LONGEST_LIST = 300  # lines; what is longer is no list of other articles
LISTED = 15  # headlines; a longer list inside an article is the article's
TOP = 12  # lines in which a title is said again
SPOKEN_OF = 0.4  # share of a title's words that the article's paragraphs use
SMALL = 90  # code points of a line that may be cut for what stands around it

_SENTENCE = re.compile(r"(?:[.!؟?۔]|:)[\"'”’»)\]]*$")
_FULL_STOP = re.compile(r"(?<![.…])[.۔][\"'”’»)\]]*$|:$|[.!?؟][\"”»]$")
_FIGURE = re.compile(r"^[^:：]{2,40}[:：] ?\W{0,2}\d[\d.,٬٫%]*(?: ?\w{1,12}){0,3}$")  # «Kisumu: 360,000»
_AT_TIME = re.compile(r"\d{1,2}[:.]\d{2}\)?$")
_INNER_STOP = re.compile(r"[^\W\d][.؟!?] +\S")
_WORDS = re.compile(r"[^\W_]+")
_SAID = re.compile(
    r"\(?(?:by|written by|from|sources?|reporting|additional reporting|editing|edited|translated|photos?"
    r"|بقلم|كتب|كتبت|كتبه|كتبها|اعداد|تحرير|ترجمه|حوار|حاوره|حاورته|حاورها|مراسل|المصدر|المصادر"
    r"|نقلا عن|تقرير|خاص)\b"
)
_YEAR = re.compile(r"(?<!\d)(?:1[3-9]|20)\d\d(?!\d)")
_SITE = re.compile(r"\s[|–—»-]\s[^|–—»]{2,30}$")
_COUNTED = re.compile(r"\(\d+\)")
_ARTICLE = re.compile(r"^(?:[وفبكل]?ال|لل|و)(?=\w{3})")
_SECTION_END = re.compile(r"نهايه\b|.{2,25} نهايه$|end of\b")
_BOXES = frozenset({"subscribe", "share", "comments", "cookies"})  # a line between two of one kind is theirs
_AFTER = frozenset(
    {"share", "related", "tags", "comments", "copyright", "subscribe", "navigation", "controls", "tracking"}
)
_COUNTERS = frozenset({"share", "comments", "controls", "subscribe"})  # a bare number beside them is a count
_BUTTONS = frozenset({"cookies", "controls", "navigation", "subscribe", "share", "comments"})


def line_key(line: str, secret: bytes = b"") -> int:
    """Return what a line is counted by: equal for lines that differ in white space alone.

    64 bits as a signed integer, as SQLite keeps them. With a secret, of at most 64 bytes, the key tells
    nothing of the line to whoever does not have it.
    """
    digest = hashlib.blake2b(" ".join(line.split()).encode(), digest_size=8, key=secret).digest()
    return int.from_bytes(digest, "big", signed=True)


def line_keys(text: str, secret: bytes = b"") -> tuple[int, frozenset[int]]:
    """Return a key of a text's longest lines, and the keys of all its lines that are not blank.

    Copies of one article share their three longest lines, so that they can be counted as one.
    """
    lines = [text[line.start : line.end] for line in trimmed(text)]
    longest = sorted(set(lines), key=lambda line: (-len(line), line))[:3]
    return line_key(" ".join(longest), secret), frozenset(line_key(line, secret) for line in lines)


def least_articles(articles: int) -> int:
    """Return in how many articles of a source a line must stand to be furniture of that source.

    A tenth of them, but never fewer than 5, which chance alone does not make, nor more than 20.
    """
    return min(max(5, -(-articles // 10)), 20)


def clean(
    document: Document, repeated: Mapping[int, int] | None = None, secret: bytes = b""
) -> tuple[Document, tuple[Cut, ...]]:
    """Return a document without its furniture, and what was cut, line by line.

    `repeated` holds, by `line_key` with this secret, the lines that stand in many articles of the
    document's source, and in how many. Every code point of a cut line is a space in the text returned, so
    that ranges of the untouched text stay true; a title that is not known yet is the first line kept.
    """
    lines = trimmed(document.text)
    page = _Page(document, lines, repeated or {}, secret)
    cuts = tuple(
        Cut(line.number, line.start, line.end, rule, page.counts.get(at))
        for at, (line, rule) in enumerate(zip(lines, page.rules, strict=True))
        if rule
    )
    title = document.title or (_title(page.contents[page.title]) if page.title is not None else "")
    return replace(document, title=title, text=blanked(document.text, cuts)), cuts


def blanked(text: str, cuts: Sequence[Cut]) -> str:
    """Return a text with a space for every code point of its cut lines, so that ranges stay true."""
    parts, at = [], 0
    for cut in cuts:
        parts += [text[at : cut.start], " " * (cut.end - cut.start)]
        at = cut.end
    return "".join([*parts, text[at:]])


def _title(line: str) -> str:
    line = line.lstrip("#").strip() or line
    if len(line) <= TITLE_LENGTH:
        return line
    return line[: line.rfind(" ", 0, SHORTENED) + 1 or SHORTENED].rstrip() + "…"


class _Page:
    """The lines of one document and the rule found for each; every step reads and adds to `rules`."""

    def __init__(
        self, document: Document, lines: list[Line], repeated: Mapping[int, int], secret: bytes
    ) -> None:
        text = document.text
        self.contents = [text[line.start : line.end] for line in lines]
        self.rules: list[str | None] = [rule_of(content) for content in self.contents]
        self.counts: dict[int, int] = {}
        self._known_stems: dict[int, frozenset[str]] = {}
        matter = len(front_matter(text))
        for at, line in enumerate(lines):
            if line.end <= matter:
                self.rules[at] = "front-matter"
        if repeated:
            self._repeated(repeated, secret)
        self.title = self._title_line(document.title)
        if self.title is None:
            return
        if self.rules[self.title] != "front-matter":
            self.rules[self.title] = None
            self.counts.pop(self.title, None)
        for at in range(self._first_prose()):
            if self.rules[at] is None and at != self.title and names_a_section(self.contents[at]):
                self.rules[at] = "navigation"
        self._titles_again(document.title or self.contents[self.title])
        self._contents_list()
        self._lists_of_others()
        self._keywords()
        self._lone_buttons()
        self._comments()
        self._boxes()
        self._after_the_article()

    def _repeated(self, repeated: Mapping[int, int], secret: bytes) -> None:
        """Cut the lines that many articles have; not where they are most of the text, as in near copies."""
        keys = {at: line_key(self.contents[at], secret) for at in self._kept()}
        found = {at: repeated[key] for at, key in keys.items() if key in repeated}
        prose = [at for at in keys if self._is_prose(at)]
        again = [at for at in prose if at in found]
        length = sum(len(self.contents[at]) for at in prose)
        if len(again) >= 3 and 2 * sum(len(self.contents[at]) for at in again) > length:
            return
        for at, count in found.items():
            self.rules[at], self.counts[at] = "repeated", count

    # -- where things are

    def _kept(self) -> Iterator[int]:
        return (at for at, rule in enumerate(self.rules) if rule is None)

    def _is_prose(self, at: int) -> bool:
        content = self.contents[at]
        return self.rules[at] is None and (
            len(content) >= PROSE or (len(content) >= 70 and bool(_SENTENCE.search(content)))
        )

    def _first_prose(self) -> int:
        prose = (at for at in range(len(self.rules)) if at != self.title and self._is_prose(at))
        return next(prose, len(self.rules))

    def _last_prose(self) -> int:
        """Return the last paragraph of the article; what a site says at the end of a page is none.

        Beyond two thirds of the lines a paragraph must share a word with the others.
        """
        prose = [at for at in range(len(self.rules)) if self._is_prose(at)]
        late = 2 * len(self.rules) / 3
        while len(prose) > 2 and prose[-1] > late and not self._speaks_of(prose[-1], prose[:-1]):
            prose.pop()
        return prose[-1] if prose else -1

    def _speaks_of(self, at: int, prose: Sequence[int]) -> bool:
        """Whether a line shares a word with the title or with one of these paragraphs."""
        stems = self._stems(at)
        known = [other for other in (self.title, *prose) if other is not None]
        return len(stems) < 3 or any(not stems.isdisjoint(self._stems(other)) for other in known)

    def _stems(self, at: int) -> frozenset[str]:
        if at not in self._known_stems:
            self._known_stems[at] = frozenset(_stems(self.contents[at]))
        return self._known_stems[at]

    def _title_line(self, known: str) -> int | None:
        """Return which line is the title: the known one, one said twice, one that the article speaks of."""
        if not self.contents:
            return None
        self.title = None
        if known:
            shown = (at for at, rule in enumerate(self.rules) if rule != "front-matter")
            same = next((at for at in shown if _same(self.contents[at], known)), None)
            if same is not None:
                return same
        top = [at for at in range(min(TOP, len(self.rules))) if self._can_head(at)]
        twice = next((a for a in top for b in top if a < b and self._says_again(a, b)), None)
        if twice is not None:
            self._above(twice)
            return twice
        above = [at for at in top if at < self._first_prose()]
        while len(above) > 1 and self.rules[above[0]] is None and names_a_section(self.contents[above[0]]):
            self.rules[above.pop(0)] = "navigation"
        subject = self._subject()
        spoken = [at for at in above if _share(self.contents[at], subject) >= SPOKEN_OF]
        barred = [at for at in spoken if " | " in self.contents[at]]  # as sites write their names
        spoken_of = next((at for at in spoken if at not in barred), next(iter(barred), None))
        first = next((at for at in above if self.rules[at] is None), None)
        if spoken_of is not None and first is not None and spoken_of != first:
            if self._names_the_site(first, spoken_of):
                self._above(spoken_of)
                return spoken_of
            return first
        return spoken_of if spoken_of is not None else first if first is not None else next(self._kept(), 0)

    def _can_head(self, at: int) -> bool:
        """Whether a line at the top can be a title; «Explained: …» and «فيديو | …» open titles too."""
        return self.rules[at] in (None, "see-also") and not _is_said(self.contents[at])

    def _subject(self) -> frozenset[str]:
        """Return the stems of the words that the article's paragraphs are made of."""
        prose = (self._stems(at) for at in range(len(self.rules)) if self._is_prose(at))
        return frozenset().union(*prose)

    def _says_again(self, one: int, other: int) -> bool:
        a, b = _key(self.contents[one]), _key(self.contents[other])
        if (
            len(a.split()) < 3
            or len(self.contents[one]) > TITLE_LENGTH
            or _FULL_STOP.search(self.contents[one])
        ):
            return False
        if _with_site(a, self.contents[other]) or _with_site(b, self.contents[one]):
            return True
        # Under another line of some length it is a paragraph twice, or a refrain.
        above = [self.contents[at] for at in range(one) if self.rules[at] is None]
        return a == b and other <= one + 4 and all(len(content.split()) <= 2 for content in above)

    def _above(self, title: int) -> None:
        """Cut what stands above a title that is sure: the site's name, its claim, the section's."""
        for at in range(title):
            content = self.contents[at]
            if self.rules[at] is None and len(content) <= 60 and not _is_said(content):
                self.rules[at] = "site-name"

    def _names_the_site(self, at: int, title: int) -> bool:
        """Whether the first line above the article is the site's and not the title that seems to follow.

        It is short and the article does not speak of it; and the site's furniture stands around it, or a
        notice of the site has its words.
        """
        content = self.contents[at]
        words = _WORDS.findall(content)
        if " | " in content and any(self.rules[:title]):
            return True
        if len(words) > 9 or _share(content, self._subject()) > 0.5:
            return False
        if any(self.rules[:at]) or len(words) <= 3:
            return True
        key = _key(content)
        name = key.split()[1:] if len(words) > 2 else key.split()  # «صحيفة», «وكالة», "The"
        notices = (
            _key(each)
            for each, rule in zip(self.contents, self.rules, strict=True)
            if rule in ("copyright", "subscribe", "navigation")
        )
        return any(self.rules[at:title]) or any(" ".join(name) in notice for notice in notices)

    # -- what position says

    def _titles_again(self, title: str) -> None:
        key = _key(title)
        for at in self._kept():
            if at == self.title:
                continue
            content = self.contents[at]
            if _same(content, title) or (at < TOP and len(key.split()) >= 3 and _nearly(title, content)):
                self.rules[at] = "title-repeated"

    def _contents_list(self) -> None:
        """Cut a table of contents: the lines under its heading that stand again further down, as headings."""
        for heading in [at for at, rule in enumerate(self.rules) if rule == "controls"]:
            for at in range(heading + 1, len(self.rules)):
                again = (_same(self.contents[at], other) for other in self.contents[at + 1 :])
                if self.rules[at] is not None or len(self.contents[at]) > SMALL or not any(again):
                    break
                self.rules[at] = "navigation"

    def _lists_of_others(self) -> None:
        """Cut the headlines under «related» and its like, to where the list ends."""
        last = self._last_prose()
        related = [at for at, rule in enumerate(self.rules) if rule == "related"]
        for at in [at for at in related if len(self.contents[at]) <= 60]:
            for other in self._listed_after(at, last):
                self.rules[other] = "related"

    def _listed_after(self, heading: int, last: int) -> list[int]:
        """Return the headlines under a heading; `last` is the article's last paragraph."""
        listed: list[int] = []
        ends = min(len(self.rules), heading + LONGEST_LIST)
        for at in range(heading + 1, ends):
            content = self.contents[at]
            if self.rules[at] is not None:
                if _SECTION_END.match(fold(content)):
                    return listed
                continue
            if at == self.title:
                return []  # the list stands above the article: what is in it cannot be told
            if not _is_headline(content):
                if listed and self._heads_text(listed[-1], alone=len(listed) == 1):
                    listed.pop()
                return listed if len(listed) <= LISTED else []
            if listed and at <= last and len(_WORDS.findall(content)) <= 2 and not _is_said(content):
                return listed  # too short for a headline, as headings of the article are
            listed.append(at)
        if ends < len(self.rules):
            return []
        return [at for at in listed if not _is_said(self.contents[at]) or _YEAR.search(self.contents[at])]

    def _heads_text(self, at: int, *, alone: bool) -> bool:
        """Whether the last line of a list, above the article's text, is the heading of that text."""
        content = self.contents[at]
        if (
            content.endswith(("?", "؟"))
            and sum(self.contents[each][-1] in "?؟" for each in self._kept()) >= 4
        ):
            return True  # an article of questions and answers
        return len(_WORDS.findall(content)) <= (3 if alone else 5)

    def _keywords(self) -> None:
        first, last = self._first_prose(), self._last_prose()
        title = set(_key(self.contents[self.title or 0]).split())
        for at in self._kept():
            if at == self.title or _is_said(self.contents[at]):
                continue
            outside = at < first or at > last
            words = _key(self.contents[at]).split()
            of_title = len(title.intersection(words)) >= 0.5 * len(words)
            labelled = outside and at > last and at - 1 != last and self.rules[at - 1] is None
            if ((outside and not labelled) or of_title) and is_tag_bag(self.contents[at], least=4):
                self.rules[at] = "tags"

    def _lone_buttons(self) -> None:
        """Keep a word or two inside the article that only looks like a button: an answer, a heading."""
        first, last = self._first_prose(), self._last_prose()
        times = Counter(map(_key, self.contents))
        for at in range(first, last):
            content = self.contents[at]
            if (
                self.rules[at] in _BUTTONS
                and len(_WORDS.findall(content)) <= 2
                and not _COUNTED.search(content)
            ):
                around = self.rules[max(0, at - 1) : at] + self.rules[at + 1 : at + 2]
                alone = not any(around) and times[_key(content)] < 2
                if alone or (content.endswith(".") and not content.endswith("..")):
                    self.rules[at] = None

    def _comments(self) -> None:
        """Cut what stands under the heading of the comments, where nothing of the article follows."""
        last = self._last_prose()
        long = max((at for at in self._kept() if len(self.contents[at]) >= 2 * PROSE), default=-1)
        for at in range(len(self.rules) // 2 + 1, len(self.rules)):
            if self.rules[at] == "comments" and at > min(last, long):
                for other in range(at + 1, len(self.rules)):
                    self.rules[other] = self.rules[other] or "comments"
                return

    def _boxes(self) -> None:
        """Cut what stands between two lines of one box, and bare counts and networks beside them."""
        networks = [is_network(content) for content in self.contents]
        for at, content in enumerate(self.contents):
            around = [each for each in (at - 1, at + 1) if 0 <= each < len(self.rules)]
            beside = any(self.rules[each] in _COUNTERS for each in around)
            if self.rules[at] is not None or at == self.title:
                continue
            if networks[at] and (beside or any(networks[each] for each in around)):
                self.rules[at] = "share"
            elif beside and content.isdecimal() and len(content) <= 6:
                self.rules[at] = "controls"
        for at in range(1, len(self.rules) - 1):
            before, after = self.rules[at - 1], self.rules[at + 1]
            if (
                self.rules[at] is None and at != self.title
                and before == after and before in _BOXES and len(self.contents[at]) <= SMALL
            ):  # fmt: skip
                self.rules[at] = "among-furniture"

    def _after_the_article(self) -> None:
        """Cut short lines among the furniture that follows the article's last paragraph."""
        last = self._last_prose()
        begins = next((at for at in range(last + 1, len(self.rules)) if self.rules[at] in _AFTER), None)
        if last < 0 or begins is None:
            return
        prose = [at for at in range(last + 1) if self._is_prose(at)]
        for at in range(begins + 1, len(self.rules)):
            deep = sum(rule is not None for rule in self.rules[last + 1 : at]) >= 2
            if (
                deep
                and self._is_prose(at)
                and len(self.contents[at]) <= LONG
                and not self._speaks_of(at, prose)
            ):
                self.rules[at] = "among-furniture"
        run: list[int] = []
        for at in range(begins + 1, len(self.rules) + 1):
            if at < len(self.rules) and self.rules[at] is None:
                run.append(at)
                continue
            if len(run) <= 3 and all(self._is_small(each) for each in run):
                for each in run:
                    self.rules[each] = "among-furniture"
            run = []

    def _is_small(self, at: int) -> bool:
        content = self.contents[at]
        return (
            at != self.title
            and len(content) <= SMALL
            and not _SENTENCE.search(content)
            and not _FIGURE.search(content)
            and not _AT_TIME.search(content)
            and not _is_said(content)
        )


def _is_headline(content: str) -> bool:
    """Whether a line can be a headline in a list: not long, and no sentence with its full stop."""
    return (
        len(content) <= HEADLINE
        and not _FULL_STOP.search(content)
        and not _FIGURE.search(content)
        and not _AT_TIME.search(content)
        and not (_INNER_STOP.search(content) and content[-1:] in ".!")
    )


def _is_said(content: str) -> bool:
    """Whether a line says who wrote the article, where it comes from, or when."""
    return bool(_SAID.match(fold(content))) or (
        len(_WORDS.findall(content)) <= 10 and bool(_YEAR.search(content))
    )


def _key(line: str) -> str:
    return " ".join(_WORDS.findall(fold(line)))


def _stems(line: str) -> Iterable[str]:
    """Return the beginnings of a line's words that say something, without the Arabic article."""
    for word in _key(line).split():
        bare = _ARTICLE.sub("", word)
        if len(bare) >= 3 and not (bare.isascii() and len(bare) < 4):
            yield bare[:5]


def _share(line: str, subject: frozenset[str]) -> float:
    """Return the share of a line's words, two at least, that are among those of a text."""
    stems = list(_stems(line))
    return sum(stem in subject for stem in stems) / len(stems) if len(stems) >= 2 else 0.0


def _same(one: str, other: str) -> bool:
    a = _key(one)
    return bool(a) and a == _key(other)


def _nearly(title: str, content: str) -> bool:
    """Whether a line is a title with the site's name, or but for a word or two."""
    key, other = _key(title), _key(content)
    if _with_site(key, content) or _with_site(other, title):
        return True
    words, others = set(key.split()), set(_key(_SITE.sub("", content)).split())
    return (
        not is_tag_bag(content, least=4)
        and len(words) >= 5
        and len(words & others) >= 0.8 * len(words | others)
    )


def _with_site(title: str, content: str) -> bool:
    """Whether a line is a title with the name of its site after a bar or dash."""
    for match in re.finditer(r"\s[|–—·•:»-]+\s|\s*[|»]\s*", content):
        before, after = content[: match.start()], content[match.end() :]
        if _key(before) == title and len(_WORDS.findall(after)) <= 6:
            return True
        if _key(after) == title and len(_WORDS.findall(before)) <= 4:
            return True
    return False
