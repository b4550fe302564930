"""Errors at the HTTP edge: problem+json (RFC 9457) for the API, a page for everything else."""

from flask import Flask, Response, json, render_template, request
from werkzeug.exceptions import HTTPException

from indexer import WarraqError

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
        page = render_template(
            "error.html", status=status, code=code, detail=detail, query=request.args.get("q", "")
        )
        response = Response(page, status, mimetype="text/html")
    if status == 503:
        response.headers["Retry-After"] = str(RETRY_AFTER)
    return response


def _title(status: int) -> str:
    from http import HTTPStatus

    return HTTPStatus(status).phrase
