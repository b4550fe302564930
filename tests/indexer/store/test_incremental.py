"""A generation that begins with the one before is, by value, the one that is made at once."""

import os
import random
import sqlite3
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from indexer.datatypes import Cut, SourceFile
from indexer.errors import IndexDamaged
from indexer.store.base import SeenFile
from indexer.store.folder import SPACE_FILE, IndexFolder
from indexer.store.reader import GenerationReader
from indexer.store.schema import unpack_terms
from indexer.store.staging import StagedDocuments
from tests.support.generations import (
    DIMENSION,
    NO_FILTER,
    build,
    entry,
    flip,
    only,
    state,
    texts_of,
    unit,
    vector_of,
    wanted,
    without_names,
)

WORDS = ["grain", "talks", "port", "winter", "bread", "قمة", "هدنة", "سلام", "ميناء", "خبز"]
SOURCES = ["wire", "", "صحيفة المرفأ"]


def made_up(first, count, seed):
    """Articles of words drawn at random, some of them repeating a passage of another."""
    draw = random.Random(seed)
    shared = [" ".join(draw.choices(WORDS, k=12)) for _ in range(4)]
    entries = []
    for number in range(first, first + count):
        texts = [f"{' '.join(draw.choices(WORDS, k=draw.randint(3, 30)))} {number}" for _ in range(3)]
        lines = draw.sample(range(20), 5)
        doc_id = f"{draw.randrange(10**6):06}/{number}.txt"
        entries.append(
            replace(
                entry(
                    doc_id, *texts[: draw.randint(1, 3)], draw.choice(shared),
                    lang=draw.choice(["ar", "en"]), source=draw.choice(SOURCES),
                    published=draw.choice([None, "2025-03-01", "2025-10-01"]),
                    cuts=(Cut(9, 0, 1, "tags"), Cut(10, 1, 2, "repeated", 3)),
                ),
                longest_lines_key=lines[0], line_keys=lines, repeated_line_keys={10: lines[1]},
            )
        )  # fmt: skip
    return entries


def noting(entries):
    """What a build has the writer note of a whole archive."""

    def note(writer):
        writer.set_files(
            {each.article.document.doc_id: SeenFile("ab" * 32, None) for each in entries},
            [("a.jsonl", "a.jsonl::1", "no text")],
        )
        for source in SOURCES:
            own = [each for each in entries if each.article.document.source == source]
            counts = {line: sum(line in each.line_keys for each in own) for line in range(20)}
            writer.set_repeated_lines(source, len(own), counts)

    return note


def spelled_words(store):
    with closing(sqlite3.connect(store.folder / "articles.sqlite")) as articles:
        return sorted(articles.execute("SELECT key, word FROM spellings"))


def assert_alike(one, other, entries):
    """Hold two generations of these articles against each other, by all that can be asked of them."""
    passages = [passage for each in entries for passage in each.article.passages]
    assert without_names(one.manifest) == without_names(other.manifest)
    assert one.digests() == other.digests() == {e.article.document.doc_id: e.digest for e in entries}
    assert (one.files(), one.failures()) == (other.files(), other.failures())
    for each in entries:
        doc_id = each.article.document.doc_id
        assert one.article(doc_id) == other.article(doc_id)
        assert one.documents([doc_id]) == {doc_id: each.article.document}
    assert spelled_words(one) == spelled_words(other)
    vectors = np.array([vector_of(text) for text in texts_of(entries)])
    for place, axis in enumerate(np.eye(DIMENSION, dtype=np.float32)):
        expected = vectors[:, place].tolist()
        assert one.cosines(axis, passages) == other.cosines(axis, passages) == expected
    draw, numbers = random.Random(5), np.random.default_rng(5)
    for filters in (NO_FILTER, only("ar"), only(source=""), only("en", "wire", "2025-03-01")):
        assert one.undated(filters) == other.undated(filters)
        for depth in (1, 7, 40, 1_000):
            vector = unit(numbers.normal(size=DIMENSION))
            asked = wanted(*draw.sample(WORDS, draw.randint(1, 5)))
            dense, lexical = one.dense(vector, depth, filters), one.lexical(asked, depth, filters)
            assert dense == other.dense(vector, depth, filters)
            assert lexical == other.lexical(asked, depth, filters)
            assert dense
            assert lexical
    for source in SOURCES:
        with closing(StagedDocuments(one.folder)) as ours, closing(StagedDocuments(other.folder)) as theirs:
            assert ours.articles(source) == theirs.articles(source)
            assert ours.repeated_lines(source, 1) == theirs.repeated_lines(source, 1)
            for staged in (ours, theirs):  # the noted repeated lines are the same: all of them cross
                staged.mark_threshold_crossings(source, ())
            assert ours.files_with_crossed_lines() == theirs.files_with_crossed_lines()


