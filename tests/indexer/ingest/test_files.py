"""Files of real folders: found in order, read whole, or refused with a reason."""

import gzip
import hashlib
import os
import threading

import pytest

from indexer.errors import ArchiveError, UnreadableFile
from indexer.ingest import files
from indexer.ingest.files import (
    INDEX_MARKER,
    FoundFile,
    MovingFile,
    check_archive,
    find_files,
    hash_file,
    open_file,
    printable_path,
)


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
    with open_file(file, archive) as source:
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


def test_file_of_unknown_format_is_found_and_listed(folder):
    write(folder, "photo.jpg", "README")
    assert paths_of(folder) == ["README", "photo.jpg"]


def test_hidden_files_and_folders_are_skipped(folder):
    write(folder, ".git/config.txt", "a/.cache/b.txt", ".hidden.txt", "a/shown.txt")
    assert paths_of(folder) == ["a/shown.txt"]


def test_an_archive_in_a_hidden_folder_is_read(folder):
    write(folder, ".articles/a.txt")
    assert paths_of(folder / ".articles") == ["a.txt"]


def test_index_inside_the_archive_is_skipped(folder):
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


def test_linked_folder_is_listed(folder, tmp_path):
    write(tmp_path, "elsewhere/a.txt")
    (folder / "linked").symlink_to(tmp_path / "elsewhere")
    assert [path for path in paths_of(folder) if path.startswith("linked")] != []


def test_every_linked_folder_is_refused(folder, tmp_path):
    write(folder, "real/a.txt")
    (folder / "in").symlink_to("real")
    (folder / "out").symlink_to(tmp_path)
    assert refusal(folder, "in") == "it is a folder that is a link or cannot be listed"
    assert refusal(folder, "out") == "it is a link to a file outside the archive"


def test_mutual_folder_links_are_listed_and_not_followed(folder):
    write(folder, "a/a.txt", "b/b.txt")
    (folder / "a/to-b").symlink_to(folder / "b")
    (folder / "b/to-a").symlink_to(folder / "a")
    (folder / "b/up").symlink_to("..")
    assert paths_of(folder) == ["a/a.txt", "a/to-b", "b/b.txt", "b/to-a", "b/up"]


def test_a_link_to_a_link_that_leads_out_is_refused(folder):
    write(folder.parent, "secret.txt")
    (folder / "a.txt").symlink_to("b.txt")
    (folder / "b.txt").symlink_to("../secret.txt")
    assert refusal(folder, "a.txt") == "it is a link to a file outside the archive"


def test_folder_replaced_by_a_link_is_not_followed(folder):
    write(folder, "sub/a.txt")
    write(folder.parent, "elsewhere/a.txt")
    (file,) = find_files(folder)
    (folder / "sub").rename(folder.parent / "moved")
    (folder / "sub").symlink_to(folder.parent / "elsewhere")
    with pytest.raises(UnreadableFile, match="outside the archive"):
        read_bytes(file, folder)


def test_a_link_is_not_changed_by_reading_it(folder):
    write(folder, "a.txt")
    (folder / "b.txt").symlink_to("a.txt")
    before = {path: (path.lstat().st_mtime_ns, path.lstat().st_mode) for path in folder.iterdir()}
    for file in find_files(folder):
        read_bytes(file, folder)
    assert {path: (path.lstat().st_mtime_ns, path.lstat().st_mode) for path in folder.iterdir()} == before


def test_a_pipe_is_refused_without_waiting_for_a_writer(folder):
    os.mkfifo(folder / "a.txt")
    said = []
    reading = threading.Thread(target=lambda: said.append(refusal(folder, "a.txt")), daemon=True)
    reading.start()
    reading.join(10)
    assert said == ["it is not a regular file"]


def test_name_outside_utf8_is_refused_and_printable(folder):
    name = b"caf\xe9.txt"
    (folder / os.fsdecode(name)).write_bytes(b"text")
    (found,) = find_files(folder)
    assert printable_path(found.path) == "caf\\xe9.txt"
    assert refusal(folder, found.path) == "its name is not UTF-8; rename it"


@pytest.mark.parametrize("path", ["a.txt", "ar/مقال 🕊.txt"])
def test_valid_name_is_printed_unchanged(path):
    assert printable_path(path) == path


def test_removed_file_is_refused(folder):
    write(folder, "a.txt")
    (file,) = find_files(folder)
    file.location.unlink()
    with pytest.raises(UnreadableFile, match="No such file"):
        read_bytes(file, folder)


