"""Fixtures that many tests share. Those that load the real model do so once a run."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.embedding.encoder import Encoder, find_model
from tests.support.archives import write_small
from tests.support.fakes import FakeModel


def pytest_configure() -> None:
    """Have each of two processes of tests, and what it starts, take one of two cores.

    Threads of the model's library wait for each other by turning round: more of them than cores are slow.
    """
    if "PYTEST_XDIST_WORKER" in os.environ:
        os.environ.setdefault("WARRAQ_THREADS", "1")


SLOW_FIXTURES = frozenset({"encoder", "browser", "faults", "live", "installed"})
"""The real model, a browser, programs that break builds, a server, a wheel."""
SLOW_FILES = frozenset({
    "test_docs.py", "test_evaluation.py", "test_fetch.py", "test_fuzz.py", "test_messy.py", "test_switching.py",
    "test_webpages.py",
})  # fmt: skip
"""Files whose tests start processes, or take seconds each."""
SLOW_FOLDERS = frozenset({
    "building", "cli", "faults", "integrity", "retrieval", "store", "api", "pages", "server",
})  # fmt: skip
"""Folders whose tests build indexes: a tenth of a second each, and there are thousands."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that `make quick` leaves out: those above, and those that draw many examples."""
    for item in items:
        draws = getattr(getattr(item, "obj", None), "is_hypothesis_test", False)
        fixtures = SLOW_FIXTURES.intersection(getattr(item, "fixturenames", ()))
        folder = SLOW_FOLDERS.intersection(item.path.relative_to(item.config.rootpath).parts)
        if fixtures or draws or folder or item.path.name in SLOW_FILES:
            item.add_marker(pytest.mark.slow)


@pytest.fixture
def model() -> FakeModel:
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
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WARRAQ_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="session")
def encoder(model_cache: Path) -> Encoder:
    """The real bundled model."""
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
