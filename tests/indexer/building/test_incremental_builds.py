"""An index that is built in steps equals a full build of the same archive."""

import csv
import functools
import io
import json
import random
import shutil
import sqlite3
import tempfile
from collections import Counter
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from indexer import Searcher, SearchRequest, build_index
from indexer.datatypes import Document
from indexer.errors import UnreadableFile
from indexer.ingest import documents
from indexer.ingest.documents import documents_of
from indexer.ingest.files import find_files, open_file
from indexer.ingest.metadata.sidecars import Sidecars, is_sidecar
from indexer.ingest.readers import records, text
from indexer.ingest.readers.registry import Readers
from indexer.retrieval import highlight, searcher
from indexer.retrieval.opening import in_space, read_manifest
from indexer.store.folder import IndexFolder
from indexer.store.reader import GenerationReader
from indexer.text import analysis, language
from tests.support.fakes import FakeModel, TwoTongues
from tests.support.loaded_model import LoadedModel

LINE = "The harbour master writes every Thursday"
STANDING = [
    LINE,
    "يكتب مدير الميناء كل يوم خميس",
    "This notice stands below every article of this source, and who finds a fault in it may write to the house "
    "at the pier, where someone will read what was written before the week is over.",
    "Loading",
    "Your address: 203.0.113.77",
    "More",
]
FOLDERS = [".", "wire", "wire/ar", "post"]
PARTS = ("documents", "passages", "languages", "sources", "undated", "failed", "notes", "cut", "repeated")
QUESTIONS = ["grain ship", "Ship number 3", "سفينة الحبوب في الميناء", LINE, "the quay"]


def english(number):
    return f"Voyage {number}", (
        f"Ship number {number} left the port on day {number} with grain for {number} thousand people."
    )


def arabic(number):
    return f"رحلة السفينة {number}", (
        f"غادرت السفينة رقم {number} الميناء في اليوم {number} وعلى متنها حبوب تكفي {number} آلاف من الناس."
    )


SHARED = "The quay was mended in the winter by the men of the town, who brought its stones from the hill."


def text_of(kind, number, others):
    """An article: most have their own words, some a paragraph that others have too, as they stand."""
    title, body = (arabic if kind == "ar" else english)(number)
    paragraphs = [title, *([SHARED] if kind == "shared" else []), body, *others]
    return ("\n\n" if kind == "shared" else "\n").join(paragraphs) + "\n"


FACTS = {
    "title": ["Voyage 3", "A title of its own"],
    "author": ["Salma Haddad", "Huda"],
    "source": ["wire", "Courier"],
    "published": ["2025-03-01", "2025-03-09", "yesterday"],
}
MISREAD = "هدأت العاصفة عند الفجر وعاد الصيادون إلى الميناء قبل الظهر\n".encode().decode("latin-1") * 3
BROKEN = [b"GIF89a\0\1\2", b" \n\n", "سلام".encode("cp1256"), MISREAD.encode()]


EDITS = {
    "put_an_article": 3, "put_articles_with_the_same_lines": 3, "put_a_feed_of_many": 1, "put_a_feed": 1,
    "put_a_csv": 1, "edit_a_feed": 3, "put_a_table": 1, "put_a_sidecar": 1, "break_a_file": 1,
    "copy_a_file": 1, "rename_a_file": 1, "remove_files": 3,
}  # fmt: skip


