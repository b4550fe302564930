"""Repair text that was once decoded in a wrong encoding, or is stored in visual order. Pure functions."""

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

STRETCH, STRETCHES = 4096, 16  # characters of one sampled stretch; stretches of one text, evenly spaced


def repair(text: str, replaced: int = 0) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """Return the repaired text, the repairs, and notes on oddities that were left in it.

    Ordinary text comes back unchanged: a repair needs strong evidence. So many of its U+FFFD as `replaced`
    says are no oddity, because the caller has a note on them.
    """
    if text.isascii():
        return text, (), ()
    text, reread_notes, misread_notes = _repair_misread(text)
    text, order_notes = _repair_visual_order(text)
    return text, (*reread_notes, *order_notes), (*misread_notes, *_oddities(text, replaced))


# --- text that was decoded in a wrong encoding

_TAILS_1252 = "\x80-\xbf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"
_TAILS_1256 = "\xa0-\xbf€پ‚ƒ„…†‡ˆ‰ٹ‹Œچژڈگ‘’“”•–—ک™ڑ›œ\u200c\u200dں،ھ؛؟"
# Two Arabic letters in UTF-8 that were decoded as windows-1252 or windows-1256; ordinary text has no such
# run.
_MISREAD_UTF8 = (
    re.compile(f"[ØÙÚÛ][{_TAILS_1252}][ØÙÚÛ][{_TAILS_1252}]"),
    re.compile(f"[طظعغ][{_TAILS_1256}][طظعغ][{_TAILS_1256}]"),
)
# The last pattern: single-byte Arabic that was decoded as windows-1252.
_MISREAD = (*_MISREAD_UTF8, re.compile("[À-ÿ][À-ÿ][À-ÿ]"))
_MISREADINGS = (  # the wrong encoding, then the right one
    ("windows-1252", "utf-8"),
    ("windows-1256", "utf-8"),
    ("windows-1252", "windows-1256"),
    ("windows-1252", "iso-8859-6"),
)
# windows-1252 leaves some bytes undefined; lenient decoders keep them as U+0081 and the like.
_TO_LATIN_1 = {
    ord(char): byte for byte in range(0x80, 0xA0) if (char := decode_or_none(bytes([byte]), "windows-1252"))
}
_LINE = re.compile(r"[^\r\n]+")


def _repair_misread(text: str) -> tuple[str, list[str], list[str]]:
    """Decode anew the lines that were decoded in a wrong encoding; return the text, repairs and notes."""
    if not any(pattern.search(text) for pattern in _MISREAD):
        return text, [], []
    lines = _LINE.findall(text)
    suspects = [line for line in lines if any(pattern.search(line) for pattern in _MISREAD)]
    repairs = []
    beginnings = [_beginning(line) for line in suspects[:200]]
    if _is_evidence(suspects, lines) and (misreading := _likeliest_misreading(beginnings)):
        wrong, right = misreading
        text, changed = _change(_LINE, text, lambda line: _reread(line, wrong, right))
        repairs = [
            f"{display_name(right)} that had been read as {wrong}, read again: {_count_of_lines(changed)}"
        ]
    left = sum(any(pattern.search(line) for pattern in _MISREAD_UTF8) for line in _LINE.findall(text))
    notes = [f"what looks like UTF-8 that was read in another encoding, left: {_count_of_lines(left)}"]
    return text, repairs, notes if left else []


def _likeliest_misreading(suspects: list[str]) -> tuple[str, str] | None:
    """Return the wrong and the right encoding of suspect lines; None without strong evidence."""
    ranked = []
    for wrong_encoding, right_encoding in _MISREADINGS:
        repaired = {
            line: right for line in suspects if (right := _reread(line, wrong_encoding, right_encoding))
        }
        text = "\n".join(repaired.values())
        ranked.append((likelihood(text), text, "\n".join(repaired), wrong_encoding, right_encoding))
    (bits, text, before, wrong_encoding, right_encoding), (next_best, *_) = sorted(ranked, reverse=True)[:2]
    words = ARABIC_WORD.findall(text)
    least_score = 1 if right_encoding == "utf-8" else 2  # UTF-8 that decodes at all is evidence in itself
    high = sum(not char.isascii() for char in text)
    reads_as_arabic = sum(map(reads_well, words)) >= max(least_score, 0.1 * len(words))
    is_arabic = reads_as_arabic and bits >= max(STRONG, high)
    was_arabic = any(map(reads_well, ARABIC_WORD.findall(before)))
    return (
        (wrong_encoding, right_encoding)
        if is_arabic and not was_arabic and bits >= next_best + CLEARLY
        else None
    )


def _reread(line: str, wrong_encoding: str, right_encoding: str) -> str | None:
    """Return a line in its right encoding; None if that fails or does not make the line clearly likelier."""
    if line.isascii():
        return None
    as_bytes = line.translate(_TO_LATIN_1) if wrong_encoding == "windows-1252" else line
    data = encode_or_none(as_bytes, "latin-1" if wrong_encoding == "windows-1252" else wrong_encoding)
    reread = None if data is None else decode_or_none(data, right_encoding)
    return reread if reread and likelihood(reread) > likelihood(line) + CLEARLY else None


def _beginning(line: str) -> str:
    return line if len(line) <= STRETCH else line[: line.rfind(" ", 0, STRETCH)]


