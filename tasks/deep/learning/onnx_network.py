"""A trained network -> the bytes of an ONNX file; and a model's file -> a network that begins another training."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from storage.deep_models import DeepModel, load_deep_model, save_deep_model, seal_model
from storage.errors import BadInput
from storage.files.locks import temporary_folder
from storage.models import model_digest
from tasks.deep.learning.network import Network
from tasks.deep.session import checked_record
from tasks.deep.shape import BLANK, STRIDE, Shape

_OPSET = 17
_UNKNOWN_ODDS = -4.0  # of a letter that the model does not know: rare at first


def onnx_bytes(network: Network, shape: Shape) -> bytes:
    """Export a network whose pictures may be of any number and width: uint8 (n, 3, height, w) to (n, w / 4, classes).

    Normalisation by statistics is folded into the convolutions.
    """
    example = torch.zeros((2, 3, shape.height, 16 * STRIDE), dtype=torch.uint8)
    with temporary_folder() as folder, warnings.catch_warnings(action="ignore"):
        path = folder / "network.onnx"
        torch.onnx.export(  # by tracing: the newer way needs a package more, and its warning is of no use to a user
            network.eval(), (example,), path, opset_version=_OPSET, dynamo=False, input_names=["pictures"],
            output_names=["scores"],
            dynamic_axes={"pictures": {0: "n", 3: "width"}, "scores": {0: "n", 1: "columns"}},
        )  # fmt: skip
        return path.read_bytes()


def started(path: Path, alphabet: str, pictures: np.ndarray) -> Network:
    """Return a network with the weights of a model, for the letters of `alphabet`.

    A model's file has no statistics of the layers' inputs: they are folded into its weights. So they are taken from
    `pictures`, such as training begins with. With these the network computes what the file does.

    Parameters
    ----------
    path : Path
        A deep model's file.
    alphabet : str
        A letter that the model does not know begins as the same letter of the other case, or else as a rare letter.
    pictures : (n, 3, height, width) uint8
        Normalised.

    Raises
    ------
    NotThere, Damaged
    BadInput
        It is a classic model, or its network is not of the shape that its record says.
    """
    model = load_deep_model(path)
    shape, known = checked_record(model)
    network = Network(shape, len(alphabet))
    network.eval()
    layers = [*_convolutions(model)]
    places = [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.BatchNorm2d)]
    convolutions = [module for module in places if isinstance(module, nn.Conv2d)]
    fits = len(layers) == len(convolutions) and all(
        tuple(weights.shape)[module is network.scores :] == tuple(module.weight.shape)[module is network.scores :]
        for (weights, _), module in zip(layers, convolutions, strict=True)
    )
    if not fits:
        raise BadInput(f"from {path}: its network is not of the shape that its record says; begin with another model")
    with torch.no_grad():
        for (weights, _), module in zip(layers[:-1], convolutions[:-1], strict=True):
            module.weight.copy_(weights)
        _set_scores(network.scores, *layers[-1], known, alphabet)
    norms = [module for module in places if isinstance(module, nn.BatchNorm2d)]
    _set_norms(network, norms, [bias for _, bias in layers[:-1]], torch.from_numpy(pictures))
    return network


def average_models(first: Path, second: Path, out: Path) -> dict[str, Any]:
    """Write a model whose weights are half way between those of two models, of which one began with the other.

    What a model learnt before, further training on other pictures makes it forget in part; half way, it keeps most of
    both. Its scores and its confidence are those of the second model until `refit` measures it.

    Returns
    -------
    dict
        The record in the file: that of the second model, with the name and the digest of the first at the end of
        `averaged_with`.

    Raises
    ------
    BadInput
        The models have other shapes or letters.
    NotThere, Damaged, NoSpace, Unwritable

    References
    ----------
    Wortsman et al., Robust fine-tuning of zero-shot models, CVPR 2022.
    """
    one, other = load_deep_model(first), load_deep_model(second)
    if checked_record(one) != checked_record(other):
        raise BadInput(f"average: {first} and {second} must have equal shapes and letters; average what began with it")
    graphs = [onnx.load_model_from_string(model.network) for model in (one, other)]
    arrays = {array.name: onnx.numpy_helper.to_array(array) for array in graphs[0].graph.initializer}
    for array in graphs[1].graph.initializer:
        values, before = onnx.numpy_helper.to_array(array), arrays.get(array.name)
        if before is None or before.shape != values.shape:
            raise BadInput(f"average: {first} and {second} must be networks of one kind; {array.name} differs")
        if values.dtype == np.float32:
            array.CopyFrom(onnx.numpy_helper.from_array((before + values) / 2, array.name))
    told = [*other.record.get("averaged_with", []), {"name": first.stem, "sha256": model_digest(first)}]
    record = other.record | {"averaged_with": told}
    save_deep_model(out, seal_model(graphs[1].SerializeToString(), record))
    return record


def told_start(path: Path) -> dict[str, Any]:
    """Return what a model's record says of the model that it began with.

    Raises
    ------
    NotThere, Damaged
    """
    record = load_deep_model(path).record
    names = [
        source.get("name") or source.get("draw", {"name": "varied"})["name"] for source in record.get("sources", [])
    ]
    return {
        "name": path.stem, "sha256": model_digest(path), "classes": record["classes"], "sources": names,
        "pictures": record.get("pictures"),
    }  # fmt: skip


def _convolutions(model: DeepModel) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield weights and bias of each convolution of a model, in the order in which they run.

    Raises
    ------
    BadInput
        A convolution without them, which training never makes.
    """
    graph = onnx.load_model_from_string(model.network).graph
    arrays = {array.name: array for array in graph.initializer}
    for node in graph.node:
        if node.op_type == "Identity" and node.input[0] in arrays:  # the export keeps equal arrays once
            arrays[node.output[0]] = arrays[node.input[0]]
        if node.op_type == "Conv":
            if len(node.input) != 3 or not arrays.keys() >= {*node.input[1:]}:
                raise BadInput(f"{model.name}: has a convolution without weights of its own; begin with another model")
            yield tuple(torch.from_numpy(onnx.numpy_helper.to_array(arrays[name]).copy()) for name in node.input[1:3])


