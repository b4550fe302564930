"""Languages of real sentences, and what holds for every text."""

import json
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from places import DATA, SEEDS

from indexer.datatypes import SearchRequest
from indexer.text.language import detect, direction, script_of

FRENCH = (
    "Les représentants des deux pays se sont rencontrés lundi à Genève pour parler du corridor céréalier."
)
PERSIAN = "رئیس جمهور ایران گفت که مذاکرات با کشورهای اروپایی در روزهای آینده در ژنو ادامه خواهد یافت و پیشرفت خوبی داشته است"
URDU = (
    "وزیر اعظم نے کہا ہے کہ حکومت عوام کو بجلی کی قیمتوں میں بڑا ریلیف دینے کے لیے تمام وسائل استعمال کرے گی"
)


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("", None),
        ("12:30 – ٤٠ ؟!", None),
        ("السلام", "Arab"),
        ("ـــ", "Arab"),
        ("ﺍﻟﺤﻜﻮﻣﺔ", "Arab"),  # presentation forms, as PDF files have them
        ("Geneva", "Latn"),
        ("Ｇｅｎｅｖａ", "Latn"),
        ("Женева", "other"),
        ("قال المتحدث باسم BBC", "Arab"),
        ("The daily الأهرام reports", "Latn"),
    ],
)
def test_most_letters_decide_the_script(text, script):
    assert script_of(text) == script


def test_a_tie_of_scripts_does_not_depend_on_the_order_of_the_text():
    assert script_of("ab بت") == script_of("بت ab")


@pytest.mark.parametrize("text", ["", " \n", "123", "٤٠٪", "— … ؟"])
def test_text_without_letters_has_no_language(text):
    assert detect(text) == "und"


@pytest.mark.parametrize("text", ["Zelensky", "Bonjour", "Macron, Merz", "Who helped free Marc Fogel?", "a"])
def test_short_latin_text_is_english(text):
    assert detect(text) == "en"


@pytest.mark.parametrize("text", ["نعم", "ماذا قال لافروف؟", "قال المتحدث باسم شركة Microsoft", "ﺍﻟﺤﻜﻮﻣﺔ"])
def test_arabic_is_known_however_short(text):
    assert detect(text) == "ar"


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("Envoys met in Geneva on Monday to discuss the grain corridor across the Black Sea.", "en"),
        (FRENCH, "fr"),
        ("Die Vertreter beider Länder trafen sich am Montag in Genf, um über den Getreidekorridor zu reden.", "de"),
        (PERSIAN, "fa"),
        (URDU, "ur"),
        ("وقال الرئيس پوتين إن المحادثات مستمرة، وأضاف أن روسيا لن تتراجع عن موقفها مهما كانت الضغوط", "ar"),
        ("Представители двух стран встретились в понедельник в Женеве, чтобы обсудить зерновой коридор.", "ru"),
        ("נציגי שתי המדינות נפגשו ביום שני בז'נבה כדי לדון במסדרון התבואה בים השחור", "he"),
    ],
)  # fmt: skip
def test_long_text_is_judged_by_its_words(text, lang):
    assert detect(text) == lang


def test_one_text_has_one_language_whatever_was_asked_before():
    doubtful = "Macron Scholz Meloni Tusk Sanchez Frederiksen Schoof Rutte Costa Kallas Stubb Orban Fico"
    first = detect(doubtful)
    for other in (FRENCH, PERSIAN, URDU):
        detect(other)
        assert detect(doubtful) == first


def test_threads_that_ask_first_together_get_the_same_answer():
    program = (
        "import sys, threading\n"
        "from indexer.text.language import detect\n"
        "together, answers = threading.Barrier(4), []\n"
        "def ask():\n"
        "    together.wait()\n"
        "    answers.append(detect(sys.argv[1]))\n"
        "threads = [threading.Thread(target=ask) for _ in range(4)]\n"
        "[thread.start() for thread in threads]\n"
        "[thread.join() for thread in threads]\n"
        "print(*answers)"
    )
    done = subprocess.run([sys.executable, "-c", program, FRENCH], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["fr"] * 4


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.text(max_size=200))
def test_what_is_detected_can_be_searched_for(text):
    lang = detect(text)
    assert SearchRequest("question", lang=lang).lang == lang
    assert direction(lang) in ("rtl", "ltr")


@pytest.mark.parametrize(
    ("lang", "way"),
    [("ar", "rtl"), ("fa", "rtl"), ("ur", "rtl"), ("he", "rtl"), ("en", "ltr"), ("und", "ltr")],
)
def test_direction_is_that_of_the_language(lang, way):
    assert direction(lang) == way


@pytest.mark.skipif(not SEEDS.exists(), reason="needs the shared data")
def test_real_paragraphs_are_in_the_language_they_are_labelled_with():
    rows = (DATA / "test" / "xquad-mixed" / "corpus.jsonl").read_text("utf-8").splitlines()[::4]
    paragraphs = [json.loads(row) for row in rows]
    labels = [row.get("lang") or row["metadata"]["lang"] for row in paragraphs]
    assert set(labels) == {"ar", "en"}
    assert [detect(row["text"]) for row in paragraphs] == labels
