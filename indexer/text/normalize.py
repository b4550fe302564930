"""Normalize letters that vary by habit, keyboard or font. Pure functions and character classes.

Only this module decides which letters count as equal; analysis, cleaning rules, dates and language detection
use it. Normalized text is only compared, never displayed.
"""

import re
import unicodedata

# Character classes, for use inside the brackets of a regular expression.
ARABIC_LETTERS = (  # from the Arabic block, its extensions and the presentation forms
    "\u0620-\u063f\u0641-\u064a\u066e\u066f\u0671-\u06d3\u06d5\u06ee\u06ef\u06fa-\u06ff"
    "\u0750-\u077f\u08a0-\u08c9\ufb50-\ufbb1\ufbd3-\ufd3d\ufd50-\ufdfc\ufe70-\ufefc"
)
ARABIC_MARKS = (  # harakat, dagger alef, Quranic marks
    "\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed\u08ca-\u08e1\u08e3-\u08ff"
)
MARKS = "\u0300-\u036f" + ARABIC_MARKS
TATWEEL = "\u0640"  # lengthens the stroke between letters
INVISIBLE = (  # soft hyphen, joiners, direction controls, variation selectors
    "\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufe0e\ufe0f\ufeff"
)

LETTERS = str.maketrans("أإآٱؤئىةکیۀہھەے", "ااااوييهكيههههي")
"""Maps letters with hamza, final letters, and Persian and Urdu letters to equivalent Arabic letters."""
HAMZA = str.maketrans("", "", "ء")
"""Drops the standalone hamza, which writers often omit."""
PERSIAN_KEYBOARD = str.maketrans("کیى", "كيي")
"""Maps the letters of other keyboards to the Arabic letters that writers mean by them."""
DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩" + "۰۱۲۳۴۵۶۷۸۹", "0123456789" * 2)

# Drops every mark that combines with the letter before it, of which the last is U+1E94A; one table, since a
# pass over each text takes most of the time of cleaning.
_BARE = {mark: None for mark in range(0x300, 0x1F000) if unicodedata.combining(chr(mark))} | LETTERS
_INVISIBLE_OR_TATWEEL = re.compile(f"[{INVISIBLE}{TATWEEL}]")
_PERSIAN_LETTERS = str.maketrans("کی", "كي")  # ى stays: «على» is another word than «علي»
_UNREAD = re.compile(f"[{ARABIC_MARKS}{TATWEEL}{INVISIBLE}]")


def model_text(text: str) -> str:
    """Return a text as an embedding model reads it: in one spelling, whoever typed it.

    Without harakat, tatweel and invisible characters, with Arabic letters for those of a Persian keyboard,
    and in small letters. Arabic has no capitals: English texts without them are also nearer to Arabic ones.
    """
    return _UNREAD.sub("", unicodedata.normalize("NFC", text)).translate(_PERSIAN_LETTERS).lower()


def drop_invisible(text: str) -> str:
    """Return a text without tatweel and invisible characters."""
    return _INVISIBLE_OR_TATWEEL.sub("", text)


def bare_letters(text: str) -> str:
    """Return a text in compatibility form (NFKD), without marks, with its letters normalized by LETTERS."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFKD", text).translate(_BARE)
