"""Bytes to text, without losing one: encodings of Arabic and Latin text, and repair of text stored wrongly.

Decoding is always strict: a byte that does not fit refuses the file, it is never dropped or replaced.
Marks and UTF-8 prove themselves. A single-byte encoding fits almost any bytes, so it is told by what it
makes of them: how likely the pairs of neighbouring characters are in Arabic and Latin text, in bits over
chance (log2 of the odds against a high byte drawn blindly). A candidate maps one byte to one character, so
these sums compare directly: the best must be likely in itself, and clearly ahead of every other reading.
The same bits tell Arabic that is stored backwards, and text that was once read in a wrong encoding.
"""

import codecs
import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from ..errors import UnreadableFile
from ..text.language import script_of

# Names and the bits they start with: the rarer must show more. Of two that read alike the earlier is meant.
CANDIDATES = {"windows-1252": 0.0, "windows-1256": 0.0, "iso-8859-6": -5.0, "cp720": -8.0}
SAMPLE = 64 * 1024
BLOCK, DENSEST = 4096, 4  # after the head, the blocks with most high bytes are judged too
CHUNK = 512  # bytes, in whole lines, that must not contradict the rest
ENOUGH, ENOUGH_PER_BYTE = 0.5, 0.75  # bits; French has 2 to 5 a byte, Turkish read as windows-1252 below 0
ENOUGH_ARABIC = 2.0  # more than the same for Arabic; it has 2 to 3 a byte, Persian and Urdu 1.5
DECLARED = 12.0  # bits that an encoding has for being named by the page
CLEARLY = 10.0  # bits ahead of the next reading
STRONG = 25.0  # bits; in tests with thousands of lines none in reading order had them backwards
STRETCH, STRETCHES = 4096, 16  # characters, of all parts of a text

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


def repair(text: str) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """Return a text with what was stored wrongly put right, what was repaired, and what is odd but was left.

    Ordinary text comes back as it is: a repair needs strong evidence.
    """
    if text.isascii():
        return text, (), ()
    text, reread, unread = _repair_misread(text)
    text, turned = _repair_visual_order(text)
    return text, (*reread, *turned), (*unread, *_odd(text))


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
    return UnreadableFile(f"it is not {_shown(encoding)} text (byte {offset + 1:,}); save it as UTF-8")


def _untold(why: str) -> UnreadableFile:
    return UnreadableFile(f"its encoding cannot be told ({why}); save it as UTF-8")


def _shown(encoding: str) -> str:
    return encoding.upper() if encoding.startswith("utf") else encoding


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
_ARABIC_LETTER = re.compile("[\u0621-\u06d3]")


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
        raise _untold(f"none that is tried makes words of it{_guess(sample)}")
    for other in ranked:
        if other is not best and best.encoding != hint and standing(other) > standing(best) - CLEARLY:
            raise _untold(f"{best.encoding} and {other.encoding} are about equally likely")
    for other in readings:
        if any(a is not None and b is not None and a > b + STRONG for a, b in _both(other, best)):
            raise _untold(f"parts of it are in {best.encoding}, parts in {_shown(other.encoding)}")
    return best.encoding


def _readings(sample: bytes) -> list[_Reading]:
    chunks = list(_chunks(sample))
    readings = []
    for encoding in (*CANDIDATES, "utf-8"):
        texts = [_try(chunk, encoding) for chunk in chunks]
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
        if reading.encoding == "windows-1252" or _ARABIC_LETTER.search(reading.text):
            seen.add(reading.text)
            yield reading


def _enough(reading: _Reading, high: int) -> float:
    """Return the bits below which a reading of so many high bytes is no text."""
    extra = ENOUGH_ARABIC if _ARABIC_LETTER.search(reading.text or "") else 0.0
    return max(ENOUGH, extra + ENOUGH_PER_BYTE * high)


def _is_arabic(reading: _Reading, high: int) -> bool:
    letters = len(_ARABIC_LETTER.findall(reading.text or ""))
    return letters > 2 and letters > 0.5 * high


def _both(a: _Reading, b: _Reading) -> Iterator[tuple[float | None, float | None]]:
    return zip(a.parts, b.parts, strict=True)


