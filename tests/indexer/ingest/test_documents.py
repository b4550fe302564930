"""A file to documents: ids, language, source, day; listed failures; and builds that go on after them."""

import gzip
import hashlib
import json
import os

import pytest

from indexer import build_index
from indexer.datatypes import Document, FailedFile, SourceFile
from indexer.errors import UnreadableFile
from indexer.ingest import documents, files
from indexer.ingest.documents import REFUSED_LISTED, documents_of, read_original
from indexer.ingest.files import find_files, open_file
from indexer.ingest.metadata.sidecars import Sidecars
from indexer.ingest.readers import records
from indexer.ingest.readers.registry import Readers
from tests.support.fakes import FakeModel
from tests.support.read_files import read_all, read_untouched

TEXT = "Divers have mapped the drowned harbour off the point, and found two quays of dressed stone there."
ARABIC = "رسم غواصون من هيئة مسح السواحل ميناء غارقا قبالة الرأس، ووجدوا رصيفين من حجر منحوت."


@pytest.fixture
def archive(tmp_path):
    folder = tmp_path / "articles"
    folder.mkdir()
    return folder


def put(archive, **contents):
    for path, content in contents.items():
        target = archive / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)


def lines(*records):
    return "\n".join(map(json.dumps, records))


# Ids


def test_id_is_the_file_path_and_the_record_id(archive):
    put(archive, **{"ar/a.txt": ARABIC, "b.json": json.dumps({"id": 3, "text": TEXT})})
    put(archive, **{"c.jsonl": lines({"text": TEXT}, {"id": "x", "text": TEXT})})
    found, _ = read_all(archive)
    assert [each.doc_id for each in found] == ["ar/a.txt", "b.json", "c.jsonl::1", "c.jsonl::x"]


def test_equal_records_in_two_files_have_different_ids(archive):
    put(archive, **{path: lines({"id": 1, "text": TEXT}) for path in ("a.jsonl", "b.jsonl", "c/a.jsonl")})
    found, _ = read_all(archive)
    assert [each.doc_id for each in found] == ["a.jsonl::1", "b.jsonl::1", "c/a.jsonl::1"]


def test_file_named_like_a_record_id_is_listed_and_the_build_goes_on(archive, tmp_path):
    put(archive, **{"a.jsonl": lines({"id": "b.txt", "text": TEXT}), "a.jsonl::b.txt": TEXT})
    report = build_index(archive, tmp_path / "index", FakeModel())
    assert report.documents == 1
    assert report.failed == (
        FailedFile("a.jsonl::b.txt", "its name is the id of an article in another file; rename it"),
    )


def test_record_with_an_id_of_another_file_gets_a_new_id(archive):
    put(
        archive,
        **{"a.jsonl": lines({"id": "b.jsonl::1", "text": TEXT}), "a.jsonl::b.jsonl": lines({"text": TEXT})},
    )
    found, _ = read_all(archive)
    assert [each.doc_id for each in found] == ["a.jsonl::b.jsonl::1", "a.jsonl::b.jsonl::1~2"]


def test_record_numbers_count_refused_records(archive):
    put(archive, **{"a.jsonl": "\n".join([lines({"text": TEXT}), "broken", lines({"text": TEXT})])})
    found, refused = read_all(archive)
    assert [each.file.record for each in found] == [1, 3]
    assert [each.path for each in refused] == ["a.jsonl::2"]


# Listed failures


@pytest.mark.parametrize(
    ("broken", "listed"), [(REFUSED_LISTED, REFUSED_LISTED), (REFUSED_LISTED + 1, 21), (2_500, 21)]
)
def test_refused_records_are_listed_singly_up_to_a_limit(archive, broken, listed):
    put(archive, **{"a.jsonl": "x\n" * broken + lines({"text": TEXT})})
    found, refused = read_all(archive)
    assert len(found) == 1
    assert len(refused) == listed
    assert [each.path for each in refused[:REFUSED_LISTED]] == [f"a.jsonl::{at}" for at in range(1, 21)]
    if broken > REFUSED_LISTED:
        assert refused[-1] == FailedFile("a.jsonl", f"{broken - 20:,} more of its records are refused")


