"""Small files that were once read wrong, each with the values that `warraq inspect --json` must show."""

import json
from collections import Counter
from pathlib import Path

import pytest

from indexer.inspection import inspect_file, inspection_json

CASES = Path(__file__).parent / "cases"
EXPECTED = [json.loads(line) for line in (CASES / "cases.jsonl").read_text("utf-8").splitlines()]


def shown(file, nowhere, record=None):
    return inspection_json(inspect_file(file, nowhere, record=record))


def texts(found, *, kept):
    return [line["text"] for line in found["lines"] if line["kept"] == kept]


@pytest.mark.parametrize("case", EXPECTED, ids=lambda case: case["file"])
def test_file_is_read_as_a_person_reads_it(case, tmp_path):
    file, expect = CASES / case["file"], dict(case["expect"])
    found = shown(file, tmp_path / "no-index")
    kept = texts(found, kept=True)
    for name in ("title", "published", "lang", "author", "encoding", "articles", "refused_rows"):
        if name in expect:
            assert found[name] == expect.pop(name), name
    if "cut_lines" in expect:
        assert set(texts(found, kept=False)) == set(expect.pop("cut_lines"))
    assert len(kept) >= expect.pop("kept_lines", 1)
    text = "\n".join(kept)
    assert [words for words in expect.pop("contains", []) if words not in text] == []
    assert [words for words in expect.pop("absent", []) if words in text] == []
    if expect.pop("once", False):
        assert max(Counter(kept).values()) == 1
    if expect.pop("noted", False):
        assert found["notes"]
    if "text_of_2" in expect:
        second = shown(file, tmp_path / "no-index", record="2")
        assert "\n".join(texts(second, kept=True)) == expect.pop("text_of_2")
    expect.pop("readable", None)  # some line is kept, as asserted above
    assert expect == {}, "a value that this test does not know"


def test_every_case_has_its_values():
    files = {path.relative_to(CASES).as_posix() for path in CASES.glob("*/*")}
    assert files == {case["file"] for case in EXPECTED}
