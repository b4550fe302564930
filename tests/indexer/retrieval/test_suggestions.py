"""Suggestions by value over a small archive, and within their time over a large one."""

import time
from statistics import median

import pytest

from indexer import build_index
from indexer.building.build import write_generation
from indexer.building.changes import ArticleSource
from indexer.datatypes import Document, Passage, SourceFile, SplitDocument
from indexer.query import parse
from indexer.retrieval.offers import offers
from indexer.retrieval.suggestions import suggest
from indexer.store.folder import IndexFolder
from indexer.store.reader import GenerationReader
from indexer.store.schema import title_words
from indexer.store.writer import PreparedArticle
from tests.support.fakes import FakeModel

ARTICLES = {
    "okaz/a.md": "title: أزمة المياه في الأردن\nauthor: سامي الخطيب\ndate: 2025-03-01\n\nأعلنت الوزارة عن السدود.",
    "okaz/b.md": "title: وزير المياه في عمّان\ndate: 2025-04-01\n\nزار الوزير السدود في عمّان.",
    "the-wire/c.md": 'title: Talks on "grain" in Geneva\nauthor: Lina Gray\n\nEnvoys met in Geneva on Monday.',
    "the-wire/d.md": "title: Grain prices rise\n\nThe markets of Geneva saw Grain prices rise.",
}

MINISTERS_AND_CRISES = [("title", title, title) for title in ("وزير المياه في عمّان", "أزمة المياه في الأردن")]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("suggested")
    for path, article in ARTICLES.items():
        (folder / "archive" / path).parent.mkdir(parents=True, exist_ok=True)
        facts, text = article.split("\n\n")
        (folder / "archive" / path).write_text(f"---\n{facts}\n---\n\n{text}\n", "utf-8")
    build_index(folder / "archive", folder / "index", FakeModel())
    with_store = GenerationReader.open(IndexFolder(folder / "index"))
    yield with_store
    with_store.close()


def suggested(store, typed, limit=8):
    return [(each.kind, each.text, each.query) for each in suggest(typed, store, limit)]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("oka", [("source", "okaz", 'source:"okaz" ')]),
        ("wire", [("source", "the-wire", 'source:"the-wire" ')]),
        ("الخط", [("author", "سامي الخطيب", 'author:"سامي الخطيب" ')]),
        ("lina g", [("author", "Lina Gray", 'author:"Lina Gray" ')]),
        # The newest first; harakat, hamza and the article make no difference.
        ("مياه", MINISTERS_AND_CRISES),
        ("المِيا", [("word", "المياه", "المياه"), *MINISTERS_AND_CRISES]),
        ("وزير المي", [("word", "وزير المياه", "وزير المياه"), MINISTERS_AND_CRISES[0]]),
        ("في المياه ", MINISTERS_AND_CRISES),
        ("rise gr", [("title", "Grain prices rise", "Grain prices rise")]),
        # Quotation marks of a title would ask for exact words.
        ("talks", [("title", 'Talks on "grain" in Geneva', "Talks on grain in Geneva")]),
        ("when in gene", [("word", "when in Geneva", "when in Geneva"),
                          ("title", 'Talks on "grain" in Geneva', "Talks on grain in Geneva")]),
        ("السد", [("word", "السدود", "السدود")]),
        ("lang:en talks", [("title", 'Talks on "grain" in Geneva', "lang:en Talks on grain in Geneva")]),
        ("g", [("author", "Lina Gray", 'author:"Lina Gray" '), ("title", "Grain prices rise", "Grain prices rise"),
               ("title", 'Talks on "grain" in Geneva', "Talks on grain in Geneva")]),
        ("؟", []), ("zzz", []), ("prices envoys", []), ("-grain", []), ("ge ", []),
    ],
)  # fmt: skip
def test_suggestions_equal_hand_made_ones(store, typed, expected):
    assert suggested(store, typed) == expected


def test_suggestions_end_at_the_limit_and_particular_ones_come_first(store):
    assert [kind for kind, *_ in suggested(store, "g")] == ["author", "title", "title"]
    assert suggested(store, "g", 1) == suggested(store, "g")[:1]


def test_titles_are_suggested_by_their_words_with_and_without_the_article():
    assert title_words("أزمة المياه في الأردن") == {"ازمه", "المياه", "مياه", "الاردن", "اردن"}
    assert title_words("") == frozenset()


def test_suggestions_come_while_one_types_in_thousands_of_articles(tmp_path):
    words = [
        f"{first}{second}" for first in "كتبسمرن" for second in ("الم", "وزير", "ماء", "حدث", "قول", "سفر")
    ]

    def articles(_encoder):
        for number in range(3_000):
            title = " ".join(words[number * step % len(words)] for step in (1, 3, 5, 7, 11, 13))
            document = Document(
                f"{number}",
                f"{title} {number}",
                title,
                f"s{number % 50}",
                "ar",
                None,
                SourceFile(str(number)),
            )
            yield PreparedArticle(
                SplitDocument(document, (Passage(f"{number}", 1, 0, len(title), 1, 1, "ar"),))
            )

    folder = IndexFolder(tmp_path / "index")
    folder.prepare()
    write_generation(folder, ArticleSource(prepare=articles), FakeModel(), str(tmp_path))
    store = GenerationReader.open(folder)
    for typed in ("ك", "كا", "كالم", f"{words[0]} {words[3][:2]}", f"{words[0]} {words[3]} ك", "12"):
        times = []
        for _ in range(5):
            started = time.thread_time()
            suggest(typed, store, 8)
            times.append(time.thread_time() - started)
        assert median(times) < 0.015, (typed, times)
    store.close()


def test_longest_question_is_completed_and_corrected_in_bounded_time(store):
    """A thousand characters of strange words: each is looked up, but only a few in many ways."""
    strange = " ".join(f"strange{number}x" for number in range(80))[:1_000]
    started = time.thread_time()
    suggest(strange, store, 8)
    offers(strange, parse(strange), store, lambda _word: 9)
    assert time.thread_time() - started < 0.25
