"""Atom feeds of lists, so that any feed reader tells what is new (RFC 4287).

An entry is known by its article and its words, not by the build that found it: whatever is built anew, it
stands in a feed once. It is of the day of its article or, without one, of the day of the build.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple
from uuid import NAMESPACE_URL, uuid5

from flask import Response, request

from indexer import Hit, Searcher, SearchRequest, SearchResult, SimilarRequest
from indexer.web_support import ArticleEntry, BrowseRequest, FilteredRequest
from web.i18n.locale import gettext, language
from web.pages.citations import one_line, title_of, title_or_path
from web.pages.links import address_of, article_address, hit_address
from web.server.metrics import record_search

ENTRIES = 50
ATOM = "http://www.w3.org/2005/Atom"
_ILLEGAL = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # in XML 1.0

ET.register_namespace("", ATOM)


class Entry(NamedTuple):
    """What a feed says of an article or of a passage."""

    key: str
    """What makes it the same entry in every feed and after every build."""
    title: str
    address: str
    published: str | None
    author: str
    source: str
    lang: str
    text: str


def is_wanted() -> bool:
    """Return whether the request asks for the feed of a list instead of its page."""
    return request.args.get("format") == "atom"


def feed_address(list_request: FilteredRequest) -> str:
    """Return the address of the feed of a list."""
    return address_of(list_request, {"format": "atom", "limit": None})


def search_feed(searcher: Searcher, list_request: SearchRequest | SimilarRequest) -> Response:
    """Return what a question finds, or what is like a passage, the newest first."""
    newest = replace(list_request, sort="date", limit=ENTRIES, offset=0, generation=None)
    result: SearchResult
    if isinstance(newest, SearchRequest):
        result, title = searcher.search(newest), one_line(newest.query)
    else:
        result, title = searcher.similar(newest), gettext("More like this passage")
    record_search(result)
    entries = [_entry_of_hit(hit) for hit in result.hits if hit.found]
    return _feed(entries, title, list_request, searcher.built)


def articles_feed(searcher: Searcher, browsed: BrowseRequest) -> Response:
    """Return the newest articles of a list."""
    newest = replace(browsed, order="date", limit=ENTRIES, after=None, generation=None)
    entries = [_entry_of_article(entry) for entry in searcher.entries(newest)]
    return _feed(entries, gettext("Newest articles"), browsed, searcher.built)


def _entry_of_hit(hit: Hit) -> Entry:
    document = hit.document
    return Entry(
        f"{document.doc_id}\n{hit.text}", title_of(document), hit_address(hit), document.published,
        document.author, document.source, hit.passage.lang, hit.text,
    )  # fmt: skip


def _entry_of_article(entry: ArticleEntry) -> Entry:
    title = title_or_path(entry.title, entry.path)
    return Entry(
        entry.doc_id, title, article_address(entry), entry.published,
        entry.author, entry.source, entry.lang, title,
    )  # fmt: skip


def _feed(entries: Sequence[Entry], title: str, list_request: FilteredRequest, built: datetime) -> Response:
    site = request.host_url.rstrip("/")
    built_at = built.isoformat(timespec="seconds")
    feed = ET.Element(f"{{{ATOM}}}feed", {"xml:lang": language()})
    _add(feed, "id", uuid5(NAMESPACE_URL, site + feed_address(list_request)).urn)
    _add(feed, "title", f"{title} · {gettext('Warraq')}")
    _add(feed, "updated", max([_moment(each.published, built_at) for each in entries], default=built_at))
    _add(feed, "link", rel="self", type="application/atom+xml", href=site + feed_address(list_request))
    _add(feed, "link", rel="alternate", type="text/html", href=site + address_of(list_request))
    _add(_add(feed, "author"), "name", "Warraq")
    for each in entries:
        entry = _add(feed, "entry")
        entry.set("xml:lang", each.lang)
        _add(entry, "id", uuid5(NAMESPACE_URL, each.key).urn)
        _add(entry, "title", each.title)
        _add(entry, "updated", _moment(each.published, built_at))
        _add(entry, "link", rel="alternate", type="text/html", href=site + each.address)
        if each.author:
            _add(_add(entry, "author"), "name", one_line(each.author))
        if each.source:
            _add(entry, "category", term=each.source)
        _add(entry, "content", each.text, type="text")
    response = Response(ET.tostring(feed, "utf-8", xml_declaration=True), mimetype="application/atom+xml")
    response.add_etag()
    response.make_conditional(request)
    return response


def _moment(published: str | None, built: str) -> str:
    return f"{published}T00:00:00Z" if published else built


def _add(parent: ET.Element, name: str, text: str = "", **attributes: str) -> ET.Element:
    legal = {key: _ILLEGAL.sub("\ufffd", value) for key, value in attributes.items()}
    element = ET.SubElement(parent, f"{{{ATOM}}}{name}", legal)
    element.text = _ILLEGAL.sub("\ufffd", text) or None
    return element
