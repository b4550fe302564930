"""Serving the application with waitress: the limits, the loop over connections, and the end.

waitress takes a request from a connection when it is whole, queues it for a thread, and keeps the answer
until its client has taken it. That queue has no limit, and its own end loses answers; so here are many
threads, of which `concurrency` lets few work at once, and a loop that knows when to close what.
"""

import logging
import os
import re
import signal
import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Any, NoReturn

from flask import Flask
from waitress import create_server, wasyncore
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.task import ErrorTask, WSGITask

from indexer import WarraqError
from web.server.access_log import log_refused
from web.server.problem import PROBLEM, problem
from web.server.security import HEADERS, SENT_HOST

# Those who work or wait at the gate (20 by default) leave a dozen for probes and for refusing others.
THREADS = 32
HEADER_SIZE, BODY_SIZE = 32 << 10, 64 << 10  # bytes; a question of 1,000 characters takes 12 KB at most
# Each may take two file handles, of which systems give a process 1,024, some 256. Beyond, the connection
# that has been silent for longest makes room: clients that do nothing cannot keep others out.
CONNECTIONS = 100
RECEIVE = 20  # seconds for all of a request: waitress alone would wait for ever for one byte a minute
IDLE = 60  # seconds in which a connection says nothing, or takes nothing of its answer
# What a client has not taken yet is kept, beyond a mebibyte in a file; a thread with more to give waits.
KEPT_IN_MEMORY, KEPT = 1 << 20, 64 << 20  # bytes
DRAIN = 5  # seconds for the requests in flight at the end; letting the index and the model go takes two more
LINGER = 0.5  # seconds in which a request that is on its way arrives
LOOK_EVERY = 0.2  # seconds; a signal does not wake the loop
# Of what is no request, or was not answered; others are bad.
CODES = {413: "too_large", 431: "too_large", 500: "internal", 501: "not_implemented"}
PROXY_HEADERS = {"x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"}

log = logging.getLogger(__name__)


def run(
    app: Flask,
    host: str,
    port: int,
    *,
    proxy: bool = False,
    begin: Callable[[], object] = lambda: None,
) -> bool:
    """Serve until SIGTERM or Ctrl-C. With `proxy`, believe the headers of a proxy on this machine.

    `begin` is called once it listens and has said so. What has been asked by the end is answered, within
    DRAIN seconds; a second signal cuts that short. Returns whether threads are still at work: one in a
    library's own code would crash with the interpreter's end, so that `leave` is what remains.
    """
    # Both by hand: a shell starts background processes with Ctrl-C's signal ignored.
    _on_signals(_leave)
    # It warns of every request that waits a moment for a thread.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    server = Server(app, host, port, proxy=proxy)
    _on_signals(lambda _signal, _frame: server.stop())
    print(f"Warraq is at http://{_shown(host)}:{server.port}/  (Ctrl-C ends it)", file=sys.stderr, flush=True)
    begin()
    server.run()
    return server.is_at_work()


def leave() -> NoReturn:
    """End the process here and now, whatever its threads are at."""
    logging.shutdown()
    sys.stderr.flush()
    os._exit(0)


class Server:
    """The application at its addresses: `run` serves until `stop`, then ends what is in flight."""

    def __init__(self, app: Flask, host: str, port: int, *, proxy: bool = False) -> None:
        self._sockets: dict[int, Any] = {}  # all that waitress looks at, by file descriptor
        trusted: dict[str, Any] = {}
        if proxy:  # on this machine, at the kind of address that is listened on
            loopback = "::1" if ":" in host else "127.0.0.1"
            trusted = {"trusted_proxy": loopback, "trusted_proxy_headers": PROXY_HEADERS}
        try:
            create_server(
                app, map=self._sockets, host=host, port=port, threads=THREADS, ident="warraq",
                max_request_header_size=HEADER_SIZE, max_request_body_size=BODY_SIZE,
                outbuf_overflow=KEPT_IN_MEMORY, outbuf_high_watermark=KEPT,
                # Only where all connections are being answered; it counts listening sockets too.
                connection_limit=CONNECTIONS + 10, backlog=CONNECTIONS,
                channel_timeout=IDLE, clear_untrusted_proxy_headers=True, **trusted,
            )  # fmt: skip
        except (OSError, ValueError) as error:  # waitress makes a ValueError of a host that is not found
            wasyncore.close_all(self._sockets, ignore_all=True)
            reason = str(getattr(error, "strerror", None) or error).rstrip(".")
            raise WarraqError(
                f"Cannot listen on {host} port {port}: {reason}. Name another --host or --port."
            ) from error
        # One for each address of a name, such as localhost's 127.0.0.1 and ::1.
        self._listening = [each for each in self._sockets.values() if each.accepting]
        for each in self._listening:
            each.channel_class = _Connection
            each.refusals_of = app  # whose figures count them; what waitress calls may be a wrapper
        self.port = int(self._listening[0].effective_port)
        self._stops = 0

    def run(self) -> None:
        """Serve until `stop` is called."""
        try:
            while not self._stops:
                self._turn(LOOK_EVERY)
                self._tend()
            self._finish()
        finally:
            self._close()

    def stop(self) -> None:
        """End, and at the second call at once; may be called by any thread and by a signal handler."""
        self._stops += 1

    def is_at_work(self) -> bool:
        """Whether threads are still at work when it has ended."""
        return bool(self._listening[0].task_dispatcher.threads)

    def connections(self) -> "list[_Connection]":
        """Return the connections that are open."""
        return [each for each in list(self._sockets.values()) if isinstance(each, _Connection)]

    def _turn(self, seconds: float) -> None:
        """Read, write and accept what can be, or wait for that; select() takes no handle above 1,023."""
        wasyncore.loop(seconds, use_poll=True, map=self._sockets, count=1)

    def _tend(self) -> None:
        """Close the connections that are too slow, and make room; those being answered are let be.

        Only the loop takes requests from connections, so none begins while it looks.
        """
        now = time.time()
        for each in self.connections():
            # One whose answer is being made is let be, unless its client takes nothing of what there is:
            # the thread that makes more would wait for it.
            if each.takes_nothing(now) or (not each.requests and each.is_too_slow(now)):
                # At once: waitress would wait until the client takes something.
                each.handle_close()
        connections = self.connections()
        free = [each for each in connections if not each.requests]
        free.sort(key=lambda each: each.last_activity)
        for each in free[: max(0, len(connections) - CONNECTIONS)]:
            each.handle_close()

    def _finish(self) -> None:
        """Accept nothing more, and let requests that have been sent be answered."""
        for each in self._listening:
            self._accept_rest(each)
            wasyncore.dispatcher.close(each)  # its trigger stays, by which threads wake the loop
        deadline = time.monotonic() + DRAIN
        while self.connections() and time.monotonic() < deadline and self._stops == 1:
            self._turn(LINGER / 5)
            now = time.time()
            for each in self.connections():
                if not each.owes() and now > each.last_activity + LINGER:
                    each.handle_close()
        if cut_off := sum(each.owes() for each in self.connections()):
            log.warning("Requests that were cut off at the end: %d", cut_off)

    def _accept_rest(self, listening: Any) -> None:
        """Accept the connections that the system has made already: closing the socket would break them."""
        before = -1
        while before < len(self._sockets) < CONNECTIONS:
            before = len(self._sockets)
            listening.handle_accept()

    def _close(self) -> None:
        for each in self.connections():
            each.handle_close()
        self._listening[0].task_dispatcher.shutdown(timeout=0.5)
        wasyncore.close_all(self._sockets, ignore_all=True)


