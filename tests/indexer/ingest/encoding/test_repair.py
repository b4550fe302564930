"""Repair of misread text and of text in visual order."""

import unicodedata

import pytest
from bidi import get_display

from indexer.ingest.encoding.detect import Decoded, decode
from indexer.ingest.encoding.repair import repair
from tests.support.multilingual_texts import ENGLISH, FIVE_WORDS, LIBRARY, MIXED, NEWS, TEXTS, VOWELLED
from tests.support.paths import SEEDS


def as_windows_1252_shows(data):
    """What browsers make of bytes: those that windows-1252 does not know stay what they are."""
    unknown = b"\x81\x8d\x8f\x90\x9d"
    return "".join(chr(byte) if byte in unknown else bytes([byte]).decode("windows-1252") for byte in data)


def as_seen(text):
    return "\n".join(get_display(line, base_dir="R") for line in text.split("\n"))


def forms_of_letters():
    """Every Arabic letter's presentation forms: {letter: {"initial": form, ...}}."""
    forms = {}
    for char in map(chr, range(0xFE80, 0xFEF5)):
        if decomposition := unicodedata.decomposition(char):
            form, letter = decomposition.split()
            forms.setdefault(chr(int(letter, 16)), {})[form.strip("<>")] = char
    return forms


def shaped(text):
    """A text in presentation forms, in reading order: each letter as its neighbours let it be joined."""
    forms = forms_of_letters()
    result = []
    for before, char, after in zip(" " + text, text, text[1:] + " ", strict=False):
        joined_before = "initial" in forms.get(before, {}) and "final" in forms.get(char, {})
        joined_after = "initial" in forms.get(char, {}) and "final" in forms.get(after, {})
        form = {(0, 0): "isolated", (0, 1): "initial", (1, 1): "medial", (1, 0): "final"}
        result.append(forms.get(char, {}).get(form[joined_before, joined_after], char))
    return "".join(result)


MISREADINGS = {
    "UTF-8 as windows-1252": lambda text: as_windows_1252_shows(text.encode()),
    "UTF-8 as latin-1": lambda text: text.encode().decode("latin-1"),
    "UTF-8 as windows-1256": lambda text: text.encode().decode("windows-1256"),
    "windows-1256 as windows-1252": lambda text: as_windows_1252_shows(text.encode("windows-1256")),
    "windows-1256 as latin-1": lambda text: text.encode("windows-1256").decode("latin-1"),
    "iso-8859-6 as windows-1252": lambda text: as_windows_1252_shows(text.encode("iso-8859-6")),
}


@pytest.mark.parametrize("misreading", MISREADINGS)
@pytest.mark.parametrize("text", [NEWS, LIBRARY, *NEWS.splitlines(), "قال الوزير إن العدد كبير", VOWELLED])
def test_misread_arabic_is_repaired(text, misreading):
    repaired, repairs, notes = repair(MISREADINGS[misreading](text))
    assert (repaired, notes) == (text, ())
    was_in, read_as = misreading.replace("latin-1", "windows-1252").split(" as ")
    lines = "3 lines" if "\n" in text else "1 line"
    assert repairs == (f"{was_in} that had been read as {read_as}, read again: {lines}",)


def test_well_known_misreadings_are_repaired():
    assert repair("Ø§Ù„Ø¹Ø±Ø¨ÙŠØ© Ù„ØºØ© Ø¹Ø§Ù„Ù…ÙŠØ©")[0] == "العربية لغة عالمية"
    assert repair("ÇáÚÑÈíÉ áÛÉ ÚÇáãíÉ")[0] == "العربية لغة عالمية"
    assert repair("ط§ظ„ط¹ط±ط¨ظٹط© ظ„ط؛ط© ط¹ط§ظ„ظ…ظٹط©")[0] == "العربية لغة عالمية"


def test_only_the_lines_that_were_misread_change():
    misread = as_windows_1252_shows(NEWS.encode())
    text, repairs, notes = repair(ENGLISH + misread + LIBRARY + "café\r\n")
    assert text == ENGLISH + NEWS + LIBRARY + "café\r\n"
    assert repairs == ("UTF-8 that had been read as windows-1252, read again: 3 lines",)
    assert notes == ()


def test_partly_convertible_misread_line_is_kept_and_reported():
    lines = as_windows_1252_shows(NEWS.encode()).splitlines()
    lines[1] += " – ثم عاد"
    text, repairs, notes = repair("\n".join(lines))
    assert text.splitlines() == [NEWS.splitlines()[0], lines[1], NEWS.splitlines()[2]]
    assert repairs == ("UTF-8 that had been read as windows-1252, read again: 2 lines",)
    assert notes == ("what looks like UTF-8 that was read in another encoding, left: 1 line",)


def test_article_that_quotes_misread_text_is_unchanged():
    article = ENGLISH * 3 + "It looks like this: ÇáÚÑÈíÉ áÛÉ ÚÇáãíÉ\n" + ENGLISH
    assert repair(article) == (article, (), ())
    article = ENGLISH * 3 + as_windows_1252_shows("العربية لغة عالمية".encode()) + "\n" + ENGLISH
    assert repair(article)[:2] == (article, ())


def test_decoding_repairs_and_adds_a_note():
    decoded = decode(as_windows_1252_shows(NEWS.encode("windows-1256")).encode())
    assert decoded.text == NEWS
    assert decoded.encoding == "utf-8"
    assert decoded.repairs == ("windows-1256 that had been read as windows-1252, read again: 3 lines",)


