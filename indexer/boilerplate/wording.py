"""Judge one line of a page by its words: a headline, a byline, a repeated title. Pure functions."""

import re
from collections.abc import Iterator

from indexer.boilerplate.patterns import is_keyword_list, normalize_line

HEADLINE = 160  # code points; a longer line is not a headline in a list

SENTENCE_END = re.compile(r"(?:[.!؟?۔]|:)[\"'”’»)\]]*$")
FIGURE = re.compile(r"^[^:：]{2,40}[:：] ?\W{0,2}\d[\d.,٬٫%]*(?: ?\w{1,12}){0,3}$")  # «Kisumu: 360,000»
TIME_AT_END = re.compile(r"\d{1,2}[:.]\d{2}\)?$")
FULL_STOP = re.compile(r"(?<![.…])[.۔][\"'”’»)\]]*$|:$|[.!?؟][\"”»]$")
YEAR = re.compile(r"(?<!\d)(?:1[3-9]|20)\d\d(?!\d)")
_INNER_STOP = re.compile(r"[^\W\d][.؟!?] +\S")
_WORD = re.compile(r"[^\W_]+")
_CREDIT = re.compile(
    r"\(?(?:by|written by|from|sources?|reporting|additional reporting|editing|edited|translated|photos?"
    r"|بقلم|كتب|كتبت|كتبه|كتبها|اعداد|تحرير|ترجمه|حوار|حاوره|حاورته|حاورها|مراسل|المصدر|المصادر"
    r"|نقلا عن|تقرير|خاص)\b"
)
_SITE = re.compile(r"\s[|–—»-]\s[^|–—»]{2,30}$")
_SITE_SEPARATOR = re.compile(r"\s[|–—·•:»-]+\s|\|")
_ARABIC_ARTICLE = re.compile(r"^(?:[وفبكل]?ال|لل|و)(?=\w{3})")


def count_words(line: str) -> int:
    """Count the words of a line."""
    return len(_WORD.findall(line))


def key(line: str) -> str:
    """Return a line's words, normalized and joined by spaces; lines with the same words have the same key."""
    return " ".join(_WORD.findall(normalize_line(line)))


def stems(line: str) -> Iterator[str]:
    """Yield the stems of a line's content words: their first five letters, without the Arabic article."""
    for word in key(line).split():
        bare = _ARABIC_ARTICLE.sub("", word)
        if len(bare) >= 3 and not (bare.isascii() and len(bare) < 4):
            yield bare[:5]


def share_of(line: str, subject: frozenset[str]) -> float:
    """Return the share of a line's stems that are in `subject`; 0 for a line with fewer than two."""
    line_stems = list(stems(line))
    return sum(stem in subject for stem in line_stems) / len(line_stems) if len(line_stems) >= 2 else 0.0


def same_words(one: str, other: str) -> bool:
    """Return whether two lines have the same words, at least one."""
    words = key(one)
    return bool(words) and words == key(other)


def nearly_same_words(title: str, line: str) -> bool:
    """Return whether a line is a title with the site's name, or differs from the title in a word or two."""
    title_key = key(title)
    if is_title_with_site(title_key, line) or is_title_with_site(key(line), title):
        return True
    words, others = set(title_key.split()), set(key(_SITE.sub("", line)).split())
    return (
        not is_keyword_list(line, least=4)
        and len(words) >= 5
        and len(words & others) >= 0.8 * len(words | others)
    )


def is_title_with_site(title_key: str, line: str) -> bool:
    """Return whether a line is a title with the name of its site before or after a bar or dash."""
    for match in _SITE_SEPARATOR.finditer(line):
        before, after = line[: match.start()], line[match.end() :]
        if key(before) == title_key and count_words(after) <= 6:
            return True
        if key(after) == title_key and count_words(before) <= 4:
            return True
    return False


def is_headline(line: str) -> bool:
    """Return whether a line can be a headline in a list: short, and not a sentence with a full stop."""
    return (
        len(line) <= HEADLINE
        and not FULL_STOP.search(line)
        and not FIGURE.search(line)
        and not TIME_AT_END.search(line)
        and not (_INNER_STOP.search(line) and line[-1:] in ".!")
    )


def is_credit_or_date(line: str) -> bool:
    """Return whether a line names an author, a source or a year, as bylines, credits and date lines do."""
    return bool(_CREDIT.match(normalize_line(line))) or (count_words(line) <= 10 and bool(YEAR.search(line)))
