"""Drafts over an earlier generation: what is read anew and what is taken over, counted as one archive."""

import random
from contextlib import closing
from dataclasses import replace

import pytest

from indexer.datatypes import Document
from indexer.store.staging import StagedDocuments
from tests.support.generations import build, entry, state

SOURCES = ["", "wire", "صحيفة"]
LEAST = 3


def known(doc_id, lines, *, source="wire", path=None, digest=None, longest_lines_key=None):
    """An article of an earlier generation; the first of its lines is its longest unless told otherwise."""
    made = entry(doc_id, f"text of {doc_id}", source=source, path=path)
    longest = min(lines) if longest_lines_key is None else longest_lines_key
    return replace(made, digest=digest or doc_id.encode(), longest_lines_key=longest, line_keys=set(lines))


def read_anew(drafts, made, **changes):
    """Have a draft say what an entry of an earlier generation says, but for some changes."""
    told = replace(made, **changes)
    drafts.add(told.article.document, told.digest, told.longest_lines_key, told.line_keys)


@pytest.fixture
def over(tmp_path):
    """Make drafts over a generation of these articles, of which lines are known as repeated."""
    opened = []

    def over(entries, **repeated):
        def note(writer):
            for source, counts in repeated.items():
                writer.set_repeated_lines(source, len(entries), counts)

        store = build(tmp_path / "index", entries, also=note)
        drafts = StagedDocuments(store.folder)
        opened.extend((drafts, store))
        return drafts

    yield over
    for each in opened:
        each.close()


def test_an_earlier_generation_counts_until_its_files_are_forgotten(over):
    drafts = over(
        [known("a", [1, 5]), known("b", [2, 5]), known("c", [1, 6]), known("d", [9], source="post")]
    )
    assert drafts.articles("wire") == 2  # a and c are copies of one article
    assert drafts.repeated_lines("wire", 1) == {1: 1, 2: 1, 5: 2, 6: 1}
    assert drafts.repeated_lines("wire", 2) == {5: 2}
    assert drafts.sources() == []
    drafts.forget("b")
    drafts.forget("b")
    drafts.forget("nowhere")
    assert drafts.sources() == ["wire"]
    assert (drafts.articles("wire"), drafts.articles("post")) == (1, 1)
    assert drafts.repeated_lines("wire", 1) == {1: 1, 5: 1, 6: 1}
    drafts.add(Document("e", "", "", "wire", "en"), b"", 7, {7, 5})
    assert drafts.articles("wire") == 2
    assert drafts.repeated_lines("wire", 2) == {5: 2}


def test_a_copy_that_is_read_anew_is_no_other_article(over):
    drafts = over([known("a", [1, 5]), known("b", [1, 5])])
    drafts.forget("b")
    read_anew(drafts, known("b", [1, 5]))
    assert drafts.articles("wire") == 1
    assert drafts.repeated_lines("wire", 1) == {1: 1, 5: 1}


def test_what_is_as_it_was_is_taken_over_and_what_changed_is_not(over):
    before = [known(name, [number]) for number, name in enumerate("abcd")]
    drafts = over(before)
    for name in "abc":
        drafts.forget(name)
    read_anew(drafts, before[0])
    read_anew(drafts, before[1], digest=b"another")
    drafts.add(Document("new", "", "", "wire", "en"), b"a", 9, {9})
    assert not drafts.has("d")
    assert drafts.plan_changes() == {"b", "c"}
    assert [(each.doc_id, digest) for each, digest, _ in drafts.to_write()] == [
        ("b", b"another"),
        ("new", b"a"),
    ]
    assert [each.doc_id for each in drafts.metadata_updates()] == ["a"]
    assert drafts.count_to_write() == 2


def test_all_records_of_a_file_are_forgotten_with_it(over):
    drafts = over([known("f::1", [1], path="f"), known("f::2", [2], path="f"), known("g", [3])])
    drafts.forget("f")
    read_anew(drafts, known("f::2", [2], path="f"))
    assert drafts.articles("wire") == 2
    assert drafts.plan_changes() == {"f::1"}
    assert drafts.count_to_write() == 0


