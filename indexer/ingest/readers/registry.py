"""Choose the Reader of a file by its suffix. Only this module maps file formats to readers."""

from collections.abc import Iterator, Mapping
from functools import partial
from types import TracebackType
from typing import Self

from indexer.errors import UnreadableFile
from indexer.ingest.files import OpenFile
from indexer.ingest.metadata.fields import FieldNames
from indexer.ingest.readers.base import Extract, Reader, RefusedRecord
from indexer.ingest.readers.html import PageWorker, read_page
from indexer.ingest.readers.records import read_csv, read_json, read_json_lines
from indexer.ingest.readers.text import read_markdown, read_text


class Readers:
    """The readers of one archive. They share one HTML process, which ends when the `with` block ends."""

    def __init__(self, names: FieldNames, worker: PageWorker | None = None) -> None:
        self._worker = worker or PageWorker()
        to_text = self._worker.fragment
        page = partial(read_page, worker=self._worker)
        self._by_suffix: Mapping[str, Reader] = {
            ".txt": read_text,
            ".md": partial(read_markdown, names=names),
            ".html": page,
            ".htm": page,
            ".json": partial(read_json, names=names, to_text=to_text),
            ".jsonl": partial(read_json_lines, names=names, to_text=to_text),
            ".ndjson": partial(read_json_lines, names=names, to_text=to_text),
            ".csv": partial(read_csv, names=names, to_text=to_text),
            ".tsv": partial(read_csv, names=names, to_text=to_text),
        }

    @property
    def suffixes(self) -> frozenset[str]:
        """The suffixes of the formats that are read, each with its dot."""
        return frozenset(self._by_suffix)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._worker.close()

    def read(self, file: OpenFile) -> Iterator[Extract | RefusedRecord]:
        """Yield the extracts of a file; raises UnreadableFile if its format or its content is refused."""
        reader = self._by_suffix.get(file.suffix)
        if reader is None:
            suffixes = ", ".join(sorted(self.suffixes))
            kind = file.suffix or "a file without a suffix"
            raise UnreadableFile(f"{kind} is not a format that is read ({suffixes}, plain or .gz)")
        return reader(file)
