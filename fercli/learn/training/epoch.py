"""One epoch: draw, augment, mix, step; then look at the validation split."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fercli.config import TrainConfig
from fercli.errors import FercliError
from fercli.learn.datasets import FaceSet
from fercli.learn.evaluation import metrics
from fercli.learn.evaluation.ratings import rating_scores
from fercli.learn.training.augment import normalise, plain_views
from fercli.learn.training.average import Average
from fercli.learn.training.checkpoint import Progress
from fercli.learn.training.mixing import MIXERS, mix_targets
from fercli.learn.training.processes import Processes
from fercli.learn.training.randaugment import randaugment
from fercli.learn.training.sampling import Sampling
from fercli.learn.training.strong import STRENGTHS
from fercli.models.networks import ARCHITECTURES, Architecture, Network
from fercli.progress import Reporter

RANDAUGMENT_OPERATIONS = 2
VALIDATION_BATCH = 128


class TrainingDiverged(FercliError):
    """The loss became NaN or infinite; the last good checkpoint is kept."""

    exit_code = 5
    default_code = "training-diverged"

    def __init__(self, message: str, run: Path) -> None:
        kept = f"what was good so far is kept in {run}"
        super().__init__(message, hint=f"{kept}; start again with a lower --lr and another --out")


def one_cycle(share: float, peak: float, warmup: float = 0.1) -> float:
    """Learning rate after `share` in [0, 1] of the steps: linear up to `peak`, then a half cosine to zero."""
    if share < warmup:
        return peak * (0.04 + 0.96 * share / warmup)
    return peak * 0.5 * (1 + math.cos(math.pi * (share - warmup) / (1 - warmup)))


@dataclass(frozen=True)
class Trainer:
    """What all epochs of a run share.

    Attributes:
        config: parameters.
        step: the `Objective`, or what averages its gradients over the processes.
        optimizer: over its parameters.
        faces: the training split.
        targets: name of each labelling -> (N, C), and the ratings.
        sampling: how faces are drawn.
        processes: this one among all.
        reporter: gets progress.
        average: of the weights, updated after each step; None where the run asks for none.
    """

    config: TrainConfig
    step: nn.Module
    optimizer: torch.optim.Optimizer
    faces: FaceSet
    targets: dict[str, Tensor]
    sampling: Sampling
    processes: Processes
    reporter: Reporter
    average: Average | None = None

    def train_epoch(self, epoch: int, progress: Progress) -> float:
        """Train for an epoch, numbered from 0, counting the steps in `progress`; returns the mean loss.

        Raises:
            TrainingDiverged: the loss is no longer finite.
        """
        config, count = self.config, min(self.config.limit or len(self.faces), len(self.faces))
        steps = math.ceil(count / config.batch)
        order_of = torch.Generator().manual_seed(config.seed * 10_000 + epoch)
        own = config.seed * 10_000 + epoch + 1_000_003 * self.processes.rank
        generator = torch.Generator().manual_seed(own)
        torch.manual_seed(own)
        self.step.train()
        total_loss, seen = 0.0, 0
        with self.reporter.task(f"epoch {epoch + 1}/{config.epochs}", count, self.faces.kind) as task:
            order = self.sampling.draw(len(self.faces), count, order_of)
            for rows in torch.tensor_split(order, steps):  # alike: of a small rest batch norm makes nonsense
                for group in self.optimizer.param_groups:
                    group["lr"] = one_cycle(progress.step / (config.epochs * steps), config.lr)
                loss = self._loss(rows[self.processes.rank :: self.processes.count], epoch, generator)
                if not torch.isfinite(loss):
                    message = f"loss is {loss.item()} in epoch {epoch + 1}, step {progress.step}"
                    raise TrainingDiverged(message, config.out)
                self.optimizer.zero_grad(set_to_none=True)
                loss.backward()  # type: ignore[no-untyped-call]
                self.optimizer.step()
                if self.average is not None:
                    self.average.update()
                progress.step += 1
                total_loss += loss.item() * len(rows)
                seen += len(rows)
                task.advance(len(rows), loss=f"{total_loss / seen:.3f}")
        return total_loss / seen

    def _loss(self, rows: Tensor, epoch: int, generator: torch.Generator) -> Tensor:
        """() loss of the samples in some rows, each seen in a new way."""
        config, device = self.config, self.processes.device
        architecture = ARCHITECTURES[config.model]
        images = torch.from_numpy(self.faces.images[rows.numpy()])
        views = STRENGTHS[config.augment](images, architecture.n_frames, config.size_in(epoch), generator)
        if config.randaugment:
            views = randaugment(views, RANDAUGMENT_OPERATIONS, config.randaugment, generator)
        wanted = {name: targets[rows] for name, targets in self.targets.items()}
        if config.mix != "none":
            mixer, alpha = MIXERS[config.mix]
            views, permutation, share = mixer(views, alpha, generator)
            wanted = mix_targets(wanted, permutation, share)
        clips = normalise(views, architecture.mean, architecture.std).to(device)
        wanted = {name: targets.to(device) for name, targets in wanted.items()}
        with torch.autocast(device.type, torch.bfloat16, enabled=_in_bfloat16(config, device)):
            loss: Tensor = self.step(clips, wanted)
        return loss


def validate(network: Network, faces: FaceSet, config: TrainConfig, epoch: int) -> dict[str, float]:
    """Accuracy and UAR of each labelling at the size of an epoch, numbered from 0; the first is called `valid`.

    Raises:
        TrainingDiverged: the outputs are no longer finite.
    """
    outputs = predict(network, faces, ARCHITECTURES[config.model], config.size_in(epoch))
    if not np.isfinite(outputs).all():
        raise TrainingDiverged(f"the network's output is no longer finite after epoch {epoch + 1}", config.out)
    figures, start = {}, 0
    for number, (name, labelling) in enumerate(faces.labellings.items()):
        logits = outputs[:, start : start + len(labelling.classes)]
        start += len(labelling.classes)
        known = labelling.labels >= 0
        if not known.any():
            continue
        matrix = metrics.confusion(labelling.labels[known], logits[known].argmax(1), len(labelling.classes))
        prefix = "valid" if number == 0 else name
        figures[f"{prefix}_accuracy"] = round(metrics.accuracy(matrix), 4)
        figures[f"{prefix}_uar"] = round(metrics.uar(matrix), 4)
    if faces.ratings is not None and outputs.shape[1] > start:
        for name, row in rating_scores(outputs[:, start:], faces.ratings).items():
            figures[f"{name}_ccc"] = round(row.ccc, 4)
    return figures


def predict(network: Network, faces: FaceSet, architecture: Architecture, size: int) -> NDArray[np.float32]:
    """(N, K) outputs for the plain views of a split."""
    device = next(network.parameters()).device
    network.eval()
    parts = []
    with torch.inference_mode():
        for start in range(0, len(faces), VALIDATION_BATCH):
            images = torch.from_numpy(faces.images[start : start + VALIDATION_BATCH])
            views = plain_views(images, architecture.n_frames, size)
            clips = normalise(views, architecture.mean, architecture.std).to(device)
            parts.append(network(clips).float().cpu().numpy())
    return np.concatenate(parts)


def _in_bfloat16(config: TrainConfig, device: torch.device) -> bool:
    """Half of the bits where the hardware computes in them: emulated they would be slower than all."""
    if config.precision != "auto":
        return config.precision == "bfloat16"
    if device.type == "cuda":
        return True
    capabilities: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
