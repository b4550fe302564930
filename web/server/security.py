"""Decide which requests are allowed, and what a browser may do with the answers.

Even a server that listens only on this machine can be reached by every web page that a browser here opens.
The host name of a request is therefore checked (against DNS rebinding), and so is its origin.
"""

import hmac
import re
import threading
import time
from base64 import b64decode
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from flask import Flask, Response, request

from indexer import WarraqError
from indexer.web_support import RequestError

ALLOWED_FAILURES = 10  # wrong secrets of one client in a row, before each takes a second
CLIENTS_KEPT = 4_096  # clients whose failures are remembered
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
# Host and port, without a user name. Only after the last dot may a part of the host name be empty.
_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s/?#@\[\]:.]+(?:\.[^\s/?#@\[\]:.]+)*\.?)(?::[0-9]{1,5})?")
OPEN_PATHS = frozenset({"/livez", "/readyz"})  # they reveal nothing about the articles
PROBES = OPEN_PATHS | {"/metrics"}

SENT_HOST = "warraq.host"  # key of the WSGI environment: the Host header as received, before proxy headers

# Pages load everything from this server, and have no inline scripts or styles.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # with no-referrer, browsers would send forms without an origin
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class BadHost(WarraqError):
    """The request is for a host name that this server does not answer to."""

    code = "bad_host"
    http_status = 400


class BadEncoding(WarraqError):
    """The address is not UTF-8, so its meaning would be a guess."""

    code = "bad_encoding"
    http_status = 400


class BadOrigin(WarraqError):
    """The request comes from a page of another site."""

    code = "bad_origin"
    http_status = 403


class NoSecret(WarraqError):
    """The request lacks the secret that the server was started with, or has a wrong one."""

    code = "unauthorized"
    http_status = 401


class TooManyAttempts(WarraqError):
    """The client has sent too many wrong secrets; it may try again in a second."""

    code = "too_many_attempts"
    http_status = 429


