"""Serve the application with waitress: limits, the loop over connections, and a clean shutdown.

waitress takes a request from a connection when it is complete, queues it for a thread, and buffers the answer
until the client has received it. Its queue has no limit, and its own shutdown loses answers. This module
therefore uses many threads, of which `concurrency` lets only a few work at once, and a loop of its own that
decides which connections to close.
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

# At most 28 threads work or wait at the two gates; a few are left for probes and for refusals.
THREADS = 32
HEADER_SIZE, BODY_SIZE = 32 << 10, 64 << 10  # bytes; a question of 1,000 characters takes 12 KB at most
# Each connection may use two file handles, of which systems allow a process 1,024, some only 256. Beyond the
# limit, the connection that has been silent for longest is closed, so that idle clients cannot keep others
# out.
CONNECTIONS = 100
RECEIVE = 20  # seconds to send a whole request; waitress alone accepts one byte a minute for ever
IDLE = 60  # seconds in which a connection may send nothing, or receive nothing of its answer
# The unsent part of an answer is buffered, beyond the first limit in a file; at the second the thread waits.
KEPT_IN_MEMORY, KEPT = 1 << 20, 64 << 20  # bytes
DRAIN = 5  # seconds to finish requests at shutdown; closing the index and the model takes two more
LINGER = 0.5  # seconds at shutdown to wait for a request that is on its way
LOOK_EVERY = 0.2  # seconds between checks for a stop; a signal does not wake the loop
# The codes of requests that the application never sees, by status; other statuses have the code bad_request.
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

    `begin` is called after the server listens and has printed its address. At the end, requests that were
    sent are answered, within DRAIN seconds; a second signal ends that at once. Returns whether threads are
    still at work. If so, end the process with `leave`: a thread inside a library's native code would crash
    when the interpreter shuts down.
    """
    # Set both handlers explicitly: a shell starts background processes with SIGINT ignored.
    _on_signals(_leave)
    # Silence its warnings about every request that waits for a thread for a moment.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    server = Server(app, host, port, proxy=proxy)
    _on_signals(lambda _signal, _frame: server.stop())
    print(f"Warraq is at http://{_shown(host)}:{server.port}/  (Ctrl-C ends it)", file=sys.stderr, flush=True)
    begin()
    server.run()
    return server.is_at_work()


def leave() -> NoReturn:
    """End the process immediately, even if its threads are at work."""
    logging.shutdown()
    sys.stderr.flush()
    os._exit(0)


class Server:
    """The application on its listening sockets: `run` serves until `stop`, then finishes open requests."""

    def __init__(self, app: Flask, host: str, port: int, *, proxy: bool = False) -> None:
        self._sockets: dict[int, Any] = {}  # all sockets of waitress's loop, by file descriptor
        trusted: dict[str, Any] = {}
        if proxy:  # the proxy is on this machine, and uses the same kind of address
            loopback = "::1" if ":" in host else "127.0.0.1"
            trusted = {"trusted_proxy": loopback, "trusted_proxy_headers": PROXY_HEADERS}
        try:
            create_server(
                app, map=self._sockets, host=host, port=port, threads=THREADS, ident="warraq",
                max_request_header_size=HEADER_SIZE, max_request_body_size=BODY_SIZE,
                outbuf_overflow=KEPT_IN_MEMORY, outbuf_high_watermark=KEPT,
                # Reached only if all connections are being answered, as `_tend` closes others. Listening
                # sockets count too.
                connection_limit=CONNECTIONS + 10, backlog=CONNECTIONS,
                channel_timeout=IDLE, clear_untrusted_proxy_headers=True, **trusted,
            )  # fmt: skip
        except (OSError, ValueError) as error:  # ValueError: waitress did not find the host
            wasyncore.close_all(self._sockets, ignore_all=True)
            reason = str(getattr(error, "strerror", None) or error).rstrip(".")
            raise WarraqError(
                f"Cannot listen on {host} port {port}: {reason}. Name another --host or --port."
            ) from error
        # One socket for each address of the name, such as 127.0.0.1 and ::1 for localhost.
        self._listening = [entry for entry in self._sockets.values() if entry.accepting]
        for listener in self._listening:
            listener.channel_class = _Connection
            # Refusals count in this application's metrics; the application that waitress calls may be a
            # wrapper.
            listener.refusals_of = app
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
        """End; at the second call, end at once. Any thread and any signal handler may call this."""
        self._stops += 1

    def is_at_work(self) -> bool:
        """Return whether threads are still at work after `run` has returned."""
        return bool(self._listening[0].task_dispatcher.threads)

    def connections(self) -> "list[_Connection]":
        """Return the open connections."""
        return [entry for entry in list(self._sockets.values()) if isinstance(entry, _Connection)]

    def _turn(self, seconds: float) -> None:
        """Handle the sockets that are ready, or wait for one, at most `seconds`."""
        # With poll(), since select() accepts no file handle above 1,023.
        wasyncore.loop(seconds, use_poll=True, map=self._sockets, count=1)

    def _tend(self) -> None:
        """Close connections that are too slow, and idle ones above the limit; spare those being answered.

        Only the loop takes requests from connections, so no request begins during this method.
        """
        now = time.time()
        for connection in self.connections():
            # Spare a connection whose answer is being made, unless its client receives nothing of it: the
            # thread that makes the answer would wait for that client.
            if connection.takes_nothing(now) or (not connection.requests and connection.is_too_slow(now)):
                # Close directly: waitress's own closing would wait until the client receives something.
                connection.handle_close()
        connections = self.connections()
        idle = [connection for connection in connections if not connection.requests]
        idle.sort(key=lambda connection: connection.last_activity)
        for connection in idle[: max(0, len(connections) - CONNECTIONS)]:
            connection.handle_close()

    def _finish(self) -> None:
        """Accept no more connections, and answer the requests that have been sent, within DRAIN seconds."""
        for listener in self._listening:
            self._accept_rest(listener)
            # Keep the trigger of the listener open: threads wake the loop by it.
            wasyncore.dispatcher.close(listener)
        deadline = time.monotonic() + DRAIN
        while self.connections() and time.monotonic() < deadline and self._stops == 1:
            self._turn(LINGER / 5)
            now = time.time()
            for connection in self.connections():
                if not connection.owes() and now > connection.last_activity + LINGER:
                    connection.handle_close()
        if cut_off := sum(connection.owes() for connection in self.connections()):
            log.warning("Requests that were cut off at the end: %d", cut_off)

    def _accept_rest(self, listener: Any) -> None:
        """Accept the connections that the system has established: closing the socket would break them."""
        previous_count = -1
        while previous_count < len(self._sockets) < CONNECTIONS:
            previous_count = len(self._sockets)
            listener.handle_accept()

    def _close(self) -> None:
        for connection in self.connections():
            connection.handle_close()
        self._listening[0].task_dispatcher.shutdown(timeout=0.5)
        wasyncore.close_all(self._sockets, ignore_all=True)


