"""Sidecars: which file each describes, which facts win, and how sidecars without facts or files are reported."""

import codecs
import gzip
import json

import pytest

from indexer import build_index
from indexer.errors import UnreadableFile
from indexer.ingest.files import FoundFile, find_files
from indexer.ingest.metadata.sidecars import Sidecars, is_sidecar
from tests.support.fakes import FakeModel
from tests.support.read_files import read_all
from tests.support.time_bounds import at_most

TEXT = "Divers have mapped the drowned harbour off the point.\n\nThe quays lie under nine metres of water.\n"
FACTS = {
    "title": "Quays",
    "author": "Lina Haddad",
    "source": "Reef Wire",
    "url": "https://reef.example/quays",
    "published": "2024-05-03",
}
UNKNOWN = ("", "", "", "", None)
KNOWN = tuple(FACTS.values())


@pytest.fixture
def archive(tmp_path):
    folder = tmp_path / "articles"
    folder.mkdir()
    return folder


def put(archive, **files):
    for path, content in files.items():
        target = archive / path
        target.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(content, ensure_ascii=False) if isinstance(content, dict) else content
        target.write_bytes(text.encode() if isinstance(text, str) else text)


def facts(document):
    return document.title, document.author, document.source, document.url, document.published


def facts_by_id(archive, names=None):
    documents, refused = read_all(archive, names)
    assert refused == []
    return {each.doc_id: facts(each) for each in documents}


def refusal(archive, path):
    found = list(find_files(archive))
    (file,) = [each for each in found if each.path == path]
    with pytest.raises(UnreadableFile) as caught:
        Sidecars(archive, found, {}).check(file)
    return str(caught.value)


def check_all(archive):
    found = list(find_files(archive))
    sidecars = Sidecars(archive, found, {})
    for file in found:
        if is_sidecar(file.path):
            sidecars.check(file)


# Which file is spoken of


@pytest.mark.parametrize(
    ("path", "sidecar"),
    [
        ("a.txt", "a.txt.meta.json"),
        ("a.txt", "a.meta.json"),
        ("a.txt.gz", "a.txt.gz.meta.json"),
        ("a.txt.gz", "a.txt.meta.json"),
        ("a.txt.gz", "a.meta.json"),
        ("A.TXT.GZ", "A.meta.json"),
        ("a.b.md", "a.b.meta.json"),
        ("مقال.txt", "مقال.meta.json"),
    ],
)
def test_sidecar_describes_the_file_of_its_name_with_or_without_suffix(archive, path, sidecar):
    data = TEXT.encode()
    put(archive, **{path: gzip.compress(data) if path.lower().endswith("gz") else data, sidecar: FACTS})
    assert facts_by_id(archive) == {path: KNOWN}
    check_all(archive)


def test_sidecar_describes_no_file_in_another_folder(archive):
    put(archive, **{"a.txt": TEXT, "sub/a.txt": TEXT, "sub/a.meta.json": FACTS})
    assert facts_by_id(archive) == {"a.txt": UNKNOWN, "sub/a.txt": KNOWN}


def test_sidecar_describes_no_file_with_a_longer_name(archive):
    put(archive, **{"a.txt": TEXT, "ab.txt": TEXT, "a.meta.json": FACTS})
    assert facts_by_id(archive) == {"a.txt": KNOWN, "ab.txt": UNKNOWN}


def test_nearer_of_two_sidecars_counts_alone(archive):
    put(archive, **{"a.txt": TEXT, "a.txt.meta.json": {"title": "Nearer"}, "a.meta.json": FACTS})
    assert facts_by_id(archive) == {"a.txt": ("Nearer", "", "", "", None)}


@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz", "a", "./a.txt", " a.txt "])
@pytest.mark.parametrize("column", ["file", "Filename", "path", "name", "file_name", "الملف"])
def test_table_row_describes_the_file_that_it_names(archive, name, column):
    header = ",".join([column, *FACTS])
    put(archive, **{"a.txt": TEXT, "b.txt": TEXT, "metadata.csv": f"{header}\n{name},{','.join(KNOWN)}\n"})
    expected = KNOWN if name != "a.txt.gz" else UNKNOWN
    assert facts_by_id(archive) == {"a.txt": expected, "b.txt": UNKNOWN}
    if expected == KNOWN:
        check_all(archive)
    else:
        with pytest.raises(UnreadableFile, match=r"1 row names no file of its folder \(a.txt.gz\)"):
            check_all(archive)


