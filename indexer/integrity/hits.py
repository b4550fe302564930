"""Verification of hits: the words of a hit are compared with the file that it names, without the index."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexer.errors import RequestError, UnreadableFile
from indexer.ingest.documents import documents_by_id
from indexer.ingest.files import FoundFile, open_file
from indexer.ingest.metadata.fields import FieldNames
from indexer.ingest.metadata.sidecars import Sidecars
from indexer.ingest.readers.registry import Readers
from indexer.text.lines import LineNumbers

_PROVENANCE: dict[str, type] = {
    "doc_id": str, "path": str, "sha256": str, "line_start": int, "line_end": int,
    "char_start": int, "char_end": int,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class HitVerification:
    """The result for one hit: whether its file holds its words there, and whether the file has changed."""

    doc_id: str
    path: str
    proven: bool
    changed: bool
    """Whether the file has changed since the search, or is gone."""
    reason: str

    @property
    def contradicted(self) -> bool:
        """Whether the file has not changed and still does not hold the words at that position."""
        return not self.proven and not self.changed


def read_hits(content: str) -> list[dict[str, Any]]:
    """Return the hits of a JSON text, which is one hit or a whole answer; RequestError for anything else."""
    try:
        answer = json.loads(content)
        found = answer.get("hits", [answer])
    except (ValueError, AttributeError, RecursionError) as error:
        raise _no_hit(error) from error
    return check_hits(found)


def _no_hit(error: Exception) -> RequestError:
    return RequestError("bad_hit", f"That is no hit of a search, nor an answer with hits, as JSON: {error}.")


def check_hits(found: Any) -> list[dict[str, Any]]:
    """Return hits with those that are collapsed into them; RequestError where they are none of a search."""
    try:
        hits = list(_flattened(found))
        for hit in hits:
            source = hit["source"]
            for name, kind in _PROVENANCE.items():
                if not isinstance(source[name], kind) or isinstance(source[name], bool):
                    raise TypeError(name)
            if not isinstance(hit["text"], str):
                raise TypeError("text")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise _no_hit(error) from error
    if not hits:
        raise RequestError("bad_hit", "The answer holds no hit.")
    return hits


def _flattened(hits: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield hits and the hits that are collapsed into them; an identical passage has the same text."""
    for hit in hits:
        yield dict(hit)
        for source in hit.get("also_in") or ():
            yield {"text": hit["text"], "source": source, "copy": True}
        yield from _flattened((hit.get("more") or {}).get("hits", ()))


def verify_hits(
    hits: Sequence[Mapping[str, Any]], archive: Path, fields: FieldNames
) -> list[HitVerification]:
    """Verify hits against their files in an archive, without the index."""
    with Readers(fields) as readers:
        return [_verify_hit(hit, archive, fields, readers) for hit in hits]


def _verify_hit(
    hit: Mapping[str, Any], archive: Path, fields: FieldNames, readers: Readers
) -> HitVerification:
    source = hit["source"]
    doc_id, path = source["doc_id"], source["path"]
    file = FoundFile(path, archive / path)
    try:
        with open_file(file, archive) as content:
            changed = content.sha256 != source["sha256"]
            documents = documents_by_id(content, readers, Sidecars(archive, [file], fields))
    except (UnreadableFile, ValueError) as error:  # such as a name with a NUL
        return HitVerification(doc_id, path, False, True, f"{path} cannot be read: {error}")
    document = documents.get(doc_id)
    reason = _difference(hit, document.text) if document else f"{path} holds no article {doc_id}"
    if reason:
        if changed:
            reason = f"{path} has changed since: its sha256 is another, and {reason}"
        return HitVerification(doc_id, path, False, changed, reason)
    if changed:
        return HitVerification(
            doc_id, path, False, True,
            f"{path} has changed since: its sha256 is another; the words still stand where the hit says",
        )  # fmt: skip
    return HitVerification(doc_id, path, True, False, f"{path} is the same file and says exactly this there")


def _difference(hit: Mapping[str, Any], text: str) -> str:
    """Return how a hit differs from the text of its article; empty where it agrees."""
    source, words = hit["source"], hit["text"]
    start, end = source["char_start"], source["char_end"]
    words_there = text[start:end] if 0 <= start < end <= len(text) else None
    agrees = words_there == words or (
        hit.get("copy") and words_there is not None and words_there.split() == words.split()
    )
    if not agrees:
        place = text.find(words)
        where = f"; they stand at characters {place} to {place + len(words)}" if place >= 0 else ""
        return f"other words stand at characters {start} to {end}{where}"
    lines = LineNumbers(text).of(start, end)
    if lines != (source["line_start"], source["line_end"]):
        return f"the words stand on lines {lines[0]} to {lines[1]}, not where the hit says"
    return ""
