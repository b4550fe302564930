"""Language and direction of a text: by script first, then by seeded langdetect. Deterministic.

langdetect guesses at random without a seed and is wrong on short text, so it is asked only about
text long enough to judge, and its answer must be one that the script allows.
"""

import unicodedata
from collections import Counter
from functools import lru_cache
from threading import Lock
from typing import Literal

Script = Literal["Arab", "Latn", "other"]
RIGHT_TO_LEFT = frozenset({"ar", "fa", "ur", "ckb", "ps", "sd", "ug", "he", "yi"})

# Letters of Persian, Urdu and their neighbours that Arabic never writes.
NOT_ARABIC = frozenset("پچژگکیںھہےٹڈڑڕڵۆێە")
ENOUGH_LETTERS = 60  # fewer, and langdetect takes names for a language
SURE = 0.9
UNDETERMINED = "und"  # ISO 639-2

_loading = Lock()  # langdetect shows its profiles to other threads before they are all loaded


def direction(lang: str) -> Literal["rtl", "ltr"]:
    """Return the writing direction of a language, as HTML's `dir` wants it."""
    return "rtl" if lang in RIGHT_TO_LEFT else "ltr"


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
    counts = Counter(script for char in text if (script := _script_of_letter(char)))
    # By count, then by name: a tie must not depend on the order of the text.
    return max(counts.items(), key=lambda each: (each[1], each[0]))[0] if counts else None


def detect(text: str) -> str:
    """Return the ISO 639 code of a text's language, "und" where it has no letters."""
    script = script_of(text)
    if script is None:
        return UNDETERMINED
    if script == "Arab" and not NOT_ARABIC.intersection(text):
        return "ar"
    default = {"Arab": "ar", "Latn": "en"}.get(script, UNDETERMINED)
    letters = sum(char.isalpha() for char in text)
    if script != "other" and letters < ENOUGH_LETTERS:
        return default
    guess = _ask_langdetect(text)
    if guess is None:
        return default
    fits_script = script == "other" or (guess in RIGHT_TO_LEFT) == (script == "Arab")
    return guess if fits_script else default


def _ask_langdetect(text: str) -> str | None:
    from langdetect import DetectorFactory, LangDetectException, detect_langs
    from langdetect.detector_factory import init_factory

    with _loading:
        DetectorFactory.seed = 0
        init_factory()
    try:
        best = detect_langs(text[:2_000])[0]
    except LangDetectException:
        return None
    return str(best.lang).partition("-")[0] if best.prob >= SURE else None
