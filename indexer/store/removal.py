"""Taking away folders of an index, and only what is ours in them.

Each removal goes on where one that was cut short left off, since what proves that a folder is ours is
removed last.
"""

import shutil
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from indexer.store.disk import remove_file, sync
from indexer.store.manifest import MANIFEST

UNFINISHED = ".unfinished"  # in a folder that is being written, and nowhere else for long


def is_content(path: Path) -> bool:
    """Whether a file of a generation is content, and neither our note nor a lock of Tantivy's."""
    return path.name != UNFINISHED and not (path.name.startswith(".tantivy") and path.suffix == ".lock")


def remove_generation(folder: Path, files: Collection[str] | None) -> None:
    """Remove the files that a generation's manifest names; what else is there is not ours, and stays.

    Where nothing vouches for the folder there is None, and it is removed only if it is empty.
    """
    with suppress(OSError):
        if files is not None:
            folders = {(folder / name).parent for name in files} | {folder}
            folders = {each for each in folders if each.is_dir()}  # a removal may have been cut short
            others = [path for each in folders for path in each.iterdir() if not is_content(path)]
            for path in [*(folder / name for name in files), *others]:
                remove_file(path)
            for each in folders - {folder}:
                each.rmdir()
            sync(folder)
            remove_file(folder / MANIFEST)
        folder.rmdir()


def remove_staging(folder: Path) -> None:
    """Remove a folder that is being written: it says so itself, or is empty."""
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
