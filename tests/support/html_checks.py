"""Read a page as its elements, and hold it to what every page promises."""

import re
from html.parser import HTMLParser
from urllib.parse import urlsplit

VOID = {"meta", "link", "input", "br", "img", "hr"}


class Element:
    """An element of a page: its attributes, its parent, and all text and all elements inside it."""

    def __init__(self, tag, attributes, parent):
        self.tag, self.attributes, self.parent = tag, attributes, parent
        self.text, self.inside = "", []

    def __getitem__(self, name):
        return self.attributes[name]

    def get(self, name):
        return self.attributes.get(name)

    def all(self, tag, **attributes):
        wanted = {name.rstrip("_"): value for name, value in attributes.items()}
        return [each for each in self.inside if each.tag == tag and wanted.items() <= each.attributes.items()]

    def one(self, tag, **attributes):
        (found,) = self.all(tag, **attributes)
        return found

    @property
    def within(self):
        """The elements around it, from the inside out."""
        each = self.parent
        while each is not None:
            yield each
            each = each.parent

    @property
    def words(self):
        """Its text with every run of white space as one space."""
        return " ".join(self.text.split())


class Page(HTMLParser):
    """A page as its elements."""

    def __init__(self, response):
        super().__init__()
        assert response.content_type == "text/html; charset=utf-8"
        self.root = Element("", {}, None)
        self.elements, self.all, self.one = self.root.inside, self.root.all, self.root.one
        self._open = [self.root]
        self.source = response.get_data(as_text=True)
        self.feed(self.source)
        assert self._open == [self.root]

    def handle_starttag(self, tag, attributes):
        element = Element(tag, dict(attributes), self._open[-1])
        assert len(element.attributes) == len(attributes)
        for each in self._open:
            each.inside.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_endtag(self, tag):
        assert self._open.pop().tag == tag

    def handle_data(self, data):
        for element in self._open:
            element.text += data


def page_of(client, address, status=200, lang="en", **headers):
    """Get an address as a page, and check what holds for every page."""
    response = client.get(address, headers=headers)
    assert response.status_code == status
    page = Page(response)
    assert page.source.startswith("<!doctype html>")
    html = page.one("html")
    assert (html["lang"], html["dir"]) == (lang, {"en": "ltr", "ar": "rtl"}[lang])
    assert response.headers["Content-Language"] == lang
    for script in page.all("script"):  # files of its own, and nothing else
        assert "defer" in script.attributes
        assert re.match("(/a/warraq)?/static/", script["src"])  # test_prefix.py has the prefix
        assert script.text == ""
    assert page.all("style") == []
    for each in page.elements:
        assert not [name for name in each.attributes if name == "style" or name.startswith("on")]
        for name in ("href", "src", "action"):  # nothing comes from elsewhere
            assert not urlsplit(each.attributes.get(name) or "").netloc
    for landmark in ("main", "header", "footer"):
        assert len([each for each in page.all(landmark) if each.parent.tag == "body"]) == 1
    page.one("h1")
    return page
