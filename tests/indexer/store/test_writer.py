"""The writer: its report of its contents, and its notes for the next build."""

from dataclasses import asdict, replace

import numpy as np
import pytest

from indexer.datatypes import Cut, Document, Passage, SourceFile, SplitDocument
from indexer.store.base import SeenFile
from indexer.store.writer import GenerationWriter, PassageKeys, PreparedArticle, Sentences
from tests.support.generations import NO_FILTER, build, entry, key_of, vector_of, wanted, words

NOTHING = {
    "documents": 0, "passages": 0, "languages": {}, "sources": {}, "undated": 0, "failed": [], "notes": [],
    "cut": {}, "repeated": [], "examples": [],
}  # fmt: skip


@pytest.fixture
def writer(tmp_path):
    (tmp_path / "aside").mkdir()
    return GenerationWriter(tmp_path / "aside")


def test_empty_writer_reports_no_articles(writer):
    assert asdict(writer.content()) == NOTHING
    assert (writer.rows, writer.first_new, writer.new_keys(), writer.linked) == (0, 0, [], {})
    assert writer.digests() == {}
    writer.finish(4, iter(()))


def test_writer_reports_its_contents(writer):
    text = "Grain talks.\nقمة 😀 الحبوب."
    passages = (Passage("a", 1, 0, 12, 1, 1, "en"), Passage("a", 2, 13, 26, 2, 2, "ar"))
    writer.add(
        PreparedArticle(SplitDocument(Document("a", "Talks", text, "a", "en"), passages), b"1"),
        [PassageKeys(b"k1"), PassageKeys(b"k2", b"t1", Sentences([(0, 3), (4, 13)], [b"s" * 32, b"t" * 32]))],
        words,
    )
    passage = Passage("b", 1, 0, 3, 1, 1, "ar")
    writer.add(
        PreparedArticle(SplitDocument(Document("b", "", "هدن", "b", "ar"), (passage,)), b"2"),
        [PassageKeys(b"k1", None, Sentences([(0, 3)], [b"k1"]))],
        words,
    )
    assert writer.new_keys() == [(b"k1", None), (b"k2", b"t1"), (b"k1", None)]
    (texts,) = writer.new_texts(10)
    assert [(new.key[:2], new.part) for new in texts] == [
        (b"k1", "passage"), (b"k2", "passage"), (b"t1", "title"), (b"k1", "passage"), (b"ss", "sentence"),
        (b"tt", "sentence"),
    ]  # fmt: skip
    expected = ["Grain talks.", "قمة 😀 الحبوب.", "Talks", "هدن", "قمة", "😀 الحبوب."]
    assert writer.texts(texts) == expected
    assert writer.texts(texts[::-1]) == expected[::-1]
    assert writer.count_new_texts() == len(texts) == sum(map(len, writer.new_texts(1)))
    assert writer.digests() == {"a": b"1", "b": b"2"}
    assert asdict(writer.content()) == {
        **NOTHING, "documents": 2, "passages": 3, "languages": {"ar": 2, "en": 1}, "undated": 2,
        "sources": {"a": 1, "b": 1},
    }  # fmt: skip
    with pytest.raises(AssertionError, match="2 vectors for 3 passages"):
        writer.finish(4, iter([np.eye(2, 4, dtype=np.float32)]))


def test_an_article_needs_a_key_for_each_passage(writer):
    for keys in ([], [PassageKeys(b"1"), PassageKeys(b"2")]):
        with pytest.raises(ValueError, match="zip"):
            writer.add(entry(f"{len(keys)}.txt", "one passage"), keys, words)


def test_the_writer_counts_sources_undated_articles_and_cut_lines(writer):
    for doc_id, source, day, rules in (
        ("a", "wire", None, ["tags", "share"]), ("b", "post", "2025-03-01", ["share"]), ("c", "wire", None, []),
        ("d", "", "2025-03-01", []),
    ):  # fmt: skip
        cuts = tuple(Cut(line, 2 * line, 2 * line + 1, rule) for line, rule in enumerate(rules, 1))
        writer.add(
            PreparedArticle(
                SplitDocument(Document(doc_id, "", "", source, "en", day), (), cuts), doc_id.encode()
            ),
            [],
        )
    content = asdict(writer.content())
    assert list(content["sources"].items()) == [("wire", 2), ("", 1), ("post", 1)]
    assert content["undated"] == 2
    assert list(content["cut"].items()) == [("share", 2), ("tags", 1)]
    assert writer.digests() == {each: each.encode() for each in "abcd"}
    writer.finish(4, iter(()))


