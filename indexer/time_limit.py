"""A limit on the time that one document may take, whatever pattern or library it takes it in.

The processor's timer interrupts the work, also inside a regular expression. That needs the main thread of a
Unix process, where builds and `warraq inspect` run; elsewhere there is no limit.
"""

import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

from indexer.errors import UnreadableFile

T = TypeVar("T")
LEAST_SECONDS = 20.0  # of the processor; most documents take a few hundredths
SECONDS_PER_MIB = 60.0  # an article of 100,000 short lines takes half of that


class TooSlow(UnreadableFile):
    """The document takes more time than its size allows."""


def seconds_for(size: int) -> float:
    """Return the seconds of the processor that a document of so many bytes may take."""
    return LEAST_SECONDS + SECONDS_PER_MIB * size / (1 << 20)


@contextmanager
def time_limit(size: int) -> Iterator[None]:
    """Raise TooSlow if the block takes longer than a document of so many bytes may."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return
    seconds = seconds_for(size)

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise TooSlow(f"it takes more than {seconds:,.0f} seconds of the processor to read")

    before = signal.signal(signal.SIGVTALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def within_limit(results: Iterable[T], size: int) -> Iterator[T]:
    """Yield results, each of which may take as long as a document of so many bytes; raises TooSlow."""
    iterator = iter(results)
    while True:
        with time_limit(size):
            try:
                result = next(iterator)
            except StopIteration:
                return
        yield result