def test_file_name_is_not_a_title(archive):
    put(archive, **{"a.txt": TEXT, "metadata.csv": "name,author\na.txt,Lina\n"})
    assert facts_by_id(archive)["a.txt"][:2] == ("", "Lina")


def test_table_describes_files_of_its_own_folder(archive):
    put(archive, **{"a.txt": TEXT, "sub/a.txt": TEXT, "sub/metadata.csv": "file,title\na.txt,Quays\n"})
    assert {key: each[0] for key, each in facts_by_id(archive).items()} == {"a.txt": "", "sub/a.txt": "Quays"}


def test_each_folder_has_its_own_table(archive):
    names = ["x", "y", "z"]
    put(archive, **{f"{each}/a.txt": TEXT for each in names})
    put(archive, **{f"{each}/metadata.csv": f"file,title\na.txt,{each}\n" for each in names})
    assert {key: each[0] for key, each in facts_by_id(archive).items()} == {f"{e}/a.txt": e for e in names}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_table_is_read_with_any_column_separator(archive, delimiter):
    rows = [["file", *FACTS], ["a.txt", *KNOWN]]
    put(archive, **{"a.txt": TEXT, "metadata.csv": "\r\n".join(delimiter.join(row) for row in rows)})
    assert facts_by_id(archive) == {"a.txt": KNOWN}


@pytest.mark.parametrize(
    ("row", "title"),
    [
        ('a.txt,"Quays,\nand more",x', "Quays, and more"),
        ("a.txt,Quays\u2028and\x0bmore,x", "Quays and more"),
        ("a.txt,Quays,x,too,many,fields", "Quays"),
        ("a.txt,Quays", "Quays"),
        ("a.txt", ""),
        ("\na.txt,Quays,x", "Quays"),
        ("a.txt,Quays,x\na.txt,Other,y", "Quays"),
        (',Nobody,x\n"a.txt","Quays",x', "Quays"),
    ],
)
def test_short_and_long_rows_are_read(archive, row, title):
    put(archive, **{"a.txt": TEXT, "metadata.csv": f"file,title,author\n{row}\n"})
    assert facts_by_id(archive)["a.txt"][0] == title


@pytest.mark.parametrize(
    "encode",
    [
        str.encode,
        lambda text: codecs.BOM_UTF8 + text.encode(),
        lambda text: text.encode("utf-16"),
        lambda text: text.encode("windows-1256"),
    ],
)
def test_sidecars_are_read_in_any_encoding(archive, encode):
    title = "غواصون يرسمون ميناء غارقا قبالة الرأس في الشتاء"
    record = json.dumps({"title": title}, ensure_ascii=False)
    put(archive, **{"a.txt": TEXT, "a.meta.json": encode(record)})
    put(archive, **{"b.txt": TEXT, "metadata.csv": encode(f"file,title\nb.txt,{title}\n")})
    assert {key: each[0] for key, each in facts_by_id(archive).items()} == {"a.txt": title, "b.txt": title}


def test_arabic_sidecar_is_read(archive):
    put(
        archive,
        **{"a.txt": TEXT, "a.meta.json": {"العنوان": "ميناء", "الكاتب": "لينا", "التاريخ": "3 مايو 2024"}},
    )
    assert facts_by_id(archive) == {"a.txt": ("ميناء", "لينا", "", "", "2024-05-03")}


def test_meta_file_wins_over_the_table_field_by_field(archive):
    put(
        archive,
        **{
            "a.txt": TEXT,
            "a.meta.json": {"title": "Meta"},
            "metadata.csv": "file,title,author\na,Row,Lina\n",
        },
    )
    assert facts_by_id(archive)["a.txt"][:2] == ("Meta", "Lina")


# Whose word counts


def test_sidecar_wins_over_the_facts_of_a_text_file(archive):
    own = "---\ntitle: Own\nauthor: Own Author\ndate: 2001-01-01\n---\n" + TEXT
    put(archive, **{"a.md": own, "a.meta.json": {"title": "Beside", "published": "2024-05-03"}})
    assert facts_by_id(archive) == {"a.md": ("Beside", "Own Author", "", "", "2024-05-03")}


