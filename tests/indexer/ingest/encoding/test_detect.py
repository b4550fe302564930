"""Bytes to text and back: each encoding, the confusions between them, and the repair of what was stored wrongly."""

import io
import random
import re
import unicodedata
import zipfile
import zlib

import pytest
from bidi import get_display
from hypothesis import example, given, settings
from hypothesis import strategies as st

from indexer.errors import UnreadableFile
from indexer.ingest.encoding.detect import Decoded, decode, encoding_of
from indexer.ingest.encoding.repair import repair
from tests.support.paths import SEEDS
from tests.support.time_bounds import at_most, quickest

NEWS = (
    "أعلنت وزارة النقل أن الجسر الجديد سيفتح أمام السيارات في شهر مارس، بعد ثلاث سنوات من العمل.\n"
    "وقال المهندس خالد العمري إن طول الجسر يبلغ 1,250 مترا؛ وهو أطول جسر في البلاد كلها.\n"
    "ولم تذكر الوزارة كلفة المشروع، غير أن صحيفة محلية قدرتها بنحو 40 مليون دولار.\n"
)
LIBRARY = (
    "كانت المكتبة القديمة تقع قرب السوق، وفيها أكثر من سبعة آلاف كتاب.\n"
    "هل بقي منها شيء؟ لا يعرف أحد ذلك على وجه اليقين.\n"
    "يقول جدي إن الناس نقلوا الكتب إلى بيوتهم قبل الفيضان، ثم عادوا بها إلى المدرسة.\n"
)
VOWELLED = "اِشْتَرَى الوَلَدُ كِتَابًا جَدِيدًا مِنَ السُّوقِ، ثُمَّ قَرَأَهُ عَلَى أُخْتِهِ الصَّغِيرَةِ فِي المَسَاءِ."
ENGLISH = (
    "The ferry had left before dawn – nobody saw it go. “We waited,” said the harbour master’s wife, "
    "“and then we went home…”\nTickets cost £12 or €15 in the café on the pier.\n"
)
FRENCH = (
    "À l’école, les élèves étaient déjà partis : la fenêtre, restée ouverte, battait au gré du vent d’été.\n"
    "« Où sont-ils ? » demanda le maître. Personne ne répondit ; ça ne l’étonna guère.\n"
)
GERMAN = "Über die alte Brücke führt eine schmale Straße; größere Fahrzeuge müssen außen herum fahren.\n"
PERSIAN = "ديروز در کتابخانه شهر چند کتاب تازه ديدم که درباره تاريخ ايران و مردم آن نوشته شده بود.\n"
URDU = "کل شام کو ميں نے بازار سے ايک کتاب خريدي اور اسے گھر لے گيا، ليکن وہ بہت پراني تھي۔\n"
MIXED = (
    "قالت شركة Nokia إن هاتفها الجديد X20 سيباع في مصر بسعر 300 دولار.\n"
    "The company calls it “the best yet” – and so do we.\n"
    "وأضاف المدير أن العدد محدود، وأن البيع يبدأ يوم 12/5/2025.\n"
)
RUSSIAN = (
    "Вчера вечером в городской библиотеке собрались читатели, чтобы поговорить о новых книгах и их авторах."
)
ARABIC = [NEWS, LIBRARY, VOWELLED]
TEXTS = [*ARABIC, ENGLISH, FRENCH, GERMAN, PERSIAN, URDU, MIXED, RUSSIAN]
FIVE_WORDS = ["أعلنت وزارة النقل افتتاح الجسر", "كانت المكتبة قرب السوق القديم", "لا يعرف أحد ذلك اليوم"]
ARABIC_ENCODINGS = ["windows-1256", "iso-8859-6", "cp720"]
MARKS = {
    "utf-8": b"\xef\xbb\xbf",
    "utf-16-le": b"\xff\xfe",
    "utf-16-be": b"\xfe\xff",
    "utf-32-le": b"\xff\xfe\0\0",
    "utf-32-be": b"\0\0\xfe\xff",
}


