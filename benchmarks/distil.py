"""Train several classifiers and distil them into one. This is how `weights/resnet18-fer2013.safetensors` was made.

    python benchmarks/distil.py fer2013_ferplus.npz --out DIRECTORY [--minutes 9]

Seven networks on dlib's trunk, five of which each leave a fifth of the faces out, and one ResNet-18 are trained on the
labels; then their mean answer to a view teaches a ResNet-18 that answers to the same view (Beyer et al. 2022,
arXiv 2106.05237), beside the labels. They run side by side; the clock decides how long, and the learning rate follows
it, so a run on another machine gives other weights. The shipped ones took nine minutes on one H200: 200 s for the
teachers (18 to 32 passes over the Training split), 330 s for the student (24 passes).

The result is `DIRECTORY/student.safetensors`. Nothing is chosen here but temperature and prior, on PublicTest.
"""

from __future__ import annotations

import argparse
import math
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from device_views import mixed, views
from torch import Tensor, nn

from fercli.learn.datasets import read_dataset
from fercli.learn.training.finish import finish
from fercli.learn.training.initial import read_initial, start_from
from fercli.models.networks import ARCHITECTURES, build_network
from fercli.models.registry import find_classifier
from fercli.models.weights import read_header, save_classifier
from fercli.progress import Silent

SIZE = 112
"""Of a view, pixels; networks that want less see it reduced."""
FOLDS = 5
TEACHERS_SHARE = 0.37
"""Of the time."""
MOMENTUM, WEIGHT_DECAY, CLIP = 0.9, 5e-4, 2.0
WARM_UP = 0.05
"""Share of the time until the learning rate is at its peak, from which it falls as a cosine."""
AVERAGE_EVERY, AVERAGE = 4, 0.998
"""Steps between additions to the running average of the weights, and its decay a step."""


@dataclass(frozen=True)
class Plan:
    """One network and how it is trained.

    Attributes:
        seed: of everything random.
        model: a name of ARCHITECTURES. size: side of its input, pixels.
        init: as `fercli train --init`, or the name of a plan that is done.
        fold: the fifth of the faces that it does not see; none if negative.
        lr, batch: peak learning rate, faces a step.
        mix: probability of mixup or CutMix. oversample: as `fercli train --oversample`.
        teachers: their share in the loss.
    """

    seed: int
    model: str = "dlib-resnet"
    size: int = SIZE
    init: str = "dlib-resnet"
    fold: int = -1
    lr: float = 0.03
    batch: int = 128
    mix: float = 0.4
    oversample: float = 0.3
    teachers: float = 0.0


TEACHERS = {
    "fold0": Plan(10, fold=0),
    "fold1": Plan(11, fold=1),
    "fold2": Plan(12, fold=2, mix=0.7),
    "fold3": Plan(13, fold=3, lr=0.02),
    "fold4": Plan(14, fold=4, oversample=0.5),
    "full": Plan(1),
    "larger": Plan(2, size=136, mix=0.7),
    "resnet18": Plan(3, "resnet18", 56, "resnet18", lr=0.02),
}
STUDENT = {"student": Plan(25, "resnet18", 56, "runs:resnet18", lr=0.04, mix=0.7, teachers=0.8)}
PLANS = TEACHERS | STUDENT


class Faces:
    """The Training split on a device: images, targets of each head, and how often each face is drawn."""

    def __init__(self, root: Path, plan: Plan, device: str) -> None:
        train = read_dataset("ferplus", root, Silent()).train
        self.images = torch.from_numpy(train.images.reshape(-1, *train.images.shape[-2:])).to(device)
        self.targets = [torch.from_numpy(labelling.targets).to(device) for labelling in train.labellings.values()]
        self.sizes = [targets.shape[1] for targets in self.targets]
        self.shares = [targets[targets.any(1)].mean(0) for targets in self.targets]
        folds = torch.from_numpy(np.random.default_rng(5).integers(0, FOLDS, len(self.images))).to(device)
        main = self.targets[0]
        rare = torch.where(main.any(1), (main * self.shares[0] ** -plan.oversample).sum(1), 1.0)
        self.weight = rare * (folds != plan.fold)
        self.n_seen = int((folds != plan.fold).sum())
        drawn = [(targets * self.weight[:, None]).sum(0) for targets in self.targets]
        self.shifts = [(d / d.sum() / share).log() for d, share in zip(drawn, self.shares, strict=True)]
        """What drawing rare classes more often adds to the logits; it belongs to the loss, not to the network."""