def test_sidecar_wins_over_the_facts_of_a_json_article(archive):
    put(archive, **{"a.json": {"title": "Own", "text": TEXT}, "a.json.meta.json": {"title": "Beside"}})
    assert facts_by_id(archive)["a.json"][0] == "Beside"


def test_sidecar_wins_over_the_facts_of_a_page(archive):
    body = "".join(f"<p>{each} {TEXT}</p>" for each in range(4))
    page = f"<title>Own heading here</title><h1>Own heading here</h1>{body}"
    put(archive, **{"a.html": page, "a.meta.json": FACTS})
    assert facts_by_id(archive) == {"a.html": KNOWN}


@pytest.mark.parametrize("path", ["a.jsonl", "a.json", "a.csv"])
def test_sidecar_of_a_file_of_many_articles_only_fills_gaps(archive, path):
    records = [{"title": "Own", "source": "", "text": TEXT}, {"source": "Own Wire", "text": TEXT}]
    data = {
        "a.jsonl": "\n".join(map(json.dumps, records)),
        "a.json": json.dumps(records),
        "a.csv": f'title,source,text\nOwn,,"{TEXT}"\n,Own Wire,"{TEXT}"\n',
    }[path]
    put(archive, **{path: data, f"{path}.meta.json": FACTS})
    assert facts_by_id(archive) == {
        f"{path}::1": ("Own", *KNOWN[1:]),
        f"{path}::2": (KNOWN[0], KNOWN[1], "Own Wire", *KNOWN[3:]),
    }


def test_folder_is_the_default_source(archive):
    put(
        archive,
        **{"reef/2024/a.txt": TEXT, "reef/2024/b.txt": TEXT, "reef/2024/b.meta.json": {"source": "Wire"}},
    )
    assert [each[2] for each in facts_by_id(archive).values()] == ["reef/2024", "Wire"]


def test_text_never_comes_from_a_sidecar(archive):
    put(archive, **{"a.txt": TEXT, "a.meta.json": {"text": "Another text.", "title": "Quays"}})
    ((document,), _) = read_all(archive)
    assert document.text == TEXT


def test_configured_names_apply_to_sidecars(archive):
    put(archive, **{"a.txt": TEXT, "a.meta.json": {"title": "x", "lead": {"en": "Quays"}}})
    assert facts_by_id(archive, {"title": "lead.en"})["a.txt"][0] == "Quays"


@pytest.mark.parametrize(
    "value", [["a"] * 3, {"name": "n"}, 5, "half \ud83d", "a\0b", None, [[["x"]]], True, "x" * 900]
)
def test_values_of_any_type_are_read_safely(archive, value):
    put(archive, **{"a.txt": TEXT, "a.meta.json": json.dumps(dict.fromkeys(FACTS, value))})
    ((document,), _) = read_all(archive)
    for each in filter(None, facts(document)):
        assert each.encode().isascii()
        assert "\0" not in each


# Broken sidecars


