"""Build an index of generated articles in steps, the vectors made up: time, disk and memory by part.

    .venv/bin/python benchmarks/steps.py [ARTICLES]

Every article is a file of its own. After the full build the archive is built as it is, with one article
more, with one less, and with a line that becomes repeated; then the index is opened and verified.
Prints a line a figure.
"""

import hashlib
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer import build_index, open_searcher
from tests.support.read_files import article

DIMENSION = 384


class MadeUpEncoder:
    """A model whose vectors are random, each text's its own, of the bundled model's length."""

    name, weights, dimension, window = "made up", "made up", DIMENSION, 512
    prompts: dict[str, str] = {"query": "", "document": ""}  # noqa: RUF012
    encoded = 0

    def open(self) -> "MadeUpEncoder":
        return self

    def count_tokens(self, text: str) -> int:
        return len(text) // 4

    def encode_passages(self, texts: Sequence[str]) -> "NDArray[np.float32]":
        vectors = np.empty((len(texts), DIMENSION), np.float32)
        for at, text in enumerate(texts):
            seed = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())
            vectors[at] = np.random.default_rng(seed).standard_normal(DIMENSION, np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    encode_queries = encode_passages


def write(archive: Path, numbers: Sequence[int], dice: random.Random) -> None:
    """Write articles, each a text file in the folder of its source."""
    for number in numbers:
        title, lines = article(number, dice)
        folder = archive / f"source-{number % 12}"
        folder.mkdir(exist_ok=True)
        (folder / f"{number}.txt").write_text("\n".join([title, *lines[1:]]), "utf-8")


def timed(name: str, action: Callable[[], object], full: float | None = None) -> tuple[float, object]:
    """Run an action and print how long it took, and what part of the full build that is."""
    started = time.perf_counter()
    result = action()
    seconds = time.perf_counter() - started
    part = f"   1/{full / seconds:.0f} of the full build" if full else ""
    print(f"{name:<34} {seconds:8.2f} s{part}", flush=True)
    return seconds, result


def main() -> None:
    """Generate, build in steps, print."""
    articles = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    dice = random.Random(7)
    with tempfile.TemporaryDirectory() as place:
        archive, index = Path(place) / "archive", Path(place) / "index"
        archive.mkdir()
        write(archive, range(articles), dice)
        model = MadeUpEncoder()

        stages: dict[str, float] = {}
        last = ("", time.perf_counter())

        def progress(stage: str, done: int, total: int) -> None:
            nonlocal last
            now = time.perf_counter()
            if last[0] == stage:
                stages[stage] = stages.get(stage, 0) + now - last[1]
            last = stage, now

        def build(**options: bool) -> Callable[[], object]:
            return lambda: build_index(archive, index, model, progress=progress, **options)

        full, report = timed("full build", build())
        print(f"{'':<34} {report.documents:,} articles, {report.passages:,} passages")
        stages["switching and the rest"] = full - sum(stages.values())
        for stage, seconds in stages.items():
            print(f"  {stage:<32} {seconds:8.2f} s")
        timed("unchanged", build(), full)
        write(archive, [articles], dice)
        _, report = timed("one article more", build(), full)
        print(f"{'':<34} {report.encoded} encoded, {report.added} added, {report.unchanged:,} unchanged")
        (archive / "source-3" / "3.txt").unlink()
        _, report = timed("one article less", build(), full)
        print(f"{'':<34} {report.encoded} encoded, {report.removed} removed, {report.unchanged:,} unchanged")
        for number in range(20):
            path = archive / "source-5" / f"{5 + 12 * number}.txt"
            path.write_text(
                path.read_text("utf-8") + "\nThe harbour office answers every Thursday\n", "utf-8"
            )
        timed("twenty changed, one line cut", build(), full)
        _, searcher = timed("opened and checked", lambda: open_searcher(index, None, model))
        print(f"{'':<34} generation {searcher.generation}")
        timed("rebuilt, vectors from the cache", build(rebuild=True), full)
        parts: dict[str, int] = {}
        folder = sorted((index / "generations").iterdir())[-1]
        for path in [*folder.rglob("*"), index / "vectors.sqlite"]:
            if path.is_file():
                part = path.relative_to(folder).parts[0] if path.is_relative_to(folder) else path.name
                parts[part] = parts.get(part, 0) + path.stat().st_size
        for part, size in sorted(parts.items(), key=lambda each: -each[1]):
            print(f"{part:<34} {size / 2**20:8.1f} MiB")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(f"{'memory at most':<34} {peak / 1024:8.0f} MiB")


if __name__ == "__main__":
    main()
