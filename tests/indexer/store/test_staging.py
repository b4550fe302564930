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

from indexer.datatypes import Document, SourceFile
from indexer.store.staging import StagedDocuments
from tests.support.paths import ROOT


def draft(doc_id, source="news", text="A line."):
    return Document(doc_id, "", text, source, "en")


@pytest.fixture
def drafts():
    drafts = StagedDocuments()
    yield drafts
    drafts.close()


odd_text = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from("\0\r\n\u2028\ufeff'\"\\\u202eﷺ😀")
)
documents = st.builds(
    Document, odd_text, odd_text, odd_text, odd_text, st.sampled_from(["ar", "en", "und"]),
    st.none() | st.just("2025-03-01"),
            st.builds(SourceFile, odd_text, odd_text, st.sampled_from(["file", "extracted"]), odd_text, st.none() | st.integers(1, 9)),
            odd_text, odd_text, odd_text, st.integers(0, 99),
)  # fmt: skip


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.lists(documents, max_size=5, unique_by=lambda each: each.doc_id))
def test_documents_come_back_as_they_went_in_and_in_their_order(some):
    drafts = StagedDocuments()
    for number, each in enumerate(some):
        drafts.add(each, bytes([number]), 1 - number, {1})
    for _ in range(2):
        assert list(drafts.to_write()) == [(each, bytes([n]), 1 - n) for n, each in enumerate(some)]
    assert drafts.plan_changes() == set()
    assert [each for each, *_ in drafts.to_write()] == some
    assert (drafts.count_to_write(), list(drafts.metadata_updates())) == (len(some), [])
    assert all(drafts.has(each.doc_id) for each in some)
    drafts.close()


def test_an_id_is_known_from_when_its_document_was_added(drafts):
    assert not drafts.has("a")
    drafts.add(draft("a"), b"", 1, [1])
    assert drafts.has("a")
    assert not drafts.has("A")
    assert not drafts.has("")


def test_a_line_is_counted_once_for_each_article_of_a_source(drafts):
    drafts.add(draft("a"), b"", 100, {100, 1, 2})
    drafts.add(draft("b"), b"", 200, {200, 1})
    drafts.add(draft("c", "sport"), b"", 300, {300, 1})
    assert drafts.sources() == ["news", "sport"]
    assert [drafts.articles(each) for each in ("news", "sport", "nowhere")] == [2, 1, 0]
    assert drafts.repeated_lines("news", 1) == {100: 1, 200: 1, 1: 2, 2: 1}
    assert drafts.repeated_lines("sport", 1) == {300: 1, 1: 1}
    assert drafts.repeated_lines("nowhere", 1) == {}


def test_copies_of_an_article_are_one(drafts):
    for number in range(20):
        drafts.add(draft(f"copy {number}"), b"", 100, {100, 1})
    drafts.add(draft("other"), b"", 200, {200, 1})
    assert drafts.articles("news") == 2
    assert drafts.repeated_lines("news", 1) == {100: 1, 200: 1, 1: 2}


@pytest.mark.parametrize("seed", range(3))
def test_counts_are_those_of_sets_worked_out_by_hand(drafts, seed):
    draw = random.Random(seed)
    holders, articles = defaultdict(set), defaultdict(set)
    for number in range(300):
        source, longest = draw.choice(["", "news", "صحيفة"]), draw.choice([-(2**63), 2**63 - 1, 7, 8, 9])
        lines = {longest, *draw.sample(range(-20, 20), 6)}
        drafts.add(draft(f"{number}", source), b"", longest, lines)
        articles[source].add(longest)
        for line in lines:
            holders[source, line].add(longest)
    assert drafts.sources() == sorted(articles)
    for source, some in articles.items():
        assert drafts.articles(source) == len(some)
        for least in (1, 2, 4, 6):
            assert drafts.repeated_lines(source, least) == {
                line: len(holding)
                for (of, line), holding in holders.items()
                if of == source and len(holding) >= least
            }


def test_counts_go_on_when_more_is_added_after_they_were_asked_for(drafts):
    drafts.add(draft("a"), b"", 1, {1, 5})
    assert drafts.articles("news") == 1
    assert drafts.repeated_lines("news", 1)[5] == 1
    drafts.add(draft("b"), b"", 2, {2, 5})
    assert drafts.articles("news") == 2
    assert drafts.repeated_lines("news", 1)[5] == 2


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_of_a_file_that_fails_nothing_is_kept_and_the_file_before_stays(drafts, error):
    with drafts.whole_file():
        drafts.add(draft("first::1"), b"", 1, {1, 5})
        drafts.add(draft("first::2"), b"", 2, {2, 5})
    with pytest.raises(error), drafts.whole_file():
        drafts.add(draft("second::1"), b"", 3, {3, 5})
        assert drafts.has("second::1")
        raise error
    assert [each.doc_id for each, *_ in drafts.to_write()] == ["first::1", "first::2"]
    assert not drafts.has("second::1")
    assert drafts.repeated_lines("news", 1) == {1: 1, 2: 1, 5: 2}
    with drafts.whole_file():
        drafts.add(draft("second::1"), b"", 4, {4})
    assert drafts.count_to_write() == 3


def test_the_lines_of_a_document_are_its_own(drafts):
    drafts.add(draft("a"), b"", 1, {1, 5, -(2**63)})
    drafts.add(draft("b"), b"", 2, ())
    assert sorted(drafts.line_keys("a")) == [-(2**63), 1, 5]
    assert drafts.line_keys("b") == drafts.line_keys("nowhere") == []


def test_without_an_earlier_generation_nothing_crosses_back_and_nothing_is_dropped(drafts):
    drafts.add(draft("a"), b"1", 1, {1, 5})
    drafts.forget("a")
    drafts.mark_threshold_crossings("news", {5})
    assert drafts.files_with_crossed_lines() == set()
    assert drafts.plan_changes() == set()
    assert drafts.count_to_write() == 1


def test_two_builds_have_drafts_of_their_own():
    one, other = StagedDocuments(), StagedDocuments()
    one.add(draft("a"), b"", 1, {1})
    assert (one.count_to_write(), other.count_to_write()) == (1, 0)
    one.close()
    other.close()


KILLED = """
import os, signal, sys
from indexer.datatypes import SourceFile, Document
from indexer.store.staging import StagedDocuments as Drafts
drafts = Drafts()
for number in range(400):
    with drafts.whole_file():
        text = f"A private line of article {number}. " * 1_000
        drafts.add(Document(f"{number}", "", text, "", "en"), b"", number, range(50))
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