def test_lines_outside_the_article_are_counted_with_the_cut_lines(writer):
    for doc_id, left_out in (("a", 3), ("b", 14), ("c", 0)):
        document = Document(doc_id, "", "", "", "en", left_out=left_out)
        writer.add(PreparedArticle(SplitDocument(document, ())), [])
    assert writer.content().cut == {"page": 17}


def test_notes_and_failures_are_listed_by_path(writer):
    for doc_id, path, note in (
        ("z", "1.txt", "repaired"), ("b.jsonl::2", "b.jsonl", "odd"), ("b.jsonl::1", "b.jsonl", "قديم"),
        ("plain", "0.txt", ""),
    ):  # fmt: skip
        document = Document(doc_id, "", "", "", "en", None, SourceFile(path), notes=note)
        writer.add(PreparedArticle(SplitDocument(document, ())), [])
    writer.set_files(
        {
            "z.txt": SeenFile(None, "cannot be read"),
            "a.txt": SeenFile("ab" * 32, "not text", "beside"),
            "b.jsonl": SeenFile("cd" * 32, None),
        },
        [("b.jsonl", "b.jsonl::4", "no text"), ("b.jsonl", "b.jsonl::3", "twice")],
    )
    content = asdict(writer.content())
    assert [(each["path"], each["reason"]) for each in content["notes"]] == [
        ("z", "repaired"), ("b.jsonl::2", "odd"), ("b.jsonl::1", "قديم"),
    ]  # fmt: skip
    assert [(each["path"], each["reason"]) for each in content["failed"]] == [
        ("a.txt", "not text"), ("b.jsonl::4", "no text"), ("b.jsonl::3", "twice"), ("z.txt", "cannot be read"),
    ]  # fmt: skip


def test_file_states_of_the_build_are_stored(tmp_path):
    first = {
        "talks.txt": SeenFile("ab" * 32, None, "12"),
        "ar/صورة.txt": SeenFile(None, "not text"),
        "a.jsonl": SeenFile("cd" * 32, None),
    }
    refused = [("a.jsonl", "a.jsonl::7", "no text"), ("a.jsonl", "a.jsonl::1", "twice")]
    store = build(tmp_path / "index", [], also=lambda writer: writer.set_files(first, refused))
    assert (store.files(), store.failures()) == (first, refused)
    # The next generation has the files of its own build only.
    second = {"other.txt": SeenFile("ef" * 32, None)}
    after = build(tmp_path / "index", [], store, also=lambda writer: writer.set_files(second, []))
    assert (after.files(), after.failures()) == (second, [])
    assert (store.files(), store.failures()) == (first, refused)
    store.close()
    after.close()


def with_cuts(doc_id, *keys, source="wire"):
    """An article of which a line was cut for each key, as one that ten articles have."""
    cuts = tuple(Cut(line, line, line + 1, "repeated", 10) for line in range(1, len(keys) + 1))
    made = entry(doc_id, f"text of {doc_id}", source=source, cuts=cuts)
    return replace(made, line_keys=set(keys), repeated_line_keys=dict(enumerate(keys, 1)))


def test_repeated_lines_are_listed_once_per_source_most_frequent_first(writer):
    for each in (
        with_cuts("b", 7, -(2**63)), with_cuts("a", 7), with_cuts("c", 2**63 - 1), with_cuts("d", 7, source="post"),
    ):  # fmt: skip
        writer.add(each, [PassageKeys(b"")])
    writer.set_repeated_lines("wire", 30, {7: 12, -(2**63): 10, 2**63 - 1: 25})
    writer.set_repeated_lines("post", 9, {7: 9})
    assert writer.content().repeated == [
        {"source": "wire", "articles": 25, "doc_id": "c", "line": 1},
        {"source": "wire", "articles": 12, "doc_id": "a", "line": 1},
        {"source": "wire", "articles": 10, "doc_id": "b", "line": 2},
        {"source": "post", "articles": 9, "doc_id": "d", "line": 1},
    ]


def test_carried_over_documents_have_current_article_counts(tmp_path):
    def note(count):
        return lambda writer: writer.set_repeated_lines("wire", count, {7: count})

    store = build(tmp_path / "index", [with_cuts("a", 7), with_cuts("d", 7, source="post")], also=note(10))
    after = build(tmp_path / "index", [with_cuts("b", 7)], store, also=note(11))
    assert [cut.articles for doc_id in "ab" for cut in after.article(doc_id).cuts] == [11, 11]
    assert [cut.articles for cut in after.article("d").cuts] == [10]  # of another source
    assert [cut.articles for cut in store.article("a").cuts] == [10]
    assert after.manifest.repeated[0]["articles"] == 11
    store.close()
    after.close()


