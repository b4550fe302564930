"""Letters that differ by habit, keyboard or font, written in one way. Pure functions and character classes.

The one place that says which letters count as the same: search terms, cleaning rules, dates and the
detection of languages all read it. What they make is compared and never shown.
"""

import re
import unicodedata

# Character classes, for use inside the brackets of a regular expression.
ARABIC_LETTERS = (  # in their own block, its extensions and its presentation forms
    "\u0620-\u063f\u0641-\u064a\u066e\u066f\u0671-\u06d3\u06d5\u06ee\u06ef\u06fa-\u06ff"
    "\u0750-\u077f\u08a0-\u08c9\ufb50-\ufbb1\ufbd3-\ufd3d\ufd50-\ufdfc\ufe70-\ufefc"
)
ARABIC_MARKS = (  # harakat, dagger alef, Quranic marks
    "\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed\u08ca-\u08e1\u08e3-\u08ff"
)
MARKS = "\u0300-\u036f" + ARABIC_MARKS
TATWEEL = "\u0640"  # stretches a word
INVISIBLE = (  # soft hyphen, joiners, controls of direction, variation selectors
    "\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufe0e\ufe0f\ufeff"
)

LETTERS = str.maketrans("أإآٱؤئىةکیۀہھەے", "ااااوييهكيههههي")
"""Seats of hamza, final letters, and Persian and Urdu letters, each as the Arabic letter read for it."""
HAMZA = str.maketrans("", "", "ء")
"""Drops the hamza that stands alone, which is often left out."""
PERSIAN_KEYBOARD = str.maketrans("کیى", "كيي")
"""The letters that an Arabic word gets when it is typed on another keyboard."""
DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩" + "۰۱۲۳۴۵۶۷۸۹", "0123456789" * 2)

_INVISIBLE_OR_TATWEEL = re.compile(f"[{INVISIBLE}{TATWEEL}]")


def drop_invisible(text: str) -> str:
    """Return a text without tatweel and characters that are not seen."""
    return _INVISIBLE_OR_TATWEEL.sub("", text)


def bare_letters(text: str) -> str:
    """Return a text in compatibility form, without marks and hamza seats, its letters written in one way."""
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(char for char in decomposed if not unicodedata.combining(char)).translate(LETTERS)
