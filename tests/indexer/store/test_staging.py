"""Staging: documents are read back unchanged, articles are counted, and no file stays on the disk."""

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


def make_document(doc_id, source="news", text="A line."):
    return Document(doc_id, "", text, source, "en")


@pytest.fixture
def staged():
    staged = StagedDocuments()
    yield staged
    staged.close()


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
def test_documents_are_read_back_unchanged_and_in_order(some):
    staged = StagedDocuments()
    for number, each in enumerate(some):
        staged.add(each, bytes([number]), 1 - number, {1})
    for _ in range(2):
        assert list(staged.to_write()) == [(each, bytes([n]), 1 - n) for n, each in enumerate(some)]
    assert staged.plan_changes() == set()
    assert [each for each, *_ in staged.to_write()] == some
    assert (staged.count_to_write(), list(staged.metadata_updates())) == (len(some), [])
    assert all(staged.has(each.doc_id) for each in some)
    staged.close()


def test_id_is_known_once_its_document_is_added(staged):
    assert not staged.has("a")
    staged.add(make_document("a"), b"", 1, [1])
    assert staged.has("a")
    assert not staged.has("A")
    assert not staged.has("")


def test_a_line_is_counted_once_for_each_article_of_a_source(staged):
    staged.add(make_document("a"), b"", 100, {100, 1, 2})
    staged.add(make_document("b"), b"", 200, {200, 1})
    staged.add(make_document("c", "sport"), b"", 300, {300, 1})
    assert staged.sources() == ["news", "sport"]
    assert [staged.articles(each) for each in ("news", "sport", "nowhere")] == [2, 1, 0]
    assert staged.repeated_lines("news", 1) == {100: 1, 200: 1, 1: 2, 2: 1}
    assert staged.repeated_lines("sport", 1) == {300: 1, 1: 1}
    assert staged.repeated_lines("nowhere", 1) == {}


def test_duplicate_articles_count_as_one(staged):
    for number in range(20):
        staged.add(make_document(f"copy {number}"), b"", 100, {100, 1})
    staged.add(make_document("other"), b"", 200, {200, 1})
    assert staged.articles("news") == 2
    assert staged.repeated_lines("news", 1) == {100: 1, 200: 1, 1: 2}


@pytest.mark.parametrize("seed", range(3))
def test_counts_equal_the_set_reference(staged, seed):
    draw = random.Random(seed)
    holders, articles = defaultdict(set), defaultdict(set)
    for number in range(300):
        source, longest = draw.choice(["", "news", "صحيفة"]), draw.choice([-(2**63), 2**63 - 1, 7, 8, 9])
        lines = {longest, *draw.sample(range(-20, 20), 6)}
        staged.add(make_document(f"{number}", source), b"", longest, lines)
        articles[source].add(longest)
        for line in lines:
            holders[source, line].add(longest)
    assert staged.sources() == sorted(articles)
    for source, some in articles.items():
        assert staged.articles(source) == len(some)
        for least in (1, 2, 4, 6):
            assert staged.repeated_lines(source, least) == {
                line: len(holding)
                for (of, line), holding in holders.items()
                if of == source and len(holding) >= least
            }


def test_counts_are_updated_by_later_additions(staged):
    staged.add(make_document("a"), b"", 1, {1, 5})
    assert staged.articles("news") == 1
    assert staged.repeated_lines("news", 1)[5] == 1
    staged.add(make_document("b"), b"", 2, {2, 5})
    assert staged.articles("news") == 2
    assert staged.repeated_lines("news", 1)[5] == 2


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_failed_file_keeps_nothing_and_the_previous_file_stays(staged, error):
    with staged.whole_file():
        staged.add(make_document("first::1"), b"", 1, {1, 5})
        staged.add(make_document("first::2"), b"", 2, {2, 5})
    with pytest.raises(error), staged.whole_file():
        staged.add(make_document("second::1"), b"", 3, {3, 5})
        assert staged.has("second::1")
        raise error
    assert [each.doc_id for each, *_ in staged.to_write()] == ["first::1", "first::2"]
    assert not staged.has("second::1")
    assert staged.repeated_lines("news", 1) == {1: 1, 2: 1, 5: 2}
    with staged.whole_file():
        staged.add(make_document("second::1"), b"", 4, {4})
    assert staged.count_to_write() == 3


def test_lines_belong_to_their_document(staged):
    staged.add(make_document("a"), b"", 1, {1, 5, -(2**63)})
    staged.add(make_document("b"), b"", 2, ())
    assert sorted(staged.line_keys("a")) == [-(2**63), 1, 5]
    assert staged.line_keys("b") == staged.line_keys("nowhere") == []


def test_staging_without_a_base_restores_and_drops_nothing(staged):
    staged.add(make_document("a"), b"1", 1, {1, 5})
    staged.forget("a")
    staged.mark_threshold_crossings("news", {5})
    assert staged.files_with_crossed_lines() == set()
    assert staged.plan_changes() == set()
    assert staged.count_to_write() == 1


def test_two_builds_have_separate_staging():
    one, other = StagedDocuments(), StagedDocuments()
    one.add(make_document("a"), b"", 1, {1})
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
def test_kill_leaves_nothing_on_the_disk(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path)], capture_output=True, text=True, check=False, cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path), "SQLITE_TMPDIR": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr
    if sys.platform == "linux":
        assert done.stdout == "True\n"  # more was added than memory keeps, so there was a file
    assert list(tmp_path.rglob("*")) == []