def test_an_empty_archive_has_no_files(folder):
    assert paths_of(folder) == []


def test_missing_folder_is_reported_with_the_remedy(tmp_path):
    with pytest.raises(ArchiveError, match=r"There is no folder .*--archive"):
        paths_of(tmp_path / "missing")


def test_file_in_place_of_a_folder_is_reported_with_the_remedy(tmp_path):
    write(tmp_path, "a.txt")
    with pytest.raises(ArchiveError, match=r"is a file, not a folder.*--archive"):
        check_archive(tmp_path / "a.txt")


def test_invalid_path_raises_an_archive_error(tmp_path):
    with pytest.raises(ArchiveError):
        check_archive(tmp_path / ("a" * 300))


# What a file is when it is read


def rewritten(folder, before, after, path="a.txt"):
    """Open a file, rewrite it before the block ends, and return the error message."""
    (folder / path).write_bytes(before)
    (file,) = find_files(folder)
    with pytest.raises(UnreadableFile) as caught, open_file(file, folder) as source:
        source.read()
        (folder / path).write_bytes(after)
    return caught


@pytest.mark.parametrize("after", [b"other text", b"some text and more", b"some", b""])
def test_a_file_that_changes_while_it_is_read_is_refused(folder, after):
    caught = rewritten(folder, b"some text!", after)
    assert caught.type is MovingFile
    assert str(caught.value) == "it changed while it was read; build again"


def test_changed_file_with_equal_size_and_time_is_refused(folder):
    (folder / "a.txt").write_bytes(b"some text")
    (file,) = find_files(folder)
    with pytest.raises(MovingFile), open_file(file, folder) as source:
        source.read()
        times = (folder / "a.txt").stat()
        (folder / "a.txt").write_bytes(b"soup text")
        os.utime(folder / "a.txt", ns=(times.st_atime_ns, times.st_mtime_ns))


def test_file_replaced_while_read_keeps_its_original_content(folder):
    write(folder, "a.txt")
    (file,) = find_files(folder)
    with open_file(file, folder) as source:
        (folder / "new").write_bytes(b"new")
        (folder / "new").replace(folder / "a.txt")
        assert source.read() == b"a.txt"


def test_file_hash_is_that_of_its_stored_bytes(folder):
    data = gzip.compress(b"text")
    (folder / "a.txt.gz").write_bytes(data)
    (file,) = find_files(folder)
    assert hash_file(file, folder) == hashlib.sha256(data).hexdigest()


def test_error_inside_the_block_is_not_a_file_error(folder):
    write(folder, "a.txt")
    (file,) = find_files(folder)
    with pytest.raises(ZeroDivisionError), open_file(file, folder):
        1 / 0  # noqa: B018
    with pytest.raises(RuntimeError, match="ours"), open_file(file, folder):
        raise RuntimeError("ours")


def test_every_stream_begins_at_the_start(folder):
    (folder / "a.txt.gz").write_bytes(gzip.compress(b"abcdef"))
    (file,) = find_files(folder)
    with open_file(file, folder) as source:
        assert source.stream().read(3) == b"abc"
        assert source.stream().read(4) == b"abcd"
        assert source.read() == b"abcdef"


@pytest.mark.parametrize("path", ["a.txt", "a.txt.gz"])
def test_progress_counts_the_bytes_of_the_file_once(folder, path):
    data = os.urandom(700_000)  # so that gzip makes no less of it
    (folder / path).write_bytes(gzip.compress(data) if path.endswith(".gz") else data)
    (file,) = find_files(folder)
    told = []
    with open_file(file, folder, told.append) as source:
        source.stream(counted=False).read()
        assert told == []
        assert source.read() == data
    assert told == sorted(told)
    assert told[-1] == file.location.stat().st_size


def test_overlong_file_is_refused_before_it_is_read(folder):
    write(folder, "a.txt")
    (file,) = find_files(folder)
    with open_file(file, folder, longest=5) as source:
        assert source.read() == b"a.txt"
    with pytest.raises(UnreadableFile, match="more than 4 bytes"), open_file(file, folder, longest=4):
        pass


