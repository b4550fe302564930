"""What a build takes in: files that are not as before, lines counted over whole sources, then cut."""

import gzip
import json
import os
from contextlib import closing

import pytest

from indexer import build_index
from indexer.boilerplate.repetition import line_key, line_keys
from indexer.building.changes import Changes
from indexer.datatypes import RepeatedLine
from indexer.errors import UnreadableFile
from indexer.ingest.files import find_files, hash_file, printable_path
from indexer.store.folder import IndexFolder
from indexer.store.reader import GenerationReader
from indexer.store.writer import REPEATED_LISTED, GenerationWriter
from indexer.text.analysis import tokens
from tests.support.fakes import FakeModel

SECRET = bytes(range(32))
LINE = "The harbour master writes every Thursday"


def voyage(number, *others):
    """An article of its own words, with other lines below."""
    body = f"Ship number {number} left the port on day {number} of the year with grain for {number} thousand people."
    return "\n".join([f"Voyage {number} of the corridor", body, *others]) + "\n"


def put(folder, **files):
    for name, text in files.items():
        path = folder / (name.replace("__", "/") if "." in name else f"{name.replace('__', '/')}.txt")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def put_voyages(folder, source, number, *others, first=0):
    put(folder, **{f"{source}__v{at:02}": voyage(at, *others) for at in range(first, first + number)})


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "articles").mkdir()
    return tmp_path / "articles"


def take_in(folder, fields=None, progress=None, secret=SECRET):
    """Take an archive in whole; returns the intake, closed, and what it makes of each article, by id."""
    with closing(Changes(folder, fields or {}, secret, progress=progress)) as changes:
        changes.read(list(find_files(folder)))
        entries = {entry.article.document.doc_id: entry for entry in changes.prepare(FakeModel())}
        source = changes.source()
        assert (source.needs_model, source.dropped) == (bool(entries), set())
    return changes, entries


def build(folder, model=None, **how):
    """Bring the index beside an archive up to date; returns the report."""
    return build_index(folder, folder.parent / "index", model or FakeModel(), **how)


def held(folder):
    """By id, every article of the index beside an archive, and the files that were seen."""
    with closing(GenerationReader.open(IndexFolder(folder.parent / "index"))) as store:
        return {doc_id: store.article(doc_id) for doc_id in store.digests()}, store.files()


def cuts_of(articles):
    """By id, the lines that were cut: number, rule and in how many articles the line stands."""
    return {
        doc_id: [(cut.line, cut.rule, cut.articles) for cut in article.cuts]
        for doc_id, article in ((doc_id, getattr(each, "article", each)) for doc_id, each in articles.items())
        if article.cuts
    }


def test_a_line_that_five_articles_of_a_source_have_is_cut_from_each(folder):
    put_voyages(folder, "wire", 5, LINE)
    put_voyages(folder, "wire", 3, first=20)
    _, articles = take_in(folder)
    assert cuts_of(articles) == {f"wire/v0{at}.txt": [(3, "repeated", 5)] for at in range(5)}
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
    assert cuts_of(articles).keys() == {f"wire/v0{at}.txt" for at in range(6)}


def test_the_source_is_what_records_and_sidecars_say_not_the_folder(folder):
    records = [{"text": voyage(at, LINE), "source": "Wire"} for at in range(3)]
    put(folder, **{"feed.jsonl": "".join(json.dumps(each) + "\n" for each in records)})
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


def test_copies_of_an_article_count_as_one_and_lose_nothing(folder):
    put(folder, **{f"wire__copy{at}": voyage(1, LINE) for at in range(20)})
    put_voyages(folder, "wire", 3, LINE, first=10)
    assert cuts_of(take_in(folder)[1]) == {}
    put_voyages(folder, "wire", 1, LINE, first=20)
    cuts = cuts_of(take_in(folder)[1])
    assert len(cuts) == 24  # the copies lose the line too, which stands in five articles
    assert {each for cut in cuts.values() for each in cut} == {(3, "repeated", 5)}