def test_file_refused_after_some_records_gives_no_document(archive, tmp_path):
    put(archive, **{"a.json": f'[{{"text": "{TEXT}"}}, {{"text": "{TEXT}"}}', "b.txt": TEXT})
    report = build_index(archive, tmp_path / "index", FakeModel())
    assert (report.documents, report.added) == (1, 1)
    assert [each.path for each in report.failed] == ["a.json"]


# Facts


@pytest.mark.parametrize(("text", "lang"), [(TEXT, "en"), (ARABIC, "ar"), ("2024 2025", "und")])
def test_a_document_has_the_language_of_its_text(text, lang):
    (document,) = read_untouched("a.txt", text.encode())
    assert document.lang == lang


@pytest.mark.parametrize(
    ("text", "day"),
    [
        (f"Quays\n3 May 2024\n\n{TEXT}", "2024-05-03"),
        (f"Quays\n\nBy Lina Haddad | May 3, 2024 - 9:15\n\n{TEXT}", "2024-05-03"),
        (f"ميناء غارق\nالجمعة 3 مايو 2024\n{ARABIC}", "2024-05-03"),
        (f"ميناء غارق\n03/05/2024\n{ARABIC}", "2024-05-03"),
        (f"Quays\n03/05/2024\n{TEXT}", None),
        (f"Quays\n{TEXT} It opened on 3 May 2024.", None),
        ("Quays\n" + "A line.\n" * 8 + "3 May 2024\n", None),
        (f"3 May 2024\n{TEXT}", None),  # the first line is the title
    ],
)
@pytest.mark.parametrize("path", ["a.txt", "a.md"])
def test_date_comes_from_the_first_lines(text, day, path):
    (document,) = read_untouched(path, text.encode())
    assert document.published == day


def test_date_of_a_record_may_be_in_its_first_lines(archive):
    put(archive, **{"a.jsonl": lines({"title": "Quays", "text": f"3 May 2024\n{TEXT}"}, {"text": TEXT})})
    found, _ = read_all(archive)
    assert [each.published for each in found] == ["2024-05-03", None]


def test_file_time_is_never_the_date(archive):
    put(archive, **{"a.txt": TEXT, "b.json": json.dumps({"text": TEXT}), "c.csv": f'text\n"{TEXT}"\n'})
    for path in archive.iterdir():
        os.utime(path, (1_700_000_000, 1_700_000_000))
    found, _ = read_all(archive)
    assert [each.published for each in found] == [None, None, None]


def test_document_holds_its_provenance(archive):
    data = gzip.compress(lines({"id": "x", "text": TEXT, "author": "Lina"}).encode())
    put(archive, **{"wire/a.jsonl.gz": data})
    ((document,), _) = read_all(archive)
    assert document.source == "wire"
    sha256 = hashlib.sha256(data).hexdigest()
    assert document.file == SourceFile("wire/a.jsonl.gz", sha256, "extracted", "utf-8", 1)
    assert (document.author, document.url, document.notes, document.left_out) == ("Lina", "", "", 0)


# Rereading


def texts_read_anew(archive, found):
    with Readers({}) as readers:
        return [
            extract and extract.text for each in found for extract in [read_original(each, archive, readers)]
        ]


def test_articles_are_reread_unchanged(archive):
    page = f"<title>Two drowned quays</title><h1>Two drowned quays</h1><p>{TEXT}</p><p>{TEXT} Again.</p>"
    put(
        archive,
        **{"a.txt": TEXT, "b.jsonl": lines({"text": TEXT}, {"id": 9, "text": ARABIC}), "c.html": page},
    )
    found, _ = read_all(archive)
    assert texts_read_anew(archive, found) == [each.text for each in found]


@pytest.mark.parametrize("change", ["edit", "remove", "link"])
def test_article_of_a_changed_file_is_not_reread(archive, tmp_path, change):
    put(archive, **{"a.jsonl": lines({"text": TEXT})})
    found, _ = read_all(archive)
    data = (archive / "a.jsonl").read_bytes()
    (archive / "a.jsonl").unlink()
    if change == "edit":
        (archive / "a.jsonl").write_bytes(data + b"\n")
    if change == "link":
        (tmp_path / "a.jsonl").write_bytes(data)
        (archive / "a.jsonl").symlink_to(tmp_path / "a.jsonl")
    assert texts_read_anew(archive, found) == [None]


