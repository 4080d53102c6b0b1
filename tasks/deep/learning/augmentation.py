"""Change the colours, contrast and sharpness of a batch at random, so that strangers' pictures can be read.

Where letters stand is changed earlier, by `sources`, in the same step that normalises pictures.
"""

import torch
from torch import Tensor
from torch.nn import functional

_BLOCK = 8  # pixels of a JPEG block
_LUMA = (0.299, 0.587, 0.114)


def augment(pictures: Tensor, chance: torch.Generator) -> Tensor:
    """Change pictures (n, 3, H, W) uint8; return (n, 3, H, W) float32, 0 to 255. Each has its own changes.

    All random numbers are drawn from `chance`, a generator of the pictures' device.
    """
    draw = _Draw(len(pictures), pictures.device, chance)
    levels = pictures.float()
    levels = _crossed(levels, draw)
    levels = _blurred(levels, draw)
    levels = _coloured(levels, draw)
    levels = _toned(levels, draw)
    levels = _noisy(levels, draw)
    levels = _compressed(levels, draw)
    return levels.clamp_(0, 255)


class _Draw:
    """Random numbers, a value for each picture."""

    def __init__(self, count: int, device: torch.device, chance: torch.Generator):
        self.count, self._device, self._chance = count, device, chance

    def uniform(self, low: float, high: float, *more: int) -> Tensor:
        """Draw (n, *more) numbers, shaped so that they broadcast over pictures."""
        shape = (self.count, *(more or (1, 1, 1)))
        return torch.rand(shape, generator=self._chance, device=self._device) * (high - low) + low

    def happens(self, share: float) -> Tensor:
        """Choose a share of the pictures, (n, 1, 1, 1) bool."""
        return self.uniform(0, 1) < share

    def normal(self, *shape: int) -> Tensor:
        """Draw normal numbers."""
        return torch.randn(shape, generator=self._chance, device=self._device)


def _crossed(levels: Tensor, draw: _Draw) -> Tensor:
    """Draw up to two straight lines over some pictures, and erase a small patch of others."""
    height, width = levels.shape[2:]
    rows = torch.arange(height, device=levels.device).view(1, 1, -1, 1)
    columns = torch.arange(width, device=levels.device).view(1, 1, 1, -1)
    for _ in range(2):
        slope, middle = draw.uniform(-0.6, 0.6), draw.uniform(0, height)
        line = (rows - middle - slope * (columns - width / 2)).abs() < draw.uniform(0.4, 1.4)
        colour = draw.uniform(0, 255, 3, 1, 1)
        levels = torch.where(line & draw.happens(0.15), colour, levels)
    top, left = draw.uniform(0, height), draw.uniform(0, width)
    patch = (rows - top).abs() < draw.uniform(1, 4)
    patch = patch & ((columns - left).abs() < draw.uniform(1, 5))
    return torch.where(patch & draw.happens(0.1), levels[:, :, :1, :1], levels)


def _blurred(levels: Tensor, draw: _Draw) -> Tensor:
    """Blur some pictures, sharpen others, and shrink and enlarge a few."""
    soft = functional.avg_pool2d(functional.pad(levels, (1, 1, 1, 1), mode="replicate"), 3, 1)
    share = torch.where(draw.happens(0.35), draw.uniform(-0.6, 0.9), torch.zeros_like(levels[:, :1, :1, :1]))
    levels = levels + share * (soft - levels)
    coarse = functional.interpolate(
        functional.avg_pool2d(levels, 2, ceil_mode=True), levels.shape[2:], mode="bilinear", align_corners=False
    )
    return torch.where(draw.happens(0.08), coarse, levels)


def _coloured(levels: Tensor, draw: _Draw) -> Tensor:
    """Mix the channels: another order, grey, tinted, or as they are; and turn some pictures light on dark."""
    order = draw.uniform(0, 1, 3).argsort(dim=1)
    mixed = torch.eye(3, device=levels.device)[order]
    mixed = torch.where(draw.happens(0.5)[:, 0], mixed, torch.eye(3, device=levels.device))
    grey = torch.tensor(_LUMA, device=levels.device).expand(3, 3)
    share = torch.where(draw.happens(0.25), draw.uniform(0, 1).sqrt(), torch.zeros_like(levels[:, :1, :1, :1]))[:, 0]
    mixed = mixed + share * (grey - mixed)
    levels = torch.einsum("nij,njhw->nihw", mixed, levels)
    # Black and white become two colours that are apart from each other.
    dark, light = draw.uniform(0, 110, 3, 1, 1), draw.uniform(150, 255, 3, 1, 1)
    levels = torch.where(draw.happens(0.3), dark + levels * (light - dark) / 255, levels)
    return torch.where(draw.happens(0.2), 255 - levels, levels)


def _toned(levels: Tensor, draw: _Draw) -> Tensor:
    """Change gamma, contrast and brightness, and lay a slope of light over some pictures."""
    gamma = torch.where(draw.happens(0.4), draw.uniform(-0.7, 0.7).exp(), torch.ones_like(levels[:, :1, :1, :1]))
    levels = (levels.clamp(0, 255) / 255).pow(gamma) * 255
    contrast = torch.where(draw.happens(0.4), draw.uniform(0.3, 1.0), torch.ones_like(gamma))
    levels = levels * contrast + draw.uniform(0, 1) * (1 - contrast) * 255
    width = levels.shape[3]
    slope = torch.linspace(-0.5, 0.5, width, device=levels.device).view(1, 1, 1, -1)
    return levels + torch.where(draw.happens(0.15), draw.uniform(-60, 60, 3, 1, 1), 0 * gamma) * slope


def _noisy(levels: Tensor, draw: _Draw) -> Tensor:
    """Add noise to each pixel of some pictures, and specks to others."""
    strength = torch.where(draw.happens(0.35), draw.uniform(0, 28), torch.zeros_like(levels[:, :1, :1, :1]))
    levels = levels + strength * draw.normal(*levels.shape)
    number = draw.uniform(0, 1, 1, *levels.shape[2:])
    limit = torch.where(draw.happens(0.12), draw.uniform(0, 0.06), torch.zeros_like(strength))
    return torch.where(number < limit, draw.uniform(0, 255, 3, 1, 1), levels)


def _compressed(levels: Tensor, draw: _Draw) -> Tensor:
    """Round the cosine coefficients of the blocks of some pictures, coarser for the fine ones, as JPEG does."""
    # So many of them rather than each with that chance: their number must not wait for the device.
    chosen = draw.uniform(0, 1)[:, 0, 0, 0].argsort()[: len(levels) * 15 // 100]
    height, width = levels.shape[2:]
    if not len(chosen) or height % _BLOCK or width % _BLOCK:
        return levels
    k = torch.arange(_BLOCK, device=levels.device, dtype=torch.float32)
    basis = torch.cos((2 * k + 1) * k[:, None] * (torch.pi / (2 * _BLOCK))) * (2 / _BLOCK) ** 0.5
    basis[0] *= 0.5**0.5
    some = levels[chosen].clamp(0, 255).view(len(chosen), 3, height // _BLOCK, _BLOCK, width // _BLOCK, _BLOCK)
    waves = torch.einsum("ui,nchiwj,vj->nchuwv", basis, some, basis)
    step = (draw.uniform(2, 14)[chosen].view(-1, 1, 1, 1, 1, 1)) * (1 + 0.8 * (k.view(-1, 1, 1) + k))
    waves = (waves / step).round() * step
    levels[chosen] = torch.einsum("ui,nchuwv,vj->nchiwj", basis, waves, basis).reshape(len(chosen), 3, height, width)
    return levels
