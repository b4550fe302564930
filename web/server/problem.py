"""Errors as problem+json (RFC 9457), for the API and for requests that never reach it."""

import json
from http import HTTPStatus

RETRY_AFTER = 5  # seconds
PROBLEM = "application/problem+json"


def problem(status: int, code: str, detail: str) -> str:
    """Return the body of a problem (RFC 9457)."""
    title = HTTPStatus(status).phrase
    values = {"type": "about:blank", "title": title, "status": status, "code": code, "detail": detail}
    return json.dumps(values, ensure_ascii=False)