def in_reach_of(text, encoding):
    """The text without the characters that an encoding does not have: DOS has no Arabic comma."""
    return "".join(char for char in text if can_encode(char, encoding))


def can_encode(char, encoding):
    try:
        char.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def refusal(data, declared=None):
    with pytest.raises(UnreadableFile) as caught:
        decode(data, declared)
    return str(caught.value)


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


# Marks and Unicode


@pytest.mark.parametrize("encoding", MARKS)
@pytest.mark.parametrize("text", [*TEXTS, "", "a", "\ufeff", "سلام\r\nعليكم\r"])
def test_a_byte_order_mark_tells_the_encoding_and_is_no_text(text, encoding):
    assert decode(MARKS[encoding] + text.encode(encoding)) == Decoded(text, encoding)


@pytest.mark.parametrize("text", TEXTS)
def test_utf8_needs_no_mark(text):
    assert decode(text.encode()) == Decoded(text, "utf-8")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("text", [*ARABIC, ENGLISH, FRENCH, MIXED, *FIVE_WORDS, "سلام", "Title", "نعم\n"])
def test_arabic_and_latin_utf16_needs_no_mark(text, encoding):
    assert decode(text.encode(encoding)) == Decoded(text, encoding)


def test_ascii_is_utf8():
    assert decode(b"plain \x1b[0m text\r\n") == Decoded("plain \x1b[0m text\r\n", "utf-8")
    assert decode(b"") == Decoded("", "utf-8")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\xff\xfea", "it is not UTF-16-LE text (byte 3); save it as UTF-8"),
        (b"\xff\xfea\0\0\xd8", "it is not UTF-16-LE text (byte 5); save it as UTF-8"),  # half of a pair
        (b"\0\0\xfe\xff\0\x11\0\0", "it is not UTF-32-BE text (byte 5); save it as UTF-8"),
        ("\ufeffab".encode() + b"\xe9", "it is not UTF-8 text (byte 6); save it as UTF-8"),
    ],
)
def test_what_the_mark_promises_must_hold(data, message):
    assert refusal(data) == message


@pytest.mark.parametrize(
    "data",
    [
        b"Title\0",
        b"\0",
        b"a\0",
        b"\xef\xbb\xbfa\0b",
        "a\0b".encode("utf-16"),
        b"\x89PNG\r\n\0\0\0\rIHDR",
        b"GIF89a\x01\0\x01\0\x80\0\0\xff\xff\xff\0\0\0!\xf9\x04\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;",
        "Title".encode("utf-32-le"),  # without a mark
    ],
)
def test_nul_is_no_text(data):
    assert refusal(data) == "it is not text: it holds NUL bytes"


# UTF-8 with a fault is not another encoding


