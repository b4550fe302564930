"""A clock for the stages of a search."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter


class Clock:
    """The time that a search takes, in all and by stage, in milliseconds."""

    def __init__(self) -> None:
        self.stages: dict[str, float] = {}
        self._started = perf_counter()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure the time within as that of a stage."""
        started = perf_counter()
        try:
            yield
        finally:
            self.stages[name] = round((perf_counter() - started) * 1_000, 3)

    def took(self) -> float:
        """Return the time since the clock was made."""
        return round((perf_counter() - self._started) * 1_000, 1)