@pytest.mark.parametrize("number", [1, 2])
def test_articles_that_share_their_longest_lines_are_not_taken_for_copies(folder, number):
    notices = [f"Notice {at}: what stands here was written by the crews of the ships it speaks of, and by nobody "
               f"else, and who finds a fault in it writes to the house at pier {at}." for at in range(number)]  # fmt: skip
    put_voyages(folder, "wire", 8, LINE, *notices)
    cuts = cuts_of(take_in(folder)[1])
    assert {at for at, *_ in cuts.get("wire/v00.txt", [])} == set(range(3, 4 + number))


def test_versions_of_one_article_keep_what_they_share(folder):
    """A report that was stored each time it grew: its paragraphs stand in many files and are no furniture."""
    shared = [f"The storm reached the {quay} quay in the night and took with it what stood there, the mayor said."
              for quay in ("north", "south", "west")]  # fmt: skip
    for at in range(8):
        news = f"Boat number {at} was found on day {at} by the {at} men who had gone out to look for it, and it was empty."
        put(folder, **{f"wire__version{at}": "\n".join(["The storm", *shared, news]) + "\n"})
    _, articles = take_in(folder)
    assert cuts_of(articles) == {}


def test_a_line_is_the_same_however_it_is_spaced_and_ended(folder):
    for at, line in enumerate(
        [LINE, f"  {LINE}", LINE.replace(" ", "  "), f"{LINE}\t", LINE.replace(" ", "\u00a0")]
    ):
        (folder / f"{at}.txt").write_bytes(
            voyage(at, line).replace("\n", ["\n", "\r\n", "\r"][at % 3]).encode()
        )
    _, articles = take_in(folder)
    assert {each for cut in cuts_of(articles).values() for each in cut} == {(3, "repeated", 5)}
    assert len(cuts_of(articles)) == 5


def test_a_line_twice_in_one_article_counts_once_and_is_cut_twice(folder):
    put_voyages(folder, "wire", 4, LINE, LINE)
    assert cuts_of(take_in(folder)[1]) == {}
    put_voyages(folder, "wire", 1, LINE, LINE, first=10)
    assert set(map(tuple, cuts_of(take_in(folder)[1]).values())) == {((3, "repeated", 5), (4, "repeated", 5))}


def test_a_digest_tells_what_was_read_and_not_what_was_cut(folder):
    put_voyages(folder, "wire", 4, LINE)
    before = {doc_id: entry.digest for doc_id, entry in take_in(folder)[1].items()}
    put_voyages(folder, "wire", 1, LINE, first=10)
    _, articles = take_in(folder)
    assert len(cuts_of(articles)) == 5
    assert before.items() <= {doc_id: entry.digest for doc_id, entry in articles.items()}.items()
    put(folder, wire__v00=voyage(0, f"{LINE}s"))
    assert take_in(folder)[1]["wire/v00.txt"].digest != before["wire/v00.txt"]


@pytest.mark.parametrize("fact", ["title", "author", "url", "source", "published"])
def test_a_digest_tells_each_fact(folder, fact):
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


def test_another_record_of_a_file_changes_no_digest(folder):
    one, other = ({"id": name, "text": voyage(at)} for at, name in enumerate("ab"))
    put(folder, **{"feed.jsonl": json.dumps(one) + "\n"})
    before = take_in(folder)[1]["feed.jsonl::a"].digest
    put(folder, **{"feed.jsonl": json.dumps(other) + "\n" + json.dumps(one) + "\n"})
    assert take_in(folder)[1]["feed.jsonl::a"].digest == before


def test_of_a_file_that_is_refused_at_its_end_no_line_is_counted(folder):
    put_voyages(folder, "wire", 3, LINE)
    records = [{"text": voyage(at, LINE), "source": "wire"} for at in range(10, 16)]
    put(folder, **{"feed.json": json.dumps(records)[:-30]})
    whole = gzip.compress("".join(json.dumps(each) + "\n" for each in records).encode())
    (folder / "feed.jsonl.gz").write_bytes(whole[:-9])
    changes, articles = take_in(folder)
    assert [each.path for each in build(folder).failed] == ["feed.json", "feed.jsonl.gz"]
    assert articles.keys() == {"wire/v00.txt", "wire/v01.txt", "wire/v02.txt"}
    assert cuts_of(articles) == {}
    assert {path: (seen.sha256 is not None, seen.reason is not None) for path, seen in changes.files.items()} == {
        "feed.json": (True, True), "feed.jsonl.gz": (True, True),
        "wire/v00.txt": (True, False), "wire/v01.txt": (True, False), "wire/v02.txt": (True, False),
    }  # fmt: skip


