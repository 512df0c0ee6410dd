"""How far the probabilities can be taken at their word, on clean faces and on faces made worse.

    python benchmarks/calibration.py fer2013_ferplus.npz [--models NAME...] [--faces N] [--kept DIRECTORY]

For each network and head the expected calibration error (ECE, 15 bins) on all faces of PublicTest and PrivateTest, by
the protocols of `fercli evaluate`; then on N faces of PrivateTest, as they are and made worse in stated ways. The last
column has the ECE with a temperature fitted on PublicTest faces of which most were made worse: whether one temperature
serves both. The ECE of few faces is above 0 even if all probabilities are right, so beside it stands what chance would
give: the ECE that a network with these probabilities, all of them right, exceeds in one of twenty samples (consistency
resampling, Broecker and Smith 2007, doi 10.1175/WAF993.1).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from impaired import Picture, blurred, compressed, darker, smaller, tilted
from labelled import Answers, Kept, faces_of, some
from numpy.typing import NDArray

from fercli.calibration import fit_temperature, probabilities, without_prior
from fercli.learn.evaluation import metrics
from fercli.media.images import TURN_FROM, upright
from fercli.models.registry import model_names

WORSE: dict[str, Callable[[Picture], Picture]] = {
    "as they are": lambda face: face,
    "blur, .03 of the side": lambda face: blurred(face, 0.03),
    "blur, .05 of the side": lambda face: blurred(face, 0.05),
    ".3 of the light": lambda face: darker(face, 0.3),
    ".15 of the light": lambda face: darker(face, 0.15),
    "tilted by 10 degrees, as it is": lambda face: tilted(face, 10),
    "tilted by 30 degrees, turned upright": lambda face: upright(tilted(face, 30), 30.0, TURN_FROM),
    "JPEG of quality 30": lambda face: compressed(face, 30),
    "JPEG of quality 10": lambda face: compressed(face, 10),
    "24 pixels": lambda face: smaller(face, 24),
}
RESAMPLED = 200


@dataclass(frozen=True)
class Calibration:
    """Of one head on one set.

    Attributes:
        model, head, faces: which. n: faces with a label.
        accuracy, low, high: share of right answers and its 95 % interval (bootstrap over faces).
        confidence: mean probability of the answers.
        ece: expected calibration error. by_chance: what right probabilities would exceed in one of twenty samples.
        ece_mixture: the same with the temperature that was fitted on a mixture; None if that was not done.
    """

    model: str
    head: str
    faces: str
    n: int
    accuracy: float
    low: float
    high: float
    confidence: float
    ece: float
    by_chance: float
    ece_mixture: float | None = None


def clean(answers: Answers, fer: Path) -> list[Calibration]:
    """Both heads on all faces of both splits."""
    rows = []
    for split, name in (("valid", "PublicTest"), ("test", "PrivateTest")):
        faces = faces_of(fer, split)
        for head in answers.heads:
            labels = getattr(faces, head).labels
            found = answers.probabilities(faces.pictures, head)[labels >= 0]
            rows.append(_row(answers.name, head, name, found, labels[labels >= 0]))
    return rows


def degraded(answers: Answers, fer: Path, most: int) -> list[Calibration]:
    """The head of FER+ on faces made worse, with its own temperature and with that of a mixture."""
    public, private = (some(faces_of(fer, split), most) for split in ("valid", "test"))
    kinds = list(WORSE)
    part = np.arange(len(public.pictures)) % len(kinds)
    mixed = np.stack([WORSE[kinds[k]](picture) for k, picture in zip(part, public.pictures, strict=True)])
    temperature = fit_temperature(answers.logits("ferplus", mixed), public.ferplus.labels)
    rows = []
    for kind, make in WORSE.items():
        logits = answers.logits("ferplus", np.stack([make(picture) for picture in private.pictures]))
        classifier = answers.heads["ferplus"]
        own, labels = classifier.probabilities(logits), private.ferplus.labels
        head = classifier.head
        other = without_prior(probabilities(logits, temperature), head.prior, head.prior_power)
        rows.append(_row(answers.name, "ferplus", kind, own, labels, metrics.expected_calibration_error(other, labels)))
    print(f"{answers.name}: temperature {answers.heads['ferplus'].head.temperature}, of the mixture {temperature:.3f}")
    return rows


def _row(
    model: str,
    head: str,
    faces: str,
    found: NDArray[np.float32],
    labels: NDArray[np.int64],
    ece_mixture: float | None = None,
) -> Calibration:
    predicted, confidence, classes = found.argmax(axis=1), found.max(axis=1), found.shape[1]
    low, high = metrics.bootstrap(metrics.accuracy, labels, predicted, classes)
    return Calibration(
        model,
        head,
        faces,
        len(labels),
        float((predicted == labels).mean()),
        low,
        high,
        float(confidence.mean()),
        metrics.expected_calibration_error(found, labels),
        _by_chance(found),
        ece_mixture,
    )


def _by_chance(found: NDArray[np.float32]) -> float:
    rng, predicted, classes = np.random.default_rng(0), found.argmax(axis=1), found.shape[1]
    drawn = []
    for _ in range(RESAMPLED):
        right = rng.random(len(found)) < found.max(axis=1)
        truth = np.where(right, predicted, (predicted + 1) % classes)
        drawn.append(metrics.expected_calibration_error(found, truth))
    return float(np.quantile(drawn, 0.95))


def table(rows: list[Calibration]) -> str:
    """As Markdown."""
    mixture = any(row.ece_mixture is not None for row in rows)
    head = ["network", "head", "faces", "n", "accuracy", "95 % interval", "confidence", "ECE", "by chance up to"]
    head += ["ECE, one temperature for all"] if mixture else []
    lines = ["| " + " | ".join(head) + " |", "| " + " | ".join("---" for _ in head) + " |"]
    for row in rows:
        cells = [row.model, row.head, row.faces, str(row.n), f"{row.accuracy:.3f}", f"{row.low:.3f} to {row.high:.3f}"]
        cells += [f"{row.confidence:.3f}", f"{row.ece:.3f}", f"{row.by_chance:.3f}"]
        cells += [] if row.ece_mixture is None else [f"{row.ece_mixture:.3f}"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("fer", type=Path)
    parser.add_argument("--models", nargs="*", default=list(model_names("classifier")))
    parser.add_argument("--faces", type=int, default=1000, help="faces that are made worse")
    parser.add_argument("--kept", type=Path, default=Path("build/card"), help="outputs that were computed before")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    kept = Kept(options.kept)
    for model in options.models:
        answers = Answers(model, kept)
        print(table(clean(answers, options.fer)) + "\n", flush=True)
        print(table(degraded(answers, options.fer, options.faces)) + "\n", flush=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
