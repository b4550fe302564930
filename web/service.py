"""Own the one Searcher behind all requests: open it in the background, replace it when the index switches.

A thread looks for a switch a few times a second. A request keeps the Searcher that it began with, so an
answer never mixes two generations; the files of an old generation are closed when the last request with it
ends.

If the model cannot be loaded, the index is opened without it and searched by words only; loading is retried
at intervals.
"""

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic

from flask import current_app

from indexer import Document, Searcher, WarraqError, open_searcher
from indexer.web_support import (
    CutLines,
    FileState,
    ModelError,
    NoIndex,
    Originals,
    SplitDocument,
    current_generation,
)

LOOKED_EVERY = 0.25  # seconds
TRIED_AGAIN_EVERY = 30.0  # seconds between retries after a failure; a model may have been fetched meanwhile

log = logging.getLogger(__name__)


class Loading(WarraqError):
    """The index and the model are still being loaded, which takes seconds."""

    code = "loading"
    http_status = 503

    def __init__(self) -> None:
        super().__init__("The index and the model are being loaded. Try again in a few seconds.")


class NotOpened(WarraqError):
    """The index could not be opened, for an unexpected reason."""

    code = "not_opened"
    http_status = 503

    def __init__(self) -> None:
        super().__init__("The index could not be opened. The server's log has the details; it tries again.")


class SearchService:
    """Hold the Searcher of an index folder's current generation; safe to share between threads."""

    def __init__(
        self,
        index: Path,
        model: str | None = None,
        open_index: Callable[[Path, str | None, Searcher | None], Searcher] | None = None,
        archive: Path | None = None,
    ) -> None:
        self.index, self.model, self.archive = index, model, archive
        self._originals = Originals()
        self._open = open_index or _open
        self._searcher: Searcher | None = None
        self._error: WarraqError = Loading()
        self._tried_generation: str | None = ""  # not the name of a generation, so the first one is new
        self._tried_at, self._failed = 0.0, False
        self._opening = threading.Lock()
        self._closed = threading.Event()
        self._watcher: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread that opens the index, loads the model and looks for switches."""
        self._watcher = threading.Thread(target=self._watch, name="open-index", daemon=True)
        self._watcher.start()

    def close(self) -> bool:
        """Stop looking for switches, close the files' readers; return whether the thread is still loading.

        Its loading is not waited for. A process that ends normally while a library is loading a model in
        native code aborts, so end it with `leave` then.
        """
        self._closed.set()
        if self._watcher:
            self._watcher.join(timeout=1)
        self._originals.close()
        return self._watcher is not None and self._watcher.is_alive()

    def searcher(self) -> Searcher:
        """Return the Searcher of the current generation; raises the error that kept it from opening.

        Without the thread, requests look for switches themselves: one request opens the new generation while
        the others still use the previous one.
        """
        if self._searcher is None or self._watcher is None:
            self._refresh_if_needed()
        if self._searcher is None:
            raise self._error
        return self._searcher

    def opened(self) -> Searcher | None:
        """Return the present Searcher, or None, without opening one or waiting."""
        return self._searcher

    def cut_lines(self, searcher: Searcher, article: SplitDocument) -> CutLines:
        """Return the cut lines of an article, with their text if its file is unchanged."""
        archive = self.archive or searcher.archive
        return self._originals.cut_lines(article, archive, searcher.field_names)

    def file_state(self, searcher: Searcher, document: Document) -> FileState:
        """Return whether an article's file is unchanged, changed or missing since it was indexed."""
        return self._originals.state(document, self.archive or searcher.archive)

    def _watch(self) -> None:
        self._refresh()
        while not self._closed.wait(LOOKED_EVERY):
            self._refresh_if_needed()

    def _refresh_if_needed(self) -> None:
        """Open the current generation, unless that has been tried and no retry is due."""
        waits_for_index = self._searcher is None and isinstance(self._error, NoIndex)
        if waits_for_index or self._is_retry_due() or self._tried_generation != self._current():
            self._refresh()

    def _is_retry_due(self) -> bool:
        """Return whether it is time to retry after a failure, or to replace an incomplete Searcher."""
        searcher = self._searcher
        incomplete = self._failed or searcher is None or not searcher.has_model or searcher.damage
        return bool(incomplete) and monotonic() - self._tried_at >= TRIED_AGAIN_EVERY

    def _current(self) -> str | None:
        try:
            return current_generation(self.index)
        except WarraqError:
            return None

    def _refresh(self) -> None:
        if not self._opening.acquire(blocking=False):
            return  # another thread is opening the index
        try:
            current = self._current()
            up_to_date = (
                current is not None and current == self._tried_generation and self._searcher is not None
            )
            if up_to_date and not self._is_retry_due():
                return
            try:
                opened = self._open(self.index, self.model, self._searcher)
                self._log_change(opened)
                self._searcher, self._failed, self._error = opened, False, Loading()
            except WarraqError as error:
                # An earlier generation goes on answering; without one, requests get this error.
                if str(error) != str(self._error):
                    log.warning("The index cannot be opened: %s", error)
                self._error, self._failed = error, False
            except Exception:  # such as too many open files; the watching thread must survive it
                log.exception("The index could not be opened; it is tried again")
                self._error, self._failed = NotOpened(), True
            self._tried_generation, self._tried_at = current, monotonic()
        finally:
            self._opening.release()

    def _log_change(self, opened: Searcher) -> None:
        """Log the generation that is served from now on, and its damage, if either has changed."""
        before = self._searcher
        if before is None or before.generation != opened.generation:
            log.info("The index is open", extra={"generation": opened.generation})
        if opened.damage and (before is None or before.damage != opened.damage):
            log.warning("An older generation is served: %s", opened.damage)


def service() -> SearchService:
    """Return the SearchService of the application that answers the current request."""
    search_service: SearchService = current_app.extensions["search"]
    return search_service


def _open(index: Path, model: str | None, before: Searcher | None) -> Searcher:
    """Open an index with the encoder of the Searcher before; without any model if the model fails to load."""
    try:
        return open_searcher(index, model, before.encoder if before else None)
    except ModelError as error:
        log.error("The model cannot be loaded; passages are found by their words alone: %s", error)
        return open_searcher(index, without_model=True)
