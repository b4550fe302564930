"""The package as users install it: a wheel that works without the repository."""

import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.support.archives import write_small
from tests.support.paths import ROOT

READY_WITHIN = 120  # seconds


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with what the wheel installs, and nothing of the repository."""
    place = tmp_path_factory.mktemp("wheel")
    source = place / "source"
    for name in ("indexer", "web"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run(
        [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", place, source],
        check=True, cwd=place, capture_output=True,
    )  # fmt: skip
    (wheel,) = place.glob("warraq-*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(place / "site")
    return place / "site"


@pytest.fixture
def environment(installed, model_cache):
    return {**os.environ, "PYTHONPATH": str(installed), "WARRAQ_CACHE": str(model_cache)}


def test_the_wheel_holds_every_file_that_is_read_at_run_time(installed):
    held = {path.relative_to(installed).as_posix() for path in installed.rglob("*") if path.is_file()}
    tracked = subprocess.run(
        ["git", "ls-files", "indexer", "web"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    left_out = {path for path in tracked if path not in held}
    assert {Path(path).suffix for path in left_out} <= {".po", ".cfg"}


def test_the_wheel_builds_searches_and_serves_outside_the_repository(installed, environment, tmp_path):
    write_small(tmp_path / "articles")

    def command(*arguments):
        done = subprocess.run(
            [sys.executable, "-P", "-m", "indexer", *arguments],
            cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    where = subprocess.run(
        [sys.executable, "-P", "-c", "import indexer, web; print(indexer.__file__, web.__file__)"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    assert all(Path(file).is_relative_to(installed) for file in where)
    report = json.loads(command("build", "--archive", "articles", "--index", "index", "--json", "--quiet"))
    assert (report["documents"], report["encoded"], report["failed"]) == (2, 4, [])
    question = "How full are the dams in Jordan?"
    printed = command("search", question, "--index", "index", "--json", "--lang", "ar")
    assert printed.count("\n") == 1
    hit = json.loads(printed)["hits"][0]
    assert "السدود امتلأت" in hit["text"]
    assert (hit["dir"], hit["source"]["path"], hit["source"]["line_end"]) == ("rtl", "ar/water.txt", 2)
    server = subprocess.Popen(
        [sys.executable, "-P", "-m", "indexer", "serve", "--index", "index", "--port", "0"],
        cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        line = server.stderr.readline()
        address = "http" + line.partition("http")[2].split()[0].rstrip("/")
        deadline = time.monotonic() + READY_WITHIN
        page = b""
        while b"talks.txt" not in page and time.monotonic() < deadline:
            time.sleep(0.5)
            try:
                page = urlopen(f"{address}/?q=grain+corridor").read()
            except OSError:
                continue
        assert b"talks.txt" in page
        assert urlopen(f"{address}/openapi.json").status == 200
    finally:
        server.terminate()
        server.wait(15)
        server.stderr.close()
