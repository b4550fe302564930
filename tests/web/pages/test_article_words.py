"""The words that an address names: where they are marked, and the notes when they moved or changed."""

import json
import re
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from indexer import Document, Passage
from indexer.addresses import permanent_url
from indexer.datatypes import SourceFile, SplitDocument
from tests.support.article_pages import SHA256, SHIPS, facts_of, words_hash
from web.pages.article import SCANNED, Place, Range, find_words, locate, parts, read_place, spans_of
from web.pages.citations import unturned

# --- the words that an address names


@given(st.data())
def test_marks_cover_exactly_the_range_and_the_matches(data):
    text = data.draw(st.text("ab \n", min_size=4, max_size=60))
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=6)))
    passages = tuple(
        Passage("x", n, start, end, 1, 1, "en")
        for n, (start, end) in enumerate(zip(cuts[::2], cuts[1::2], strict=False), 1)
    )
    article = SplitDocument(Document("x", "x", text, "", "en", file=SourceFile("x")), passages)
    start = data.draw(st.integers(0, len(text) - 1))
    here = Range(start, data.draw(st.integers(start + 1, len(text))))
    shown_parts = parts(article, list(spans_of(article)), here, ())
    for part in shown_parts:
        assert "".join(word for piece in part.pieces for word, *_ in piece.parts) == part.text
        if part.passage:
            span = range(part.passage.start, part.passage.end)
            marked = [piece.marked for piece in part.pieces for word, *_ in piece.parts for _ in word]
            assert marked == [here.start <= position < here.end for position in span]
    shown = [index for passage in passages for index in range(passage.start, passage.end)]
    rest = "".join(char for number, char in enumerate(text) if number not in shown)
    assert "".join("".join(part.text.split()) for part in shown_parts if not part.passage) == "".join(
        rest.split()
    )
    firsts = [piece.first for part in shown_parts for piece in part.pieces if piece.marked]
    assert firsts == [True] * bool(firsts) + [False] * (len(firsts) - 1)


@pytest.mark.parametrize("doc_id", ["wire/ships.txt", "water.txt", "hostile.txt"])
def test_named_words_are_marked_across_passages(reader, doc_id):
    article = reader.article(doc_id)
    text, passages = article.document.text, article.passages
    start, end = passages[0].start + 3, passages[-1].start + 9
    page = reader.named(doc_id, start, end)
    expected = [unturned(text[max(start, passage.start) : min(end, passage.end)]) for passage in passages]
    assert [mark.text for mark in page.here] == expected
    assert [item.get("id") for item in page.here] == ["here"] + [None] * (len(expected) - 1)
    assert len(expected) > 2
    assert page.told == ["The words that this address names are marked. Go to what is marked"]
    assert page.one("div", class_="notes").one("a")["href"] == "#here"


def test_address_of_another_version_marks_with_a_warning(reader):
    text = reader.article("wire/ships.txt").document.text
    page = reader.open("wire/ships.txt", sha256=SHA256, start=30, end=60)
    assert page.marked == text[30:60]
    (note,) = page.told
    assert note.startswith("The file has changed since this address was made.")
    assert "are marked" not in note
    page = reader.open("wire/ships.txt", sha256=SHA256)
    assert page.told == ["The file has changed since this address was made."]
    page = reader.open("wire/ships.txt", sha256=SHA256, start=30, end=10**6)
    assert page.told == [
        "The file has changed since this address was made.",
        "This address names words outside the article, so nothing is marked.",
    ]


def test_address_may_omit_version_or_words(reader):
    sha256 = reader.article("wire/ships.txt").document.file.sha256
    assert reader.open("wire/ships.txt", sha256=sha256).told == []
    assert reader.open("wire/ships.txt", sha256=sha256.upper(), start=1, end=9).told == [
        "The words that this address names are marked. Go to what is marked"
    ]
    page = reader.open("wire/ships.txt", start=1, end=9)
    assert page.marked == SHIPS[1:9]
    assert "does not say which version" in page.told[0]


def test_words_outside_the_article_or_in_cut_lines_are_reported(reader):
    length = len(SHIPS)
    assert reader.named("wire/ships.txt", 0, length).marked
    for start, end in [(0, length + 1), (length, length + 5), (10**8, 10**9 - 1)]:
        page = reader.named("wire/ships.txt", start, end)
        assert page.here == []
        assert page.told == ["This address names words outside the article, so nothing is marked."]
    start_of_cut = SHIPS.index("Loading")  # which was cut
    page = reader.named("wire/ships.txt", start_of_cut - 1, start_of_cut + 8)
    assert page.here == []
    assert page.told[0].startswith("Where this address points there are no words")
    assert page.one("textarea", id="cite-plain").text.startswith("Ships of the corridor\n")


