"""Serving the application with waitress, and ending when told to."""

import signal
import sys
from types import FrameType

from flask import Flask

THREADS = 4


def run(app: Flask, host: str, port: int) -> None:
    """Serve until SIGTERM or Ctrl-C."""
    from waitress import create_server

    signal.signal(signal.SIGTERM, _stop)
    try:
        server = create_server(
            app, host=host, port=port, threads=THREADS, ident="warraq", clear_untrusted_proxy_headers=True
        )
    except OSError as error:
        sys.exit(
            f"Error: cannot listen on {host} port {port}: {error.strerror or error}. Name another --port."
        )
    print(
        f"Warraq is at http://{_shown(host)}:{server.effective_port}/  (Ctrl-C ends it)",
        file=sys.stderr,
        flush=True,
    )
    try:
        server.run()
    except (KeyboardInterrupt, SystemExit):
        pass
    finally:
        server.close()


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)
