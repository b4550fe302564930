"""The articles of an archive that is read whole: cut lines, digests, sidecars and progress."""

import gzip
import json
from contextlib import closing

import pytest

from indexer.boilerplate.repetition import line_key, line_keys
from indexer.building.changes import Changes
from indexer.datatypes import RepeatedLine
from indexer.ingest.files import find_files
from indexer.store.writer import REPEATED_LISTED
from tests.support.edited_archives import LINE, build, cuts_of, put, put_voyages, voyage
from tests.support.fakes import FakeModel

SECRET = bytes(range(32))


def take_in(folder, fields=None, progress=None, secret=SECRET):
    """Read a whole archive; returns the changes, closed, and each prepared article, by id."""
    with closing(Changes(folder, fields or {}, secret, progress=progress)) as changes:
        changes.read(list(find_files(folder)))
        entries = {entry.article.document.doc_id: entry for entry in changes.prepare(FakeModel())}
        source = changes.source()
        assert (source.needs_model, source.dropped) == (bool(entries), set())
    return changes, entries


def test_a_line_that_five_articles_of_a_source_have_is_cut_from_each(folder):
    put_voyages(folder, "wire", 5, LINE)
    put_voyages(folder, "wire", 3, first=20)
    _, articles = take_in(folder)
    assert cuts_of(articles) == {f"wire/v0{number}.txt": [(3, "repeated", 5)] for number in range(5)}
    assert all(LINE not in entry.article.document.text for entry in articles.values())
    assert build(folder).repeated == (RepeatedLine("wire", 5, "wire/v00.txt", 3),)


def test_a_line_that_four_articles_have_is_kept(folder):
    put_voyages(folder, "wire", 4, LINE)
    assert cuts_of(take_in(folder)[1]) == {}
    assert build(folder).repeated == ()


def test_a_line_counts_in_its_own_source_only(folder):
    put_voyages(folder, "wire", 6, LINE)
    put_voyages(folder, "post", 4, LINE, first=30)
    put_voyages(folder, "deep/post", 4, LINE, first=60)
    _, articles = take_in(folder)
    assert cuts_of(articles).keys() == {f"wire/v0{number}.txt" for number in range(6)}


def test_source_comes_from_records_and_sidecars_before_the_folder(folder):
    records = [{"text": voyage(number, LINE), "source": "Wire"} for number in range(3)]
    put(folder, **{"feed.jsonl": "".join(json.dumps(record) + "\n" for record in records)})
    put_voyages(folder, "a", 1, LINE, first=10)
    put_voyages(folder, "b", 1, LINE, first=20)
    put(
        folder, **{"a__v10.meta.json": '{"source": "Wire"}', "b__metadata.csv": "file,source\nv20.txt,Wire\n"}
    )
    _, articles = take_in(folder)
    assert {entry.article.document.source for entry in articles.values()} == {"Wire"}
    assert len(cuts_of(articles)) == 5


def test_a_larger_source_needs_more_articles(folder):
    put_voyages(folder, "wire", 6, LINE)
    put_voyages(folder, "wire", 64, first=10)  # seven of seventy are a tenth
    assert cuts_of(take_in(folder)[1]) == {}
    put_voyages(folder, "wire", 1, LINE, first=90)
    put_voyages(folder, "wire", 1, LINE, first=91)
    assert len(cuts_of(take_in(folder)[1])) == 8


def test_duplicate_articles_count_as_one_and_keep_all_lines(folder):
    put(folder, **{f"wire__copy{number}": voyage(1, LINE) for number in range(20)})
    put_voyages(folder, "wire", 3, LINE, first=10)
    assert cuts_of(take_in(folder)[1]) == {}
    put_voyages(folder, "wire", 1, LINE, first=20)
    cuts = cuts_of(take_in(folder)[1])
    assert len(cuts) == 24  # the duplicates lose the line too, which stands in five articles
    assert {item for cut in cuts.values() for item in cut} == {(3, "repeated", 5)}


@pytest.mark.parametrize("number", [1, 2])
def test_articles_that_share_their_longest_lines_are_not_duplicates(folder, number):
    notices = [f"Notice {index}: what stands here was written by the crews of the ships it speaks of, and by nobody "
               f"else, and who finds a fault in it writes to the house at pier {index}." for index in range(number)]  # fmt: skip
    put_voyages(folder, "wire", 8, LINE, *notices)
    cuts = cuts_of(take_in(folder)[1])
    assert {position for position, *_ in cuts.get("wire/v00.txt", [])} == set(range(3, 4 + number))


