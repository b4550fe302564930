"""Who may ask, and what a browser may do with the answer.

A server that listens on this machine alone is still reached by every page that its browser opens, so
the names it answers to are checked (DNS rebinding), and where a request comes from.
"""

import hmac
import re
from base64 import b64decode
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from flask import Flask, Response, request

from indexer import WarraqError
from indexer.web_support import RequestError

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
# No user's name stands before it, and no part of a name is empty but one after the last dot.
_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s/?#@\[\]:.]+(?:\.[^\s/?#@\[\]:.]+)*\.?)(?::[0-9]{1,5})?")
OPEN_PATHS = frozenset({"/livez", "/readyz"})  # they tell nothing of the articles
PROBES = OPEN_PATHS | {"/metrics"}

SENT_HOST = "warraq.host"  # in the WSGI environment: the Host that came, whatever a proxy says of it

# All that a page needs comes from here, and nothing in it is a script or a style of its own.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # with no-referrer, browsers would send forms without their origin
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class BadHost(WarraqError):
    """The request is for a name that is not this server's."""

    code = "bad_host"
    http_status = 400


class BadEncoding(WarraqError):
    """The address is not UTF-8: what it asks for would have to be guessed."""

    code = "bad_encoding"
    http_status = 400


class BadOrigin(WarraqError):
    """A page of another site asks."""

    code = "bad_origin"
    http_status = 403


class NoSecret(WarraqError):
    """The request does not carry the secret that the server was started with."""

    code = "unauthorized"
    http_status = 401


@dataclass(frozen=True, slots=True)
class Guard:
    """The names that a server answers to, and the secret that it wants, if any."""

    hosts: frozenset[str] | None = LOOPBACK
    """None where it answers to any name, which is for a network that is trusted."""
    secret: str | None = None

    @classmethod
    def of(
        cls, host: str, allowed: Iterable[str] = (), secret: str | None = None, *, any_name: bool = False
    ) -> "Guard":
        """Return the guard of a server that listens on `host` and is reached under these names too.

        Raises RequestError for one under which nobody could reach it.
        """
        names = LOOPBACK | {_plain(host)} | {_name(each) for each in allowed}
        return cls(None if any_name else names, secret)

    def check(self) -> None:
        """Raise for a request that is not for this server, or not from who may ask."""
        if self.hosts is not None:
            # As they were sent: what is no host at all is refused too. Behind a proxy there are two, and a
            # page that got past it could claim either.
            sent = request.headers.get("Host", "")
            for host in (sent, request.environ.get(SENT_HOST, sent)):
                if _host_of(host) not in self.hosts:
                    raise BadHost("This server does not answer to that name. Name it with --allowed-host.")
            origin = request.headers.get("Origin")
            if origin is not None and _host_of_origin(origin) not in self.hosts:
                raise BadOrigin("Pages of other sites may not ask this server.")
        if self.secret is not None and request.path not in OPEN_PATHS and not self._is_told():
            raise NoSecret("This server wants a secret: as the password, or as a bearer token.")

    def _is_told(self) -> bool:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                told = b64decode(given, validate=True).partition(b":")[2]
            except ValueError:
                return False
        elif scheme.lower() == "bearer":
            told = given.encode("latin-1")  # as WSGI hands bytes over
        else:
            return False
        # In constant time: how long it takes must not tell how much of it was right.
        return hmac.compare_digest(told.strip(), (self.secret or "").encode())


def protect(app: Flask, guard: Guard) -> None:
    """Have the application check every request, and send the headers with every answer."""

    @app.before_request
    def check() -> None:
        guard.check()
        _check_encoding()

    @app.after_request
    def add_headers(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        # What is in the archive is for whoever asked; that it is not there now may change at once.
        kept = "no-store" if response.status_code >= 400 or request.path in PROBES else "private, no-cache"
        response.headers.setdefault("Cache-Control", kept)
        if response.status_code == 401:
            response.headers.add("WWW-Authenticate", 'Basic realm="Warraq", charset="UTF-8"')
            response.headers.add("WWW-Authenticate", 'Bearer realm="Warraq"')
        return response


def _check_encoding() -> None:
    path = request.environ.get("PATH_INFO", "").encode("latin-1")  # as WSGI hands bytes over
    try:
        (path + unquote_to_bytes(request.query_string)).decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadEncoding("The address is not UTF-8. Send it percent-encoded as UTF-8.") from error


def _host_of(authority: str) -> str:
    """Return the host of an authority such as example.org:5000 or [::1]:5000, nothing of what is none."""
    found = _AUTHORITY.fullmatch(authority)
    return _plain(found[1]) if found else ""


def _host_of_origin(origin: str) -> str:
    """Return the host of the page that asks, nothing where it is none of the web, such as an extension."""
    scheme, _, authority = origin.partition("://")
    return _host_of(authority) if scheme in ("http", "https") else ""


def _name(given: str) -> str:
    """Return a name that is allowed as browsers send it."""
    name = given.strip()
    name = f"[{name}]" if name.count(":") > 1 and "[" not in name else name
    found = _AUTHORITY.fullmatch(name)
    if not found or found[1] != name:
        raise RequestError(
            "bad_allowed_host",
            f"{given!r} is no name of a server. Give the name alone, without scheme, port or path.",
        )
    try:
        return _plain(name).encode("idna").decode()
    except UnicodeError as error:
        raise RequestError("bad_allowed_host", f"{given!r} is no name of a server: {error}.") from error


def _plain(host: str) -> str:
    return host.strip().strip("[]").removesuffix(".").lower()
