"""How likely a text is to be Arabic or Latin prose, in bits over chance. Pure functions.

Owns the word lists and the weights of character pairs, and the few helpers that `detect` and `repair` share.
"""

import math
import re
import unicodedata
from collections import Counter, defaultdict
from functools import lru_cache

CLEARLY = 10.0  # bits by which the best reading must lead the next one
STRONG = 25.0  # bits; of thousands of tested lines in reading order, none gained as much when reversed


def display_name(encoding: str) -> str:
    return encoding.upper() if encoding.startswith("utf") else encoding


ARABIC_LETTER = re.compile("[\u0621-\u06d3]")


def decode_or_none(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def encode_or_none(text: str, encoding: str) -> bytes | None:
    try:
        return text.encode(encoding)
    except UnicodeEncodeError:
        return None


# --- word lists

# Common Arabic words: any twenty words of Arabic text have some of them.
_COMMON_ARABIC = """
في من على إلى أن إن عن مع هذا هذه ذلك تلك التي الذي الذين ما لا لم لن قد كل بعد قبل بين كان كانت يكون هو
هي هم نحو حتى عند أو ثم أي أما لكن لأن كما حيث منذ خلال ضد دون غير أكثر بعض أول أحد عدة فيها منها عليها
لها به بها له فيه منه عليه إليه أنه أنها إنه ليس هناك هنا كيف ماذا لماذا متى أين إذا لو إلا سوى حول فقط
أيضا جدا قال قالت وقال شكل بشكل نفس وأضاف أكد أعلن ذكر أوضح أشار يقول تقول جاء تم يتم و وقد ولا وما وفي
ومن وكان
"""
# Words of news, names of people and places. With the common words, they give the frequencies of letter pairs.
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

ARABIC_WORD = re.compile("[\u0620-\u0652\u0670-\u06d3\ufb50-\ufdff\ufe70-\ufefc]+")
_LETTERS = "ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىيپچژگکٹڈڑںہھے"
_TANWIN = "\u064b\u064c\u064d"
# Accented letters of western languages, each with its share of all accented letters in percent.
_ACCENTED = dict(
    zip("éàüäóíáèöçêãñåâæîôúßøïëùœõûìòÿ", (25, 8, 6, *[5] * 7, *[3] * 4, *[1.5] * 16), strict=True)
)
# Turkish, Czech and Polish letters decode to these, so they get no share, and Icelandic is refused as well.
_FOREIGN_ACCENTED = "ðþýšž"
# Kinds of characters. `_kind` adds four: l and u for small and capital ASCII letters, c for controls, y for
# all other characters.
_KINDS = {
    "A": _LETTERS,
    "m": _TANWIN + "\u064e\u064f\u0650\u0652",  # vowel marks
    "h": "\u0651",  # shadda, the doubling mark
    "t": "ـ",
    "p": "،؛؟",
    "z": "\u200c\u200d\u200e\u200f",  # joiners and direction marks
    "e": "".join(_ACCENTED) + _FOREIGN_ACCENTED,
    "E": "".join(_ACCENTED).upper().replace("SS", "") + _FOREIGN_ACCENTED.upper(),
    "o": "“«‘‹„‚¿¡",  # opening marks
    "q": "”»›",  # closing marks
    "a": "’",
    "d": "–—…\xa0",
    "x": "•·°©®™²½×",  # signs that articles use
    "v": "€£¥",
    "w": "§¢ºª³¼¾±÷´¨µ†‡‰¹¬¦\xad¶",  # signs that articles seldom use
    "s": "\t\n\f\r\x1a",  # also blanks, digits and ASCII punctuation; 1A ends a file of MS-DOS
}
# Bits of a character by its kind and the kind of the character before it; * is every kind that is not listed.
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
    """Return how likely the non-ASCII characters of a text are after their neighbours, in bits over chance.

    Arabic in visual order, which is stored backwards, gets nearly the likelihood of its reverse.
    """
    forwards = stored_order_likelihood(text)
    if forwards < len(text) and ARABIC_LETTER.search(text):
        return max(forwards, stored_order_likelihood(text[::-1]) - 4)
    return forwards


def stored_order_likelihood(text: str) -> float:
    """Return the likelihood of a text exactly as stored, in bits over chance."""
    pairs = Counter(zip(" " + text, text + " ", strict=True))
    words = Counter(ARABIC_WORD.findall(text))
    pair_bits = sum(count * _pair_bits(a, b) for (a, b), count in pairs.items())
    return pair_bits + sum(count * _word_bits(word) for word, count in words.items())


@lru_cache(maxsize=16_384)
def _word_bits(word: str) -> float:
    """Return the bits that a whole word adds to those of its letter pairs."""
    if word in _listed_words():
        return 4.0
    if len(word) == 1:
        return -6.0
    return 2.0 if _has_article(word) else 0.0


def reads_well(word: str) -> int:
    """Return 2 for a common Arabic word or one with an Arabic ending, 1 for one with the article, else 0."""
    word = word.translate(presentation_form_letters())
    if word in _common_words() or (len(word) > 2 and word[-1] in "ةى"):
        return 2
    return int(_has_article(word))


def _has_article(word: str) -> bool:
    return len(word) > 4 and word.startswith(("ال", "وال"))


@lru_cache(maxsize=1)
def _listed_words() -> frozenset[str]:
    return frozenset(word for words, _ in _WEIGHTS for word in words.split())


@lru_cache(maxsize=1)
def _common_words() -> frozenset[str]:
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
    """Return the bits of `b` after `a`; 0 if both are ASCII, because every candidate decodes ASCII alike."""
    if " " <= a < "\x7f" and " " <= b < "\x7f":
        return 0.0
    before, kind = _kind(a), _kind(b)
    if kind == "A":
        return 7 + _log_of_arabic_letter(a, before, b)
    if kind in "eE":
        return 7 + _log_of_accented(before, kind, b)
    if kind == "s" and before == "A":
        return max(2 + _arabic_pairs()[a + " "], -9)
    if b.isascii() and a.isascii() and kind != "c":
        return 0.0
    by_kind = _bits_by_kinds()[kind]
    return by_kind.get(before, by_kind["*"])


@lru_cache(maxsize=1)
def _bits_by_kinds() -> dict[str, dict[str, float]]:
    return {kind: {entry[0]: float(entry[1:]) for entry in bits.split()} for kind, bits in _AFTER.items()}


def _log_of_arabic_letter(a: str, before: str, b: str) -> float:
    pairs = _arabic_pairs()
    if before == "A":
        return pairs[a + b]
    if before in "mht":
        # Tanwin ends a word, except that an alef may follow it.
        return -12.0 if a in _TANWIN and b not in "اى" else pairs[b]
    return -13.0 if before in "lueE" else pairs[" " + b]


def _log_of_accented(before: str, kind: str, b: str) -> float:
    small = kind == "e"
    weights = {"l": small, "u": 1 if small else 0.25, "e": 0.1 * small, "E": 0.1 if small else 0.02}
    share = _ACCENTED.get(b.lower(), 0.0) / 100 * weights.get(before, before in "sdoqa")
    return math.log2(max(share, 2**-17))


@lru_cache(maxsize=1)
def _arabic_pairs() -> dict[str, float]:
    """Return log2 of the probability of each letter or blank, alone (one character) and after another (two).

    Counted in the word lists. Pairs are smoothed with six virtual pairs, drawn from the letters alone.
    """
    alone: Counter[str] = Counter()
    after: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for words, weight in _WEIGHTS:
        for word in words.split():
            for first, second in zip(f" {word}", f"{word} ", strict=True):
                after[first][second] += weight
                alone[second] += weight
    total = alone.total() + 25
    shares = {second: (alone[second] + 0.5) / total for second in " " + _LETTERS}
    logs = {second: math.log2(shares[second]) for second in shares}
    for first in shares:
        logs |= {
            first + second: math.log2(
                (after[first][second] + 6 * shares[second]) / (after[first].total() + 6)
            )
            for second in shares
        }
    for second in _LETTERS:
        logs["ة" + second] = -12.0
        logs["ى" + second] = min(logs["ى" + second], -8.0)
    return logs | {" " + second: -12.0 for second in "ةىؤئ"}


@lru_cache(maxsize=1)
def presentation_form_letters() -> dict[int, str]:
    """Return a table for `str.translate` from presentation forms to the letters that they stand for."""
    forms = (*range(0xFB50, 0xFDD0), *range(0xFE70, 0xFEFD))
    return {form: unicodedata.normalize("NFKC", chr(form)).strip() for form in forms}
