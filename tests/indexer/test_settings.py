"""Settings: the environment is read in one place, and nonsense in it does no harm."""

import ast
import json
import os
from pathlib import Path

import pytest

from indexer.settings import (
    ANALYSIS_VERSION,
    FORMAT_VERSION,
    READING_VERSION,
    SPLITTING_VERSION,
    BuildSettings,
    cache_dir,
    threads,
)
from tests.support.paths import ROOT


def test_the_environment_is_read_in_one_place():
    readers = set()
    for path in [*(ROOT / "indexer").rglob("*.py"), *(ROOT / "web").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            of_os = isinstance(node, ast.Attribute) and getattr(node.value, "id", None) == "os"
            name = node.attr if of_os else getattr(node, "id", None)  # a request has an environ too
            if name in {"environ", "getenv", "putenv", "environb"}:
                readers.add(path.relative_to(ROOT).as_posix())
    assert readers == {"indexer/settings.py"}


def test_cache_folder_comes_from_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("WARRAQ_CACHE", str(tmp_path / "here"))
    assert cache_dir() == tmp_path / "here"
    assert not (tmp_path / "here").exists()


@pytest.mark.parametrize("value", [None, ""])
def test_cache_folder_defaults_to_the_user_cache_folder(monkeypatch, tmp_path, value):
    monkeypatch.delenv("WARRAQ_CACHE", raising=False)
    if value is not None:
        monkeypatch.setenv("WARRAQ_CACHE", value)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    found = cache_dir()
    assert found.name == "warraq"
    assert found.is_relative_to(tmp_path)
    assert found != Path()


@pytest.mark.parametrize(("value", "expected"), [("1", 1), ("3", 3), ("16", 16)])
def test_thread_count_comes_from_the_environment(monkeypatch, value, expected):
    monkeypatch.setenv("WARRAQ_THREADS", value)
    assert threads() == expected


@pytest.mark.parametrize("value", ["", "0", "-2", "two", "1.5", "²", " "])
def test_thread_count_defaults_to_the_usable_cores(monkeypatch, value):
    monkeypatch.setenv("WARRAQ_THREADS", value)
    assert threads() == len(os.sched_getaffinity(0))


def test_build_settings_are_json_with_every_version_in_them():
    settings = BuildSettings(
        "name",
        "abc",
        "openvino",
        384,
        {"query": "q: ", "document": "d: "},
        512,
        {"method": "m-1", "sample": "def", "used": False},
        {"text": "story"},
        "0123456789abcdef",
    )
    assert json.loads(json.dumps(settings.to_json())) == {
        "model": "name",
        "weights": "abc",
        "backend": "openvino",
        "dimension": 384,
        "prompts": {"query": "q: ", "document": "d: "},
        "window": 512,
        "language_neutral": {"method": "m-1", "sample": "def", "used": False},
        "fields": {"text": "story"},
        "line_secret": "0123456789abcdef",
        "reading_version": READING_VERSION,
        "format_version": FORMAT_VERSION,
        "splitting_version": SPLITTING_VERSION,
        "analysis_version": ANALYSIS_VERSION,
    }