def _is_evidence(part: list[str], whole: list[str]) -> bool:
    """Return whether enough of the lines of a text are suspect to judge the text."""
    # An article may quote a damaged line or two.
    return len(part) >= 3 or sum(map(len, part)) >= 0.3 * sum(map(len, whole)) > 0


def _change(pattern: re.Pattern[str], text: str, change: Callable[[str], str | None]) -> tuple[str, int]:
    """Replace each match of a pattern by `change` of it, unless that is None; return the text and a count."""
    changed = 0

    def replacement(match: re.Match[str]) -> str:
        nonlocal changed
        new = change(match[0])
        changed += new is not None
        return match[0] if new is None else new

    return pattern.sub(replacement, text), changed


def _count_of_lines(count: int) -> str:
    return "1 line" if count == 1 else f"{count:,} lines"


# --- text that is stored in visual order

_PARAGRAPH = re.compile(r"[^\r\n\x1c-\x1e\x85\u2029]+")  # paragraph ends of the bidi algorithm (UAX 9)
# Common words that are words when reversed too.
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
# Presentation forms, without lam-alef and whole-word signs, which ordinary text uses.
_FORM = re.compile("[\ufb50-\ufdcf\ufe70-\ufef4]")


def _repair_visual_order(text: str) -> tuple[str, list[str]]:
    """Put lines in visual order (left to right) into reading order; return the text and the repairs."""
    if not _may_be_backwards(text):
        return text, []
    bits_of = {line: _bits_backwards(line) for line in _PARAGRAPH.findall(text) if ARABIC_WORD.search(line)}
    backwards = frozenset(_backward_lines(bits_of))
    text, changed = _change(_PARAGRAPH, text, lambda line: _as_read(line) if line in backwards else None)
    repairs = [f"text in the order it is seen, put in the order it is read: {_count_of_lines(changed)}"]
    return text, repairs if changed else []


def _backward_lines(bits_of: dict[str, float]) -> list[str]:
    """Return the lines in visual order; `bits_of` has for each line how much likelier it is reversed."""
    backward_bits = sum(bits for bits in bits_of.values() if bits > 0)
    forward_bits = -sum(bits for bits in bits_of.values() if bits < 0)
    if backward_bits >= STRONG and backward_bits >= 5 * forward_bits:
        # The whole text is stored backwards, so lines without evidence of their own are too.
        return [line for line, bits in bits_of.items() if bits > -CLEARLY]
    certain = [line for line, bits in bits_of.items() if bits >= STRONG]
    return certain if _is_evidence(certain, list(bits_of)) else []


def _may_be_backwards(text: str) -> bool:
    """Return whether a text may be reversed, by a sample; 1 % of an ordinary text's words look reversed."""
    step = max(len(text) // STRETCHES, STRETCH)
    stretches = (text[offset : offset + STRETCH] for offset in range(0, len(text), step))
    words = [word for stretch in stretches for word in ARABIC_WORD.findall(stretch)]
    return sum(map(_is_backwards, words)) > 0.05 * len(words)


@lru_cache(maxsize=16_384)
def _is_backwards(word: str) -> bool:
    """Return whether a word is Arabic only when reversed.

    A reversed article is no evidence: ordinary words end in its letters (قليلا, فنزويلا).
    """
    reversed_word = word[::-1]
    return reads_well(reversed_word) == 2 > reads_well(word) and reversed_word not in _WORDS_EITHER_WAY


def _bits_backwards(line: str) -> float:
    """Return how many bits likelier a line is when reversed; below 0 it is in reading order."""
    words = set(ARABIC_WORD.findall(line))
    if sum(map(bool, map(_FOREIGN.search, words))) > 0.2 * len(words):
        return -STRONG  # in Kazakh and others, words begin with letters that end Arabic words
    shapes = "".join(map(_shape, line))
    # Within a word, a medial form never follows a final one, and an initial form never follows a medial one.
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
    """Return i, m or f for an initial, medial or final presentation form, a dot for any other character."""
    form = unicodedata.decomposition(char).partition(">")[0]
    return form[1] if form in ("<initial", "<medial", "<final") else "."


def _as_read(line: str) -> str | None:
    """Return a line in reading order, with letters for presentation forms; None for a lone surrogate."""
    latin = sum(char.isascii() and char.isalpha() for char in line)
    base = "L" if latin > sum(map(len, ARABIC_WORD.findall(line))) else "R"
    # The bidi algorithm orders a number by the text before it, which reversing has changed; try both readings
    # and keep the one that renders back to the stored line.
    marked = re.sub(r"\d+", "\u200f\\g<0>", line)
    try:
        readings = [str(get_display(stored, base_dir=base)) for stored in (line, marked)]
        readings[1] = readings[1].replace("\u200f", "")
        rendering_back = (reading for reading in readings if get_display(reading, base_dir=base) == line)
        in_order = next(rendering_back, readings[0])
    except UnicodeEncodeError:
        return None
    return in_order.translate(presentation_form_letters())


def _oddities(text: str, replaced: int) -> Iterator[str]:
    """Yield a note for each kind of damage that is visible in a text and was left in it."""
    if forms := len(_FORM.findall(text)):
        yield f"presentation forms of Arabic letters, left: {forms:,}"
    if (lost := text.count("\ufffd") - replaced) > 0:
        yield f"replacement characters (U+FFFD), where letters were lost before: {lost:,}"
