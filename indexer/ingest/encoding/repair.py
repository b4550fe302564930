"""Repair of text that was read once in a wrong encoding, or stored in visual order. Pure functions."""

import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import lru_cache

from bidi import get_display

from indexer.ingest.encoding.likelihood import (
    ARABIC_WORD,
    CLEARLY,
    STRONG,
    decode_or_none,
    display_name,
    encode_or_none,
    likelihood,
    presentation_form_letters,
    reads_well,
    stored_order_likelihood,
)

STRETCH, STRETCHES = 4096, 16  # characters, of all parts of a text


def repair(text: str) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """Return a text with what was stored wrongly put right, what was repaired, and what is odd but was left.

    Ordinary text comes back as it is: a repair needs strong evidence.
    """
    if text.isascii():
        return text, (), ()
    text, reread, unread = _repair_misread(text)
    text, turned = _repair_visual_order(text)
    return text, (*reread, *turned), (*unread, *_odd(text))


# What was stored wrongly: read in another encoding

_TAILS_1252 = "\x80-\xbf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"
_TAILS_1256 = "\xa0-\xbf€پ‚ƒ„…†‡ˆ‰ٹ‹Œچژڈگ‘’“”•–—ک™ڑ›œ\u200c\u200dں،ھ؛؟"
# Two letters of UTF-8 Arabic, as readers of windows-1252 and windows-1256 see them; no other text has them.
_MISREAD_UTF8 = (
    re.compile(f"[ØÙÚÛ][{_TAILS_1252}][ØÙÚÛ][{_TAILS_1252}]"),
    re.compile(f"[طظعغ][{_TAILS_1256}][طظعغ][{_TAILS_1256}]"),
)
_MISREAD = (*_MISREAD_UTF8, re.compile("[À-ÿ][À-ÿ][À-ÿ]"))  # the last: Arabic of one byte a letter
_MISREADINGS = (  # what a text was read as, and what it was in
    ("windows-1252", "utf-8"),
    ("windows-1256", "utf-8"),
    ("windows-1252", "windows-1256"),
    ("windows-1252", "iso-8859-6"),
)
# Readers of windows-1252 let the bytes be that it does not know: those stay U+0081 and the like.
_TO_LATIN_1 = {
    ord(char): byte for byte in range(0x80, 0xA0) if (char := decode_or_none(bytes([byte]), "windows-1252"))
}
_LINE = re.compile(r"[^\r\n]+")


def _repair_misread(text: str) -> tuple[str, list[str], list[str]]:
    """Read again the lines that were read in another encoding than they were in."""
    if not any(pattern.search(text) for pattern in _MISREAD):
        return text, [], []
    lines = _LINE.findall(text)
    suspects = [line for line in lines if any(pattern.search(line) for pattern in _MISREAD)]
    repairs = []
    if _carries(suspects, lines) and (misreading := _misreading([_begin(line) for line in suspects[:200]])):
        read_as, was_in = misreading
        text, changed = _change(_LINE, text, lambda line: _reread(line, read_as, was_in))
        repairs = [f"{display_name(was_in)} that had been read as {read_as}, read again: {_lines(changed)}"]
    left = sum(any(pattern.search(line) for pattern in _MISREAD_UTF8) for line in _LINE.findall(text))
    notes = [f"what looks like UTF-8 that was read in another encoding, left: {_lines(left)}"]
    return text, repairs, notes if left else []


def _misreading(suspects: list[str]) -> tuple[str, str] | None:
    """Return what suspect lines were read as and what they were in; None without strong evidence."""
    ranked = []
    for read_as, was_in in _MISREADINGS:
        again = {line: read for line in suspects if (read := _reread(line, read_as, was_in))}
        text = "\n".join(again.values())
        ranked.append((likelihood(text), text, "\n".join(again), read_as, was_in))
    (bits, text, before, read_as, was_in), (next_best, *_) = sorted(ranked, reverse=True)[:2]
    words = ARABIC_WORD.findall(text)
    least = 1 if was_in == "utf-8" else 2  # UTF-8 that decodes at all is evidence in itself
    high = sum(not char.isascii() for char in text)
    is_arabic = sum(map(reads_well, words)) >= max(least, 0.1 * len(words)) and bits >= max(STRONG, high)
    was_arabic = any(map(reads_well, ARABIC_WORD.findall(before)))
    return (read_as, was_in) if is_arabic and not was_arabic and bits >= next_best + CLEARLY else None


def _reread(line: str, read_as: str, was_in: str) -> str | None:
    """Return a line as it was meant; None where it does not convert whole, or nothing is won by it."""
    if line.isascii():
        return None
    as_bytes = line.translate(_TO_LATIN_1) if read_as == "windows-1252" else line
    data = encode_or_none(as_bytes, "latin-1" if read_as == "windows-1252" else read_as)
    read = None if data is None else decode_or_none(data, was_in)
    return read if read and likelihood(read) > likelihood(line) + CLEARLY else None


def _begin(line: str) -> str:
    return line if len(line) <= STRETCH else line[: line.rfind(" ", 0, STRETCH)]


def _carries(part: list[str], whole: list[str]) -> bool:
    # A line or two that an article quotes are no evidence about the article.
    return len(part) >= 3 or sum(map(len, part)) >= 0.3 * sum(map(len, whole)) > 0


