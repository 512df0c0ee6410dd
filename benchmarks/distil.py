"""Train four classifiers and distil them into small ones: how the shipped `resnet18` and `tsm-resnet18` were made.

    python benchmarks/distil.py fer2013_ferplus.npz --out DIRECTORY [--minutes 9] [--init resnet18]

Three phases share the time. Within each, one process a plan, side by side on one GPU:

1. until 46 %, four teachers learn the labels: three start from the weights of `--init`, one (`at64-scratch`) does not;
2. until 86 %, one process trains two students on the same views. The target of each view is the teachers' mean answer
   to that same view (Beyer et al. 2022, arXiv 2106.05237), beside the labels;
3. until the end, each student becomes a network of clips of four frames, taught by the same teachers' answers to the
   third frame.

Written are `student-56`, `student-72`, `clips-56` and `clips-72`.safetensors, float16. Nothing is chosen here but
temperature and prior, on PublicTest.

The whole step (views, teachers, forward pass, loss, backward pass) is recorded as one CUDA graph with static shapes,
because starting its kernels one by one takes longer than computing them. One H200, about nine minutes (accuracy on
PublicTest, of the mean over a face and its mirror image, the prior not divided out):

    network        views a second   passes   FER+    FER2013
    at56                   11,000       93   .890    .722
    at72                    7,900       67   .885    .721
    at64-scratch            9,900       85   .880    .717
    at96                    4,700       39   .883    .719
    the four's mean                          .891    .728
    student-56             15,200      107   .893    .731
    student-72      (same process)     107   .885    .724
    clips-56          3,300 clips        7   .895    .729
    clips-72          4,400 clips       10   .890    .722

The teachers' 33,500 views a second are of four processes at once; each view of the students passes through the four
teachers as well.

The shipped networks do not start from nothing: their warm start is the former `resnet18` (sha256 85a56694ddc5..., of
commit f46f9df), whose own training took hours. `--init resnet18` starts from whatever `resnet18` is shipped then, and
the clock decides how many steps there are, so another run gives other numbers. They came from this script before it was
tidied, which saw the Training split as JPEG of quality 94 (mean error 1.5 grey levels) and that warm start rounded to
8 bits a weight, to have less to transfer; this one reads both as they are. It has run on a CPU only.
"""

from __future__ import annotations

import argparse
import copy
import math
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from device_views import SIDE, mixed, mixed_targets, views
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from fercli.learn.datasets import DatasetSplits, read_dataset
from fercli.learn.training.augment import VIEW
from fercli.learn.training.finish import finish
from fercli.learn.training.initial import read_initial, start_from
from fercli.models.networks import ARCHITECTURES, Network, build_network
from fercli.models.weights import ClassifierHeader, Head, save_classifier
from fercli.progress import Silent

SIZE = 112
"""Of a view, pixels; networks that want less see it reduced."""
FOLD_DIV = 16
MOMENTUM, WEIGHT_DECAY, CLIP = 0.9, 5e-4, 2.0
"""CLIP bounds the norm of the gradients of one network; with more it grows as the square root of their number."""
OVERSAMPLE = 0.3
"""As `fercli train --oversample`."""
WARM_UP, FIRST_RATE = 0.05, 0.04
"""Share of the time until the learning rate is at its peak, and the share of the peak that it begins with."""
AVERAGE_EVERY, AVERAGE = 4, 0.998
"""Steps between additions to the running average of the weights, and its decay a step."""
CHECK_EVERY = 50
"""Steps between looks at the loss: each waits for the GPU."""
FEW = 8
"""Faces a step of a trial with --steps."""
GIVEN = "--init"


@dataclass(frozen=True)
class Design:
    """A network.

    Attributes:
        size: side of its input, pixels.
        init: GIVEN, the name of a network of an earlier phase, or nothing to start from scratch.
        model: a name of ARCHITECTURES.
        stem_pool, dropout: as of `build_network`.
    """

    size: int
    init: str = GIVEN
    model: str = "resnet18"
    stem_pool: bool = False
    dropout: float = 0.2

    @property
    def n_frames(self) -> int:
        """Frames of a clip."""
        return ARCHITECTURES[self.model].n_frames

    def build(self, n_classes: int) -> Network:
        """The network with fresh weights."""
        return build_network(self.model, n_classes, FOLD_DIV, stem_pool=self.stem_pool, dropout=self.dropout)


