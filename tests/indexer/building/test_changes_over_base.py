"""The changes that an incremental build reads: files that differ from the base, and no others."""

import json
import os
from contextlib import closing

import pytest

from indexer import build_index
from indexer.building.changes import Changes
from indexer.datatypes import RepeatedLine
from indexer.errors import UnreadableFile
from indexer.ingest.files import find_files, hash_file, printable_path
from indexer.store.folder import IndexFolder
from indexer.store.reader import GenerationReader
from indexer.store.writer import GenerationWriter
from indexer.text.analysis import tokens
from tests.support.edited_archives import LINE, build, cuts_of, put, put_voyages, voyage
from tests.support.fakes import FakeModel


def held(folder):
    """By id, every article of the index next to an archive, and the files that its build saw."""
    with closing(GenerationReader.open(IndexFolder(folder.parent / "index"))) as store:
        return {doc_id: store.article(doc_id) for doc_id in store.digests()}, store.files()


# --- a build that begins with the one before ----------------------------------------------------------


def go_on(folder):
    """Read the files that differ from the index next to an archive, as a build would."""
    files, hashes = list(find_files(folder)), {}
    for file in files:
        try:
            hashes[printable_path(file.path)] = hash_file(file, folder)
        except UnreadableFile as error:
            hashes[printable_path(file.path)] = error
    with (
        closing(GenerationReader.open(IndexFolder(folder.parent / "index"))) as base,
        closing(Changes(folder, {}, base_secret(folder), base)) as changes,
    ):
        changes.read(files, hashes)
        entries = {entry.article.document.doc_id: entry for entry in changes.prepare(FakeModel())}
        assert changes.source().needs_model == bool(entries)
    return changes, entries