def test_overlong_file_is_not_reread_for_one_article(archive, monkeypatch):
    put(archive, **{"a.txt": TEXT})
    found, _ = read_all(archive)
    monkeypatch.setattr(documents, "REREAD", len(TEXT))
    assert texts_read_anew(archive, found) == [TEXT]
    monkeypatch.setattr(documents, "REREAD", len(TEXT) - 1)
    assert texts_read_anew(archive, found) == [None]


# Builds go on after failures


BROKEN = {
    "binary.txt": (b"GIF89a\0\1\2", "NUL"),
    "bomb.jsonl.gz": (gzip.compress(bytes(1 << 20)), "more than 200 times its size"),
    "cut.txt.gz": (gzip.compress(TEXT.encode())[:-5], "not a whole gzip file"),
    "deep.html": ("<div>" * 5_000 + TEXT, "nested too deeply"),
    "deep.json": ("[" * 5_000, "nested too deeply"),
    "digits.json": ('[{"id": ' + "9" * 5_000 + "}]", "not JSON"),
    "double.txt.gz": (gzip.compress(gzip.compress(TEXT.encode())), "NUL"),
    "empty.csv": ("", "it is empty"),
    "latin.txt": (b"\xe9\xff\xfe\x81" * 40, "encoding cannot be told"),
    "long.csv": ("text\n" + "x" * 9_000, "longer than"),
    "long.txt": (TEXT * 400, "longer than"),
    "photo.jpg": (b"\xff\xd8\xff\xe0", ".jpg is not a format that is read"),
}


def test_build_lists_unreadable_files_and_indexes_the_others(archive, tmp_path, monkeypatch):
    monkeypatch.setattr(files, "BOMB_SIZE", 10_000)
    monkeypatch.setattr(files, "ARTICLE_SIZE", 30_000)
    monkeypatch.setattr(records, "RECORD_SIZE", 8_000)
    monkeypatch.setattr(records, "_SAMPLED", 4_000)
    put(archive, **{path: content for path, (content, _) in BROKEN.items()})
    put(archive, **{"good.txt": TEXT, "half.jsonl": lines({"text": TEXT, "title": "\ud83d"}, 3)})
    (archive / "out.txt").symlink_to("/etc/passwd")
    (archive / "loop.txt").symlink_to("loop.txt")
    (archive / "up").symlink_to("..")
    os.mkfifo(archive / "pipe.txt")
    report = build_index(archive, tmp_path / "index", FakeModel())
    assert report.documents == 2
    reasons = {each.path: each.reason for each in report.failed}
    others = {"half.jsonl::2", "out.txt", "loop.txt", "up", "pipe.txt"}
    assert set(reasons) == {*BROKEN, *others}
    for path, (_, reason) in BROKEN.items():
        assert reason in reasons[path], path


def test_a_file_that_changes_while_a_build_reads_it_is_read_by_the_next(archive, tmp_path):
    put(archive, **{"a.txt": "Before.", "b.txt": TEXT})
    moved = []

    def progress(stage, done, total):
        if stage == "reading" and not moved:
            (archive / "a.txt").write_text("After..")
            moved.append(done)

    first = build_index(archive, tmp_path / "index", FakeModel(), progress=progress)
    assert moved
    assert [each.path for each in first.failed] == ["a.txt"]
    assert "changed while it was read" in first.failed[0].reason
    second = build_index(archive, tmp_path / "index", FakeModel())
    assert (second.failed, second.documents, second.added) == ((), 2, 1)


def test_documents_of_a_file_that_changes_while_read_are_discarded(archive, tmp_path):
    put(archive, **{"a.jsonl": lines(*[{"text": f"{TEXT} {at}"} for at in range(20)])})
    (file,) = find_files(archive)
    given = []
    with (
        Readers({}) as readers,
        pytest.raises(UnreadableFile, match="changed while"),
        open_file(file, archive) as source,
    ):
        for each in documents_of(source, readers, Sidecars(archive, [file], {})):
            given.append(each)
            (archive / "a.jsonl").write_text("x" * file.location.stat().st_size)
    assert all(isinstance(each, Document) for each in given)