def test_records_that_are_refused_are_listed_and_the_others_counted(folder):
    records = [json.dumps({"text": voyage(at, LINE)}) for at in range(5)]
    put(folder, **{"feed.jsonl": "\n".join([*records[:2], "{", '{"text": ""}', *records[2:]]) + "\n"})
    _, articles = take_in(folder)
    assert [each.path for each in build(folder).failed] == ["feed.jsonl::3", "feed.jsonl::4"]
    assert len(cuts_of(articles)) == len(articles) == 5


def test_sidecars_are_files_but_no_articles(folder):
    put_voyages(folder, "wire", 1)
    put(folder, **{"wire__v00.meta.json": '{"author": "Salma Haddad"}', "wire__metadata.csv": "a,b\n1,2\n"})
    changes, articles = take_in(folder)
    assert articles.keys() == {"wire/v00.txt"}
    assert articles["wire/v00.txt"].article.document.author == "Salma Haddad"
    assert {path for path, seen in changes.files.items() if seen.reason} == {"wire/metadata.csv"}


def test_repeated_lines_are_listed_the_commonest_first_and_no_more_than_can_be_read(folder):
    many = [f"Standing line {chr(97 + at % 26)}{at}" for at in range(REPEATED_LISTED + 20)]
    put_voyages(folder, "wire", 5, *many)
    put_voyages(folder, "wire", 2, many[7], first=20)
    listed = build(folder).repeated
    assert len(listed) == REPEATED_LISTED
    assert listed[0] == RepeatedLine("wire", 7, "wire/v00.txt", 10)
    assert [(each.articles, each.line) for each in listed[1:4]] == [(5, 3), (5, 4), (5, 5)]


def test_notes_name_the_articles_that_were_repaired(folder):
    text = "هدأت العاصفة عند الفجر وعاد الصيادون إلى الميناء قبل الظهر\n" * 3
    (folder / "misread.txt").write_bytes(text.encode().decode("latin-1").encode())
    put_voyages(folder, "wire", 1)
    _, articles = take_in(folder)
    (note,) = build(folder).notes
    assert (note.path, "read again" in note.reason) == ("misread.txt", True)
    assert articles["misread.txt"].article.document.text.strip().startswith("هدأت العاصفة")


def test_progress_counts_bytes_then_articles_to_their_ends(folder):
    put_voyages(folder, "wire", 6, LINE)
    (folder / "bad.txt").write_bytes(b"\0" * 500)
    size, told = sum(path.stat().st_size for path in folder.rglob("*.*")), []
    take_in(folder, progress=lambda *each: told.append(each))
    assert [stage for stage, *_ in told] == sorted((stage for stage, *_ in told), reverse=True)
    for stage, total in (("reading", size), ("cutting", 6)):
        steps = [(done, of) for name, done, of in told if name == stage]
        assert steps == sorted(steps)
        assert {of for _, of in steps} == {total}
        assert steps[-1] == (total, total)


def test_an_empty_archive_has_no_articles_and_no_repetition(folder):
    told = []
    changes, articles = take_in(folder, progress=lambda *each: told.append(each))
    assert (articles, changes.files, told) == ({}, {}, [])
    assert build(folder).repeated == ()


def test_an_entry_has_the_keys_of_all_lines_and_of_each_that_repetition_cut(folder):
    put_voyages(folder, "wire", 5, "Loading", LINE, LINE)
    _, articles = take_in(folder)
    for at in range(5):
        entry, text = articles[f"wire/v0{at}.txt"], voyage(at, "Loading", LINE, LINE)
        assert (entry.longest_lines_key, frozenset(entry.line_keys)) == line_keys(text, SECRET)
        assert entry.repeated_line_keys == {4: line_key(LINE, SECRET), 5: line_key(LINE, SECRET)}


