"""Bytes to documents through real files, as a build reads them."""

import tempfile
from pathlib import Path

from indexer.boilerplate.layout import clean
from indexer.datatypes import Document, FailedFile
from indexer.ingest.documents import documents_of
from indexer.ingest.files import find_files, open_file
from indexer.ingest.metadata.sidecars import Sidecars, is_sidecar
from indexer.ingest.readers.registry import Readers


def read_all(archive, names=None, worker=None):
    """Read every file of a folder; return its documents and its refused records."""
    found = list(find_files(archive))
    sidecars = Sidecars(archive, found, names or {})
    seen = {}
    with Readers(names or {}, worker) as readers:
        for file in found:
            if not is_sidecar(file.path):
                with open_file(file, archive) as source:
                    for each in documents_of(source, readers, sidecars, seen.__contains__):
                        seen[each.doc_id if isinstance(each, Document) else each.path] = each
    documents = [each for each in seen.values() if isinstance(each, Document)]
    return documents, [each for each in seen.values() if isinstance(each, FailedFile)]


def read_untouched(path, data, names=None, **other_files):
    """Read one file, with others in its folder, before anything is cut."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in {path: data, **other_files}.items():
            target = Path(folder) / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        documents, _ = read_all(Path(folder), names)
    return documents


def read_documents(path, data, names=None):
    """Read one file and clean its documents, as far as the file alone allows."""
    return [clean(document)[0] for document in read_untouched(path, data, names)]