class FailedAttempts:
    """How often each client has lately sent a wrong secret, in bounded memory. Safe between threads.

    A client may fail ALLOWED_FAILURES times, and after that once a second.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._failures: OrderedDict[str, tuple[float, float]] = OrderedDict()  # count and when it held

    def may_try(self, client: str) -> bool:
        """Return whether a client may send a secret now."""
        with self._lock:
            return self._count(client) < ALLOWED_FAILURES

    def add(self, client: str) -> None:
        """Count a wrong secret of a client."""
        with self._lock:
            self._failures[client] = self._count(client) + 1, self._clock()
            self._failures.move_to_end(client)
            if len(self._failures) > CLIENTS_KEPT:
                self._failures.popitem(last=False)

    def _count(self, client: str) -> float:
        count, since = self._failures.get(client, (0.0, 0.0))
        return max(0.0, count - (self._clock() - since))  # one is forgotten each second


@dataclass(frozen=True, slots=True)
class Guard:
    """The host names that a server answers to, and the secret that it requires, if any."""

    hosts: frozenset[str] | None = LOOPBACK
    """None to answer to any name, for use in a trusted network only."""
    secret: str | None = None
    failed: FailedAttempts = field(default_factory=FailedAttempts, compare=False)

    @classmethod
    def of(
        cls, host: str, allowed: Iterable[str] = (), secret: str | None = None, *, any_name: bool = False
    ) -> "Guard":
        """Return the guard of a server that listens on `host` and answers to the `allowed` names too.

        Raises RequestError for an allowed name that is not a host name.
        """
        names = LOOPBACK | {_plain(host)} | {_name(name) for name in allowed}
        return cls(None if any_name else names, secret)

    def check(self) -> None:
        """Raise BadHost, BadOrigin, NoSecret or TooManyAttempts if the request is not allowed."""
        if self.hosts is not None:
            # Check the headers as received, so that an invalid host is refused too. Behind a proxy there are
            # two host names, and a page could forge either of them.
            sent = request.headers.get("Host", "")
            for host in (sent, request.environ.get(SENT_HOST, sent)):
                if _host_of(host) not in self.hosts:
                    raise BadHost("This server does not answer to that name. Name it with --allowed-host.")
            origin = request.headers.get("Origin")
            if origin is not None and _host_of_origin(origin) not in self.hosts:
                raise BadOrigin("Pages of other sites may not ask this server.")
        changes = request.method not in ("GET", "HEAD", "OPTIONS")
        if changes and request.headers.get("Sec-Fetch-Site") == "cross-site":
            raise BadOrigin("Pages of other sites may not change anything on this server.")
        if self.secret is not None and request.path not in OPEN_PATHS:
            self._check_secret()

    def _check_secret(self) -> None:
        client, sent = request.remote_addr or "", "Authorization" in request.headers
        if sent and not self.failed.may_try(client):
            raise TooManyAttempts("Too many wrong secrets came from your address. Try again in a second.")
        if not self._has_secret():
            if sent:
                self.failed.add(client)
            raise NoSecret("This server wants a secret: as the password, or as a bearer token.")

    def _has_secret(self) -> bool:
        scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                secret = b64decode(credentials, validate=True).partition(b":")[2]
            except ValueError:
                return False
        elif scheme.lower() == "bearer":
            secret = credentials.encode("latin-1")  # WSGI passes bytes as Latin-1 text
        else:
            return False
        # Compare in constant time, so that the duration reveals nothing about the secret.
        return hmac.compare_digest(secret.strip(), (self.secret or "").encode())


def protect(app: Flask, guard: Guard) -> None:
    """Make the application check every request, and add HEADERS to every answer."""

    @app.before_request
    def check() -> None:
        guard.check()
        _check_encoding()

    @app.after_request
    def add_headers(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        # Only the client itself may cache an answer about the archive. Nobody may cache an error, which can
        # be over at once.
        caching = "no-store" if response.status_code >= 400 or request.path in PROBES else "private, no-cache"
        response.headers.setdefault("Cache-Control", caching)
        if response.status_code == 429:
            response.headers.setdefault("Retry-After", "1")
        if response.status_code == 401:
            response.headers.add("WWW-Authenticate", 'Basic realm="Warraq", charset="UTF-8"')
            response.headers.add("WWW-Authenticate", 'Bearer realm="Warraq"')
        return response


def _check_encoding() -> None:
    path = request.environ.get("PATH_INFO", "").encode("latin-1")  # WSGI passes bytes as Latin-1 text
    try:
        (path + unquote_to_bytes(request.query_string)).decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadEncoding("The address is not UTF-8. Send it percent-encoded as UTF-8.") from error


def _host_of(authority: str) -> str:
    """Return the host of an authority such as example.org:5000 or [::1]:5000; "" if it is invalid."""
    match = _AUTHORITY.fullmatch(authority)
    return _plain(match[1]) if match else ""


def _host_of_origin(origin: str) -> str:
    """Return the host of an Origin header; "" if it is not a web origin, such as a browser extension."""
    scheme, _, authority = origin.partition("://")
    return _host_of(authority) if scheme in ("http", "https") else ""


def _name(option: str) -> str:
    """Return a name given with --allowed-host in the form in which browsers send it."""
    name = option.strip()
    name = f"[{name}]" if name.count(":") > 1 and "[" not in name else name
    match = _AUTHORITY.fullmatch(name)
    if not match or match[1] != name:
        raise RequestError(
            "bad_allowed_host",
            f"{option!r} is no name of a server. Give the name alone, without scheme, port or path.",
        )
    try:
        return _plain(name).encode("idna").decode()
    except UnicodeError as error:
        raise RequestError("bad_allowed_host", f"{option!r} is no name of a server: {error}.") from error


def _plain(host: str) -> str:
    return host.strip().strip("[]").removesuffix(".").lower()