def _try(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


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
    text = _try(data, encoding)
    if text is None or re.search("[\x80-\x9f]", text) or _encoded(text, encoding) != data:
        return False
    words = [word for word in re.findall(r"[^\W\d_]+", text[:SAMPLE]) if not word.isascii()]
    # Read in a wrong encoding, capitals stand within words.
    odd = sum(any(a.islower() and b.isupper() for a, b in pairwise(word)) for word in words)
    return odd <= 0.1 * len(words)


def _encoded(text: str, encoding: str) -> bytes | None:
    try:
        return text.encode(encoding)
    except UnicodeEncodeError:
        return None


def _guess(sample: bytes) -> str:
    """Return what a refused text may be in, as the end of a sentence."""
    from charset_normalizer import from_bytes

    best = from_bytes(sample[:BLOCK], enable_fallback=False).best()
    # Of scripts other than Arabic and Latin, it knows the letters; among Latin ones it errs as often as not.
    if best is None or best.coherence < 0.5 or script_of(str(best)) != "other":
        return ""
    name = _codec_name(best.encoding)
    return f"; it may be {name}" if name else ""


# How likely a text is

# Words that Arabic text is full of: among any twenty stand some.
_COMMON_ARABIC = """
في من على إلى أن إن عن مع هذا هذه ذلك تلك التي الذي الذين ما لا لم لن قد كل بعد قبل بين كان كانت يكون هو
هي هم نحو حتى عند أو ثم أي أما لكن لأن كما حيث منذ خلال ضد دون غير أكثر بعض أول أحد عدة فيها منها عليها
لها به بها له فيه منه عليه إليه أنه أنها إنه ليس هناك هنا كيف ماذا لماذا متى أين إذا لو إلا سوى حول فقط
أيضا جدا قال قالت وقال شكل بشكل نفس وأضاف أكد أعلن ذكر أوضح أشار يقول تقول جاء تم يتم و وقد ولا وما وفي
ومن وكان
"""
# Words of news, names of people and places: with the above, the source of what follows what.
_ARABIC = """
اليوم أمس غدا عام العام سنة شهر يوم أيام ساعة الأحد الاثنين الثلاثاء الأربعاء الخميس الجمعة السبت يناير
فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر رمضان شعبان محرم صباح مساء الساعة
الوقت الرئيس الحكومة وزير الخارجية الدفاع الدولة دولة البلاد مدينة المدينة العاصمة منطقة المنطقة الشرق
الأوسط العالم العربي العربية الإسلامية المسلمين الولايات المتحدة أمريكا روسيا الصين أوكرانيا أوروبا
بريطانيا فرنسا ألمانيا إيران تركيا مصر القاهرة السعودية الرياض العراق بغداد سوريا دمشق لبنان بيروت الأردن
عمان فلسطين القدس غزة إسرائيل اليمن صنعاء الكويت قطر الدوحة البحرين الإمارات دبي ليبيا طرابلس تونس
الجزائر المغرب الرباط السودان الخرطوم الصومال موريتانيا محمد أحمد محمود علي حسن حسين عمر خالد يوسف
إبراهيم عبد الله الرحمن سعيد مصطفى فاطمة عائشة مريم زينب نجيب محفوظ طه صالح سالم ناصر جمال كريم رشيد
سليمان داود موسى عيسى ياسر بشار القوات الجيش الشرطة الأمن الأمم مجلس النواب البرلمان الانتخابات الحزب
الحرب السلام الاتفاق المفاوضات محادثات الأزمة الاقتصاد الاقتصادية النفط الغاز أسعار السوق الشركة شركات
البنك المركزي مليون مليار دولار ألف مئة عشرة ثلاثة أربعة خمسة ستة سبعة ثمانية تسعة واحد اثنان الأول
الثاني الثالث كرة القدم المباراة الفريق اللاعب الدوري بطولة كأس التعليم المدرسة الجامعة الطلاب الصحة
المستشفى المرض الطبيب الماء الأرض البحر النهر الشمس القمر الكتاب كتاب مكتبة الصحيفة صحيفة جريدة مقال
الأخبار خبر تقرير مراسل وكالة نشر الإنترنت موقع تواصل اجتماعي برنامج نظام مشروع الناس الشعب الرجل المرأة
الأطفال الطفل الأسرة الحياة الموت القتل قتلى جرحى انفجار هجوم مقتل إصابة حادث الطريق السيارة القطار
المطار الطائرة السفينة جنوب شمال شرق غرب كبير كبيرة صغير جديد جديدة قديم قوي ضعيف عالية طويل مهم خاص خاصة
عامة الماضي الحالي المقبل القادم الأخيرة الأساسية الدولية الوطنية السياسية العسكرية التاريخ الثقافة الفن
الموسيقى الشعر الأدب اللغة كلمة رسالة سؤال جواب قضية القضاء المحكمة القانون العدل حق حقوق الإنسان حرية
مسؤول مؤتمر اجتماع لقاء زيارة شؤون سؤاله بناء سماء ضوء شيء أشياء يستطيع يمكن يجب ينبغي تستخدم استخدام
يعمل العمل عملية تعمل يعتبر تعتبر انتخب انتقل انطلق اقترح التقى استقبل استقال اضطر ازداد ظهر ظل نظر حفظ
لحظة غضب ضغط ضحايا ذهب أخذ ثلث ثقة وجه وصل وقع وضع يصل يقع تقع بدأ عاش ولد توفي درس كتب فاز خسر فتح أغلق
طلب رفض وافق دعا عقد شارك شهد
"""
_PERSIAN_AND_URDU = """
از در به که اين است را با براي آن ها هاي يک شد شده بود مي نمي کرد کردن خواهد هم تا نيز يا اما اگر ايران
تهران دولت رئيس جمهور گفت گزارش کشور مردم سال روز شهر دانشگاه زبان فارسي پس پيش چه چند همه هيچ ديگر بزرگ
کوچک پاکستان کے کي کا ميں ہے ہيں سے نے کو پر اور بھي تھا تھي گيا گئي کيا ليے يہ وہ اس جو حکومت وزير اعظم
کہا نہيں ڈاکٹر بڑا لڑکي چھوٹا ٹيم
"""
_WEIGHTS = ((_COMMON_ARABIC, 4), (_ARABIC, 2), (_PERSIAN_AND_URDU, 1))

_WORD = re.compile("[\u0620-\u0652\u0670-\u06d3\ufb50-\ufdff\ufe70-\ufefc]+")
_LETTERS = "ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىيپچژگکٹڈڑںہھے"
_TANWIN = "\u064b\u064c\u064d"
# Accented letters of western languages, and how many in a hundred each is of them.
_ACCENTED = dict(
    zip("éàüäóíáèöçêãñåâæîôúßøïëùœõûìòÿ", (25, 8, 6, *[5] * 7, *[3] * 4, *[1.5] * 16), strict=True)
)
_FOREIGN_ACCENTED = "ðþýšž"  # Turkish, Czech and Polish letters land here: Icelandic is refused with them
# Kinds of characters. Besides: l and u for small and capital ASCII letters, c for controls, y for all others.
_KINDS = {
    "A": _LETTERS,
    "m": _TANWIN + "\u064e\u064f\u0650\u0652",  # marks of vowels
    "h": "\u0651",  # the mark of doubling
    "t": "ـ",
    "p": "،؛؟",
    "z": "\u200c\u200d\u200e\u200f",  # joiners and marks of direction
    "e": "".join(_ACCENTED) + _FOREIGN_ACCENTED,
    "E": "".join(_ACCENTED).upper().replace("SS", "") + _FOREIGN_ACCENTED.upper(),
    "o": "“«‘‹„‚¿¡",  # opens
    "q": "”»›",  # closes
    "a": "’",
    "d": "–—…\xa0",
    "x": "•·°©®™²½×",  # signs seen in articles
    "v": "€£¥",
    "w": "§¢ºª³¼¾±÷´¨µ†‡‰¹¬¦\xad¶",  # signs seldom seen
    "s": "\t\n\f\r\x1a",  # with blanks, digits and ASCII punctuation; the last ends files of MS-DOS
}
# Bits of a character of one kind after each other kind, * for the kinds that are not named.
_AFTER = {
    "m": "A+2 h+3 *-9",
    "h": "A+2 m+3 *-9",
    "t": "A+0 m+0 h+0 t+6 *-4",
    "p": "A+3 m+3 h+3 t+3 q+3 s+0 *-4",
    "z": "A+1 *-3",
    "o": "s+2 d+2 *-4",
    "q": "A+2 m+2 h+2 l+2 u+2 e+2 E+2 s+1 d+2 p+2 q+2 a+2 *-2",
    "a": "A+2 m+2 h+2 l+2 u+2 e+2 E+2 s+1 d+2 p+2 q+2 a+2 *-2",
    "v": "s+2 d+2 *-4",
    "d": "*+2",
    "x": "s+2 l+1 u+1 d+1 x+1 *-4",
    "w": "s+0 *-4",
    "y": "*-7",
    "c": "*-13",
    "s": "o-7 e+0 E+0 c+0 *+1",
    "l": "e+1 E+0 o+1 q-1 a+0 d+0 x-1 c+0 z-6 A-11 m-11 h-11 t-6 p-11 *-3",
    "u": "e-8 E+0 o+1 q-1 a+0 d+0 x+0 c+0 z-6 A-9 m-9 h-9 t-4 p-9 *-3",
}


def likelihood(text: str) -> float:
    """Return how likely the characters beyond ASCII are where they stand, in bits over chance.

    Arabic that is stored backwards, in the order it is seen, counts like its reverse.
    """
    forwards = _bits_of(text)
    if forwards < len(text) and _ARABIC_LETTER.search(text):
        return max(forwards, _bits_of(text[::-1]) - 4)
    return forwards


def _bits_of(text: str) -> float:
    pairs = Counter(zip(" " + text, text + " ", strict=True))
    words = Counter(_WORD.findall(text))
    in_pairs = sum(count * _pair_bits(a, b) for (a, b), count in pairs.items())
    return in_pairs + sum(count * _word_bits(word) for word, count in words.items())


@lru_cache(maxsize=16_384)
def _word_bits(word: str) -> float:
    """Return what a whole word adds to the pairs that it is made of."""
    if word in _known():
        return 4.0
    if len(word) == 1:
        return -6.0
    return 2.0 if _has_article(word) else 0.0


def _reads_well(word: str) -> int:
    """Return 2 for a word that is common or ends as only Arabic words end, 1 for one with the article."""
    word = word.translate(_letters_of_forms())
    if word in _common() or (len(word) > 2 and word[-1] in "ةى"):
        return 2
    return int(_has_article(word))


def _has_article(word: str) -> bool:
    return len(word) > 4 and word.startswith(("ال", "وال"))


@lru_cache(maxsize=1)
def _known() -> frozenset[str]:
    return frozenset(word for words, _ in _WEIGHTS for word in words.split())


@lru_cache(maxsize=1)
def _common() -> frozenset[str]:
    return frozenset(_COMMON_ARABIC.split())


@lru_cache(maxsize=4096)
def _kind(char: str) -> str:
    for kind, members in _KINDS.items():
        if char in members:
            return kind
    if char.isascii() and char.isalpha():
        return "l" if char.islower() else "u"
    category = unicodedata.category(char)
    if char.isdigit() or category == "Zs" or " " < char < "\x7f":
        return "s"
    return "c" if category == "Cc" else "y"


@lru_cache(maxsize=65_536)
def _pair_bits(a: str, b: str) -> float:
    """Return the bits of `b` after `a`; 0 where both are ASCII, which every candidate reads alike."""
    if " " <= a < "\x7f" and " " <= b < "\x7f":
        return 0.0
    before, kind = _kind(a), _kind(b)
    if kind == "A":
        return 7 + _log_of_letter(a, before, b)
    if kind in "eE":
        return 7 + _log_of_accented(before, kind, b)
    if kind == "s" and before == "A":
        return max(2 + _arabic_pairs()[a + " "], -9)
    if b.isascii() and a.isascii() and kind != "c":
        return 0.0
    after = _after()[kind]
    return after.get(before, after["*"])


@lru_cache(maxsize=1)
def _after() -> dict[str, dict[str, float]]:
    return {kind: {part[0]: float(part[1:]) for part in bits.split()} for kind, bits in _AFTER.items()}


def _log_of_letter(a: str, before: str, b: str) -> float:
    pairs = _arabic_pairs()
    if before == "A":
        return pairs[a + b]
    if before in "mht":
        # A nunation ends its word, but for the alef it stands on or before.
        return -12.0 if a in _TANWIN and b not in "اى" else pairs[b]
    return -13.0 if before in "lueE" else pairs[" " + b]


def _log_of_accented(before: str, kind: str, b: str) -> float:
    small = kind == "e"
    follows = {"l": small, "u": 1 if small else 0.25, "e": 0.1 * small, "E": 0.1 if small else 0.02}
    share = _ACCENTED.get(b.lower(), 0.0) / 100 * follows.get(before, before in "sdoqa")
    return math.log2(max(share, 2**-17))


@lru_cache(maxsize=1)
def _arabic_pairs() -> dict[str, float]:
    """Return log2 of the probability of a letter, or a blank, after another, and of each alone."""
    alone: Counter[str] = Counter()
    after: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for words, weight in _WEIGHTS:
        for word in words.split():
            for a, b in zip(f" {word}", f"{word} ", strict=True):
                after[a][b] += weight
                alone[b] += weight
    total = alone.total() + 25
    share = {b: (alone[b] + 0.5) / total for b in " " + _LETTERS}
    logs = {b: math.log2(share[b]) for b in share}
    for a in share:
        # What the words do not show is drawn from the letters alone, as if seen six times.
        logs |= {a + b: math.log2((after[a][b] + 6 * share[b]) / (after[a].total() + 6)) for b in share}
    for b in _LETTERS:
        logs["ة" + b] = -12.0
        logs["ى" + b] = min(logs["ى" + b], -8.0)
    return logs | {" " + b: -12.0 for b in "ةىؤئ"}


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
_TO_LATIN_1 = {ord(char): byte for byte in range(0x80, 0xA0) if (char := _try(bytes([byte]), "windows-1252"))}
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
        repairs = [f"{_shown(was_in)} that had been read as {read_as}, read again: {_lines(changed)}"]
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
    words = _WORD.findall(text)
    least = 1 if was_in == "utf-8" else 2  # UTF-8 that decodes at all is evidence in itself
    high = sum(not char.isascii() for char in text)
    is_arabic = sum(map(_reads_well, words)) >= max(least, 0.1 * len(words)) and bits >= max(STRONG, high)
    was_arabic = any(map(_reads_well, _WORD.findall(before)))
    return (read_as, was_in) if is_arabic and not was_arabic and bits >= next_best + CLEARLY else None


def _reread(line: str, read_as: str, was_in: str) -> str | None:
    """Return a line as it was meant; None where it does not convert whole, or nothing is won by it."""
    if line.isascii():
        return None
    as_bytes = line.translate(_TO_LATIN_1) if read_as == "windows-1252" else line
    data = _encoded(as_bytes, "latin-1" if read_as == "windows-1252" else read_as)
    read = None if data is None else _try(data, was_in)
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
    lines = {line: _bits_backwards(line) for line in _PARAGRAPH.findall(text) if _WORD.search(line)}
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
    words = [word for stretch in stretches for word in _WORD.findall(stretch)]
    return sum(map(_is_backwards, words)) > 0.05 * len(words)


@lru_cache(maxsize=16_384)
def _is_backwards(word: str) -> bool:
    """Tell whether a word is one only when read backwards; an article alone is no sign (قليلا, فنزويلا)."""
    read = word[::-1]
    return _reads_well(read) == 2 > _reads_well(word) and read not in _WORDS_EITHER_WAY


def _bits_backwards(line: str) -> float:
    """Return how much likelier a line is when read backwards; below 0 it stands as it is read."""
    words = set(_WORD.findall(line))
    if sum(map(bool, map(_FOREIGN.search, words))) > 0.2 * len(words):
        return -STRONG  # Kazakh and others begin words with what ends them in Arabic
    shapes = "".join(map(_shape, line))
    # Within a word no medial form follows a final one, nor an initial form a medial one.
    misplaced = len(re.findall("fm|mi", shapes)) - len(re.findall("mf|im", shapes))
    forms = _letters_of_forms()
    bits = _bits_of(line[::-1].translate(forms)) - _bits_of(line.translate(forms)) + 4 * misplaced
    return bits if misplaced > 0 or any(map(_is_backwards, words)) else min(bits, CLEARLY)


@lru_cache(maxsize=4096)
def _shape(char: str) -> str:
    """Return i, m or f for a letter's initial, medial or final form, a dot for anything else."""
    form = unicodedata.decomposition(char).partition(">")[0]
    return form[1] if form in ("<initial", "<medial", "<final") else "."


def _as_read(line: str) -> str | None:
    """Return a line in reading order, its presentation forms turned into letters."""
    from bidi import get_display

    latin = sum(char.isascii() and char.isalpha() for char in line)
    base = "L" if latin > sum(map(len, _WORD.findall(line))) else "R"
    # A number behaves as what precedes it has it, and that was another thing before the line was turned:
    # of both behaviours, the one that would be seen as the line is stored.
    marked = re.sub(r"\d+", "\u200f\\g<0>", line)
    try:
        ways = [str(get_display(way, base_dir=base)) for way in (line, marked)]
        ways[1] = ways[1].replace("\u200f", "")
        read = next((way for way in ways if get_display(way, base_dir=base) == line), ways[0])
    except UnicodeEncodeError:
        return None  # half of a surrogate pair
    return read.translate(_letters_of_forms())


@lru_cache(maxsize=1)
def _letters_of_forms() -> dict[int, str]:
    forms = (*range(0xFB50, 0xFDD0), *range(0xFE70, 0xFEFD))
    return {form: unicodedata.normalize("NFKC", chr(form)).strip() for form in forms}


def _odd(text: str) -> Iterator[str]:
    if forms := len(_FORM.findall(text)):
        yield f"presentation forms of Arabic letters, left: {forms:,}"
    if lost := text.count("\ufffd"):
        yield f"replacement characters (U+FFFD), where letters were lost before: {lost:,}"
