"""Detect the encoding of Arabic and Latin text, and decode it without losing a byte unseen.

A few bytes that do not fit UTF-8 are read as U+FFFD, and their offsets are a note of the article; more of
them refuse the file. A byte order mark is proof, and so is UTF-8 with so few errors. A single-byte encoding
fits almost any bytes, so it is chosen by the text that it yields: by how likely the pairs of neighbouring
characters are in Arabic and Latin text, in bits over chance (log2 of the odds against a high byte drawn at
random). Each candidate maps one byte to one character, so these sums compare directly: the best must be
likely in itself, and clearly ahead of every other reading. The same measure finds Arabic that is stored
backwards and text that was once decoded in a wrong encoding (see `repair`).
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

# The encodings that are tried, with the bits that each starts with: a rarer one needs more evidence. Where
# two yield the same text, the first one is chosen.
CANDIDATES = {"windows-1252": 0.0, "windows-1256": 0.0, "iso-8859-6": -5.0, "cp720": -8.0}
SAMPLE = 64 * 1024
BLOCK, DENSEST = 4096, 4  # besides the head, the sample has the blocks with the most high bytes
CHUNK = 512  # bytes, rounded up to whole lines; no chunk may contradict the others
# Bits that a text needs, in all and for each high byte. French has 2 to 5 a byte; Turkish that is decoded as
# windows-1252 has fewer than 0.
ENOUGH, ENOUGH_PER_BYTE = 0.5, 0.75
ENOUGH_ARABIC = 2.0  # bits that Arabic needs on top; it has 2 to 3 a byte, Persian and Urdu have 1.5
MOST_BAD, BAD_PER_BYTE = 100, 1 / 1_000  # bytes that may be read as U+FFFD; LEAST_BAD in the shortest file
LEAST_BAD = 3
SHOWN_OFFSETS = 5  # of such bytes, in the note
DECLARED = 12.0  # bits that an encoding gets if the page declares it

_MARKS = (  # longer marks first: the mark of UTF-32 begins with the mark of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_HOLDS_NUL = "it is not text: it holds NUL bytes"


@dataclass(frozen=True, slots=True)
class Decoded:
    """The text of a file, without its byte order mark and with its line ends unchanged.

    Where `repairs` is empty, `text.encode(encoding)` equals the bytes of the file after the mark. Each entry
    of `repairs` and of `notes` (oddities that were left in the text) is one line for people.
    """

    text: str
    encoding: str
    repairs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def decode(data: bytes, declared: str | None = None) -> Decoded:
    """Decode a whole file; `declared` is the encoding that an HTML page declares, used as a hint only.

    Raises UnreadableFile if the bytes are binary, broken text, or text in an encoding that is not detected.
    """
    bad = _few_bad_bytes(data, whole=True)
    if bad:
        decoded, encoding = data.removeprefix(codecs.BOM_UTF8).decode("utf-8", "replace"), "utf-8"
    else:
        mark, encoding = _byte_order_mark(data) or (b"", _encoding_without_mark(data, declared, whole=True))
        decoded = _decode_or_refuse(data, len(mark), encoding, whole=True)
    text, repairs, notes = repair(decoded, replaced=len(bad))
    return Decoded(text, encoding, (*_replaced(bad), *repairs), notes)


def encoding_of(sample: bytes) -> str:
    """Return the codec of a stream that begins with these bytes; they may end in the middle of a character.

    The codec suits io.TextIOWrapper and removes the byte order mark. Some bytes of the stream may not fit it.
    Raises UnreadableFile like `decode`.
    """
    if _few_bad_bytes(sample, whole=False):
        return "utf-8-sig" if sample.startswith(codecs.BOM_UTF8) else "utf-8"
    if marked := _byte_order_mark(sample):
        mark, encoding = marked
        _decode_or_refuse(sample, len(mark), encoding, whole=False)
        return "utf-8-sig" if encoding == "utf-8" else encoding[: len("utf-16")]
    return _encoding_without_mark(sample, None, whole=False)


# --- UTF-8 with a few bytes that do not fit


def _few_bad_bytes(data: bytes, *, whole: bool) -> list[int]:
    """Return the offsets of the bytes that do not fit UTF-8, if they are few; else an empty list.

    The list is also empty for valid UTF-8 and for what looks like another encoding.
    """
    most = min(MOST_BAD, max(LEAST_BAD, int(len(data) * BAD_PER_BYTE)))
    if b"\0" in data:
        return []
    offsets, start = list[int](), 0
    while len(offsets) <= most:
        try:
            _decode(data[start:], "utf-8", whole=whole)
        except UnicodeDecodeError as error:
            offsets.append(start + error.start)
            start += error.end
            continue
        if not offsets:
            return []
        # A single-byte encoding has no sequences of UTF-8, or fewer than other high bytes.
        sequences = len(_UTF8_SEQUENCE.findall(data[:SAMPLE]))
        return offsets if sequences > 20 * len(offsets) else []
    return []


def _replaced(offsets: list[int]) -> tuple[str, ...]:
    """Return the note on bytes that were read as U+FFFD, with the positions of the first, from 1."""
    if not offsets:
        return ()
    shown = ", ".join(f"{offset + 1:,}" for offset in offsets[:SHOWN_OFFSETS])
    more = f" and {len(offsets) - SHOWN_OFFSETS:,} more" if len(offsets) > SHOWN_OFFSETS else ""
    what = (
        "a byte that is no text was" if len(offsets) == 1 else f"{len(offsets):,} bytes that are no text were"
    )
    return (f"{what} read as U+FFFD (byte {shown}{more})",)


# --- encodings that the bytes prove: byte order marks, UTF-16, UTF-8

_HIGH = bytes(range(128, 256))
_CONTROLS = bytes(byte for byte in range(32) if byte not in b"\t\n\f\r\x1a")  # 1A ends a file of MS-DOS
_UTF8_SEQUENCE = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"  # need not be valid UTF-8
)
# The characters of 16-bit text in Arabic or Latin letters; in the wrong byte order they would be Chinese.
_ARABIC_OR_LATIN = re.compile(
    "[\t\n\f\r -~\xa0-\u024f\u0600-\u06ff\u0750-\u077f\u2000-\u2122\ufb50-\ufdff\ufe70-\ufeff]"
)


def _byte_order_mark(data: bytes) -> tuple[bytes, str] | None:
    """Return the mark that a file begins with and its encoding; None if there is no mark."""
    return next(((mark, encoding) for mark, encoding in _MARKS if data.startswith(mark)), None)


def _decode_or_refuse(data: bytes, start: int, encoding: str, *, whole: bool) -> str:
    try:
        text = _decode(data[start:] if start else data, encoding, whole=whole)
    except UnicodeDecodeError as error:
        raise _not_in_encoding(encoding, start + error.start) from None
    if "\0" in text:
        raise UnreadableFile(_HOLDS_NUL)
    return text


def _decode(data: bytes, encoding: str, *, whole: bool) -> str:
    return codecs.getincrementaldecoder(encoding)("strict").decode(data, final=whole)


def _not_in_encoding(encoding: str, offset: int) -> UnreadableFile:
    return UnreadableFile(f"it is not {display_name(encoding)} text (byte {offset + 1:,}); save it as UTF-8")


def _undetected(why: str) -> UnreadableFile:
    return UnreadableFile(f"its encoding cannot be told ({why}); save it as UTF-8")


def _encoding_without_mark(data: bytes, declared: str | None, *, whole: bool) -> str:
    # An Arabic letter in UTF-16 is the byte 06 and an ASCII byte, which is valid UTF-8 too, so UTF-16 is
    # tried first.
    if b"\0" in data or b"\x06" in data[:SAMPLE]:
        if utf_16 := _utf_16(data[:SAMPLE]):
            return utf_16
        if b"\0" in data:
            raise UnreadableFile(_HOLDS_NUL)
    try:
        _decode(data, "utf-8", whole=whole)
    except UnicodeDecodeError as error:
        sample = _sample(data)
        if _is_broken_utf8(sample):
            raise _not_in_encoding("utf-8", error.start) from None
        return _single_byte_encoding(data, sample, declared)
    return "utf-8"


def _utf_16(head: bytes) -> str | None:
    """Return the byte order of UTF-16 in which these bytes are Arabic or Latin text; None if neither fits."""
    for encoding in ("utf-16-le", "utf-16-be"):
        try:
            text = _decode(head, encoding, whole=False)
        except UnicodeDecodeError:
            continue
        # In UTF-16 a space or a line end has a NUL. Without one the text is a single word, and every
        # character must fit.
        needed = 0.97 if b"\0" in head else 1.0
        if len(text) > 1 and len(_ARABIC_OR_LATIN.findall(text)) >= needed * len(text):
            return encoding
    return None


def _sample(data: bytes) -> bytes:
    """Return the head of a file and, of the rest, the blocks with the most high bytes."""
    if len(data) <= SAMPLE:
        return data
    blocks = (
        (_count(data[offset : offset + BLOCK], _HIGH), offset) for offset in range(SAMPLE, len(data), BLOCK)
    )
    densest = sorted(offset for high, offset in sorted(blocks, reverse=True)[:DENSEST] if high)
    return b"\n".join([data[:SAMPLE], *(data[offset : offset + BLOCK] for offset in densest)])


def _count(data: bytes, members: bytes) -> int:
    return len(data) - len(data.translate(None, members))


def _is_broken_utf8(sample: bytes) -> bool:
    # Text in a Windows encoding has such sequences by chance (É”), but most of its high bytes stand outside
    # them.
    return sum(map(len, _UTF8_SEQUENCE.findall(sample))) >= 0.75 * _count(sample, _HIGH)


# --- single-byte encodings, chosen by the likelihood of the text

_CODECS_OF_PAGES = re.compile(
    r"cp\d+|iso8859-\d+|koi8-\w|mac-\w+|gb\w+|big5\w*|euc_\w+|shift_jis\w*|tis-620|johab"
)


@dataclass(frozen=True, slots=True)
class _Reading:
    """A sample decoded in one encoding: its text, or None if it does not fit, and the bits of each chunk."""

    encoding: str
    text: str | None
    chunk_bits: tuple[float | None, ...]

    @property
    def bits(self) -> float:
        return sum(bits for bits in self.chunk_bits if bits is not None)


def _single_byte_encoding(data: bytes, sample: bytes, declared: str | None) -> str:
    """Return the encoding in which a sample is likely text.

    Raises UnreadableFile if no encoding yields likely text, or if more than one does.
    """
    if _count(sample, _CONTROLS) > 0.02 * len(sample):
        raise _undetected("it is full of control characters")
    hint = _codec_name(declared)
    readings = _readings(sample)
    ranked = sorted(_distinct(readings), key=lambda reading: _rank_bits(reading, hint), reverse=True)
    high = _count(sample, _HIGH)
    best = next((reading for reading in ranked if reading.bits >= _needed_bits(reading, high)), None)
    if hint and hint not in CANDIDATES and not (best and _is_arabic(best, high)) and _fits(data, hint):
        return hint
    if best is None and _is_declared_and_nearly_ascii(readings, hint, high, len(sample)):
        return str(hint)
    if best is None:
        raise _undetected("none that is tried makes words of it")
    if best.encoding != hint:
        _refuse_close_second(best, ranked, hint)
    _refuse_mixture(best, readings)
    return best.encoding


def _is_declared_and_nearly_ascii(readings: list[_Reading], hint: str | None, high: int, size: int) -> bool:
    """Return whether a page is in the candidate that it declares, by too few high bytes for words."""
    fits = any(reading.encoding == hint and reading.text is not None for reading in readings)
    return fits and hint in CANDIDATES and high <= BAD_PER_BYTE * size


def _rank_bits(reading: _Reading, hint: str | None) -> float:
    """Return the bits that readings are ranked by: the text's, the encoding's own, and the declaration's."""
    return reading.bits + CANDIDATES[reading.encoding] + DECLARED * (reading.encoding == hint)


