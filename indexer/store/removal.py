"""Removal of generations and staging folders; a file is removed only where it is known to be Warraq's.

An interrupted removal can be continued, because the file that proves the ownership is removed last.
"""

import shutil
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from indexer.store.disk import remove_file, sync
from indexer.store.manifest import MANIFEST

UNFINISHED = ".unfinished"  # name of the note in a folder that is being written; removed after the switch


def is_content(path: Path) -> bool:
    """Return whether a file of a generation is content: neither the note nor a lock file of Tantivy."""
    return path.name != UNFINISHED and not (path.name.startswith(".tantivy") and path.suffix == ".lock")


def remove_generation(folder: Path, files: Collection[str] | None) -> None:
    """Remove a generation's folder: the files that its manifest names, the note and lock files.

    The folder stays where it holds other files. `files` is None where no manifest proves that the folder
    is Warraq's; then it is removed only if it is empty.
    """
    with suppress(OSError):
        if files is not None:
            folders = {(folder / name).parent for name in files} | {folder}
            # Some may be missing already, if an earlier removal was interrupted.
            folders = {path for path in folders if path.is_dir()}
            notes_and_locks = [
                path for parent in folders for path in parent.iterdir() if not is_content(path)
            ]
            for path in [*(folder / name for name in files), *notes_and_locks]:
                remove_file(path)
            for subfolder in folders - {folder}:
                subfolder.rmdir()
            sync(folder)
            remove_file(folder / MANIFEST)
        folder.rmdir()


def remove_staging(folder: Path) -> None:
    """Remove a staging folder, which holds the note that it is unfinished, or is empty."""
    unfinished = folder / UNFINISHED
    with suppress(OSError):
        if unfinished.is_file():
            for path in folder.iterdir():
                if path.is_dir():
                    shutil.rmtree(path)
                elif path != unfinished:
                    path.unlink()
            sync(folder)
            unfinished.unlink()
        folder.rmdir()
