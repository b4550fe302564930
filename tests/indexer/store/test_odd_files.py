"""Pipes, devices and links in an index folder: told at once, with the remedy, and never waited for."""

import os
import shutil
import socket
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from indexer import build_index
from indexer.errors import IndexDamaged, IndexUnusable
from indexer.retrieval.opening import in_space
from indexer.store.folder import SPACE_FILE, IndexFolder
from indexer.store.reader import GenerationReader
from tests.support.fakes import FakeModel
from tests.support.time_bounds import at_most


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("odd")
    (folder / "archive").mkdir()
    (folder / "archive" / "a.txt").write_text("Harbour\n\nDivers have mapped the quays of the harbour.\n")
    build_index(folder / "archive", folder / "index", FakeModel())
    return folder / "index"


def make_pipe(path):
    os.mkfifo(path)


def make_endless_link(path):
    path.symlink_to("/dev/zero")


def make_link_outside(path):
    path.symlink_to("/etc/hostname")


def make_socket(path):
    with socket.socket(socket.AF_UNIX) as listening:
        here = Path.cwd()
        os.chdir(path.parent)  # the address of a socket may have 100 bytes
        try:
            listening.bind(path.name)
        finally:
            os.chdir(here)


FILES = ["warraq.json", "current", "lock", "vectors.sqlite", "vectors.sha256", "vectors.faiss", "articles.sqlite",
         "manifest.json"]  # fmt: skip


@pytest.mark.parametrize("make", [make_pipe, make_endless_link, make_link_outside, make_socket])
@pytest.mark.parametrize("name", FILES)
def test_odd_file_is_told_and_not_read(whole, tmp_path, name, make):
    index = tmp_path / "index"
    shutil.copytree(whole, index)
    (path,) = index.rglob(name)
    path.unlink()
    make(path)
    with at_most(5), pytest.raises(IndexUnusable, match=rf"holds .*{name}, which is a") as caught:
        GenerationReader.open(IndexFolder(index))
    assert caught.value.exit_status == 3
    assert caught.value.remedy.startswith("warraq build --rebuild")


def test_folder_of_somebody_else_is_told_as_such_whatever_it_holds(tmp_path):
    (tmp_path / "link").symlink_to("/etc/hostname")
    with pytest.raises(IndexUnusable, match="holds files that are not an index"):
        IndexFolder(tmp_path).check_ours()


def forged(whole, tmp_path, name, change):
    """Open an index whose file was changed by somebody who also wrote the digests."""
    index = tmp_path / "index"
    shutil.copytree(whole, index)
    (path,) = index.glob(f"generations/*/{name}")
    path.chmod(0o600)
    change(path)
    folder = IndexFolder(index)
    return GenerationReader.open_generation(folder, folder.current(), hashed=True)


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE spellings; CREATE VIEW spellings AS WITH RECURSIVE n(key, word) AS "
        "(SELECT 1, 1 UNION ALL SELECT key + 1, 1 FROM n) SELECT key, word FROM n",
        "CREATE TABLE more (x)",
        "CREATE TRIGGER t AFTER INSERT ON terms BEGIN SELECT 1; END",
        "DROP INDEX documents_by_path",
    ],
)
def test_other_tables_than_those_of_an_index_are_refused(whole, tmp_path, statement):
    def change(path):
        with closing(sqlite3.connect(path)) as database:
            database.executescript(statement)

    with at_most(5), pytest.raises(IndexDamaged, match="its tables are not those of an index") as caught:
        forged(whole, tmp_path, "articles.sqlite", change)
    assert caught.value.remedy.startswith("warraq build --rebuild")


NOT_A_SPACE = {
    "no header": b"\xff" * 8 + b"{}", "empty": b"", "another header": (2).to_bytes(8, "little") + b"{}",
    "endless header": (1 << 62).to_bytes(8, "little") + b"{" * 99,
}  # fmt: skip


@pytest.mark.parametrize("content", NOT_A_SPACE.values(), ids=NOT_A_SPACE)
def test_file_that_is_no_space_is_told_as_damage(whole, tmp_path, content):
    def change(path):
        (path.parent / "manifest.json").chmod(0o600)

    store = forged(whole, tmp_path, "manifest.json", change)
    (store.folder / SPACE_FILE).write_bytes(content)
    store.manifest.files[SPACE_FILE] = ""
    with closing(store), at_most(5), pytest.raises(IndexDamaged, match="cannot be read"):
        in_space(store, FakeModel())