def base_secret(folder):
    """The secret of this run, which every index of it was made with."""
    return (folder.parent / "cache" / "lines.key").read_bytes()


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("WARRAQ_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def read(monkeypatch):
    """The paths of the files that builds have read, in order; to be cleared between builds."""
    from indexer.building import changes

    paths = []

    def opened(file, *others, **named):
        paths.append(file.path)
        return whole(file, *others, **named)

    whole = changes.open_file
    monkeypatch.setattr(changes, "open_file", opened)
    return paths


def test_unchanged_archive_has_no_changes(folder, read):
    put_voyages(folder, "wire", 6, LINE)
    build(folder)
    read.clear()
    changes, entries = go_on(folder)
    assert (entries, changes.dropped, read) == ({}, set(), [])
    assert changes.files == held(folder)[1]


def test_only_the_added_file_is_read(folder, read):
    put_voyages(folder, "wire", 8, LINE)
    put_voyages(folder, "post", 4, LINE)
    build(folder)
    read.clear()
    put_voyages(folder, "post", 1, first=20)
    steps = []
    report = build(folder, progress=lambda *each: steps.append(each))
    assert read == ["post/v20.txt"]
    assert (report.added, report.unchanged) == (1, 12)
    size = (folder / "post" / "v20.txt").stat().st_size
    assert {of for stage, _, of in steps if stage == "reading"} == {size}
    assert {of for stage, _, of in steps if stage == "cutting"} == {1}


def test_only_the_changed_file_is_read_and_dropped(folder, read):
    put_voyages(folder, "wire", 4, LINE)
    build(folder)
    read.clear()
    put(folder, wire__v01=voyage(1, LINE, "One more line of this article alone"))
    (folder / "wire" / "v03.txt").unlink()
    changes, entries = go_on(folder)
    assert read == ["wire/v01.txt"]
    assert entries.keys() == {"wire/v01.txt"}
    assert changes.dropped == {"wire/v01.txt", "wire/v03.txt"}


def test_file_with_only_a_new_time_is_not_read(folder, read):
    put_voyages(folder, "wire", 3)
    build(folder)
    read.clear()
    for path in folder.rglob("*.txt"):
        os.utime(path, (1, 1))
    put_voyages(folder, "wire", 1, first=10)
    build(folder)
    assert read == ["wire/v10.txt"]


def test_newly_repeated_line_rereads_only_its_articles(folder, read):
    put_voyages(folder, "wire", 4, LINE)
    put_voyages(folder, "wire", 6, first=10)
    put_voyages(folder, "post", 4, LINE, first=30)
    build(folder)
    read.clear()
    put_voyages(folder, "wire", 1, LINE, first=20)
    changes, entries = go_on(folder)
    assert read == ["wire/v20.txt", *(f"wire/v0{position}.txt" for position in range(4))]
    assert changes.dropped == {f"wire/v0{number}.txt" for number in range(4)}
    assert cuts_of(entries) == {doc_id: [(3, "repeated", 5)] for doc_id in [*changes.dropped, "wire/v20.txt"]}


def test_no_longer_repeated_line_rereads_only_its_articles(folder, read):
    put_voyages(folder, "wire", 5, LINE)
    put_voyages(folder, "wire", 6, first=10)
    build(folder)
    read.clear()
    (folder / "wire" / "v02.txt").unlink()
    changes, entries = go_on(folder)
    assert read == [f"wire/v0{position}.txt" for position in (0, 1, 3, 4)]
    assert changes.dropped == {f"wire/v0{number}.txt" for number in range(5)}
    assert cuts_of(entries) == {}


def test_another_article_with_a_repeated_line_is_read_alone_and_counted(folder, read):
    put_voyages(folder, "wire", 5, LINE)
    build(folder)
    read.clear()
    put_voyages(folder, "wire", 1, LINE, first=10)
    assert build(folder).repeated == (RepeatedLine("wire", 6, "wire/v00.txt", 3),)
    assert read == ["wire/v10.txt"]
    articles, _ = held(folder)
    assert {cut for cuts in cuts_of(articles).values() for cut in cuts} == {(3, "repeated", 6)}
    assert len(articles) == 6


def test_appended_record_is_the_only_one_cut(folder):
    records = [{"id": str(number), "text": voyage(number)} for number in range(6)]
    put(folder, **{"feed.jsonl": "".join(json.dumps(item) + "\n" for item in records[:5])})
    put_voyages(folder, "wire", 2)
    build(folder)
    before, _ = held(folder)
    put(folder, **{"feed.jsonl": "".join(json.dumps(record) + "\n" for record in records)})
    changes, entries = go_on(folder)
    assert (entries.keys(), changes.dropped) == ({"feed.jsonl::5"}, set())
    report = build(folder)
    assert (report.added, report.changed, report.unchanged, report.encoded) == (1, 0, 7, 1)
    after, files = held(folder)
    for doc_id, article in before.items():
        assert after[doc_id].passages == article.passages
        assert after[doc_id].document.text == article.document.text
        path = doc_id.partition("::")[0]
        assert after[doc_id].document.file.sha256 == files[path].sha256
    of_feed = {article.document.file.sha256 for doc_id, article in after.items() if "::" in doc_id}
    assert len(of_feed) == 1
    assert before["feed.jsonl::0"].document.file.sha256 not in of_feed


def test_record_put_first_keeps_other_ids_and_updates_their_lines(folder):
    records = [{"id": name, "text": voyage(number)} for number, name in enumerate("abc")]
    put(folder, **{"feed.jsonl": "".join(json.dumps(item) + "\n" for item in records[1:])})
    build(folder)
    put(folder, **{"feed.jsonl": "".join(json.dumps(record) + "\n" for record in records)})
    report = build(folder)
    assert (report.added, report.changed, report.unchanged) == (1, 0, 2)
    articles, _ = held(folder)
    assert {doc_id: entry.document.file.record for doc_id, entry in articles.items()} == {
        "feed.jsonl::a": 1, "feed.jsonl::b": 2, "feed.jsonl::c": 3,
    }  # fmt: skip


@pytest.mark.parametrize("table", ["file,author\n", None])
def test_row_added_to_a_sidecar_table_rereads_its_file(folder, read, table):
    put_voyages(folder, "wire", 4)
    put_voyages(folder, "post", 2)
    if table:
        put(folder, **{"wire__metadata.csv": f"{table}v00.txt,Salma\n"})
    build(folder)
    read.clear()
    put(
        folder, **{"wire__metadata.csv": "file,author\n" + "v00.txt,Salma\n" * bool(table) + "v02.txt,Huda\n"}
    )
    report = build(folder)
    assert sorted(read) == ["wire/metadata.csv", "wire/v02.txt"]
    assert (report.changed, report.unchanged) == (1, 5)
    articles, _ = held(folder)
    assert articles["wire/v02.txt"].document.author == "Huda"


@pytest.mark.parametrize("name", ["wire__v01.meta.json", "wire__v01.txt.meta.json"])
def test_added_changed_or_removed_sidecar_rereads_its_file(folder, read, name):
    put_voyages(folder, "wire", 3)
    build(folder)
    path = folder / name.replace("__", "/")
    for content in ('{"source": "One"}', '{"source": "Two"}', "{", None):
        read.clear()
        if content is None:
            path.unlink()
        else:
            put(folder, **{name: content})
        report = build(folder)
        articles, _ = held(folder)
        source = json.loads(content)["source"] if content not in ("{", None) else "wire"
        assert articles["wire/v01.txt"].document.source == source
        assert [failure.path for failure in report.failed] == (
            [path.relative_to(folder).as_posix()] * (content == "{")
        )
        said_nothing = content is None  # and the one before could not be read
        assert {item for item in read if item.endswith(".txt")} == (
            set() if said_nothing else {"wire/v01.txt"}
        )


def test_sidecar_without_its_file_is_listed_and_accepted_once_it_returns(folder):
    put_voyages(folder, "wire", 2)
    put(folder, **{"wire__v01.meta.json": '{"author": "Huda"}'})
    assert build(folder).failed == ()
    (folder / "wire" / "v01.txt").unlink()
    (failed,) = build(folder).failed
    assert (failed.path, "no file v01" in failed.reason) == ("wire/v01.meta.json", True)
    put_voyages(folder, "wire", 2)
    assert build(folder).failed == ()
    assert held(folder)[0]["wire/v01.txt"].document.author == "Huda"


def test_refused_file_is_not_reread_and_still_listed(folder, read):
    put_voyages(folder, "wire", 2)
    (folder / "bad.txt").write_bytes(b"\0" * 500)
    put(folder, **{"feed.jsonl": json.dumps({"text": voyage(3)}) + "\n{\n"})
    first = build(folder)
    read.clear()
    put_voyages(folder, "wire", 1, first=10)
    assert build(folder).failed == first.failed
    assert [failure.path for failure in first.failed] == ["bad.txt", "feed.jsonl::2"]
    assert read == ["wire/v10.txt"]


def test_refused_file_becomes_an_article_once_repaired(folder):
    put_voyages(folder, "wire", 2)
    (folder / "bad.txt").write_bytes(b"\0" * 500)
    assert len(build(folder).failed) == 1
    put(folder, bad=voyage(5))
    report = build(folder)
    assert (report.failed, report.added, report.unchanged) == ((), 1, 2)
    (folder / "bad.txt").write_bytes(b"\0" * 500)
    report = build(folder)
    assert ([failure.path for failure in report.failed], report.removed) == (["bad.txt"], 1)


def test_removals_need_no_model(folder):
    model = FakeModel()
    put_voyages(folder, "wire", 4)
    build(folder, model)
    opened = model.opened
    (folder / "wire" / "v02.txt").unlink()
    report = build(folder, model)
    assert (report.removed, report.unchanged, report.encoded, report.documents) == (1, 3, 0, 3)
    (folder / "wire" / "v00.txt").write_bytes(b"\0")
    assert build(folder, model).documents == 2
    assert model.opened == opened
    put_voyages(folder, "wire", 1)
    assert build(folder, model).documents == 3
    assert model.opened == opened + 1


def test_build_after_rollback_brings_the_archive_up_to_date(folder, read):
    put_voyages(folder, "wire", 5, LINE)
    build(folder)
    put_voyages(folder, "wire", 2, LINE, first=10)
    second = build(folder)
    after = held(folder)
    IndexFolder(folder.parent / "index").roll_back()
    assert len(held(folder)[0]) == 5
    read.clear()
    third = build(folder)
    assert third.generation not in (second.generation, IndexFolder(folder.parent / "index").found()[1])
    assert (third.added, third.unchanged, third.encoded) == (2, 5, 0)
    assert read == ["wire/v10.txt", "wire/v11.txt"]
    assert held(folder) == after


def test_build_after_rollback_to_the_archive_state_changes_nothing(folder):
    put_voyages(folder, "wire", 3)
    first = build(folder)
    put_voyages(folder, "wire", 1, first=10)
    build(folder)
    (folder / "wire" / "v10.txt").unlink()
    index = IndexFolder(folder.parent / "index")
    index.roll_back()
    assert build(folder).generation == first.generation == index.current()


def test_unchanged_passages_of_a_changed_article_are_not_analyzed_again(folder, monkeypatch):
    analyzed, add = [], GenerationWriter.add

    def spying(self, entry, keys, _=None):
        add(self, entry, keys, lambda text: analyzed.append(text) or tokens(text))

    monkeypatch.setattr(GenerationWriter, "add", spying)
    paragraphs = [f"Paragraph {number} tells of the quay and of the {number} men who mend its stones in winter, by turns "
                  f"and in the order that the harbour master wrote down for them." for number in range(4)]  # fmt: skip
    put(folder, long="\n\n".join(["The quay of the town", *paragraphs]))
    put_voyages(folder, "wire", 2)
    report = build(folder)
    assert len(analyzed) == report.passages == 6
    analyzed.clear()
    put(folder, long="\n\n".join(["The quay of the town", *paragraphs[:3], "Another end, " + paragraphs[3]]))
    assert build(folder).changed == 1
    assert analyzed == ["Another end, " + paragraphs[3]]
    analyzed.clear()
    (folder / "wire" / "v00.txt").rename(folder / "wire" / "moved.txt")
    assert build(folder).added == 1
    assert analyzed == []


def test_file_name_that_could_be_a_record_id_rereads_the_archive(folder, read, tmp_path):
    records = [{"id": name, "text": voyage(number)} for number, name in enumerate(["x.txt", "b"])]
    put(folder, **{"a.jsonl": json.dumps(records[1]) + "\n", "a.jsonl::x.txt": voyage(7)})
    put_voyages(folder, "wire", 2)
    build(folder)
    assert "a.jsonl::x.txt" in held(folder)[0]
    for content in (records, records[1:], records):  # now the record has the id, now the file
        read.clear()
        put(folder, **{"a.jsonl": "".join(json.dumps(item) + "\n" for item in content)})
        stepped = build(folder)
        assert sorted(read) == ["a.jsonl", "a.jsonl::x.txt", "wire/v00.txt", "wire/v01.txt"]
        fresh = build_index(folder, tmp_path / "fresh", FakeModel(), rebuild=True)
        assert stepped.failed == fresh.failed
        assert [failure.path for failure in fresh.failed] == (
            ["a.jsonl::x.txt"] if content == records else []
        )
        with closing(GenerationReader.open(IndexFolder(tmp_path / "fresh"))) as store:
            assert held(folder)[0] == {doc_id: store.article(doc_id) for doc_id in store.digests()}
    read.clear()
    (folder / "a.jsonl::x.txt").unlink()
    put_voyages(folder, "wire", 1, first=5)
    build(folder)
    assert read == ["wire/v05.txt"]


def test_different_line_secret_rereads_the_archive(folder, read):
    put_voyages(folder, "wire", 5, LINE)
    first = build(folder)
    read.clear()
    (folder.parent / "cache" / "lines.key").unlink()
    second = build(folder)
    assert len(read) == 5
    assert second.generation != first.generation
    assert (second.unchanged, second.encoded, second.repeated) == (5, 0, first.repeated)
    assert build(folder).generation == second.generation


def test_many_additions_merge_small_segments_of_the_term_index(folder):
    """Tantivy makes one segment of many, and removes those that were taken over."""
    for number in range(12):
        put_voyages(folder, "wire", 1, first=number)
        report = build(folder)
        assert (report.added, report.documents) == (1, number + 1)
    manifest = IndexFolder(folder.parent / "index").manifest(report.generation)
    assert sum(name.endswith(".term") for name in manifest.files) < 8
    assert len(held(folder)[0]) == 12
