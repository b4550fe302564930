"""The secret of the lines' keys: one, kept by its user alone."""

import os
import subprocess
import sys
import threading

import pytest

from indexer.boilerplate.line_secret import LENGTH, NAME, fingerprint, read_line_secret
from tests.support.generations import names
from tests.support.paths import ROOT


def test_line_secret_is_made_once_with_user_only_permissions(tmp_path):
    folder = tmp_path / "cache" / "warraq"
    secret = read_line_secret(folder)
    assert len(secret) == LENGTH == 32
    assert (folder / NAME).read_bytes() == secret
    assert (folder / NAME).stat().st_mode & 0o777 == 0o600
    before = (folder / NAME).stat()
    assert read_line_secret(folder) == secret
    assert (folder / NAME).stat().st_mtime_ns == before.st_mtime_ns
    assert names(folder) == [NAME]


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_line_secret_is_user_only_whatever_the_umask(tmp_path, mask):
    before = os.umask(mask)
    try:
        read_line_secret(tmp_path)
    finally:
        os.umask(before)
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600


def test_each_folder_has_its_own_line_secret(tmp_path):
    assert len({read_line_secret(tmp_path / f"{number}") for number in range(20)}) == 20


def test_concurrent_threads_get_the_same_line_secret(tmp_path):
    for number in range(20):
        start, got = threading.Barrier(8), []

        def ask(folder=tmp_path / f"{number}", start=start, got=got):
            start.wait()
            got.append(read_line_secret(folder))

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert got == [(tmp_path / f"{number}" / NAME).read_bytes()] * 8
        assert names(tmp_path / f"{number}") == [NAME]


def test_concurrent_processes_get_the_same_line_secret(tmp_path):
    program = (
        "import sys; from pathlib import Path; from indexer.boilerplate.line_secret import read_line_secret as read_secret\n"
        "sys.stdin.read(1)\n"
        "print(read_secret(Path(sys.argv[1])).hex())"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path / "cache")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
        )
        for _ in range(4)
    ]  # fmt: skip
    for process in processes:
        process.stdin.write("x")
        process.stdin.flush()
    answers = {process.communicate()[0] for process in processes}
    assert answers == {f"{read_line_secret(tmp_path / 'cache').hex()}\n"}
    assert names(tmp_path / "cache") == [NAME]


def test_line_secret_that_cannot_be_stored_differs_every_time(tmp_path):
    (tmp_path / "file").write_text("not a folder", "utf-8")
    made = [read_line_secret(place) for place in [tmp_path / "file", tmp_path / "file" / "deeper"] * 2]
    assert len(set(made)) == 4
    assert {len(each) for each in made} == {LENGTH}
    assert names(tmp_path) == ["file"]
    assert (tmp_path / "file").read_text("utf-8") == "not a folder"


READ_ONLY = (
    "import os, sys; from pathlib import Path; from indexer.boilerplate.line_secret import read_line_secret as read_secret\n"
    "if os.getuid() == 0: os.setgid(65534); os.setuid(65534)\n"
    "folder = Path(sys.argv[1])\n"
    "one, other = read_secret(folder), read_secret(folder)\n"
    "print(len(one), len(other), one != other, os.access(folder, os.W_OK))"
)


def test_line_secret_in_a_read_only_folder_differs_every_time(public):
    public.chmod(0o555)
    done = subprocess.run(
        [sys.executable, "-c", READ_ONLY, str(public)], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout == "32 32 True False\n"
    assert names(public) == []


@pytest.mark.parametrize("content", [b"", b"x" * (LENGTH - 1), b"x" * (LENGTH + 1)])
def test_invalid_secret_file_is_ignored_and_left_in_place(tmp_path, content):
    (tmp_path / NAME).write_bytes(content)
    assert read_line_secret(tmp_path) != read_line_secret(tmp_path)
    assert (tmp_path / NAME).read_bytes() == content
    assert names(tmp_path) == [NAME]


def test_line_secret_without_hard_links_leaves_no_temporary_file(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "link", refuse)
    assert len(read_line_secret(tmp_path)) == LENGTH
    assert names(tmp_path) == []


def test_secret_identifier_distinguishes_secrets_without_revealing_them(tmp_path):
    secrets = [bytes(LENGTH), b"\1" + bytes(LENGTH - 1), read_line_secret(tmp_path)]
    named = [fingerprint(each) for each in secrets]
    assert len(set(named)) == 3
    assert named == [fingerprint(each) for each in secrets]
    assert all(
        len(each) == 16 and not each.startswith(secret.hex()[:8])
        for each, secret in zip(named, secrets, strict=True)
    )