def test_with_another_secret_all_keys_are_others_and_all_else_is_the_same(folder):
    put_voyages(folder, "wire", 5, LINE)
    (_, one), (_, other) = (take_in(folder, secret=secret) for secret in (SECRET, SECRET[::-1]))
    for doc_id, entry in one.items():
        assert (entry.article, entry.digest) == (other[doc_id].article, other[doc_id].digest)
        assert set(entry.line_keys).isdisjoint(other[doc_id].line_keys)
        assert (entry.longest_lines_key, entry.repeated_line_keys) != (
            other[doc_id].longest_lines_key,
            other[doc_id].repeated_line_keys,
        )


# --- a build that begins with the one before ----------------------------------------------------------


def go_on(folder):
    """Take in what is not as the index beside an archive has it, as a build would."""
    found, hashes = list(find_files(folder)), {}
    for file in found:
        try:
            hashes[printable_path(file.path)] = hash_file(file, folder)
        except UnreadableFile as error:
            hashes[printable_path(file.path)] = error
    with (
        closing(GenerationReader.open(IndexFolder(folder.parent / "index"))) as base,
        closing(Changes(folder, {}, base_secret(folder), base)) as changes,
    ):
        changes.read(found, hashes)
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


def test_of_an_archive_that_is_as_before_nothing_is_taken_in(folder, read):
    put_voyages(folder, "wire", 6, LINE)
    build(folder)
    read.clear()
    changes, entries = go_on(folder)
    assert (entries, changes.dropped, read) == ({}, set(), [])
    assert changes.files == held(folder)[1]


def test_a_file_that_is_added_is_the_only_one_that_is_read(folder, read):
    put_voyages(folder, "wire", 8, LINE)
    put_voyages(folder, "post", 4, LINE)
    build(folder)
    read.clear()
    put_voyages(folder, "post", 1, first=20)
    told = []
    report = build(folder, progress=lambda *each: told.append(each))
    assert read == ["post/v20.txt"]
    assert (report.added, report.unchanged) == (1, 12)
    size = (folder / "post" / "v20.txt").stat().st_size
    assert {of for stage, _, of in told if stage == "reading"} == {size}
    assert {of for stage, _, of in told if stage == "cutting"} == {1}


def test_a_file_that_is_changed_is_the_only_one_that_is_read_and_dropped(folder, read):
    put_voyages(folder, "wire", 4, LINE)
    build(folder)
    read.clear()
    put(folder, wire__v01=voyage(1, LINE, "One more line of this article alone"))
    (folder / "wire" / "v03.txt").unlink()
    changes, entries = go_on(folder)
    assert read == ["wire/v01.txt"]
    assert entries.keys() == {"wire/v01.txt"}
    assert changes.dropped == {"wire/v01.txt", "wire/v03.txt"}


def test_a_file_that_only_its_time_says_is_another_is_not_read(folder, read):
    put_voyages(folder, "wire", 3)
    build(folder)
    read.clear()
    for path in folder.rglob("*.txt"):
        os.utime(path, (1, 1))
    put_voyages(folder, "wire", 1, first=10)
    build(folder)
    assert read == ["wire/v10.txt"]


def test_a_line_that_becomes_furniture_has_its_holders_read_and_no_others(folder, read):
    put_voyages(folder, "wire", 4, LINE)
    put_voyages(folder, "wire", 6, first=10)
    put_voyages(folder, "post", 4, LINE, first=30)
    build(folder)
    read.clear()
    put_voyages(folder, "wire", 1, LINE, first=20)
    changes, entries = go_on(folder)
    assert read == ["wire/v20.txt", *(f"wire/v0{at}.txt" for at in range(4))]
    assert changes.dropped == {f"wire/v0{at}.txt" for at in range(4)}
    assert cuts_of(entries) == {doc_id: [(3, "repeated", 5)] for doc_id in [*changes.dropped, "wire/v20.txt"]}


def test_a_line_that_is_furniture_no_more_has_its_holders_read_and_no_others(folder, read):
    put_voyages(folder, "wire", 5, LINE)
    put_voyages(folder, "wire", 6, first=10)
    build(folder)
    read.clear()
    (folder / "wire" / "v02.txt").unlink()
    changes, entries = go_on(folder)
    assert read == [f"wire/v0{at}.txt" for at in (0, 1, 3, 4)]
    assert changes.dropped == {f"wire/v0{at}.txt" for at in range(5)}
    assert cuts_of(entries) == {}


