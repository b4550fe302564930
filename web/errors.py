"""Errors at the HTTP edge: problem+json (RFC 9457) for the API, a page for everything else."""

from datetime import date

from flask import Flask, Response, g, json, render_template, request
from werkzeug.exceptions import HTTPException

from indexer import WarraqError

from .filters import kept_of_refused

RETRY_AFTER = 5  # seconds


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
    from flask import current_app

    current_app.logger.exception("A request failed", exc_info=error)
    return _answer(500, "internal", "Something unforeseen went wrong. The server's log has the details.")


def _answer(status: int, code: str, detail: str) -> Response:
    g.code = code  # for the log
    if request.path.startswith("/api/"):
        problem = {
            "type": "about:blank",
            "title": _title(status),
            "status": status,
            "code": code,
            "detail": detail,
        }
        response = Response(
            json.dumps(problem, ensure_ascii=False), status, mimetype="application/problem+json"
        )
    else:
        response = Response(_page(status, code, detail), status, mimetype="text/html")
    if status == 503:
        response.headers["Retry-After"] = str(RETRY_AFTER)
    return response


def _page(status: int, code: str, detail: str) -> str:
    """Return a page that tells the fault, with what was typed, to be mended."""
    first, last = (_day(request.args.get(name, "")) for name in ("from", "to"))
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


def _day(text: str) -> date | None:
    """Return a day that is written as YYYY-MM-DD, as dates are sent by forms."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if text == found.isoformat() else None


def _title(status: int) -> str:
    from http import HTTPStatus

    return HTTPStatus(status).phrase
