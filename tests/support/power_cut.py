"""The state of a folder after a power cut: a model of files, of their names, and of synced data.

The initial state is durable. A file's bytes are durable as they were when it was last
synced; the names in a folder are as they were when that folder was. Of all else a cut may keep or lose
any part. Tantivy's thread writes and removes files of its own meanwhile: what is gone by the time it is
looked at was not there.
"""

import hashlib
import os
import random
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

HOW = ("some of it lost", "bytes lost", "some of it lost", "half of the bytes lost")  # by turns
Names = dict[str, tuple[int, bool]]  # the number of what a name stands for, and whether that is a folder
Tree = dict[str, bytes | None]  # by path; None for a folder


class Power:
    """Follows one folder; parts in `spared` are taken as they are (SQLite syncs its own)."""

    def __init__(self, root: Path, spared: list[str]) -> None:
        self._root, self._spared = root, spared
        self._contents: dict[int, bytes] = {}
        self._names: dict[int, Names] = {}
        self._held: list[int] = []  # open, so that no number is given to another file
        self._places: dict[int, Path] = {}
        self._seen: dict[str, str] = {}
        self._made: list[tuple[str, str, str, list[str]]] = []
        self._instants = self._cuts = 0
        for path in [root, *root.rglob("*")]:
            self.synced(path)

    def synced(self, path: Path) -> None:
        """Note that a file or a folder has reached the disk."""
        number = path.stat().st_ino
        if path.is_dir():
            self._names[number] = _names(path)
        else:
            self._contents[number] = path.read_bytes()
        self._held.append(os.open(path, os.O_RDONLY))

    def cut(self, place: Path, when: str, *legal: str) -> None:
        """Write what a cut at this instant may leave into folders of their own, those that are new."""
        dice = random.Random(when)
        self._instants += 1
        one = HOW[self._instants % len(HOW)]
        self._places = dict(_numbered(self._root))
        for how in ("names and bytes lost", one):
            tree: Tree = {}
            self._leave(self._root, "", self._root.stat().st_ino, tree, how, dice, set())
            self._cuts += 1
            digest = hashlib.sha256(repr(sorted(tree.items())).encode()).hexdigest() + "".join(legal)
            if digest in self._seen:
                continue
            self._seen[digest] = when
            folder = place / f"{len(self._seen):04}"
            folder.mkdir(parents=True)
            for path, content in tree.items():  # a folder stands before its content
                if content is None:
                    (folder / path).mkdir()
                else:
                    (folder / path).write_bytes(content)
            self._made.append((str(folder), when, how, list(legal) or ["old", "new"]))

    def made(self) -> dict[str, Any]:
        return {"instants": self._instants, "cuts": self._cuts, "made": self._made}

    def _leave(
        self,
        present: Path | None,
        relative: str,
        number: int,
        tree: Tree,
        how: str,
        dice: random.Random,
        named: set[int],
    ) -> None:
        """Add the remaining content of a folder to the tree. `present` is where it lies now, None for what is gone."""
        now = _names(present) if present else {}
        durable = self._names.get(number, {})
        for name in sorted(now.keys() | durable.keys()):
            path = f"{relative}{name}"
            spared = path in self._spared or any(path.startswith(f"{each}/") for each in self._spared)
            if spared or how in ("bytes lost", "half of the bytes lost"):
                entry = now.get(name)
            elif how == "names and bytes lost":
                entry = durable.get(name)
            else:
                entry = dice.choice([now.get(name), durable.get(name)])
            if entry is None:
                continue
            inner, is_folder = entry
            place = self._places.get(inner)
            if not is_folder:
                content = self._contents.get(inner, b"")
                if place:
                    with suppress(FileNotFoundError):
                        content = place.read_bytes()
                tree[path] = content if spared else self._bytes(inner, content, how, dice)
            elif inner not in named:  # a folder has one name
                named.add(inner)
                tree[path] = None
                self._leave(place, f"{path}/", inner, tree, how, dice, named)

    def _bytes(self, number: int, content: bytes, how: str, dice: random.Random) -> bytes:
        durable = self._contents.get(number)
        if durable == content:
            return content
        if how == "names and bytes lost":
            return durable or b""
        if how == "bytes lost":
            return b""
        if how == "half of the bytes lost":
            return content[: len(content) // 2]
        return dice.choice([content, durable or b"", b"", content[: len(content) // 2]])


def _numbered(folder: Path) -> Iterator[tuple[int, Path]]:
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):
            yield path.stat().st_ino, path


def _names(folder: Path) -> Names:
    with os.scandir(folder) as entries:
        return {entry.name: (entry.inode(), entry.is_dir(follow_symlinks=False)) for entry in entries}
