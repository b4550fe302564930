"""Read, clean and split 10,000 generated articles, the encoder faked: time and memory of a build.

    .venv/bin/python benchmarks/reading.py [ARTICLES]

Half the articles are text files, a quarter records of JSON Lines, an eighth web pages and an eighth
rows of CSV; each has boilerplate of its source. Prints one line a figure.
"""

import csv
import json
import random
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer import build_index

ARABIC = [
    "أعلنت",
    "الوزارة",
    "أن",
    "السدود",
    "امتلأت",
    "بعد",
    "أمطار",
    "الشتاء",
    "في",
    "شمال",
    "البلاد",
    "وقال",
    "المتحدث",
    "إن",
    "العمل",
    "مستمر",
]
ENGLISH = [
    "The",
    "ministry",
    "said",
    "that",
    "work",
    "on",
    "the",
    "harbour",
    "would",
    "go",
    "on",
    "until",
    "spring",
    "and",
    "that",
    "prices",
    "had",
    "fallen",
]


class CountingEncoder:
    """A model that costs nothing, so that what is measured is everything else."""

    name, weights, dimension, window = "none", "none", 8, 512
    prompts: dict[str, str] = {"query": "", "document": ""}  # noqa: RUF012

    def open(self) -> "CountingEncoder":
        return self

    def count_tokens(self, text: str) -> int:
        return len(text) // 4

    def encode_passages(self, texts: Sequence[str]) -> "NDArray[np.float32]":
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        vectors[:, 0] = 1
        return vectors

    encode_queries = encode_passages


def article(number: int, dice: random.Random) -> tuple[str, list[str]]:
    """Return the title and the lines of an article, boilerplate included."""
    words = ARABIC if dice.random() < 0.7 else ENGLISH

    def sentence(least: int, most: int) -> str:
        return " ".join(dice.choices(words, k=dice.randint(least, most))) + f" {number}."

    title = sentence(6, 10).rstrip(".")
    body = [sentence(15, 60) for _ in range(dice.randint(8, 25))]
    promoted = "شاهد أيضاً: " + sentence(6, 10) if words is ARABIC else "Read more: " + sentence(6, 10)
    tail = [f"غرفة الأخبار {number % 7}", "مواضيع ذات صلة", sentence(6, 9)[:-1], "جميع الحقوق محفوظة"]
    return title, [title, "Loading", *body[:4], promoted, *body[4:], *tail]


def write(archive: Path, articles: int) -> int:
    """Write the archive; returns its size in bytes."""
    dice = random.Random(7)
    with (archive / "export.jsonl").open("w") as records, (archive / "table.csv").open("w") as table:
        rows = csv.writer(table)
        rows.writerow(["id", "title", "body", "date"])
        for number in range(articles):
            title, lines = article(number, dice)
            folder = archive / f"source-{number % 12}"
            folder.mkdir(exist_ok=True)
            if number % 8 < 4:
                (folder / f"{number}.txt").write_text("\n".join(lines), "utf-8")
            elif number % 8 < 6:
                record = {"id": number, "title": title, "text": "\n".join(lines[1:]), "date": "2024-05-12"}
                records.write(json.dumps(record, ensure_ascii=False) + "\n")
            elif number % 8 == 6:
                body = "".join(f"<p>{line}</p>" for line in lines[1:])
                page = f"<html><head><title>{title}</title></head><body><article><h1>{title}</h1>{body}"
                (folder / f"{number}.html").write_text(page, "utf-8")
            else:
                rows.writerow([number, title, "\n".join(lines[1:]), "2024-05-12"])
    return sum(path.stat().st_size for path in archive.rglob("*") if path.is_file())


def main() -> None:
    """Generate, build, print."""
    articles = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as place:
        archive = Path(place) / "archive"
        archive.mkdir()
        size = write(archive, articles)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        stages: dict[str, float] = {}
        steps: dict[str, list[int]] = {}
        started = last = time.perf_counter()

        def progress(stage: str, done: int, total: int) -> None:
            nonlocal last
            now = time.perf_counter()
            stages[stage] = stages.get(stage, 0) + now - last
            last = now
            steps.setdefault(stage, []).append(done * 100 // total)

        report = build_index(archive, Path(place) / "index", CountingEncoder(), progress=progress)
        seconds = time.perf_counter() - started
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        workers = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(f"archive   {articles:,} articles, {size / 2**20:.1f} MiB, {report.passages:,} passages")
    print(f"cut       {sum(report.cut.values()):,} lines, {dict(report.cut)}")
    print(
        f"time      {seconds:.1f} s: " + ", ".join(f"{stage} {spent:.1f}" for stage, spent in stages.items())
    )
    print(f"memory    {peak / 1024:.0f} MiB at most, {before / 1024:.0f} before the build")
    print(f"          {workers / 1024:.0f} MiB at most in the process that parses pages")
    for stage, told in steps.items():
        print(
            f"progress  {stage}: {len(told):,} steps, in order: {told == sorted(told)}, ends at {told[-1]} %"
        )


if __name__ == "__main__":
    main()