class Teachers:
    """The mean answer of all teachers; on a GPU all of them run as one recorded graph."""

    def __init__(self, out: Path, batch: int, device: str) -> None:
        self._dtype = torch.bfloat16 if device == "cuda" else torch.float32
        self._networks = [
            (plan, _finished(out, name, device).to(self._dtype).eval()) for name, plan in TEACHERS.items()
        ]
        self._input = torch.zeros(batch, 1, SIZE, SIZE, device=device)
        self._graph: torch.cuda.CUDAGraph | None = None
        if device == "cuda":
            self._record()

    @torch.no_grad()
    def __call__(self, v: Tensor, sizes: list[int]) -> list[Tensor]:
        """(N, 1, SIZE, SIZE) views -> (N, C) probabilities of each head."""
        if self._graph is None:
            return self._mean(v, sizes)
        self._input.copy_(v)
        self._graph.replay()
        return list(self._output.split(sizes, 1))

    def _mean(self, v: Tensor, sizes: list[int]) -> list[Tensor]:
        answers = [net(network_input(v, plan).to(self._dtype)).float().split(sizes, 1) for plan, net in self._networks]
        return [
            torch.stack([torch.softmax(answer[head], 1) for answer in answers]).mean(0) for head in range(len(sizes))
        ]

    @torch.no_grad()
    def _record(self) -> None:
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):  # the first runs choose algorithms, which cannot be recorded
                self._mean(self._input, HEADS)
        torch.cuda.current_stream().wait_stream(stream)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._output = torch.cat(self._mean(self._input, HEADS), 1)


HEADS = [8, 7]
"""Classes of FER+ and of FER2013."""


def network_input(v: Tensor, plan: Plan) -> Tensor:
    """(N, T, SIZE, SIZE) views in [0, 1] -> (N, T, 3, size, size), centred and scaled for the network."""
    if plan.size != v.shape[-1]:
        v = F.interpolate(v, size=(plan.size, plan.size), mode="bilinear", antialias=plan.size < v.shape[-1])
    architecture = ARCHITECTURES[plan.model]
    return ((v - architecture.mean) / architecture.std)[:, :, None].expand(-1, -1, 3, -1, -1)


def learning_rate(plan: Plan, share: float) -> float:
    """At a share of the time."""
    if share < WARM_UP:
        return plan.lr * (0.04 + 0.96 * share / WARM_UP)
    return plan.lr * 0.5 * (1 + math.cos(math.pi * (share - WARM_UP) / (1 - WARM_UP)))


def train(name: str, root: Path, out: Path, end: float) -> None:
    """Train one network until the clock says `end`, and write the average of its weights."""
    begin, plan = time.time(), PLANS[name]
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(plan.seed)
    generator = np.random.default_rng(plan.seed)
    faces = Faces(root, plan, device)
    network = _new(out, plan, faces).to(device, memory_format=torch.channels_last).train()
    live = {key: value for key, value in network.state_dict().items() if value.is_floating_point()}
    average = {key: value.clone() for key, value in live.items()}
    optimiser = _optimiser(network, plan)
    teachers = Teachers(out, plan.batch, device) if plan.teachers else None
    run = _recorded(network, faces, plan, generator) if device == "cuda" else network
    steps = faces.n_seen // plan.batch
    step = 0
    while (share := (time.time() - begin) / (end - begin)) < 1:
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(plan, share)
        if step % steps == 0:
            order = torch.multinomial(faces.weight, steps * plan.batch, replacement=True)
        rows = order[step % steps * plan.batch :][: plan.batch]
        v, mix = mixed(views(faces.images[rows], 1, SIZE, generator), generator, plan.mix)
        with torch.autocast(device, torch.bfloat16, enabled=device == "cuda", cache_enabled=False):
            outputs = run(network_input(v, plan).contiguous())
        logits = outputs.float().split(faces.sizes, 1)
        loss = (1 - plan.teachers) * _label_loss(
            logits, [mix(targets[rows]) for targets in faces.targets], faces.shifts
        )
        if teachers:
            loss = loss + plan.teachers * _teacher_loss(logits, teachers(v, faces.sizes))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), CLIP)
        optimiser.step()
        step += 1
        if step % AVERAGE_EVERY == 0:
            decay = min(AVERAGE, (1 + step) / (10 + step)) ** AVERAGE_EVERY
            torch._foreach_lerp_(list(average.values()), [live[key] for key in average], 1 - decay)
    print(f"{name}: {step / steps:.1f} passes, last loss {loss.item():.3f}", flush=True)
    state = {key: average.get(key, value).cpu() for key, value in network.state_dict().items()}
    torch.save(state, out / f"{name}.pt")