class Steps:
    """An archive that is edited, an index that follows it, and at each build a full index to compare.

    What is done is drawn, and printed, so that a failure tells its steps.
    """

    def __init__(self, folder, model, draw):
        self.folder, self.model, self.draw = folder, model, draw
        self.archive, self.index = self.folder / "archive", self.folder / "index"
        self.archive.mkdir(parents=True)
        self.staged, self.seen = {None: {}}, Counter()

    # -- edits

    def edit(self):
        """Do one of the edits, those most often that let lines cross the threshold."""
        (chosen,) = self.draw.choices(list(EDITS), list(EDITS.values()))
        getattr(self, chosen)()

    def put(self, path, content):
        path = self.archive / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        print("put", path.relative_to(self.archive), path.read_bytes())

    def a_file(self, suffix=""):
        files = [path for path in sorted(self.archive.rglob("*.*")) if path.name.endswith(suffix)]
        return self.draw.choice(files) if files else None

    def a_folder(self):
        return self.draw.choice(FOLDERS)

    def a_name(self, first="v"):
        return f"{self.a_folder()}/{first}{self.draw.randrange(12):02}"

    def facts(self):
        return {name: self.draw.choice(values) for name, values in FACTS.items() if self.draw.random() < 0.3}

    def a_kind(self):
        return self.draw.choice(["en", "ar", "shared"])

    def an_article(self):
        lines = self.draw.sample(STANDING, self.draw.randint(0, 3))
        return text_of(self.a_kind(), self.draw.randrange(12), lines)

    def a_record(self):
        if self.draw.random() < 0.1:
            return self.draw.choice(["{", '{"text": ""}', "[]"])
        own = {"id": self.draw.choice("abcdef")} if self.draw.random() < 0.5 else {}
        text = MISREAD if self.draw.random() < 0.1 else self.an_article()
        return json.dumps({**self.facts(), **own, "text": text}, ensure_ascii=False)

    def put_an_article(self):
        self.put(f"{self.a_name()}.txt", self.an_article())

    def put_articles_with_the_same_lines(self):
        folder, kind, first = self.a_folder(), self.a_kind(), self.draw.randrange(12)
        lines = self.draw.sample(STANDING, self.draw.randint(1, 3))
        for at in range(first, first + self.draw.randint(2, 6)):
            self.put(f"{folder}/v{at:02}.txt", text_of(kind, at, lines))

    def put_a_feed_of_many(self):
        """So many articles that a line must stand in more of them than in five."""
        each, number = self.draw.choice([4, 9, 12]), self.draw.randint(40, 70)
        texts = (text_of("en", at, [LINE] if at % each == 0 else []) for at in range(100, 100 + number))
        records = (json.dumps({"id": str(at), "text": text}) for at, text in enumerate(texts))
        self.put(f"{self.a_folder()}/many.jsonl", "".join(f"{record}\n" for record in records))

    def put_a_feed(self):
        records = [self.a_record() for _ in range(self.draw.randint(0, 8))]
        self.put(f"{self.a_folder()}/feed.jsonl", "".join(f"{record}\n" for record in records))

    def put_a_csv(self):
        rows = [
            {"id": self.draw.choice(["", "a", "b"]), "text": self.an_article(), **self.facts()}
            for _ in range(self.draw.randint(0, 6))
        ]
        self.put(f"{self.a_folder()}/feed.csv", as_csv(["id", "text", *FACTS], rows))

    def edit_a_feed(self):
        path = self.a_file(".jsonl")
        lines = path.read_bytes().splitlines() if path else []
        at, how = self.draw.randint(0, len(lines)), self.draw.choice(["insert", "replace", "remove", "move"])
        if how == "insert":
            lines.insert(at, self.a_record().encode())
        elif how == "replace":
            lines[at : at + 1] = [self.a_record().encode()]
        else:
            lines, taken = lines[:at] + lines[at + 1 :], lines[at : at + 1]
            lines = taken + lines if how == "move" else lines
        if path:
            self.put(path, b"".join(line + b"\n" for line in lines))

    def put_a_table(self):
        numbers, suffix = self.draw.sample(range(12), self.draw.randint(0, 5)), self.draw.choice(["", ".txt"])
        rows = [{"file": f"v{number:02}{suffix}", **self.facts()} for number in numbers]
        content = as_csv(["file", *FACTS], rows) if self.draw.random() < 0.9 else b"\0"
        self.put(f"{self.a_folder()}/metadata.csv", content)

    def put_a_sidecar(self):
        if path := self.a_file():
            name = path.parent / f"{self.draw.choice([path.name, path.stem])}.meta.json"
            self.put(name, json.dumps(self.facts()) if self.draw.random() < 0.8 else "{")

    def break_a_file(self):
        if path := self.a_file():
            self.put(path, self.draw.choice(BROKEN))

    def copy_a_file(self):
        if path := self.a_file():
            self.put(f"{self.a_name('c')}{path.suffix}", path.read_bytes())

    def rename_a_file(self):
        if path := self.a_file():
            content = path.read_bytes()
            self.remove(path)
            self.put(f"{self.a_name()}{path.suffix}", content)

    def remove_files(self):
        for _ in range(self.draw.choice([1, 1, 2, 5])):
            if path := self.a_file():
                self.remove(path)

    def remove(self, path):
        print("remove", path.relative_to(self.archive))
        path.unlink()

    # -- builds

    def roll_back(self):
        folder = IndexFolder(self.index)
        if folder.found() and folder.found()[-1] != folder.current():
            print("roll back to", folder.roll_back())
            self.seen["rolled back"] += 1

    def build(self):
        current = IndexFolder(self.index).current()
        before, keep = self.staged[current], self.draw.randint(1, 3)
        report = build_index(self.archive, self.index, self.model, keep=keep)
        print("built", report)
        now = self.staged[report.generation] = read_whole(self.archive)
        both = before.keys() & now.keys()
        assert (report.added, report.removed) == (len(now.keys() - before), len(before.keys() - now))
        assert report.changed == sum(before[each] != now[each] for each in both)
        assert (report.unchanged, report.documents) == (len(both) - report.changed, len(now))
        assert build_index(self.archive, self.index, self.model).generation == report.generation
        kept = IndexFolder(self.index).listed()
        assert kept[0] == report.generation
        assert sorted(kept, reverse=True) == IndexFolder(self.index).found()
        assert report.generation == current or len(kept) <= keep

        fresh = self.folder / "fresh"
        IndexFolder(fresh).prepare()
        shutil.copy(self.index / "vectors.sqlite", fresh)
        at_once = build_index(self.archive, fresh, self.model)
        assert at_once.encoded == 0
        for name in ("documents", "passages", "failed", "cut", "repeated", "notes", "undated"):
            assert getattr(report, name) == getattr(at_once, name), name
        agree(self.index, fresh, self.model)
        shutil.rmtree(fresh)
        self.note(report)

    def note(self, report):
        """Count the cases that these steps covered."""
        folder = IndexFolder(self.index)
        with closing(GenerationReader.open(folder)) as store, closing(connected(store)) as tables:
            repeated_lines = set(
                tables.execute("SELECT name, line_key FROM repeated_lines JOIN sources ON id = source_id")
            )
        if repeated_lines - getattr(self, "repeated_lines", repeated_lines):
            self.seen["lines became repeated"] += 1
        if getattr(self, "repeated_lines", repeated_lines) - repeated_lines:
            self.seen["lines were repeated"] += 1
        self.repeated_lines = repeated_lines
        self.seen.update(["built", *report.cut], failed=bool(report.failed), noted=bool(report.notes))


