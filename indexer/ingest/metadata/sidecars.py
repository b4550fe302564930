"""Sidecars: files in which the keeper of an archive states facts about the articles of other files.

`NAME.meta.json` has the facts of the file NAME (with or without its suffix); `metadata.csv` has the facts of
the files in its folder, one row for each. For a file of one article, a sidecar overrides the facts in the
file; for a file of many articles it only fills gaps.
"""

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from indexer.errors import UnreadableFile
from indexer.ingest.encoding.detect import decode
from indexer.ingest.files import GZIP, FoundFile, open_file
from indexer.ingest.metadata.fields import Facts, FieldNames, delimiter_of, facts_of, plain_name

META, TABLE = ".meta.json", "metadata.csv"
_SHOWN_ROWS = 3  # rows without a file that are named
_FILE_COLUMNS = tuple(map(plain_name, ("file", "filename", "file_name", "path", "name", "الملف", "ملف")))


def is_sidecar(path: str) -> bool:
    """Return whether a file of an archive is a sidecar, not articles."""
    name = path.rpartition("/")[2]
    return name == TABLE or name.endswith(META)


class Sidecars:
    """The sidecars among an archive's files; each is read when it is needed, and the last are kept."""

    def __init__(self, archive: Path, files: Iterable[FoundFile], names: FieldNames) -> None:
        self._archive, self._names = archive, names
        self._files = {file.path: file for file in files}
        self._any = any(map(is_sidecar, self._files))
        # Of each kind, the path and the content of the sidecar that was read last.
        self._tables: tuple[str, dict[str, Mapping[str, Any]]] = ("", {})
        self._record: tuple[str, Mapping[str, Any]] = ("", {})

    def facts(self, path: str, lang: str) -> Facts:
        """Return the facts that sidecars state about the file at `path`; skips unreadable sidecars."""
        facts = Facts()
        for record in (self._meta(path), self._row(path)):
            facts = facts.or_else(facts_of(record, self._names, lang))
        return facts

    def said_of(self, path: str) -> str:
        """Return a sha256 of the sidecars' facts about the file at `path`; "" if there are none."""
        records = [dict(record) for record in (self._meta(path), self._row(path))] if self._any else []
        return (
            hashlib.sha256(repr(records).encode("utf-8", "surrogatepass")).hexdigest() if any(records) else ""
        )

    def check(self, sidecar: FoundFile) -> None:
        """Raise UnreadableFile, with the reason, for a sidecar that is invalid or describes no file."""
        if PurePosixPath(sidecar.path).name == TABLE:
            self._check_rows(sidecar, _read_table(sidecar, self._archive))
            return
        _read_meta(sidecar, self._archive)
        if sidecar.path not in self._described:
            described = PurePosixPath(sidecar.path.removesuffix(META)).name
            raise UnreadableFile(f"there is no file {described} that it could speak of")

    def _check_rows(self, table: FoundFile, rows: Mapping[str, Any]) -> None:
        folder = PurePosixPath(table.path).parent
        names = (PurePosixPath(path) for path in self._files)
        known = {name for path in names if path.parent == folder for name in _names_of(path.name)}
        missing = [name for name in rows if name not in known]
        if missing:
            shown = ", ".join(missing[:_SHOWN_ROWS]) + (", …" if len(missing) > _SHOWN_ROWS else "")
            how_many = "1 row names" if len(missing) == 1 else f"{len(missing):,} rows name"
            raise UnreadableFile(f"{how_many} no file of its folder ({shown}); the other rows are used")

    @cached_property
    def _described(self) -> frozenset[str]:
        """The paths of the sidecars of the form NAME.meta.json whose file NAME exists."""
        return frozenset(name for path in self._files for name in _sidecar_paths(path) if name in self._files)

    def _meta(self, path: str) -> Mapping[str, Any]:
        name = next((name for name in _sidecar_paths(path) if name in self._files), "")
        if name and self._record[0] != name:
            try:
                self._record = (name, _read_meta(self._files[name], self._archive))
            except UnreadableFile:
                self._record = (name, {})  # `check` reports it with the reason
        return self._record[1] if name else {}

    def _row(self, path: str) -> Mapping[str, Any]:
        folder, name = str(PurePosixPath(path).parent), PurePosixPath(path).name
        table = TABLE if folder == "." else f"{folder}/{TABLE}"
        if table not in self._files:
            return {}
        if self._tables[0] != table:
            try:
                self._tables = (table, _read_table(self._files[table], self._archive))
            except UnreadableFile:
                self._tables = (table, {})
        rows = self._tables[1]
        return next((rows[spelling] for spelling in _names_of(name) if spelling in rows), {})


def _names_of(name: str) -> list[str]:
    """Return the names by which a sidecar may call a file: whole, without .gz, without its suffix."""
    plain = name[: -len(GZIP)] if name.lower().endswith(GZIP) else name
    return [name, plain, str(PurePosixPath(plain).with_suffix(""))] if plain.strip(".") else [name]


def _sidecar_paths(path: str) -> list[str]:
    return [f"{name}{META}" for name in _names_of(path)]


def _read_meta(file: FoundFile, archive: Path) -> Mapping[str, Any]:
    try:
        with open_file(file, archive) as source:
            record = json.loads(decode(source.read()).text)
    except (ValueError, RecursionError) as error:
        raise UnreadableFile(f"it is not JSON: {error}") from None
    if not isinstance(record, dict):
        raise UnreadableFile("it is no JSON object")
    return record


def _read_table(file: FoundFile, archive: Path) -> dict[str, Mapping[str, Any]]:
    """Return the rows of a table of files, by the name of the file that each row describes."""
    with open_file(file, archive) as source:
        text = decode(source.read()).text.lstrip()
    header = text.split("\n", 1)[0]
    lines = io.StringIO(text, newline="")
    try:
        rows = list(csv.DictReader(lines, restkey="", delimiter=delimiter_of(header)))
    except csv.Error as error:
        raise UnreadableFile(f"it is not CSV: {error}") from None
    by_file: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        column = next(
            (key for name in _FILE_COLUMNS for key in row if plain_name(key) == name and row[key]), None
        )
        if column:
            file_name = row.pop(column)  # a file's name is not its article's title
            by_file.setdefault(PurePosixPath(file_name.strip()).name, row)
    if not by_file:
        raise UnreadableFile("it names no files: a column file, filename or path should")
    return by_file
