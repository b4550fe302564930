"""What watches over the server asks here: whether it lives, whether it can answer, and how it fares."""

from flask import Blueprint, Flask, Response, jsonify

from indexer import WarraqError
from web.server.metrics import CONTENT_TYPE, render_metrics
from web.server.problem import RETRY_AFTER
from web.service import service

blueprint = Blueprint("probes", __name__)


def register(app: Flask) -> None:
    """Add the probes and the metrics to an application, whose `access_log` is registered too."""
    app.register_blueprint(blueprint)


@blueprint.get("/livez")
def livez() -> Response:
    return jsonify({"status": "alive"})


@blueprint.get("/readyz")
def readyz() -> tuple[Response, int, dict[str, str]]:
    again = {"Retry-After": str(RETRY_AFTER)}
    try:
        searcher = service().searcher()
    except WarraqError as error:
        # The message tells where things lie on this machine: it is in the log, for whoever may read that.
        return jsonify({"status": error.code}), 503, again
    if not searcher.has_model:
        return jsonify({"status": "no_model"}), 503, again
    return jsonify({"status": "ready", "generation": searcher.generation}), 200, {}


@blueprint.get("/metrics")
def metrics() -> Response:
    return Response(render_metrics(), content_type=CONTENT_TYPE)