def test_additions_equal_a_full_write(tmp_path):
    first, more = made_up(0, 40, seed=1), made_up(40, 25, seed=2)
    base = build(tmp_path / "index", first, also=noting(first))
    grown = build(tmp_path / "index", more, base, also=noting(first + more))
    whole = build(tmp_path / "other", first + more, also=noting(first + more))
    assert_alike(grown, whole, first + more)
    assert base.size() == (40, sum(len(each.article.passages) for each in first))
    for store in (base, grown, whole):
        store.close()


def test_drops_and_additions_equal_a_full_write(tmp_path):
    first, more = made_up(0, 40, seed=1), made_up(40, 15, seed=2)
    dropped = [each.article.document.doc_id for each in first[::3]]
    changed = entry(dropped[0], "another text of the same article", "grain talks", lang="ar", source="")
    kept = [each for each in first if each.article.document.doc_id not in dropped]
    base = build(tmp_path / "index", first, also=noting(first))
    now = [*kept, *more, changed]
    left = build(tmp_path / "index", [*more, changed], base, dropped, also=noting(now))
    whole = build(tmp_path / "other", now, also=noting(now))
    assert_alike(left, whole, now)
    for doc_id in dropped[1:]:
        assert left.article(doc_id) is None
        assert base.article(doc_id) is not None
    for store in (base, left, whole):
        store.close()


def test_generation_that_carries_over_everything_equals_its_base(tmp_path):
    entries = made_up(0, 12, seed=3)
    base = build(tmp_path / "index", entries, also=noting(entries))
    same = build(tmp_path / "index", [], base)
    assert_alike(same, base, entries)
    base.close()
    same.close()


def test_all_articles_may_be_dropped(tmp_path):
    entries = made_up(0, 5, seed=3)
    base = build(tmp_path / "index", entries)
    bare = build(tmp_path / "index", [], base, [each.article.document.doc_id for each in entries])
    assert bare.size() == (0, 0)
    assert bare.lexical(wanted(*WORDS), 10, NO_FILTER) == []
    assert bare.dense(unit(np.ones(DIMENSION)), 10, NO_FILTER) == []
    after = build(tmp_path / "index", entries, bare)
    again = build(tmp_path / "other", entries)
    assert_alike(after, again, entries)
    for store in (base, bare, after, again):
        store.close()


def test_chain_of_generations_equals_a_full_write(tmp_path):
    """More than Tantivy leaves as segments of their own: it merges them some day."""
    entries = made_up(0, 20, seed=4)
    store = build(tmp_path / "index", entries[:1])
    for each in entries[1:]:
        base, store = store, build(tmp_path / "index", [each], store)
        base.close()
    whole = build(tmp_path / "other", entries)
    assert_alike(store, whole, entries)
    store.close()
    whole.close()


# --- links ---------------------------------------------------------------------------------------


def shared_files(one, other):
    return {
        name for name in one.manifest.files.keys() & other.manifest.files.keys()
        if (one.folder / name).samefile(other.folder / name)
    }  # fmt: skip


def test_only_immutable_tantivy_files_are_linked(tmp_path):
    first, more = made_up(0, 9, seed=1), made_up(9, 4, seed=2)
    base = build(tmp_path / "index", first)
    grown = build(tmp_path / "index", more, base)
    segments = {name for name in base.manifest.files if name.startswith("terms/") and "json" not in name}
    assert segments
    assert shared_files(base, grown) == segments
    assert all(grown.manifest.files[name] == base.manifest.files[name] for name in segments)
    apart = build(tmp_path / "index", [], grown, [more[0].article.document.doc_id])
    assert shared_files(grown, apart) == set()
    for store in (base, grown, apart):
        store.close()


