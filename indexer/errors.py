"""The errors that Warraq raises, as one short tree.

    WarraqError                 exit 5, HTTP 500
    ├── RequestError            exit 2, HTTP 400   the query or an option is not legal
    │   ├── GenerationChanged   exit 2, HTTP 409   the request names another generation
    │   └── NoSuchPassage       exit 2, HTTP 404   the request names a passage that is not in the index
    ├── ArchiveError            exit 2             no folder to read articles from
    ├── ModelError              exit 2, HTTP 503   the model is not on this machine or cannot be read
    ├── IndexUnusable           exit 3, HTTP 503   damaged, built by another version, or not Warraq's
    │   ├── NoIndex             exit 3, HTTP 503   nothing has been built yet
    │   └── IndexDamaged        exit 3, HTTP 503   a file has changed since it was written
    └── UnreadableFile                             one file of an archive: listed; the build goes on

A message holds the fact; `remedy` is the command that repairs it, if there is one. `str` has both.
Each edge (command line, HTTP) converts errors once.
"""

from typing import ClassVar


class WarraqError(Exception):
    """Root of the tree; `code` is stable, so that programs can rely on it.

    >>> try:
    ...     open_searcher("nowhere")
    ... except WarraqError as error:
    ...     print(error.code, "|", error.remedy)
    no_index | warraq build --archive DIR --index nowhere
    """

    code: ClassVar[str] = "internal"
    exit_status: ClassVar[int] = 5
    http_status: ClassVar[int] = 500

    def __init__(self, message: str, *, remedy: str | None = None) -> None:
        super().__init__(f"{message} Run: {remedy}" if remedy else message)
        self.message, self.remedy = message, remedy


class RequestError(WarraqError):
    """A request that is refused; values are never clamped. `code` names the fault of this request."""

    exit_status = 2
    http_status = 400

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code  # type: ignore[misc]  # each instance has the code of its own fault


class GenerationChanged(RequestError):
    """The request names a generation other than the one that is served."""

    http_status = 409

    def __init__(self, requested: str, served: str) -> None:
        super().__init__(
            "generation_changed",
            f"The index has changed: generation {requested} was asked for, {served} is served. "
            "Search again without 'generation'.",
        )


class NoSuchPassage(RequestError):
    """The request is about a passage that the index does not hold."""

    http_status = 404

    def __init__(self, passage_id: str) -> None:
        super().__init__("no_such_passage", f"The index holds no passage {passage_id[:200]!r}.")


class ArchiveError(WarraqError):
    """There is no folder of articles where one was named."""

    code = "no_archive"
    exit_status = 2


class ModelError(WarraqError):
    """The embedding model is not on this machine or cannot be read."""

    code = "no_model"
    exit_status = 2
    http_status = 503


class IndexUnusable(WarraqError):
    """The index folder is damaged, was built by another version, or is not Warraq's."""

    code = "index_unusable"
    exit_status = 3
    http_status = 503


class NoIndex(IndexUnusable):
    """Nothing has been built in the index folder yet."""

    code = "no_index"


class IndexDamaged(IndexUnusable):
    """Something in the index folder has changed since it was written; `fact` names it in a few words."""

    def __init__(self, message: str, fact: str, *, remedy: str | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.fact = fact


class UnreadableFile(WarraqError):
    """One file that cannot become a document; the build lists it and continues."""

    code = "unreadable_file"
