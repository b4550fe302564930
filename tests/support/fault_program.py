"""A program in which builds die, fail or lose power on demand, one job a line on its standard input.

    python fault_program.py FOLDER NUMBER       take jobs; each answer is a line of JSON
    python fault_program.py build ARCHIVE INDEX NOTES [--rebuild]      one build, which says when it begins

Each job runs in children of its own: a child that is to die, then another that checks what it left,
answers questions and builds again. This process itself never builds: a fork must find no threads.
"""

import os

os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "WARRAQ_THREADS": "1"}

import errno
import gc
import io
import json
import resource
import shutil
import signal
import sqlite3
import sys
import tempfile
import traceback
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import faiss  # noqa: F401 - so that no child must import it
import filelock  # noqa: F401
import safetensors
import safetensors.numpy
import tantivy  # noqa: F401

import indexer.building.build
import indexer.cli
import indexer.cli.commands.build
from indexer import build_index
from indexer.boilerplate.layout import clean
from indexer.datatypes import Document
from indexer.embedding.language_neutral import Sample, read_sample
from indexer.errors import IndexUnusable
from indexer.store.vector_cache import VectorCache
from indexer.text import language
from indexer.text.analysis import tokens
from indexer.text.names import known_spellings, may_be_name, spelling_keys
from tests.support.fakes import SAMPLE, TwoTongues
from tests.support.fault_checks import ARTICLES, QUESTIONS, Place, answers, check, copy_tree, describe_answers
from tests.support.intercepted_steps import Point, fingerprint, steps
from tests.support.power_cut import Power

NOBODY = 65534
SWITCHING = {"fsync", "replace", "rename", "mkdir"}  # power is cut at each of these
SOME = 8  # and at so many others
SECONDS = 60  # after which a child is taken to hang


def child(work: Callable[[], Any]) -> tuple[Any, int]:
    """Run something in a child; returns what it returned, None where it died, and the signal it died of."""
    reading, writing = os.pipe()
    number = os.fork()
    if not number:
        os.close(reading)
        signal.alarm(SECONDS)
        try:
            result = work()
        except BaseException:
            result = {"wrong": [traceback.format_exc()], "state": "an error"}
        write(writing, json.dumps(result))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        content = pipe.read()
    status = os.waitpid(number, 0)[1]
    return json.loads(content) if content else None, os.WTERMSIG(status)


def write(descriptor: int, text: str) -> None:
    data = text.encode()
    while data:
        data = data[os.write(descriptor, data) :]