def as_csv(columns, rows):
    table = io.StringIO()
    writer = csv.DictWriter(table, columns)
    writer.writeheader()
    writer.writerows(rows)
    return table.getvalue()


def read_whole(archive):
    """What every article of an archive says, by id, read without an index."""
    found = list(find_files(archive))
    sidecars, documents = Sidecars(archive, found, {}), {}
    with Readers({}) as readers:
        for file in found:
            if is_sidecar(file.path):
                continue
            of_file = {}
            try:
                with open_file(file, archive) as source:
                    for each in documents_of(source, readers, sidecars, of_file.__contains__):
                        if isinstance(each, Document):
                            of_file[each.doc_id] = each
            except UnreadableFile:
                continue
            documents |= of_file
    return {
        each.doc_id: (
            each.title, each.text, each.source, each.lang, each.published, each.author, each.url, each.file.basis
        )
        for each in documents.values()
    }  # fmt: skip


def agree(one, other, model, within=0.0):
    """Two indexes hold the same and answer the same; only the places of things in their files differ."""
    manifests = [read_manifest(index) for index in (one, other)]
    for name in PARTS:
        assert getattr(manifests[0], name) == getattr(manifests[1], name), name
    stores = [GenerationReader.open(IndexFolder(index)) for index in (one, other)]
    try:
        for store in stores:
            assert store.damage is None
        assert index_content(stores[0]) == index_content(stores[1])
        searchers = [Searcher(store, in_space(store, model)) for store in stores]
        for request in requests():
            results = [searcher.search(request) for searcher in searchers]
            ranked, expected = ([listed(hit) for hit in result.hits] for result in results)
            assert [places for places, _ in ranked] == [places for places, _ in expected], request
            scores, others = ([score for _, each in lists for score in each] for lists in (ranked, expected))
            np.testing.assert_allclose(scores, others, rtol=0, atol=within, err_msg=str(request))
            assert results[0].total == results[1].total
            assert results[0].warnings == results[1].warnings
    finally:
        for store in stores:
            store.close()


