"""Staging over a base: reread and carried-over articles, counted as one archive."""

import random
from contextlib import closing
from dataclasses import replace

import pytest

from indexer.datatypes import Document
from indexer.store.staging import StagedDocuments
from tests.support.generations import build, entry, state

SOURCES = ["", "wire", "صحيفة"]
LEAST = 3


def base_entry(doc_id, lines, *, source="wire", path=None, digest=None, longest_lines_key=None):
    """An article of the base; the first of its lines is its longest by default."""
    made = entry(doc_id, f"text of {doc_id}", source=source, path=path)
    longest = min(lines) if longest_lines_key is None else longest_lines_key
    return replace(made, digest=digest or doc_id.encode(), longest_lines_key=longest, line_keys=set(lines))


def reread(staged, made, **changes):
    """Stage the document of an entry of the base, with some changes."""
    told = replace(made, **changes)
    staged.add(told.article.document, told.digest, told.longest_lines_key, told.line_keys)


@pytest.fixture
def over(tmp_path):
    """Stage documents over a generation of these articles, with these repeated lines."""
    opened = []

    def over(entries, **repeated):
        def note(writer):
            for source, counts in repeated.items():
                writer.set_repeated_lines(source, len(entries), counts)

        store = build(tmp_path / "index", entries, also=note)
        staged = StagedDocuments(store.folder)
        opened.extend((staged, store))
        return staged

    yield over
    for each in opened:
        each.close()


def test_base_counts_until_its_files_are_dropped(over):
    staged = over(
        [
            base_entry("a", [1, 5]),
            base_entry("b", [2, 5]),
            base_entry("c", [1, 6]),
            base_entry("d", [9], source="post"),
        ]
    )
    assert staged.articles("wire") == 2  # a and c are duplicates
    assert staged.repeated_lines("wire", 1) == {1: 1, 2: 1, 5: 2, 6: 1}
    assert staged.repeated_lines("wire", 2) == {5: 2}
    assert staged.sources() == []
    staged.forget("b")
    staged.forget("b")
    staged.forget("nowhere")
    assert staged.sources() == ["wire"]
    assert (staged.articles("wire"), staged.articles("post")) == (1, 1)
    assert staged.repeated_lines("wire", 1) == {1: 1, 5: 1, 6: 1}
    staged.add(Document("e", "", "", "wire", "en"), b"", 7, {7, 5})
    assert staged.articles("wire") == 2
    assert staged.repeated_lines("wire", 2) == {5: 2}


def test_reread_duplicate_is_not_a_new_article(over):
    staged = over([base_entry("a", [1, 5]), base_entry("b", [1, 5])])
    staged.forget("b")
    reread(staged, base_entry("b", [1, 5]))
    assert staged.articles("wire") == 1
    assert staged.repeated_lines("wire", 1) == {1: 1, 5: 1}


def test_unchanged_articles_are_carried_over_and_changed_ones_are_not(over):
    before = [base_entry(name, [number]) for number, name in enumerate("abcd")]
    staged = over(before)
    for name in "abc":
        staged.forget(name)
    reread(staged, before[0])
    reread(staged, before[1], digest=b"another")
    staged.add(Document("new", "", "", "wire", "en"), b"a", 9, {9})
    assert not staged.has("d")
    assert staged.plan_changes() == {"b", "c"}
    assert [(each.doc_id, digest) for each, digest, _ in staged.to_write()] == [
        ("b", b"another"),
        ("new", b"a"),
    ]
    assert [each.doc_id for each in staged.metadata_updates()] == ["a"]
    assert staged.count_to_write() == 2


def test_all_records_of_a_file_are_dropped_with_it(over):
    staged = over(
        [base_entry("f::1", [1], path="f"), base_entry("f::2", [2], path="f"), base_entry("g", [3])]
    )
    staged.forget("f")
    reread(staged, base_entry("f::2", [2], path="f"))
    assert staged.articles("wire") == 2
    assert staged.plan_changes() == {"f::1"}
    assert staged.count_to_write() == 0


def test_articles_with_a_newly_repeated_line_are_named_and_rewritten(over):
    before = [
        base_entry("a", [1, 50]),
        base_entry("b", [2, 50]),
        base_entry("c", [3]),
        base_entry("d", [50, 4], source="post"),
    ]
    staged = over(before)
    staged.add(Document("e", "", "", "wire", "en"), b"", 5, {5, 50})
    staged.mark_threshold_crossings("wire", staged.repeated_lines("wire", LEAST))
    assert staged.files_with_crossed_lines() == {"a", "b"}
    for made in before[:2]:
        staged.forget(made.article.document.doc_id)
        reread(staged, made)
    staged.mark_threshold_crossings("wire", staged.repeated_lines("wire", LEAST))
    assert staged.files_with_crossed_lines() == set()
    assert staged.plan_changes() == {"a", "b"}  # their digests are unchanged; their cuts are not
    assert {each.doc_id for each, *_ in staged.to_write()} == {"a", "b", "e"}
    assert list(staged.metadata_updates()) == []


