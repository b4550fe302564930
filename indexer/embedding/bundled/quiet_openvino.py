"""OpenVINO without its telemetry, which tells a server of every import, asks nobody, and leaves a file.

Import OpenVINO from here only. Without the package of the telemetry OpenVINO does nothing of the kind.
"""

import sys

sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # as if it were not installed

import openvino as ov  # noqa: E402
from openvino import opset13 as ops  # noqa: E402

__all__ = ["ops", "ov"]
