"""From where on a face cannot be judged: accuracy and confidence against yaw, pitch, size, light, blur and more.

    python benchmarks/assessable.py fer2013_ferplus.npz [--model NAME] [--faces N] [--kept DIRECTORY] [--picture FILE]

The faces are those of FER+'s PublicTest, which chose the network too; PrivateTest is left for figures that are
reported. Yaw, pitch and face flag are those that the faces have by nature. As FER2013 has few turned faces, the frontal
ones are also turned by their mesh (`impaired.turned`), and binned by the yaw and pitch that the mesh finds in them
afterwards, as in a video. All else is drawn or computed: see `impaired` and `occluders`. Sizes are converted to those
of the detector's box, whose shorter side is BOX of the side of a picture of FER2013.

A curve is read by one rule: doubt begins where a twentieth of the right answers is lost (DOUBT), and a face is not
assessable where a fifth is (LIMIT). The set flatters: the network learnt from faces like these, and faces on which the
annotators disagreed are left out. So a limit may be stricter than the curve says, never laxer.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from impaired import blurred, darker, smaller, tilted, turned
from labelled import Answers, Faces, Kept, Meshes, Pictures, Point, faces_of, meshes_of, point, some
from numpy.typing import NDArray
from occluders import EYES_KINDS, MOUTH_KINDS, draw

from fercli.config import AttributesParams, EmotionsParams
from fercli.learn.evaluation.figures import GREY, SKY_BLUE, STYLE, VERMILION, save_figure
from fercli.media.images import TURN_FROM, contrast, sharpness, upright
from fercli.models.covered import CoveredFaces, covered_part
from fercli.models.registry import find_model, load_model

DOUBT, LIMIT = 0.95, 0.8
"""Shares of the accuracy of the largest bin of a curve, or of its best point where all are as large."""
BOX = 0.81
"""Shorter side of CenterFace's box as a share of the longer one; median over 1,437 faces of FER+ PublicTest."""
FRONTAL = 8.0
"""Faces with less yaw, and less pitch from the median one, are turned."""
TILT_ERROR = 6.0
"""Standard deviation of the detector's roll, degrees (docs/faces.md)."""
EDGES = (0, 10, 15, 20, 25, 30, 35, 40, 50, 90)
"""Of the bins of yaw, degrees."""
PITCH_EDGES = (-90, -35, -30, -25, -20, -15, -10, -5, 0, 5, 10, 15, 20, 25, 30, 90)
FLAG_EDGES = (0, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0001)
LEAST = 15
"""Smaller bins are left out."""
PARAMS = EmotionsParams()


@dataclass(frozen=True)
class Curve:
    """How the answers get worse.

    Attributes:
        name, unit: what makes them worse. source: which faces.
        points: in order.
        limits: the limits that are shipped, in the unit of `Point.at`; empty if the limit is of another measure.
        doubt: where doubt begins, as shipped; empty if no label is marked for it.
    """

    name: str
    unit: str
    source: str
    points: tuple[Point, ...]
    limits: tuple[float, ...] = ()
    doubt: tuple[float, ...] = ()


def binned(
    values: NDArray[np.float32], edges: Sequence[float], probabilities: NDArray[np.float32], labels: NDArray[np.int64]
) -> tuple[Point, ...]:
    """A point for each bin with enough faces."""
    points = []
    for low, high in itertools.pairwise(edges):
        rows = (values >= low) & (values < high)
        if rows.sum() >= LEAST:
            middle = float(np.median(values[rows]))
            points.append(
                point(f"{low:g} to {min(high, 1) if high < 2 else high:g}", middle, probabilities[rows], labels[rows])
            )
    return tuple(points)


def natural(faces: Faces, meshes: Meshes, answers: Answers) -> list[Curve]:
    """Yaw, pitch and face flag as they come."""
    rows = np.flatnonzero(faces.ferplus.labels >= 0)
    labels = faces.ferplus.labels[rows]
    found = answers.probabilities(faces.pictures)[rows]
    yaw, pitch, flag = meshes.yaw[rows], meshes.pitch[rows], meshes.flag[rows]
    seen = flag >= AttributesParams.min_flag
    ahead = seen & (np.abs(pitch) < PARAMS.max_pitch)
    sideways = seen & (np.abs(yaw) < PARAMS.doubtful_from)
    whole = "as they are"
    return [
        Curve(
            "yaw",
            "degrees",
            whole,
            binned(np.abs(yaw[ahead]), EDGES, found[ahead], labels[ahead]),
            (PARAMS.max_yaw,),
            (PARAMS.doubtful_from,),
        ),
        Curve(
            "pitch",
            "degrees, up is positive",
            whole,
            binned(pitch[sideways], PITCH_EDGES, found[sideways], labels[sideways]),
            (-PARAMS.max_pitch, PARAMS.max_pitch),
            (-PARAMS.doubtful_from, PARAMS.doubtful_from),
        ),
        Curve("face flag", "", whole, binned(flag, FLAG_EDGES, found, labels), (AttributesParams.min_flag,)),
    ]


