"""The files of an archive: found in a fixed order, read in bounded memory, never changed.

Owns what may be read at all: regular files inside the archive, under names that are text, that hold
still while they are read. Gzip is undone here, so readers see plain bytes.
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
ARTICLE_SIZE = 32 << 20  # bytes; a file of one article is read whole, and no article is longer
# News in JSON shrinks to a tenth, a markup of repeats to a fiftieth; gzip's limit is a thousandth.
BOMB_SIZE, BOMB_RATIO = 64 << 20, 200
_BLOCK = 1 << 18


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file of the archive; `path` is its POSIX path inside it, the root of its ids."""

    path: str
    location: Path

    @property
    def suffix(self) -> str:
        """The format's suffix, in lower case, whether or not the file is gzipped."""
        name = PurePosixPath(self.path.lower())
        return name.with_suffix("").suffix if name.suffix == GZIP else name.suffix


def check_archive(archive: Path) -> None:
    """Raise ArchiveError, with the remedy, unless `archive` is a folder that can be listed."""
    if not os.path.exists(archive):  # noqa: PTH110 - Path.exists raises where the path cannot be
        raise ArchiveError(f"There is no folder {archive}. Name the folder of your articles with --archive.")
    if not archive.is_dir():
        raise ArchiveError(f"{archive} is a file, not a folder of articles. Name its folder with --archive.")
    try:
        os.scandir(archive).close()
    except OSError as error:
        raise ArchiveError(f"The folder {archive} cannot be read: {error.strerror or error}.") from error


def find_files(archive: Path) -> Iterator[FoundFile]:
    """Yield every file below `archive`, sorted by path; hidden ones and indexes are passed over.

    Folders that are links, or cannot be listed, are yielded too: reading them says why not.
    """
    check_archive(archive)
    found = []

    def unreadable(error: OSError) -> None:
        location = Path(error.filename)
        found.append(FoundFile(location.relative_to(archive).as_posix(), location))

    for folder, folders, names in os.walk(archive, onerror=unreadable):
        if INDEX_MARKER in names:
            folders.clear()
            continue
        folders[:] = [name for name in folders if not name.startswith(".")]
        links = [name for name in folders if (Path(folder) / name).is_symlink()]
        for name in names + links:
            if not name.startswith("."):
                location = Path(folder) / name
                found.append(FoundFile(location.relative_to(archive).as_posix(), location))
    yield from sorted(found, key=lambda file: os.fsencode(file.path))


class MovingFile(UnreadableFile):
    """A file that was not the same before and after: what it holds now is not known."""


class OpenFile:
    """A file that is being read: its hash, and its plain bytes, whole or as a stream from the start."""

    def __init__(self, file: FoundFile, sha256: str, raw: "_Counting") -> None:
        self.path, self.suffix, self.sha256, self._raw = file.path, file.suffix, sha256, raw
        self._compressed = file.path.lower().endswith(GZIP)

    def read(self) -> bytes:
        """Return the whole content; UnreadableFile where it is longer than an article can be."""
        data = self.stream().read(ARTICLE_SIZE + 1)
        if len(data) > ARTICLE_SIZE:
            raise UnreadableFile(f"it is longer than {ARTICLE_SIZE >> 20} MiB, which no article is")
        return data

    def stream(self, *, counted: bool = True) -> BinaryIO:
        """Return the content as a stream from its start; an earlier stream is at an end then.

        What is read through it counts as progress, unless `counted` says that it will be read again.
        """
        self._raw.rewind(counted=counted)
        return io.BufferedReader(_Inflating(self._raw) if self._compressed else self._raw, _BLOCK)


@contextmanager
def open_file(
    file: FoundFile,
    archive: Path,
    progress: Callable[[int], None] = lambda _: None,
    *,
    longest: int | None = None,
) -> Iterator[OpenFile]:
    """Open a file for reading; UnreadableFile says why it must not or cannot be read.

    What goes wrong inside the block, and a file whose content changed meanwhile, are UnreadableFile
    too. `progress` is told how many bytes of the file have been read; one that has more bytes than
    `longest` is refused.
    """
    with _refusing(), _descriptor(file, archive) as source:
        if longest is not None and os.fstat(source.fileno()).st_size > longest:
            raise UnreadableFile(f"it has more than {longest:,} bytes")
        sha256 = _sha256(source)
        yield OpenFile(file, sha256, _Counting(source, progress))
        if _sha256(source) != sha256:
            raise MovingFile("it changed while it was read; build again")


def hash_file(file: FoundFile, archive: Path) -> str:
    """Return a file's sha256 in hex; UnreadableFile says why there is none."""
    with _refusing(), _descriptor(file, archive) as source:
        return _sha256(source)


@contextmanager
def _refusing() -> Iterator[None]:
    """Raise what keeps a file from being read as UnreadableFile, with the reason."""
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


def _descriptor(file: FoundFile, archive: Path) -> io.FileIO:
    try:
        file.path.encode()
    except UnicodeEncodeError:
        raise UnreadableFile("its name is not UTF-8; rename it") from None
    # Its folder may have become a link since it was found. By strings: paths cost more than hashing does.
    location, root = os.path.realpath(file.location), os.path.realpath(archive)
    if os.path.commonpath((location, root)) != root:
        raise UnreadableFile("it is a link to a file outside the archive")
    # Without waiting for a pipe's writer, and without following a link that was put there since.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
    descriptor = os.open(location, flags | getattr(os, "O_BINARY", 0))
    kind = os.fstat(descriptor).st_mode
    if stat.S_ISREG(kind):
        return io.FileIO(descriptor)
    os.close(descriptor)
    if stat.S_ISDIR(kind):
        raise UnreadableFile("it is a folder that is a link or cannot be listed")
    raise UnreadableFile("it is not a regular file")


class _Counting(io.RawIOBase):
    """A file that says how far reading it has come."""

    def __init__(self, source: io.FileIO, progress: Callable[[int], None]) -> None:
        self._source, self._progress = source, progress
        self.rewind(counted=True)

    def rewind(self, *, counted: bool) -> None:
        self._source.seek(0)
        self.count, self._counted = 0, counted

    def close(self) -> None:
        """Stay open: a stream that is dropped closes what it reads, and another may follow."""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        count = self._source.readinto(buffer) or 0
        self.count += count
        if self._counted:
            self._progress(self.count)
        return count


class _Inflating(io.RawIOBase):
    """The plain bytes of a gzipped file, as long as they stay in proportion to it."""

    def __init__(self, raw: _Counting) -> None:
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
    """Return a path that can be written as UTF-8: bytes that are not text appear as \\xNN."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
