"""The files of an archive: found in a fixed order, read whole, never changed.

Owns what may be read at all: regular files inside the archive, under names that are text.
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import ArchiveError, UnreadableFile

INDEX_MARKER = "warraq.json"  # a folder that holds it is an index, not articles


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file of the archive; `path` is its POSIX path inside it, the root of its ids."""

    path: str
    location: Path


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


def read_bytes(file: FoundFile, archive: Path) -> bytes:
    """Read a file whole; UnreadableFile says why it must not or cannot be read."""
    try:
        file.path.encode()
    except UnicodeEncodeError:
        raise UnreadableFile("its name is not UTF-8; rename it") from None
    try:
        if file.location.is_symlink() and not file.location.resolve().is_relative_to(archive.resolve()):
            raise UnreadableFile("it is a link to a file outside the archive")
        kind = file.location.stat().st_mode
        if stat.S_ISDIR(kind):
            raise UnreadableFile("it is a folder that is a link or cannot be listed")
        if not stat.S_ISREG(kind):
            raise UnreadableFile("it is not a regular file")
        return file.location.read_bytes()
    except RuntimeError:  # what Path.resolve raises before Python 3.13
        raise UnreadableFile("it is a link to itself") from None
    except OSError as error:
        raise UnreadableFile(f"it cannot be read: {error.strerror or error}") from error


def printable(path: str) -> str:
    """Return a path that can be written as UTF-8: bytes that are not text appear as \\xNN."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