@pytest.mark.parametrize("text", [*ARABIC, PERSIAN, RUSSIAN])
def test_broken_utf8_is_refused_with_its_first_fault(text):
    data = text.encode()
    letters = [at for at, byte in enumerate(data) if byte >= 0xC0]
    for at in (letters[0], letters[len(letters) // 2], letters[-1]):
        # The first byte of a letter is gone: what follows it cannot begin one.
        broken = data[:at] + data[at + 1 :]
        assert refusal(broken) == f"it is not UTF-8 text (byte {at + 1:,}); save it as UTF-8"


def test_utf8_that_ends_within_a_letter_is_refused():
    assert refusal("سلام".encode()[:-1]) == "it is not UTF-8 text (byte 7); save it as UTF-8"


def test_half_of_a_surrogate_pair_is_no_utf8():
    assert refusal(b"ok \xed\xa0\x80") == "it is not UTF-8 text (byte 4); save it as UTF-8"


def test_a_fault_far_from_the_beginning_is_found():
    data = (NEWS * 1_000).encode()
    assert (
        refusal(data + b"\xff" + data) == f"it is not UTF-8 text (byte {len(data) + 1:,}); save it as UTF-8"
    )


def test_utf8_beats_what_the_page_declares():
    for declared in ("windows-1256", "iso-8859-1", "windows-1251", "shift_jis", "utf-16"):
        assert decode(NEWS.encode(), declared) == Decoded(NEWS, "utf-8")


# Encodings of one byte


@pytest.mark.parametrize("encoding", ARABIC_ENCODINGS)
@pytest.mark.parametrize("text", [*ARABIC, *NEWS.splitlines(), *LIBRARY.splitlines(), *FIVE_WORDS, MIXED])
def test_arabic_is_told_by_its_words(text, encoding):
    text = in_reach_of(text, encoding)
    assert decode(text.encode(encoding)) == Decoded(text, encoding)


@pytest.mark.parametrize("text", [PERSIAN, URDU.replace("۔", "."), PERSIAN * 20 + NEWS])
def test_persian_and_urdu_are_in_the_arabic_of_windows(text):
    assert decode(text.encode("windows-1256")) == Decoded(text, "windows-1256")


@pytest.mark.parametrize("text", [ENGLISH, FRENCH, GERMAN, *FRENCH.splitlines(), *ENGLISH.splitlines()])
def test_latin_text_is_told_by_its_words(text):
    assert decode(text.encode("windows-1252")) == Decoded(text, "windows-1252")


@pytest.mark.parametrize(
    "text",
    [
        "It’s",
        "“Yes” – he said…",
        "20 km², +30°C, £5, © 2024",
        "Título",
        "café",
        "ÉTÉ À LA MER",
        "Élysée",
        "L’ÉCOLE",
        "El niño comió una piña. ¿Por qué?",
        "A situação não é fácil",
        "Företaget på Åland",
        "all of this is ASCII until the very end: naïve",
    ],
)
def test_a_few_letters_and_signs_of_windows_in_a_text(text):
    assert decode(text.encode("windows-1252")) == Decoded(text, "windows-1252")


@pytest.mark.parametrize("name", ["نجيب محفوظ", "محمد", "القاهرة", "فاطمة الزهراء", "المكتبة"])
def test_one_arabic_name_in_an_english_text(name):
    text = f"The reading room is named after {name} and opens at nine."
    assert decode(text.encode("windows-1256")) == Decoded(text, "windows-1256")


def test_line_ends_and_the_end_mark_of_dos_are_kept():
    text = NEWS.replace("\n", "\r\n") + "\x1a"
    assert decode(text.encode("windows-1256")) == Decoded(text, "windows-1256")


def test_arabic_with_french_in_it():
    text = in_reach_of(NEWS + "Le musée a été rénové à côté du théâtre.\n" + LIBRARY, "windows-1256")
    assert decode(text.encode("windows-1256")) == Decoded(text, "windows-1256")


@pytest.mark.parametrize("name", ["Größe", "Muñoz", "über"])
@pytest.mark.parametrize("encoding", ["cp850", "mac_roman"])
def test_other_latin_encodings_are_not_taken_for_that_of_windows(name, encoding):
    text = f"Es ist wahr: {name}, {name}! Früher gehörte das Haus dem Bürgermeister."
    assert "cannot be told" in refusal(text.encode(encoding))


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (RUSSIAN, "windows-1251"),
        (RUSSIAN, "koi8-r"),
        ("Χθες το βράδυ στη βιβλιοθήκη της πόλης μιλήσαμε για τα νέα βιβλία.", "windows-1253"),
        ("אתמול בערב דיברנו בספרייה של העיר על הספרים החדשים ועל מחבריהם", "windows-1255"),
        (
            "Dün akşam şehir kütüphanesinde yeni kitapları ve yazarlarını konuştuk, çok güzeldi.",
            "windows-1254",
        ),
        (
            "Wczoraj wieczorem w bibliotece mówiliśmy o nowych książkach, które są już dostępne.",
            "windows-1250",
        ),
        ("昨日の夜、図書館で新しい本について話しました。", "shift_jis"),
        ("昨天晚上我们在图书馆谈论了新书。", "gbk"),
    ],
)
def test_text_in_other_letters_is_refused(text, encoding):
    message = refusal(text.encode(encoding))
    assert message.startswith("its encoding cannot be told (none that is tried makes words of it)")
    assert message.endswith("; save it as UTF-8")