def _change(pattern: re.Pattern[str], text: str, change: Callable[[str], str | None]) -> tuple[str, int]:
    """Change what a pattern finds, but for what `change` has None for; count the changes."""
    changed = 0

    def each(match: re.Match[str]) -> str:
        nonlocal changed
        new = change(match[0])
        changed += new is not None
        return match[0] if new is None else new

    return pattern.sub(each, text), changed


def _lines(count: int) -> str:
    return "1 line" if count == 1 else f"{count:,} lines"


# What was stored wrongly: in the order it is seen

_PARAGRAPH = re.compile(r"[^\r\n\x1c-\x1e\x85\u2029]+")  # as the rules of bidirectional text end one
# Common words that are words backwards too: of, all, with, already and the like.
_WORDS_EITHER_WAY = frozenset(
    [
        "من",
        "كل",
        "مع",
        "قد",
        "ما",
        "لا",
        "له",
        "لم",
        "هم",
        "به",
        "تم",
        "لها",
        "حول",
        "ليس",
        "هنا",
        "ومن",
        "ثم",
    ]
)
_FOREIGN = re.compile("[^\u0621-\u0652\ufb50-\ufdff\ufe70-\ufefc]")
_FORM = re.compile("[\ufb50-\ufdcf\ufe70-\ufef4]")  # lam with alef, and words as one sign, are no sign of it


def _repair_visual_order(text: str) -> tuple[str, list[str]]:
    """Put lines that are stored as they are seen, from left to right, in the order they are read."""
    if not _may_be_backwards(text):
        return text, []
    lines = {line: _bits_backwards(line) for line in _PARAGRAPH.findall(text) if ARABIC_WORD.search(line)}
    backwards = sum(bits for bits in lines.values() if bits > 0)
    forwards = -sum(bits for bits in lines.values() if bits < 0)
    if backwards >= STRONG and backwards >= 5 * forwards:
        # All is stored backwards, and so are the lines that do not show it.
        turned = [line for line, bits in lines.items() if bits > -CLEARLY]
    else:
        turned = [line for line, bits in lines.items() if bits >= STRONG]
        if not _carries(turned, list(lines)):
            return text, []
    chosen = frozenset(turned)
    text, changed = _change(_PARAGRAPH, text, lambda line: _as_read(line) if line in chosen else None)
    repairs = [f"text in the order it is seen, put in the order it is read: {_lines(changed)}"]
    return text, repairs if changed else []


def _may_be_backwards(text: str) -> bool:
    """Tell by some words whether a text is worth a closer look; in ordinary text one in a hundred is."""
    step = max(len(text) // STRETCHES, STRETCH)
    stretches = (text[at : at + STRETCH] for at in range(0, len(text), step))
    words = [word for stretch in stretches for word in ARABIC_WORD.findall(stretch)]
    return sum(map(_is_backwards, words)) > 0.05 * len(words)


@lru_cache(maxsize=16_384)
def _is_backwards(word: str) -> bool:
    """Tell whether a word is one only when read backwards; an article alone is no sign (قليلا, فنزويلا)."""
    read = word[::-1]
    return reads_well(read) == 2 > reads_well(word) and read not in _WORDS_EITHER_WAY


def _bits_backwards(line: str) -> float:
    """Return how much likelier a line is when read backwards; below 0 it stands as it is read."""
    words = set(ARABIC_WORD.findall(line))
    if sum(map(bool, map(_FOREIGN.search, words))) > 0.2 * len(words):
        return -STRONG  # Kazakh and others begin words with what ends them in Arabic
    shapes = "".join(map(_shape, line))
    # Within a word no medial form follows a final one, nor an initial form a medial one.
    misplaced = len(re.findall("fm|mi", shapes)) - len(re.findall("mf|im", shapes))
    forms = presentation_form_letters()
    bits = (
        stored_order_likelihood(line[::-1].translate(forms))
        - stored_order_likelihood(line.translate(forms))
        + 4 * misplaced
    )
    return bits if misplaced > 0 or any(map(_is_backwards, words)) else min(bits, CLEARLY)


@lru_cache(maxsize=4096)
def _shape(char: str) -> str:
    """Return i, m or f for a letter's initial, medial or final form, a dot for anything else."""
    form = unicodedata.decomposition(char).partition(">")[0]
    return form[1] if form in ("<initial", "<medial", "<final") else "."


def _as_read(line: str) -> str | None:
    """Return a line in reading order, its presentation forms turned into letters."""
    latin = sum(char.isascii() and char.isalpha() for char in line)
    base = "L" if latin > sum(map(len, ARABIC_WORD.findall(line))) else "R"
    # A number behaves as what precedes it has it, and that was another thing before the line was turned:
    # of both behaviours, the one that would be seen as the line is stored.
    marked = re.sub(r"\d+", "\u200f\\g<0>", line)
    try:
        ways = [str(get_display(way, base_dir=base)) for way in (line, marked)]
        ways[1] = ways[1].replace("\u200f", "")
        read = next((way for way in ways if get_display(way, base_dir=base) == line), ways[0])
    except UnicodeEncodeError:
        return None  # half of a surrogate pair
    return read.translate(presentation_form_letters())


def _odd(text: str) -> Iterator[str]:
    if forms := len(_FORM.findall(text)):
        yield f"presentation forms of Arabic letters, left: {forms:,}"
    if lost := text.count("\ufffd"):
        yield f"replacement characters (U+FFFD), where letters were lost before: {lost:,}"