def test_rows_that_name_no_file_are_noted_and_the_others_used(archive):
    put(archive, **{"a.txt": TEXT, "metadata.csv": "file,title\na.txt,Quays\nb.txt,Kiln\nc.txt,Door\n"})
    found = list(find_files(archive))
    sidecars = Sidecars(archive, found, {})
    with pytest.raises(UnreadableFile) as caught:
        sidecars.check(next(file for file in found if file.path == "metadata.csv"))
    assert str(caught.value) == "2 rows name no file of its folder (b.txt, c.txt); the other rows are used"
    assert sidecars.facts("a.txt", "en").title == "Quays"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "it is not JSON"),
        ("{", "it is not JSON"),
        ("[1]", "it is no JSON object"),
        ('"x"', "it is no JSON object"),
        ("[" * 100_000, "it is not JSON"),
        (b"\xff\xfe\xfd", "it is not UTF-16-LE text"),
        (b"\x00\x01\x02", "NUL"),
        ('{"a": ' + "9" * 5_000 + "}", "it is not JSON"),
    ],
)
def test_a_broken_sidecar_is_refused_and_its_article_is_read(archive, content, reason):
    put(archive, **{"a.txt": TEXT, "a.meta.json": content})
    assert reason in refusal(archive, "a.meta.json")
    assert facts_by_id(archive) == {"a.txt": UNKNOWN}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "it names no files: a column file, filename or path should"),
        ("title,author\nQuays,Lina\n", "it names no files: a column file, filename or path should"),
        ("file,title\n", "it names no files: a column file, filename or path should"),
        ("file,title\n,Quays\n", "it names no files: a column file, filename or path should"),
        ('file,title\na.txt,"' + "x" * (9 << 20), "it is not CSV"),
        (b"file,title\na.txt,\x00\n", "NUL"),
    ],
)
def test_a_broken_table_is_refused_and_its_articles_are_read(archive, content, reason):
    put(archive, **{"a.txt": TEXT, "metadata.csv": content})
    assert reason in refusal(archive, "metadata.csv")
    assert facts_by_id(archive) == {"a.txt": UNKNOWN}


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("b.meta.json", "b"),
        ("a.txt.txt.meta.json", "a.txt.txt"),
        ("sub/a.meta.json", "a"),
        ("b.txt.meta.json", "b.txt"),
    ],
)
def test_a_sidecar_without_a_file_is_refused(archive, path, named):
    put(archive, **{"a.txt": TEXT, path: FACTS})
    assert refusal(archive, path) == f"there is no file {named} that it could speak of"


def test_sidecar_is_not_an_article(archive):
    assert [is_sidecar(path) for path in ("a.meta.json", "x/a.txt.meta.json", "x/metadata.csv")] == [True] * 3
    assert [
        is_sidecar(path) for path in ("meta.json", "a.json", "metadata.csv/a.txt", "my-metadata.csv")
    ] == [False] * 4


def test_thousands_of_sidecars_are_checked_at_once(archive):
    found = [
        FoundFile(f"{at}{end}", archive / "one") for at in range(20_000) for end in (".txt", ".meta.json")
    ]
    (archive / "one").write_text("{}")
    sidecars = Sidecars(archive, found, {})
    with at_most(5):
        for file in found[1:1_000:2]:
            sidecars.check(file)


def test_a_sidecar_of_many_articles_is_read_once(archive):
    put(archive, **{"a.jsonl": "\n".join([json.dumps({"text": TEXT})] * 3), "a.meta.json": FACTS})
    found = list(find_files(archive))
    sidecars = Sidecars(archive, found, {})
    assert sidecars.facts("a.jsonl", "en").title == "Quays"
    (archive / "a.meta.json").unlink()
    assert sidecars.facts("a.jsonl", "en").title == "Quays"


# In a build


def listed(report):
    return {each.path: each.reason for each in report.failed}


def test_build_lists_broken_sidecars_and_sidecars_without_a_file(archive, tmp_path):
    put(
        archive, **{"a.txt": TEXT, "a.meta.json": "{", "b.meta.json": FACTS, "sub/metadata.csv": "title\nx\n"}
    )
    report = build_index(archive, tmp_path / "index", FakeModel())
    assert report.documents == 1
    assert listed(report) == {
        "a.meta.json": "it is not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
        "b.meta.json": "there is no file b that it could speak of",
        "sub/metadata.csv": "it names no files: a column file, filename or path should",
    }


@pytest.mark.parametrize("sidecar", ["a.meta.json", "metadata.csv"])
def test_build_detects_added_changed_and_removed_sidecars(archive, tmp_path, sidecar):
    put(archive, **{"a.txt": TEXT, "b.txt": TEXT})

    def build(title):
        if title:
            put(
                archive,
                **{sidecar: {"title": title} if "json" in sidecar else f"file,title\na.txt,{title}\n"},
            )
        report = build_index(archive, tmp_path / "index", FakeModel())
        assert report.failed == ()
        return report.changed, report.unchanged, report.generation

    *_, first = build("")
    changed, unchanged, second = build("Quays")
    assert (changed, unchanged) == (1, 1)
    assert build("Quays") == (0, 2, second)
    assert build("Kilns")[:2] == (1, 1)
    (archive / sidecar).unlink()
    assert build("")[:2] == (1, 1)
    assert first != second
