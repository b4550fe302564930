"""Addresses of searches, and the parts of a page with a list of hits."""

from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.support.fakes import open_fake
from web import SearchService, create_app


def client_of(index, open_index=open_fake):
    return create_app(SearchService(index, None, open_index)).test_client()


def search_url(path="/", **values):
    return f"{path}?{urlencode({name.rstrip('_'): value for name, value in values.items()})}"


def texts_of(page):
    """The texts of the hits, without collapsed passages."""
    return [
        paragraph
        for paragraph in page.all("p", class_="text")
        if "more" not in [up.attributes.get("class") for up in paragraph.within]
    ]


def items_of(page):
    """The hits of a list, without collapsed passages."""
    return page.all("div", class_="listed")


def article_of(item):
    """The article of a hit, with its facts and its title."""
    return next(around for around in item.within if around.tag == "article")


def title_links(page):
    return [link for link in page.all("a") if link.parent.tag == "h2"]


def query_of(address):
    return dict(parse_qsl(urlsplit(address).query))