def test_one_more_article_with_a_line_that_is_furniture_already_has_no_other_read_but_all_counted(
    folder, read
):
    put_voyages(folder, "wire", 5, LINE)
    build(folder)
    read.clear()
    put_voyages(folder, "wire", 1, LINE, first=10)
    assert build(folder).repeated == (RepeatedLine("wire", 6, "wire/v00.txt", 3),)
    assert read == ["wire/v10.txt"]
    articles, _ = held(folder)
    assert {each for cuts in cuts_of(articles).values() for each in cuts} == {(3, "repeated", 6)}
    assert len(articles) == 6


def test_a_record_that_is_appended_has_nothing_else_cut_again(folder):
    records = [{"id": str(at), "text": voyage(at)} for at in range(6)]
    put(folder, **{"feed.jsonl": "".join(json.dumps(each) + "\n" for each in records[:5])})
    put_voyages(folder, "wire", 2)
    build(folder)
    before, _ = held(folder)
    put(folder, **{"feed.jsonl": "".join(json.dumps(each) + "\n" for each in records)})
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


def test_a_record_that_is_put_first_has_the_others_keep_their_ids_and_tell_their_new_places(folder):
    records = [{"id": name, "text": voyage(at)} for at, name in enumerate("abc")]
    put(folder, **{"feed.jsonl": "".join(json.dumps(each) + "\n" for each in records[1:])})
    build(folder)
    put(folder, **{"feed.jsonl": "".join(json.dumps(each) + "\n" for each in records)})
    report = build(folder)
    assert (report.added, report.changed, report.unchanged) == (1, 0, 2)
    articles, _ = held(folder)
    assert {doc_id: each.document.file.record for doc_id, each in articles.items()} == {
        "feed.jsonl::a": 1, "feed.jsonl::b": 2, "feed.jsonl::c": 3,
    }  # fmt: skip


@pytest.mark.parametrize("table", ["file,author\n", None])
def test_a_row_that_is_added_to_a_table_has_the_file_read_that_it_speaks_of(folder, read, table):
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
def test_a_sidecar_that_comes_changes_and_goes_has_the_file_read_that_it_speaks_of(folder, read, name):
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
        assert [each.path for each in report.failed] == (
            [path.relative_to(folder).as_posix()] * (content == "{")
        )
        said_nothing = content is None  # and the one before could not be read
        assert {each for each in read if each.endswith(".txt")} == (
            set() if said_nothing else {"wire/v01.txt"}
        )


def test_a_sidecar_that_lost_its_file_is_said_to_speak_of_none_and_the_other_way_round(folder):
    put_voyages(folder, "wire", 2)
    put(folder, **{"wire__v01.meta.json": '{"author": "Huda"}'})
    assert build(folder).failed == ()
    (folder / "wire" / "v01.txt").unlink()
    (failed,) = build(folder).failed
    assert (failed.path, "no file v01" in failed.reason) == ("wire/v01.meta.json", True)
    put_voyages(folder, "wire", 2)
    assert build(folder).failed == ()
    assert held(folder)[0]["wire/v01.txt"].document.author == "Huda"


def test_what_was_refused_is_not_read_again_and_still_listed(folder, read):
    put_voyages(folder, "wire", 2)
    (folder / "bad.txt").write_bytes(b"\0" * 500)
    put(folder, **{"feed.jsonl": json.dumps({"text": voyage(3)}) + "\n{\n"})
    first = build(folder)
    read.clear()
    put_voyages(folder, "wire", 1, first=10)
    assert build(folder).failed == first.failed
    assert [each.path for each in first.failed] == ["bad.txt", "feed.jsonl::2"]
    assert read == ["wire/v10.txt"]


def test_what_was_refused_and_is_mended_is_an_article(folder):
    put_voyages(folder, "wire", 2)
    (folder / "bad.txt").write_bytes(b"\0" * 500)
    assert len(build(folder).failed) == 1
    put(folder, bad=voyage(5))
    report = build(folder)
    assert (report.failed, report.added, report.unchanged) == ((), 1, 2)
    (folder / "bad.txt").write_bytes(b"\0" * 500)
    report = build(folder)
    assert ([each.path for each in report.failed], report.removed) == (["bad.txt"], 1)


