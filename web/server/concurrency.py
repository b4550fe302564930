"""A limit on what is worked on at once: a few requests work, some wait a moment, the others are refused.

Without it a server that is asked too much answers everyone too late. What costs next to nothing, the
probes above all, is answered however much else is asked.
"""

import threading
from collections import deque

from flask import Flask, g, request

from indexer import WarraqError

# On two cores four searches at once make 35 a second; eight and sixteen make no more, each of them later.
AT_ONCE = 4
WAITING = 16  # a burst of twenty is answered whole within PATIENCE if a search takes half a second
PATIENCE = 2.0  # seconds; who has waited longer has mostly gone, or asked again
FREE = frozenset({"/livez", "/readyz", "/metrics", "/openapi.json", "/docs", "/docs/examples", "/settings"})


class Overloaded(WarraqError):
    """As much is being worked on, and waits for that, as this server takes."""

    code = "overloaded"
    http_status = 503

    def __init__(self) -> None:
        super().__init__("Too much is asked at once. Try again in a few seconds.")


class Gate:
    """Let `at_once` threads in; `waiting` more may wait, `patience` seconds each, first come first served."""

    def __init__(self, at_once: int = AT_ONCE, waiting: int = WAITING, patience: float = PATIENCE) -> None:
        self.at_once, self.room, self.patience = at_once, waiting, patience
        self.inside = 0
        self.refused = {"full": 0, "late": 0}
        """How many were refused: at once, since too many waited; or after waiting too long."""
        self._lock = threading.Lock()
        self._queue = deque[threading.Event]()  # it is empty unless `at_once` are inside

    @property
    def waiting(self) -> int:
        return len(self._queue)

    def enter(self) -> None:
        """Return when there is a place, which `leave` gives back; raises Overloaded."""
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
            if turn.is_set():  # since a moment
                return
            self._queue.remove(turn)
            self.refused["late"] += 1
        raise Overloaded

    def leave(self) -> None:
        """Give a place back; it goes to who has waited longest, so that nobody slips in between."""
        with self._lock:
            if self._queue:
                self._queue.popleft().set()
            else:
                self.inside -= 1


def register(app: Flask, gate: Gate | None = None) -> None:
    """Have every request but the free ones pass a gate. Who may not ask at all is to be refused before."""
    gate = app.extensions["gate"] = gate or Gate()

    @app.before_request
    def enter() -> None:
        if not is_free():
            gate.enter()
            g.inside = True

    @app.teardown_request
    def leave(_error: BaseException | None) -> None:
        if g.pop("inside", False):
            gate.leave()


def is_free() -> bool:
    """Whether the current request costs next to nothing; so do addresses where there is nothing."""
    rule = request.url_rule.rule if request.url_rule else None
    return rule is None or rule in FREE or rule.startswith("/static/")
