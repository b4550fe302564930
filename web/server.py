"""Serving the application with waitress, and ending when told to."""

import logging
import signal
import sys
from types import FrameType
from typing import Any

from flask import Flask

from indexer import WarraqError

THREADS = 4
HEADER_SIZE, BODY_SIZE = 32 << 10, 64 << 10  # bytes; a question of 1,000 characters takes 12 KB at most
IDLE = 60  # seconds that a connection may say nothing
PROXY: dict[str, Any] = {
    "trusted_proxy": "127.0.0.1",
    "trusted_proxy_headers": {"x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"},
}


def run(app: Flask, host: str, port: int, *, proxy: bool = False) -> None:
    """Serve until SIGTERM or Ctrl-C. With `proxy`, believe the headers of a proxy on this machine."""
    from waitress import create_server

    # Both by hand: a shell starts background processes with Ctrl-C's signal ignored.
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, _stop)
    # It warns of every request that waits a moment for a thread.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    try:
        server = create_server(
            app, host=host, port=port, threads=THREADS, ident="warraq",
            max_request_header_size=HEADER_SIZE, max_request_body_size=BODY_SIZE,
            channel_timeout=IDLE, clear_untrusted_proxy_headers=True, **(PROXY if proxy else {}),
        )  # fmt: skip
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