def by_mesh(faces: Faces, meshes: Meshes, answers: Answers, kept: Kept, most: int) -> list[Curve]:
    """Frontal faces, turned sideways, and up and down."""
    usual = float(np.median(meshes.pitch))
    rows = np.flatnonzero(
        (faces.ferplus.labels >= 0)
        & (np.abs(meshes.yaw) < FRONTAL)
        & (np.abs(meshes.pitch - usual) < FRONTAL)
        & (np.abs(meshes.roll) < FRONTAL)
        & (meshes.flag > 0.95)
    )
    rows = np.sort(np.random.default_rng(0).permutation(rows)[:most])
    labels = faces.ferplus.labels[rows]

    def turn(yaw: float, pitch: float) -> Pictures:
        return np.stack([turned(faces.pictures[row], meshes.points[row], yaw, pitch) for row in rows])

    curves = []
    for name, unit, angles, edges, limits, doubt in (
        (
            "yaw",
            "degrees",
            [(yaw, 0) for yaw in (-50, -40, -30, -20, -10, 0, 10, 20, 30, 40, 50)],
            EDGES,
            (PARAMS.max_yaw,),
            (PARAMS.doubtful_from,),
        ),
        (
            "pitch",
            "degrees, up is positive",
            [(0, pitch) for pitch in (-30, -20, -10, 0, 10, 20, 30, 40)],
            PITCH_EDGES,
            (-PARAMS.max_pitch, PARAMS.max_pitch),
            (-PARAMS.doubtful_from, PARAMS.doubtful_from),
        ),
    ):
        pictures = np.concatenate([turn(*one) for one in angles])
        poses = meshes_of(pictures, kept)
        seen = poses.flag >= AttributesParams.min_flag
        values = np.abs(poses.yaw) if name == "yaw" else poses.pitch
        truth = np.tile(labels, len(angles))
        found = answers.probabilities(pictures)
        points = binned(values[seen], edges, found[seen], truth[seen])
        curves.append(Curve(name, unit, f"{len(rows)} frontal faces, turned by their mesh", points, limits, doubt))
    return curves


def made_worse(faces: Faces, meshes: Meshes, answers: Answers) -> list[Curve]:
    """Size, light, blur and tilt, by steps."""
    labels, pictures = faces.ferplus.labels, faces.pictures
    every = f"{len(labels)} faces"

    def steps(
        values: Sequence[float],
        make: Callable[[NDArray[np.uint8], float], NDArray[np.uint8]],
        name: Callable[[float, Pictures], str],
        refused: Callable[[Pictures], NDArray[np.bool_]],
        at: Callable[[float, Pictures], float] = lambda value, made: value,
    ) -> tuple[Point, ...]:
        points = []
        for value in values:
            made = np.stack([make(picture, value) for picture in pictures])
            gate = float(refused(made).mean())
            points.append(point(name(value, made), at(value, made), answers.probabilities(made), labels, gate))
        return tuple(points)

    def dark(made: Pictures) -> NDArray[np.bool_]:
        return np.array([contrast(_colour(one)) < PARAMS.min_contrast for one in made])

    def soft(made: Pictures) -> NDArray[np.bool_]:
        return np.array([sharpness(_colour(one)) < PARAMS.min_sharpness for one in made])

    def middle(measure: Callable[[NDArray[np.uint8]], float], made: Pictures) -> float:
        return float(np.median([measure(_colour(one)) for one in made]))

    sides = (48, 40, 32, 24, 20, 16, 12, 8)
    small = steps(
        sides,
        lambda one, side: smaller(one, int(side)),
        lambda side, made: f"{BOX * side:.0f}",
        lambda made: np.zeros(len(made), bool),
        lambda side, made: BOX * side,
    )
    light = steps(
        (1.0, 0.5, 0.3, 0.2, 0.15, 0.1, 0.07, 0.05, 0.03),
        darker,
        lambda value, made: f"{middle(contrast, made):.0f} ({value:g} of the light)",
        dark,
        lambda value, made: middle(contrast, made),
    )
    blur = steps(
        (0.0, 0.02, 0.03, 0.04, 0.05, 0.065, 0.08, 0.1),
        blurred,
        lambda value, made: f"{middle(sharpness, made):.0f} (blur of {value:g} of the side)",
        soft,
        lambda value, made: middle(sharpness, made),
    )
    tilts = (0, 10, 20, 30, 45, 60, 90, 180)
    nothing = np.zeros(len(labels), bool)
    raw = steps(tilts, tilted, lambda value, made: f"{value:g}", lambda made: nothing)
    errors = np.random.default_rng(0).normal(0, TILT_ERROR, len(labels))
    rights = []
    for value in tilts:
        made = np.stack(
            [upright(tilted(one, value), value + error, TURN_FROM) for one, error in zip(pictures, errors, strict=True)]
        )
        rights.append(point(f"{value:g}", value, answers.probabilities(made), labels))
    return [
        Curve("size", "shorter side of the box, pixels", every, small, (PARAMS.min_size,)),
        Curve("contrast", "variance of the grey", every, light, (PARAMS.min_contrast,)),
        Curve("sharpness", "variance of the Laplacian", every, blur, (PARAMS.min_sharpness,)),
        Curve("tilt, as it is", "degrees", every, raw),
        Curve("tilt, turned upright", "degrees", f"{every}, roll off by {TILT_ERROR:g} degrees", tuple(rights)),
    ]


