"""Detect the language and direction of a text, by its letters and by seeded langdetect. Deterministic.

Languages in Arabic script get points for evidence in a text: letters that only one of them writes, frequent
words, the Arabic article. The result does not depend on the order of words or lines, or on digits,
punctuation, marks and presentation forms.

langdetect is random without a seed and unreliable on short text. It is therefore used only on longer text,
and its guess counts only if it fits the script.
"""

import re
import unicodedata
from collections import Counter
from functools import lru_cache
from itertools import groupby
from threading import Lock
from typing import Literal

from langdetect import DetectorFactory, LangDetectException, detect_langs
from langdetect.detector_factory import init_factory

from indexer.text.normalize import ARABIC_MARKS, PERSIAN_KEYBOARD, TATWEEL

Script = Literal["Arab", "Latn", "other"]
RIGHT_TO_LEFT = frozenset({"ar", "fa", "ur", "ckb", "ps", "sd", "ug", "he", "yi"})

ENOUGH_LETTERS = 60  # with fewer letters, langdetect mistakes names for another language
SURE = 0.9  # least probability at which langdetect's guess counts
UNDETERMINED = "und"  # ISO 639-2
MIXED = "mixed"  # a paragraph in two scripts; a query or a document is never mixed

# A paragraph is mixed if each script has a quarter of the letters and a sentence; names, acronyms, titles and
# slogans are shorter. A bilingual list of terms has no sentences, so it is mixed if each script has two
# fifths of the letters, and more letters than three or four names have.
QUARTER, SENTENCE_LETTERS, SENTENCE_WORDS = 0.25, 25, 5
TWO_FIFTHS, LIST_LETTERS = 0.4, 50

# Points for a letter: one that only this language writes; one that Arabic text also has, in foreign names or
# from a Persian keyboard; one that Persian text also has, from an Arabic keyboard.
OWN, BORROWED, TYPED = 4, 2, 1
# Words that no other language in Latin script has, and the share of them at which a text is English.
_ENGLISH = frozenset((
    "the", "and", "that", "with", "from", "which", "this", "have", "their", "were", "been", "would", "there",
    "about", "after",
))  # fmt: skip
ENGLISH_SHARE = 0.08
# If two languages are closer than this share of the possible points of all letters, langdetect decides
# between them. Of 5,100 texts of 60 letters or more, in six languages and from both keyboards, 4 are as
# close; 2 of the others are misjudged.
OPEN = 0.03

# With equal points the first language wins. Arabic has ى at the end of words; only Uyghur has it inside
# words.
_OWN = {
    "ar": "ةأإء",
    "fa": "",
    "ur": "ٹڈڑںےۓہۂۃھ",
    "ckb": "ڕڵێۆە",
    "ps": "ټډړږښځڅڼېۍګ",
    "sd": "ٻڀٺٿٽڄڃڇڊڌڍڏڙڦڪڳڱڻ۽۾",
    "ug": "ىۇۈۋېڭۆە",
}
_BORROWED = {
    "fa": "پچژگکی",
    "ur": "پچگکی",
    "ckb": "پچژگکی",
    "ps": "پچژکی",
    "sd": "پچگکھ",
    "ug": "پچژگھ",
}
_TYPED = {"ar": "كي"}
_LETTER_POINTS = [
    (lang, letter, points)
    for alphabet, points in ((_OWN, OWN), (_BORROWED, BORROWED), (_TYPED, TYPED))
    for lang, letters in alphabet.items()
    for letter in letters
]
# Frequent words, except those that another language spells alike when hamzas are omitted or keyboards mixed
# up: «ما» is Persian too, «این» is also «أين», and the «جو» of Urdu is also Joe.
_WORDS = {
    "ar": """في من عن على إلى الى مع أن إن ان أو قد لا لم لن هو هي هل ثم كل هذا هذه ذلك تلك التي الذي الذين
        كان كانت وكان قال وقد وفي ومن وعلى وهو وهي له لها منها فيها عليها كيف تم متى ماذا لماذا ليس لكن حول
        خلال منذ عند عندما هناك حيث""",
    "fa": """از به که را در است می نمی با برای آن شد شده کرده بود بودند تا شود شدند شوند های هایی ها نیز وی
        باید باشد دارد دارند داشت خواهد کنند کردند شما اگر هر نیست هستند همه خود نه یک گفت توسط سپس""",
    "ur": "اور کا کی کو پر ایک کر گیا کیا گئی آپ",
    "ps": "په چې کې ته ده یې نه شوی لپاره",
}


