"""How much of its accuracy a classifier of voices keeps on recordings unlike those it was trained on.

    python benchmarks/voice_shift.py ../shared/data/sound/ravdess --keep kept

Only RAVDESS is used: other microphones, rooms, noise, pitch, tempo and texts are made of its clips, in other ways than
the copies that are learnt from; and the sentence, the sex or the intensity is another than in training. Speakers are
always others, four left out at a time. Printed are tables of UAR and calibration error for several recipes. Features
take some minutes of two cores for each kind of change; with --keep they are stored and not computed again.
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from fercli.learn.voice.changes import Change, changed
from fercli.learn.voice.clips import Clip, samples_of
from fercli.learn.voice.datasets import read_clips
from fercli.learn.voice.samples import VoiceSamples, of_clips
from fercli.learn.voice.training import VoiceTraining, figures_of, fitted
from fercli.models.voice import VoiceFeatures, VoiceHead, VoiceHeader, load_voice_features, utterance
from fercli.progress import Silent

RATE = 16_000
LAYERS = (1, 2, 3)
LEFT_OUT = 4
ANALYSIS = partial(fitted, shrinkage=VoiceTraining.shrinkage)
TEMPERATURES = np.geomspace(0.25, 64, 97)

Samples = NDArray[np.float32]
Features = NDArray[np.float32]
Made = Callable[[Samples, np.random.Generator], Samples]


def made(**change: float) -> Made:
    return lambda samples, rng: changed(samples, Change(**change), rng)


def telephone(samples: Samples, rng: np.random.Generator) -> Samples:
    """300 to 3,300 Hz, and 31 steps of the logarithm on each side."""
    line = changed(samples, Change(low_hz=300.0, high_hz=3300.0), rng)
    line /= np.abs(line).max()
    coded = np.round(np.sign(line) * np.log1p(255 * np.abs(line)) / np.log(256) * 31) / 31
    return np.asarray(np.sign(coded) * (256 ** np.abs(coded) - 1) / 255, np.float32)


def shuffled(samples: Samples, rng: np.random.Generator) -> Samples:
    """Pieces of 0.2 s in another order."""
    pieces = np.array_split(samples, max(1, len(samples) // (RATE // 5)))
    return np.concatenate([pieces[place] for place in rng.permutation(len(pieces))])


def padded(samples: Samples, rng: np.random.Generator) -> Samples:
    """Three seconds before it and two behind it, all in noise."""
    longer = np.concatenate((np.zeros(3 * RATE, np.float32), samples, np.zeros(2 * RATE, np.float32)))
    noise = 0.06 * np.abs(samples).max() * rng.standard_normal(len(longer))
    return np.asarray(longer + noise, np.float32)


SHIFTS: dict[str, Made] = {
    "telephone": telephone,
    "noise 10 dB below": made(noise_db=10.0, noise_slope=0.7),
    "noisy silence around": padded,
    "room of 0.8 s": made(echo_s=0.8, echo_share=0.55, noise_db=35.0),
    "3 semitones higher": made(semitones=3.0),
    "3 semitones lower": made(semitones=-3.0),
    "1.3 times as fast": made(tempo=1.3),
    "0.77 times as fast": made(tempo=0.77),
    "bright, 4 dB an octave": made(tilt_db=4.0),
    "dull, -4 dB an octave": made(tilt_db=-4.0),
    "levelled loudness": made(levelling=0.4, noise_db=30.0),
    "first half": made(share=0.5),
    "second half": made(start=0.5, share=0.5),
    "pieces in another order": shuffled,
    "backwards": lambda samples, rng: samples[::-1].copy(),
}


def regression(samples: VoiceSamples, header: VoiceHeader) -> VoiceHead:
    """Softmax regression with a tenth of half the squared weights in the loss: the recipe of before."""
    mean, spread = samples.features.mean(axis=0), np.maximum(samples.features.std(axis=0), 1e-6)
    model = LogisticRegression(C=10 / len(samples), max_iter=60)
    model.fit((samples.features - mean) / spread, samples.targets.argmax(axis=1))
    return VoiceHead(header, mean, spread, model.coef_.astype(np.float32), model.intercept_.astype(np.float32))


@dataclass(frozen=True)
class Recipe:
    """How a classifier is trained; `layers` are those of LAYERS that are used."""

    layers: tuple[int, ...] = VoiceTraining.layers
    copies: bool = True
    fit: Callable[[VoiceSamples, VoiceHeader], VoiceHead] = ANALYSIS

    def columns(self, features: Features) -> Features:
        parts = np.split(features, len(LAYERS), axis=1)
        return np.concatenate([parts[LAYERS.index(layer)] for layer in self.layers], axis=1)

    def fitted(self, samples: VoiceSamples, labels: tuple[str, ...]) -> VoiceHead:
        chosen = samples if self.copies else samples.chosen(~samples.copies)
        own = VoiceSamples(self.columns(chosen.features), chosen.targets, chosen.speakers, chosen.copies)
        return self.fit(own, VoiceHeader(labels, self.layers))


RECIPES = {
    "softmax regression, layer 3": Recipe((3,), copies=False, fit=regression),
    "discriminant analysis, layer 3": Recipe((3,), copies=False),
    "+ layer 2": Recipe(copies=False),
    "+ copies": Recipe(),
}


@dataclass(frozen=True)
class Kind:
    """Features of one kind of test: (N, D), and (N,) numbers of the clips."""

    features: Features
    numbers: NDArray[np.int64]


def tested(clips: list[Clip]) -> list[int]:
    """Numbers of an eighth of the clips, alike over speakers, emotions, intensities and sentences."""
    codes = [[int(code) for code in clip.path.stem.split("-")] for clip in clips]
    return [n for n, one in enumerate(codes) if one[5] == 1 and (one[2] + one[3] + one[4] + one[6]) % 4 == 0]


def shifted(name: str, clips: list[Clip], voice: VoiceFeatures) -> Kind:
    found, numbers = [], []
    for number in tested(clips):
        sound = utterance(samples_of(clips[number].path))
        rng = np.random.default_rng([zlib.crc32(name.encode()), number])
        heard = None if sound is None else utterance(SHIFTS[name](sound, rng))
        if heard is not None:
            found.append(voice.of(heard))
            numbers.append(number)
    return Kind(np.stack(found), np.array(numbers))


def kept(keep: Path | None, name: str, compute: Callable[[], dict[str, NDArray[np.generic]]]) -> dict[str, NDArray]:
    """Arrays from the file of that name, or computed and stored."""
    path = None if keep is None else keep / f"{name}.npz"
    if path is not None and path.is_file():
        return dict(np.load(path))
    found = compute()
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, **found)
    return found


def read(root: Path, keep: Path | None) -> tuple[list[Clip], tuple[str, ...], VoiceSamples, dict[str, Kind]]:
    clips = read_clips("ravdess", root)
    labels = tuple(sorted({clip.label for clip in clips}))
    voice = load_voice_features(LAYERS)
    samples = VoiceSamples(
        **kept(keep, "clips", lambda: vars(of_clips(voice, clips, labels, Silent(), VoiceTraining.copies)))
    )
    print(f"{len(samples)} clips and copies", flush=True)
    kinds = {}
    for name in SHIFTS:
        kinds[name] = Kind(**kept(keep, name, lambda name=name: vars(shifted(name, clips, voice))))
        print(name, len(kinds[name].numbers), flush=True)
    return clips, labels, samples, kinds


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    found = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(found / found.sum(axis=1, keepdims=True))


def temperature(logits: NDArray[np.float64], truth: NDArray[np.int64]) -> float:
    rows = np.arange(len(truth))
    losses = [-np.log(np.maximum(softmax(logits / one)[rows, truth], 1e-12)).mean() for one in TEMPERATURES]
    return float(TEMPERATURES[int(np.argmin(losses))])


def measured(
    recipe: Recipe, clips: list[Clip], labels: tuple[str, ...], samples: VoiceSamples, kinds: dict[str, Kind]
) -> dict[str, tuple[float, float]]:
    """UAR and calibration error of each kind of test."""
    codes = np.array([[int(code) for code in clip.path.stem.split("-")] for clip in clips])
    truth = np.array([labels.index(clip.label) for clip in clips])
    actor, intensity, sentence = codes[:, 6], codes[:, 3], codes[:, 4]
    own = Kind(samples.features[~samples.copies], np.arange(len(clips)))
    of_row = np.cumsum(~samples.copies) - 1

    def logits(kind: Kind, learn: NDArray[np.bool_], test: NDArray[np.bool_], fold: int) -> NDArray[np.float64]:
        """Of the clips of `test`, each by a classifier that learnt from `learn` without its speakers."""
        found = np.full((len(kind.numbers), len(labels)), np.nan)
        for start in range(1, 25, fold):
            out = (actor >= start) & (actor < start + fold)
            rows = (out & test)[kind.numbers]
            if rows.any():
                head = recipe.fitted(samples.chosen((learn & ~out)[of_row]), labels)
                found[rows] = head.logits(recipe.columns(kind.features[rows]))
        return found

    everything = np.ones(len(clips), bool)
    every = Kind(
        np.concatenate([own.features, *(kind.features for kind in kinds.values())]),
        np.concatenate([own.numbers, *(kind.numbers for kind in kinds.values())]),
    )
    raw = np.split(
        logits(every, everything, everything, LEFT_OUT),
        np.cumsum([len(own.numbers), *(len(kind.numbers) for kind in kinds.values())])[:-1],
    )
    scale = temperature(raw[0], truth)

    def figures(rows: NDArray[np.float64], numbers: NDArray[np.int64]) -> tuple[float, float]:
        found = figures_of(softmax(rows / scale), truth[numbers], len(labels))
        return found["uar"], found["ece"]

    found = {
        name: figures(rows, kind.numbers)
        for name, rows, kind in zip(["clean", *kinds], raw, [own, *kinds.values()], strict=True)
    }
    women = actor % 2 == 0
    crossed = {
        "the other sentence": [(sentence == 1, sentence == 2, 8), (sentence == 2, sentence == 1, 8)],
        "the other sex": [(women, ~women, 24), (~women, women, 24)],
        "strong, learnt from normal": [(intensity == 1, intensity == 2, 8)],
    }
    for name, pairs in crossed.items():
        both = []
        for learn, test, fold in pairs:
            numbers = np.flatnonzero(test)
            if fold == 24:  # speakers of one sex are never of the other
                rows = recipe.fitted(samples.chosen(learn[of_row]), labels).logits(recipe.columns(own.features[test]))
            else:
                rows = logits(own, learn, test, fold)[test]
            both.append(figures(rows, numbers)[0])
        found[name] = float(np.mean(both)), np.nan  # calibrated on heads that learnt from more
    return found


def written(uar: float, ece: float) -> str:
    return f"{uar:.3f}" if np.isnan(ece) else f"{uar:.3f} ({ece:.3f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path, help="directory of RAVDESS")
    parser.add_argument("--keep", type=Path, help="directory in which features are stored")
    given = parser.parse_args()
    clips, labels, samples, kinds = read(given.root, given.keep)
    found = {}
    for name, recipe in RECIPES.items():
        found[name] = measured(recipe, clips, labels, samples, kinds)
        print(name, found[name], flush=True)
    print(f"\n| UAR (calibration error) | {' | '.join(found)} |\n| --- |{' --- |' * len(found)}")
    rows = {test: [one[test] for one in found.values()] for test in next(iter(found.values()))}
    rows["mean of the changed recordings"] = [
        tuple(np.mean([one[n] for n in SHIFTS], axis=0)) for one in found.values()
    ]
    for test, values in rows.items():
        print(f"| {test} | " + " | ".join(written(*one) for one in values) + " |")


if __name__ == "__main__":
    main()