def test_versions_of_one_article_keep_their_shared_lines(folder):
    """A report that was stored each time it grew: its paragraphs stand in many files and are not boilerplate."""
    shared = [f"The storm reached the {quay} quay in the night and took with it what stood there, the mayor said."
              for quay in ("north", "south", "west")]  # fmt: skip
    for number in range(8):
        news = f"Boat number {number} was found on day {number} by the {number} men who had gone out to look for it, and it was empty."
        put(folder, **{f"wire__version{number}": "\n".join(["The storm", *shared, news]) + "\n"})
    _, articles = take_in(folder)
    assert cuts_of(articles) == {}


def test_line_is_the_same_with_other_spaces_and_line_ends(folder):
    for number, line in enumerate(
        [LINE, f"  {LINE}", LINE.replace(" ", "  "), f"{LINE}\t", LINE.replace(" ", "\u00a0")]
    ):
        (folder / f"{number}.txt").write_bytes(
            voyage(number, line).replace("\n", ["\n", "\r\n", "\r"][number % 3]).encode()
        )
    _, articles = take_in(folder)
    assert {item for cut in cuts_of(articles).values() for item in cut} == {(3, "repeated", 5)}
    assert len(cuts_of(articles)) == 5


def test_a_line_twice_in_one_article_counts_once_and_is_cut_twice(folder):
    put_voyages(folder, "wire", 4, LINE, LINE)
    assert cuts_of(take_in(folder)[1]) == {}
    put_voyages(folder, "wire", 1, LINE, LINE, first=10)
    assert set(map(tuple, cuts_of(take_in(folder)[1]).values())) == {((3, "repeated", 5), (4, "repeated", 5))}


def test_digest_depends_on_the_text_read_and_not_on_cuts(folder):
    put_voyages(folder, "wire", 4, LINE)
    before = {doc_id: entry.digest for doc_id, entry in take_in(folder)[1].items()}
    put_voyages(folder, "wire", 1, LINE, first=10)
    _, articles = take_in(folder)
    assert len(cuts_of(articles)) == 5
    assert before.items() <= {doc_id: entry.digest for doc_id, entry in articles.items()}.items()
    put(folder, wire__v00=voyage(0, f"{LINE}s"))
    assert take_in(folder)[1]["wire/v00.txt"].digest != before["wire/v00.txt"]


@pytest.mark.parametrize("fact", ["title", "author", "url", "source", "published"])
def test_digest_depends_on_each_fact(folder, fact):
    facts = {
        "title": "A",
        "author": "B",
        "url": "https://a.example/1",
        "source": "C",
        "published": "2025-03-01",
    }
    other = {
        "title": "X",
        "author": "Y",
        "url": "https://a.example/2",
        "source": "Z",
        "published": "2025-03-02",
    }
    digests = set()
    for record in (facts, {**facts, fact: other[fact]}, facts):
        put(folder, **{"feed.jsonl": json.dumps({"text": voyage(1), **record}) + "\n"})
        (entry,) = take_in(folder)[1].values()
        digests.add(entry.digest)
    assert len(digests) == 2


def test_digest_does_not_depend_on_other_records_of_the_file(folder):
    one, other = ({"id": name, "text": voyage(number)} for number, name in enumerate("ab"))
    put(folder, **{"feed.jsonl": json.dumps(one) + "\n"})
    before = take_in(folder)[1]["feed.jsonl::a"].digest
    put(folder, **{"feed.jsonl": json.dumps(other) + "\n" + json.dumps(one) + "\n"})
    assert take_in(folder)[1]["feed.jsonl::a"].digest == before


def test_file_refused_at_its_end_counts_no_line(folder):
    put_voyages(folder, "wire", 3, LINE)
    records = [{"text": voyage(number, LINE), "source": "wire"} for number in range(10, 16)]
    put(folder, **{"feed.json": json.dumps(records)[:-30]})
    whole = gzip.compress("".join(json.dumps(record) + "\n" for record in records).encode())
    (folder / "feed.jsonl.gz").write_bytes(whole[:-9])
    changes, articles = take_in(folder)
    assert [failure.path for failure in build(folder).failed] == ["feed.json", "feed.jsonl.gz"]
    assert articles.keys() == {"wire/v00.txt", "wire/v01.txt", "wire/v02.txt"}
    assert cuts_of(articles) == {}
    assert {path: (seen.sha256 is not None, seen.reason is not None) for path, seen in changes.files.items()} == {
        "feed.json": (True, True), "feed.jsonl.gz": (True, True),
        "wire/v00.txt": (True, False), "wire/v01.txt": (True, False), "wire/v02.txt": (True, False),
    }  # fmt: skip