def covered(faces: Faces, meshes: Meshes, answers: Answers) -> list[Curve]:
    """Things drawn over mouth and eyes; `gate` is the share that the network for covered faces finds."""
    network: CoveredFaces = load_model(find_model("covered-faces", "occlusion"))
    labels = faces.ferplus.labels
    points = [point("nothing", 0, answers.probabilities(faces.pictures), labels, _called(network, faces.pictures))]
    kinds = [("mouth", kind) for kind in MOUTH_KINDS] + [("eyes", kind) for kind in (*EYES_KINDS, "sunglasses")]
    for number, (where, kind) in enumerate(kinds, start=1):
        rng = np.random.default_rng(number)
        made = []
        for row, picture in enumerate(faces.pictures):
            large = cv2.resize(picture, (96, 96))
            other = cv2.resize(faces.pictures[int(rng.integers(len(labels)))], (96, 96))
            drawn = draw(rng, large, five_points(meshes.points[row]) * 2, kind, where, other).picture
            made.append(cv2.resize(drawn, (48, 48), interpolation=cv2.INTER_AREA))
        pictures = np.stack(made).astype(np.uint8)
        found = answers.probabilities(pictures)
        points.append(point(f"{where}: {kind}", number, found, labels, _called(network, pictures)))
    return [Curve("covered", "", f"{len(labels)} faces", tuple(points))]


def _called(network: CoveredFaces, pictures: Pictures) -> float:
    found = network.probabilities(list(pictures))
    return float(np.mean([bool(covered_part(row)) for row in found.tolist()]))


def five_points(mesh: NDArray[np.float32]) -> NDArray[np.float32]:
    """(5, 2) eyes, nose and corners of the mouth, as a detector gives them."""
    eyes = [mesh[[33, 133], :2].mean(axis=0), mesh[[362, 263], :2].mean(axis=0)]
    return np.stack([*eyes, mesh[1, :2], mesh[61, :2], mesh[291, :2]])


