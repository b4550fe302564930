"""Language and direction of a text: by its letters first, then by seeded langdetect. Deterministic.

Languages in Arabic script are told apart by the share of their letters that speaks for each:
letters that only one of them writes, its most frequent words, the Arabic article. Nothing here
depends on the order of words or lines, nor on digits, punctuation, marks or forms of letters.

langdetect guesses at random without a seed and is wrong on short text, so it is asked only about
text long enough to judge, and its answer must be one that the script allows.
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

ENOUGH_LETTERS = 60  # fewer, and langdetect takes names for a language
SURE = 0.9
UNDETERMINED = "und"  # ISO 639-2
MIXED = "mixed"  # of a paragraph in two scripts; never of a question or a document

# A paragraph is mixed where each script has a quarter of the letters and a sentence: names, acronyms,
# titles and slogans are of fewer words or letters. A list of terms has no sentence, but two fifths of the
# letters, and more of them than three or four names have.
QUARTER, SENTENCE_LETTERS, SENTENCE_WORDS = 0.25, 25, 5
TWO_FIFTHS, LIST_LETTERS = 0.4, 50

# Points for a letter: what only this language writes; what Arabic takes on with foreign names or from a
# Persian keyboard; what Persian takes on from an Arabic keyboard.
OWN, BORROWED, TYPED = 4, 2, 1
# Nearer than this share of the points that all letters could give, languages are an open question: 4 of
# 5,100 texts of 60 letters or more, in six languages and on both keyboards. Of the others 2 come out wrong.
OPEN = 0.03

# Of equals the first wins. Final ى is Arabic as well, but only Uyghur writes it inside words.
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
# Frequent words. Not those that another language spells the same when hamzas are left out or keyboards
# mixed up: «ما» is Persian too, «این» is also «أين», and the «جو» of Urdu is Joe.
_WORDS = {
    "ar": """في من عن على إلى الى مع أن إن ان أو قد لا لم لن هو هي هل ثم كل هذا هذه ذلك تلك التي الذي الذين
        كان كانت وكان قال وقد وفي ومن وعلى وهو وهي له لها منها فيها عليها كيف تم متى ماذا لماذا ليس لكن حول
        خلال منذ عند عندما هناك حيث""",
    "fa": """از به که را در است می نمی با برای آن شد شده کرده بود بودند تا شود شدند شوند های هایی ها نیز وی
        باید باشد دارد دارند داشت خواهد کنند کردند شما اگر هر نیست هستند همه خود نه یک گفت توسط سپس""",
    "ur": "اور کا کی کو پر ایک کر گیا کیا گئی آپ",
    "ps": "په چې کې ته ده یې نه شوی لپاره",
}


def _speakers() -> dict[str, list[str]]:
    """Return the languages of each word, as typed on an Arabic keyboard; but «کی» and «كي» differ."""
    speakers: dict[str, list[str]] = {}
    for lang, words in _WORDS.items():
        for word in words.split():
            spelt = word if lang == "ur" else word.translate(PERSIAN_KEYBOARD)
            speakers.setdefault(spelt, []).append(lang)
    return speakers


_SPEAKERS = _speakers()
_ARTICLE = re.compile("(?:[وفك]?ال|بال(?!ا)|لل)..")  # not «بالا», Persian for above
_WORD = re.compile("[\u0620-\u064a\u066e-\u06d3\u06d5\u06ee\u06ef\u06fa-\u06ff\u0750-\u077f\u0870-\u08c9]+")
_WORD_OR_BREAK = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*|[,،\r\n]")

_ADDRESS = re.compile(r"[@#]\w|://|www\.|[A-Za-z0-9]\.[A-Za-z]{2}")  # of the web or mail; a handle, a hashtag

# Forms of Arabic marks and letters, as PDF files have them; and what stands on or in words unseen.
_MARK_FORMS = re.compile("[\ufc5e-\ufc63\ufcf2-\ufcf4\ufe70-\ufe7f]+")
_LETTER_FORMS = re.compile("[\ufb50-\ufbb1\ufbd3-\ufd3d\ufd50-\ufdfb\ufe80-\ufefc]+")
_UNSEEN = re.compile(f"[{ARABIC_MARKS}{TATWEEL}\u200d]+")

# What langdetect knows in Arabic script, and in others than that and Latin.
_KNOWN_ARABIC = ("ar", "fa", "ur")
_INDIC = ("bn", "gu", "hi", "kn", "ml", "mr", "ne", "pa", "ta", "te")
_KNOWN_OTHER = frozenset(("bg", "el", "he", "ja", "ko", "mk", "ru", "th", "uk", "zh", *_INDIC))
_ASKED = 2_000  # code points that langdetect is given, from all over the text
_loading = Lock()  # langdetect shows its profiles to other threads before they are all loaded


def direction(lang: str, text: str = "") -> Literal["rtl", "ltr"]:
    """Return the writing direction of a language, as HTML's `dir` wants it.

    Of "mixed", that of the script that most letters of `text` are in; of equals, right to left. Letters of
    addresses, handles and hashtags do not count: they are Latin in Arabic sentences too. Nor would the first
    letter tell: such sentences begin with Latin names as well.
    """
    if lang == MIXED:
        counts = _scripts(_sentences(text)) or _scripts(text)
        return "rtl" if counts["Arab"] >= max(counts["Latn"], counts["other"]) else "ltr"
    return "rtl" if lang in RIGHT_TO_LEFT else "ltr"


def title_language(title: str, lang: str) -> str:
    """Return the language of a title: its article's, unless most of its letters run the other way."""
    if script_of(title) is None or direction(MIXED, title) == direction(lang, title):
        return lang
    return detect(title)


