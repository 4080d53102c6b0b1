"""A trained network -> the bytes of an ONNX file."""

import tempfile
import warnings
from pathlib import Path

import torch

from tasks.deep.learning.network import Network
from tasks.deep.shape import STRIDE, Shape

_OPSET = 17


def onnx_bytes(network: Network, shape: Shape) -> bytes:
    """Export a network whose pictures may be of any number and width: uint8 (n, 3, height, w) to (n, w / 4, classes).

    Normalisation by statistics is folded into the convolutions.
    """
    example = torch.zeros((2, 3, shape.height, 16 * STRIDE), dtype=torch.uint8)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(action="ignore"):
        path = Path(folder, "network.onnx")
        torch.onnx.export(  # by tracing: the newer way needs a package more, and its warning is of no use to a user
            network.eval(), (example,), path, opset_version=_OPSET, dynamo=False, input_names=["pictures"],
            output_names=["scores"],
            dynamic_axes={"pictures": {0: "n", 3: "width"}, "scores": {0: "n", 1: "columns"}},
        )  # fmt: skip
        return path.read_bytes()
