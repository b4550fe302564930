"""Bytes to text and back: each encoding, confusions between encodings, and refusals."""

import io
import random
import re
import zipfile
import zlib

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from indexer.errors import UnreadableFile
from indexer.ingest.encoding.detect import Decoded, decode, encoding_of
from indexer.ingest.encoding.repair import repair
from tests.support.multilingual_texts import (
    ARABIC,
    ENGLISH,
    FIVE_WORDS,
    FRENCH,
    GERMAN,
    LIBRARY,
    MIXED,
    NEWS,
    PERSIAN,
    RUSSIAN,
    TEXTS,
    URDU,
)
from tests.support.paths import SEEDS
from tests.support.time_bounds import at_most, quickest

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


@pytest.mark.parametrize("encoding", MARKS)
@pytest.mark.parametrize("text", [*TEXTS, "", "a", "\ufeff", "سلام\r\nعليكم\r"])
def test_byte_order_mark_gives_the_encoding_and_is_removed(text, encoding):
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
def test_text_that_contradicts_its_byte_order_mark_is_refused(data, message):
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
def test_nul_bytes_are_refused(data):
    assert refusal(data) == "it is not text: it holds NUL bytes"


@pytest.mark.parametrize("text", [*ARABIC, PERSIAN, RUSSIAN])
def test_lost_byte_is_a_replacement_character_with_its_offset(text):
    text *= 1 + 200 // len(text)  # in a very short text any byte is too many
    data = text.encode()
    letters = [number for number, byte in enumerate(data) if byte >= 0xC0]
    for position in (letters[0], letters[len(letters) // 2], letters[-1]):
        # The first byte of a letter is gone: what follows it cannot begin one.
        broken = data[:position] + data[position + 1 :]
        decoded = decode(broken)
        assert decoded.text == broken.decode("utf-8", "replace")
        assert decoded.encoding == "utf-8"
        assert decoded.repairs == (f"a byte that is no text was read as U+FFFD (byte {position + 1:,})",)
        assert decoded.notes == ()


def test_text_with_many_faults_is_refused_with_the_first():
    data = b"\xff".join(NEWS[start : start + 40].encode() for start in range(0, len(NEWS), 40))
    assert refusal(data) == f"it is not UTF-8 text (byte {data.index(0xFF) + 1:,}); save it as UTF-8"


def test_utf8_that_ends_within_a_letter_is_refused():
    assert refusal("سلام".encode()[:-1]) == "it is not UTF-8 text (byte 7); save it as UTF-8"


def test_encoded_lone_surrogate_is_refused():
    assert refusal(b"ok \xed\xa0\x80") == "it is not UTF-8 text (byte 4); save it as UTF-8"


def test_faults_far_from_the_beginning_are_found():
    data = (NEWS * 1_000).encode()
    decoded = decode(data + b"\xff" + data + b"\xfe")
    assert decoded.text == f"{NEWS * 1_000}\ufffd{NEWS * 1_000}\ufffd"
    places = f"{len(data) + 1:,}, {2 * len(data) + 2:,}"
    assert decoded.repairs == (f"2 bytes that are no text were read as U+FFFD (byte {places})",)


def test_utf8_beats_what_the_page_declares():
    for declared in ("windows-1256", "iso-8859-1", "windows-1251", "shift_jis", "utf-16"):
        assert decode(NEWS.encode(), declared) == Decoded(NEWS, "utf-8")


@pytest.mark.parametrize("encoding", ARABIC_ENCODINGS)
@pytest.mark.parametrize("text", [*ARABIC, *NEWS.splitlines(), *LIBRARY.splitlines(), *FIVE_WORDS, MIXED])
def test_arabic_encoding_is_detected_by_words(text, encoding):
    text = in_reach_of(text, encoding)
    assert decode(text.encode(encoding)) == Decoded(text, encoding)


@pytest.mark.parametrize("text", [PERSIAN, URDU.replace("۔", "."), PERSIAN * 20 + NEWS])
def test_persian_and_urdu_are_detected_as_windows_1256(text):
    assert decode(text.encode("windows-1256")) == Decoded(text, "windows-1256")


@pytest.mark.parametrize("text", [ENGLISH, FRENCH, GERMAN, *FRENCH.splitlines(), *ENGLISH.splitlines()])
def test_latin_encoding_is_detected_by_words(text):
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
def test_few_windows_letters_and_signs_are_detected(text):
    assert decode(text.encode("windows-1252")) == Decoded(text, "windows-1252")


@pytest.mark.parametrize("name", ["نجيب محفوظ", "محمد", "القاهرة", "فاطمة الزهراء", "المكتبة"])
def test_one_arabic_name_in_an_english_text_is_detected(name):
    text = f"The reading room is named after {name} and opens at nine."
    assert decode(text.encode("windows-1256")) == Decoded(text, "windows-1256")


def test_line_ends_and_the_end_mark_of_dos_are_kept():
    text = NEWS.replace("\n", "\r\n") + "\x1a"
    assert decode(text.encode("windows-1256")) == Decoded(text, "windows-1256")


def test_arabic_with_french_words_is_detected():
    text = in_reach_of(NEWS + "Le musée a été rénové à côté du théâtre.\n" + LIBRARY, "windows-1256")
    assert decode(text.encode("windows-1256")) == Decoded(text, "windows-1256")


@pytest.mark.parametrize("name", ["Größe", "Muñoz", "über"])
@pytest.mark.parametrize("encoding", ["cp850", "mac_roman"])
def test_other_latin_encodings_are_not_mistaken_for_windows_1252(name, encoding):
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
def test_text_in_other_scripts_is_refused(text, encoding):
    message = refusal(text.encode(encoding))
    assert message.startswith("its encoding cannot be told (none that is tried makes words of it)")
    assert message.endswith("; save it as UTF-8")


@pytest.mark.parametrize("word", ["سلام", "بنت"])
def test_word_that_is_plausible_in_two_encodings_is_refused(word):
    for encoding in ("windows-1256", "iso-8859-6"):
        assert "are about equally likely); save it as UTF-8" in refusal(word.encode(encoding))


def test_a_file_in_two_encodings_is_refused():
    windows, iso = NEWS.encode("windows-1256"), in_reach_of(LIBRARY, "iso-8859-6").encode("iso-8859-6")
    assert "(parts of it are in windows-1256, parts in iso-8859-6)" in refusal(windows * 9 + iso * 3)
    assert "(parts of it are in windows-1256, parts in UTF-8)" in refusal(windows * 30 + LIBRARY.encode() * 3)
    french = (FRENCH * 30).encode("windows-1252")
    assert "(parts of it are in windows-1256, parts in windows-1252)" in refusal(french + windows)
    assert "cannot be told" in refusal(windows * 3 + LIBRARY.encode() * 3)


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
def test_invalid_declaration_is_ignored(declared):
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
def test_declaration_decides_where_words_do_not(text, encoding, declared):
    assert decode(text.encode(encoding), declared) == Decoded(text, encoding)


def test_a_declared_encoding_that_does_not_fit_is_not_used():
    assert "cannot be told" in refusal(RUSSIAN.encode("windows-1251"), "shift_jis")
    assert "cannot be told" in refusal(
        RUSSIAN.title().encode("windows-1251"), "koi8-r"
    )  # capitals within words
    assert "cannot be told" in refusal(RUSSIAN.encode("windows-1251"), "windows-1252")


def test_arabic_far_after_plain_english_is_detected():
    text = "Plain words, line after line.\n" * 20_000 + NEWS
    for encoding in ("windows-1256", "iso-8859-6"):
        assert decode(text.encode(encoding)) == Decoded(text, encoding)


def test_invalid_byte_after_the_sample_is_refused_with_its_position():
    data = (FRENCH * 2_000).encode("windows-1252")
    assert (
        refusal(data + b"\x81") == f"it is not windows-1252 text (byte {len(data) + 1:,}); save it as UTF-8"
    )


def test_many_short_lines_are_detected_in_bounded_time():
    with at_most(2):
        assert decode(b"\n" * 1_000_000 + b"caf\xe9").text.strip() == "café"
        assert decode(b"a\n" * 500_000 + b"caf\xe9").text.endswith("\ncafé")


@pytest.mark.parametrize("text", [NEWS + LIBRARY, ENGLISH, MIXED])
def test_megabyte_of_clean_text_is_detected_in_bounded_time(text):
    data = (text * (1_000_000 // len(text.encode()) + 1)).encode()
    assert decode(data).repairs == ()
    assert quickest(lambda: decode(data), 0.2) < 0.2


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


ANY_BYTES = st.binary(max_size=60) | st.lists(
    st.sampled_from(sorted({*range(0x80, 0x100), 0x20, 0x0A, 0x41, 0x6E})), max_size=60
).map(bytes)


@settings(max_examples=400, deadline=None)
@given(ANY_BYTES, st.sampled_from([None, "windows-1256", "iso-8859-6", "windows-1251", "gbk", "mac-arabic"]))
@example(b"\xff\xfe\xff\xfe", None)
@example(b"\xa0\xa1\xa8", "mac-arabic")  # two bytes for one sign: back they would be others
def test_decoded_text_encodes_to_the_same_bytes(data, declared):
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