def _new(out: Path, plan: Plan, faces: Faces) -> nn.Module:
    network = build_network(plan.model, sum(faces.sizes), dropout=0.2)
    if plan.init.startswith("runs:"):
        network.load_state_dict(torch.load(out / f"{plan.init.removeprefix('runs:')}.pt", weights_only=True))
        return network
    state = {key: value.float() for key, value in read_initial(Path(plan.init)).items()}
    if "fc.weight" not in state:
        nn.init.normal_(network.fc.weight, std=0.01)
        with torch.no_grad():
            network.fc.bias.copy_(torch.cat(faces.shares).log())
    start_from(network, state, Path(plan.init), plan.model)
    return network


def _finished(out: Path, name: str, device: str) -> nn.Module:
    network = build_network(PLANS[name].model, sum(HEADS))
    network.load_state_dict(torch.load(out / f"{name}.pt", weights_only=True))
    return network.to(device, memory_format=torch.channels_last)


def _optimiser(network: nn.Module, plan: Plan) -> torch.optim.SGD:
    filters = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim <= 1]
    groups = [{"params": filters, "weight_decay": WEIGHT_DECAY}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.SGD(groups, plan.lr, MOMENTUM, nesterov=True, fused=True)


def _recorded(network: nn.Module, faces: Faces, plan: Plan, generator: np.random.Generator) -> nn.Module:
    """The network whose forward and backward passes are replayed from a recording: starting kernels costs more."""
    sample = network_input(views(faces.images[: plan.batch], 1, SIZE, generator), plan).contiguous()
    with torch.autocast("cuda", torch.bfloat16, cache_enabled=False):
        recorded: nn.Module = torch.cuda.make_graphed_callables(network, (sample,))
    return recorded


def _label_loss(logits: tuple[Tensor, ...], targets: list[Tensor], shifts: list[Tensor]) -> Tensor:
    """Mean over the heads of the cross entropy to the faces whose labels are known."""
    losses = [
        -(target * F.log_softmax(z + shift, 1)).sum() / target.any(1).sum().clamp(min=1)
        for z, target, shift in zip(logits, targets, shifts, strict=True)
    ]
    return torch.stack(losses).mean()


def _teacher_loss(logits: tuple[Tensor, ...], answers: list[Tensor]) -> Tensor:
    losses = [-(answer * F.log_softmax(z, 1)).sum(1).mean() for z, answer in zip(logits, answers, strict=True)]
    return torch.stack(losses).mean()


def _together(names: dict[str, Plan], arguments: argparse.Namespace, end: float) -> None:
    command = [sys.executable, __file__, str(arguments.root), "--out", str(arguments.out), "--until", str(end)]
    processes = [subprocess.Popen([*command, "--only", name]) for name in names]
    if any([process.wait() for process in processes]):
        sys.exit("a network failed")


def main() -> None:
    """See the top."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path, help="fer2013_ferplus.npz")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=9.0)
    parser.add_argument("--only", help=argparse.SUPPRESS)
    parser.add_argument("--until", type=float, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only:
        train(arguments.only, arguments.root, arguments.out, arguments.until)
        return
    arguments.out.mkdir(parents=True, exist_ok=True)
    begin, whole = time.time(), 60 * arguments.minutes
    _together(TEACHERS, arguments, begin + TEACHERS_SHARE * whole)
    _together(STUDENT, arguments, begin + whole)
    student = arguments.out / "student.safetensors"
    state = torch.load(arguments.out / "student.pt", weights_only=True)
    _, like = find_classifier("resnet18")
    recipe = {"dataset": "ferplus", "script": "benchmarks/distil.py", "minutes": arguments.minutes}
    save_classifier(student, state, replace(read_header(like), recipe=recipe, metrics={}))
    finish(student, read_dataset("ferplus", arguments.root, Silent()), "cpu", Silent())


if __name__ == "__main__":
    main()
