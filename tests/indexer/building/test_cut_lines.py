"""Cut lines are in no file of the index, whatever ended the build."""

import base64
import os
import shutil
import subprocess
import sys

import pytest

from indexer import Searcher, SearchRequest, build_index
from indexer.boilerplate.repetition import line_key, line_keys
from indexer.store.folder import IndexFolder
from indexer.store.reader import GenerationReader
from tests.support.edited_archives import LINE, PARAGRAPH, put, put_voyages_into
from tests.support.fakes import SAMPLE, FakeModel
from tests.support.paths import ROOT, SEEDS

ADDRESS, READER = "203.0.113.77", "zubaidareader@harbour.example"
TRACKED = base64.b64encode(f"ip: {ADDRESS}".encode()).decode()
PRIVATE = f"""Voyage of the Kingfisher
{PARAGRAPH}
Your address: {ADDRESS}
{TRACKED}
Subscribe to our newsletter, {READER}, and never miss a ship
A second paragraph, about the quartermaster and the ropes that he kept for the winter.
"""


def written_as(secret):
    """A secret in every form in which a file might hold it, letters in lower case."""
    for text in (secret, base64.b64encode(secret.encode()).decode().rstrip("=")):
        yield from (text.lower().encode(encoding) for encoding in ("utf-8", "utf-16-le", "utf-16-be"))


def content_of(path):
    """The bytes of a file; none, of one that a writer at work has renamed meanwhile."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, IsADirectoryError):
        return b""


def holding(folder, *secrets):
    """The files below a folder that hold one of the secrets, each with that secret."""
    return [
        (path.relative_to(folder).as_posix(), secret)
        for path, content in [(path, content_of(path).lower()) for path in folder.rglob("*")]
        for secret in secrets
        if any(form in content for form in written_as(secret))
    ]


@pytest.fixture
def private(empty):
    """An archive with private lines of a reader, and those lines."""
    put(empty, private=PRIVATE)
    secrets = [ADDRESS, TRACKED, READER, f"ip: {ADDRESS}"]
    if SEEDS.exists():
        for path in SEEDS.glob("*.txt"):
            shutil.copy(path, empty)
        token = next(SEEDS.glob("000_*")).read_text("utf-8-sig").split("\n")[17].split()[0]
        decoded = base64.b64decode(token).decode().strip()
        secrets += [token.rstrip("="), decoded, decoded.split()[-1]]
    return empty, secrets


def test_cut_lines_are_in_no_file_of_the_index(private, index, model):
    archive, secrets = private
    report = build_index(archive, index, model)
    assert report.cut["tracking"] >= 2
    assert holding(index, "quartermaster")  # lines that are kept are found this way
    assert holding(index, *secrets) == []
    assert not any(secret in text for text in model.encoded for secret in secrets)


def test_cut_lines_are_found_by_no_query(private, index, model):
    archive, _ = private
    build_index(archive, index, model)
    searcher = Searcher(GenerationReader.open(IndexFolder(index)), model)
    for word, item in (("quartermaster", 1), ("zubaidareader", 0), (TRACKED, 0), ("203", 0)):
        assert searcher.search(SearchRequest(word, mode="lexical", source="")).total == item
    searcher.store.close()


def ways_of_writing(key):
    """A key of 64 bits in every form in which a file might hold it."""
    unsigned = key % 2**64
    yield from (unsigned.to_bytes(8, order) for order in ("big", "little"))
    yield from (f"{item}".encode() for item in (unsigned, key, f"{unsigned:016x}", f"{unsigned:016X}"))


@pytest.mark.parametrize("articles", [1, 3, 6])
def test_unkeyed_hash_of_a_reader_line_is_not_stored(empty, index, model, model_cache, articles):
    """An address has so few spellings that an unkeyed hash of its line would reveal it."""
    personal = [TRACKED, f"Your address: {ADDRESS}", f"Subscribe to our newsletter, {READER}"]
    for _ in range(2):  # at once, and in a step that begins with it
        put_voyages_into(empty, range(articles), *personal, LINE)
        put_voyages_into(empty, [40], "\n".join(personal))
        build_index(empty, index, model)
        files = {path: path.read_bytes() for path in index.rglob("*") if path.is_file()}
        secret = (model_cache / "lines.key").read_bytes()
        keys = [line_key(line) for line in [*personal, " ".join(sorted(personal, key=len)[::-1])]]
        keys += [line_keys(path.read_text("utf-8"))[0] for path in empty.glob("*.txt")]
        forms = [secret, *(form.encode() for form in (secret.hex(), base64.b64encode(secret).decode()))]
        forms += [form for key in keys for form in ways_of_writing(key)]
        assert [path for path, content in files.items() if any(form in content for form in forms)] == []
        made_with_it = line_key(LINE, secret).to_bytes(8, "big", signed=True)
        assert [path.name for path, content in files.items() if made_with_it in content][-1:] == [
            "articles.sqlite"
        ]  # so are they written
        put_voyages_into(empty, [50], *personal)


def test_line_secret_is_made_once_and_readable_by_its_user_only(archive, index, model, model_cache):
    build_index(archive, index, model)
    path = model_cache / "lines.key"
    before = path.read_bytes()
    build_index(archive, index, model, rebuild=True)
    assert path.read_bytes() == before
    assert (len(before), path.stat().st_mode & 0o777) == (32, 0o600)


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_cut_lines_are_in_no_file_after_a_failed_build(private, index, model, error):
    class Failing(FakeModel):
        def encode_passages(self, texts):
            if any(text not in SAMPLE for text in texts):
                seen.append(holding(index, *secrets))
                raise error
            return super().encode_passages(texts)

    archive, secrets = private
    seen = []
    with pytest.raises(error):
        build_index(archive, index, Failing())
    assert seen == [[]]  # in the middle, and after
    assert holding(index, *secrets) == []
    assert list((index / "generations").iterdir()) == []


KILLED = """
import os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from tests.support.fakes import SAMPLE, FakeModel
from indexer import build_index

class Killed(FakeModel):
    def encode_passages(self, texts):
        if any(text not in SAMPLE for text in texts):
            os._exit(9)
        return super().encode_passages(texts)

build_index(Path(sys.argv[1]), Path(sys.argv[2]), Killed())
"""


def test_cut_lines_are_in_no_file_after_a_killed_build(private, index, tmp_path):
    archive, secrets = private
    (temporary := tmp_path / "temporary").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", KILLED, archive, index, ROOT],
        env={**os.environ, "TMPDIR": str(temporary), "SQLITE_TMPDIR": str(temporary)},
        check=False, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 9
    assert list((index / "generations").glob(".new-*/articles.sqlite"))  # it was in the middle
    for folder in (index, temporary):
        assert holding(folder, *secrets) == []
    build_index(archive, index, FakeModel())
    assert list((index / "generations").glob(".new-*")) == []
