"""Bytes to text, without losing one: encodings of Arabic and Latin text, and repair of text stored wrongly.

Decoding is always strict: a byte that does not fit refuses the file, it is never dropped or replaced.
Marks and UTF-8 prove themselves. A single-byte encoding fits almost any bytes, so it is told by what it
makes of them: how likely the pairs of neighbouring characters are in Arabic and Latin text, in bits over
chance (log2 of the odds against a high byte drawn blindly). A candidate maps one byte to one character, so
these sums compare directly: the best must be likely in itself, and clearly ahead of every other reading.
The same bits tell Arabic that is stored backwards, and text that was once read in a wrong encoding.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from indexer.errors import UnreadableFile
from indexer.ingest.encoding.likelihood import (
    ARABIC_LETTER,
    CLEARLY,
    STRONG,
    decode_or_none,
    display_name,
    encode_or_none,
    likelihood,
)
from indexer.ingest.encoding.repair import repair

# Names and the bits they start with: the rarer must show more. Of two that read alike the earlier is meant.
CANDIDATES = {"windows-1252": 0.0, "windows-1256": 0.0, "iso-8859-6": -5.0, "cp720": -8.0}
SAMPLE = 64 * 1024
BLOCK, DENSEST = 4096, 4  # after the head, the blocks with most high bytes are judged too
CHUNK = 512  # bytes, in whole lines, that must not contradict the rest
ENOUGH, ENOUGH_PER_BYTE = 0.5, 0.75  # bits; French has 2 to 5 a byte, Turkish read as windows-1252 below 0
ENOUGH_ARABIC = 2.0  # more than the same for Arabic; it has 2 to 3 a byte, Persian and Urdu 1.5
DECLARED = 12.0  # bits that an encoding has for being named by the page

_MARKS = (  # the longer first: that of UTF-32 begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_HOLDS_NUL = "it is not text: it holds NUL bytes"


@dataclass(frozen=True, slots=True)
class Decoded:
    """The text of a file, its byte order mark taken off, its line ends as they were.

    Where `repairs` is empty, `text.encode(encoding)` is the file after its mark. Each repair, and each note
    of what is odd but was left, is one line for people.
    """

    text: str
    encoding: str
    repairs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def decode(data: bytes, declared: str | None = None) -> Decoded:
    """Decode a whole file; `declared` is what an HTML page says of itself, and no more than a hint.

    Raises UnreadableFile where the bytes are no text, broken text, or in an encoding that cannot be told.
    """
    mark, encoding = _marked(data) or (b"", _unmarked(data, declared, whole=True))
    text, repairs, notes = repair(_strictly(data, len(mark), encoding, whole=True))
    return Decoded(text, encoding, repairs, notes)


def encoding_of(sample: bytes) -> str:
    """Return the codec of a stream that begins with these bytes, which may end within a character.

    It suits io.TextIOWrapper and takes off the byte order mark. What follows the sample may still not fit:
    read strictly. Raises UnreadableFile like `decode`.
    """
    if marked := _marked(sample):
        mark, encoding = marked
        _strictly(sample, len(mark), encoding, whole=False)
        return "utf-8-sig" if encoding == "utf-8" else encoding[: len("utf-16")]
    return _unmarked(sample, None, whole=False)


# Which encoding: what proves itself

_HIGH = bytes(range(128, 256))
_CONTROLS = bytes(byte for byte in range(32) if byte not in b"\t\n\f\r\x1a")  # the last ends files of MS-DOS
_UTF8_SEQUENCE = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"  # its shape is enough
)
# What 16-bit text in Arabic or Latin letters is made of; the other byte order makes Chinese of them.
_WIDE = re.compile(
    "[\t\n\f\r -~\xa0-\u024f\u0600-\u06ff\u0750-\u077f\u2000-\u2122\ufb50-\ufdff\ufe70-\ufeff]"
)


def _marked(data: bytes) -> tuple[bytes, str] | None:
    return next(((mark, encoding) for mark, encoding in _MARKS if data.startswith(mark)), None)


def _strictly(data: bytes, start: int, encoding: str, *, whole: bool) -> str:
    try:
        text = _decode(data[start:] if start else data, encoding, whole=whole)
    except UnicodeDecodeError as error:
        raise _misfit(encoding, start + error.start) from None
    if "\0" in text:
        raise UnreadableFile(_HOLDS_NUL)
    return text


def _decode(data: bytes, encoding: str, *, whole: bool) -> str:
    return codecs.getincrementaldecoder(encoding)("strict").decode(data, final=whole)


def _misfit(encoding: str, offset: int) -> UnreadableFile:
    return UnreadableFile(f"it is not {display_name(encoding)} text (byte {offset + 1:,}); save it as UTF-8")


def _untold(why: str) -> UnreadableFile:
    return UnreadableFile(f"its encoding cannot be told ({why}); save it as UTF-8")


def _unmarked(data: bytes, declared: str | None, *, whole: bool) -> str:
    # Arabic in 16-bit units is the byte 06 and one of ASCII: valid UTF-8, so this comes first.
    if b"\0" in data or b"\x06" in data[:SAMPLE]:
        if wide := _wide(data[:SAMPLE]):
            return wide
        if b"\0" in data:
            raise UnreadableFile(_HOLDS_NUL)
    try:
        _decode(data, "utf-8", whole=whole)
    except UnicodeDecodeError as error:
        sample = _sample(data)
        if _is_broken_utf8(sample):
            raise _misfit("utf-8", error.start) from None
        return _legacy(data, sample, declared)
    return "utf-8"


def _wide(head: bytes) -> str | None:
    """Return the UTF-16 that makes Arabic or Latin text of these bytes; None where neither does."""
    for encoding in ("utf-16-le", "utf-16-be"):
        try:
            text = _decode(head, encoding, whole=False)
        except UnicodeDecodeError:
            continue
        # Without a NUL there is no space and no line end: one word, whose every unit must fit.
        needed = 0.97 if b"\0" in head else 1.0
        if len(text) > 1 and len(_WIDE.findall(text)) >= needed * len(text):
            return encoding
    return None


def _sample(data: bytes) -> bytes:
    """Return the head of a file and, of the rest, the blocks that hold most high bytes."""
    if len(data) <= SAMPLE:
        return data
    counted = ((_count(data[at : at + BLOCK], _HIGH), at) for at in range(SAMPLE, len(data), BLOCK))
    densest = sorted(at for high, at in sorted(counted, reverse=True)[:DENSEST] if high)
    return b"\n".join([data[:SAMPLE], *(data[at : at + BLOCK] for at in densest)])


def _count(data: bytes, among: bytes) -> int:
    return len(data) - len(data.translate(None, among))


def _is_broken_utf8(sample: bytes) -> bool:
    # Windows text has such sequences by chance (É”), but never most of its high bytes in them.
    return sum(map(len, _UTF8_SEQUENCE.findall(sample))) >= 0.75 * _count(sample, _HIGH)


# Which encoding: what must be told by its words

_ENCODINGS_OF_PAGES = re.compile(
    r"cp\d+|iso8859-\d+|koi8-\w|mac-\w+|gb\w+|big5\w*|euc_\w+|shift_jis\w*|tis-620|johab"
)


@dataclass(frozen=True, slots=True)
class _Reading:
    """What an encoding makes of a sample: its text, None where it does not fit, and the bits of each part."""

    encoding: str
    text: str | None
    parts: tuple[float | None, ...]

    @property
    def bits(self) -> float:
        return sum(part for part in self.parts if part is not None)


def _legacy(data: bytes, sample: bytes, declared: str | None) -> str:
    """Return the encoding that makes likely text of a sample; refuse where none or more than one does."""
    if _count(sample, _CONTROLS) > 0.02 * len(sample):
        raise _untold("it is full of control characters")
    hint = _codec_name(declared)

    def standing(reading: _Reading) -> float:
        return reading.bits + CANDIDATES[reading.encoding] + DECLARED * (reading.encoding == hint)

    readings = _readings(sample)
    ranked = sorted(_distinct(readings), key=standing, reverse=True)
    high = _count(sample, _HIGH)
    best = next((reading for reading in ranked if reading.bits >= _enough(reading, high)), None)
    if hint and hint not in CANDIDATES and not (best and _is_arabic(best, high)) and _fits(data, hint):
        return hint
    if best is None:
        raise _untold("none that is tried makes words of it")
    for other in ranked:
        if other is not best and best.encoding != hint and standing(other) > standing(best) - CLEARLY:
            raise _untold(f"{best.encoding} and {other.encoding} are about equally likely")
    for other in readings:
        if any(a is not None and b is not None and a > b + STRONG for a, b in _both(other, best)):
            raise _untold(f"parts of it are in {best.encoding}, parts in {display_name(other.encoding)}")
    return best.encoding


def _readings(sample: bytes) -> list[_Reading]:
    chunks = list(_chunks(sample))
    readings = []
    for encoding in (*CANDIDATES, "utf-8"):
        texts = [decode_or_none(chunk, encoding) for chunk in chunks]
        fitting = [text for text in texts if text is not None]
        text = "\n".join(fitting) if len(fitting) == len(texts) else None
        parts = tuple(None if text is None else likelihood(text) for text in texts)
        readings.append(_Reading(encoding, text, parts))
    return readings


def _chunks(sample: bytes) -> Iterator[bytes]:
    """Yield the lines of a sample, short ones together."""
    start = 0
    while (end := sample.find(b"\n", start + CHUNK)) >= 0:
        yield sample[start:end]
        start = end + 1
    yield sample[start:]


def _distinct(readings: list[_Reading]) -> Iterator[_Reading]:
    """Yield the candidates that fit a whole sample, each text once."""
    seen = set()
    for reading in readings:
        if reading.text is None or reading.text in seen:
            continue
        # The Arabic encodings hold letters of French too: without Arabic they say nothing.
        if reading.encoding == "windows-1252" or ARABIC_LETTER.search(reading.text):
            seen.add(reading.text)
            yield reading


def _enough(reading: _Reading, high: int) -> float:
    """Return the bits below which a reading of so many high bytes is no text."""
    extra = ENOUGH_ARABIC if ARABIC_LETTER.search(reading.text or "") else 0.0
    return max(ENOUGH, extra + ENOUGH_PER_BYTE * high)


def _is_arabic(reading: _Reading, high: int) -> bool:
    letters = len(ARABIC_LETTER.findall(reading.text or ""))
    return letters > 2 and letters > 0.5 * high


def _both(a: _Reading, b: _Reading) -> Iterator[tuple[float | None, float | None]]:
    return zip(a.parts, b.parts, strict=True)


def _codec_name(declared: str | None) -> str | None:
    """Return the known name of a declared encoding; None where it is none that pages are written in."""
    ascii_bytes = bytes(range(32, 127))
    try:
        name = codecs.lookup(declared or "").name
        if name in ("ascii", "iso8859-1"):
            return "windows-1252"  # as browsers take both
        if not _ENCODINGS_OF_PAGES.fullmatch(name) or ascii_bytes.decode(name).encode("ascii") != ascii_bytes:
            return None
    except (LookupError, ValueError):
        return None
    return re.sub(r"^cp(?=125\d$)", "windows-", name).replace("iso8859", "iso-8859")


def _fits(data: bytes, encoding: str) -> bool:
    """Tell whether a page may be in the encoding it declares, whose letters are not known here."""
    text = decode_or_none(data, encoding)
    if text is None or re.search("[\x80-\x9f]", text) or encode_or_none(text, encoding) != data:
        return False
    words = [word for word in re.findall(r"[^\W\d_]+", text[:SAMPLE]) if not word.isascii()]
    # Read in a wrong encoding, capitals stand within words.
    odd = sum(any(a.islower() and b.isupper() for a, b in pairwise(word)) for word in words)
    return odd <= 0.1 * len(words)
