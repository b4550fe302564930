"""Sixteen whole web pages: the extracted text, the boilerplate that is left out, and the facts.

Next to each page is its expected result, written by somebody who did not see the code.
"""

import json
import shutil
from pathlib import Path

import pytest

from indexer.boilerplate.layout import clean
from indexer.ingest.readers.html import PageWorker
from tests.support.read_files import read_all

PAGES = sorted((Path(__file__).parent / "webpages").glob("*.html"))


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    """Every page as a build reads and cleans it, with what it should give."""
    found = {}
    worker = PageWorker()
    for page in PAGES:
        archive = tmp_path_factory.mktemp("page")
        shutil.copy(page, archive)
        (document,), refused = read_all(archive, worker=worker)
        assert refused == []
        found[page.stem] = clean(document)[0], json.loads(page.with_suffix(".json").read_text("utf-8"))
    return found


def one_spaced(text):
    return " ".join(text.split())


def test_sixteen_sample_pages_exist():
    assert len(PAGES) == 16


def test_titles_equal_those_shown_on_the_pages(read):
    wrong = {
        name: document.title for name, (document, said) in read.items() if document.title != said["title"]
    }
    assert wrong == {}


def test_dates_are_publication_dates_or_unknown(read):
    wrong = {
        name: document.published
        for name, (document, said) in read.items()
        if document.published != said["published"]
    }
    assert wrong == {}


def test_authors_are_right_or_unknown(read):
    for document, said in read.values():
        assert document.author in (said["author"], "")
    assert sum(bool(document.author) for document, _ in read.values()) >= 10


def test_sentences_of_the_article_are_kept(read):
    """One heading of 163 pieces is lost: extraction takes it for a caption."""
    lost = [
        (name, piece)
        for name, (document, said) in read.items()
        for piece in said["keep"]
        if one_spaced(piece) not in one_spaced(document.text)
    ]
    assert len(lost) <= 1, lost


def test_boilerplate_is_left_out(read):
    left = [
        (name, piece)
        for name, (document, said) in read.items()
        for piece in said["cut"]
        if one_spaced(piece) in one_spaced(document.text)
    ]
    assert len(left) <= 12, left  # of 216