def test_what_holds_a_line_that_became_repeated_is_named_and_then_written_anew(over):
    before = [known("a", [1, 50]), known("b", [2, 50]), known("c", [3]), known("d", [50, 4], source="post")]
    drafts = over(before)
    drafts.add(Document("e", "", "", "wire", "en"), b"", 5, {5, 50})
    drafts.mark_threshold_crossings("wire", drafts.repeated_lines("wire", LEAST))
    assert drafts.files_with_crossed_lines() == {"a", "b"}
    for made in before[:2]:
        drafts.forget(made.article.document.doc_id)
        read_anew(drafts, made)
    drafts.mark_threshold_crossings("wire", drafts.repeated_lines("wire", LEAST))
    assert drafts.files_with_crossed_lines() == set()
    assert drafts.plan_changes() == {"a", "b"}  # their digests are as they were; what is cut of them is not
    assert {each.doc_id for each, *_ in drafts.to_write()} == {"a", "b", "e"}
    assert list(drafts.metadata_updates()) == []


def test_what_holds_a_line_that_is_repeated_no_more_is_named_too(over):
    before = [known(name, [number, 50]) for number, name in enumerate("abc")]
    drafts = over(before, wire={50: 3})
    drafts.mark_threshold_crossings("wire", drafts.repeated_lines("wire", LEAST))
    assert drafts.files_with_crossed_lines() == set()
    drafts.forget("a")
    drafts.mark_threshold_crossings("wire", drafts.repeated_lines("wire", LEAST))
    assert drafts.files_with_crossed_lines() == {"b", "c"}
    # Where it is read and is repeated again, nobody is asked for it.
    read_anew(drafts, before[0])
    drafts.mark_threshold_crossings("wire", drafts.repeated_lines("wire", LEAST))
    assert drafts.files_with_crossed_lines() == set()
    assert drafts.plan_changes() == set()


def test_what_crosses_in_one_source_does_not_in_another(over):
    before = [known("a", [1, 50]), known("b", [2, 50], source="post")]
    drafts = over(before, wire={50: 1}, post={50: 1})
    drafts.mark_threshold_crossings("wire", ())
    drafts.mark_threshold_crossings("post", {50})
    assert drafts.files_with_crossed_lines() == {"a"}


def test_of_a_file_that_fails_what_was_forgotten_before_stays_forgotten(over):
    drafts = over([known("a", [1]), known("b", [2])])
    drafts.forget("a")
    with pytest.raises(ValueError, match="no text"), drafts.whole_file():
        read_anew(drafts, known("a", [1]))
        raise ValueError("no text")
    assert not drafts.has("a")
    assert drafts.plan_changes() == {"a"}
    assert drafts.articles("wire") == 1


def test_the_earlier_generation_is_left_as_it_is(tmp_path):
    with closing(build(tmp_path / "index", [known("a", [1, 5])])) as store:
        before = state(store.folder)
        with closing(StagedDocuments(store.folder)) as drafts:
            drafts.forget("a")
            read_anew(drafts, known("a", [1, 5]))
            drafts.mark_threshold_crossings("wire", {5})
            drafts.plan_changes()
        assert state(store.folder) == before


@pytest.mark.parametrize("seed", range(6))
def test_counts_and_decisions_are_those_of_sets_worked_out_by_hand(over, seed):
    draw = random.Random(seed)

    def made(number):
        lines = draw.sample(range(30), 4)
        return known(
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
    drafts = over(list(before.values()), **was)
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
        drafts.forget(f"file {number}")
    for each in fresh.values():
        read_anew(drafts, each)
    now |= fresh
    touched |= {source_of(each) for each in fresh.values()}

    assert drafts.sources() == sorted(touched)
    crossed = set()
    for source in SOURCES:
        articles, repeated = counted(now, source)
        assert drafts.articles(source) == articles
        assert drafts.repeated_lines(source, LEAST) == repeated
        drafts.mark_threshold_crossings(source, repeated)
        crossed |= {(source, line) for line in was[source].keys() ^ repeated.keys()}
    assert crossed

    def has_crossed(each):
        return any((source_of(each), line) in crossed for line in each.line_keys)

    assert drafts.files_with_crossed_lines() == {
        each.article.document.file.path
        for name, each in now.items()
        if name not in fresh and has_crossed(each)
    }
    taken_over = {
        name for name, each in fresh.items()
        if name in before and each.digest == before[name].digest and not has_crossed(each)
    }  # fmt: skip
    assert drafts.plan_changes() == {name for name in before if int(name) // 3 in gone} - taken_over
    assert {each.doc_id for each in drafts.metadata_updates()} == taken_over
    assert [each.doc_id for each, *_ in drafts.to_write()] == [
        name for name in fresh if name not in taken_over
    ]