def _languages_by_word() -> dict[str, list[str]]:
    """Return the languages that have each frequent word, spelled as on an Arabic keyboard.

    Urdu words keep their spelling, since «کی» and «كي» are different words.
    """
    languages: dict[str, list[str]] = {}
    for lang, words in _WORDS.items():
        for word in words.split():
            spelling = word if lang == "ur" else word.translate(PERSIAN_KEYBOARD)
            languages.setdefault(spelling, []).append(lang)
    return languages


_LANGUAGES_OF = _languages_by_word()
_ARTICLE = re.compile("(?:[وفك]?ال|بال(?!ا)|لل)..")  # not «بالا», Persian for above
_WORD = re.compile("[\u0620-\u064a\u066e-\u06d3\u06d5\u06ee\u06ef\u06fa-\u06ff\u0750-\u077f\u0870-\u08c9]+")
_WORD_OR_BREAK = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*|[,،\r\n]")

# An address of the web or of mail, a handle, a hashtag.
_ADDRESS = re.compile(r"[@#]\w|://|www\.|[A-Za-z0-9]\.[A-Za-z]{2}")

# Presentation forms of Arabic marks and letters, which PDF files contain; marks and joiners inside words.
_MARK_FORMS = re.compile("[\ufc5e-\ufc63\ufcf2-\ufcf4\ufe70-\ufe7f]+")
_LETTER_FORMS = re.compile("[\ufb50-\ufbb1\ufbd3-\ufd3d\ufd50-\ufdfb\ufe80-\ufefc]+")
_UNSEEN = re.compile(f"[{ARABIC_MARKS}{TATWEEL}\u200d]+")

# The languages that langdetect knows in Arabic script, and in scripts other than Arabic and Latin.
_KNOWN_ARABIC = ("ar", "fa", "ur")
_INDIC = ("bn", "gu", "hi", "kn", "ml", "mr", "ne", "pa", "ta", "te")
_KNOWN_OTHER = frozenset(("bg", "el", "he", "ja", "ko", "mk", "ru", "th", "uk", "zh", *_INDIC))
_LANGDETECT_LENGTH = 800  # code points that langdetect gets, sampled from the whole text
_loading = Lock()  # without it, a thread could use langdetect's profiles while another is loading them


def direction(lang: str, text: str = "") -> Literal["rtl", "ltr"]:
    """Return the writing direction of a language, as a value of HTML's `dir`.

    For "mixed", the script with the most letters in `text` decides; with equal numbers, right to left.
    Letters of addresses, handles and hashtags are not counted, since they are Latin in Arabic sentences too.
    The first letter is no evidence either: Arabic sentences may begin with a Latin name.
    """
    if lang == MIXED:
        counts = _scripts(_without_addresses(text)) or _scripts(text)
        return "rtl" if counts["Arab"] >= max(counts["Latn"], counts["other"]) else "ltr"
    return "rtl" if lang in RIGHT_TO_LEFT else "ltr"


def title_language(title: str, lang: str) -> str:
    """Return the language of a title: the article's, unless its letters run in the other direction."""
    if script_of(title) is None or direction(MIXED, title) == direction(lang, title):
        return lang
    return detect(title)


def html_lang(lang: str) -> str:
    """Return the value for HTML's `lang`; the BCP 47 tag for text in several languages is "mul"."""
    return "mul" if lang == MIXED else lang


def _without_addresses(text: str) -> str:
    """Return a text without its addresses, handles and hashtags."""
    return " ".join(word for word in text.split() if not _ADDRESS.search(word))


def _own_words(text: str) -> str:
    """Return a text without its addresses unless nothing else is left that has a letter."""
    if not _ADDRESS.search(text):
        return text
    rest = _without_addresses(text)
    return rest if _count(rest) else text


@lru_cache(maxsize=4096)
def _script_of_letter(char: str) -> Script | None:
    if not char.isalpha():
        return None
    name = unicodedata.name(char, "")
    if name.startswith("ARABIC "):
        return "Arab"
    return "Latn" if "LATIN " in name else "other"


def script_of(text: str) -> Script | None:
    """Return the script that most letters of a text are in; None if it has no letters."""
    # Order by count, then by name, so that a tie does not depend on the order of the text.
    return max(_scripts(text).items(), key=lambda entry: (entry[1], entry[0]), default=(None, 0))[0]


def _scripts(text: str) -> Counter[Script]:
    """Count the letters of each script; count tatweel only if there are no other letters."""
    return _count(_plain(text)) or _count(text)


def _count(text: str) -> Counter[Script]:
    counts: Counter[Script] = Counter()
    for char, times in Counter(text).items():
        if script := _script_of_letter(char):
            counts[script] += times
    return counts