def test_later_generations_change_no_earlier_one(tmp_path):
    """Neither building on it, with links or without, nor searching in it or in what shares its files."""
    first, more = made_up(0, 9, seed=1), made_up(9, 4, seed=2)
    base = build(tmp_path / "index", first, also=noting(first))
    before = state(base.folder)
    grown = build(tmp_path / "index", more, base, earlier=[base.generation], also=noting(first + more))
    after_growth = state(grown.folder)
    assert state(base.folder) == before
    dropped = [each.article.document.doc_id for each in first[:3]]
    kept = [grown.generation, base.generation]
    apart = build(tmp_path / "index", [], grown, dropped, earlier=kept, keep=3)
    for store in (base, grown, apart):
        again = GenerationReader.open_generation(IndexFolder(tmp_path / "index"), store.generation)
        for each in (store, again):
            assert each.lexical(wanted(*WORDS), 10, NO_FILTER)
            assert each.dense(unit(np.ones(DIMENSION)), 10, only("ar"))
            each.close()
    assert state(base.folder) == before
    assert state(grown.folder) == after_growth


def test_removing_a_generation_keeps_shared_files_of_the_next(tmp_path):
    first, more = made_up(0, 9, seed=1), made_up(9, 4, seed=2)
    base = build(tmp_path / "index", first)
    grown = build(tmp_path / "index", more, base, keep=1)
    assert not base.folder.exists()
    folder = IndexFolder(tmp_path / "index")
    assert list(folder.damages(folder.manifest(grown.generation))) == []
    with (
        closing(GenerationReader.open(folder)) as store,
        closing(build(tmp_path / "b", first + more)) as whole,
    ):
        assert_alike(store, whole, first + more)
    base.close()
    grown.close()