def note_committed(notes: Path) -> None:
    """Have every text whose vector is durable be noted at once, outside the index."""
    descriptor = os.open(notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    original = VectorCache.put
    written = 0

    def put(self: VectorCache, keys: Any, vectors: Any) -> None:
        nonlocal written
        original(self, keys, vectors)
        texts = MODEL.encoded[written:]
        written += len(texts)
        os.write(descriptor, "".join(json.dumps(text) + "\n" for text in texts).encode())

    VectorCache.put = put  # type: ignore[method-assign]


MODEL = TwoTongues()


def noted(notes: Path) -> set[str]:
    return set(map(json.loads, notes.read_text("utf-8").splitlines())) if notes.exists() else set()


class Worker:
    def __init__(self, base: Path, number: str) -> None:
        self.base, self.run = base, base / f"run-{number}"
        self.index, self.cache, self.notes = self.run / "index", self.run / "cache", self.run / "notes"

    def restore(self, place: Place) -> None:
        shutil.rmtree(self.run, ignore_errors=True)
        self.run.mkdir()
        if place.history:
            copy_tree(place.index, self.index)
            copy_tree(place.cache, self.cache)
        os.environ["WARRAQ_CACHE"] = str(self.cache)

    def perform(self, place: Place, act: Callable[[Point], None]) -> dict[str, Any]:
        """Do what the scenario is about, `act` called at each point; returns how it ended."""
        kept = place.known["kept"]
        note_committed(self.notes)
        steps([self.run], act)
        try:
            place.perform(self.index, MODEL, kept)
        except IndexUnusable as error:
            return {"raised": str(error), "because": traceback.format_exc()}
        return {"raised": None}

    def checked(self, place: Place, legal: list[str], index: Path | None = None) -> dict[str, Any]:
        committed = noted(self.notes)
        result, ended = child(lambda: check(place, index or self.index, legal, committed))
        return result or {"wrong": [f"the check was ended by signal {ended}"], "state": "none"}

    # Each job has its name; what it returns has `wrong`, a list of sentences.

    def do_prepare(self, name: str) -> dict[str, Any]:
        result, ended = child(Place(self.base, name).prepare)
        return result or {"wrong": [f"it ended by signal {ended}"] if ended else []}

    def do_count(self, name: str) -> dict[str, Any]:
        """Return all points of a scenario, and those where the disk changed unseen by any of them."""
        place = Place(self.base, name)
        self.restore(place)

        def count() -> dict[str, Any]:
            points, wrong = list[tuple[int, str, str, str, bool]](), list[str]()
            before = fingerprint(self.index, self.cache)

            def act(point: Point) -> None:
                nonlocal before
                now = fingerprint(self.index, self.cache)
                changed = {path for path in now.keys() | before.keys() if now.get(path) != before.get(path)}
                # Tantivy's thread writes when it likes to, while its writer is open.
                unseen = {path for path in changed if "/terms/" not in path}
                if point.when == "before" and unseen:
                    wrong.append(f"changed before {point}, by no known step: {unseen}")
                points.append(
                    (
                        point.number,
                        point.when,
                        point.kind,
                        str(point.path.relative_to(self.run)),
                        bool(changed),
                    )
                )
                before = now

            ended = self.perform(place, act)
            return {"wrong": wrong + unwanted(ended), "points": points}

        return child(count)[0]

    def do_die(self, name: str, at: int) -> dict[str, Any]:
        """Die at a point, and check."""
        place = Place(self.base, name)
        self.restore(place)

        def die(point: Point) -> None:
            if point.number == at:
                os.kill(os.getpid(), signal.SIGKILL)

        ended = child(lambda: self.perform(place, die))
        if ended != (None, signal.SIGKILL):
            return {"wrong": [f"it did not die: {ended}"], "state": "none"}
        return self.checked(place, ["old", "new"])

    def do_fail(self, name: str, at: int, legal: str) -> dict[str, Any]:
        """Have a step fail, and from there on all that need space, and check.

        Where the build raises, the answers are `legal`.
        """
        place = Place(self.base, name)
        self.restore(place)

        def fail(point: Point) -> None:
            if point.number == at or (point.number > at and point.when == "before" and needs_space(point)):
                raise error_of(point)

        return self.failed(place, lambda: self.perform(place, fail), legal)

    def failed(self, place: Place, work: Callable[[], Any], legal: str = "old") -> dict[str, Any]:
        """Run what may fail, but only in words for people, and check."""
        result, ended = child(work)
        if ended or "raised" not in result:
            return {"wrong": [f"it ended by signal {ended}: {result}"], "state": "none"}
        raised = result["raised"]
        done = self.checked(place, [legal if raised else "new"])
        if raised and ("\n" in raised or not ("as it was" in raised or "cannot be written to" in raised)):
            done["wrong"].append(f"the message is {raised!r}")
        return {**done, "raised": raised}

    def do_limit(self, name: str, size: int) -> dict[str, Any]:
        """Let no file grow beyond a size, so that libraries fail within, and check."""
        place = Place(self.base, name)
        self.restore(place)

        def limited() -> dict[str, Any]:
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
            return self.perform(place, lambda _: None)

        return self.failed(place, limited)

    def do_full(self, name: str, disk: str, free: int) -> dict[str, Any]:
        """Build on a disk with so much left, the folder for temporary files on it too; ask while it is full."""
        place, wrong = Place(self.base, name), list[str]()
        self.restore(place)
        own, self.index = self.index, Path(disk, "index")
        shutil.rmtree(self.index, ignore_errors=True)
        copy_tree(place.index, self.index)
        filling = Path(disk, "filling")

        def fill() -> None:
            with suppress(OSError), filling.open("wb", buffering=0) as file:
                while True:
                    file.write(bytes(4096))

        def full() -> dict[str, Any]:
            tempfile.tempdir = disk
            os.environ["SQLITE_TMPDIR"] = disk
            fill()
            os.truncate(filling, max(0, filling.stat().st_size - free))
            ended = self.perform(place, lambda _: None)
            fill()
            found, damage = answers(self.index)
            if found != place.known["old" if ended["raised"] else "new"] or damage:
                raise AssertionError(f"on a full disk: {describe_answers(place.known, found)}, {damage}")
            return ended

        def freed() -> dict[str, Any]:
            try:
                return full()
            finally:
                filling.unlink()

        try:
            result = self.failed(place, freed)
        finally:
            self.index = own
        return {**result, "wrong": wrong + result["wrong"]}

    def do_cut(self, name: str) -> dict[str, Any]:
        """Note at every point what a power cut would leave; returns the places of all that differ."""
        place = Place(self.base, name)
        self.restore(place)
        power = Power(self.run, ["index/vectors.sqlite", "index/vectors.sqlite-journal", "cache", "notes"])
        cuts = self.base / f"cuts-{name}"

        def act(point: Point) -> None:
            if point.kind == "fsync" and point.when == "after":
                power.synced(point.path)
            elif point.when != "after" and (point.kind in SWITCHING or point.number % SOME == 0):
                power.cut(cuts, f"{point.number:04} {point.when} {point.kind} {point.path.name}")

        def cut() -> dict[str, Any]:
            ended = self.perform(place, act)
            power.cut(cuts, "when it is done", "new")
            return {"wrong": unwanted(ended), **power.made()}

        return child(cut)[0]

    def do_check(self, name: str, left: str, legal: list[str]) -> dict[str, Any]:
        """Check what a power cut has left in a folder."""
        os.environ["WARRAQ_CACHE"] = str(Path(left, "cache"))
        place = Place(self.base, name)
        committed = noted(Path(left, "notes"))
        result, ended = child(lambda: check(place, Path(left, "index"), legal, committed))
        shutil.rmtree(left)
        return result or {"wrong": [f"the check was ended by signal {ended}"], "state": "none"}

    def do_read_only(self, name: str) -> dict[str, Any]:
        """Query and build as a user who may read the index and not write to it."""
        place = Place(self.base, name)
        self.restore(place)
        for path in [self.run, *self.run.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o644)
        before = fingerprint(self.index)

        def ordinary() -> dict[str, Any]:
            indexer.cli.commands.build.find_model = lambda *_: TwoTongues()
            self.command_line(
                place, self.run / "elsewhere"
            )  # import the modules that are otherwise imported late
            if os.getuid() == 0:
                os.setgid(NOBODY)
                os.setuid(NOBODY)
            else:
                for path in [self.index, *self.index.rglob("*")]:
                    path.chmod(0o555 if path.is_dir() else 0o444)
            found, damage = answers(self.index)
            wrong = (
                []
                if found == place.known["old"] and not damage
                else [describe_answers(place.known, found), damage]
            )
            return {"wrong": wrong, **self.command_line(place, self.index)}

        result, _ = child(ordinary)
        for path in [self.index, *self.index.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o644)
        if fingerprint(self.index) != before:
            result["wrong"].append("the index is not as it was")
        return result

    def command_line(self, place: Place, index: Path) -> dict[str, Any]:
        """Build as the console script does; return its exit status and output."""
        with io.StringIO() as said, redirect_stdout(said), redirect_stderr(said):
            sys.argv = ["warraq", "build", "--archive", str(place.archive), "--index", str(index)]
            try:
                indexer.cli.main()
            except SystemExit as ended:
                return {"status": ended.code, "said": said.getvalue()}
        return {"status": None, "said": ""}

    def do_lay(self, name: str, run: str) -> dict[str, Any]:
        """Lay the index of a scenario out for another process."""
        place = Place(self.base, name)
        if place.history:
            copy_tree(place.index, Path(run, "index"))
            copy_tree(place.cache, Path(run, "cache"))
        return {"wrong": []}

    def do_verify(self, name: str, index: str, notes: str, cache: str) -> dict[str, Any]:
        """Check what another process has left."""
        os.environ["WARRAQ_CACHE"] = cache
        committed = noted(Path(notes))
        result, ended = child(lambda: check(Place(self.base, name), Path(index), ["old", "new"], committed))
        shutil.rmtree(Path(index).parent)
        return result or {"wrong": [f"the check was ended by signal {ended}"], "state": "none"}


def unwanted(ended: dict[str, Any]) -> list[str]:
    """Return the unexpected error that ended a build, with its traceback."""
    return [ended["because"]] if ended["raised"] else []


def needs_space(point: Point) -> bool:
    return point.kind in {"open", "write", "sendfile", "mkdir", "link"} or (
        point.of_library and point.kind.split()[1] not in {"close", "rollback", "wait_merging_threads"}
    )


def error_of(point: Point) -> Exception:
    """Return the error in which a call says that the disk is full."""
    injected = f"injected at {point.number}: {point.kind} {point.path.name}"
    match point.kind.split()[0]:
        case "sqlite":
            return sqlite3.OperationalError(f"database or disk is full ({injected})")
        case "faiss":
            return RuntimeError(f"Error: No space left on device ({injected})")
        case "tantivy":
            return ValueError(f"No space left on device ({injected})")
        case "safetensors":
            return safetensors.SafetensorError(f"I/O error: No space left on device ({injected})")
        case _:
            return OSError(errno.ENOSPC, f"No space left on device ({injected})")


@lru_cache
def small_sample() -> Sample:
    """A tenth of the parallel sample: enough for a model that is made for it, and soon encoded."""
    whole = read_sample()
    arabic, english = (
        {role: texts[::10] for role, texts in side.items()} for side in (whole.arabic, whole.english)
    )
    return Sample(arabic, english, whole.sha256)


def warm_up() -> None:
    """Load modules and data that are loaded on first use, so that no child must."""
    TwoTongues().encode_queries([*SAMPLE, *ARTICLES.values(), *QUESTIONS])
    for text in [*ARTICLES.values(), *QUESTIONS]:
        for token in tokens(text):
            known_spellings(token.term)
            spelling_keys(token.term)
            may_be_name(token.term)
        clean(Document("one", "One", text, "", "en"))


def take_jobs(base: Path, number: str) -> None:
    answer = os.dup(1)
    os.dup2(2, 1)
    worker = Worker(base, number)
    warm_up()
    gc.collect()
    gc.disable()  # a collection in a child would copy all that it shares with this process
    gc.freeze()
    assert len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208
    for line in sys.stdin:
        job = json.loads(line)
        try:
            result = getattr(worker, f"do_{job.pop('do')}")(**job)
        except Exception:
            result = {"wrong": [traceback.format_exc()], "state": "an error"}
        write(answer, json.dumps(result) + "\n")


def main(arguments: list[str]) -> None:
    indexer.building.build.ENCODED_AT_ONCE = 2  # so that a build commits more than once
    indexer.building.build.read_sample = small_sample
    language._ask_langdetect = lambda *_: None  # its tables take longer to load than all else
    if arguments[0] == "build":
        archive, index, notes = map(Path, arguments[1:4])
        note_committed(notes)
        clean(Document("one", "One", "One line.", "", "en", None, {}))  # whose tables are long to load
        print("ready", flush=True)
        build_index(archive, index, MODEL, rebuild="--rebuild" in arguments)
        print("done", flush=True)
    else:
        take_jobs(Path(arguments[0]), arguments[1])


if __name__ == "__main__":
    main(sys.argv[1:])
