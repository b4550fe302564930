"""Files of real folders: found in order, read whole, or refused with a reason."""

import os
import threading

import pytest

from indexer.errors import ArchiveError, UnreadableFile
from indexer.ingest.files import INDEX_MARKER, check_archive, find_files, opened, printable


@pytest.fixture
def folder(tmp_path):
    archive = tmp_path / "articles"
    archive.mkdir()
    return archive


def write(archive, *paths):
    for path in paths:
        target = archive / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.encode())


def paths_of(archive):
    return [file.path for file in find_files(archive)]


def read_bytes(file, archive):
    with opened(file, archive) as source:
        return source.read()


def refusal(archive, path):
    file = next(file for file in find_files(archive) if file.path == path)
    with pytest.raises(UnreadableFile) as caught:
        read_bytes(file, archive)
    return str(caught.value)


def test_files_come_sorted_by_the_bytes_of_their_path(folder):
    write(folder, "b.txt", "a/z.txt", "a.txt", "B.txt", "a-1.txt", "مقال.txt", "é.txt", "a/b/c.txt", "🕊.txt")
    assert paths_of(folder) == sorted(paths_of(folder), key=str.encode)
    assert paths_of(folder)[:5] == ["B.txt", "a-1.txt", "a.txt", "a/b/c.txt", "a/z.txt"]
    assert len(paths_of(folder)) == 9


def test_every_file_is_read_whole(folder):
    write(folder, "a.txt", "ar/مقال.txt", "with space #1?.txt")
    assert {file.path: read_bytes(file, folder).decode() for file in find_files(folder)} == {
        path: path for path in ("a.txt", "ar/مقال.txt", "with space #1?.txt")
    }


def test_a_file_of_another_kind_is_found_too_so_that_it_can_be_listed(folder):
    write(folder, "photo.jpg", "README")
    assert paths_of(folder) == ["README", "photo.jpg"]


def test_hidden_files_and_folders_are_passed_over(folder):
    write(folder, ".git/config.txt", "a/.cache/b.txt", ".hidden.txt", "a/shown.txt")
    assert paths_of(folder) == ["a/shown.txt"]


def test_an_archive_in_a_hidden_folder_is_read(folder):
    write(folder, ".articles/a.txt")
    assert paths_of(folder / ".articles") == ["a.txt"]


def test_an_index_inside_the_archive_is_no_article(folder):
    write(folder, f"index/{INDEX_MARKER}", "index/note.txt", "index/generations/1/a.txt", "a.txt")
    assert paths_of(folder) == ["a.txt"]


def test_a_link_inside_the_archive_is_read(folder):
    write(folder, "a.txt")
    (folder / "b.txt").symlink_to("a.txt")
    assert [read_bytes(file, folder) for file in find_files(folder)] == [b"a.txt", b"a.txt"]


def test_an_archive_that_is_a_link_is_read(folder, tmp_path):
    write(folder, "a.txt")
    (tmp_path / "link").symlink_to(folder)
    assert [read_bytes(file, tmp_path / "link") for file in find_files(tmp_path / "link")] == [b"a.txt"]


@pytest.mark.parametrize("target", ["../secret.txt", "../articles-2/secret.txt", "/etc/passwd"])
def test_a_link_out_of_the_archive_is_refused(folder, target):
    write(folder.parent, "secret.txt", "articles-2/secret.txt")
    (folder / "a.txt").symlink_to(target)
    assert refusal(folder, "a.txt") == "it is a link to a file outside the archive"


def test_a_link_to_nothing_is_refused(folder):
    (folder / "a.txt").symlink_to("missing.txt")
    assert "No such file" in refusal(folder, "a.txt")


def test_a_link_to_itself_is_refused(folder):
    (folder / "a.txt").symlink_to("a.txt")
    assert refusal(folder, "a.txt")


def test_a_linked_folder_is_not_passed_over_in_silence(folder, tmp_path):
    write(tmp_path, "elsewhere/a.txt")
    (folder / "linked").symlink_to(tmp_path / "elsewhere")
    assert [path for path in paths_of(folder) if path.startswith("linked")] != []


def test_a_pipe_is_refused_without_waiting_for_a_writer(folder):
    os.mkfifo(folder / "a.txt")
    said = []
    reading = threading.Thread(target=lambda: said.append(refusal(folder, "a.txt")), daemon=True)
    reading.start()
    reading.join(10)
    assert said == ["it is not a regular file"]


def test_a_name_that_is_not_utf8_is_refused_and_can_be_printed(folder):
    name = b"caf\xe9.txt"
    (folder / os.fsdecode(name)).write_bytes(b"text")
    (found,) = find_files(folder)
    assert printable(found.path) == "caf\\xe9.txt"
    assert refusal(folder, found.path) == "its name is not UTF-8; rename it"


@pytest.mark.parametrize("path", ["a.txt", "ar/مقال 🕊.txt"])
def test_a_name_that_is_text_is_printed_as_it_is(path):
    assert printable(path) == path


def test_a_file_that_went_away_is_refused(folder):
    write(folder, "a.txt")
    (file,) = find_files(folder)
    file.location.unlink()
    with pytest.raises(UnreadableFile, match="No such file"):
        read_bytes(file, folder)


def test_an_empty_archive_has_no_files(folder):
    assert paths_of(folder) == []


def test_no_folder_is_said_with_the_remedy(tmp_path):
    with pytest.raises(ArchiveError, match=r"There is no folder .*--archive"):
        paths_of(tmp_path / "missing")


def test_a_file_for_a_folder_is_said_with_the_remedy(tmp_path):
    write(tmp_path, "a.txt")
    with pytest.raises(ArchiveError, match=r"is a file, not a folder.*--archive"):
        check_archive(tmp_path / "a.txt")


def test_a_path_that_no_folder_can_have_is_an_error_of_the_archive(tmp_path):
    with pytest.raises(ArchiveError):
        check_archive(tmp_path / ("a" * 300))
