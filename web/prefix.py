"""The path below which a proxy serves the program, such as /archive in https://example.org/archive/."""

import re
from collections.abc import Callable, Iterable
from typing import Any

from flask import has_request_context, request

from indexer.web_support import RequestError

_PREFIX = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+)+")
LONGEST = 200  # characters
HEADER = "HTTP_X_FORWARDED_PREFIX"

WSGI = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def at(path: str) -> str:
    """Return the address of a path of the program as the reader's browser asks for it."""
    return request.script_root + path if has_request_context() else path


def _is_prefix(text: str) -> bool:
    return len(text) <= LONGEST and bool(_PREFIX.fullmatch(text))


def read_prefix(text: str) -> str:
    """Return a prefix without the slash at its end; RequestError where it is not a path."""
    prefix = text.rstrip("/")
    if prefix and not _is_prefix(prefix):
        raise RequestError("bad_prefix", f"--prefix is {text[:40]!r}; it must be a path such as /archive.")
    return prefix


class Prefixed:
    """Serve an application below a prefix; the proxy may pass whole paths or paths without it.

    With `trusted`, the header X-Forwarded-Prefix of a proxy comes before `prefix`.
    """

    def __init__(self, app: WSGI, prefix: str, *, trusted: bool) -> None:
        self._app, self._prefix, self._trusted = app, prefix, trusted

    def __call__(self, wsgi: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        prefix, path = self._prefix, wsgi.get("PATH_INFO", "")
        stated = wsgi.get(HEADER, "").rstrip("/") if self._trusted else ""
        if _is_prefix(stated):
            prefix = stated
        if prefix:
            wsgi["SCRIPT_NAME"] = prefix
            if path == prefix or path.startswith(f"{prefix}/"):
                wsgi["PATH_INFO"] = path[len(prefix) :] or "/"
        return self._app(wsgi, start_response)
