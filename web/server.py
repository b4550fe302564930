"""Serving the application with waitress, and ending when told to."""

import logging
import signal
import sys
from types import FrameType

from flask import Flask

from indexer import WarraqError

THREADS = 4


def run(app: Flask, host: str, port: int) -> None:
    """Serve until SIGTERM or Ctrl-C."""
    from waitress import create_server

    # Both by hand: a shell starts background processes with Ctrl-C's signal ignored.
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, _stop)
    # It warns of every request that waits a moment for a thread.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    try:
        server = create_server(
            app, host=host, port=port, threads=THREADS, ident="warraq", clear_untrusted_proxy_headers=True
        )
    except (OSError, ValueError) as error:  # waitress makes a ValueError of a host that is not found
        reason = str(getattr(error, "strerror", None) or error).rstrip(".")
        raise WarraqError(
            f"Cannot listen on {host} port {port}: {reason}. Name another --host or --port."
        ) from error
    # One server for each address of a name, such as localhost's 127.0.0.1 and ::1.
    listening = getattr(server, "effective_listen", None) or [(host, server.effective_port)]
    print(
        f"Warraq is at http://{_shown(host)}:{listening[0][1]}/  (Ctrl-C ends it)",
        file=sys.stderr,
        flush=True,
    )
    try:
        server.run()
    except SystemExit:
        pass
    finally:
        server.close()


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)
