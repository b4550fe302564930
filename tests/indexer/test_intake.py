"""What a build takes in: lines counted over whole sources, then cut; drafts that leave nothing behind."""

import gzip
import json
from contextlib import closing

import pytest
from fakes import FakeModel

from indexer.datatypes import RepeatedLine
from indexer.ingest.files import find_files
from indexer.intake import REPEATED_LISTED, Intake

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


def take_in(folder, fields=None, progress=None):
    """Take an archive in; returns the intake, closed, and its articles by id with their digests."""
    with closing(Intake(folder, fields or {}, progress)) as intake:
        intake.read(list(find_files(folder)))
        articles = {
            article.document.doc_id: (article, digest) for article, digest in intake.articles(FakeModel())
        }
    return intake, articles


def cuts_of(articles):
    """By id, the lines that were cut: number, rule and in how many articles the line stands."""
    return {
        doc_id: [(cut.line, cut.rule, cut.articles) for cut in article.cuts]
        for doc_id, (article, _) in articles.items()
        if article.cuts
    }


def test_a_line_that_five_articles_of_a_source_have_is_cut_from_each(folder):
    put_voyages(folder, "wire", 5, LINE)
    put_voyages(folder, "wire", 3, first=20)
    intake, articles = take_in(folder)
    assert cuts_of(articles) == {f"wire/v0{at}.txt": [(3, "repeated", 5)] for at in range(5)}
    assert all(LINE not in article.document.text for article, _ in articles.values())
    assert intake.repeated() == [RepeatedLine("wire", 5, "wire/v00.txt", 3)]


def test_a_line_that_four_articles_have_is_kept(folder):
    put_voyages(folder, "wire", 4, LINE)
    intake, articles = take_in(folder)
    assert (cuts_of(articles), intake.repeated()) == ({}, [])


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
    assert {article.document.source for article, _ in articles.values()} == {"Wire"}
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
    before = {doc_id: digest for doc_id, (_, digest) in take_in(folder)[1].items()}
    put_voyages(folder, "wire", 1, LINE, first=10)
    _, articles = take_in(folder)
    assert len(cuts_of(articles)) == 5
    assert before.items() <= {doc_id: digest for doc_id, (_, digest) in articles.items()}.items()
    put(folder, wire__v00=voyage(0, f"{LINE}s"))
    assert take_in(folder)[1]["wire/v00.txt"][1] != before["wire/v00.txt"]


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
        ((_, digest),) = take_in(folder)[1].values()
        digests.add(digest)
    assert len(digests) == 2


def test_another_record_of_a_file_changes_no_digest(folder):
    one, other = ({"id": name, "text": voyage(at)} for at, name in enumerate("ab"))
    put(folder, **{"feed.jsonl": json.dumps(one) + "\n"})
    before = take_in(folder)[1]["feed.jsonl::a"][1]
    put(folder, **{"feed.jsonl": json.dumps(other) + "\n" + json.dumps(one) + "\n"})
    assert take_in(folder)[1]["feed.jsonl::a"][1] == before


def test_of_a_file_that_is_refused_at_its_end_no_line_is_counted(folder):
    put_voyages(folder, "wire", 3, LINE)
    records = [{"text": voyage(at, LINE), "source": "wire"} for at in range(10, 16)]
    put(folder, **{"feed.json": json.dumps(records)[:-30]})
    whole = gzip.compress("".join(json.dumps(each) + "\n" for each in records).encode())
    (folder / "feed.jsonl.gz").write_bytes(whole[:-9])
    intake, articles = take_in(folder)
    assert sorted(each.path for each in intake.failed) == ["feed.json", "feed.jsonl.gz"]
    assert articles.keys() == {"wire/v00.txt", "wire/v01.txt", "wire/v02.txt"}
    assert cuts_of(articles) == {}
    assert {path: (seen.sha256 is not None, seen.reason is not None) for path, seen in intake.files.items()} == {
        "feed.json": (True, True), "feed.jsonl.gz": (True, True),
        "wire/v00.txt": (True, False), "wire/v01.txt": (True, False), "wire/v02.txt": (True, False),
    }  # fmt: skip


def test_records_that_are_refused_are_listed_and_the_others_counted(folder):
    records = [json.dumps({"text": voyage(at, LINE)}) for at in range(5)]
    put(folder, **{"feed.jsonl": "\n".join([*records[:2], "{", '{"text": ""}', *records[2:]]) + "\n"})
    intake, articles = take_in(folder)
    assert [each.path for each in intake.failed] == ["feed.jsonl::3", "feed.jsonl::4"]
    assert len(cuts_of(articles)) == len(articles) == 5


def test_sidecars_are_files_but_no_articles(folder):
    put_voyages(folder, "wire", 1)
    put(folder, **{"wire__v00.meta.json": '{"author": "Salma Haddad"}', "wire__metadata.csv": "a,b\n1,2\n"})
    intake, articles = take_in(folder)
    assert articles.keys() == {"wire/v00.txt"}
    assert articles["wire/v00.txt"][0].document.metadata["author"] == "Salma Haddad"
    assert {path for path, seen in intake.files.items() if seen.reason} == {"wire/metadata.csv"}


def test_repeated_lines_are_listed_the_commonest_first_and_no_more_than_can_be_read(folder):
    many = [f"Standing line {chr(97 + at % 26)}{at}" for at in range(REPEATED_LISTED + 20)]
    put_voyages(folder, "wire", 5, *many)
    put_voyages(folder, "wire", 2, many[7], first=20)
    intake, _ = take_in(folder)
    listed = intake.repeated()
    assert len(listed) == REPEATED_LISTED
    assert listed[0] == RepeatedLine("wire", 7, "wire/v00.txt", 10)
    assert [(each.articles, each.line) for each in listed[1:4]] == [(5, 3), (5, 4), (5, 5)]


def test_notes_name_the_articles_that_were_repaired(folder):
    text = "هدأت العاصفة عند الفجر وعاد الصيادون إلى الميناء قبل الظهر\n" * 3
    (folder / "misread.txt").write_bytes(text.encode().decode("latin-1").encode())
    put_voyages(folder, "wire", 1)
    intake, articles = take_in(folder)
    (note,) = intake.notes
    assert (note.path, "read again" in note.reason) == ("misread.txt", True)
    assert articles["misread.txt"][0].document.text.strip().startswith("هدأت العاصفة")


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
    intake, articles = take_in(folder, progress=lambda *each: told.append(each))
    assert (articles, intake.repeated(), intake.files, told) == ({}, [], {}, [])