@pytest.mark.parametrize(
    ("values", "unreadable"),
    [
        ({"start": "x", "end": "5"}, ["start", "end"]),
        ({"start": "5"}, ["start"]),
        ({"end": "5"}, ["end"]),
        ({"start": "5", "end": "5"}, ["start", "end"]),
        ({"start": "9", "end": "5"}, ["start", "end"]),
        ({"start": "-1", "end": "5"}, ["start", "end"]),
        ({"start": "١", "end": "٥"}, ["start", "end"]),
        ({"start": "1_0", "end": "50"}, ["start", "end"]),
        ({"start": "0", "end": "9" * 400}, ["start", "end"]),
        ({"start": ["1", "1"], "end": "5"}, ["start", "end"]),
        ({"sha256": "5"}, ["sha256"]),
        ({"sha256": "g" * 64}, ["sha256"]),
        ({"sha256": [SHA256, SHA256]}, ["sha256"]),
        ({"words": "a" * 11}, ["words"]),
        ({"words": "a" * 13}, ["words"]),
        ({"words": ["a" * 12, "a" * 12]}, ["words"]),
        ({"words": "a" * 12}, []),
        ({"sha256": "<b>\0", "start": "\x1b", "end": "\u202e"}, ["sha256", "start", "end"]),
        ({"sha256": "", "start": "", "end": ""}, []),
        ({"utm_source": "x", "from": "yesterday", "": "y"}, []),
    ],
)  # fmt: skip
def test_invalid_address_parts_are_ignored_and_reported(reader, values, unreadable):
    page = reader.open("wire/ships.txt", **values)
    assert page.here == []
    assert [code.text for code in page.main.all("code") if code.parent.tag == "p"] == unreadable
    assert len(page.told) == bool(unreadable)
    assert list(page.passages()) == [passage.number for passage in reader.article("wire/ships.txt").passages]


def test_valid_part_of_an_address_is_used(reader):
    page = reader.open("wire/ships.txt", sha256="x", start=1, end=9)
    assert page.marked == SHIPS[1:9]
    assert read_place(MultiDict({"sha256": SHA256, "start": "x", "end": "9", "words": "AB" * 6})) == Place(
        SHA256, None, "ab" * 6, ("start", "end")
    )
    page = reader.named("wire/ships.txt", 1, 9, words="x")
    assert page.marked == SHIPS[1:9]
    assert page.told == [
        "The words that this address names are marked. Go to what is marked",
        "A part of this address cannot be understood and was left aside: words",
    ]


def article_of(text, *spans):
    document = Document("x", "x", text, "", "en", file=SourceFile("x", "a" * 64))
    return SplitDocument(
        document, tuple(Passage("x", n, *span, 1, 1, "en") for n, span in enumerate(spans, 1))
    )


@pytest.mark.parametrize(
    ("text", "place", "expected"),
    [
        ("abc", Place(None, None, None, ()), (None, "none")),
        ("abc", Place("b" * 64, None, None, ()), (None, "none")),
        ("abc", Place("b" * 64, None, words_hash("abc"), ()), (None, "same")),
        ("abc", Place("b" * 64, None, words_hash("abd"), ()), (None, "none")),
        ("abc", Place("a" * 64, None, words_hash("abc"), ()), (None, "none")),
        ("abc", Place(None, Range(0, 3), None, ()), (Range(0, 3), "marked")),
        ("abc", Place("a" * 64, Range(0, 3), words_hash("abc"), ()), (Range(0, 3), "marked")),
        ("abc", Place("b" * 64, Range(0, 3), words_hash("abc"), ()), (Range(0, 3), "same")),
        ("abc", Place("b" * 64, Range(0, 3), None, ()), (Range(0, 3), "doubtful")),
        ("abc", Place("b" * 64, Range(0, 3), words_hash("xyz"), ()), (Range(0, 3), "doubtful")),
        ("abc", Place("a" * 64, Range(0, 3), words_hash("xyz"), ()), (Range(0, 3), "doubtful")),
        ("x abc", Place("b" * 64, Range(0, 3), words_hash("abc"), ()), (Range(2, 5), "moved")),
        ("x abc", Place("b" * 64, Range(7, 10), words_hash("abc"), ()), (Range(2, 5), "moved")),
        ("   abc", Place("b" * 64, Range(0, 3), words_hash("abc"), ()), (Range(3, 6), "moved")),
        ("x abc abc", Place("b" * 64, Range(0, 3), words_hash("abc"), ()), (Range(0, 3), "doubtful")),
        ("x abc zabcz", Place("b" * 64, Range(0, 3), words_hash("abc"), ()), (Range(0, 3), "doubtful")),
        ("abc", Place(None, Range(0, 4), None, ()), (None, "outside")),
        ("abc", Place("b" * 64, Range(0, 4), words_hash("abcd"), ()), (None, "outside")),
        ("  c", Place(None, Range(0, 2), None, ()), (None, "blank")),
        ("  c", Place("b" * 64, Range(0, 2), words_hash("  "), ()), (None, "blank")),
    ],
)
def test_words_are_located(text, place, expected):
    assert locate(place, article_of(text)) == expected


