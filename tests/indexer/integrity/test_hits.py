"""Provenance of hits: verified from the file alone, contradicted by it, or unverifiable."""

import gzip
import json

import pytest

from indexer import Searcher, SearchRequest, build_index
from indexer.errors import RequestError
from indexer.integrity.hits import read_hits, verify_hits
from indexer.serialization import result_json
from indexer.store.folder import IndexFolder
from indexer.store.reader import GenerationReader
from tests.support.archives import write_small
from tests.support.fakes import FakeModel

STORY = "The harbour was closed on Sunday after a storm that nobody had foretold."


@pytest.fixture
def archive(archive):
    return write_storms(archive)


def write_storms(archive):
    """Write articles of several formats, encodings and line ends; returns the folder."""
    (archive / "old.txt").write_bytes(
        "سفينة في الميناء\r\nأعلنت الوزارة أن الميناء مغلق منذ يوم الأحد بسبب العاصفة.\r\n".encode("cp1256")
    )
    (archive / "marked.txt").write_bytes(
        "\ufeffMarked 😀\nA storm closed the harbour 😀 for two days.\n".encode()
    )
    (archive / "page.html").write_text(
        f"<html><head><title>Harbour</title></head><body><article><h1>Harbour</h1><p>{STORY}</p>"
        f"<p>{STORY.replace('Sunday', 'Monday')}</p></article></body></html>"
    )
    records = [{"id": name, "title": f"Storm {name}", "text": f"{STORY} It was {name}."} for name in "ab"]
    with gzip.open(archive / "feed.jsonl.gz", "wt") as file:
        file.writelines(json.dumps(each) + "\n" for each in records)
    (archive / "copy.txt").write_text(f"Storm, again\n{STORY} It was a.\n")
    return archive


@pytest.fixture
def answer(archive, index, model):
    return search_storms(archive, index, model)


def search_storms(archive, index, model):
    build_index(archive, index, model)
    store = GenerationReader.open(IndexFolder(index))
    result = Searcher(store, model).search(
        SearchRequest("harbour storm الميناء العاصفة Geneva السدود", limit=50)
    )
    store.close()
    return json.loads(json.dumps(result_json(result)))


def proofs(answer, archive):
    return verify_hits(read_hits(json.dumps(answer)), archive, {})


def test_every_hit_and_its_collapsed_passages_are_verified(answer, archive):
    found = proofs(answer, archive)
    assert {each.path for each in found} == {
        "old.txt", "marked.txt", "page.html", "feed.jsonl.gz", "copy.txt", "talks.txt", "ar/water.txt",
    }  # fmt: skip
    assert [each.reason for each in found if not each.proven] == []


def test_verification_of_hits_needs_no_index(answer, archive, tmp_path, index):
    index.rename(tmp_path / "gone")
    assert all(each.proven for each in proofs(answer, archive))


def one(answer, path):
    return next(hit for hit in answer["hits"] if hit["source"]["path"] == path)


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory):
    """The answer and the archive of a module that changes neither."""
    place = tmp_path_factory.mktemp("unchanged")
    folder = write_storms(write_small(place / "articles"))
    return json.dumps(search_storms(folder, place / "index", FakeModel())), folder


@pytest.mark.parametrize("path", ["marked.txt", "old.txt", "page.html"])
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda hit: hit.update(text=hit["text"] + "."), "other words"),
        (lambda hit: hit.update(text=hit["text"].swapcase() + "x"), "other words"),
        (lambda hit: hit["source"].update(char_start=hit["source"]["char_start"] + 1), "other words"),
        (lambda hit: hit["source"].update(char_end=10**9), "other words"),
        (lambda hit: hit["source"].update(char_start=-5), "other words"),
        (lambda hit: hit["source"].update(line_start=hit["source"]["line_start"] + 1), "lines"),
        (lambda hit: hit["source"].update(line_end=0), "lines"),
        (lambda hit: hit["source"].update(doc_id="nothing"), "holds no article"),
    ],
)
def test_provenance_contradicted_by_its_file_is_reported(unchanged, path, change, reason):
    answer, archive = unchanged
    hit = one(json.loads(answer), path)
    change(hit)
    (proof, *_) = proofs(hit, archive)
    assert (proof.proven, proof.changed, proof.contradicted) == (False, False, True)
    assert reason in proof.reason


def test_moved_words_are_reported_with_their_place(answer, archive):
    hit = one(answer, "marked.txt")
    start = hit["source"]["char_start"]
    hit["source"]["char_start"] += 1
    assert f"they stand at characters {start} to" in proofs(hit, archive)[0].reason


def test_changed_file_is_distinguished_from_false_provenance(answer, archive):
    hit = one(answer, "marked.txt")
    path = archive / "marked.txt"
    path.write_bytes(path.read_bytes() + b"A line more.\n")
    (proof,) = proofs(hit, archive)
    assert (proof.proven, proof.changed, proof.contradicted) == (False, True, False)
    assert "has changed since" in proof.reason
    assert "the words still stand" in proof.reason
    path.write_text("Altogether other words.\n")
    assert "other words stand" in proofs(hit, archive)[0].reason


def test_missing_or_outside_file_is_reported(answer, archive, tmp_path):
    hit = one(answer, "marked.txt")
    (tmp_path / "outside.txt").write_text("secret")
    for path in ("nothing.txt", "../outside.txt", str(tmp_path / "outside.txt"), "\0", "", "ar"):
        hit["source"]["path"] = path
        (proof,) = proofs(hit, archive)
        assert (proof.proven, proof.changed) == (False, True)
        assert "secret" not in proof.reason


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "null", "3", '"hits"', "{}", '{"hits": []}', '{"hits": 3}', '{"hits": [3]}',
     '{"text": "x"}', '{"text": "x", "source": {}}', '{"text": 3, "source": {"doc_id": "a"}}',
     "[" * 5_000],
)  # fmt: skip
def test_invalid_hit_is_refused_in_one_line(content):
    with pytest.raises(RequestError, match="hit") as error:
        read_hits(content)
    assert error.value.code == "bad_hit"
    assert "\n" not in str(error.value)
