"""From a file to a hit and back: the range in the provenance gives the words, in the file or in its extracted text."""

import codecs
import csv
import gzip
import io
import json
import re

import pytest

from indexer import Searcher, SearchRequest, build_index
from indexer.ingest.readers.registry import Readers
from indexer.serialization import result_json
from indexer.store.folder import IndexFolder
from indexer.store.reader import GenerationReader
from tests.support.fakes import FakeModel

ENCODINGS = {
    "utf-8": str.encode,
    "utf-8-bom": lambda text: codecs.BOM_UTF8 + text.encode(),
    "utf-16-le": lambda text: codecs.BOM_UTF16_LE + text.encode("utf-16-le"),
    "utf-16-be": lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
    "windows-1256": lambda text: text.encode("windows-1256"),
}
SUFFIXES = (".txt", ".md", ".html", ".htm", ".json", ".jsonl", ".csv")
FILES = [
    f"{lang}-{encoding}{suffix}{pack}"
    for lang in ("ar", "en")
    for encoding in ENCODINGS
    for suffix in SUFFIXES
    for pack in ("", ".gz")
    if lang == "ar" or encoding == "utf-8"
]
NUMBERS = {path: 4_000 + 10 * at for at, path in enumerate(FILES)}
TITLES = {"ar": "سفينة رقمها {} تعود إلى الحوض", "en": "Ship number {} comes back to the yard"}
PHRASES = {"ar": "وضعت الأخوات الثلاث العارضة {} بأيديهن", "en": "three sisters laid the keel {} by hand"}
PROSE = {
    "ar": (
        "عادت السفينة ذات الرقم {0} إلى حوضها القديم بعد سنين من العمل في نقل الحبوب والملح بين الموانئ.",
        "وفي الدفتر {0} مكتوب أنه حين بدأ بناؤها {1} قبل أن يصل النجار الأول من القرية المجاورة للحوض.",
        "ويقول أهل المرفأ إن الخشب {0} جاء من غابة بعيدة، وإن قطعه ونقله دام شتاء كاملا وبعض الربيع.",
    ),
    "en": (
        "The ship with the number {0} is back in her old yard after years of carrying grain and salt along the coast.",
        "The ledger {0} says that when her building began {1} before the first carpenter came from the next village.",
        "People of the harbour say the timber {0} came from a far wood, and that felling it took a whole winter.",
    ),
}  # fmt: skip


def phrase(path, record=0):
    return PHRASES[path[:2]].format(NUMBERS[path] + record)


def article(path, record=0):
    number, lang = NUMBERS[path] + record, path[:2]
    paragraphs = [each.format(number, phrase(path, record)) for each in PROSE[lang]]
    return TITLES[lang].format(number), paragraphs


def content(path):
    """The text of a file in its format, with two articles where it can hold many."""
    both = [(title, "\n\n".join(paragraphs)) for title, paragraphs in (article(path, at) for at in (0, 1))]
    title, text = both[0]
    if ".txt" in path:
        return f"{title}\r\n\r\n{text}\r\n".replace("\n\n", "\r\n")
    if ".md" in path:
        return f"---\nauthor: Lina {NUMBERS[path]}\n---\n# {title}\n\n{text}\n"
    if ".htm" in path:
        body = "".join(f"<p>{each}</p>" for each in article(path)[1])
        return f"<!DOCTYPE html><html><head><title>{title}</title></head><body><h1>{title}</h1>{body}</body></html>"
    records = [{"title": title, "text": text, "id": f"r{at}"} for at, (title, text) in enumerate(both)]
    if ".jsonl" in path:
        return "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in records)
    if ".json" in path:
        return json.dumps({"data": {"articles": records}}, ensure_ascii=False, indent=2)
    table = io.StringIO(newline="")
    csv.writer(table, delimiter=";").writerows(
        [("id", "title", "text"), *((f"r{at}", *e) for at, e in enumerate(both))]
    )
    return table.getvalue()


def test_every_format_makes_the_round_trip():
    same_readers = {".ndjson", ".tsv"}  # as .jsonl and .csv
    assert set(SUFFIXES) | same_readers == Readers({}).suffixes


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    folder = tmp_path_factory.mktemp("round-trip")
    for path in FILES:
        encode = ENCODINGS[path[3:].split(".")[0]]
        data = encode(content(path))
        (folder / path).write_bytes(gzip.compress(data) if path.endswith(".gz") else data)
    return folder


@pytest.fixture(scope="module")
def searcher(archive, tmp_path_factory):
    index = tmp_path_factory.mktemp("round-trip-index")
    report = build_index(archive, index, FakeModel())
    assert report.failed == ()
    searcher = Searcher(GenerationReader.open(IndexFolder(index)), FakeModel())
    yield searcher
    searcher.store.close()


def first_hit(searcher, words):
    return result_json(searcher.search(SearchRequest(words, mode="lexical")))["hits"][0]


def decoded(archive, provenance):
    """The file that the provenance names, decoded as its reader would by hand."""
    data = (archive / provenance["path"]).read_bytes()
    data = gzip.decompress(data) if provenance["path"].endswith(".gz") else data
    return data.decode(provenance["encoding"]).removeprefix("\ufeff")


def proves(text, hit, words):
    """Whether the ranges of a hit give its words, and the phrase, in a text."""
    provenance = hit["source"]
    begins = provenance["char_start"] + hit["text"].index(words)
    return (
        text[provenance["char_start"] : provenance["char_end"]] == hit["text"]
        and text[begins : begins + len(words)] == words
        and len(re.split("\r\n|\r|\n", text[: provenance["char_start"]])) == provenance["line_start"]
        and len(re.split("\r\n|\r|\n", text[: provenance["char_end"]])) == provenance["line_end"]
    )


@pytest.mark.parametrize("path", [path for path in FILES if ".txt" in path or ".md" in path])
def test_words_are_in_the_file_where_provenance_says(archive, searcher, path):
    hit = first_hit(searcher, phrase(path))
    assert (hit["source"]["doc_id"], hit["source"]["basis"]) == (path, "file")
    assert proves(decoded(archive, hit["source"]), hit, phrase(path))


@pytest.mark.parametrize("path", [path for path in FILES if ".htm" in path])
def test_words_of_a_page_are_in_its_extracted_text(searcher, path):
    hit = first_hit(searcher, phrase(path))
    assert (hit["source"]["doc_id"], hit["source"]["basis"]) == (path, "extracted")
    assert proves(searcher.article(path).document.text, hit, phrase(path))


@pytest.mark.parametrize("record", [0, 1])
@pytest.mark.parametrize("path", [path for path in FILES if ".json" in path or ".csv" in path])
def test_words_of_a_record_are_in_its_extracted_text(searcher, path, record):
    hit = first_hit(searcher, phrase(path, record))
    assert (hit["source"]["doc_id"], hit["source"]["basis"]) == (f"{path}::r{record}", "extracted")
    assert proves(searcher.article(f"{path}::r{record}").document.text, hit, phrase(path, record))


@pytest.mark.parametrize("path", FILES)
def test_provenance_names_the_encoding_of_the_file(searcher, path):
    said = first_hit(searcher, phrase(path))["source"]["encoding"].replace("-sig", "")
    assert path[3:].startswith(said)
