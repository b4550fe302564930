"""The cards of a list: one an article, long passages around their answer, spellings and reasons."""

import pytest

from indexer import build_index
from indexer.datatypes import Answer, Document, Highlight, Hit, Passage, SourceFile
from tests.support.fakes import FakeModel
from tests.support.html_checks import page_of
from tests.support.search_pages import article_of, client_of, items_of, search_url
from web.pages.text_helpers import SHOWN, excerpt, segments

SENTENCES = [
    f"Sentence number {n} of the long passage tells of the harbour and of its ferries at dusk."
    for n in range(9)
]


@pytest.fixture(scope="module")
def get(tmp_path_factory):
    place = tmp_path_factory.mktemp("cards")
    (folder := place / "articles").mkdir()
    lines = [
        f"Envoys spoke of the harbour on day {n}, and nobody of the others answered them." for n in range(5)
    ]
    (folder / "long.txt").write_text("\n".join(["Five days", *lines]) + "\n", "utf-8")
    (folder / "putin.txt").write_text(
        "لقاء في الميناء\nوصل بوتين أمس إلى الميناء مع وفد كبير من المبعوثين.\n", "utf-8"
    )
    build_index(folder, place / "index", FakeModel())
    client = client_of(place / "index")
    return lambda address: page_of(client, address)


def hit(text, answer=None, words=()):
    document = Document("a.txt", "T", text, "", "en", None, SourceFile("a.txt"))
    return Hit(1, 1.0, Passage("a.txt", 1, 0, len(text), 1, 1, "en"), document, tuple(words), answer=answer)


def range_of(*numbers):
    text = " ".join(SENTENCES)
    first, last = SENTENCES[numbers[0]], SENTENCES[numbers[-1]]
    return text.index(first), text.index(last) + len(last)


def test_an_article_is_one_card_with_its_best_three_passages(get):
    page = get(search_url(q="envoys harbour", lang="en"))
    assert len(items_of(page)) == 3
    (card,) = {id(article_of(item)): article_of(item) for item in items_of(page)}.values()
    assert "Five days" in card.words
    assert "2 more in this article" in card.words
    assert [rank.text for rank in page.all("span", class_="rank")] == ["1", "2", "3"]


def test_spellings_are_said_and_marked(get):
    page = get(search_url(q="Putin"))
    assert "Also searched: بوتين" in page.one("main").words
    assert "بوتين" in [mark.text for mark in page.all("mark")]
    assert "Also searched" not in get(search_url(q="Putin", names="off")).one("main").words


def test_reasons_are_given_in_a_sentence_and_bars(get):
    page = get(search_url(q="Putin"))
    (first, *_) = page.all("details", class_="why")
    assert "The words of the question decide" in first.words
    assert "It has the name in another spelling: بوتين." in first.words
    assert [meter["aria-label"] for meter in first.all("meter")] == [
        "meaning of the passage", "words of the question",
    ]  # fmt: skip


def test_of_a_long_passage_the_answer_is_shown_with_its_neighbours():
    text = " ".join(SENTENCES)
    start, end = range_of(5)
    assert excerpt(hit(text, Answer(start, end, 0.9))) == range_of(4, 5, 6, 7)
    assert excerpt(hit(text, words=[Highlight(start + 3, start + 8)])) == range_of(4, 5, 6, 7)
    assert excerpt(hit(text)) == range_of(0, 1, 2, 3)
    assert excerpt(hit(text[:SHOWN])) is None


def test_segments_of_an_excerpt_are_its_words():
    text = " ".join(SENTENCES)
    start, end = range_of(5)
    long = hit(text, Answer(start, end, 0.9), [Highlight(start, start + 8), Highlight(0, 8)])
    parts = segments(long, excerpt(long))
    assert "".join(part for part, _, _ in parts) == text[slice(*range_of(4, 5, 6, 7))]
    assert [part for part, matched, _ in parts if matched] == ["Sentence"]
    assert "".join(part for part, _, answers in parts if answers) == SENTENCES[5]
