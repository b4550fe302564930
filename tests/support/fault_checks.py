"""Archives of the fault scenarios, and the checks of an index after a fault."""

import base64
import json
import os
import random
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from indexer import Searcher, SearchRequest, build_index
from indexer.embedding.encoder import vector_key
from indexer.errors import NoIndex
from indexer.maintenance import roll_back
from indexer.retrieval.opening import in_space
from indexer.store.folder import CURRENT, GENERATIONS, LOCK, MARKER, IndexFolder
from indexer.store.manifest import MANIFEST
from indexer.store.reader import GenerationReader
from indexer.store.vector_cache import VectorCache, checksum_path
from tests.support.fakes import TwoTongues

ADDRESS, READER = "203.0.113.77", "zubaidareader@harbour.example"
TRACKED = base64.b64encode(f"ip: {ADDRESS}".encode()).decode()
LINE = "The harbour master writes every Thursday"
ARTICLES = {
    "talks.txt": "Talks in Geneva\nEnvoys met in Geneva to discuss the grain corridor across the Black Sea.\n\n"
    "They agreed to meet again in March, and the next round will be held in Vienna.\n",
    "ar/water.txt": "أزمة المياه\nأعلنت وزارة المياه أن السدود امتلأت بعد أمطار الشتاء الغزيرة.\n",
    "ar/dust.txt": "موجة غبار\nضربت موجة غبار شرق البلاد وتوقفت حركة السفن في الميناء.\n",
    "private.txt": f"Voyage of the Kingfisher\nThe quartermaster kept ropes for the winter.\n{TRACKED}\n"
    f"Your address: {ADDRESS}\nSubscribe to our newsletter, {READER}, and never miss a ship\n",
}
NEW = {"harvest.txt": "Harvest\nThe grain harvest was small this year, said the farmers of the valley.\n"}
EDITED = {"ar/dust.txt": "موجة غبار\nانتهت موجة الغبار وعادت السفن إلى الميناء.\n", "talks.txt": None}
VOYAGES = [
    {f"wire/v{number}.txt": f"Voyage {number}\nShip {number} left on day {number} with grain.\n{LINE}\n"}
    for number in range(5)
]
QUESTIONS = ["grain ship", "موجة غبار الميناء", LINE, TRACKED]
MODES = ("hybrid", "dense", "lexical")

# The edits before each earlier build; the edits since; and the action that is then tested.
SCENARIOS: dict[str, tuple[list[dict[str, Any]], dict[str, Any], str]] = {
    "first": ([], ARTICLES, "build"),
    "added": ([ARTICLES], NEW, "build"),
    "changed": ([ARTICLES, NEW], EDITED, "build"),  # and the generation before the last is removed
    "crossing": ([ARTICLES | VOYAGES[0] | VOYAGES[1] | VOYAGES[2] | VOYAGES[3]], VOYAGES[4], "build"),
    "rollback": ([ARTICLES, NEW], {}, "rollback"),
    "damaged": ([ARTICLES, NEW], {}, "rebuild"),
}
MANY = [f"many-{number}" for number in range(3)]  # of random kills: larger ones


def make_articles(numbers: range) -> dict[str, str]:
    """Articles of a few passages each, in both languages."""
    dice, words = (
        random.Random(numbers.start),
        " ".join([ARTICLES["talks.txt"], ARTICLES["ar/water.txt"], *NEW.values()]).split(),
    )
    return {
        f"source-{number % 3}/{number}.txt": f"Article {number}\n"
        + "\n\n".join(" ".join(dice.choices(words, k=60)) for _ in range(2))
        + (f"\n{TRACKED}\n{LINE}\n" if number % 2 else "\n")
        for number in numbers
    }


SCENARIOS |= {
    MANY[0]: ([], ARTICLES | make_articles(range(12)), "build"),
    MANY[1]: ([ARTICLES | make_articles(range(10)), NEW], make_articles(range(8, 16)) | EDITED, "build"),
    MANY[2]: ([ARTICLES | make_articles(range(10)), make_articles(range(10, 14))], {}, "rebuild"),
}


