"""What a network is trained to lower: CTC's loss, and how far letters are from the columns where they stand."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from tasks.deep.shape import BLANK


def ctc(logs: Tensor, labels: Tensor, lengths: Tensor) -> Tensor:
    """Return the mean negative log probability of the labels, (n, L) with 0 past the end, nats a picture.

    `lengths` (n,) is on the processor, so that nothing waits for the device.

    References
    ----------
    A. Graves et al., "Connectionist temporal classification", 2006.
    """
    n, columns, _ = logs.shape
    losses = functional.ctc_loss(
        logs.transpose(0, 1), labels, torch.full((n,), columns, dtype=torch.long), lengths,
        blank=BLANK, reduction="none", zero_infinity=True,
    )  # fmt: skip
    return losses.mean()


def taught(logs: Tensor, labels: Tensor, centres: Tensor) -> Tensor:
    """Return the mean negative log probability of each letter in the column where its middle is, nats a letter."""
    known = centres >= 0
    column = centres.clamp(0, logs.shape[1] - 1).long()
    rows = torch.arange(len(logs), device=logs.device)[:, None]
    own = logs[rows, column, labels]
    return -(own * known).sum() / known.sum().clamp(min=1)


def collapsed(best: np.ndarray) -> list[list[int]]:
    """Return the classes of each best path (n, columns), without repetitions and blanks."""
    kept = best != BLANK
    kept[:, 1:] &= best[:, 1:] != best[:, :-1]
    return [row[keep].tolist() for row, keep in zip(best, kept, strict=True)]