@pytest.mark.parametrize("word", ["سلام", "بنت"])
def test_a_word_that_reads_well_in_two_encodings_is_refused(word):
    for encoding in ("windows-1256", "iso-8859-6"):
        assert "are about equally likely); save it as UTF-8" in refusal(word.encode(encoding))


def test_a_file_in_two_encodings_is_refused():
    windows, iso = NEWS.encode("windows-1256"), in_reach_of(LIBRARY, "iso-8859-6").encode("iso-8859-6")
    assert "(parts of it are in windows-1256, parts in iso-8859-6)" in refusal(windows * 9 + iso * 3)
    assert "(parts of it are in windows-1256, parts in UTF-8)" in refusal(windows * 30 + LIBRARY.encode() * 3)
    french = (FRENCH * 30).encode("windows-1252")
    assert "(parts of it are in windows-1256, parts in windows-1252)" in refusal(french + windows)
    assert "cannot be told" in refusal(windows * 3 + LIBRARY.encode() * 3)


# Binary data


def an_archive():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", NEWS)
    return buffer.getvalue()


@pytest.mark.parametrize("seed", range(20))
def test_random_bytes_are_refused(seed):
    data = random.Random(seed).randbytes(400)
    assert "it is not text" in refusal(data) or "cannot be told" in refusal(data)
    assert "cannot be told" in refusal(data.replace(b"\0", b""))
    high = bytes(byte | 0x80 for byte in data)
    assert "save it as UTF-8" in refusal(high)


def test_archives_and_compressed_text_are_refused():
    assert "NUL" in refusal(an_archive())
    assert "cannot be told" in refusal(zlib.compress((NEWS + LIBRARY).encode()).replace(b"\0", b""))


# What a page declares


@pytest.mark.parametrize(
    "declared", [None, "windows-1256", "iso-8859-6", "iso-8859-1", "windows-1251", "koi8-r"]
)
@pytest.mark.parametrize("encoding", ["windows-1256", "iso-8859-6"])
def test_a_wrong_declaration_is_ignored(encoding, declared):
    text = in_reach_of(NEWS, encoding)
    assert decode(text.encode(encoding), declared) == Decoded(text, encoding)


@pytest.mark.parametrize(
    "declared",
    ["", "utf-8", "x-unknown", "hex", "rot13", "idna", "cp037", "utf-7", "a\0b", "عربي", "a" * 999],
)
def test_a_declaration_that_is_none_is_ignored(declared):
    assert decode(NEWS.encode("windows-1256"), declared) == Decoded(NEWS, "windows-1256")


@pytest.mark.parametrize(
    ("text", "encoding", "declared"),
    [
        ("سلام", "windows-1256", "cp1256"),
        ("سلام", "iso-8859-6", "ISO-8859-6"),
        (RUSSIAN, "windows-1251", "windows-1251"),
        (RUSSIAN, "koi8-r", "KOI8-R"),
        ("Dün akşam şehir kütüphanesinde", "iso-8859-9", "latin5"),
        ("Fünf € und “sechs”", "windows-1252", "ISO-8859-1"),
        ("5 €", "iso-8859-15", "iso-8859-15"),
        ("昨天晚上我们在图书馆谈论了新书。", "gb2312", "gb2312"),
    ],
)
def test_a_declaration_helps_where_the_words_do_not(text, encoding, declared):
    assert decode(text.encode(encoding), declared) == Decoded(text, encoding)