class Place:
    """The folder of a scenario: its archive as it is now, the index before, and the expected answers of both."""

    def __init__(self, base: Path, name: str) -> None:
        self.name, (self.history, self.edits, self.action) = name, SCENARIOS[name]
        self.archive, self.index = base / name / "archive", base / name / "index"
        self.cache, self._known = base / name / "cache", base / name / "known.json"

    def edit(self, files: dict[str, Any]) -> None:
        for path, text in files.items():
            target = self.archive / path
            target.parent.mkdir(parents=True, exist_ok=True)
            if text is None:
                target.unlink()
            else:
                target.write_text(text, "utf-8")

    @property
    def known(self) -> dict[str, Any]:
        return json.loads(self._known.read_text("utf-8"))

    def prepare(self) -> None:
        """Make the archive and the index before, and store the expected answers before and after."""
        os.environ["WARRAQ_CACHE"] = str(self.cache)
        self.archive.mkdir(parents=True)
        for files in self.history:
            self.edit(files)
            build_index(self.archive, self.index, TwoTongues())
        folder = IndexFolder(self.index)
        kept, damaged = folder.listed(), None
        self.edit(self.edits)
        fresh = self.index.with_name("fresh")
        build_index(self.archive, fresh, TwoTongues())
        known = {"kept": kept, "fresh": answers(fresh)[0]}
        if self.action == "rebuild":
            damaged = kept[0]
            vectors = folder.folder(damaged) / "vectors.faiss"
            content = bytearray(vectors.read_bytes())
            content[-9] ^= 1
            vectors.write_bytes(content)
        known |= {"damaged": damaged, "old": answers(self.index)[0] if kept else None}
        again = self.index.with_name("again")
        copy_tree(self.index, again)
        self.perform(again, TwoTongues(), kept)
        known["new"] = answers(again)[0]
        if self.action != "rollback":
            assert known["new"] == known["fresh"]
        assert known["new"] != known["old"]
        self._known.write_text(json.dumps(known), "utf-8")

    def perform(self, index: Path, model: TwoTongues, kept: list[str]) -> None:
        """Do what the scenario is about."""
        if self.action == "rollback":
            roll_back(index, kept[1])
        else:
            build_index(self.archive, index, model, rebuild=self.action == "rebuild")


def answers(index: Path) -> tuple[dict[str, Any], str | None]:
    """Return all that an index answers to the questions, by value, and what it says of a damage."""
    with closing(GenerationReader.open(IndexFolder(index))) as store:
        searcher = Searcher(store, in_space(store, TwoTongues()))
        results: dict[str, Any] = {
            f"{mode}: {question}": [
                [hit.passage.doc_id, hit.passage.number, hit.passage.line_start, hit.text, repr(hit.score)]
                for hit in searcher.search(
                    SearchRequest(question, mode=mode, limit=100, copies="all", highlight=False)
                ).hits
            ]
            for question in QUESTIONS
            for mode in MODES
        }
        results["articles"] = {
            doc_id: [document.title, document.text, document.lang]
            for doc_id, document in sorted(store.documents(list(store.digests())).items())
        }
        return results, store.damage


def copy_tree(source: Path, target: Path) -> None:
    """Copy a folder; files that are one under two names stay one."""
    if not source.exists():
        return
    seen: dict[int, Path] = {}
    for folder, _, names in os.walk(source):
        there = target / Path(folder).relative_to(source)
        there.mkdir()
        for name in names:
            number = os.stat(Path(folder, name)).st_ino  # noqa: PTH116
            if number in seen:
                (there / name).hardlink_to(seen[number])
            else:
                seen[number] = there / name
                shutil.copyfile(Path(folder, name), there / name)


SECRETS = [
    form.lower().encode()
    for secret in (ADDRESS, TRACKED, READER)
    for form in (secret, base64.b64encode(secret.encode()).decode().rstrip("="))
]


