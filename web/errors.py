"""Errors at the HTTP edge: problem+json (RFC 9457) for the API, a page for everything else."""

import json
from http import HTTPStatus

from flask import Flask, Response, current_app, g, render_template, request
from werkzeug.exceptions import HTTPException

from indexer import WarraqError, is_day

from .filters import kept_of_refused

RETRY_AFTER = 5  # seconds
PROBLEM = "application/problem+json"


def register(app: Flask) -> None:
    """Have the application convert every error once, here."""
    app.register_error_handler(WarraqError, _refuse)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unforeseen)


def _refuse(error: WarraqError) -> Response:
    return _answer(error.http_status, error.code, str(error))


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    if error.response is not None or status < 400:
        return error.get_response()  # type: ignore[return-value]  # a redirect
    code = (error.name or "error").lower().replace(" ", "_")
    detail = "There is nothing at this address." if status == 404 else error.description or error.name
    answer = _answer(status, code, detail)
    for name, value in error.get_headers():
        if name not in ("Content-Type", "Content-Length"):
            answer.headers[name] = value  # such as Allow with 405
    return answer


def _unforeseen(error: Exception) -> Response:
    current_app.logger.exception("A request failed", exc_info=error)
    return _answer(500, "internal", "Something unforeseen went wrong. The server's log has the details.")


def _answer(status: int, code: str, detail: str) -> Response:
    g.code = code  # for the log
    if request.path.startswith("/api/"):
        response = Response(problem(status, code, detail), status, mimetype=PROBLEM)
    else:
        response = Response(_page(status, code, detail), status, mimetype="text/html")
    if status == 503:
        response.headers["Retry-After"] = str(RETRY_AFTER)
    return response


def _page(status: int, code: str, detail: str) -> str:
    """Return a page that tells the fault, with what was typed, to be mended."""
    given = (request.args.get(name, "") for name in ("from", "to"))
    first, last = (day if is_day(day) else None for day in given)
    if code == "bad_from" and first and last and first > last:
        code = "bad_period"  # programs are told one code for both faults of a first day
    return render_template(
        "error.html",
        status=status,
        code=code,
        detail=detail,
        query=request.args.get("q", ""),
        fields=kept_of_refused(request.args, code),
        period=(first, last),
        similar=request.path == "/similar",
    )


def problem(status: int, code: str, detail: str) -> str:
    """Return the body of a problem (RFC 9457)."""
    title = HTTPStatus(status).phrase
    values = {"type": "about:blank", "title": title, "status": status, "code": code, "detail": detail}
    return json.dumps(values, ensure_ascii=False)
