"""Articles without boilerplate that look as if they had some: nothing of them may be lost."""

from pathlib import Path

import pytest

from indexer.boilerplate.layout import clean
from tests.support.read_files import read_untouched

PLAIN = sorted((Path(__file__).parent / "plain").glob("*.txt"))


def test_plain_articles_exist():
    assert len(PLAIN) == 16


@pytest.mark.parametrize("path", PLAIN, ids=lambda path: path.stem)
def test_nothing_is_cut_but_lines_of_signs(path):
    (document,) = read_untouched(path.name, path.read_bytes())
    cleaned, cuts = clean(document)
    assert {cut.rule for cut in cuts} <= {"divider"}, [document.text[cut.start : cut.end] for cut in cuts]
    assert cleaned.title == document.text.split("\n", 1)[0].strip()
