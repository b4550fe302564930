"""Datasets in BEIR's layout: a corpus, queries, and which passages are relevant to them."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from indexer.errors import RequestError
from indexer.text.language import detect

_WHOLE_NUMBER = re.compile("-?[0-9]+")

Qrels = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Text:
    """A passage of the corpus, or a query."""

    id: str
    text: str
    lang: str
    title: str = ""


class AnswerSpan(NamedTuple):
    """Where a passage answers a query: code points of the passage's text."""

    query_id: str
    passage_id: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset in BEIR's layout; `qrels` has the relevances above 0, by query and passage."""

    name: str
    corpus: Sequence[Text]
    queries: Sequence[Text]
    qrels: Qrels
    answers: Sequence[AnswerSpan] = ()


def read_dataset(folder: Path) -> Dataset:
    """Read corpus.jsonl, queries.jsonl and qrels.tsv; RequestError names the line with a fault."""
    qrels: dict[str, dict[str, int]] = {}
    path = folder / "qrels.tsv"
    for number, line in enumerate(_lines(path)):
        fields = line.split("\t")
        if number == 0 and not _WHOLE_NUMBER.fullmatch(fields[-1]):
            continue  # the header
        if len(fields) != 3 or not _WHOLE_NUMBER.fullmatch(fields[2]):
            raise _fault(path, number + 1, "three fields: query-id, corpus-id and relevance")
        if int(fields[2]) > 0:
            qrels.setdefault(fields[0], {})[fields[1]] = int(fields[2])
    corpus = list(_texts(folder / "corpus.jsonl"))
    if len({row.id for row in corpus}) < len(corpus):
        raise RequestError("bad_dataset", f"{folder / 'corpus.jsonl'} has the same _id twice.")
    answers = list(_answers(folder / "answers.jsonl"))
    return Dataset(folder.name, corpus, list(_texts(folder / "queries.jsonl")), qrels, answers)


def read_datasets(folder: Path) -> list[Dataset]:
    """Read the dataset of a folder, or each of those in it; RequestError where there is none."""
    if (folder / "corpus.jsonl").exists():
        return [read_dataset(folder)]
    corpora = sorted(folder.glob("*/corpus.jsonl"))
    if not corpora:
        raise _no_dataset(folder)
    return [read_dataset(corpus.parent) for corpus in corpora]


def read_distractors(folders: Iterable[Path], dataset: Dataset) -> list[Text]:
    """Return the passages of other datasets that a dataset lacks, each text once.

    Each folder is a dataset or holds several. An id is preceded by the name of its dataset. Raises
    RequestError.
    """
    seen = {row.text for row in dataset.corpus}
    distractors = []
    for folder in folders:
        corpora = sorted({*folder.glob("corpus.jsonl"), *folder.glob("*/corpus.jsonl")})
        if not corpora:
            raise _no_dataset(folder)
        for corpus in corpora:
            for row in _texts(corpus):
                if row.text not in seen:
                    seen.add(row.text)
                    distractors.append(replace(row, id=f"{corpus.parent.name}/{row.id}"))
    return distractors


def _no_dataset(folder: Path) -> RequestError:
    return RequestError("bad_dataset", f"{folder} holds no corpus.jsonl. Name the folder of a dataset.")


def _answers(path: Path) -> Iterator[AnswerSpan]:
    """Yield the rows of a file of answers; none where there is no such file."""
    for number, line in enumerate(_lines(path) if path.exists() else (), 1):
        if line:
            try:
                row = json.loads(line)
                query_id, passage_id = str(row["query-id"]), str(row["corpus-id"])
                yield AnswerSpan(query_id, passage_id, int(row["start"]), int(row["end"]))
            except (ValueError, TypeError, KeyError):
                raise _fault(path, number, "a JSON object with query-id, corpus-id, start and end") from None


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8", newline="\n") as file:
            for line in file:
                yield line.rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise RequestError(
            "bad_dataset", f"{path} cannot be read: {reason}. Name a folder in BEIR's layout."
        ) from error


def _texts(path: Path) -> Iterator[Text]:
    for number, line in enumerate(_lines(path), 1):
        if line:
            try:
                row = json.loads(line)
                text, lang, title = row["text"], row.get("lang"), row.get("title") or ""
                if not all(isinstance(value, str) for value in (text, lang or "", title)):
                    raise TypeError
                yield Text(str(row["_id"]), text, lang or detect(text), title)
            except (ValueError, TypeError, KeyError, AttributeError):
                raise _fault(path, number, "a JSON object with _id and text") from None


def _fault(path: Path, line: int, expected: str) -> RequestError:
    return RequestError("bad_dataset", f"{path}, line {line}: expected {expected}.")
