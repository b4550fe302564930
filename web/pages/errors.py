"""Convert errors to answers: problem+json (RFC 9457) for the API, a page for everything else."""

from flask import Flask, Response, current_app, g, render_template, request
from werkzeug.exceptions import HTTPException

from indexer import WarraqError
from indexer.web_support import is_day
from web.pages.links import kept_of_refused
from web.server.problem import PROBLEM, RETRY_AFTER, problem


def register(app: Flask) -> None:
    """Register the handlers that convert every error of the application."""
    app.register_error_handler(WarraqError, _answer_library_error)
    app.register_error_handler(HTTPException, _answer_http_error)
    app.register_error_handler(Exception, _answer_unexpected_error)


def _answer_library_error(error: WarraqError) -> Response:
    return _answer(error.http_status, error.code, error.message, error.remedy)


def _answer_http_error(error: HTTPException) -> Response:
    status = error.code or 500
    if error.response is not None or status < 400:
        return error.get_response()  # type: ignore[return-value]  # a redirect
    code = (error.name or "error").lower().replace(" ", "_")
    detail = "There is nothing at this address." if status == 404 else error.description or error.name
    answer = _answer(status, code, detail)
    for name, value in error.get_headers():
        if name not in ("Content-Type", "Content-Length"):
            answer.headers[name] = value  # such as Allow of a 405
    return answer


def _answer_unexpected_error(error: Exception) -> Response:
    current_app.logger.exception("A request failed", exc_info=error)
    return _answer(500, "internal", "Something unforeseen went wrong. The server's log has the details.")


def _answer(status: int, code: str, message: str, remedy: str | None = None) -> Response:
    g.code = code  # for the log
    if request.path.startswith("/api/"):
        detail = f"{message} Run: {remedy}" if remedy else message
        response = Response(problem(status, code, detail), status, mimetype=PROBLEM)
    else:
        response = Response(_page(status, code, message, remedy), status, mimetype="text/html")
    if status == 503:
        response.headers["Retry-After"] = str(RETRY_AFTER)
    return response


def _page(status: int, code: str, message: str, remedy: str | None) -> str:
    """Return a page with the error and the form as it was filled in, so that the reader can correct it."""
    days = (request.args.get(name, "") for name in ("from", "to"))
    first, last = (day if is_day(day) else None for day in days)
    if code == "bad_from" and first and last and first > last:
        code = "bad_period"  # for programs, one code covers both faults of a first day
    return render_template(
        "error.html",
        status=status,
        code=code,
        message=message,
        remedy=remedy,
        query=request.args.get("q", ""),
        fields=kept_of_refused(request.args, code),
        period=(first, last),
        similar=request.path == "/similar",
    )