def _refuse_close_second(best: _Reading, ranked: list[_Reading], hint: str | None) -> None:
    """Raise UnreadableFile if another reading is nearly as likely as the best one."""
    for other in ranked:
        if other is not best and _rank_bits(other, hint) > _rank_bits(best, hint) - CLEARLY:
            raise _undetected(f"{best.encoding} and {other.encoding} are about equally likely")


def _refuse_mixture(best: _Reading, readings: list[_Reading]) -> None:
    """Raise UnreadableFile if some chunk is far more likely in another encoding than in the best one."""
    for other in readings:
        chunks = zip(other.chunk_bits, best.chunk_bits, strict=True)
        if any(_is_far_likelier(other_bits, best_bits) for other_bits, best_bits in chunks):
            raise _undetected(f"parts of it are in {best.encoding}, parts in {display_name(other.encoding)}")


def _is_far_likelier(bits: float | None, other_bits: float | None) -> bool:
    return bits is not None and other_bits is not None and bits > other_bits + STRONG


def _readings(sample: bytes) -> list[_Reading]:
    chunks = list(_chunks(sample))
    readings = []
    for encoding in (*CANDIDATES, "utf-8"):
        texts = [decode_or_none(chunk, encoding) for chunk in chunks]
        fitting = [text for text in texts if text is not None]
        text = "\n".join(fitting) if len(fitting) == len(texts) else None
        chunk_bits = tuple(None if text is None else likelihood(text) for text in texts)
        readings.append(_Reading(encoding, text, chunk_bits))
    return readings