@pytest.mark.parametrize(
    ("path", "suffix"),
    [
        ("a.txt", ".txt"), ("A.TXT", ".txt"), ("a.b.json", ".json"), ("a.JSONL.gz", ".jsonl"),
        ("A.HTML.GZ", ".html"), ("a.gz", ""), ("a", ""), ("a.txt.gz.gz", ".gz"), ("b.txt/a", ""),
        ("b.gz/a.md", ".md"), ("مقال.csv", ".csv"), ("a.", ""), ("a.txt.", ""), ("a.txt .gz", ".txt "),
    ],
)  # fmt: skip
def test_the_suffix_is_that_of_the_format(folder, path, suffix):
    found = FoundFile(path, folder / path)
    assert found.suffix.rstrip(".") == suffix


# Gzip


def unzipped(folder, data, path="a.txt.gz"):
    (folder / path).write_bytes(data)
    (file,) = find_files(folder)
    return read_bytes(file, folder)


def gzip_refusal(folder, data):
    with pytest.raises(UnreadableFile) as caught:
        unzipped(folder, data)
    return str(caught.value)


@pytest.mark.parametrize("path", ["a.txt.gz", "A.TXT.GZ", "مقال.txt.gz"])
def test_gzip_is_decompressed(folder, path):
    assert unzipped(folder, gzip.compress("نص\r\n".encode()), path) == "نص\r\n".encode()


def test_only_one_layer_of_gzip_is_decompressed(folder):
    inner = gzip.compress(b"text")
    assert unzipped(folder, gzip.compress(inner)) == inner


def test_concatenated_gzip_members_are_all_read(folder):
    assert unzipped(folder, gzip.compress(b"one ") + gzip.compress(b"two")) == b"one two"


def test_gzip_file_truncated_anywhere_is_refused(folder):
    whole = gzip.compress(b"Divers have mapped the drowned harbour off the point. " * 3)
    for length in range(1, len(whole)):
        assert "not a whole gzip file" in gzip_refusal(folder, whole[:length]), length


def test_every_damaged_byte_of_a_gzip_file_is_detected(folder):
    text = b"Divers have mapped the drowned harbour off the point. " * 3
    whole = gzip.compress(text, mtime=0)
    for at in range(len(whole)):
        damaged = whole[:at] + bytes([whole[at] ^ 0x15]) + whole[at + 1 :]
        try:
            assert unzipped(folder, damaged) == text  # a byte that says when and where it was packed
            assert at < 10
        except UnreadableFile:
            pass


@pytest.mark.parametrize("data", [b"plain text", gzip.compress(b"text", mtime=0) + b"junk"])
def test_partly_gzipped_file_is_refused(folder, data):
    assert "not a whole gzip file" in gzip_refusal(folder, data)


def test_empty_file_is_empty_even_gzipped(folder):
    assert unzipped(folder, b"") == b""


def test_a_gzip_bomb_is_refused_long_before_it_is_unpacked(folder, monkeypatch):
    monkeypatch.setattr(files, "BOMB_SIZE", 10_000)
    (folder / "a.jsonl.gz").write_bytes(gzip.compress(bytes(20 << 20)))
    (file,) = find_files(folder)
    came = 0
    with (
        pytest.raises(UnreadableFile, match="more than 200 times its size"),
        open_file(file, folder) as source,
    ):
        stream = source.stream()
        while block := stream.read(100_000):
            came += len(block)
    assert came < 5 << 20


def test_well_compressed_text_is_accepted(folder, monkeypatch):
    monkeypatch.setattr(files, "BOMB_SIZE", 10_000)
    text = "".join(f"<td>{number}</td>\n" for number in range(50_000)).encode()
    assert unzipped(folder, gzip.compress(text)) == text


def test_small_file_may_decompress_to_a_moderate_size(folder):
    assert unzipped(folder, gzip.compress(bytes(1 << 20))) == bytes(1 << 20)


# Size


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_file_of_one_article_has_a_maximum_size(folder, monkeypatch, pack):
    monkeypatch.setattr(files, "ARTICLE_SIZE", 1 << 20)
    path = "a.txt" if pack is bytes else "a.txt.gz"
    data = os.urandom(1 << 20)
    assert unzipped(folder, pack(data), path) == data
    with pytest.raises(UnreadableFile, match="it is longer than 1 MiB, which no article is"):
        unzipped(folder, pack(data + b"x"), path)


def test_a_file_of_many_articles_is_read_as_a_stream_whatever_its_size(folder, monkeypatch):
    monkeypatch.setattr(files, "ARTICLE_SIZE", 1 << 20)
    (folder / "a.jsonl").write_bytes(bytes(3 << 20))
    (file,) = find_files(folder)
    with open_file(file, folder) as source:
        stream = source.stream()
        assert sum(map(len, iter(lambda: stream.read(1 << 16), b""))) == 3 << 20