def test_articles_with_a_no_longer_repeated_line_are_named(over):
    before = [base_entry(name, [number, 50]) for number, name in enumerate("abc")]
    staged = over(before, wire={50: 3})
    staged.mark_threshold_crossings("wire", staged.repeated_lines("wire", LEAST))
    assert staged.files_with_crossed_lines() == set()
    staged.forget("a")
    staged.mark_threshold_crossings("wire", staged.repeated_lines("wire", LEAST))
    assert staged.files_with_crossed_lines() == {"b", "c"}
    # Once it is reread and the line is repeated again, no file is named.
    reread(staged, before[0])
    staged.mark_threshold_crossings("wire", staged.repeated_lines("wire", LEAST))
    assert staged.files_with_crossed_lines() == set()
    assert staged.plan_changes() == set()


def test_crossed_thresholds_are_separate_for_each_source(over):
    before = [base_entry("a", [1, 50]), base_entry("b", [2, 50], source="post")]
    staged = over(before, wire={50: 1}, post={50: 1})
    staged.mark_threshold_crossings("wire", ())
    staged.mark_threshold_crossings("post", {50})
    assert staged.files_with_crossed_lines() == {"a"}


def test_failed_file_keeps_earlier_drops(over):
    staged = over([base_entry("a", [1]), base_entry("b", [2])])
    staged.forget("a")
    with pytest.raises(ValueError, match="no text"), staged.whole_file():
        reread(staged, base_entry("a", [1]))
        raise ValueError("no text")
    assert not staged.has("a")
    assert staged.plan_changes() == {"a"}
    assert staged.articles("wire") == 1


def test_base_is_unchanged(tmp_path):
    with closing(build(tmp_path / "index", [base_entry("a", [1, 5])])) as store:
        before = state(store.folder)
        with closing(StagedDocuments(store.folder)) as staged:
            staged.forget("a")
            reread(staged, base_entry("a", [1, 5]))
            staged.mark_threshold_crossings("wire", {5})
            staged.plan_changes()
        assert state(store.folder) == before


@pytest.mark.parametrize("seed", range(6))
def test_counts_and_decisions_equal_the_set_reference(over, seed):
    draw = random.Random(seed)

    def made(number):
        lines = draw.sample(range(30), 4)
        return base_entry(
            f"{number}",
            lines,
            source=draw.choice(SOURCES),
            path=f"file {number // 3}",
            longest_lines_key=lines[0],
        )

    def source_of(each):
        return each.article.document.source

    before = {each.article.document.doc_id: each for each in map(made, range(60))}

    def counted(entries, source):
        own = [each for each in entries.values() if source_of(each) == source]
        lines = {line for each in own for line in each.line_keys}
        holding = {
            line: len({each.longest_lines_key for each in own if line in each.line_keys}) for line in lines
        }
        return len({each.longest_lines_key for each in own}), {
            line: n for line, n in holding.items() if n >= LEAST
        }

    was = {source: counted(before, source)[1] for source in SOURCES}
    staged = over(list(before.values()), **was)
    gone = set(draw.sample(range(20), 6))
    now = {name: each for name, each in before.items() if int(name) // 3 not in gone}
    fresh, touched = {}, set()
    for name, each in before.items():
        if name in now:
            continue
        touched.add(source_of(each))
        what = draw.choice(["same", "changed", "removed"])
        if what != "removed":
            fresh[name] = each if what == "same" else replace(made(int(name)), digest=b"changed")
    for number in range(60, 66):
        fresh[f"{number}"] = made(number)
    for number in gone:
        staged.forget(f"file {number}")
    for each in fresh.values():
        reread(staged, each)
    now |= fresh
    touched |= {source_of(each) for each in fresh.values()}

    assert staged.sources() == sorted(touched)
    crossed = set()
    for source in SOURCES:
        articles, repeated = counted(now, source)
        assert staged.articles(source) == articles
        assert staged.repeated_lines(source, LEAST) == repeated
        staged.mark_threshold_crossings(source, repeated)
        crossed |= {(source, line) for line in was[source].keys() ^ repeated.keys()}
    assert crossed

    def has_crossed(each):
        return any((source_of(each), line) in crossed for line in each.line_keys)

    assert staged.files_with_crossed_lines() == {
        each.article.document.file.path
        for name, each in now.items()
        if name not in fresh and has_crossed(each)
    }
    taken_over = {
        name for name, each in fresh.items()
        if name in before and each.digest == before[name].digest and not has_crossed(each)
    }  # fmt: skip
    assert staged.plan_changes() == {name for name in before if int(name) // 3 in gone} - taken_over
    assert {each.doc_id for each in staged.metadata_updates()} == taken_over
    assert [each.doc_id for each, *_ in staged.to_write()] == [
        name for name in fresh if name not in taken_over
    ]