@dataclass(frozen=True)
class Plan:
    """Networks that one process trains on the same views, and how.

    Attributes:
        seed: of everything random.
        networks: name -> design, all of as many frames.
        lr, batch: peak learning rate, faces a step.
        mix: probability of mixup or CutMix.
        teachers: weight of their answers in the loss; the labels have the rest.
    """

    seed: int
    networks: dict[str, Design]
    lr: float
    mix: float
    batch: int = 256
    teachers: float = 0.0

    @property
    def n_frames(self) -> int:
        """Frames of a clip."""
        return next(iter(self.networks.values())).n_frames


TEACHERS = {
    "at56": Plan(1, {"at56": Design(56)}, lr=0.03, mix=0.4),
    "at72": Plan(2, {"at72": Design(72)}, lr=0.03, mix=0.6),
    "at64-scratch": Plan(3, {"at64-scratch": Design(64, init="")}, lr=0.1, mix=0.4),
    "at96": Plan(4, {"at96": Design(96)}, lr=0.02, mix=0.6, batch=128),
}
PAIR = {
    "student-56": Design(56, "at56", dropout=0.1),
    "student-72": Design(72, "at72", stem_pool=True, dropout=0.1),
}
STUDENTS = {"students": Plan(5, PAIR, lr=0.06, mix=0.7, teachers=0.85)}
CLIP_56 = {"clips-56": Design(56, "student-56", "tsm-resnet18", dropout=0.1)}
CLIP_72 = {"clips-72": Design(72, "student-72", "tsm-resnet18", stem_pool=True, dropout=0.1)}
CLIPS = {
    "clips-56": Plan(6, CLIP_56, lr=0.01, mix=0.5, batch=128, teachers=0.85),
    "clips-72": Plan(7, CLIP_72, lr=0.01, mix=0.5, batch=128, teachers=0.85),
}
PHASES = ((0.46, TEACHERS), (0.86, STUDENTS), (1.0, CLIPS))
"""The share of the time that is over when a phase ends, and its plans."""
PLANS = TEACHERS | STUDENTS | CLIPS
WRITTEN = PAIR | CLIP_56 | CLIP_72


@dataclass(frozen=True)
class Options:
    """Of the command line: root, out and init are paths or names; steps ends each process after so many, if not 0."""

    root: Path
    out: Path
    init: str
    steps: int = 0


class Faces:
    """The Training split on a device: images, targets of each head, and how often each face is drawn."""

    def __init__(self, root: Path, device: str) -> None:
        train = read_dataset("ferplus", root, Silent()).train
        self.images = torch.from_numpy(train.images.reshape(-1, SIDE, SIDE)).to(device)
        self.targets = [torch.from_numpy(labelling.targets).to(device) for labelling in train.labellings.values()]
        self.sizes = [targets.shape[1] for targets in self.targets]
        self.shares = [targets[targets.any(1)].mean(0).clamp(min=1e-4) for targets in self.targets]
        main = self.targets[0]
        rare = torch.where(main.any(1), (main * self.shares[0] ** -OVERSAMPLE).sum(1), 1.0)
        self.weight = rare / rare.sum()
        drawn = [(targets * self.weight[:, None]).sum(0).clamp(min=1e-9) for targets in self.targets]
        self.shifts = [(d / d.sum() / share).log() for d, share in zip(drawn, self.shares, strict=True)]
        """What drawing rare classes more often adds to the logits; it belongs to the loss, not to the network."""


class Teachers:
    """The mean answer of the teachers."""

    def __init__(self, out: Path, sizes: list[int], device: str) -> None:
        self._sizes = sizes
        self._dtype = torch.bfloat16 if device == "cuda" else torch.float32
        self._networks = []
        for name, plan in TEACHERS.items():
            network = plan.networks[name].build(sum(sizes))
            network.load_state_dict(_load(out, name))
            answering = folded(network).to(device, self._dtype).to(memory_format=torch.channels_last)
            self._networks.append((plan.networks[name], answering))

    @torch.no_grad()
    def __call__(self, v: Tensor) -> list[Tensor]:
        """(N, 1, SIZE, SIZE) views -> (N, C) probabilities of each head."""
        logits = [
            network(network_input(v, design).to(self._dtype)).float().split(self._sizes, 1)
            for design, network in self._networks
        ]
        return [torch.stack([torch.softmax(z, 1) for z in head]).mean(0) for head in zip(*logits, strict=True)]


