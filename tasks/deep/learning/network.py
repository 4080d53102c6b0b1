"""The network: two-dimensional convolutions, then one-dimensional ones over columns; CTC reads the columns."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from tasks.deep.shape import Shape

_LEAST_SPREAD = 4.0  # levels of 255: pictures with less contrast are not stretched any further
_CONTEXT = 7  # columns that a one-dimensional convolution sees


class Network(nn.Module):  # type: ignore[misc]  # PyTorch's types are not read
    """Pictures (n, 3, height, width) uint8 -> scores (n, columns, 1 + letters), before any softmax.

    Parameters
    ----------
    shape : Shape
    letters : int
        Of the alphabet; class 0 is the blank.
    """

    def __init__(self, shape: Shape, letters: int):
        super().__init__()
        first, second, third = shape.channels
        self.stem = _convolution(3, first, 3, 2)
        self.stages = nn.Sequential(
            *(_Residual(first) for _ in range(shape.blocks[0])),
            _convolution(first, second, 3, 2),
            *(_Residual(second) for _ in range(shape.blocks[1])),
            _convolution(second, third, 3, (2, 1)),
            *(_Residual(third) for _ in range(shape.blocks[2])),
        )
        self.columns = nn.Sequential(
            nn.Conv2d(third, shape.context, (shape.height // 8, 1), bias=False),
            nn.BatchNorm2d(shape.context), nn.ReLU(),
            *(_Columns(shape.context) for _ in range(shape.depth)),
        )  # fmt: skip
        self.scores = nn.Conv2d(shape.context, 1 + letters, 1)

    def forward(self, pictures: Tensor) -> Tensor:
        """Compute the scores of every class in every column."""
        levels = pictures.float()
        centred = levels - levels.mean(dim=(1, 2, 3), keepdim=True)
        spread = centred.square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
        seen = self.stages(self.stem(centred / (spread + _LEAST_SPREAD)))
        scores: Tensor = self.scores(self.columns(seen)).squeeze(2).transpose(1, 2)
        return scores


def _convolution(inputs: int, outputs: int, size: int, stride: int | tuple[int, int] = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
    )


class _Residual(nn.Module):  # type: ignore[misc]  # PyTorch's types are not read
    """Two convolutions beside a shortcut."""

    def __init__(self, channels: int):
        super().__init__()
        self.first = _convolution(channels, channels, 3)
        self.second = nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels))

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(x + self.second(self.first(x)))


class _Columns(nn.Module):  # type: ignore[misc]  # PyTorch's types are not read
    """A convolution over columns, each channel alone, then one over channels, beside a shortcut."""

    def __init__(self, channels: int):
        super().__init__()
        self.along = nn.Sequential(
            nn.Conv2d(channels, channels, (1, _CONTEXT), padding=(0, _CONTEXT // 2), groups=channels, bias=False),
            nn.BatchNorm2d(channels),
        )
        self.across = _convolution(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        mixed: Tensor = self.across(self.along(x))
        return x + mixed


def weights_of(network: nn.Module) -> int:
    """Count the weights of a network."""
    return sum(weights.numel() for weights in network.parameters())


def state_of(network: nn.Module) -> list[Tensor]:
    """Return all tensors of a network that are real numbers: its weights, and the statistics of its normalisation."""
    return [tensor for tensor in network.state_dict().values() if torch.is_floating_point(tensor)]