def test_refused_records_are_listed_and_the_others_counted(folder):
    records = [json.dumps({"text": voyage(number, LINE)}) for number in range(5)]
    put(folder, **{"feed.jsonl": "\n".join([*records[:2], "{", '{"text": ""}', *records[2:]]) + "\n"})
    _, articles = take_in(folder)
    assert [failure.path for failure in build(folder).failed] == ["feed.jsonl::3", "feed.jsonl::4"]
    assert len(cuts_of(articles)) == len(articles) == 5


def test_sidecars_count_as_files_but_not_as_articles(folder):
    put_voyages(folder, "wire", 1)
    put(folder, **{"wire__v00.meta.json": '{"author": "Salma Haddad"}', "wire__metadata.csv": "a,b\n1,2\n"})
    changes, articles = take_in(folder)
    assert articles.keys() == {"wire/v00.txt"}
    assert articles["wire/v00.txt"].article.document.author == "Salma Haddad"
    assert {path for path, seen in changes.files.items() if seen.reason} == {"wire/metadata.csv"}


def test_repeated_lines_are_listed_most_frequent_first_up_to_a_limit(folder):
    many = [f"Standing line {chr(97 + number % 26)}{number}" for number in range(REPEATED_LISTED + 20)]
    put_voyages(folder, "wire", 5, *many)
    put_voyages(folder, "wire", 2, many[7], first=20)
    listed = build(folder).repeated
    assert len(listed) == REPEATED_LISTED
    assert listed[0] == RepeatedLine("wire", 7, "wire/v00.txt", 10)
    assert [(item.articles, item.line) for item in listed[1:4]] == [(5, 3), (5, 4), (5, 5)]


def test_notes_name_the_repaired_articles(folder):
    text = "هدأت العاصفة عند الفجر وعاد الصيادون إلى الميناء قبل الظهر\n" * 3
    (folder / "misread.txt").write_bytes(text.encode().decode("latin-1").encode())
    put_voyages(folder, "wire", 1)
    _, articles = take_in(folder)
    (note,) = build(folder).notes
    assert (note.path, "read again" in note.reason) == ("misread.txt", True)
    assert articles["misread.txt"].article.document.text.strip().startswith("هدأت العاصفة")


def test_progress_counts_all_bytes_and_then_all_articles(folder):
    put_voyages(folder, "wire", 6, LINE)
    (folder / "bad.txt").write_bytes(b"\0" * 500)
    size, reports = sum(path.stat().st_size for path in folder.rglob("*.*")), []
    take_in(folder, progress=lambda *each: reports.append(each))
    assert [stage for stage, *_ in reports] == sorted((stage for stage, *_ in reports), reverse=True)
    for stage, total in (("reading", size), ("cutting", 6)):
        steps = [(done, of) for name, done, of in reports if name == stage]
        assert steps == sorted(steps)
        assert {of for _, of in steps} == {total}
        assert steps[-1] == (total, total)


def test_an_empty_archive_has_no_articles_and_no_repetition(folder):
    steps = []
    changes, articles = take_in(folder, progress=lambda *each: steps.append(each))
    assert (articles, changes.files, steps) == ({}, {}, [])
    assert build(folder).repeated == ()


def test_entry_has_the_keys_of_all_lines_and_of_the_repeated_ones(folder):
    put_voyages(folder, "wire", 5, "Loading", LINE, LINE)
    _, articles = take_in(folder)
    for number in range(5):
        entry, text = articles[f"wire/v0{number}.txt"], voyage(number, "Loading", LINE, LINE)
        assert (entry.longest_lines_key, frozenset(entry.line_keys)) == line_keys(text, SECRET)
        assert entry.repeated_line_keys == {4: line_key(LINE, SECRET), 5: line_key(LINE, SECRET)}


def test_different_secret_changes_all_keys_and_nothing_else(folder):
    put_voyages(folder, "wire", 5, LINE)
    (_, one), (_, other) = (take_in(folder, secret=secret) for secret in (SECRET, SECRET[::-1]))
    for doc_id, entry in one.items():
        assert (entry.article, entry.digest) == (other[doc_id].article, other[doc_id].digest)
        assert set(entry.line_keys).isdisjoint(other[doc_id].line_keys)
        assert (entry.longest_lines_key, entry.repeated_line_keys) != (
            other[doc_id].longest_lines_key,
            other[doc_id].repeated_line_keys,
        )
