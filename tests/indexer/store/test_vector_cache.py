"""The vector cache: a persistent dictionary that returns exactly the stored vectors."""

import random
import resource
import sqlite3
import subprocess
import sys
from contextlib import closing

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.store.vector_cache import VectorCache, checksum_path, clear_cache_files
from tests.support.generations import flip, names
from tests.support.paths import ROOT


@pytest.fixture
def path(tmp_path):
    return tmp_path / "vectors.sqlite"


def key(number):
    return number.to_bytes(32, "big")


def vectors(*rows):
    return np.array(rows, np.float32)


def test_stored_vectors_are_returned_in_the_requested_order(path):
    with VectorCache.open(path) as cache:
        cache.put([key(1), key(2), key(3)], vectors([1, 0.1], [2, 0.2], [-3, 0.3]))
        got = cache.get([key(3), key(1), key(3)])
    assert (got.dtype, got.shape) == (np.float32, (3, 2))
    assert got.tolist() == vectors([-3, 0.3], [1, 0.1], [-3, 0.3]).tolist()


def test_vectors_are_stored_bit_for_bit(path):
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


def test_key_put_again_has_the_last_vector(path):
    with VectorCache.open(path) as cache:
        cache.put([key(1)], vectors([1]))
        cache.put([key(1)], vectors([2]))
        assert cache.get([key(1)]).tolist() == [[2]]


@pytest.mark.parametrize("count", [499, 500, 501, 1_000, 1_203])
def test_more_keys_than_one_statement_are_found(path, count):
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


