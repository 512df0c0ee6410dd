"""Made-up stories with a valence that is known, in the layout of SEND, with features of them. No data of SEND is in it.

    python examples/make_stories.py SEND/

The latent valence of a story is smooth. What raters say and what features show are mixtures of it and of noise, so the
best that anything can reach is known.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fercli.features.file import FeatureFacts, TrackFeatures
from fercli.features.file import write_features as write
from fercli.models.sequence import Modality

Floats = NDArray[np.float64]
RATE = 2.0


def latent(steps: int, rng: np.random.Generator, width: int = 10) -> Floats:
    """(T,) smooth values in [-1, 1]."""
    noise = np.convolve(rng.normal(size=steps + 4 * width), np.hanning(4 * width + 1), mode="valid")[:steps]
    smooth: Floats = np.tanh(noise / noise.std())
    return smooth


def ratings_of(
    valence: Floats, noise: list[float], rng: np.random.Generator, delays: list[int] | None = None
) -> dict[str, Floats]:
    """A rater for each standard deviation of noise, who answers some steps later."""
    found = {}
    for number, (spread, delay) in enumerate(zip(noise, delays or [0] * len(noise), strict=True)):
        said = np.concatenate([np.full(delay, valence[0]), valence[: len(valence) - delay]])
        found[f"r{number}"] = np.clip(said + rng.normal(0, spread, len(said)), -1, 1)
    return found


@dataclass(frozen=True)
class Story:
    """One story: its name in SEND, its split, latent valence, annotated valence, and features (T, D)."""

    video: str
    person: str
    split: str
    valence: Floats
    annotated: Floats
    features: NDArray[np.float32]


def stories(
    count: int, *, steps: int = 120, noise: float = 0.3, annotation: float = 0.1, size: int = 6, seed: int = 0
) -> list[Story]:
    """Stories of three persons in four, split by person; features are a mixture of the valence and noise."""
    rng = np.random.default_rng(seed)
    mixture = rng.normal(size=size)
    made = []
    for number in range(count):
        person, video = 100 + number // 2, 1 + number % 2
        split = ("Train", "Train", "Train", "Valid", "Test")[(number // 2) % 5]
        valence = latent(steps, rng)
        annotated = np.clip(valence + rng.normal(0, annotation, steps), -1, 1)
        features = valence[:, None] * mixture + rng.normal(0, noise, (steps, size))
        made.append(
            Story(f"ID{person}_vid{video}", str(person), split, valence, annotated, features.astype(np.float32))
        )
    return made


def write_send(root: Path, made: list[Story], rng: np.random.Generator | None = None) -> Path:
    """The ratings of stories, in SEND's layout; with `rng`, single ratings too."""
    for story in made:
        folder = root / "ratings" / story.split / "observer_EWE"
        folder.mkdir(parents=True, exist_ok=True)
        name = f"results_{story.person}_{story.video[-1]}.csv"
        lines = [f"{k / RATE},{50 * (value + 1):.4f},1.0" for k, value in enumerate(story.annotated)]
        (folder / name).write_text("\n".join(["time,evaluatorWeightedEstimate,SDofEWE", *lines]) + "\n")
        if rng is not None:
            single = ratings_of(story.valence, [0.1, 0.2, 0.4], rng)
            (folder.parent / "observer").mkdir(exist_ok=True)
            rows = [
                ",".join([f"{k / RATE}", *(f"{50 * (values[k] + 1):.4f}" for values in single.values())])
                for k in range(len(story.valence))
            ]
            (folder.parent / "observer" / name).write_text("\n".join(["time,r0,r1,r2", *rows]) + "\n")
    return root


def write_features(path: Path, made: list[Story]) -> Path:
    """The features of stories as `fercli features --rate 2` writes them, in two modalities; a gap in every story."""
    half = made[0].features.shape[1] // 2
    sizes = {"face": half, "voice": made[0].features.shape[1] - half}
    facts = FeatureFacts(
        tuple(Modality(name, size, "made up") for name, size in sizes.items()),
        {name: tuple(f"{name}_{k}" for k in range(size)) for name, size in sizes.items()},
        RATE,
    )
    tracks = []
    for number, one in enumerate(made):
        values = {"face": one.features[:, :half].copy(), "voice": one.features[:, half:]}
        begin = number % max(1, len(one.valence) - 10)
        values["face"][begin : begin + 5] = np.nan  # nobody is seen
        starts = np.arange(len(one.valence)) / RATE
        tracks.append(TrackFeatures(one.video, 0, "Person 1", starts, starts + 1 / RATE, values))
    write(path, facts, tracks)
    return path


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path, help="new directory: ratings/ as SEND has them, and features.parquet")
    parser.add_argument("--stories", type=int, default=40, help="how many; two a person")
    parser.add_argument("--steps", type=int, default=120, help="length of each, half seconds")
    arguments = parser.parse_args()
    made = stories(arguments.stories, steps=arguments.steps)
    write_send(arguments.root, made, np.random.default_rng(0))
    write_features(arguments.root / "features.parquet", made)


if __name__ == "__main__":
    main()
