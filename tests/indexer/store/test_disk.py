"""The steps by which an index changes on the disk."""

import hashlib
import os
import threading

import pytest

from indexer.store.disk import (
    copy_file,
    link_or_copy,
    move_folder,
    remove_file,
    replace_file,
    sha256_of,
    sync,
    write_file,
)
from tests.support.generations import names


def test_file_is_replaced_without_leftovers(tmp_path):
    path = tmp_path / "current"
    replace_file(path, "first")
    replace_file(path, "ثانٍ\n")
    assert path.read_bytes() == "ثانٍ\n".encode()
    assert names(tmp_path) == ["current"]


def test_a_replacement_that_fails_leaves_the_old_content(tmp_path):
    path = tmp_path / "current"
    replace_file(path, "old")
    with pytest.raises(UnicodeEncodeError):
        replace_file(path, "\ud800")
    assert path.read_text("utf-8") == "old"


def test_leftover_of_a_killed_replacement_does_not_disturb_the_next(tmp_path):
    path = tmp_path / "current"
    replace_file(path, "old")
    (tmp_path / ".current.new").write_text("half of something much longer", "utf-8")
    replace_file(path, "new")
    assert path.read_text("utf-8") == "new"
    assert names(tmp_path) == ["current"]


def test_reader_sees_either_the_old_or_the_new_content(tmp_path):
    path = tmp_path / "current"
    contents = ["a" * 5_000, "b" * 9_000]
    replace_file(path, contents[0])
    done = threading.Event()
    seen = set()

    def read():
        while not done.is_set():
            seen.add(path.read_text("utf-8"))

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(60):
        replace_file(path, contents[number % 2])
    done.set()
    reader.join()
    assert seen <= set(contents)


@pytest.mark.parametrize("content", [b"", b"x", b"\0\xff" * 200_000])
def test_checksum_of_a_file_is_that_of_its_bytes(tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    sync(tmp_path / "file")
    sync(tmp_path)
    assert sha256_of(tmp_path / "file") == hashlib.sha256(content).hexdigest()


def test_hard_link_is_the_same_file(tmp_path):
    write_file(tmp_path / "one", "نص")
    link_or_copy(tmp_path / "one", tmp_path / "two")
    assert (tmp_path / "two").samefile(tmp_path / "one")
    remove_file(tmp_path / "one")
    assert (tmp_path / "two").read_text("utf-8") == "نص"


def test_a_copy_is_made_where_links_are_refused(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    write_file(tmp_path / "one", "text")
    link_or_copy(tmp_path / "one", tmp_path / "two")
    assert not (tmp_path / "two").samefile(tmp_path / "one")
    assert (tmp_path / "two").read_text("utf-8") == "text"


def test_a_copy_may_be_written_to(tmp_path):
    write_file(tmp_path / "one", "text")
    (tmp_path / "one").chmod(0o444)
    copy_file(tmp_path / "one", tmp_path / "two")
    write_file(tmp_path / "two", "other")
    assert (tmp_path / "two").stat().st_mode & 0o200
    assert (tmp_path / "one").read_text("utf-8") == "text"


def test_missing_file_cannot_be_linked(tmp_path):
    with pytest.raises(FileNotFoundError):
        link_or_copy(tmp_path / "one", tmp_path / "two")
    assert names(tmp_path) == []


def test_a_folder_moves_with_all_that_is_in_it(tmp_path):
    (tmp_path / "aside" / "terms").mkdir(parents=True)
    write_file(tmp_path / "aside" / "terms" / "list", "text")
    move_folder(tmp_path / "aside", tmp_path / "named")
    assert names(tmp_path) == ["named"]
    assert (tmp_path / "named" / "terms" / "list").read_text("utf-8") == "text"


def test_removing_a_missing_file_succeeds(tmp_path):
    write_file(tmp_path / "file", "")
    for _ in range(2):
        remove_file(tmp_path / "file")
    assert names(tmp_path) == []