def check(place: Place, index: Path, legal: list[str], committed: set[str]) -> dict[str, Any]:
    """Query and verify the index that a killed process left, build again, and return all faults."""
    expected, wrong = place.known, list[str]()
    states = {name: expected[name] for name in legal}
    wrong += files_with_secrets(index)
    state = None
    try:
        results, damage = answers(index)
    except NoIndex:
        results, damage, state = None, None, "old" if states.get("old", 0) is None else None
    if results is not None:
        state = next((name for name, item in states.items() if item == results), None)
    if state is None:
        wrong.append(
            f"the answers are not those of {' or '.join(legal)} but {describe_answers(expected, results)}"
        )
    if damage and expected["kept"] and not expected["damaged"]:
        wrong.append(f"the index says: {damage}")
    folder = IndexFolder(index)
    for name in folder.listed() if folder.path.exists() else ():
        if name != expected["damaged"]:
            wrong += folder.damages(folder.manifest(name))
    cached = cached_keys(folder)
    model = TwoTongues()
    place.perform(index, model, expected["kept"])
    results, damage = answers(index)
    if results != expected["new"] or damage:
        wrong.append(
            f"after the next build the answers are {describe_answers(expected, results)}; damage: {damage}"
        )
    if place.action == "rollback":
        build_index(place.archive, index, model)
        if answers(index) != (expected["old"], None):
            wrong.append("a build after going back does not bring the archive up to date")
    again = set(model.encoded)
    wrong += [f"encoded again: {text}" for text in again & committed]
    wrong += [f"encoded though cached: {text}" for text in again if vector_key(model, text) in cached]
    wrong += [*leftover_files(index), *files_with_secrets(index), *folder.pointer_faults()]
    with closing(VectorCache.existing(folder.cache)) as cache:
        wrong += cache.damages()
    return {"wrong": wrong, "state": state}


def describe_answers(expected: dict[str, Any], results: dict[str, Any] | None) -> str:
    if results is None:
        return "none at all"
    names = [name for name in ("old", "new") if expected[name] == results]
    return f"those of {names[0]}" if names else f"neither: {json.dumps(results, ensure_ascii=False)[:1500]}"


def cached_keys(folder: IndexFolder) -> set[bytes]:
    """Return the keys of the vectors that the cache holds whole, without touching it."""
    if not folder.cache.exists():
        return set()
    with tempfile.TemporaryDirectory() as staging:
        for path in folder.path.glob("vectors.sqlite*"):
            shutil.copyfile(path, Path(staging, path.name))
        with closing(sqlite3.connect(Path(staging, folder.cache.name))) as cache, suppress(sqlite3.Error):
            return {key for (key,) in cache.execute("SELECT key FROM vectors")}
    return set()


def files_with_secrets(index: Path) -> Iterator[str]:
    """Yield the files that contain private lines of the reader; a file under two names once."""
    for path in {path.stat().st_ino: path for path in index.rglob("*")}.values():
        if path.is_file():
            content = path.read_bytes().lower()
            if any(secret in content for secret in SECRETS):
                yield f"{path.relative_to(index)} holds a reader's address"


def leftover_files(index: Path) -> Iterator[str]:
    """Yield what lies in an index and belongs to no kept generation."""
    folder = IndexFolder(index)
    ours = {MARKER, CURRENT, LOCK, folder.cache.name, checksum_path(folder.cache).name}
    for name in folder.listed():
        files = {MANIFEST, *folder.manifest(name).files}
        ours |= {f"{GENERATIONS}/{name}/{file}" for file in files}
    folders = {GENERATIONS, *(Path(file).parent.as_posix() for file in ours)}
    for path in index.rglob("*"):
        relative = path.relative_to(index).as_posix()
        lock = path.name.startswith(".tantivy") and path.suffix == ".lock"
        if relative not in ours | folders and not lock:
            yield f"left over: {relative}"
