"""What may have been meant: slips and keyboards, by value over a small archive."""

import pytest

from indexer import build_index
from indexer.query import parse
from indexer.retrieval.offers import offers
from indexer.store.folder import IndexFolder
from indexer.store.reader import GenerationReader
from tests.support.fakes import FakeModel

# Each is in three passages, and so offered.
LINES = [
    "السلام عليكم في وزارة المياه والكهرباء",
    "The weather in Lebanon about light rain",
    "مستشفى الرياض يستقبل المرضى بعد الحادث",
    "The government of Lebanon discussed the electricity prices",
]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("offers")
    (folder / "archive").mkdir()
    for number in range(3):
        text = "\n\n".join(f"{line} {number}." for line in LINES)
        (folder / "archive" / f"{number}.txt").write_text(f"Title {number}\n\n{text}\n", "utf-8")
    build_index(folder / "archive", folder / "index", FakeModel())
    with_store = GenerationReader.open(IndexFolder(folder / "index"))
    yield with_store
    with_store.close()


def offered(store, query, pieces=3):
    return [(offer.kind, offer.query) for offer in offers(query, parse(query), store, lambda _word: pieces)]


@pytest.mark.parametrize(
    ("query", "meant"),
    [
        ("hgsghl", "السلام"), ("hgsghl ugd;l", "السلام عليكم"), ("lsjatn hgvdhq", "مستشفى الرياض"),
        ("HGSGHL", None),  # capitals write other letters
        ("صثشفاثق", "weather"), ("مثلاشىخى", "lebanon"), ("مهلاف", "light"),
        ("lebanon", None), ("السلام", None), ("hgsghl weather", None), ("xyzzy", None), ("؟!", None),
        ("hgsghl -weather", None), ("hgsghl source:x", None),
    ],
)  # fmt: skip
def test_words_of_the_other_keyboard_layout_are_offered(store, query, meant):
    assert offered(store, query) == ([("keyboard", meant)] if meant else [])


@pytest.mark.parametrize(
    ("query", "meant"),
    [
        ("lebamon", "Lebanon"), ("goverment", "government"), ("What of Lebanno?", "What of Lebanon?"),
        ("وزارة الميااه", "وزارة المياه"), ("مستشفا الرياض", "مستشفى الرياض"), ("الكهربء", None),
        ('"electrisity prices" now', '"electricity prices" now'),
        ("Lebanons", None), ("للمياه", None), ("weathered", None),  # inflected, no slips
        ("raim", None), ("1234567", None), ("elephants", None), ("lebamon -rain", None),
    ],
)  # fmt: skip
def test_near_word_that_several_passages_have_is_offered(store, query, meant):
    assert offered(store, query) == ([("spelling", meant)] if meant else [])


def test_word_that_the_model_knows_is_no_slip(store):
    assert offered(store, "goverment", pieces=1) == []
    assert offered(store, "goverment", pieces=2) == [("spelling", "government")]
    question = "Does the goverment discuss electricity prices about Lebanon?"
    assert offered(store, question, pieces=2) == []
    assert offered(store, question, pieces=3) == [("spelling", question.replace("goverment", "government"))]


def test_offer_is_written_as_the_archive_writes_it(store):
    assert store.written("lebanon") == "Lebanon"
    assert store.written("مستشفي") == "مستشفى"
    assert store.written("nowhere") == "nowhere"