def test_a_declared_encoding_that_does_not_fit_is_not_used():
    assert "cannot be told" in refusal(RUSSIAN.encode("windows-1251"), "shift_jis")
    assert "cannot be told" in refusal(
        RUSSIAN.title().encode("windows-1251"), "koi8-r"
    )  # capitals within words
    assert "cannot be told" in refusal(RUSSIAN.encode("windows-1251"), "windows-1252")


# Large files


def test_arabic_far_behind_plain_english_is_found():
    text = "Plain words, line after line.\n" * 20_000 + NEWS
    for encoding in ("windows-1256", "iso-8859-6"):
        assert decode(text.encode(encoding)) == Decoded(text, encoding)


def test_what_does_not_fit_behind_the_sample_is_refused_with_its_byte():
    data = (FRENCH * 2_000).encode("windows-1252")
    assert (
        refusal(data + b"\x81") == f"it is not windows-1252 text (byte {len(data) + 1:,}); save it as UTF-8"
    )


def test_many_short_lines_take_no_time():
    with at_most(2):
        assert decode(b"\n" * 1_000_000 + b"caf\xe9").text.strip() == "café"
        assert decode(b"a\n" * 500_000 + b"caf\xe9").text.endswith("\ncafé")


@pytest.mark.parametrize("text", [NEWS + LIBRARY, ENGLISH, MIXED])
def test_a_megabyte_of_clean_text_takes_no_time(text):
    data = (text * (1_000_000 // len(text.encode()) + 1)).encode()
    assert decode(data).repairs == ()
    assert quickest(lambda: decode(data), 0.2) < 0.2


# Streams


def articles():
    seeds = sorted(SEEDS.glob("*.txt")) if SEEDS.exists() else []
    return [NEWS * 50, LIBRARY * 50, MIXED * 50, *(path.read_text("utf-8") for path in seeds)]


@pytest.mark.parametrize("text", articles(), ids=lambda text: text[:20].strip())
@pytest.mark.parametrize("encoding", [*MARKS, *ARABIC_ENCODINGS, "utf-8-sig", "utf-16", "utf-32"])
def test_a_stream_is_read_like_the_whole_file(text, encoding):
    text = in_reach_of(text, encoding)
    mark = MARKS[encoding] if encoding.startswith("utf-32-") else b""
    data = mark + text.encode(encoding)
    whole = decode(data)
    assert whole.text == text
    for size in (997, 998, 999, 1_000, len(data)):
        codec = encoding_of(data[:size])
        assert io.TextIOWrapper(io.BytesIO(data), codec, newline="").read() == text
        marked = any(data.startswith(mark) for mark in MARKS.values())
        assert codec in (("utf-8-sig", "utf-16", "utf-32") if marked else (whole.encoding,))


@pytest.mark.parametrize(
    ("sample", "codec"),
    [
        (b"", "utf-8"),
        (b"{", "utf-8"),
        (b"\xef\xbb\xbf{", "utf-8-sig"),
        (b"\xff\xfe{\0\x06", "utf-16"),
        (b"\xff\xfe\0\0{\0", "utf-32"),
        (b"{\0a\0\x06", "utf-16-le"),
        ("سلام".encode()[:-1], "utf-8"),
        ("“cut” here: “w".encode("windows-1252"), "windows-1252"),
    ],
)
def test_a_sample_may_end_anywhere(sample, codec):
    assert encoding_of(sample) == codec


@pytest.mark.parametrize(
    ("sample", "words"),
    [
        (b"\xff\xfea\0\0\0", "NUL"),
        (b"\x7fELF\x02\x01\x01\0\0", "NUL"),
        ("سلام".encode()[1:], "not UTF-8 text (byte 1)"),
        (RUSSIAN.encode("koi8-r"), "cannot be told"),
    ],
)
def test_a_sample_is_refused_like_a_file(sample, words):
    with pytest.raises(UnreadableFile, match=re.escape(words)):
        encoding_of(sample)


# Text that was read in another encoding

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
def test_arabic_that_was_read_in_another_encoding_is_read_again(text, misreading):
    repaired, repairs, notes = repair(MISREADINGS[misreading](text))
    assert (repaired, notes) == (text, ())
    was_in, read_as = misreading.replace("latin-1", "windows-1252").split(" as ")
    lines = "3 lines" if "\n" in text else "1 line"
    assert repairs == (f"{was_in} that had been read as {read_as}, read again: {lines}",)


def test_the_examples_that_everybody_has_seen():
    assert repair("Ø§Ù„Ø¹Ø±Ø¨ÙŠØ© Ù„ØºØ© Ø¹Ø§Ù„Ù…ÙŠØ©")[0] == "العربية لغة عالمية"
    assert repair("ÇáÚÑÈíÉ áÛÉ ÚÇáãíÉ")[0] == "العربية لغة عالمية"
    assert repair("ط§ظ„ط¹ط±ط¨ظٹط© ظ„ط؛ط© ط¹ط§ظ„ظ…ظٹط©")[0] == "العربية لغة عالمية"


def test_only_the_lines_that_were_misread_change():
    misread = as_windows_1252_shows(NEWS.encode())
    text, repairs, notes = repair(ENGLISH + misread + LIBRARY + "café\r\n")
    assert text == ENGLISH + NEWS + LIBRARY + "café\r\n"
    assert repairs == ("UTF-8 that had been read as windows-1252, read again: 3 lines",)
    assert notes == ()


def test_a_misread_line_that_does_not_convert_whole_is_left_and_reported():
    lines = as_windows_1252_shows(NEWS.encode()).splitlines()
    lines[1] += " – ثم عاد"
    text, repairs, notes = repair("\n".join(lines))
    assert text.splitlines() == [NEWS.splitlines()[0], lines[1], NEWS.splitlines()[2]]
    assert repairs == ("UTF-8 that had been read as windows-1252, read again: 2 lines",)
    assert notes == ("what looks like UTF-8 that was read in another encoding, left: 1 line",)


def test_an_article_that_shows_misread_text_is_left():
    article = ENGLISH * 3 + "It looks like this: ÇáÚÑÈíÉ áÛÉ ÚÇáãíÉ\n" + ENGLISH
    assert repair(article) == (article, (), ())
    article = ENGLISH * 3 + as_windows_1252_shows("العربية لغة عالمية".encode()) + "\n" + ENGLISH
    assert repair(article)[:2] == (article, ())


def test_decoding_repairs_and_says_so():
    decoded = decode(as_windows_1252_shows(NEWS.encode("windows-1256")).encode())
    assert decoded.text == NEWS
    assert decoded.encoding == "utf-8"
    assert decoded.repairs == ("windows-1256 that had been read as windows-1252, read again: 3 lines",)


# Text in the order it is seen


@pytest.mark.parametrize("text", [NEWS, LIBRARY, VOWELLED, MIXED.replace("–", "-"), *NEWS.splitlines()])
def test_text_in_the_order_it_is_seen_is_put_in_the_order_it_is_read(text):
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
def test_presentation_forms_in_the_order_they_are_seen_become_letters(text):
    repaired, repairs, notes = repair(as_seen(shaped(text)))
    assert repaired == text
    assert len(repairs) == 1
    assert notes == ()


def test_a_ligature_in_the_order_it_is_seen_becomes_two_letters_in_reading_order():
    text = "قال إن الأولاد ذهبوا إلى المدرسة الجديدة في الصباح"
    assert repair(as_seen(text.replace("لأ", "\ufef7").replace("لا", "\ufefb")))[0] == text


def test_presentation_forms_in_reading_order_are_left_and_reported():
    text = shaped(NEWS)
    forms = sum("\ufe80" <= char < "\ufef5" for char in text)
    assert repair(text) == (text, (), (f"presentation forms of Arabic letters, left: {forms}",))


@pytest.mark.parametrize("text", ["كتب ﻻ غير", "ﷲ ﷺ", "قال النبي ﷺ ﻹخوته"])
def test_signs_that_stand_for_more_than_a_letter_are_nothing_odd(text):
    assert repair(text) == (text, (), ())


def test_short_lines_follow_the_rest():
    lines = [*NEWS.splitlines(), "سعاد", "2025", "Reuters"]
    assert repair(as_seen("\n".join(lines)))[0] == "\n".join(lines)


def test_lines_in_reading_order_stay_among_those_that_were_not():
    text = LIBRARY + as_seen(NEWS) + LIBRARY
    repaired, repairs, _ = repair(text)
    assert repaired == LIBRARY + NEWS + LIBRARY
    assert repairs == ("text in the order it is seen, put in the order it is read: 3 lines",)


@pytest.mark.parametrize("encoding", ["windows-1256", "iso-8859-6", "utf-8", "utf-16"])
def test_files_in_the_order_they_are_seen_are_decoded_and_turned(encoding):
    decoded = decode(as_seen(LIBRARY).encode(encoding))
    assert decoded.text == LIBRARY
    assert decoded.encoding == {"utf-16": "utf-16-le"}.get(encoding, encoding)
    assert len(decoded.repairs) == 1


# What is ordinary stays


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


def test_half_of_a_surrogate_pair_breaks_nothing():
    text = as_seen(LIBRARY) + "\ud800 " + LIBRARY[:40][::-1]
    assert repair(text)[0].endswith("\ud800 " + LIBRARY[:40][::-1])


# What holds for everything

ANY_BYTES = st.binary(max_size=60) | st.lists(
    st.sampled_from(sorted({*range(0x80, 0x100), 0x20, 0x0A, 0x41, 0x6E})), max_size=60
).map(bytes)


@settings(max_examples=400, deadline=None)
@given(ANY_BYTES, st.sampled_from([None, "windows-1256", "iso-8859-6", "windows-1251", "gbk", "mac-arabic"]))
@example(b"\xff\xfe\xff\xfe", None)
@example(b"\xa0\xa1\xa8", "mac-arabic")  # two bytes for one sign: back they would be others
def test_what_is_decoded_can_be_encoded_to_the_same_bytes(data, declared):
    try:
        decoded = decode(data, declared)
    except UnreadableFile as refused:
        assert str(refused)
        return
    mark = next(
        (mark for mark in sorted(MARKS.values(), key=len, reverse=True) if data.startswith(mark)), b""
    )
    assert decoded.repairs or decoded.text.encode(decoded.encoding) == data[len(mark) :]


@settings(max_examples=200, deadline=None)
@given(ANY_BYTES)
def test_a_sample_is_decoded_or_refused(data):
    try:
        codec = encoding_of(data)
    except UnreadableFile:
        return
    assert io.TextIOWrapper(io.BytesIO(), codec).read() == ""


@settings(max_examples=400, deadline=None)
@given(st.text(st.characters(exclude_characters="\0\x06", exclude_categories=["Cs"]), max_size=200))
def test_any_utf8_text_comes_back(text):
    decoded = decode(text.encode())
    assert (decoded.text, decoded.encoding, decoded.repairs) == (text.removeprefix("\ufeff"), "utf-8", ())


WORDS = sorted({word for text in [*ARABIC, ENGLISH, FRENCH, PERSIAN, URDU, MIXED] for word in text.split()})


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=40), st.sampled_from([" ", "\n", "، ", "\r\n"]))
def test_words_in_any_order_are_ordinary_text(words, between):
    text = between.join(words)
    assert repair(text) == (text, (), ())


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from([*NEWS.splitlines(), *LIBRARY.splitlines()]), min_size=1, max_size=9))
def test_lines_of_a_file_in_any_order_are_in_one_encoding(lines):
    for encoding in ARABIC_ENCODINGS:
        text = in_reach_of("\n".join(lines), encoding)
        assert decode(text.encode(encoding)) == Decoded(text, encoding)
