"""Fixtures that many tests share. Those that load the real model do so once a run."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.archives import write_small

if TYPE_CHECKING:
    from indexer.embedding.encoder import Encoder
    from tests.support.fakes import FakeModel

# As below for the library of numpy, which reads this once: before a fixture or a test imports numpy.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

MEMORY, MEMORY_NEEDED = Path("/dev/shm"), 2**32  # a file system in memory, and bytes that it must have left


def pytest_configure() -> None:
    """Have each of two processes of tests, and what it starts, take one of two cores; write to memory.

    Threads of the model's library wait for each other by turning round: more of them than cores are slow.
    """
    if "PYTEST_XDIST_WORKER" in os.environ:
        os.environ.setdefault("WARRAQ_THREADS", "1")
    # Builds sync their files again and again, and an open index has files in the folder for temporary ones; in
    # memory that costs nothing.
    if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > MEMORY_NEEDED:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))
        tempfile.tempdir = os.environ.setdefault("TMPDIR", str(MEMORY))


SLOW_FIXTURES = frozenset({"encoder", "browser", "faults", "live", "installed"})
"""The real model, a browser, programs that break builds, a server, a wheel."""
SLOW_FILES = frozenset({
    "test_assets.py", "test_docs.py", "test_encoder.py", "test_evaluation.py", "test_fetch.py", "test_fuzz.py",
    "test_inspection.py", "test_library.py", "test_maintenance.py", "test_messy.py", "test_model.py",
    "test_service.py", "test_switching.py",
})  # fmt: skip
"""Files whose tests start processes, or take seconds each."""
SLOW_FOLDERS = frozenset({
    "building", "cli", "faults", "integrity", "readers", "retrieval", "store", "api", "pages", "server",
})  # fmt: skip
"""Folders whose tests read files or build indexes: a tenth of a second each, and there are thousands."""


def is_slow(path: Path, root: Path) -> bool:
    """Return whether all tests of a file are slow, by its name or its folder."""
    return path.name in SLOW_FILES or bool(SLOW_FOLDERS.intersection(path.relative_to(root).parts))


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Skip files of slow tests alone where none of them would run: to read them takes longer than the rest."""
    return (config.option.markexpr == "not slow" and is_slow(collection_path, config.rootpath)) or None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that `make quick` leaves out: those above, and those that draw many examples."""
    for item in items:
        draws = getattr(getattr(item, "obj", None), "is_hypothesis_test", False)
        fixtures = SLOW_FIXTURES.intersection(getattr(item, "fixturenames", ()))
        if fixtures or draws or is_slow(item.path, item.config.rootpath):
            item.add_marker(pytest.mark.slow)


@pytest.fixture
def model() -> "FakeModel":
    from tests.support.fakes import FakeModel

    return FakeModel()


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A small archive: two languages, a folder, and a file of each kind that cannot be read."""
    folder = tmp_path / "articles"
    write_small(folder)
    return folder


@pytest.fixture
def index(tmp_path: Path) -> Path:
    return tmp_path / "index"


@pytest.fixture(scope="session", autouse=True)
def model_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of the unpacked model, shared by the whole run, and of the secret; the user's own is left alone."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # of both processes
    folder /= "cache"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WARRAQ_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="session", autouse=True)
def remembered_spaces() -> Iterator[None]:
    """Ask once whether a space helps vectors of the parallel sample: every build of a fake model has the same."""
    from indexer.building import build
    from indexer.embedding import language_neutral

    helps: dict[bytes, bool] = {}

    def improves(*vectors: language_neutral.Vectors) -> bool:
        key = b"".join(each[role].tobytes() for each in vectors for role in language_neutral.ROLES)
        if key not in helps:
            helps[key] = language_neutral.improves(*vectors)
        return helps[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "improves", improves)
        yield


@pytest.fixture(scope="session")
def encoder(model_cache: Path) -> "Encoder":
    """The real bundled model."""
    from indexer.embedding.encoder import find_model

    return find_model("bundled").open()


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that other users may enter, which `tmp_path` is not."""
    folder = Path(tempfile.mkdtemp(prefix="warraq-test-"))
    folder.chmod(0o755)
    yield folder
    for path in [folder, *folder.rglob("*")]:
        if path.is_dir():
            path.chmod(0o755)
    shutil.rmtree(folder)
