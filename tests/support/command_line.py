"""The command line as tests run it: as its console script does, with a model that needs no time."""

import json
import sys
from dataclasses import dataclass

import pytest

from indexer.cli import main
from tests.support.fakes import FakeModel


@dataclass
class Done:
    status: int
    out: str
    err: str

    @property
    def json(self):
        """The one object on the one line of stdout."""
        assert self.out.count("\n") == 1
        assert self.out.endswith("}\n")
        return json.loads(self.out)


def runner(monkeypatch, capsys):
    """Return a function that runs `warraq` with arguments and returns its exit status and output."""
    for module in (
        "indexer.cli.commands.build",
        "indexer.cli.commands.evaluate",
        "indexer.retrieval.opening",
    ):
        monkeypatch.setattr(f"{module}.find_model", lambda name, _backend=None: FakeModel(name=name))

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["warraq", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return Done(ended.value.code, *capsys.readouterr())

    return run


def errors(done):
    return [line for line in done.err.splitlines() if line.startswith("Error: ")]