def _plain(text: str) -> str:
    """Return a text with composed Arabic letters, without presentation forms, marks and tatweel."""
    text = _LETTER_FORMS.sub(
        lambda letters: unicodedata.normalize("NFKC", letters.group()), _MARK_FORMS.sub("", text)
    )
    return _UNSEEN.sub("", unicodedata.normalize("NFC", text))


def paragraph_language(text: str) -> str:
    """Return the language of a paragraph as `detect` does, or "mixed" if it is in both scripts."""
    counts = _scripts(_own_words(text))
    smaller, letters = min(counts["Arab"], counts["Latn"]), sum(counts.values())
    mixed_sentences = smaller >= max(SENTENCE_LETTERS, QUARTER * letters) and _has_sentences(text)
    mixed_terms = smaller >= max(LIST_LETTERS, TWO_FIFTHS * letters)
    return MIXED if mixed_sentences or mixed_terms else detect(text)


def _has_sentences(text: str) -> bool:
    """Return whether both scripts have a sentence: enough words in a row, on one line and without a comma."""
    runs = groupby(_WORD_OR_BREAK.findall(_plain(text)), key=lambda word: _script_of_letter(word[0]))
    return {"Arab", "Latn"} <= {script for script, words in runs if len(list(words)) >= SENTENCE_WORDS}


def detect(text: str) -> str:
    """Return the ISO 639 code of a text's language; "und" if it has no letters.

    Addresses, handles and hashtags count only where there is nothing else.
    """
    text = _own_words(text)
    script, plain = script_of(text), _plain(text)
    if script is None:
        return UNDETERMINED
    if script == "Arab":
        return _detect_arabic_script(plain)
    if script == "Latn":
        if _is_plain_english(plain):
            return "en"
        guess = _ask_langdetect(plain, ENOUGH_LETTERS)
        return "en" if guess is None or guess in _KNOWN_ARABIC or guess in _KNOWN_OTHER else guess
    guess = _ask_langdetect(plain)
    return guess if guess in _KNOWN_OTHER else UNDETERMINED


def _is_plain_english(text: str) -> bool:
    """Return whether a text has so many words that only English has that langdetect need not be asked.

    That takes a third of the time of building an index of English text.
    """
    words = _WORD_OR_BREAK.findall(text.lower())
    own = [word for word in words if word in _ENGLISH]
    return len(set(own)) >= 2 and len(own) >= ENGLISH_SHARE * len(words)


def _detect_arabic_script(text: str) -> str:
    """Return the language with the most points; langdetect decides between languages that are close."""
    points = _points(text)
    best = max(points, key=lambda lang: points[lang])
    least = points[best] - OPEN * OWN * _scripts(text)["Arab"]
    near = [lang for lang in _KNOWN_ARABIC if points[lang] >= least]
    if best in near and len(near) > 1:
        guess = _ask_langdetect(text, ENOUGH_LETTERS)
        return guess if guess in near else best
    return best


def _points(text: str) -> dict[str, int]:
    """Return the points of each language in Arabic script for a text without marks and forms."""
    points = dict.fromkeys(_OWN, 0)
    points["ar"] = TYPED  # so that one borrowed letter and one ي are still Arabic
    chars = Counter(text)
    for lang, letter, letter_points in _LETTER_POINTS:
        points[lang] += letter_points * chars[letter]
    for word, times in Counter(_WORD.findall(text)).items():
        if _ARTICLE.match(word):
            points["ar"] += len("ال") * OWN * times
        if word.endswith("ى"):
            points["ar"] += OWN * times
        for lang in _LANGUAGES_OF.get(word) or _LANGUAGES_OF.get(word.translate(PERSIAN_KEYBOARD)) or ():
            points[lang] += len(word) * OWN * times
    return points


@lru_cache(4_096)
def _ask_langdetect(text: str, enough: int = 0) -> str | None:
    """Return langdetect's guess; None if it is unsure or the distinct words have too few letters."""
    words = _sorted_words(text)
    if sum(map(len, set(words))) < enough:  # a repeated word is no further evidence
        return None
    step = 1 + sum(map(len, words)) // _LANGDETECT_LENGTH
    with _loading:
        DetectorFactory.seed = 0
        init_factory()
    try:
        best = detect_langs(" ".join(words[::step])[:_LANGDETECT_LENGTH])[0]
    except LangDetectException:
        return None
    return str(best.lang).partition("-")[0] if best.prob >= SURE else None


def _sorted_words(text: str) -> list[str]:
    """Return the words, sorted, without digits and punctuation; langdetect's guess depends on their order."""
    letters = (char if char.isalpha() or unicodedata.category(char)[0] == "M" else " " for char in text)
    return sorted("".join(letters).split())