class _Parser(HTTPRequestParser):  # type: ignore[misc]  # waitress has no types
    """A request, whose address may hold letters as they are typed: they are taken for UTF-8."""

    def parse_header(self, header_plus: bytes) -> None:
        first, line_end, rest = header_plus.partition(b"\r\n")
        first = re.sub(rb"[\x80-\xff]", lambda byte: b"%%%02X" % byte[0][0], first)
        super().parse_header(first + line_end + rest)
        if self.chunked and "CONTENT_LENGTH" in self.headers:
            # RFC 9112, 6.1: who says its length in two ways may mean to have it understood in two ways.
            raise ParsingError("Content-Length and Transfer-Encoding in one request")


class _ErrorTask(ErrorTask):  # type: ignore[misc]
    """A request that is none, or too large: the application never sees it, so it is told and logged here."""

    def execute(self) -> None:
        error = self.request.error
        code = CODES.get(error.code, "bad_request")
        request_id = log_refused(self.channel.server.refusals_of, error.code, code)
        body = problem(error.code, code, str(error.body).strip() or error.reason).encode()
        self.status, self.content_length = f"{error.code} {error.reason}", len(body)
        self.response_headers += [*HEADERS.items(), ("Content-Type", PROBLEM),
                                  ("Cache-Control", "no-store"), ("X-Request-Id", request_id)]  # fmt: skip
        self.set_close_on_finish()
        self.write(body)


class _Task(WSGITask):  # type: ignore[misc]
    """A request to the application; the last of its connection where the server is ending."""

    _stays = False  # the connection, after this answer

    def get_environment(self) -> dict[str, Any]:
        environment: dict[str, Any] = super().get_environment()
        environment[SENT_HOST] = environment.get("HTTP_HOST", "")
        return environment

    def build_response_header(self) -> bytes:
        if not self.channel.server.accepting:
            self.set_close_on_finish()
        # waitress takes an answer without a body, such as a 304, for one of unknown length, and closes.
        asked = self.request.headers.get("CONNECTION", "").lower()
        bare = self.version == "1.1" and not self.has_body and asked != "close"
        self._stays = bare and not self.close_on_finish
        return super().build_response_header()  # type: ignore[no-any-return]

    def set_close_on_finish(self) -> None:
        if not self._stays:
            super().set_close_on_finish()


class _Connection(HTTPChannel):  # type: ignore[misc]
    """A connection that knows when its client began to send a request."""

    task_class, error_task_class, parser_class = _Task, _ErrorTask, _Parser
    began = 0.0

    def received(self, data: bytes) -> bool:
        if self.request is None:
            self.began = time.time()
        return super().received(data)  # type: ignore[no-any-return]

    def owes(self) -> bool:
        """Whether a request of it is being answered, or some of an answer has not been taken."""
        return bool(self.requests or self.total_outbufs_len)

    def takes_nothing(self, now: float) -> bool:
        return bool(self.total_outbufs_len) and now > self.last_activity + IDLE

    def is_too_slow(self, now: float) -> bool:
        sending = self.request is not None and now > self.began + RECEIVE
        return sending or now > self.last_activity + IDLE


def _on_signals(handler: Any) -> None:
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, handler)


def _leave(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host