def html_lang(lang: str) -> str:
    """Return the tag for HTML's `lang`: BCP 47 calls "mul" what is in several languages."""
    return "mul" if lang == MIXED else lang


def _sentences(text: str) -> str:
    """Return a text without its addresses, handles and hashtags."""
    return " ".join(word for word in text.split() if not _ADDRESS.search(word))


@lru_cache(maxsize=4096)
def _script_of_letter(char: str) -> Script | None:
    if not char.isalpha():
        return None
    name = unicodedata.name(char, "")
    if name.startswith("ARABIC "):
        return "Arab"
    return "Latn" if "LATIN " in name else "other"


def script_of(text: str) -> Script | None:
    """Return the script that most letters of a text are in; None where it has no letters."""
    # By count, then by name: a tie must not depend on the order of the text.
    return max(_scripts(text).items(), key=lambda each: (each[1], each[0]), default=(None, 0))[0]


def _scripts(text: str) -> Counter[Script]:
    """Count the letters of each script; tatweel only where there are no others."""
    return _count(_plain(text)) or _count(text)


def _count(text: str) -> Counter[Script]:
    counts: Counter[Script] = Counter()
    for char, times in Counter(text).items():
        if script := _script_of_letter(char):
            counts[script] += times
    return counts


def _plain(text: str) -> str:
    """Return a text with its Arabic letters composed and bare: no forms, marks or tatweel."""
    text = _LETTER_FORMS.sub(
        lambda letters: unicodedata.normalize("NFKC", letters.group()), _MARK_FORMS.sub("", text)
    )
    return _UNSEEN.sub("", unicodedata.normalize("NFC", text))


def paragraph_language(text: str) -> str:
    """Return the language of a paragraph as `detect` does, or "mixed" where two scripts share it."""
    counts = _scripts(text)
    fewer, letters = min(counts["Arab"], counts["Latn"]), sum(counts.values())
    sentences = fewer >= max(SENTENCE_LETTERS, QUARTER * letters) and _has_sentences(text)
    terms = fewer >= max(LIST_LETTERS, TWO_FIFTHS * letters)
    return MIXED if sentences or terms else detect(text)


def _has_sentences(text: str) -> bool:
    """Whether in either script words enough for a sentence stand together, on a line and between commas."""
    runs = groupby(_WORD_OR_BREAK.findall(_plain(text)), key=lambda word: _script_of_letter(word[0]))
    return {"Arab", "Latn"} <= {script for script, words in runs if len(list(words)) >= SENTENCE_WORDS}


def detect(text: str) -> str:
    """Return the ISO 639 code of a text's language, "und" where it has no letters."""
    script, plain = script_of(text), _plain(text)
    if script is None:
        return UNDETERMINED
    if script == "Arab":
        return _detect_arabic_script(plain)
    if script == "Latn":
        guess = _ask_langdetect(plain, ENOUGH_LETTERS)
        return "en" if guess is None or guess in _KNOWN_ARABIC or guess in _KNOWN_OTHER else guess
    guess = _ask_langdetect(plain)
    return guess if guess in _KNOWN_OTHER else UNDETERMINED


def _detect_arabic_script(text: str) -> str:
    """Return the language that most points of a plain text speak for; where it is open, langdetect's."""
    points = _points(text)
    best = max(points, key=lambda lang: points[lang])
    least = points[best] - OPEN * OWN * _scripts(text)["Arab"]
    near = [lang for lang in _KNOWN_ARABIC if points[lang] >= least]
    if best in near and len(near) > 1:
        guess = _ask_langdetect(text, ENOUGH_LETTERS)
        return guess if guess in near else best
    return best


def _points(text: str) -> dict[str, int]:
    """Return for each language in Arabic script how much of a plain text speaks for it."""
    points = dict.fromkeys(_OWN, 0)
    points["ar"] = TYPED  # so that one borrowed letter and the ي beside it are still Arabic
    chars = Counter(text)
    for lang, letter, each in _LETTER_POINTS:
        points[lang] += each * chars[letter]
    for word, times in Counter(_WORD.findall(text)).items():
        if _ARTICLE.match(word):
            points["ar"] += len("ال") * OWN * times
        if word.endswith("ى"):
            points["ar"] += OWN * times
        for lang in _SPEAKERS.get(word) or _SPEAKERS.get(word.translate(PERSIAN_KEYBOARD)) or ():
            points[lang] += len(word) * OWN * times
    return points


def _ask_langdetect(text: str, enough: int = 0) -> str | None:
    """Return the language that langdetect is sure of, if the text's words have letters enough."""
    words = _sorted_words(text)
    if sum(map(len, set(words))) < enough:  # a word that is repeated says nothing new
        return None
    every = 1 + sum(map(len, words)) // _ASKED
    with _loading:
        DetectorFactory.seed = 0
        init_factory()
    try:
        best = detect_langs(" ".join(words[::every])[:_ASKED])[0]
    except LangDetectException:
        return None
    return str(best.lang).partition("-")[0] if best.prob >= SURE else None


def _sorted_words(text: str) -> list[str]:
    """Return the words, without digits and punctuation: langdetect's guess depends on their order."""
    letters = (char if char.isalpha() or unicodedata.category(char)[0] == "M" else " " for char in text)
    return sorted("".join(letters).split())