@settings(deadline=None)
@given(st.text("ab \n", min_size=1, max_size=30), st.data())
def test_unique_words_are_found(text, data):
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    words = text[start:end]
    located = find_words(article_of(text, (start, end)), end - start, words_hash(words))
    places = [number for number in range(len(text)) if text.startswith(words, number)]
    assert located == (Range(start, end) if len(places) == 1 else None)
    assert find_words(article_of(text, (start, end)), end - start, words_hash(words + "x")) is None


def test_word_search_time_is_bounded():
    many = article_of("a " * 500_000 + "end")
    for length in (1, 499_999, 999_999):
        started = perf_counter()
        assert find_words(many, length, words_hash("z" * length)) is None
        assert perf_counter() - started < 5
    assert find_words(article_of("a" * SCANNED), SCANNED, words_hash("a" * SCANNED)) is None


# --- words in a file that changes


def rows(*texts):
    return "id,title,body\n" + "".join(f"{n},Day {n},{text}\n" for n, text in enumerate(texts, 1))


DAILY = [
    f"On day {n} ship number {n} left the port with grain for the people of the south." for n in (1, 2, 3)
]


@pytest.mark.parametrize("name", ["log.csv", "log.jsonl"])
def test_growing_file_keeps_citations_of_unchanged_records_certain(log, name):
    def lines(texts):
        if name == "log.csv":
            return rows(*texts)
        records = ({"id": str(n), "title": f"Day {n}", "body": text} for n, text in enumerate(texts, 1))
        return "".join(json.dumps(record) + "\n" for record in records)

    before = log(lines(DAILY[:2]), name)
    doc_id = f"{name}::1"
    shown = before.article(doc_id)
    passage = shown.passages[0]
    words = before.open(doc_id).main.all("a", class_="line")[0]["href"]
    whole = re.search(
        "^Address:\n(.+)$", before.open(doc_id).one("textarea", id="cite-plain").text, re.MULTILINE
    )[1]
    after = log(lines(DAILY), name)
    assert after.article(doc_id).document.file.sha256 != shown.document.file.sha256
    page = after.get(words)
    assert page.marked == shown.document.text[passage.start : passage.end]
    assert page.told == ["The file has changed since, these words have not. Go to what is marked"]
    page = after.get(whole)
    assert page.told == ["The file has changed since, this article has not."]
    assert page.here == []
    for paragraph in page.main.all("p"):
        assert "uncertain" not in (paragraph.get("class") or "")
    assert facts_of(page)["Record"] == "1"


def test_moved_words_are_marked_at_their_new_place(log):
    texts = [*SHIPS.split("\n\n")[1:3], *SHIPS.split("\n\n")[4:]]
    before = log("\n\n".join(["Ships of the corridor", *texts]), "ships.txt")
    article = before.article("ships.txt")
    passage = article.passages[3]
    words = article.document.text[passage.start : passage.end]
    address = permanent_url(article.document, passage.start, passage.end, passage.number)
    new = "In the morning the harbour master wrote something new above all of the ships that had left."
    page = log("\n\n".join(["Ships of the corridor", new, *texts]), "ships.txt").get(address)
    assert page.marked == words
    assert page.told == [
        "The file has changed; the words have moved and are marked where they stand now. Go to what is marked"
    ]
    citation = page.one("textarea", id="cite-plain").text
    assert citation.endswith(words)
    assert "uncertain" not in page.source
    # Twice now: the address is ambiguous.
    page = log("\n\n".join(["Ships of the corridor", new, *texts, words]), "ships.txt").get(address)
    assert page.told[0].startswith(
        "The file has changed since this address was made. What is marked stands where"
    )
    # And not at all: what stands there is something else.
    page = log(
        "\n\n".join(["Ships of the corridor", new, *[text.upper() for text in texts]]), "ships.txt"
    ).get(address)
    assert page.marked
    assert page.told[0].startswith(
        "The file has changed since this address was made. What is marked stands where"
    )
    assert any("uncertain" in (paragraph.get("class") or "") for paragraph in page.main.all("p"))


def test_different_words_at_the_range_are_reported(reader):
    page = reader.named("wire/ships.txt", 0, 5, words=words_hash("Boats"))
    assert page.marked == "Ships"
    assert page.told == [
        "Other words stand here than those that this address was made for. Go to what is marked"
    ]
    page = reader.named("wire/ships.txt", 0, 8, words=words_hash("corridor"))
    assert page.marked == "corridor"
    assert page.told == ["The words have moved and are marked where they stand now. Go to what is marked"]
