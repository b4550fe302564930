"""Bounds of time that end a test instead of waiting for it."""

import signal
from contextlib import contextmanager


@contextmanager
def at_most(seconds):
    """Fail where the block takes longer, without waiting for its end: what goes astray would not come back."""

    def fail(*_):
        raise AssertionError(f"it takes more than {seconds} seconds")

    before = signal.signal(signal.SIGALRM, fail)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
