"""An application with the real access log, gate and metrics, over a fake service."""

from flask import Flask, Response, request

from indexer import SearchRequest, SearchResult
from indexer.errors import NoIndex
from web.pages import errors
from web.server import access_log, concurrency, health, metrics

SECRET = "zanzibar"  # the question; no line may hold it by default


class FakeService:
    """A service that has the Searcher it was given, or none."""

    def __init__(self, index, searcher=None):
        self.index, self.found = index, searcher

    def searcher(self):
        if self.found is None:
            raise NoIndex("Nothing has been built yet.")
        return self.found

    def opened(self):
        return self.found


class Failing(Exception):
    pass


def application(built, searcher=None, gate=None):
    app = Flask("web")
    app.extensions["search"] = FakeService(built, searcher)
    access_log.register(app)
    concurrency.register(app, gate)
    health.register(app)

    @app.get("/api/v1/search")
    def search():
        result = app.extensions["search"].searcher().search(SearchRequest(request.args["q"]))
        metrics.record_search(result)
        return "found"

    @app.get("/api/v1/documents/<path:doc_id>")
    def document(doc_id):
        return doc_id

    @app.get("/static/<name>")
    def static_file(name):
        return b"a file"

    @app.get("/api/v1/made")
    def made():
        return Response(iter(["one", "two"]))

    @app.get("/api/v1/fails")
    def fails():
        try:
            raise KeyError(request.args["q"])
        except KeyError as error:
            raise Failing(f"cannot find {request.args['q']}") from error

    errors.register(app)
    return app


RESULT = SearchResult(SearchRequest("x"), "en", "made-up", 0, (), 30.0)
