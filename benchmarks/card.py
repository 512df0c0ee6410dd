"""The measured part of the card of a network: `docs/card.md` and its pictures, made anew by one command.

    make card FER=fer2013_ferplus.npz        # or: python benchmarks/card.py fer2013_ferplus.npz

Takes the default network unless `--model` names another. Answers are kept (`--kept`), so a run that was stopped goes
on. Figures that are reported are those of PrivateTest; what chose a limit is PublicTest (`assessable.py`). The pictures
of failings are made from the portrait in scikit-image, which is in the public domain.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import assessable
import calibration
import cv2
import numpy as np
import torch
from impaired import Picture, blurred, darker, smaller, tilted, turned
from labelled import Answers, Faces, Kept, faces_of, meshes_of
from numpy.typing import NDArray
from occluders import draw

from fercli.config import AttributesParams, EmotionsParams
from fercli.geometry import square_around
from fercli.hashing import sha256_file
from fercli.labels import RECORD_NAMES
from fercli.learn.evaluation.classification import Scores, score
from fercli.learn.evaluation.figures import SKY_BLUE, STYLE, VERMILION, save_figure
from fercli.learn.evaluation.metrics import risk_and_coverage
from fercli.media.images import contrast, sharpness, square_crop
from fercli.models.covered import CoveredFaces, covered_part
from fercli.models.pictures import default_detector
from fercli.models.registry import find_classifier, find_model, load_model
from fercli.writing import write_atomically

PAGE, CURVES, RISK, FAILINGS = "card.md", "card-curves.png", "card-risk.png", "card-failings.png"
SHOWN = 160
"""Side of a picture of the failings, pixels."""
LIMITS = (0.0, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Of `--abstain`, in the table."""
PARAMS = EmotionsParams()


@dataclass(frozen=True)
class Failing:
    """A face and what becomes of it.

    Attributes:
        picture: (SHOWN, SHOWN). name: what was done to it.
        answer: what the network says, with its probability. refused: the reason of the gates; empty if there is none.
    """

    picture: Picture
    name: str
    answer: str
    refused: str


def scores_of(answers: Answers, fer: Path) -> list[tuple[str, str, Scores]]:
    """Head, split and figures."""
    rows = []
    for split, name in (("valid", "PublicTest"), ("test", "PrivateTest")):
        faces: Faces = faces_of(fer, split)
        for head in answers.heads:
            labelling = getattr(faces, head)
            found = answers.probabilities(faces.pictures, head)
            rows.append((head, name, score(found, labelling.labels, labelling.classes)))
    return rows


def scores_table(answers: Answers, rows: Sequence[tuple[str, str, Scores]]) -> str:
    """Each figure with its set, n, interval and command."""
    head = ("set", "n", "accuracy", "95 % interval", "UAR", "95 % interval", "command")
    lines = ["| " + " | ".join(head) + " |", "| " + " | ".join("---" for _ in head) + " |"]
    for name, split, found in rows:
        part = " --split valid" if split == "PublicTest" else ""
        command = f"`fercli evaluate {answers.name} --dataset {name} --root FER{part}`"
        cells = [f"{name}, {split}", str(found.n)]
        for figure in ("accuracy", "uar"):
            low, high = found.intervals[figure]
            cells += [f"{getattr(found, figure):.3f}", f"{low:.3f} to {high:.3f}"]
        lines.append("| " + " | ".join([*cells, command]) + " |")
    return "\n".join(lines)


def risk_table(found: NDArray[np.float32], labels: NDArray[np.int64]) -> str:
    """What `--abstain` costs and gains."""
    lines = ["| `--abstain` | keep a label | of these wrong |", "| --- | --- | --- |"]
    for limit, coverage, risk in zip(LIMITS, *risk_and_coverage(found, labels, np.array(LIMITS)), strict=True):
        lines.append(f"| {limit:g} | {coverage:.3f} | {risk:.3f} |")
    return "\n".join(lines)


