"""Train a network: AdamW on CTC's loss, a rate that follows the budget, averaged weights, checkpoints."""

import copy
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from storage.errors import NothingLearnt
from tasks.deep.learning.augmentation import augment
from tasks.deep.learning.checkpoint import load_checkpoint, save_checkpoint
from tasks.deep.learning.deep_settings import Settings
from tasks.deep.learning.losses import collapsed, ctc, taught
from tasks.deep.learning.network import Network, state_of
from tasks.deep.learning.stream import Batch, Feeder, Place, Stream, held_out

_WARMED = 0.02  # of the budget: the rate rises
_LAST_RATE = 0.002  # of the largest rate, at the end
_TAUGHT = 0.5  # of the budget: until then letter boxes teach where letters stand, ever less
_TEACHING = 0.5  # the weight of that at the beginning
_CLIPPED = 5.0  # the largest norm of a gradient
_STEPS_LOOKED_AT = 25  # losses are looked at after so many steps: each look waits for the device
_LOOK_LATEST = 3.0  # seconds from one look at them to the next, where steps are slow
_LOOKS = 40  # at the validation's words, over the whole budget
_LOOK_SECONDS = 10.0  # between them at least
_SAVE_SECONDS = 30.0
_LOOKED_AT = 2_000  # validation pictures, over all sources


class Progress(NamedTuple):
    """How far a training is.

    share : of the budget, 0 to 1
    loss : mean of the last steps, nats a picture
    right : share of validation words right without a dictionary, by the averaged weights; not a number before the first
    pictures_a_second, seconds_left : since this process began; of the whole budget
    """

    step: int
    pictures: int
    share: float
    loss: float
    right: float
    pictures_a_second: float
    seconds_left: float


@dataclass
class Trained:
    """What a training ends with: the averaged network on the CPU, and how it went."""

    network: Network
    steps: int
    pictures: int
    seconds: float
    curve: list[dict[str, float]] = field(default_factory=list)