def _colour(face: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.repeat(face[:, :, None], 3, axis=2)


def curves_of(fer: Path, answers: Answers, kept: Kept, most: int) -> list[Curve]:
    """All curves of a network; by far the most time goes into its answers."""
    faces = faces_of(fer, "valid")
    meshes = meshes_of(faces.pictures, kept)
    labelled = some(faces, most)
    own = meshes_of(labelled.pictures, kept)
    return [
        *natural(faces, meshes, answers),
        *by_mesh(faces, meshes, answers, kept, most // 4),
        *made_worse(labelled, own, answers),
        *covered(some(faces, most // 2), meshes_of(some(faces, most // 2).pictures, kept), answers),
    ]


def crossing(curve: Curve, share: float, *, rising: bool) -> str:
    """Where accuracy falls below a share of that of the largest bin, by straight lines between points; `-` if nowhere.

    Args:
        rising: whether faces get worse as `at` grows.
    """
    points = sorted(curve.points, key=lambda one: one.at if rising else -one.at)
    usual = max(range(len(points)), key=lambda place: (points[place].n, points[place].accuracy))
    level = share * points[usual].accuracy
    for before, after in itertools.pairwise(points[usual:]):
        if before.accuracy >= level > after.accuracy:
            way = (before.accuracy - level) / (before.accuracy - after.accuracy)
            return f"{before.at + way * (after.at - before.at):.0f}"
    return "-"


def table(curve: Curve) -> str:
    """A curve as Markdown."""
    gated = any(one.gate is not None for one in curve.points)
    head = [curve.name, "n", "accuracy", "95 % interval", "confidence", *(["refused"] if gated else [])]
    lines = ["| " + " | ".join(head) + " |", "| " + " | ".join("---" for _ in head) + " |"]
    for one in curve.points:
        gate = [] if not gated else ["-" if one.gate is None else f"{one.gate:.2f}"]
        interval = f"{one.low:.3f} to {one.high:.3f}"
        cells = [one.name, str(one.n), f"{one.accuracy:.3f}", interval, f"{one.confidence:.3f}", *gate]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def verdict(curve: Curve) -> str:
    """Where the rule puts doubt and limit."""
    if curve.name == "pitch":
        ends = [(f"{way}", rising) for way, rising in (("up", True), ("down", False))]
    else:
        ends = [("", curve.name == "yaw" or curve.name.startswith("tilt"))]
    parts = []
    for name, rising in ends:
        doubt, limit = (crossing(curve, share, rising=rising) for share in (DOUBT, LIMIT))
        parts.append(f"{name} doubt from {doubt}, limit {limit}".strip())
    return "By the rule: " + "; ".join(parts) + "."


def picture(curves: Sequence[Curve], path: Path) -> None:
    """One small plot for each curve but that of covers: accuracy with its interval, confidence, and the limits."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    shown = [curve for curve in curves if curve.name != "covered"]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.2, 1.75 * -(-len(shown) // 3)), layout="constrained")
        places = figure.subplots(-(-len(shown) // 3), 3, sharey=True).ravel()
        for axes, curve in zip(places, shown, strict=False):
            at = [one.at for one in curve.points]
            axes.fill_between(
                at, [one.low for one in curve.points], [one.high for one in curve.points], color=SKY_BLUE, alpha=0.35
            )
            axes.plot(at, [one.accuracy for one in curve.points], color="#0072B2", marker="o", markersize=2.5)
            axes.plot(at, [one.confidence for one in curve.points], color=VERMILION, linestyle="--")
            for value in curve.limits:
                axes.axvline(value, color="black", linewidth=0.8)
            for value in curve.doubt:
                axes.axvline(value, color=GREY, linewidth=0.8, linestyle=":")
            if curve.name in ("contrast", "sharpness"):
                axes.set_xscale("log")
            axes.set(ylim=(0, 1), xlabel=f"{curve.name} ({curve.unit})" if curve.unit else curve.name)
            axes.set_title(curve.source, fontsize=6)
        for axes in places[len(shown) :]:
            axes.axis("off")
        figure.legend(
            handles=[
                mpl.lines.Line2D([], [], color="#0072B2", marker="o", markersize=2.5, label="accuracy, 95 % interval"),
                mpl.lines.Line2D([], [], color=VERMILION, linestyle="--", label="mean confidence"),
                mpl.lines.Line2D([], [], color="black", label="limit"),
                mpl.lines.Line2D([], [], color=GREY, linestyle=":", label="doubtful from"),
            ],
            loc="outside upper left",
            ncols=4,
            frameon=False,
        )
        save_figure(figure, path)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("fer", type=Path)
    parser.add_argument("--model", default=EmotionsParams.model)
    parser.add_argument("--faces", type=int, default=1200, help="faces that are made worse")
    parser.add_argument("--kept", type=Path, default=Path("build/card"), help="outputs that were computed before")
    parser.add_argument("--picture", type=Path)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    kept = Kept(options.kept)
    curves = curves_of(options.fer, Answers(options.model, kept), kept, options.faces)
    for curve in curves:
        print(f"\n{curve.name}, {curve.unit}: {curve.source}\n\n{table(curve)}\n\n{verdict(curve)}", flush=True)
    if options.picture:
        picture(curves, options.picture)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
