"""The JSON endpoint and the probes."""

from flask import Blueprint, Response, current_app, jsonify, request

from indexer import SearchRequest, WarraqError, result_json

from .parameters import read_request, refuse_unknown
from .service import SearchService

blueprint = Blueprint("api", __name__)


def service() -> SearchService:
    """Return the application's SearchService."""
    found: SearchService = current_app.extensions["search"]
    return found


@blueprint.get("/api/v1/search")
def search() -> Response:
    refuse_unknown(request.args)
    asked: SearchRequest = read_request(request.args)
    return jsonify(result_json(service().searcher().search(asked)))


@blueprint.get("/livez")
def livez() -> Response:
    return jsonify({"status": "alive"})


@blueprint.get("/readyz")
def readyz() -> tuple[Response, int]:
    try:
        generation = service().searcher().generation
    except WarraqError as error:
        return jsonify({"status": error.code, "detail": str(error)}), 503
    return jsonify({"status": "ready", "generation": generation}), 200
