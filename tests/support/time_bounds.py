"""Bounds of time for code that is bounded by its own work: a machine that is busy with other things counts not."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Fail where the block takes more seconds of the processor, without waiting for its end.

    What goes astray would not come back.
    """

    def fail(*_: object) -> None:
        raise AssertionError(f"it takes more than {seconds} seconds of the processor")

    before = signal.signal(signal.SIGPROF, fail)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def quickest(
    work: Callable[[], object], enough: float, clock: Callable[[], float] = time.process_time
) -> float:
    """Return the seconds of the quickest of ten runs, or of the first that takes less than `enough`."""
    seconds = list[float]()
    while len(seconds) < 10 and min(seconds, default=enough) >= enough:
        started = clock()
        work()
        seconds.append(clock() - started)
    return min(seconds)
