"""Progress on stderr: bars on a terminal, otherwise a line of plain text at intervals."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from tqdm import tqdm

from indexer.datatypes import Progress

UNITS = {"checking": "files", "reading": "B", "cutting": "articles", "embedding": "texts"}
PRINTED_EVERY = 20.0  # seconds between two lines, where stderr is no terminal


@contextmanager
def show_progress(*, quiet: bool = False) -> Iterator[Progress | None]:
    """Yield the callback that takes the progress of long work; None with `quiet`."""
    if quiet:
        yield None
    elif sys.stderr.isatty():
        with _bars() as progress:
            yield progress
    else:
        with PlainProgress(sys.stderr) as progress:
            yield progress


@contextmanager
def _bars() -> Iterator[Progress]:
    """Yield a callback that shows one bar for each stage."""
    bars: dict[str, Any] = {}

    def show(stage: str, done: int, total: int) -> None:
        if stage not in bars:
            for bar in bars.values():
                bar.close()
            unit = UNITS.get(stage, "")
            bars[stage] = tqdm(
                desc=stage,
                total=total,
                file=sys.stderr,
                unit=unit if unit == "B" else f" {unit}",
                unit_scale=unit == "B",
                unit_divisor=1024,
            )
        bars[stage].total = total  # it may have grown
        bars[stage].update(done - bars[stage].n)

    try:
        yield show
    finally:
        for bar in bars.values():
            bar.close()


class PlainProgress:
    """Print a line every `every` seconds, so that quick work prints nothing.

    A thread prints the lines, so that they appear during long steps too, such as loading the model.
    """

    def __init__(
        self,
        stream: TextIO,
        every: float = PRINTED_EVERY,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream, self._every, self._clock = stream, every, clock
        self._started = self._stage_started = clock()
        self._stage, self._done, self._total = "", 0, 0
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._print_lines, name="progress", daemon=True)

    def __enter__(self) -> Progress:
        self._thread.start()
        return self.tell

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def tell(self, stage: str, done: int, total: int) -> None:
        """Record how far a stage has come."""
        with self._lock:
            if stage != self._stage:
                self._stage, self._stage_started = stage, self._clock()
            self._done, self._total = done, total

    def line(self) -> str:
        """Return the line that says how far the work has come: done, total, rate and time left."""
        with self._lock:
            stage, done, total = self._stage, self._done, self._total
            seconds = self._clock() - self._stage_started
            all_seconds = self._clock() - self._started
        if not stage:
            return f"working, {tqdm.format_interval(all_seconds)} so far"
        unit = UNITS.get(stage, "")
        if done >= total:
            return f"{stage}: {_amount(total, unit)} {unit}".rstrip() + ", done; the next step has begun"
        rate = done / seconds if seconds > 0 else 0.0
        time_left = tqdm.format_interval((total - done) / rate) if rate else "unknown"
        return (
            f"{stage}: {_amount(done, unit)} of {_amount(total, unit)} {unit}".rstrip()
            + f", {_amount(rate, unit)}/s, {time_left} left"
        )

    def _print_lines(self) -> None:
        while not self._ended.wait(self._every):
            print(self.line(), file=self._stream, flush=True)


def _amount(number: float, unit: str) -> str:
    if unit == "B":
        return str(tqdm.format_sizeof(number, divisor=1024))
    return f"{number:,.0f}" if isinstance(number, int) or number >= 10 else f"{number:,.1f}"
