"""The steps by which our code changes an index on the disk. Each is whole or has not happened.

What a step leaves lasts through a power cut once `sync` has returned for the file and for its folder.
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
    """Have a file or folder reach the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_file(path: Path, content: str) -> None:
    """Write a new small file; who needs it to last syncs it."""
    path.write_text(content, "utf-8")


def staging_path(path: Path) -> Path:
    """Return where the next content of a file is written before it replaces the file."""
    return path.with_name(f".{path.name}.new")


def replace_file(path: Path, content: str) -> None:
    """Replace a small file whole: readers see the old content or the new one."""
    aside = staging_path(path)
    write_file(aside, content)
    sync(aside)
    replace_with(aside, path)


def replace_with(aside: Path, path: Path) -> None:
    """Put a whole file in the place of another, or of none."""
    aside.replace(path)
    sync(path.parent)


def link_or_copy(source: Path, target: Path) -> bool:
    """Have a file under a second name, for reading only; a copy where the file system has no hard links.

    Returns whether it is a link.
    """
    try:
        os.link(source, target)
    except OSError:
        copy_file(source, target)
        return False
    return True


def copy_file(source: Path, target: Path) -> None:
    """Copy a file's bytes to a new file that may be written to."""
    shutil.copyfile(source, target)


def move_folder(source: Path, target: Path) -> None:
    """Give a folder the name under which it is known from now on."""
    source.rename(target)
    sync(target.parent)


def remove_file(path: Path) -> None:
    """Remove a file, if it is there."""
    path.unlink(missing_ok=True)
