"""Find the files of an archive in a fixed order, and read them in bounded memory; never write.

This module decides which files may be read: regular files inside the archive whose names are UTF-8 and whose
content stays the same while it is read. It unpacks gzip, so readers see plain bytes.
"""

import errno
import gzip
import hashlib
import io
import os
import stat
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from indexer.errors import ArchiveError, UnreadableFile

INDEX_MARKER = "warraq.json"  # a folder that holds it is an index, not articles
GZIP = ".gz"
ARTICLE_SIZE = 32 << 20  # bytes; the limit for a file of one article, which is read whole into memory
# Refuse decompression bombs. News in JSON packs to a tenth of its size, repetitive markup to a fiftieth; gzip
# can reach a thousandth.
BOMB_SIZE, BOMB_RATIO = 64 << 20, 200
_GZIP_MAGIC = b"\x1f\x8b\x08"
_BLOCK = 1 << 18


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file of the archive; `path` is its POSIX path inside it, with which the ids of its articles begin."""

    path: str
    location: Path

    @property
    def suffix(self) -> str:
        """The suffix that names the format, in lower case, without .gz."""
        name = PurePosixPath(self.path.lower())
        return name.with_suffix("").suffix if name.suffix == GZIP else name.suffix


def check_archive(archive: Path) -> None:
    """Raise ArchiveError, whose message has the remedy, unless `archive` is a folder that can be listed."""
    if not os.path.exists(archive):  # noqa: PTH110 - Path.exists raises for impossible paths
        raise ArchiveError(f"There is no folder {archive}. Name the folder of your articles with --archive.")
    if not archive.is_dir():
        raise ArchiveError(f"{archive} is a file, not a folder of articles. Name its folder with --archive.")
    try:
        os.scandir(archive).close()
    except OSError as error:
        raise ArchiveError(f"The folder {archive} cannot be read: {error.strerror or error}.") from error


def find_files(archive: Path) -> Iterator[FoundFile]:
    """Yield every file below `archive`, sorted by path, except hidden files and the files of indexes.

    Also yields folders that are links or cannot be listed; opening one raises UnreadableFile with the reason.
    """
    check_archive(archive)
    files = []

    def add_unlisted(error: OSError) -> None:
        location = Path(error.filename)
        files.append(FoundFile(location.relative_to(archive).as_posix(), location))

    for folder, folders, names in os.walk(archive, onerror=add_unlisted):
        if INDEX_MARKER in names:
            folders.clear()
            continue
        folders[:] = [name for name in folders if not name.startswith(".")]
        links = [name for name in folders if (Path(folder) / name).is_symlink()]
        for name in names + links:
            if not name.startswith("."):
                location = Path(folder) / name
                files.append(FoundFile(location.relative_to(archive).as_posix(), location))
    yield from sorted(files, key=lambda file: os.fsencode(file.path))


class MovingFile(UnreadableFile):
    """The file changed while it was read, so its present content is unknown."""


class OpenFile:
    """A file that is open for reading: its sha256, and its unpacked bytes, whole or as a stream."""

    def __init__(self, file: FoundFile, sha256: str, raw: "_CountingFile") -> None:
        self.path, self.suffix, self.sha256, self._raw = file.path, file.suffix, sha256, raw
        self._compressed = file.path.lower().endswith(GZIP) or raw.begins_with(_GZIP_MAGIC)

    def read(self) -> bytes:
        """Return the whole content; raises UnreadableFile if it is longer than ARTICLE_SIZE."""
        data = self.stream().read(ARTICLE_SIZE + 1)
        if len(data) > ARTICLE_SIZE:
            raise UnreadableFile(f"it is longer than {ARTICLE_SIZE >> 20} MiB, which no article is")
        return data

    def stream(self, *, counted: bool = True) -> BinaryIO:
        """Return the content as a stream from its start; do not use an earlier stream any more.

        Reading from it reports progress. Pass `counted=False` for a first look at content that is read again
        later.
        """
        self._raw.rewind(counted=counted)
        return io.BufferedReader(_Unpacked(self._raw) if self._compressed else self._raw, _BLOCK)


@contextmanager
def open_file(
    file: FoundFile,
    archive: Path,
    progress: Callable[[int], None] = lambda _: None,
    *,
    longest: int | None = None,
) -> Iterator[OpenFile]:
    """Open a file for reading; raises UnreadableFile with the reason if it must not or cannot be read.

    Errors of reading inside the block are raised as UnreadableFile too, and so is a change of the file during
    the block (MovingFile). `progress` is called with the number of bytes read so far, counted in the stored
    file. A file with more than `longest` bytes is refused.
    """
    with _as_unreadable(), _open_inside(file, archive) as source:
        if longest is not None and os.fstat(source.fileno()).st_size > longest:
            raise UnreadableFile(f"it has more than {longest:,} bytes")
        sha256 = _sha256(source)
        yield OpenFile(file, sha256, _CountingFile(source, progress))
        if _sha256(source) != sha256:
            raise MovingFile("it changed while it was read; build again")


def hash_file(file: FoundFile, archive: Path) -> str:
    """Return a file's sha256 in hex; raises UnreadableFile with the reason if it cannot be read."""
    with _as_unreadable(), _open_inside(file, archive) as source:
        return _sha256(source)