class Step:
    """The loss of a batch and its gradients; on a GPU all of it is recorded once and replayed.

    A replay reads the batch from the tensors that were recorded and leaves the gradients in those that were recorded.
    """

    def __init__(
        self, plan: Plan, networks: dict[str, Network], faces: Faces, teachers: Teachers | None, batch: int
    ) -> None:
        self._plan, self._networks, self._faces, self._teachers = plan, networks, faces, teachers
        self._images = torch.zeros_like(faces.images[:1]).repeat(batch, 1, 1)
        self._targets = [torch.zeros_like(targets[:1]).repeat(batch, 1) for targets in faces.targets]
        self._graph: torch.cuda.CUDAGraph | None = None

    def __call__(self, rows: Tensor) -> Tensor:
        """The loss of the faces in (batch,) rows; the gradients are in the networks' parameters."""
        self._fill(rows)
        if self._graph is None:
            self._forget_gradients()
            return self._computed()
        self._graph.replay()
        return self._loss

    def record(self, rows: Tensor) -> None:
        """Record the step on a GPU; the faces in (batch,) rows leave no trace in the networks."""
        self._fill(rows)
        before = {name: copy.deepcopy(network.state_dict()) for name, network in self._networks.items()}
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):  # the first runs choose algorithms, which cannot be recorded
                self._forget_gradients()
                self._computed()
        torch.cuda.current_stream().wait_stream(stream)
        torch.cuda.synchronize()
        self._forget_gradients()  # so that the recorded backward pass writes them and does not add to them
        self._graph = torch.cuda.CUDAGraph()
        # The backward pass has a thread of its own, whose calls must not end the recording.
        with torch.cuda.graph(self._graph, capture_error_mode="thread_local"):
            self._loss = self._computed()
        for name, network in self._networks.items():
            network.load_state_dict(before[name])  # running statistics of batch normalisation have moved

    def _fill(self, rows: Tensor) -> None:
        self._images.copy_(self._faces.images[rows])
        for held, targets in zip(self._targets, self._faces.targets, strict=True):
            held.copy_(targets[rows])

    def _forget_gradients(self) -> None:
        for network in self._networks.values():
            network.zero_grad(set_to_none=True)

    def _computed(self) -> Tensor:
        plan, device = self._plan, self._images.device.type
        v, own = mixed(views(self._images, plan.n_frames, SIZE), plan.mix)
        targets = [mixed_targets(held, own) for held in self._targets]
        answers = self._teachers(v[:, plan.n_frames // 2, None]) if self._teachers else None
        total = torch.zeros((), device=v.device)
        for name, network in self._networks.items():
            with torch.autocast(device, torch.bfloat16, enabled=device == "cuda", cache_enabled=False):
                outputs = network(network_input(v, plan.networks[name]).contiguous())
            logits = outputs.float().split(self._faces.sizes, 1)
            total = total + (1 - plan.teachers) * label_loss(logits, targets, self._faces.shifts)
            if answers:
                total = total + plan.teachers * teacher_loss(logits, answers)
        total.backward()
        return total.detach()


class Average:
    """The running average of the weights and the statistics of networks, of which it keeps more the older it is."""

    def __init__(self, networks: dict[str, Network]) -> None:
        self._networks = networks
        self._live = [value for network in networks.values() for value in _floating(network).values()]
        self._average = {
            name: {key: value.clone() for key, value in _floating(network).items()}
            for name, network in networks.items()
        }

    def add(self, step: int) -> None:
        """What the networks are after `step` steps, AVERAGE_EVERY after the last addition."""
        decay = min(AVERAGE, (1 + step) / (10 + step)) ** AVERAGE_EVERY
        held = [value for average in self._average.values() for value in average.values()]
        torch._foreach_lerp_(held, self._live, 1 - decay)

    def save(self, out: Path) -> None:
        """Write NAME.pt of each network."""
        for name, network in self._networks.items():
            state = {key: self._average[name].get(key, value).cpu() for key, value in network.state_dict().items()}
            torch.save(state, out / f"{name}.pt")


def network_input(v: Tensor, design: Design) -> Tensor:
    """(N, T, SIZE, SIZE) views in [0, 1] -> (N, T, 3, size, size), centred and scaled for the network."""
    if design.size != v.shape[-1]:
        v = F.interpolate(v, size=(design.size, design.size), mode="bilinear", antialias=design.size < v.shape[-1])
    architecture = ARCHITECTURES[design.model]
    return ((v - architecture.mean) / architecture.std)[:, :, None].expand(-1, -1, 3, -1, -1)


def learning_rate(plan: Plan, share: float) -> float:
    """At a share of the time: a line up to the peak, and from there half a cosine down to 0."""
    if share < WARM_UP:
        return plan.lr * (FIRST_RATE + (1 - FIRST_RATE) * share / WARM_UP)
    return plan.lr * 0.5 * (1 + math.cos(math.pi * (share - WARM_UP) / (1 - WARM_UP)))


def folded(network: nn.Module) -> nn.Module:
    """A copy with the batch normalisation multiplied into the convolutions before it, for answering only."""
    answering = copy.deepcopy(network).eval().requires_grad_(False)
    for module in list(answering.modules()):
        downsample = getattr(module, "downsample", None)
        if downsample is not None:
            module.downsample = fuse_conv_bn_eval(*downsample)
        for number in "12":
            norm = getattr(module, f"bn{number}", None)
            if norm is not None:
                setattr(module, f"conv{number}", fuse_conv_bn_eval(getattr(module, f"conv{number}"), norm))
                setattr(module, f"bn{number}", nn.Identity())
    return answering


def label_loss(logits: tuple[Tensor, ...], targets: list[Tensor], shifts: list[Tensor]) -> Tensor:
    """Mean over the heads of the cross entropy to the faces whose labels are known."""
    losses = [
        -(target * F.log_softmax(z + shift, 1)).sum() / target.any(1).sum().clamp(min=1)
        for z, target, shift in zip(logits, targets, shifts, strict=True)
    ]
    return torch.stack(losses).mean()


def teacher_loss(logits: tuple[Tensor, ...], answers: list[Tensor]) -> Tensor:
    """Mean over the heads of the cross entropy to the teachers' answers."""
    losses = [-(answer * F.log_softmax(z, 1)).sum(1).mean() for z, answer in zip(logits, answers, strict=True)]
    return torch.stack(losses).mean()


def train(name: str, options: Options, end: float) -> None:
    """Train the networks of a plan until the clock says `end`, and write the average of their weights."""
    begin, plan = time.time(), PLANS[name]
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.backends.cudnn.benchmark = torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = True
    torch.manual_seed(plan.seed)
    faces = Faces(options.root, device)
    networks = {
        key: _new(design, options, faces).to(device).to(memory_format=torch.channels_last).train()
        for key, design in plan.networks.items()
    }
    parameters = [parameter for network in networks.values() for parameter in network.parameters()]
    optimiser = _optimiser(parameters, plan, device)
    average = Average(networks)
    batch = FEW if options.steps else plan.batch
    teachers = Teachers(options.out, faces.sizes, device) if plan.teachers else None
    step = Step(plan, networks, faces, teachers, batch)
    if device == "cuda":
        step.record(torch.multinomial(faces.weight, batch, replacement=True))
    steps_a_pass = max(1, len(faces.images) // batch)
    ready, done = time.time(), 0
    while (share := _share(begin, end, done, options.steps)) < 1:
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(plan, share)
        if done % steps_a_pass == 0:
            order = torch.multinomial(faces.weight, steps_a_pass * batch, replacement=True)
        loss = step(order[done % steps_a_pass * batch :][:batch])
        nn.utils.clip_grad_norm_(parameters, CLIP * len(networks) ** 0.5, foreach=True)
        optimiser.step()
        done += 1
        if done % AVERAGE_EVERY == 0:
            average.add(done)
        if done % CHECK_EVERY == 0 and not math.isfinite(loss.item()):
            sys.exit(f"{name}: the loss is {loss.item()} after {done} steps")
    rate = done * batch / (time.time() - ready)
    print(
        f"{name}: {done / steps_a_pass:.1f} passes, {rate:.0f} views a second, last loss {loss.item():.3f}", flush=True
    )
    average.save(options.out)


def _share(begin: float, end: float, done: int, steps: int) -> float:
    """How much of a process is over: of its time, or of its steps if their number is given."""
    return done / steps if steps else (time.time() - begin) / (end - begin)


def _new(design: Design, options: Options, faces: Faces) -> Network:
    network = design.build(sum(faces.sizes))
    if design.init == GIVEN:
        start_from(network, read_initial(Path(options.init)), Path(options.init), design.model)
    elif design.init:
        network.load_state_dict(_load(options.out, design.init))
    else:  # it begins with the shares of the classes as its answer
        nn.init.normal_(network.fc.weight, std=0.01)
        with torch.no_grad():
            network.fc.bias.copy_(torch.cat(faces.shares).log())
    return network


def _load(out: Path, name: str) -> dict[str, Tensor]:
    state: dict[str, Tensor] = torch.load(out / f"{name}.pt", weights_only=True)
    return state


def _floating(network: nn.Module) -> dict[str, Tensor]:
    return {key: value for key, value in network.state_dict().items() if value.is_floating_point()}


def _optimiser(parameters: list[nn.Parameter], plan: Plan, device: str) -> torch.optim.SGD:
    filters = [p for p in parameters if p.ndim > 1]
    others = [p for p in parameters if p.ndim <= 1]
    groups = [{"params": filters, "weight_decay": WEIGHT_DECAY}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.SGD(groups, plan.lr, MOMENTUM, nesterov=True, fused=device == "cuda")


def _together(plans: dict[str, Plan], options: Options, end: float) -> None:
    """Train plans side by side, a process each."""
    command = [sys.executable, __file__, str(options.root), "--out", str(options.out), "--init", options.init]
    command += ["--steps", str(options.steps), "--until", str(end)]
    processes = [subprocess.Popen([*command, "--only", name]) for name in plans]
    if any([process.wait() for process in processes]):
        sys.exit("a network failed")


def _write(name: str, design: Design, options: Options, data: DatasetSplits, recipe: dict[str, object]) -> None:
    """DIRECTORY/NAME.safetensors, with temperature and prior."""
    architecture = ARCHITECTURES[design.model]
    header = ClassifierHeader(
        architecture=design.model,
        heads=tuple(Head(head, labelling.classes) for head, labelling in data.train.labellings.items()),
        input_size=design.size,
        n_frames=design.n_frames,
        fold_div=FOLD_DIV,
        stem_pool=design.stem_pool,
        mean=architecture.mean,
        std=architecture.std,
        view_scale=round(data.face_scale * VIEW, 4),
        training_data=data.terms,
        recipe=recipe | {"model": design.model},
    )
    path = options.out / f"{name}.safetensors"
    save_classifier(path, _load(options.out, name), header)
    metrics = finish(path, data, "cpu", Silent()).metrics
    found = [f"{head} {figures.get('valid_accuracy')}" for head, figures in metrics.items()]
    print(f"{path}: accuracy on PublicTest: {', '.join(found)}", flush=True)


def main() -> None:
    """See the top."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path, help="fer2013_ferplus.npz")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=9.0)
    parser.add_argument("--init", default="resnet18", help="of three teachers, as `fercli train --init`")
    parser.add_argument(
        "--steps", type=int, default=0, help=f"a trial: so many steps of {FEW} faces a process, whatever the clock says"
    )
    parser.add_argument("--only", help=argparse.SUPPRESS)
    parser.add_argument("--until", type=float, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    options = Options(arguments.root, arguments.out, arguments.init, arguments.steps)
    if arguments.only:
        train(arguments.only, options, arguments.until)
        return
    options.out.mkdir(parents=True, exist_ok=True)
    begin = time.time()
    for share, plans in PHASES:
        _together(plans, options, begin + share * 60 * arguments.minutes)
    length = {"steps": options.steps} if options.steps else {"minutes": arguments.minutes}
    recipe = {"dataset": "ferplus", "script": "benchmarks/distil.py", **length}
    data = read_dataset("ferplus", options.root, Silent())
    for name, design in WRITTEN.items():
        _write(name, design, options, data, recipe)


if __name__ == "__main__":
    main()
