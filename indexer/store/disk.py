"""The steps by which Warraq changes an index on disk: write, replace, link, copy, move and remove.

A step survives a power cut once `sync` has returned for the file and for its folder.
"""

import hashlib
import os
import shutil
from pathlib import Path


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync(path: Path) -> None:
    """Flush a file or a folder to the disk."""
    if os.name == "nt":  # Windows flushes only files that are open for writing, and no folders
        if path.is_dir():
            return
        descriptor = os.open(path, os.O_RDWR)
    else:
        descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_file(path: Path, content: str) -> None:
    """Write a small new file; a caller that needs it to survive a power cut syncs it."""
    path.write_text(content, "utf-8")


def staging_path(path: Path) -> Path:
    """Return where the new content of a file is written before it replaces the file."""
    return path.with_name(f".{path.name}.new")


def replace_file(path: Path, content: str) -> None:
    """Replace a small file in one step: readers see either the old content or the new one."""
    staged = staging_path(path)
    write_file(staged, content)
    sync(staged)
    replace_with(staged, path)


def replace_with(staged: Path, path: Path) -> None:
    """Rename a finished file to `path`, which it replaces where there is one."""
    staged.replace(path)
    sync(path.parent)


def link_or_copy(source: Path, target: Path) -> bool:
    """Give a file a second name, for reading only; copy it where the file system has no hard links.

    Returns whether it is a link.
    """
    try:
        os.link(source, target)
    except OSError:
        copy_file(source, target)
        return False
    return True


def copy_file(source: Path, target: Path) -> None:
    """Copy the bytes of a file to a new file, which may be written to."""
    shutil.copyfile(source, target)


def move_folder(source: Path, target: Path) -> None:
    """Rename a finished folder to its final name."""
    source.rename(target)
    sync(target.parent)


def remove_file(path: Path) -> None:
    """Remove a file, if it is there."""
    path.unlink(missing_ok=True)