@pytest.mark.parametrize("text", [NEWS, LIBRARY, VOWELLED, MIXED.replace("–", "-"), *NEWS.splitlines()])
def test_text_in_visual_order_is_put_in_logical_order(text):
    seen = "\n".join(
        get_display(line, base_dir="L" if line.isascii() or "“" in line else "R") for line in text.split("\n")
    )
    repaired, repairs, notes = repair(seen)
    assert repaired == text
    assert [line.rpartition(":")[0] for line in repairs] == [
        "text in the order it is seen, put in the order it is read"
    ]
    assert notes == ()


def test_numbers_names_and_brackets_come_out_readable():
    text = (
        "قال (أحمد سالم) إن شركة Airbus SE باعت 1,250 طائرة في 12/5/2025 أو 2020-2021، أي 45% من الكل.\n"
        "وتقع المدينة على خط العرض 30°. ولم يذكر ذلك في التقرير السابق عن المنطقة.\n"
    )
    stored = as_seen(text)
    assert "SE" in stored
    assert repair(stored)[0] == text


@pytest.mark.parametrize("text", [NEWS, LIBRARY, *LIBRARY.splitlines()])
def test_presentation_forms_in_visual_order_become_letters(text):
    repaired, repairs, notes = repair(as_seen(shaped(text)))
    assert repaired == text
    assert len(repairs) == 1
    assert notes == ()


def test_ligature_in_visual_order_becomes_two_letters_in_logical_order():
    text = "قال إن الأولاد ذهبوا إلى المدرسة الجديدة في الصباح"
    assert repair(as_seen(text.replace("لأ", "\ufef7").replace("لا", "\ufefb")))[0] == text


def test_presentation_forms_in_logical_order_are_kept_and_reported():
    text = shaped(NEWS)
    forms = sum("\ufe80" <= char < "\ufef5" for char in text)
    assert repair(text) == (text, (), (f"presentation forms of Arabic letters, left: {forms}",))


@pytest.mark.parametrize("text", ["كتب ﻻ غير", "ﷲ ﷺ", "قال النبي ﷺ ﻹخوته"])
def test_multi_letter_signs_are_unchanged_and_unreported(text):
    assert repair(text) == (text, (), ())


def test_short_lines_follow_the_rest():
    lines = [*NEWS.splitlines(), "سعاد", "2025", "Reuters"]
    assert repair(as_seen("\n".join(lines)))[0] == "\n".join(lines)


def test_lines_in_logical_order_stay_among_reordered_lines():
    text = LIBRARY + as_seen(NEWS) + LIBRARY
    repaired, repairs, _ = repair(text)
    assert repaired == LIBRARY + NEWS + LIBRARY
    assert repairs == ("text in the order it is seen, put in the order it is read: 3 lines",)


@pytest.mark.parametrize("encoding", ["windows-1256", "iso-8859-6", "utf-8", "utf-16"])
def test_files_in_visual_order_are_decoded_and_reordered(encoding):
    decoded = decode(as_seen(LIBRARY).encode(encoding))
    assert decoded.text == LIBRARY
    assert decoded.encoding == {"utf-16": "utf-16-le"}.get(encoding, encoding)
    assert len(decoded.repairs) == 1


@pytest.mark.parametrize(
    "text",
    [
        *TEXTS,
        *FIVE_WORDS,
        "رئیس کتابخانه گفت که همه کتاب‌های قدیمی به ساختمان تازه برده می‌شوند و پس از آن مردم می‌توانند بیایند.",
        "قليلا طويلا جميلا بديلا سهلا أصلا",
        "فنزويلا وأنجولا وكوكاكولا وشاكيلا",
        "غزالا وجبالا ورمالا وأطفالا",
        "موسى عيسى مصطفى سلمى ليلى يحيى",
        "الا ان اهلا وسهلا مثلا",
        "ا ب ت ث ج ح خ د ذ ر ز",
        "ى ة ى ة",
        "ىستەۋ كەرەك ەدى بۇل قالا ۇلكەن بالا ىشكى",  # Kazakh
        "ئۇيغۇر تىلى ئۇيغۇرلارنىڭ ئانا تىلى",  # Uyghur
        "Phở bò, đường phố, ướt át",
        "ÄÖÜ äöü ßßß ÀÉÈ",
        "Þórður æðí",
        "Ïðåçèäåíò",  # Russian that was read as windows-1252 is none of ours
        "👍🏽 🇪🇬 \U0001d54f",
        "\u200fنص\u200e (abc) \u202aLTR\u202c",
    ],
)
def test_ordinary_text_is_not_touched(text):
    assert repair(text) == (text, (), ())


@pytest.mark.skipif(not SEEDS.exists(), reason="needs the shared data")
def test_real_articles_are_not_touched():
    for path in sorted(SEEDS.glob("*.txt")):
        text = path.read_text("utf-8")
        assert repair(text)[:2] == (text, ())


def test_replacement_characters_are_reported():
    text = "فقد \ufffd\ufffd بعض الحروف\n" + "\ufffd" * 998
    note = "replacement characters (U+FFFD), where letters were lost before: 1,000"
    assert decode(text.encode()) == Decoded(text, "utf-8", (), (note,))


def test_lone_surrogate_does_not_stop_the_repair():
    text = as_seen(LIBRARY) + "\ud800 " + LIBRARY[:40][::-1]
    assert repair(text)[0].endswith("\ud800 " + LIBRARY[:40][::-1])