def _set_scores(scores: nn.Conv2d, weights: Tensor, bias: Tensor, known: str, alphabet: str) -> None:
    """Copy the rows of the blank and of the letters that the model knows; begin the others."""
    scores.weight[BLANK], scores.bias[BLANK] = weights[BLANK], bias[BLANK]
    for row, letter in enumerate(alphabet, BLANK + 1):
        twin = next((form for form in (letter, letter.swapcase()) if form in known and len(form) == 1), None)
        if twin is None:
            scores.weight[row] = weights[BLANK + 1 :].mean(dim=0)
            scores.bias[row] = bias[BLANK + 1 :].mean() + _UNKNOWN_ODDS
        else:
            own = known.index(twin) + BLANK + 1
            scores.weight[row], scores.bias[row] = weights[own], bias[own]


def _set_norms(network: Network, norms: list[nn.BatchNorm2d], biases: list[Tensor], pictures: Tensor) -> None:
    """Run the network once; let each normalisation keep the statistics of what comes, and add its bias alone."""

    def keep(norm: nn.BatchNorm2d, inputs: tuple[Tensor], bias: Tensor) -> None:
        (values,) = inputs
        mean, spread = values.mean(dim=(0, 2, 3)), values.var(dim=(0, 2, 3), unbiased=False)
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(spread)
        norm.weight.copy_((spread + norm.eps).sqrt())
        norm.bias.copy_(bias + mean)

    hooks = [
        norm.register_forward_pre_hook(lambda norm, inputs, bias=bias: keep(norm, inputs, bias))
        for norm, bias in zip(norms, biases, strict=True)
    ]
    with torch.no_grad():
        network(pictures)
    for hook in hooks:
        hook.remove()
