"""Choose the language of the interface for each reader, and write texts, numbers and dates in it.

The reader's choice is stored in a cookie. Without one, the browser's preference decides; the default is
English.

English texts are in the templates and the code that use them. Arabic texts are in
`translations/ar/LC_MESSAGES/messages.po`, and compiled in `messages.mo` in the same folder; both are
committed. After a change of a text, run from the project's root:

    pybabel extract -F web/i18n/translations/babel.cfg --no-location --sort-output -o messages.pot web
    pybabel update -i messages.pot -d web/i18n/translations -l ar --no-fuzzy-matching --ignore-obsolete
    (fill in the empty translations: a count has six forms, for 0, 1, 2, 3–10, 11–99 and whole hundreds)
    pybabel compile -d web/i18n/translations

and remove `messages.pot`. Texts that are looked up later, by a code or a value, are marked with `N_`.
"""

from datetime import date
from functools import lru_cache
from urllib.parse import quote, urlsplit

import flask_babel
from babel import Locale, UnknownLocaleError, dates, numbers
from flask import Blueprint, Response, has_request_context, redirect, request

from indexer.web_support import RequestError
from web.prefix import at

ENGLISH, ARABIC = LANGUAGES = ("en", "ar")
NAMES = {"en": "English", "ar": "العربية"}
COOKIE = "language"
A_YEAR = 365 * 24 * 60 * 60  # seconds
_DIGITS = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")

blueprint = Blueprint("languages", __name__)


# --- the choice of language


def preferred_language() -> str:
    """Return the language of the reader's cookie, else the browser's preferred one, else English."""
    if not has_request_context():
        return ENGLISH
    chosen = request.cookies.get(COOKIE)
    if chosen in LANGUAGES:
        return str(chosen)
    # Take preferences in order, by language without region: a reader of en-GB, then ar, gets English.
    for tag, quality in request.accept_languages:
        preferred = tag.partition("-")[0].lower()
        if quality > 0 and preferred in (*LANGUAGES, "*"):
            return ARABIC if preferred == ARABIC else ENGLISH
    return ENGLISH


def language() -> str:
    """Return the language of the answer to this request."""
    return str(flask_babel.get_locale() or ENGLISH)


@blueprint.post("/settings")
def choose() -> Response:
    """Store the chosen language in a cookie, and redirect to the page on which it was chosen."""
    chosen = request.form.getlist("language")
    if len(chosen) != 1 or chosen[0] not in LANGUAGES:
        raise RequestError("bad_language", f"language must be one of {', '.join(LANGUAGES)}.")
    response = redirect(_local_address(request.form.get("next", "")), 303)
    response.set_cookie(
        COOKIE, chosen[0], max_age=A_YEAR, httponly=True, samesite="Lax", secure=request.is_secure,
        path=request.script_root or "/",
    )  # fmt: skip
    return response  # type: ignore[return-value]  # redirect() returns Flask's own subclass


def here() -> str:
    """Return the address of this page within the site, for the redirect back to it."""
    if request.method not in ("GET", "HEAD"):
        return at("/")
    query = request.query_string.decode("ascii", "replace")
    return at(quote(request.path) + ("?" + query if query else ""))


def _local_address(address: str) -> str:
    """Return an address if it is a path of this site, else the address of the first page."""
    # Browsers read a backslash as a slash and drop tabs and line ends: /\host and /<tab>/host lead to other
    # sites.
    is_plain_path = address.isprintable() and "\\" not in address and address.startswith("/")
    try:
        parts = urlsplit(address)
    except ValueError:
        return at("/")
    is_of_this_site = not (parts.scheme or parts.netloc or address.startswith("//"))
    return address if is_plain_path and is_of_this_site else at("/")


def add_language_headers(response: Response) -> Response:
    """Add the language of a page to its headers, and the request headers that it depends on."""
    if response.mimetype == "text/html":
        response.vary.update(("Accept-Language", "Cookie"))
        if "Content-Language" not in response.headers:
            response.headers["Content-Language"] = language()
    return response


# --- texts, numbers, dates and names


def gettext(text: str, **values: str) -> str:
    """Return a text in the reader's language, with its placeholders filled in."""
    return str(flask_babel.gettext(text, **values))


def ngettext(one: str, many: str, count: int, **values: str) -> str:
    """Return the plural form of a text for a count, with its placeholders filled in."""
    return str(flask_babel.ngettext(one, many, count, **values))


def number(value: int) -> str:
    """Return a whole number as the interface writes it: 1,234 or ١٬٢٣٤."""
    return _number_in(language(), value)


@lru_cache(4_096)
def _number_in(language: str, value: int) -> str:
    arabic = language == ARABIC
    written = numbers.format_decimal(value, locale=language, numbering_system="arab" if arabic else "latn")
    return written.translate(_DIGITS) if arabic else written


def percent(share: float) -> str:
    """Return a share of one as the interface writes it: 42% or ٤٢٪."""
    arabic = language() == ARABIC
    written = numbers.format_percent(share, locale=language(), numbering_system="arab" if arabic else "latn")
    return digits(written)


def digits(text: str | int) -> str:
    """Return a text with the interface's digits; Babel groups Arabic numbers but writes them with 0–9."""
    return str(text).translate(_DIGITS) if language() == ARABIC else str(text)


def day(published: str) -> str:
    """Return a day (YYYY-MM-DD) as the interface writes it out."""
    return digits(dates.format_date(date.fromisoformat(published), "long", locale=language()))


def month(name: str) -> str:
    """Return a month (YYYY-MM) as the interface writes it out."""
    first = date.fromisoformat(f"{name}-01")
    return digits(dates.format_skeleton("yMMMM", first, locale=language()))


def language_name(code: str) -> str:
    """Return the interface's name for the language of a passage."""
    if code == "mixed":
        return gettext("Arabic and English")
    if code == "und":
        return gettext("Unknown language")
    try:
        return Locale(code).get_display_name(language()) or code
    except UnknownLocaleError:
        return code