def risk_picture(curves: Sequence[tuple[str, NDArray[np.float32], NDArray[np.int64]]], path: Path) -> None:
    """Risk against coverage, with the limits marked."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(3.5, 2.6), layout="constrained")
        axes = figure.add_subplot()
        for (name, found, labels), colour in zip(curves, ("#0072B2", VERMILION, SKY_BLUE), strict=False):
            line = risk_and_coverage(found, labels, np.linspace(0, 0.99, 100))
            axes.plot(*line, color=colour, label=f"{name} (n = {len(labels)})")
            for limit, *at in zip(LIMITS[1:], *risk_and_coverage(found, labels, np.array(LIMITS[1:])), strict=True):
                axes.plot(*at, "o", color=colour, markersize=3)
                axes.annotate(f"{limit:g}", at, (2, -8), textcoords="offset points", fontsize=6)
        axes.set(xlim=(0, 1), ylim=(0, None), xlabel="share that keeps a label", ylabel="share of these that is wrong")
        axes.legend(frameon=False)
        save_figure(figure, path)


def failings(answers: Answers, kept: Kept) -> list[Failing]:
    """The portrait of Eileen Collins (NASA, public domain), who smiles, made worse step by step."""
    from skimage.data import astronaut

    portrait = np.asarray(astronaut(), np.uint8)
    found = default_detector().detect(portrait)
    box = found.boxes[found.scores.argmax()]
    grey = cv2.cvtColor(square_crop(portrait, square_around(box, 1.0), 512), cv2.COLOR_RGB2GRAY)
    face = np.asarray(cv2.resize(grey, (SHOWN, SHOWN), interpolation=cv2.INTER_AREA), np.uint8)
    points = meshes_of(face[None], kept).points[0] * (SHOWN / 48)

    def turn(yaw: float, pitch: float) -> Picture:
        return turned(face, points, yaw, pitch, SHOWN)

    def hidden(kind: str, where: str) -> Picture:
        five = assessable.five_points(points)
        return np.asarray(draw(np.random.default_rng(3), face, five, kind, where).picture, np.uint8)

    made = [
        ("as it is", face),
        ("turned by 20 degrees", turn(20, 0)),
        ("turned by 45 degrees", turn(45, 0)),
        ("looking down by 25 degrees", turn(0, -25)),
        ("looking up by 30 degrees", turn(0, 30)),
        ("a mask", hidden("mask", "mouth")),
        ("sunglasses", hidden("sunglasses", "eyes")),
        ("10 pixels", smaller(face, 13)),
        ("5 % of the light", darker(face, 0.05)),
        ("out of focus", blurred(face, 0.08)),
        ("tilted by 90 degrees, not turned back", tilted(face, 90)),
        ("mirrored upside down", np.ascontiguousarray(face[::-1])),
    ]
    return [_failing(picture, name, answers, kept) for name, picture in made]


def _failing(picture: Picture, name: str, answers: Answers, kept: Kept) -> Failing:
    head = answers.heads["ferplus"].head
    found = answers.probabilities(picture[None])[0]
    best = int(found.argmax())
    return Failing(picture, name, f"{RECORD_NAMES[head.labels[best]]} {found[best]:.2f}", _refused(picture, kept))


def _refused(picture: Picture, kept: Kept) -> str:
    """The reason that the gates would give, without those that need the frame round the face."""
    colour, mesh = np.repeat(picture[:, :, None], 3, axis=2), meshes_of(picture[None], kept)
    network: CoveredFaces = load_model(find_model("covered-faces", "occlusion"))
    small = cv2.resize(picture, (48, 48), interpolation=cv2.INTER_AREA)
    part = covered_part(network.probabilities([np.asarray(small, np.uint8)])[0].tolist())
    reasons = [
        (contrast(colour) < PARAMS.min_contrast, "too dark"),
        (sharpness(colour) < PARAMS.min_sharpness, "too blurred"),
        (mesh.flag[0] < AttributesParams.min_flag, "no clear face"),
        (abs(mesh.yaw[0]) > PARAMS.max_yaw or abs(mesh.pitch[0]) > PARAMS.max_pitch, "turned away"),
        (bool(part), f"{part} covered"),
    ]
    return next((reason for holds, reason in reasons if holds), "")


def failings_picture(found: Sequence[Failing], path: Path) -> None:
    """Four in a row, each with what was said of it."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.2, 2.3 * -(-len(found) // 4)), layout="constrained")
        figure.get_layout_engine().set(h_pad=0.12)
        for axes, one in zip(figure.subplots(-(-len(found) // 4), 4).ravel(), found, strict=False):
            axes.imshow(one.picture, cmap="gray", vmin=0, vmax=255)
            axes.set_title(one.name, fontsize=7)
            judged = f"not assessable: {one.refused}" if one.refused else "is judged"
            axes.set_xlabel(f"{one.answer}\n{judged}", fontsize=7)
            axes.set(xticks=[], yticks=[])
        save_figure(figure, path)


def curve_section(curve: assessable.Curve) -> str:
    """Heading, where the rule puts its limit, and table."""
    unit = f", {curve.unit}" if curve.unit else ""
    verdict = "" if curve.name in ("covered", "face flag") else assessable.verdict(curve)
    return f"**{curve.name}**{unit} ({curve.source}). {verdict}".strip() + f"\n\n{assessable.table(curve)}"


def page(answers: Answers, fer: Path, kept: Kept, folder: Path, command: str, most: int, worse: int) -> str:
    """The page, and its pictures beside it."""
    _, weights = find_classifier(answers.name)
    scores = scores_of(answers, fer)
    curves = assessable.curves_of(fer, answers, kept, most)
    assessable.picture(curves, folder / CURVES)
    private = faces_of(fer, "test")
    rows = private.ferplus.labels >= 0
    found, labels = answers.probabilities(private.pictures)[rows], private.ferplus.labels[rows]
    own = private.fer2013.labels >= 0
    other = answers.probabilities(private.pictures, "fer2013")[own], private.fer2013.labels[own]
    risk_picture([("FER+ PrivateTest", found, labels), ("FER2013 PrivateTest", *other)], folder / RISK)
    failings_picture(failings(answers, kept), folder / FAILINGS)
    sections = [
        f"# Measured card of {answers.name}",
        f"Made by `{command}`; this page is replaced when that is run again. Weights: sha256 `{sha256_file(weights)}`. "
        "FER is the file of FER2013 with the votes of FER+ "
        "([Card of the weights](weights.md) says what it is, and how the network was trained). Intervals are 95 % "
        "percentile bootstrap intervals over faces. All faces are single pictures of 48 x 48 grey pixels from the web: "
        "nothing on this page was measured on video, or on photographs of another set.",
        "## Accuracy",
        scores_table(answers, scores),
        "## Calibration",
        "Expected calibration error (ECE): how far the probabilities are from the share of right answers, 15 bins. "
        "Right probabilities would exceed `by chance up to` in one of twenty samples. "
        "PublicTest chose temperature and prior, PrivateTest did not. Command: "
        f"`python benchmarks/calibration.py FER --models {answers.name}`.",
        calibration.table(calibration.clean(answers, fer)),
        f"The same for {worse} faces of FER+ PrivateTest, as they are and made worse. Last column: with one "
        "temperature, fitted on PublicTest faces of which nine in ten were made worse in these ways.",
        calibration.table(calibration.degraded(answers, fer, worse)),
        "## Risk against coverage",
        "What `--abstain P` would leave out, and how many of the remaining labels are wrong, face by face (FER+ "
        "PrivateTest):",
        risk_table(found, labels),
        f"![Share of wrong labels against the share of faces that keep one]({RISK})",
        "## Where faces stop being assessable",
        "Faces of PublicTest, head of FER+. Doubt begins, by the rule of `benchmarks/assessable.py`, where accuracy "
        f"falls below {100 * assessable.DOUBT:.0f} % of that of the most faces, and a face is not assessable below "
        f"{100 * assessable.LIMIT:.0f} %. `refused` is the share that the gate refuses. "
        "[Which faces are assessed](faces.md) has the limits that are shipped, and why each is where it is.",
        f"![Accuracy and confidence against yaw, pitch, face flag, size, contrast, sharpness and tilt]({CURVES})",
        *map(curve_section, curves),
        "By age, sex and skin: not measured. No set at hand has such labels.",
        "## Failings",
        "The portrait of Eileen Collins in scikit-image (NASA, public domain), who smiles, made worse. Below each "
        "picture the answer of the network with its probability, and whether the face would be judged. The turned ones "
        "are moved by the mesh.",
        f"![Twelve versions of one portrait with the answers of the network]({FAILINGS})",
    ]
    return "\n\n".join(sections) + "\n"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("fer", type=Path)
    parser.add_argument("--model", default=EmotionsParams.model)
    parser.add_argument("--faces", type=int, default=1200, help="faces of PublicTest that are made worse")
    parser.add_argument("--worse", type=int, default=1000, help="faces of PrivateTest that are made worse")
    parser.add_argument("--kept", type=Path, default=Path("build/card"), help="outputs that were computed before")
    parser.add_argument("--folder", type=Path, default=Path("docs"))
    options = parser.parse_args()
    cv2.setNumThreads(1)
    kept = Kept(options.kept)
    given = [f"--model {options.model}"] if options.model != EmotionsParams.model else []
    given += [f"--{name} {getattr(options, name)}" for name in ("faces", "worse") if f"--{name}" in sys.argv]
    command = " ".join(["python benchmarks/card.py FER", *map(shlex.quote, " ".join(given).split())])
    text = page(Answers(options.model, kept), options.fer, kept, options.folder, command, options.faces, options.worse)
    write_atomically(options.folder / PAGE, text.encode())


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