def _chunks(sample: bytes) -> Iterator[bytes]:
    """Yield a sample in chunks of whole lines, each of at least CHUNK bytes but the last."""
    start = 0
    while (end := sample.find(b"\n", start + CHUNK)) >= 0:
        yield sample[start:end]
        start = end + 1
    yield sample[start:]


def _distinct(readings: list[_Reading]) -> Iterator[_Reading]:
    """Yield the readings that fit the whole sample; of readings with the same text, only the first."""
    seen = set()
    for reading in readings:
        if reading.text is None or reading.text in seen:
            continue
        # The Arabic encodings have French letters too, so a reading without Arabic letters is no evidence for
        # them.
        if reading.encoding == "windows-1252" or ARABIC_LETTER.search(reading.text):
            seen.add(reading.text)
            yield reading


def _needed_bits(reading: _Reading, high: int) -> float:
    """Return the bits that a reading needs to count as text, if its sample has `high` high bytes."""
    for_arabic = ENOUGH_ARABIC if ARABIC_LETTER.search(reading.text or "") else 0.0
    return max(ENOUGH, for_arabic + ENOUGH_PER_BYTE * high)


def _is_arabic(reading: _Reading, high: int) -> bool:
    letters = len(ARABIC_LETTER.findall(reading.text or ""))
    return letters > 2 and letters > 0.5 * high


