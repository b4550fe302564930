"""Limit concurrent requests: a few are processed, some wait for a moment, and the others are refused.

Without the limit, an overloaded server answers every client too late. Requests that cost next to nothing,
above all the probes, are exempt and always answered.
"""

import threading
from collections import deque

from flask import Flask, g, request

from indexer import WarraqError

# On two cores, four concurrent searches reach 35 a second; eight or sixteen reach no more, and each takes
# longer.
AT_ONCE = 4
WAITING = 16  # with AT_ONCE, a burst of twenty is answered within PATIENCE if a search takes half a second
ARTICLES_AT_ONCE = 2  # so that readers of long articles leave room for searches
ARTICLES_WAITING = 8
PATIENCE = 2.0  # seconds; after a longer wait most clients have gone or sent the request again
FREE = frozenset({"/livez", "/readyz", "/metrics", "/openapi.json", "/docs", "/docs/examples", "/settings"})


class Overloaded(WarraqError):
    """The server already processes, and has waiting, as many requests as it accepts."""

    code = "overloaded"
    http_status = 503

    def __init__(self) -> None:
        super().__init__("Too much is asked at once. Try again in a few seconds.")


class Gate:
    """Admit `at_once` threads; `waiting` more may wait, `patience` seconds each, first come first served."""

    def __init__(self, at_once: int = AT_ONCE, waiting: int = WAITING, patience: float = PATIENCE) -> None:
        self.at_once, self.room, self.patience = at_once, waiting, patience
        self.inside = 0
        self.refused = {"full": 0, "late": 0}
        """The numbers of refused requests: full, since too many waited already; late, after waiting."""
        self._lock = threading.Lock()
        self._queue = deque[threading.Event]()  # empty unless `at_once` threads are inside

    @property
    def waiting(self) -> int:
        return len(self._queue)

    def enter(self) -> None:
        """Return when the thread is admitted; `leave` gives its place back. Raises Overloaded."""
        with self._lock:
            if self.inside < self.at_once:
                self.inside += 1
                return
            if len(self._queue) >= self.room:
                self.refused["full"] += 1
                raise Overloaded
            turn = threading.Event()
            self._queue.append(turn)
        if turn.wait(self.patience):
            return
        with self._lock:
            if turn.is_set():  # admitted just after the wait ended
                return
            self._queue.remove(turn)
            self.refused["late"] += 1
        raise Overloaded

    def leave(self) -> None:
        """Give a place back; it passes directly to the thread that has waited longest."""
        with self._lock:
            if self._queue:
                self._queue.popleft().set()
            else:
                self.inside -= 1


def register(app: Flask, gate: Gate | None = None) -> None:
    """Make every request that is not free pass a gate. Register this after the checks of access.

    A request for an article passes a gate of its own before, so that it waits outside the other.
    """
    gate = app.extensions["gate"] = gate or Gate()
    articles = Gate(ARTICLES_AT_ONCE, ARTICLES_WAITING)

    @app.before_request
    def enter() -> None:
        g.gates = list[Gate]()
        if is_free():
            return
        for each in (articles, gate) if is_article() else (gate,):
            each.enter()
            g.gates.append(each)

    @app.teardown_request
    def leave(_error: BaseException | None) -> None:
        for each in g.pop("gates", ()):
            each.leave()


def is_article() -> bool:
    """Return whether the current request asks for an article, whose length may be any."""
    return "/documents/" in request.path


def is_free() -> bool:
    """Return whether the current request costs next to nothing, as requests for unknown addresses do too."""
    rule = request.url_rule.rule if request.url_rule else None
    return rule is None or rule in FREE or rule.startswith("/static/")