@contextmanager
def _as_unreadable() -> Iterator[None]:
    """Convert errors of the system and of gzip to UnreadableFile, with the reason."""
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UnreadableFile(f"it is not a whole gzip file: {error}") from error
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise UnreadableFile("it is a link to itself") from None
        raise UnreadableFile(f"it cannot be read: {error.strerror or error}") from error


def _sha256(source: io.FileIO) -> str:
    source.seek(0)
    return hashlib.file_digest(source, "sha256").hexdigest()


def _open_inside(file: FoundFile, archive: Path) -> io.FileIO:
    """Open a regular file that lies inside the archive, links resolved; refuse any other."""
    try:
        file.path.encode()
    except UnicodeEncodeError:
        raise UnreadableFile("its name is not UTF-8; rename it") from None
    # The file's folder may have become a link since the search. Compare strings, since building Path objects
    # takes longer than hashing a small file.
    location, root = os.path.realpath(file.location), os.path.realpath(archive)
    if os.path.commonpath((location, root)) != root:
        raise UnreadableFile("it is a link to a file outside the archive")
    # O_NONBLOCK: do not wait for the writer of a pipe. O_NOFOLLOW: a link may have replaced the file since.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
    descriptor = os.open(location, flags | getattr(os, "O_BINARY", 0))
    kind = os.fstat(descriptor).st_mode
    if stat.S_ISREG(kind):
        return io.FileIO(descriptor)
    os.close(descriptor)
    if stat.S_ISDIR(kind):
        raise UnreadableFile("it is a folder that is a link or cannot be listed")
    raise UnreadableFile("it is not a regular file")


class _CountingFile(io.RawIOBase):
    """A file that counts the bytes that were read from it, and reports them."""

    def __init__(self, source: io.FileIO, progress: Callable[[int], None]) -> None:
        self._source, self._progress = source, progress
        self.rewind(counted=True)

    def rewind(self, *, counted: bool) -> None:
        self._source.seek(0)
        self.count, self._counted = 0, counted

    def begins_with(self, magic: bytes) -> bool:
        """Return whether the file begins with these bytes; leaves its position at the start."""
        self._source.seek(0)
        head = self._source.read(len(magic))
        self.rewind(counted=True)
        return head == magic

    def close(self) -> None:
        """Do nothing: a discarded stream closes the file under it, which the next stream needs."""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        count = self._source.readinto(buffer) or 0
        self.count += count
        if self._counted:
            self._progress(self.count)
        return count


class _Unpacked(io.RawIOBase):
    """The unpacked bytes of a gzip file; reading refuses a file that unpacks to far too many."""

    def __init__(self, raw: _CountingFile) -> None:
        self._raw = raw
        self._plain = gzip.GzipFile(fileobj=io.BufferedReader(raw, _BLOCK))
        self._count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        data = self._plain.read1(len(buffer))
        self._count += len(data)
        if self._count > max(BOMB_SIZE, BOMB_RATIO * self._raw.count):
            raise UnreadableFile(f"it unpacks to more than {BOMB_RATIO} times its size; unpack it by hand")
        buffer[: len(data)] = data
        return len(data)


def printable_path(path: str) -> str:
    """Return a path as valid Unicode for messages; bytes that are not UTF-8 appear as \\xNN."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