def device_of() -> torch.device:
    """Return the GPU if there is one, else the processor."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def fit_network(
    feeder: Feeder,
    settings: Settings,
    checkpoint: Path | None = None,
    progress: Callable[[Progress], object] = lambda _progress: None,
    begin_with: dict[str, Tensor] | None = None,
) -> Trained:
    """Train until the budget is used.

    Parameters
    ----------
    feeder : Feeder
    settings : Settings
    checkpoint : Path, optional
        Where the state is kept, at most a minute old, and taken up again if the same training was killed.
    begin_with : dict, optional
        The weights to begin with, of a network of the same shape.

    Raises
    ------
    NothingLearnt
        The loss is no number any more.
    BadInput, Damaged
        Of the checkpoint, or of a label.
    """
    run = _Run(feeder, settings, checkpoint, progress, begin_with)
    run.resume()
    stream = Stream(feeder, run.place)
    try:
        while run.share < 1:
            run.step(*next(stream))
    finally:
        stream.close()
    return run.finish()


class _Run:
    """The state of a training."""

    def __init__(
        self, feeder: Feeder, settings: Settings, checkpoint: Path | None,
        progress: Callable[[Progress], object], begin_with: dict[str, Tensor] | None,
    ):  # fmt: skip
        self._feeder, self._plan, self._settings = feeder, feeder.plan, settings
        self._checkpoint, self._report = checkpoint, progress
        self._device = device_of()
        torch.manual_seed(settings.seed)
        network = Network(settings.shape, len(self._plan.form.alphabet))
        if begin_with is not None:
            network.load_state_dict(begin_with)
        self._network = network.to(self._device)
        for weights in self._network.parameters():
            if weights.ndim == 4:
                weights.data = weights.data.contiguous(memory_format=torch.channels_last)
        self._averaged = copy.deepcopy(self._network).eval().requires_grad_(False)
        decaying = [weights for weights in self._network.parameters() if weights.ndim > 1]
        plain = [weights for weights in self._network.parameters() if weights.ndim <= 1]
        self._optimizer = torch.optim.AdamW(
            [{"params": decaying, "weight_decay": settings.decay}, {"params": plain, "weight_decay": 0.0}],
            lr=settings.rate, betas=(0.9, 0.99), fused=True,
        )  # fmt: skip
        self._chance = torch.Generator(self._device).manual_seed(settings.seed)
        self._halved = self._device.type == "cuda" or _has_bfloat16()
        self.place = Place(0, 0)
        self._steps, self._pictures, self._before = 0, 0, 0.0
        self._begun = self._saved = self._looked = self._reported = time.monotonic()
        self._first: float | None = None  # when the first batch came: until then kernels compile and workers start
        self._share_before = 0.0
        self._losses: list[Tensor] = []
        self._loss, self._right, self._here = math.nan, math.nan, 0
        self._curve: list[dict[str, float]] = []
        self._validation: list[Batch] | None = None

    @property
    def _specification(self) -> dict[str, Any]:
        settings = {**self._settings.as_dict(), "processes": None}
        return {"settings": settings, "sources": repr(self._plan.sources), "form": repr(self._plan.form)}

    @property
    def _seconds(self) -> float:
        return self._before + time.monotonic() - self._begun

    @property
    def share(self) -> float:
        """Return how much of the budget is used: of the steps, or of the time that the first batch left of it."""
        if self._settings.steps is not None:
            return self._steps / self._settings.steps
        if self._first is None:
            return self._share_before
        left = 60 * (self._settings.minutes or 1) - self._before - (self._first - self._begun)
        along = (time.monotonic() - self._first) / max(left, 1e-3)
        return self._share_before + (1 - self._share_before) * min(along, 1.0)

    def resume(self) -> None:
        """Take up the state of a killed training; if there is none, prove that the folder takes one."""
        if self._checkpoint is None:
            return
        state = load_checkpoint(self._checkpoint, self._specification)
        if state is None:
            self._save(self._checkpoint)
            return
        self._network.load_state_dict(state["network"])
        self._averaged.load_state_dict(state["averaged"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._chance.set_state(state["chance"])
        self.place, self._steps, self._pictures = state["place"], state["steps"], state["pictures"]
        self._before, self._share_before, self._curve = state["seconds"], state["share"], state["curve"]

    def step(self, place: Place, batch: Batch) -> None:
        """Learn from a batch; the stream is at `place` afterwards."""
        if self._first is None:
            self._first = time.monotonic()
        share = min(self.share, 1.0)
        for group in self._optimizer.param_groups:
            group["lr"] = self._settings.rate * rate_at(share)
        self._losses.append(self._learn(batch, share))
        self._average()
        self.place = place
        self._steps += 1
        self._pictures += len(batch.pictures)
        self._here += len(batch.pictures)
        if self._late or self._steps % _STEPS_LOOKED_AT == 0 or self._steps == self._settings.steps:
            self._look()

    def _learn(self, batch: Batch, share: float) -> Tensor:
        pictures = self._put(batch.pictures)
        if self._settings.moved:
            pictures = augment(pictures, self._chance)
        labels, centres = self._put(batch.labels).long(), self._put(batch.centres)
        lengths = torch.from_numpy((batch.labels > 0).sum(axis=1))
        pictures = pictures.to(memory_format=torch.channels_last)
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._halved):
            scores = self._network(pictures)
        logs = functional.log_softmax(scores.float(), dim=2)
        loss = ctc(logs, labels, lengths) / 4.0  # letters of a text: the scale of a loss for each letter
        if share < _TAUGHT:
            loss = loss + _TEACHING * (1 - share / _TAUGHT) * taught(logs, labels, centres)
        if self._settings.smoothing:
            loss = loss - self._settings.smoothing * logs.mean()
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._network.parameters(), _CLIPPED, foreach=True)
        self._optimizer.step()
        return loss.detach()

    def _put(self, array: np.ndarray) -> Tensor:
        tensor = torch.from_numpy(array)
        if self._device.type == "cuda":
            tensor = tensor.pin_memory()
        return tensor.to(self._device, non_blocking=True)

    @torch.no_grad()
    def _average(self) -> None:
        decay = min(self._settings.averaged, (1 + self._steps) / (10 + self._steps))
        torch._foreach_lerp_(state_of(self._averaged), state_of(self._network), 1 - decay)

    def _look(self) -> None:
        """Look at the losses; now and then at the validation's words too, and save the state."""
        self._loss = float(torch.stack(self._losses).mean())
        self._losses.clear()
        if not math.isfinite(self._loss):
            raise NothingLearnt(
                f"training: the loss is no number any more, after {self._steps:,} steps; give a lower --rate than "
                f"{self._settings.rate:g}, for instance {self._settings.rate / 3:.1g}, or other pictures"
            )
        now = time.monotonic()
        due = max(_LOOK_SECONDS, (self._seconds + self._progress().seconds_left) / _LOOKS)
        if now - self._looked >= due or self.share >= 1:
            self._right, self._looked = self._words_right(), time.monotonic()
            self._curve.append({
                "step": self._steps, "pictures": self._pictures, "seconds": round(self._seconds, 1),
                "loss": round(self._loss, 4), "right": round(self._right, 4),
            })  # fmt: skip
        self._tell()
        if self._checkpoint is not None and now - self._saved >= _SAVE_SECONDS and self.share < 1:
            self._save(self._checkpoint)
            self._saved = time.monotonic()

    @property
    def _late(self) -> bool:
        return time.monotonic() - self._reported >= _LOOK_LATEST

    def _tell(self) -> None:
        self._report(self._progress())
        self._reported = time.monotonic()

    def _progress(self) -> Progress:
        now, share = time.monotonic(), self.share
        learning = now - (self._first or now)
        left = learning / max(share - self._share_before, 1e-6) * max(1 - share, 0)
        return Progress(
            self._steps, self._pictures, share, self._loss, self._right,
            self._here / max(learning, 1e-6), left,
        )  # fmt: skip

    def _save(self, path: Path) -> None:
        state = {
            "network": self._network.state_dict(), "averaged": self._averaged.state_dict(),
            "optimizer": self._optimizer.state_dict(), "chance": self._chance.get_state(),
            "place": tuple(self.place), "steps": self._steps, "pictures": self._pictures,
            "seconds": self._seconds, "share": self.share, "curve": self._curve,
        }  # fmt: skip
        save_checkpoint(path, state, self._specification)

    def _words_right(self) -> float:
        if self._validation is None:
            count = max(1, _LOOKED_AT // len(self._plan.sources))
            self._validation = list(held_out(self._feeder, count))
        right = []
        for batch in self._validation:
            right.append(self._right_of(batch))
            if self._late:
                self._tell()
        return float(np.concatenate(right).mean()) if right else math.nan

    @torch.no_grad()
    def _right_of(self, batch: Batch) -> np.ndarray:
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._halved):
            best = self._averaged(self._put(batch.pictures)).argmax(dim=2)
        return np.array([
            text == [letter for letter in wanted if letter]
            for text, wanted in zip(collapsed(best.cpu().numpy()), batch.labels.tolist(), strict=True)
        ], bool)  # fmt: skip

    def finish(self) -> Trained:
        """Save the last state, so that a killed measurement need not train again; return the averaged network."""
        if self._checkpoint is not None:
            self._save(self._checkpoint)
        network = self._averaged.to("cpu")
        return Trained(network, self._steps, self._pictures, self._seconds, self._curve)


def rate_at(share: float) -> float:
    """Return the learning rate at a share of the budget, as a share of the largest: it rises, then follows a cosine."""
    if share < _WARMED:
        return 0.05 + 0.95 * share / _WARMED
    along = (share - _WARMED) / (1 - _WARMED)
    return _LAST_RATE + (1 - _LAST_RATE) * (1 + math.cos(math.pi * along)) / 2


def _has_bfloat16() -> bool:
    """Tell whether the processor multiplies bfloat16, so that autocast is faster than float32."""
    known: Sequence[str] = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(bool(getattr(torch.cpu, name, lambda: False)()) for name in known)