def test_stored_vectors_survive_the_death_of_the_process(path):
    program = (
        "import os, sys; import numpy as np; from pathlib import Path\n"
        "from indexer.store.vector_cache import VectorCache\n"
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
def test_file_that_is_not_sqlite_is_replaced(path, content):
    path.write_bytes(content)
    with VectorCache.open(path) as cache:
        assert cache.missing([key(1)]) == [key(1)]
        cache.put([key(1)], vectors([7]))
    with VectorCache.open(path) as cache:
        assert cache.get([key(1)]).tolist() == [[7]]


def test_foreign_database_is_replaced(path):
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE vectors (name TEXT)")
    connection.close()
    with VectorCache.open(path) as cache:
        assert cache.missing([key(1)]) == [key(1)]


def test_temporarily_unopenable_cache_is_kept(path):
    """With no file handles left the file cannot be opened, whatever its content."""
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
def test_cache_behaves_like_a_persistent_dictionary(tmp_path, puts, data):
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


# --- the checksum, and damage on the disk -----------------------------------------------

COUNT, WIDTH = 400, 64
KEYS = [bytes([number % 251]) * 3 + key(number)[3:] for number in range(COUNT)]
VALUES = np.random.default_rng(1).normal(size=(COUNT, WIDTH)).astype(np.float32)
PAGE = 16_384


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """A cache of many pages and its checksum, as a build left them."""
    path = tmp_path_factory.mktemp("good") / "vectors.sqlite"
    with VectorCache.open(path) as cache:
        cache.put(KEYS, VALUES)
    return path.read_bytes(), checksum_path(path).read_text("utf-8")


@pytest.fixture
def lay(path, good):
    """Write that cache again, with its checksum or without."""

    def lay(with_checksum=True):
        clear_cache_files(path)
        path.write_bytes(good[0])
        if with_checksum:
            checksum_path(path).write_text(good[1], "utf-8")

    return lay


def damages(path):
    """The damages that a check finds; it opens the file itself and repairs nothing."""
    with closing(sqlite3.connect(path)) as connection:
        return list(VectorCache(path, connection).damages())


def use(path, mend=False):
    """Do what a build does with a cache; it must end with every vector as it is."""
    with VectorCache.open(path, mend=mend) as cache:
        again = len(cache.missing(KEYS))
        cache.put(KEYS[:1], VALUES[:1])
        while missing := cache.missing(KEYS):
            cache.put(missing, VALUES[[KEYS.index(each) for each in missing]])
        assert cache.get(KEYS).tobytes() == VALUES.tobytes()
    return again


def every(content, part):
    """All places of a file at which something stands."""
    at = content.find(part)
    while at >= 0:
        yield at
        at = content.find(part, at + 1)


def regions(size, step=4_096):
    """Places at the head of each page, in the middle of it and at its end, drawn separately for each."""
    draw = random.Random(3)
    for page in range(0, size, step):
        for first, last in ((0, 12), (12, 120), (120, 2_000), (2_000, step - 100), (step - 100, step)):
            yield page + draw.randrange(first, last), draw.randrange(8)


def test_checksum_exists_while_no_build_writes(path):
    with VectorCache.open(path) as cache:
        cache.put([key(1)], vectors([1]))
        assert not checksum_path(path).exists()
    assert names(path.parent) == ["vectors.sha256", "vectors.sqlite"]
    checksum = checksum_path(path).read_text("utf-8")
    assert len(checksum) == 65
    with VectorCache.open(path) as cache:
        assert cache.missing([key(1), key(2)]) == [key(2)]
        assert list(cache.damages()) == []
        assert checksum_path(path).read_text("utf-8") == checksum  # nothing was written
    with VectorCache.open(path) as cache:
        cache.put([key(2)], vectors([2]))
        assert not checksum_path(path).exists()
    assert checksum_path(path).read_text("utf-8") != checksum
    assert damages(path) == []


def test_failed_block_stores_its_vectors_with_a_checksum(path):
    with pytest.raises(ZeroDivisionError), VectorCache.open(path) as cache:
        cache.put([key(1)], vectors([1]))
        raise ZeroDivisionError
    assert damages(path) == []
    with VectorCache.open(path) as cache:
        assert cache.get([key(1)]).tolist() == [[1]]


def test_clearing_removes_all_files_of_the_cache(path):
    with VectorCache.open(path) as cache:
        cache.put([key(1)], vectors([1]))
    path.with_name("vectors.sqlite-journal").touch()
    (path.parent / "other.sqlite").touch()
    clear_cache_files(path)
    clear_cache_files(path)
    assert names(path.parent) == ["other.sqlite"]
    with VectorCache.open(path) as cache:
        assert len(cache) == 0
        assert cache.missing([key(1)]) == [key(1)]


def test_undamaged_cache_reports_no_damage(path, lay):
    for with_checksum in (True, False):
        lay(with_checksum)
        assert damages(path) == []
        assert use(path) == 0


def test_flipped_bit_in_any_region_of_any_page_is_found(path, lay, good):
    lay()
    for at, bit in [*((at, at % 8) for at in range(100)), *regions(len(good[0]))]:
        flip(path, at, bit)
        assert damages(path), (at, bit)
        flip(path, at, bit)
    assert damages(path) == []


def test_flipped_bit_loses_vectors_and_never_changes_one(path, lay, good):
    """With its checksum or, after a killed build, without: every returned vector is the stored one."""
    places = random.Random(5).sample(list(regions(len(good[0]))), 40)
    for with_checksum, mend in ((True, True), (True, False), (False, False)):
        for at, bit in places:
            lay(with_checksum)
            flip(path, at, bit)
            use(path, mend)
            assert use(path) == 0


def test_damaged_cache_with_a_checksum_is_repaired_on_request(path, lay, good):
    for at, bit in random.Random(6).sample(list(regions(len(good[0]))), 40):
        lay()
        flip(path, at, bit)
        with VectorCache.open(path, mend=True) as cache:
            assert list(cache.damages()) == [], (at, bit)
        assert damages(path) == [], (at, bit)


def test_damaged_key_is_repaired(path, lay, good):
    """Such a row cannot be found by its key, nor taken away by it."""
    places = [at for number in range(1, COUNT, 40) for at in every(good[0], KEYS[number])]
    assert len(places) >= 20  # in the table, and in its index
    for at in places:
        lay()
        flip(path, at, 7)
        with VectorCache.open(path, mend=True) as cache:
            assert list(cache.damages()) == []
        use(path)
        assert damages(path) == []


def test_only_the_damaged_vector_is_missing(path, lay, good):
    for with_checksum in (True, False):
        for number in (0, 7, COUNT - 1):
            lay(with_checksum)
            flip(path, good[0].index(VALUES[number].tobytes()) + 9)
            with VectorCache.open(path, mend=True) as cache:
                assert cache.missing(KEYS) == [KEYS[number]]
                with pytest.raises(KeyError):
                    cache.get([KEYS[number]])
                assert cache.get(KEYS[1:7]).tobytes() == VALUES[1:7].tobytes()
                assert len(cache) == COUNT - with_checksum  # with a checksum, the row is gone
            lay(with_checksum)
            flip(path, good[0].index(VALUES[number].tobytes()) + 9)
            assert any("1 vectors in vectors.sqlite have changed" in fact for fact in damages(path))


@pytest.mark.parametrize("at", [18, 19, 24, 28, 36, 44, 56, 60, 92, 96])
def test_flipped_bit_in_the_file_header_does_not_stop_a_build(path, lay, at):
    """In the header fields for the file format, its size, its free pages and its encoding."""
    for with_checksum in (True, False):
        for bit in range(8):
            lay(with_checksum)
            flip(path, at, bit)
            use(path)
            assert use(path) == 0
    assert set(names(path.parent)) == {"vectors.sqlite", "vectors.sha256"}


@pytest.mark.parametrize("content", ["", "00" * 32 + "\n", "\udcff"])
def test_damaged_checksum_is_found_and_loses_no_vector(path, lay, content):
    lay()
    checksum_path(path).write_bytes(content.encode("utf-8", "surrogateescape"))
    assert damages(path) == ["vectors.sqlite has changed since it was written"]
    assert use(path, mend=True) == 0
    assert damages(path) == []


@pytest.mark.parametrize("keep", [0, 1, 50, 100, PAGE, 2 * PAGE + 7, -1, -PAGE])
def test_truncated_cache_is_found_and_repaired(path, lay, good, keep):
    lay()
    path.write_bytes(good[0][:keep])
    assert damages(path)
    use(path, mend=True)
    assert damages(path) == []
    assert use(path) == 0


def test_cache_without_checksums_is_replaced(path):
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE vectors (key BLOB PRIMARY KEY, vector BLOB)")
        connection.execute("INSERT INTO vectors VALUES (?, ?)", (key(1), b"1234"))
    with VectorCache.open(path) as cache:
        assert cache.missing([key(1)]) == [key(1)]


def test_a_vector_under_the_key_of_another_is_missing(path):
    """The checksum is of both: whole rows may be swapped too."""
    with VectorCache.open(path) as cache:
        cache.put([key(1), key(2)], vectors([1], [2]))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "UPDATE vectors SET (vector, checksum) = "
            "(SELECT vector, checksum FROM vectors WHERE key = ?) WHERE key = ?",
            (key(1), key(2)),
        )
    with VectorCache.open(path) as cache:
        assert cache.missing([key(1), key(2)]) == [key(2)]