def listed(hit):
    """A hit and its collapsed passages: their passages, and their scores."""
    each = [hit, *hit.also_in, *(one for more in hit.more for one in (more, *more.also_in))]
    return [(one.passage, one.document, one.highlights) for one in each], [one.score for one in each]


def requests():
    for mode in ("hybrid", "dense", "lexical"):
        for query in QUESTIONS:
            yield SearchRequest(query, mode=mode, copies="all", limit=100)
        for query in (QUESTIONS[0], QUESTIONS[2]):
            yield SearchRequest(query, mode=mode)
            yield SearchRequest(query, mode=mode, lang="ar", copies="all", limit=100)
            yield SearchRequest(query, mode=mode, source="wire", limit=100)
            yield SearchRequest(query, mode=mode, published_from="2025-03-02")


def connected(store):
    return sqlite3.connect(f"{(store.folder / 'articles.sqlite').as_uri()}?mode=ro&immutable=1", uri=True)


def index_content(store):
    """All that the tables of a generation hold, without the numbers that they give to things."""
    with closing(connected(store)) as tables:
        run = tables.execute
        passages = run(
            """SELECT doc_id, number, duplicate_key, vector_key, key, row
               FROM passages JOIN terms ON id = terms_id"""
        ).fetchall()
        vectors = store.vectors([row for *_, row in passages]) if passages else []
        return {
            "articles": {doc_id: store.article(doc_id) for doc_id in store.digests()},
            "digests": store.digests(),
            "paths": dict(run("SELECT doc_id, path FROM documents")),
            "longest": dict(run("SELECT doc_id, longest_lines_key FROM documents")),
            "files": store.files(),
            "failures": sorted(store.failures()),
            "passages": {
                tuple(each): vector.tobytes() for (*each, _), vector in zip(passages, vectors, strict=True)
            },
            "folded": dict(run("SELECT key, terms FROM terms")),
            "cuts": sorted(run("SELECT doc_id, line, line_key FROM cuts WHERE line_key IS NOT NULL")),
            "sources": dict(run("SELECT name, articles FROM sources")),
            "lines": sorted(
                run("""SELECT name, line_key, doc_id FROM lines JOIN sources ON sources.id = source_id
                       JOIN documents ON documents.id = document_id""")
            ),
            "all lines": run("SELECT COUNT(*) FROM lines").fetchall(),
            "repeated": sorted(
                run(
                    "SELECT name, line_key, repeated.articles FROM repeated_lines AS repeated JOIN sources ON id = source_id"
                )
            ),
            "all repeated": run("SELECT COUNT(*) FROM repeated_lines").fetchall(),
        }


@pytest.fixture
def known(monkeypatch):
    """The language of a text, and the terms of a hit, are worked out once."""
    told = functools.lru_cache(maxsize=None)(language.detect)
    for module in (documents, records, text, searcher):
        monkeypatch.setattr(module, "detect", told)
    monkeypatch.setattr(highlight, "tokens", functools.lru_cache(maxsize=None)(analysis.tokens))


def test_index_built_in_steps_equals_a_full_build(tmp_path, known):
    seen = Counter()
    for seed, model in enumerate([FakeModel(), TwoTongues(), FakeModel()]):
        steps = Steps(tmp_path / f"steps {seed}", model, random.Random(seed))
        for _ in range(3):
            steps.put_articles_with_the_same_lines()
        for _ in range(14):
            for _ in range(steps.draw.choice([1, 1, 1, 2, 3, 5])):
                steps.edit()
            if steps.draw.random() < 0.2:
                steps.roll_back()
            steps.build()
        seen += steps.seen
    expected = ("rolled back", "repeated", "lines became repeated", "lines were repeated", "tracking", "failed",
                "noted")  # fmt: skip
    assert {name for name in expected if seen[name] < 3} == set(), seen