def test_carried_over_document_has_the_current_file_state(tmp_path):
    first = [entry("a", "same words"), entry("b", "others"), entry("c", "more")]
    old = SourceFile("a", encoding="an encoding of before")
    first[0] = replace(
        first[0],
        article=replace(first[0].article, document=replace(first[0].article.document, file=old)),
    )
    store = build(tmp_path / "index", first)
    document = replace(store.documents(["a"])["a"], file=SourceFile("a", "ab" * 32))
    after = build(tmp_path / "index", [], store, also=lambda writer: writer.update_metadata(document))
    assert after.documents(["a", "b"]) == {"a": document, "b": store.documents(["b"])["b"]}
    assert store.documents(["a"])["a"].file == old
    # The old state is not left in the pages of the database either.
    assert b"of before" in (store.folder / "articles.sqlite").read_bytes()
    assert b"of before" not in (after.folder / "articles.sqlite").read_bytes()
    store.close()
    after.close()


def test_terms_of_a_text_are_analyzed_once(tmp_path):
    asked = []

    def analyze_text(text):
        asked.append(text)
        return words(text)

    first = [entry("a", "one", "two", "one", title=""), entry("b", "two", title="")]
    store = build(tmp_path / "index", first, analyze=analyze_text)
    assert asked == ["one", "two"]
    more = [entry("c", "three", "one", "two", title=""), entry("d", "three", title="")]
    after = build(tmp_path / "index", more, store, analyze=analyze_text)
    assert asked == ["one", "two", "three"]
    # Also of a text that only dropped documents had, as long as the generation before has it.
    last = build(
        tmp_path / "index",
        [entry("e", "two", "four", title="")],
        after,
        ["a", "b", "c"],
        analyze=analyze_text,
    )
    assert asked == ["one", "two", "three", "four"]
    assert [each.passage.doc_id for each in last.lexical(wanted("two"), 10, NO_FILTER)] == ["e"]
    for each in (store, after, last):
        each.close()


def test_words_of_the_title_find_the_first_passage_alone(tmp_path):
    asked = []

    def analyze_text(text):
        asked.append(text)
        return words(text)

    entries = [
        entry("a", "one", "two", title="grain talks"),
        entry("b", "grain talks end", "one", title="grain talks"),  # which begins with its title
        entry("c", "one", title="port"),
    ]
    store = build(tmp_path / "index", entries, analyze=analyze_text)
    assert asked == ["grain talks\none", "two", "grain talks end", "one", "port\none"]
    for query, ids in (("grain", ["a#1", "b#1"]), ("port", ["c#1"]), ("one", ["b#2", "c#1", "a#1"])):
        found = store.lexical(wanted(query), 10, NO_FILTER)
        assert [each.passage.passage_id for each in found] == ids
    store.close()


def test_stored_terms_of_another_analysis_are_not_reused(tmp_path, monkeypatch):
    store = build(tmp_path / "index", [entry("a", "one", title="")])
    monkeypatch.setattr("indexer.store.schema.ANALYSIS_VERSION", -1)
    other = [entry("b", "one", title="")]
    after = build(tmp_path / "index", other, store, analyze=lambda _: words("other"))
    assert [each.passage.doc_id for each in after.lexical(wanted("other"), 10, NO_FILTER)] == ["b"]
    store.close()
    after.close()


def test_new_passages_take_the_rows_after_carried_over_ones(tmp_path):
    store = build(tmp_path / "index", [entry("a", "one", "two"), entry("b", "three")])
    for dropped, kept in (((), ["one", "two", "three"]), (["a"], ["three"])):
        (staging := tmp_path / f"aside {len(dropped)}").mkdir()
        writer = GenerationWriter(staging, store, dropped)
        writer.add(
            entry("c", "four", "five"), [PassageKeys(key_of(text)) for text in ("four", "five")], words
        )
        assert writer.first_new == len(kept)
        assert writer.new_keys() == [(key_of("four"), None), (key_of("five"), None)]
        new_texts = next(writer.new_texts(9))
        assert [new.row for new in new_texts] == [len(kept), len(kept) + 1]
        assert writer.texts(new_texts) == ["four", "five"]
        vectors = np.array([vector_of("four"), vector_of("five")])
        with pytest.raises(AssertionError, match=f"{len(kept) + 1} vectors for {len(kept) + 2} passages"):
            writer.finish(16, iter([vectors[:1]]))
    store.close()


def test_write_failure_raises_a_disk_error(writer):
    writer.add(entry("a", "one"), [PassageKeys(b"")], words)
    (writer.folder / "vectors.faiss").mkdir()
    with pytest.raises(OSError, match=r"vectors\.faiss"):
        writer.finish(4, iter([np.eye(1, 4, dtype=np.float32)]))
