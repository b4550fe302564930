"""Drafts: documents come back as they went in, articles are counted, and nothing stays on the disk."""

import os
import random
import signal
import subprocess
import sys
from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from places import ROOT

from indexer.datatypes import Document
from indexer.store.drafts import Drafts


def draft(doc_id, source="news", text="A line."):
    return Document(doc_id, "", text, source, "en")


@pytest.fixture
def drafts():
    drafts = Drafts()
    yield drafts
    drafts.close()


odd_text = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from("\0\r\n\u2028\ufeff'\"\\\u202eﷺ😀")
)
documents = st.builds(
    Document, odd_text, odd_text, odd_text, odd_text, st.sampled_from(["ar", "en", "und"]),
    st.none() | st.just("2025-03-01"), st.dictionaries(odd_text, odd_text, max_size=3),
)  # fmt: skip


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.lists(documents, max_size=5, unique_by=lambda each: each.doc_id))
def test_documents_come_back_as_they_went_in_and_in_their_order(some):
    drafts = Drafts()
    for each in some:
        drafts.add(each, 1, {1})
    assert list(drafts) == list(drafts) == some
    assert len(drafts) == len(some)
    assert all(drafts.has(each.doc_id) for each in some)
    drafts.close()


def test_an_id_is_known_from_when_its_document_was_added(drafts):
    assert not drafts.has("a")
    drafts.add(draft("a"), 1, [1])
    assert drafts.has("a")
    assert not drafts.has("A")
    assert not drafts.has("")


def test_a_line_is_counted_once_for_each_article_of_a_source(drafts):
    drafts.add(draft("a"), 100, {100, 1, 2})
    drafts.add(draft("b"), 200, {200, 1})
    drafts.add(draft("c", "sport"), 300, {300, 1})
    assert drafts.sources() == [("news", 2), ("sport", 1)]
    assert dict(drafts.line_counts("news")) == {100: 1, 200: 1, 1: 2, 2: 1}
    assert dict(drafts.line_counts("sport")) == {300: 1, 1: 1}
    assert dict(drafts.line_counts("nowhere")) == {}


def test_copies_of_an_article_are_one(drafts):
    for number in range(20):
        drafts.add(draft(f"copy {number}"), 100, {100, 1})
    drafts.add(draft("other"), 200, {200, 1})
    assert drafts.sources() == [("news", 2)]
    assert dict(drafts.line_counts("news")) == {100: 1, 200: 1, 1: 2}


@pytest.mark.parametrize("seed", range(3))
def test_counts_are_those_of_sets_worked_out_by_hand(drafts, seed):
    draw = random.Random(seed)
    holders, articles = defaultdict(set), defaultdict(set)
    for number in range(300):
        source, longest = draw.choice(["", "news", "صحيفة"]), draw.choice([-(2**63), 2**63 - 1, 7, 8, 9])
        lines = {longest, *draw.sample(range(-20, 20), 6)}
        drafts.add(draft(f"{number}", source), longest, lines)
        articles[source].add(longest)
        for line in lines:
            holders[source, line].add(longest)
    assert drafts.sources() == sorted((source, len(some)) for source, some in articles.items())
    for source in articles:
        assert dict(drafts.line_counts(source)) == {
            line: len(some) for (of, line), some in holders.items() if of == source
        }


def test_counts_go_on_when_more_is_added_after_they_were_asked_for(drafts):
    drafts.add(draft("a"), 1, {1, 5})
    assert drafts.sources() == [("news", 1)]
    drafts.add(draft("b"), 2, {2, 5})
    assert drafts.sources() == [("news", 2)]
    assert dict(drafts.line_counts("news"))[5] == 2


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_of_a_file_that_fails_nothing_is_kept_and_the_file_before_stays(drafts, error):
    with drafts.whole_file():
        drafts.add(draft("first::1"), 1, {1, 5})
        drafts.add(draft("first::2"), 2, {2, 5})
    with pytest.raises(error), drafts.whole_file():
        drafts.add(draft("second::1"), 3, {3, 5})
        assert drafts.has("second::1")
        raise error
    assert [each.doc_id for each in drafts] == ["first::1", "first::2"]
    assert not drafts.has("second::1")
    assert dict(drafts.line_counts("news")) == {1: 1, 2: 1, 5: 2}
    with drafts.whole_file():
        drafts.add(draft("second::1"), 4, {4})
    assert len(drafts) == 3


def test_two_builds_have_drafts_of_their_own():
    one, other = Drafts(), Drafts()
    one.add(draft("a"), 1, {1})
    assert (len(one), len(other)) == (1, 0)
    one.close()
    other.close()


KILLED = """
import os, signal, sys
from indexer.datatypes import Document
from indexer.store.drafts import Drafts
drafts = Drafts()
for number in range(400):
    with drafts.whole_file():
        text = f"A private line of article {number}. " * 1_000
        drafts.add(Document(f"{number}", "", text, "", "en"), number, range(50))
open_files = [os.readlink(f"/proc/self/fd/{each}") for each in os.listdir("/proc/self/fd") if each.isdecimal()
              and os.path.islink(f"/proc/self/fd/{each}")] if os.path.isdir("/proc/self/fd") else []
print(any(sys.argv[1] in each for each in open_files), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
def test_nothing_is_on_the_disk_after_a_kill(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path)], capture_output=True, text=True, check=False, cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path), "SQLITE_TMPDIR": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr
    if sys.platform == "linux":
        assert done.stdout == "True\n"  # more was added than memory keeps, so there was a file
    assert list(tmp_path.rglob("*")) == []
