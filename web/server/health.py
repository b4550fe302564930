"""The probes for monitoring: whether the server is alive, whether it is ready, and its metrics."""

from flask import Blueprint, Flask, Response, jsonify

from indexer import WarraqError
from web.server.metrics import CONTENT_TYPE, render_metrics
from web.server.problem import RETRY_AFTER
from web.service import service

blueprint = Blueprint("probes", __name__)


def register(app: Flask) -> None:
    """Add the probes and the metrics to an application; `access_log` must be registered before."""
    app.register_blueprint(blueprint)


@blueprint.get("/livez")
def livez() -> Response:
    return jsonify({"status": "alive"})


@blueprint.get("/readyz")
def readyz() -> tuple[Response, int, dict[str, str]]:
    retry = {"Retry-After": str(RETRY_AFTER)}
    try:
        searcher = service().searcher()
    except WarraqError as error:
        # Leave out the message, which contains paths of this machine; the log has it.
        return jsonify({"status": error.code}), 503, retry
    if not searcher.has_model:
        return jsonify({"status": "no_model"}), 503, retry
    return jsonify({"status": "ready", "generation": searcher.generation}), 200, {}


@blueprint.get("/metrics")
def metrics() -> Response:
    return Response(render_metrics(), content_type=CONTENT_TYPE)