class _Parser(HTTPRequestParser):  # type: ignore[misc]  # waitress has no types
    """Parse a request whose address may contain unescaped bytes, which are taken as UTF-8."""

    def parse_header(self, header_plus: bytes) -> None:
        request_line, line_end, rest = header_plus.partition(b"\r\n")
        request_line = re.sub(rb"[\x80-\xff]", lambda byte: b"%%%02X" % byte[0][0], request_line)
        try:
            super().parse_header(request_line + line_end + rest)
        except ValueError as error:  # Python refuses to read a number of thousands of digits
            raise ParsingError("Content-Length is not a size") from error
        if self.proxy_netloc and self.proxy_netloc.lower() != self.headers.get("HOST", "").lower():
            raise ParsingError("The target of the request and its Host header name two servers")
        if self.chunked and "CONTENT_LENGTH" in self.headers:
            # RFC 9112, section 6.1: two statements of the length may be an attempt at request smuggling.
            raise ParsingError("Content-Length and Transfer-Encoding in one request")


class _ErrorTask(ErrorTask):  # type: ignore[misc]
    """Answer and log an invalid or too large request, which the application never sees."""

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
    """A request to the application; the last one of its connection if the server is ending."""

    _stays = False  # whether the connection stays open after this answer

    def get_environment(self) -> dict[str, Any]:
        environment: dict[str, Any] = super().get_environment()
        environment[SENT_HOST] = environment.get("HTTP_HOST", "")
        return environment

    def build_response_header(self) -> bytes:
        if not self.channel.server.accepting:
            self.set_close_on_finish()
        # For waitress, an answer without a body, such as a 304, has an unknown length, so it would close the
        # connection.
        connection_header = self.request.headers.get("CONNECTION", "").lower()
        can_stay = self.version == "1.1" and not self.has_body and connection_header != "close"
        self._stays = can_stay and not self.close_on_finish
        return super().build_response_header()  # type: ignore[no-any-return]

    def set_close_on_finish(self) -> None:
        if not self._stays:
            super().set_close_on_finish()


class _Connection(HTTPChannel):  # type: ignore[misc]
    """A connection that remembers when its client began to send a request."""

    task_class, error_task_class, parser_class = _Task, _ErrorTask, _Parser
    began = 0.0

    def received(self, data: bytes) -> bool:
        if self.request is None:
            self.began = time.time()
        return super().received(data)  # type: ignore[no-any-return]

    def owes(self) -> bool:
        """Return whether a request is being answered, or a part of an answer is still unsent."""
        return bool(self.requests or self.total_outbufs_len)

    def takes_nothing(self, now: float) -> bool:
        return bool(self.total_outbufs_len) and now > self.last_activity + IDLE

    def is_too_slow(self, now: float) -> bool:
        sending = self.request is not None and now > self.began + RECEIVE
        return sending or now > self.last_activity + IDLE


def _on_signals(handler: Any) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handler)


def _leave(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host
