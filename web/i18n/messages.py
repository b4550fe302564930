"""The library's errors, notices, rules and filters in the language of the interface."""

from typing import NamedTuple

from indexer.web_support import Notice, Operator, reason_of
from web.i18n.locale import ENGLISH, day, digits, gettext, language, language_name, ngettext, number

# --- errors and notices


def N_(text: str) -> str:  # noqa: N802  # the conventional name
    """Mark a text for translation; it is translated later, when it is used."""
    return text


class Said(NamedTuple):
    """A message for a reader."""

    text: str
    command: str | None = None
    """The remedy, to be typed into a terminal; the same in every language."""
    detail: str | None = None
    """The fact in English, if `text` is less specific."""


# The messages by error code. The Arabic interface uses all of them, the English one only those of PLAIN.
ERRORS = {
    "bad_author": N_("This address names more than one author. A list is by one, or by all."),
    "bad_copies": N_("Repeats are either folded or all shown. This address asks for neither."),
    "bad_doc_id": N_("This address does not say which one passage is meant."),
    "bad_encoding": N_("The address is not UTF-8."),
    "bad_explain": N_("Hits have their reasons or not. This address asks for neither."),
    "bad_from": N_("The start date cannot be understood."),
    "bad_generation": N_("This address names more than one state of the index."),
    "bad_highlight": N_("Words that match are either marked or not. This address asks for neither."),
    "bad_host": N_("This server does not answer to that name."),
    "bad_lang": N_("The language that this address asks for cannot be understood."),
    "bad_language": N_("The interface speaks Arabic and English only."),
    "bad_limit": N_("A page of the list holds from 1 to 100 hits. This address asks for another number."),
    "bad_mode": N_("The way of searching that this address asks for does not exist."),
    "bad_names": N_("Names are found in other spellings or not. This address asks for neither."),
    "bad_offset": N_("The list cannot be opened at the place that this address asks for."),
    "bad_origin": N_("Pages of other sites may not ask this server."),
    "bad_passage": N_("This address does not say which one passage is meant."),
    "bad_period": N_("The start date is after the end date."),
    "bad_q": N_("This address has more than one question."),
    "bad_query": N_("The question is not valid Unicode text."),
    "bad_request": N_("The request cannot be understood."),
    "bad_order": N_("The order that this address asks for does not exist."),
    "bad_after": N_("This address does not name a page of the list."),
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
    "nothing_asked": N_(
        "The question only says what to leave out or where to look. Add a word that is looked for."
    ),
    "not_found": N_("There is nothing at this address."),
    "not_opened": N_("The index could not be opened. The server's log has the details; it tries again."),
    "overloaded": N_("Too much is asked at once. Try again in a few seconds."),
    "query_too_long": N_("The question is too long; 1,000 characters are allowed."),
    "unauthorized": N_("This server wants a secret, as the password."),
    "too_many_attempts": N_("Too many wrong secrets came from your address. Try again in a second."),
    "unknown_parameter": N_("There is no parameter of that name."),
    "unreadable_file": N_("The file cannot be read."),
}
# The errors whose Arabic message needs the English fact as its detail.
TECHNICAL = frozenset({"index_unusable", "no_model", "no_archive", "unreadable_file"})
PLAIN = frozenset(
    {
        "bad_author", "bad_copies", "bad_doc_id", "bad_explain", "bad_from", "bad_generation",
        "bad_highlight", "bad_lang", "bad_limit", "bad_mode", "bad_names", "bad_offset", "bad_passage",
        "bad_period", "bad_q", "bad_sort", "bad_order", "bad_after", "bad_source", "bad_to",
        "generation_changed",
    }
)  # fmt: skip
"""The errors whose own message names parameters, for programs; readers get the one of ERRORS instead."""


def explain(code: str, message: str, remedy: str | None = None) -> Said:
    """Return the interface's message for an error; `message` and `remedy` are those of the error."""
    if language() == ENGLISH:
        return Said(ERRORS[code] if code in PLAIN else message, remedy)
    if code not in ERRORS:
        return Said(gettext("That did not work."), remedy, message)
    return Said(gettext(ERRORS[code]), remedy, message if code in TECHNICAL else None)


