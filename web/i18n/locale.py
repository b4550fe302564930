"""The two languages of the interface: which of them a reader gets, and its texts, numbers and dates.

What the reader chose is kept in a cookie; without one, what the browser asks for counts, then English.

English texts stand where they are used, in templates and code; the Arabic ones in
`translations/ar/LC_MESSAGES/messages.po`, and compiled in the `messages.mo` beside it; both are committed.
After a text was changed, from the project's root:

    pybabel extract -F web/i18n/translations/babel.cfg --no-location --sort-output -o messages.pot web
    pybabel update -i messages.pot -d web/i18n/translations -l ar --no-fuzzy-matching --ignore-obsolete
    (fill in what is empty: a count has six forms, for 0, 1, 2, 3–10, 11–99 and whole hundreds)
    pybabel compile -d web/i18n/translations

and remove `messages.pot`. Texts that are looked up by a code or a value are marked with `N_`.
"""

from datetime import date
from urllib.parse import quote, urlsplit

import flask_babel
from babel import Locale, UnknownLocaleError, dates, numbers
from flask import Blueprint, Response, has_request_context, redirect, request

from indexer.web_support import RequestError

ENGLISH, ARABIC = LANGUAGES = ("en", "ar")
NAMES = {"en": "English", "ar": "العربية"}
COOKIE = "language"
A_YEAR = 365 * 24 * 60 * 60  # seconds
_DIGITS = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")

blueprint = Blueprint("languages", __name__)


# --- which language


def preferred_language() -> str:
    """Return the language that the request asks for: by the reader's choice, else by the browser's."""
    if not has_request_context():
        return ENGLISH
    kept = request.cookies.get(COOKIE)
    if kept in LANGUAGES:
        return str(kept)
    # The best first, by the language alone: who asks for en-GB, then ar, reads English rather than Arabic.
    for tag, quality in request.accept_languages:
        wanted = tag.partition("-")[0].lower()
        if quality > 0 and wanted in (*LANGUAGES, "*"):
            return ARABIC if wanted == ARABIC else ENGLISH
    return ENGLISH


def language() -> str:
    """Return the language of the answer to this request."""
    return str(flask_babel.get_locale() or ENGLISH)


@blueprint.post("/settings")
def choose() -> Response:
    """Keep the language that was chosen, and lead back to where it was chosen."""
    chosen = request.form.getlist("language")
    if len(chosen) != 1 or chosen[0] not in LANGUAGES:
        raise RequestError("bad_language", f"language must be one of {', '.join(LANGUAGES)}.")
    response = redirect(_local_address(request.form.get("next", "")), 303)
    response.set_cookie(
        COOKIE, chosen[0], max_age=A_YEAR, httponly=True, samesite="Lax", secure=request.is_secure
    )
    return response  # type: ignore[return-value]  # Flask's own class


def here() -> str:
    """Return the address of this page within the site, to come back to."""
    if request.method not in ("GET", "HEAD"):
        return "/"
    query = request.query_string.decode("ascii", "replace")
    return quote(request.path) + ("?" + query if query else "")


def _local_address(address: str) -> str:
    """Return an address if it is a path of this site, else that of the first page."""
    # Browsers read a backslash as a slash and drop tabs and line ends, so /\host and /<tab>/host lead away.
    plain = address.isprintable() and "\\" not in address and address.startswith("/")
    try:
        parts = urlsplit(address)
    except ValueError:
        return "/"
    return address if plain and not (parts.scheme or parts.netloc or address.startswith("//")) else "/"


def add_language_headers(response: Response) -> Response:
    if response.mimetype == "text/html":
        response.vary.update(("Accept-Language", "Cookie"))
        if "Content-Language" not in response.headers:
            response.headers["Content-Language"] = language()
    return response


# --- texts, numbers, dates and names


def gettext(text: str, **values: str) -> str:
    """Return a text in the reader's language, with values in its places."""
    return str(flask_babel.gettext(text, **values))


def ngettext(one: str, many: str, count: int, **values: str) -> str:
    """Return the form of a text that a count wants, with values in its places."""
    return str(flask_babel.ngettext(one, many, count, **values))


def number(value: int) -> str:
    """Return a whole number as it is written in the interface: 1,234 or ١٬٢٣٤."""
    arabic = language() == ARABIC
    written = numbers.format_decimal(value, locale=language(), numbering_system="arab" if arabic else "latn")
    return digits(written)


def digits(text: str | int) -> str:
    """Return a text with the interface's digits: Babel groups in the Arabic way, and writes 0–9."""
    return str(text).translate(_DIGITS) if language() == ARABIC else str(text)


def day(published: str) -> str:
    """Return a day (YYYY-MM-DD) as it is written out in the interface."""
    return digits(dates.format_date(date.fromisoformat(published), "long", locale=language()))


def language_name(code: str) -> str:
    """Return what a passage's language is called in the interface."""
    if code == "mixed":
        return gettext("Arabic and English")
    if code == "und":
        return gettext("Unknown language")
    try:
        return Locale(code).get_display_name(language()) or code
    except UnknownLocaleError:
        return code