def test_files_are_copied_where_links_are_refused(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(95, "Operation not supported")

    first, more = made_up(0, 9, seed=1), made_up(9, 4, seed=2)
    base = build(tmp_path / "index", first)
    linked = build(tmp_path / "index", more, base, earlier=[base.generation])
    with monkeypatch.context() as patch:
        patch.setattr(os, "link", refuse)
        kept = [linked.generation, base.generation]
        copied = build(tmp_path / "index", more, base, earlier=kept, keep=3)
    assert shared_files(base, copied) == set()
    assert {name for name in base.manifest.files if "terms/" in name and "json" not in name} <= {
        name for name, sha256 in copied.manifest.files.items() if base.manifest.files.get(name) == sha256
    }
    assert_alike(copied, linked, first + more)
    for store in (base, linked, copied):
        store.close()


def test_vector_space_file_is_linked(tmp_path):
    def save(writer):
        (writer.folder / SPACE_FILE).write_bytes(b"a space")

    base = build(tmp_path / "index", made_up(0, 2, seed=1), also=save)
    after = build(tmp_path / "index", [], base, also=lambda writer: writer.carry_over(base.space_path()))
    assert after.space_path() == after.folder / SPACE_FILE
    assert after.space_path().samefile(base.space_path())
    assert after.space_path().read_bytes() == b"a space"
    bare = build(tmp_path / "other", [])
    assert bare.space_path() is None
    for store in (base, after, bare):
        store.close()


def test_file_damaged_before_carry_over_is_found_before_serving(tmp_path):
    """The sum of a linked file is that of the generation before: it is read once, with all others."""
    base = build(tmp_path / "index", made_up(0, 4, seed=1))
    folder = IndexFolder(tmp_path / "index")
    linked = next(name for name in base.manifest.files if name.endswith(".idx"))
    with pytest.raises(IndexDamaged, match=r"\.idx of \S+ has changed since it was built.*--rebuild"):
        build(tmp_path / "index", [], base, also=lambda _: flip(base.folder / linked, 30))
    assert folder.current() == base.generation
    flip(base.folder / linked, 30)
    with closing(GenerationReader.open(folder)) as store:
        assert (store.generation, store.damage) == (base.generation, None)
    after = build(tmp_path / "index", [], base)
    assert folder.found() == [after.generation, base.generation]
    base.close()
    after.close()


# --- dropped articles are gone --------------------------------------------------------------------

SECRETS = {
    "text": "zqxjunusual", "title": "zqxjheading", "source": "zqxjnewspaper", "metadata": "zqxjwriter",
    "doc_id": "zqxjname",
}  # fmt: skip


def private(common):
    """An article with a unique word in each of its parts, among common ones."""
    made = entry(f"{SECRETS['doc_id']}.txt", f"{SECRETS['text']} {common}", common, source=SECRETS["source"])
    document = replace(
        made.article.document, title=SECRETS["title"], author=SECRETS["metadata"], file=SourceFile("p")
    )
    return replace(made, article=replace(made.article, document=document), line_keys=[1], longest_lines_key=1)


def holding(store, word):
    """The files of a generation that hold a word, as it is or packed; and whether its terms do."""
    forms = [word.encode(), word.encode("utf-16-le")]
    found = {
        path.relative_to(store.folder).as_posix()
        for path in store.folder.rglob("*")
        if path.is_file() and any(form in path.read_bytes() for form in forms)
    }
    with closing(sqlite3.connect(store.folder / "articles.sqlite")) as articles:
        kept = [unpack_terms(terms) for (terms,) in articles.execute("SELECT terms FROM terms")]
    return found, any(word in terms for each in kept for terms in each.values())


@pytest.mark.parametrize("back", [False, True])
def test_dropped_articles_are_in_no_file(tmp_path, back):
    """Also where an article of the same id takes its place, and whatever content is around it."""
    others = [*made_up(0, 30, seed=6), private(WORDS[0]), *made_up(30, 30, seed=7)]
    base = build(tmp_path / "index", others, also=noting(others))
    for part, word in SECRETS.items():
        found, packed = holding(base, word)
        assert "articles.sqlite" in found
        assert packed == (part in ("text", "title"))
    doc_id = others[30].article.document.doc_id
    again = [entry(doc_id, "words that may be read")] if back else []
    after = build(tmp_path / "index", again, base, [doc_id], also=noting(made_up(0, 3, seed=8)))
    gone = dict(SECRETS)
    if back:
        del gone["doc_id"]
    assert {word: holding(after, word) for word in gone.values()} == dict.fromkeys(
        gone.values(), (set(), False)
    )
    vector = vector_of(f"{SECRETS['text']} {WORDS[0]}").tobytes()
    assert vector in (base.folder / "vectors.faiss").read_bytes()
    assert vector not in (after.folder / "vectors.faiss").read_bytes()
    assert base.lexical(wanted(SECRETS["text"]), 10, NO_FILTER)
    assert after.lexical(wanted(SECRETS["text"]), 10, NO_FILTER) == []
    assert (after.article(doc_id) is not None) == back
    assert SECRETS["source"] not in after.manifest.sources
    base.close()
    after.close()


def test_text_shared_with_another_article_is_kept(tmp_path):
    one, other = entry("a", "alone", "grain talks"), entry("b", "port", "grain talks")
    base = build(tmp_path / "index", [one, other])
    after = build(tmp_path / "index", [], base, ["a"])
    assert [each.passage.doc_id for each in after.lexical(wanted("grain"), 10, NO_FILTER)] == ["b"]
    with closing(sqlite3.connect(after.folder / "articles.sqlite")) as articles:
        kept = [unpack_terms(terms)["stem"] for (terms,) in articles.execute("SELECT terms FROM terms")]
    assert sorted(kept) == ["Title b port", "grain talks"]
    base.close()
    after.close()


def test_unknown_id_may_be_dropped(tmp_path):
    entries = made_up(0, 6, seed=9)
    base = build(tmp_path / "index", entries)
    after = build(tmp_path / "index", [], base, ["nowhere", "' OR 1=1 --"])
    assert_alike(after, base, entries)
    base.close()
    after.close()
