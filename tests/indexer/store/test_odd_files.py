"""Pipes, devices and links in an index folder: told at once, with the remedy, and never waited for."""

import os
import shutil
import socket
from pathlib import Path

import pytest

from indexer import build_index
from indexer.errors import IndexUnusable
from indexer.store.folder import IndexFolder
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