def test_what_is_only_taken_away_needs_no_model(folder):
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


def test_after_going_back_the_archive_is_brought_up_to_date_again(folder, read):
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


def test_going_back_to_what_the_archive_is_now_is_left_alone(folder):
    put_voyages(folder, "wire", 3)
    first = build(folder)
    put_voyages(folder, "wire", 1, first=10)
    build(folder)
    (folder / "wire" / "v10.txt").unlink()
    index = IndexFolder(folder.parent / "index")
    index.roll_back()
    assert build(folder).generation == first.generation == index.current()


def test_passages_of_a_changed_article_that_are_as_they_were_are_not_folded_again(folder, monkeypatch):
    folded, add = [], GenerationWriter.add

    def spying(self, entry, keys, _=None):
        add(self, entry, keys, lambda text: folded.append(text) or tokens(text))

    monkeypatch.setattr(GenerationWriter, "add", spying)
    paragraphs = [f"Paragraph {at} tells of the quay and of the {at} men who mend its stones in winter, by turns "
                  f"and in the order that the harbour master wrote down for them." for at in range(4)]  # fmt: skip
    put(folder, long="\n\n".join(["The quay of the town", *paragraphs]))
    put_voyages(folder, "wire", 2)
    report = build(folder)
    assert len(folded) == report.passages == 6
    folded.clear()
    put(folder, long="\n\n".join(["The quay of the town", *paragraphs[:3], "Another end, " + paragraphs[3]]))
    assert build(folder).changed == 1
    assert folded == ["Another end, " + paragraphs[3]]
    folded.clear()
    (folder / "wire" / "v00.txt").rename(folder / "wire" / "moved.txt")
    assert build(folder).added == 1
    assert folded == []


def test_a_name_that_could_be_a_records_id_has_the_archive_read_whole(folder, read, tmp_path):
    records = [{"id": name, "text": voyage(at)} for at, name in enumerate(["x.txt", "b"])]
    put(folder, **{"a.jsonl": json.dumps(records[1]) + "\n", "a.jsonl::x.txt": voyage(7)})
    put_voyages(folder, "wire", 2)
    build(folder)
    assert "a.jsonl::x.txt" in held(folder)[0]
    for content in (records, records[1:], records):  # now the record has the id, now the file
        read.clear()
        put(folder, **{"a.jsonl": "".join(json.dumps(each) + "\n" for each in content)})
        stepped = build(folder)
        assert sorted(read) == ["a.jsonl", "a.jsonl::x.txt", "wire/v00.txt", "wire/v01.txt"]
        fresh = build_index(folder, tmp_path / "fresh", FakeModel(), rebuild=True)
        assert stepped.failed == fresh.failed
        assert [each.path for each in fresh.failed] == (["a.jsonl::x.txt"] if content == records else [])
        with closing(GenerationReader.open(IndexFolder(tmp_path / "fresh"))) as store:
            assert held(folder)[0] == {doc_id: store.article(doc_id) for doc_id in store.digests()}
    read.clear()
    (folder / "a.jsonl::x.txt").unlink()
    put_voyages(folder, "wire", 1, first=5)
    build(folder)
    assert read == ["wire/v05.txt"]


def test_when_the_secret_is_another_the_archive_is_read_whole(folder, read):
    put_voyages(folder, "wire", 5, LINE)
    first = build(folder)
    read.clear()
    (folder.parent / "cache" / "lines.key").unlink()
    second = build(folder)
    assert len(read) == 5
    assert second.generation != first.generation
    assert (second.unchanged, second.encoded, second.repeated) == (5, 0, first.repeated)
    assert build(folder).generation == second.generation


def test_many_steps_that_only_add_join_the_small_parts_of_the_term_index(folder):
    """Tantivy makes one segment of many, and removes those that were taken over."""
    for at in range(12):
        put_voyages(folder, "wire", 1, first=at)
        report = build(folder)
        assert (report.added, report.documents) == (1, at + 1)
    manifest = IndexFolder(folder.parent / "index").manifest(report.generation)
    assert sum(name.endswith(".term") for name in manifest.files) < 8
    assert len(held(folder)[0]) == 12