class AnySteps(RuleBasedStateMachine):
    """The same edits in any order and number, with values that Hypothesis draws and makes simpler."""

    def __init__(self):
        super().__init__()
        self.place = tempfile.TemporaryDirectory()

    @initialize(draw=st.randoms(use_true_random=True), model=st.sampled_from([FakeModel, TwoTongues]))
    def begin(self, draw, model):
        self.steps = Steps(Path(self.place.name), model(), draw)

    @rule(times=st.integers(1, 4))
    def put_articles_with_the_same_lines(self, times):
        for _ in range(times):
            self.steps.put_articles_with_the_same_lines()

    @rule(how=st.sampled_from(list(EDITS)))
    def edit(self, how):
        getattr(self.steps, how)()

    @rule()
    def roll_back(self):
        self.steps.roll_back()

    @rule()
    def build(self):
        self.steps.build()

    def teardown(self):
        self.place.cleanup()


def test_index_built_in_random_steps_equals_a_full_build(known):
    run_state_machine_as_test(
        AnySteps,
        settings=settings(
            max_examples=8,
            stateful_step_count=15,
            derandomize=True,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],  # to make a failure simpler takes minutes; its steps are printed
        ),
    )


# --- with the real model -----------------------------------------------------------------------------


NEWS = {
    "wire/grain": "Grain leaves the port\nThe first ship with grain left Odesa on Monday after weeks of talks.\n",
    "wire/water": "Dams fill after the rain\nThe ministry of water said that the dams are full to two fifths.\n",
    "wire/bank": "The bank keeps its rate\nThe central bank left interest rates where they were, at five percent.\n",
    "wire/vote": "Voters go to the polls\nMillions voted on Sunday for a new parliament, the first in six years.\n",
    "wire/quake": "Earthquake in the south\nThe earth shook for a minute at dawn, and no one was hurt.\n",
    "ar/grain": "الحبوب تغادر الميناء\nغادرت أول سفينة محملة بالحبوب ميناء أوديسا يوم الاثنين بعد محادثات طويلة.\n",
    "ar/water": "السدود تمتلئ بعد المطر\nأعلنت وزارة المياه أن السدود امتلأت بنسبة أربعين بالمئة.\n",
    "ar/bank": "المصرف يبقي الفائدة\nأبقى المصرف المركزي أسعار الفائدة على حالها عند خمسة بالمئة.\n",
    "ar/copy": "السدود تمتلئ بعد المطر\nأعلنت وزارة المياه أن السدود امتلأت بنسبة أربعين بالمئة.\n",
    "post/copy": "Grain leaves the port\nThe first ship with grain left Odesa on Monday after weeks of talks.\n",
}


def test_index_built_in_steps_with_the_real_model_answers_alike(tmp_path, encoder):
    """The vector caches are each index's own: batches differ, and so do the last digits of a vector."""
    archive, model = tmp_path / "archive", LoadedModel(encoder)

    def put(*names, line=""):
        for name in names:
            path = archive / f"{name}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{NEWS[name]}{line}\n", "utf-8")

    def step():
        return build_index(archive, tmp_path / "steps", model)

    put("wire/grain", "wire/water", "wire/bank", "ar/water", line=LINE)
    assert step().cut == {}
    put("ar/grain", "post/copy", "wire/vote", line=LINE)
    assert step().cut == {}
    put("wire/quake", line=LINE)  # the fifth of its source: the line is repeated from here on
    assert step().cut == {"repeated": 5}
    (archive / "wire" / "water.txt").unlink()
    put("ar/water", "ar/copy", "ar/bank", "wire/grain")
    report = step()
    assert (report.added, report.changed, report.removed, report.cut) == (2, 2, 1, {})
    assert report.unchanged == 5
    build_index(archive, tmp_path / "at once", model)

    stores = [GenerationReader.open(IndexFolder(tmp_path / name)) for name in ("steps", "at once")]
    searchers = [Searcher(store, in_space(store, encoder)) for store in stores]
    for query in ("grain ships from Ukraine", "امتلاء السدود", "interest rates", "زلزال في الجنوب", LINE):
        for mode in ("hybrid", "dense", "lexical"):
            request = SearchRequest(query, mode=mode, copies="all", limit=100)
            ranked, expected = ([listed(hit) for hit in each.search(request).hits] for each in searchers)
            assert [places for places, _ in ranked] == [places for places, _ in expected], request
            np.testing.assert_allclose(
                [scores for _, scores in ranked], [scores for _, scores in expected], rtol=0, atol=1e-5
            )
            assert len(ranked) == report.passages or mode == "lexical"
    for store in stores:
        store.close()
