"""The two languages of the interface: which of them a reader gets, and its texts, numbers and dates.

What the reader chose is kept in a cookie; without one, what the browser asks for counts, then English.

English texts stand where they are used, in templates and code; the Arabic ones in
`translations/ar/LC_MESSAGES/messages.po`, and compiled in the `messages.mo` beside it; both are committed.
After a text was changed, from the project's root:

    pybabel extract -F web/translations/babel.cfg --no-location --sort-output -o messages.pot web
    pybabel update -i messages.pot -d web/translations -l ar --no-fuzzy-matching --ignore-obsolete
    (fill in what is empty: a count has six forms, for 0, 1, 2, 3–10, 11–99 and whole hundreds)
    pybabel compile -d web/translations

and remove `messages.pot`. Texts that are looked up by a code or a value are marked with `N_`.
"""

import re
from datetime import date
from typing import NamedTuple
from urllib.parse import quote, urlsplit

import flask_babel  # type: ignore[import-untyped]
from babel import Locale, UnknownLocaleError, dates, numbers
from flask import Blueprint, Flask, Response, has_request_context, redirect, request

from indexer import Notice, RequestError, reason_of

ENGLISH, ARABIC = LANGUAGES = ("en", "ar")
NAMES = {"en": "English", "ar": "العربية"}
COOKIE = "language"
A_YEAR = 365 * 24 * 60 * 60  # seconds
_DIGITS = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")

blueprint = Blueprint("languages", __name__)


def register(app: Flask) -> None:
    """Have the application speak the reader's language, and let the reader choose it."""
    flask_babel.Babel(app, default_locale=ENGLISH, locale_selector=preferred)
    app.register_blueprint(blueprint)
    app.after_request(_say_which)
    app.jinja_env.globals["languages"] = NAMES
    for each in (language, number, day, language_name, explain, notice, reason, here):
        app.add_template_global(each)


# --- which language


def preferred() -> str:
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
    response = redirect(_within_this_site(request.form.get("next", "")), 303)
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


def _within_this_site(address: str) -> str:
    """Return an address if it is a path of this site, else that of the first page."""
    # Browsers read a backslash as a slash and drop tabs and line ends, so /\host and /<tab>/host lead away.
    plain = address.isprintable() and "\\" not in address and address.startswith("/")
    try:
        parts = urlsplit(address)
    except ValueError:
        return "/"
    return address if plain and not (parts.scheme or parts.netloc or address.startswith("//")) else "/"


def _say_which(response: Response) -> Response:
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


# --- what the library says, in the reader's language


def N_(text: str) -> str:  # noqa: N802  # what gettext calls it
    """Mark a text for translation where it is looked up later."""
    return text


class Said(NamedTuple):
    """What is told to a reader."""

    text: str
    command: str | None = None
    """What mends it, to be typed into a terminal: the same in every language."""
    detail: str | None = None
    """The fact in English, where `text` does not tell all of it."""


_COMMAND = re.compile(r" Run: (warraq [^\n]+)$")

