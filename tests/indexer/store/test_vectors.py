import resource
import sqlite3
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from places import ROOT

from indexer.store.vectors import VectorCache


@pytest.fixture
def path(tmp_path):
    return tmp_path / "vectors.sqlite"


def key(number):
    return number.to_bytes(32, "big")


def vectors(*rows):
    return np.array(rows, np.float32)


def test_what_was_put_is_got_by_value_in_the_order_asked_for(path):
    with VectorCache.open(path) as cache:
        cache.put([key(1), key(2), key(3)], vectors([1, 0.1], [2, 0.2], [-3, 0.3]))
        got = cache.get([key(3), key(1), key(3)])
    assert (got.dtype, got.shape) == (np.float32, (3, 2))
    assert got.tolist() == vectors([-3, 0.3], [1, 0.1], [-3, 0.3]).tolist()


def test_bits_survive_whatever_the_numbers(path):
    odd = vectors([0.0, -0.0, 1e-45, 3.4e38, np.inf, np.nan])
    with VectorCache.open(path) as cache:
        cache.put([key(0)], odd)
        assert cache.get([key(0)]).tobytes() == odd.tobytes()


def test_a_slice_of_a_larger_array_is_kept_by_value(path):
    grid = np.arange(12, dtype=np.float32).reshape(3, 4)
    with VectorCache.open(path) as cache:
        cache.put([key(0), key(1)], grid[:, ::2].T[:, :3])
        assert cache.get([key(0), key(1)]).tolist() == [[0, 4, 8], [2, 6, 10]]


def test_missing_names_each_unknown_key_once_in_order(path):
    with VectorCache.open(path) as cache:
        cache.put([key(2)], vectors([1]))
        assert cache.missing([key(5), key(2), key(1), key(5), key(2)]) == [key(5), key(1)]
        assert cache.missing(key(n) for n in (2, 2)) == []
        assert cache.missing([]) == []


def test_an_unknown_key_is_an_error_not_a_gap(path):
    with VectorCache.open(path) as cache:
        cache.put([key(1)], vectors([1]))
        with pytest.raises(KeyError):
            cache.get([key(1), key(2)])


def test_a_key_put_again_has_its_last_vector(path):
    with VectorCache.open(path) as cache:
        cache.put([key(1)], vectors([1]))
        cache.put([key(1)], vectors([2]))
        assert cache.get([key(1)]).tolist() == [[2]]


@pytest.mark.parametrize("count", [499, 500, 501, 1_000, 1_203])
def test_more_keys_than_one_statement_takes(path, count):
    keys = [key(number) for number in range(count)]
    values = np.arange(count, dtype=np.float32).reshape(-1, 1)
    with VectorCache.open(path) as cache:
        cache.put(keys[::2], values[::2])
        assert cache.missing(keys) == keys[1::2]
        cache.put(keys[1::2], values[1::2])
        assert cache.get(keys[::-1]).tolist() == values[::-1].tolist()


@pytest.mark.parametrize("amount", [1, 3])
def test_a_put_that_does_not_fit_keeps_nothing(path, amount):
    with VectorCache.open(path) as cache:
        with pytest.raises(ValueError, match="zip"):
            cache.put([key(1), key(2)], np.ones((amount, 2), np.float32))
        assert cache.missing([key(1), key(2)]) == [key(1), key(2)]


def test_what_was_put_is_there_in_the_next_process_though_this_one_died(path):
    program = (
        "import os, sys; import numpy as np; from pathlib import Path\n"
        "from indexer.store.vectors import VectorCache\n"
        "cache = VectorCache.open(Path(sys.argv[1])).__enter__()\n"
        "cache.put([b'a' * 32, b'b' * 32], np.array([[1, 2], [3, 4]], np.float32))\n"
        "os._exit(9)"
    )
    killed = subprocess.run([sys.executable, "-c", program, str(path)], cwd=ROOT, check=False)
    assert killed.returncode == 9
    with VectorCache.open(path) as cache:
        assert cache.get([b"b" * 32, b"a" * 32]).tolist() == [[3, 4], [1, 2]]


@pytest.mark.parametrize(
    "content", [b"", b"not a database", b"\0" * 5_000, b"SQLite format 3\0" + b"\xff" * 5_000]
)
def test_a_file_that_is_not_sqlite_is_begun_anew(path, content):
    path.write_bytes(content)
    with VectorCache.open(path) as cache:
        assert cache.missing([key(1)]) == [key(1)]
        cache.put([key(1)], vectors([7]))
    with VectorCache.open(path) as cache:
        assert cache.get([key(1)]).tolist() == [[7]]


def test_a_database_of_something_else_is_begun_anew(path):
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE vectors (name TEXT)")
    connection.close()
    with VectorCache.open(path) as cache:
        assert cache.missing([key(1)]) == [key(1)]


def test_a_cache_that_cannot_be_opened_just_now_is_not_thrown_away(path):
    """With no file handles left the file cannot be opened, which says nothing of what is in it."""
    with VectorCache.open(path) as cache:
        cache.put([key(1)], vectors([7]))
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, before[1]))
    try:
        with pytest.raises(sqlite3.OperationalError):
            VectorCache.open(path)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    with VectorCache.open(path) as cache:
        assert cache.missing([key(1)]) == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 9), st.floats(width=32, allow_nan=False)), max_size=30), st.data())
def test_it_is_a_dictionary_that_lasts(tmp_path, puts, data):
    path = tmp_path / "property.sqlite"
    path.unlink(missing_ok=True)
    expected = {}
    for number, value in puts:
        with VectorCache.open(path) as cache:
            cache.put([key(number)], vectors([value, number]))
        expected[number] = [value, number]
    asked = data.draw(st.lists(st.integers(0, 9), max_size=20))
    with VectorCache.open(path) as cache:
        absent = dict.fromkeys(key(number) for number in asked if number not in expected)
        assert cache.missing([key(number) for number in asked]) == list(absent)
        known = [number for number in asked if number in expected]
        if known:
            assert cache.get([key(n) for n in known]).tolist() == [expected[n] for n in known]