def notice(item: Notice) -> Said:
    """Return the interface's message for a notice of the library."""
    count, n = item.count, number(item.count)
    if item.code == "damage":
        return explain("index_damaged", item.message, item.remedy)
    if item.code == "undated":
        text = ngettext(
            "%(n)s article without a date was left out by the date filter.",
            "%(n)s articles without a date were left out by the date filter.",
            count,
            n=n,
        )
    elif item.code == "dated":
        text = ngettext(
            "Only the %(n)s most relevant passage is put in order of date.",
            "Only the %(n)s most relevant passages are put in order of date.",
            count,
            n=n,
        )
    elif item.code == "no_dates":
        text = gettext("None of these articles has a known date, so the most relevant come first.")
    elif item.code == "no_word":
        text = gettext("The question has no word to look for. Type a few words, in Arabic or English.")
    elif item.code == "no_such_name":
        text = gettext("No article has a source or an author of that name.")
    elif item.code == "no_such_lang":
        text = gettext("No passage is in this language: %(language)s.", language=language_name(item.value))
    elif item.code == "no_such_source":
        text = gettext("No article is of the source %(name)s.", name=item.value)
    elif item.code == "no_such_author":
        text = gettext("No article is by %(name)s.", name=item.value)
    else:
        text = gettext("The model failed: passages were found by their words alone.")
    return Said(text)


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
    N_("code of the page, such as that of a widget"),
    N_("the caption or the credit of a picture"),
    N_("an advertisement, or where one stood"),
    N_("a notice of rights"),
    N_("a line of signs without a word"),
    N_("the name of the site above the article"),
    N_("a short line among boilerplate, after the article or inside a box"),
    N_("it stands in many articles of this source"),
    N_("what the page shows outside its article"),
)
"""The reason of each rule, copied from the library so that translators find it."""


def reason(rule: str, articles: int | None = None) -> str:
    """Return the reason why a rule cut a line, in one line; `articles` as in `Cut`."""
    if articles is None:
        return gettext(reason_of(rule))
    return ngettext(
        "it stands in %(n)s article of this source",
        "it stands in %(n)s articles of this source",
        articles,
        n=number(articles),
    )


class FilterTexts(NamedTuple):
    """The interface's texts for a filter and its facet."""

    facet: str
    filter: str
    unknown: str
    """The label of articles without a value."""
    without: str
    """The text of the link that removes the filter."""


FILTERS = {
    "lang": FilterTexts(
        N_("Language"), N_("Language"), N_("Unknown language"), N_("search in every language")
    ),
    "source": FilterTexts(N_("Source"), N_("Source"), N_("No source"), N_("search in every source")),
    "author": FilterTexts(N_("Author"), N_("Author"), N_("No author"), N_("search for every author")),
    "year": FilterTexts(N_("Year"), N_("Date"), N_("No date"), N_("search whatever the date")),
}
"""The texts of each filter, by the name of its facet."""


def facet_title(facet: str) -> str:
    """Return the heading of a facet."""
    return gettext(FILTERS[facet].facet)


def filter_title(facet: str) -> str:
    """Return the name of the filter that chooses among a facet's values."""
    return gettext(FILTERS[facet].filter)


def without_filter(facet: str) -> str:
    """Return the text of the link to the list without that filter."""
    return gettext(FILTERS[facet].without)


OPERATORS = {
    "phrase": (N_("Exactly"), N_("Not exactly")),
    "required": (N_("With"), N_("Without")),
    "excluded": (N_("With"), N_("Without")),
    "any": (N_("Any of"), ""),
    "title": (N_("In the title"), N_("Not in the title")),
    "source": (N_("Source"), N_("Not of the source")),
    "author": (N_("Author"), N_("Not by the author")),
    "lang": (N_("Language"), ""),  # languages and days are not excluded
    "from": (N_("From"), ""),
    "to": (N_("To"), ""),
}
"""What an operator of a query says, and what it says where it excludes."""


def operator_title(operator: Operator) -> str:
    """Return what an operator of a query says, without its value."""
    return gettext(OPERATORS[operator.role][operator.excluded])


def operator_value(operator: Operator) -> str:
    """Return the value of an operator as the interface shows it."""
    if operator.role in ("from", "to"):
        return day(operator.value)
    return language_name(operator.value) if operator.role == "lang" else operator.value


def without_operator(written: str) -> str:
    """Return the text of the link to the list of the query without an operator, by how it is written."""
    isolated = f"\u2068{written}\u2069"  # or its signs might change sides in a text of the other direction
    return gettext("search without %(operator)s", operator=isolated)


def facet_label(facet: str, value: str | None) -> str:
    """Return a value of a facet as the interface shows it."""
    if not value:
        return gettext(FILTERS[facet].unknown)
    if facet == "lang":
        return language_name(value)
    return digits(value) if facet == "year" else value
