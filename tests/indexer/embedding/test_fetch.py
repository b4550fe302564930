import hashlib
import http.server
import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import ClassVar

import pytest

from tests.support.paths import ROOT

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub(http.server.BaseHTTPRequestHandler):
    """A model hub of two models, as much of it as a client that downloads one asks for."""

    models: ClassVar = {
        "newsroom/tiny": {
            "config.json": b"{}",
            "model.safetensors": b"weights",
            "1_Pooling/config.json": b"{}",
            "pytorch_model.bin": b"pickle",
            "modeling_tiny.py": b"raise SystemExit('code of a model was run')",
        },
        "newsroom/pickled": {"config.json": b"{}", "pytorch_model.bin": b"pickle"},
    }

    def log_message(self, *_):
        pass

    def do_GET(self):
        path = self.path.partition("?")[0]
        for name, files in self.models.items():
            if path.startswith(f"/api/models/{name}/revision/"):
                return self.answer_json(
                    {"id": name, "sha": COMMIT, "siblings": [{"rfilename": file} for file in files]}
                )
            if path.startswith(f"/api/models/{name}/tree/"):
                return self.answer_json(
                    [
                        {
                            "type": "file",
                            "path": file,
                            "size": len(body),
                            "oid": hashlib.sha1(body).hexdigest(),
                        }
                        for file, body in files.items()
                    ]
                )
            start = f"/{name}/resolve/{COMMIT}/"
            if path.startswith(start):
                body = files[path.removeprefix(start)]
                etag = hashlib.sha1(body).hexdigest()
                return self.answer(200, body, {"ETag": f'"{etag}"', "X-Repo-Commit": COMMIT})
        return self.answer(404, b"{}", {"X-Error-Code": "RepoNotFound"})

    do_HEAD = do_GET  # noqa: N815  # the name that the server looks for

    def answer_json(self, value):
        self.answer(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def answer(self, status, body, headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@pytest.fixture(scope="module")
def hub():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def fetch(tmp_path):
    """Fetch in a fresh process with a model cache of its own; the client reads the environment once."""

    def run(name, what="fetch", **environment):
        program = (
            "import sys, os; from indexer.embedding.encoder import find_model; from indexer.errors import ModelError\n"
            "from indexer.embedding.fetch import fetch_model\n"
            f"try: print(fetch_model({name!r}) if {what!r} == 'fetch' else find_model({name!r}).folder)\n"
            "except ModelError as error: print('refused:', error)"
        )
        started = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "HF_HOME": str(tmp_path / "hf"), "HF_HUB_DISABLE_XET": "1", **environment},
            check=False,
            capture_output=True,
            text=True,
            cwd=ROOT,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip(), time.perf_counter() - started

    return run


def closed_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def test_fetched_model_is_found_without_a_network(fetch, hub, tmp_path):
    folder, _ = fetch("newsroom/tiny", HF_ENDPOINT=hub)
    assert folder.startswith(str(tmp_path / "hf"))
    found, _ = fetch("newsroom/tiny", what="find", HF_ENDPOINT=f"http://127.0.0.1:{closed_port()}")
    assert found == folder


def test_pickles_and_code_are_not_fetched(fetch, hub):
    folder = Path(fetch("newsroom/tiny", HF_ENDPOINT=hub)[0])
    taken = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert taken == {"config.json", "model.safetensors", "1_Pooling/config.json"}
    assert (folder / "model.safetensors").read_bytes() == b"weights"


def test_a_model_of_pickles_only_is_refused(fetch, hub):
    said, _ = fetch("newsroom/pickled", HF_ENDPOINT=hub)
    assert said.startswith("refused: The model 'newsroom/pickled' has no weights in safetensors form")


def test_name_unknown_to_the_hub_is_reported(fetch, hub):
    said, _ = fetch("newsroom/nothing", HF_ENDPOINT=hub)
    assert said == "refused: The hub has no public model named 'newsroom/nothing'. Check its name."


@pytest.mark.parametrize("name", ["a b", "one/two/three", "-x/..y", ""])
def test_invalid_name_is_refused_without_a_request(fetch, name):
    said, _ = fetch(name, HF_ENDPOINT=f"http://127.0.0.1:{closed_port()}")
    assert said == f"refused: {name!r} is not a model name; it looks like owner/name."


@pytest.mark.parametrize("offline", ["0", "1"])
def test_missing_network_is_reported_at_once(fetch, offline):
    said, seconds = fetch(
        "newsroom/tiny", HF_ENDPOINT=f"http://127.0.0.1:{closed_port()}", HF_HUB_OFFLINE=offline
    )
    assert said.startswith("refused: The model 'newsroom/tiny' could not be fetched: is there a network?")
    assert seconds < 10