def _codec_name(declared: str | None) -> str | None:
    """Return the usual name of a declared encoding; None if web pages do not use such an encoding."""
    ascii_bytes = bytes(range(32, 127))
    try:
        name = codecs.lookup(declared or "").name
        if name in ("ascii", "iso8859-1"):
            return "windows-1252"  # as browsers treat both
        if not _CODECS_OF_PAGES.fullmatch(name) or ascii_bytes.decode(name).encode("ascii") != ascii_bytes:
            return None
    except (LookupError, ValueError):
        return None
    return re.sub(r"^cp(?=125\d$)", "windows-", name).replace("iso8859", "iso-8859")


def _fits(data: bytes, encoding: str) -> bool:
    """Return whether a page may be in the encoding that it declares, which is not one of CANDIDATES."""
    text = decode_or_none(data, encoding)
    if text is None or re.search("[\x80-\x9f]", text) or encode_or_none(text, encoding) != data:
        return False
    words = [word for word in re.findall(r"[^\W\d_]+", text[:SAMPLE]) if not word.isascii()]
    # A wrong encoding puts capitals after small letters inside words.
    with_inner_capital = sum(any(a.islower() and b.isupper() for a, b in pairwise(word)) for word in words)
    return with_inner_capital <= 0.1 * len(words)
