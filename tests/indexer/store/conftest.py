"""An index folder without a generation, for the tests of the store."""

from pathlib import Path

import pytest

from indexer.store.folder import IndexFolder


@pytest.fixture
def folder(index: Path) -> IndexFolder:
    folder = IndexFolder(index)
    folder.prepare()
    return folder
