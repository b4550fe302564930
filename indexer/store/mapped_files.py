"""The files that FAISS and Tantivy map into memory: reading a mapped file beyond its end ends the process.

Nothing of Warraq shortens a file of a generation, but a full disk, a copy over it or a hand may. So the sizes
are compared before the files are used; a file that was removed stays whole for those who have it open.
"""

import os
from collections.abc import Iterable
from pathlib import Path


class MappedFiles:
    """The sizes that files had when they were mapped."""

    def __init__(self, paths: Iterable[Path]) -> None:
        self._sizes = {str(path): path.stat().st_size for path in paths}

    def shortened(self) -> str | None:
        """Return the name of a file that is shorter than it was; None if there is none."""
        for path, size in self._sizes.items():
            try:
                if os.stat(path).st_size < size:  # noqa: PTH116 - a Path for each file takes longer than the call
                    return os.path.basename(path)  # noqa: PTH119
            except OSError:
                continue  # removed, which takes nothing from the open file
        return None