# By code: what the Arabic interface says, and the English one where it is PLAIN.
ERRORS = {
    "bad_copies": N_("Repeats are either folded or all shown. This address asks for neither."),
    "bad_encoding": N_("The address is not UTF-8."),
    "bad_from": N_("The start date cannot be understood."),
    "bad_generation": N_("This address names more than one state of the index."),
    "bad_highlight": N_("Words that match are either marked or not. This address asks for neither."),
    "bad_host": N_("This server does not answer to that name."),
    "bad_lang": N_("The language that this address asks for cannot be understood."),
    "bad_language": N_("The interface speaks Arabic and English only."),
    "bad_limit": N_("A page of the list holds from 1 to 100 hits. This address asks for another number."),
    "bad_mode": N_("The way of searching that this address asks for does not exist."),
    "bad_offset": N_("The list cannot be opened at the place that this address asks for."),
    "bad_origin": N_("Pages of other sites may not ask this server."),
    "bad_passage": N_("This address does not say which one passage is meant."),
    "bad_period": N_("The start date is after the end date."),
    "bad_q": N_("This address has more than one question."),
    "bad_query": N_("The question is not valid Unicode text."),
    "bad_request": N_("The request cannot be understood."),
    "bad_sort": N_("The order that this address asks for does not exist."),
    "bad_source": N_("This address names more than one source. A list is of one, or of all."),
    "bad_to": N_("The end date cannot be understood."),
    "empty_query": N_("The question is empty. Type a few words, in Arabic or English."),
    "generation_changed": N_("The index has changed since this list was made."),
    "index_damaged": N_("The index is damaged. What is shown is of the state before it that is whole."),
    "index_unusable": N_("The index cannot be used."),
    "internal": N_("Something unforeseen went wrong. The server's log has the details."),
    "loading": N_("The index and the model are being loaded. It takes a few seconds."),
    "method_not_allowed": N_("This address does not take that kind of request."),
    "no_archive": N_("There is no folder of articles where one was named."),
    "no_index": N_("No index has been built yet."),
    "no_model": N_("The model cannot be loaded."),
    "no_such_passage": N_("The index does not hold that passage."),
    "not_found": N_("There is nothing at this address."),
    "not_opened": N_("The index could not be opened. The server's log has the details; it tries again."),
    "overloaded": N_("Too much is asked at once. Try again in a few seconds."),
    "query_too_long": N_("The question is too long; 1,000 characters are allowed."),
    "unauthorized": N_("This server wants a secret, as the password."),
    "unknown_parameter": N_("There is no parameter of that name."),
    "unreadable_file": N_("The file cannot be read."),
}
TECHNICAL = frozenset(
    {"index_unusable", "no_model", "no_archive", "unreadable_file"}
)  # the fact is in detail
PLAIN = frozenset(
    {
        "bad_copies", "bad_from", "bad_generation", "bad_highlight", "bad_lang", "bad_limit", "bad_mode",
        "bad_offset", "bad_passage", "bad_period", "bad_q", "bad_sort", "bad_source", "bad_to",
        "generation_changed",
    }
)  # fmt: skip
"""The message speaks of parameters, to programs: readers are told otherwise. Other messages tell more."""


def explain(code: str, detail: str) -> Said:
    """Return an error as the interface tells it."""
    text, command = _without_command(detail)
    if language() == ENGLISH:
        return Said(ERRORS[code] if code in PLAIN else text, command)
    if code not in ERRORS:
        return Said(gettext("That did not work."), command, text)
    return Said(gettext(ERRORS[code]), command, text if code in TECHNICAL else None)


def notice(told: Notice) -> Said:
    """Return a notice of the library as the interface tells it."""
    count, n = told.count, number(told.count)
    if told.code == "damage":
        return explain("index_damaged", told.text)
    if told.code == "undated":
        text = ngettext(
            "%(n)s article without a date was left out by the date filter.",
            "%(n)s articles without a date were left out by the date filter.",
            count,
            n=n,
        )
    elif told.code == "dated":
        text = ngettext(
            "Only the %(n)s most relevant passage is put in order of date.",
            "Only the %(n)s most relevant passages are put in order of date.",
            count,
            n=n,
        )
    else:
        text = gettext("The model failed: passages were found by their words alone.")
    return Said(text)


def _without_command(text: str) -> tuple[str, str | None]:
    found = _COMMAND.search(text)
    return (text[: found.start()], found[1]) if found else (text, None)


REASONS = (
    N_("the title again"),
    N_("the file's own block of metadata"),
    N_("a button or a call to share"),
    N_("a newsletter, channel, app or subscription that is offered"),
    N_("another article that is offered inside this one"),
    N_("a list of other articles"),
    N_("what a page shows while it loads"),
    N_("a notice about cookies or privacy"),
    N_("a menu, a path or a link of the site"),
    N_("a button, a counter or a reading time"),
    N_("the comments and their form"),
    N_("a list of keywords"),
    N_("a tracking string, often a personal one"),
    N_("the caption or the credit of a picture"),
    N_("an advertisement, or where one stood"),
    N_("a notice of rights"),
    N_("the name of the site above the article"),
    N_("a short line among furniture, after the article or inside a box"),
    N_("it stands in many articles of this source"),
    N_("what the page shows outside its article"),
)
"""Why each rule cuts a line, as the library says it; here for the translators."""


def reason(rule: str, articles: int | None = None) -> str:
    """Return why a rule cut a line, in one line; `articles` as in Cut."""
    if articles is None:
        return gettext(reason_of(rule))
    return ngettext(
        "it stands in %(n)s article of this source",
        "it stands in %(n)s articles of this source",
        articles,
        n=number(articles),
    )
