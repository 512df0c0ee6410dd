"""Networks over series on made-up stories: processor seconds an epoch, and how near each gets to the ceiling.

    python -m benchmarks.sequences --epochs 4            the size of SEND: 193 clips of 2 minutes at 2 Hz
    python -m benchmarks.sequences --clips 40 --steps 120 --size 6 --noise 0.3 --hidden 32 --batch 8 --epochs 20

193 clips are dealt out as in SEND, 114 / 40 / 39 by person; --size 563 is that of trunk and blendshapes. The ceiling is
the score of the latent valence itself, of which the annotation is a noisy copy. No data of SEND is in it.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import torch

from examples.make_stories import Story, stories
from fercli.config import SequenceConfig
from fercli.learn.evaluation.concordance import over_videos
from fercli.learn.sequences.loop import train_sequences
from fercli.models.sequences.networks import ARCHITECTURES
from fercli.progress import Silent
from tests.learn.sequences.made import data_of

CLIPS, SPLITS = 193, {"Train": 114, "Valid": 40, "Test": 39}
FIGURES = ("valence_ccc", "valence_ccc_std", "valence_ccc_pooled", "valence_pearson", "valence_rmse")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=CLIPS)
    parser.add_argument("--steps", type=int, default=240)
    parser.add_argument("--size", type=int, default=563)
    parser.add_argument("--noise", type=float, default=3.0, help="standard deviation, that of valence is about 0.6")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--hidden", type=int, default=SequenceConfig.hidden)
    parser.add_argument("--batch", type=int, default=SequenceConfig.batch)
    parser.add_argument("--models", nargs="*", default=list(ARCHITECTURES))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    made = stories(arguments.clips, steps=arguments.steps, noise=arguments.noise, annotation=0.15, size=arguments.size)
    made = _as_send(made) if arguments.clips == CLIPS else made
    data = data_of(made)
    tested = {one.video: (one.valence, one.annotated) for one in made if one.split == "Test"}
    ceiling = over_videos(tested)
    print(
        "| network | "
        + " | ".join(name.removeprefix("valence_") for name in FIGURES)
        + " | processor seconds an epoch |"
    )
    print("|---" * (len(FIGURES) + 2) + "|")
    best = (ceiling.mean.ccc, ceiling.std, ceiling.pooled.ccc, ceiling.mean.pearson, ceiling.mean.rmse)
    print("| ceiling | " + " | ".join(f"{value:.3f}" for value in best) + " | |")
    config = SequenceConfig("send", Path("send"), Path("run"), device="cpu")
    config = replace(config, epochs=arguments.epochs, hidden=arguments.hidden, batch=arguments.batch)
    for model in arguments.models:
        begun = time.process_time()
        with tempfile.TemporaryDirectory() as folder:
            train_sequences(replace(config, model=model, out=Path(folder)), Silent(), data)
            found = json.loads((Path(folder) / "scores.json").read_text())["test"]["figures"]
        seconds = (time.process_time() - begun) / arguments.epochs
        print(
            f"| {model} | " + " | ".join(_number(found[name]) for name in FIGURES) + f" | {seconds:.1f} |", flush=True
        )


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _as_send(made: list[Story]) -> list[Story]:
    """The same stories in parts of SEND's sizes; two videos of a person stay together."""
    names = [name for name, count in SPLITS.items() for _ in range(count)]
    firsts = {one.person: names[number] for number, one in reversed(list(enumerate(made)))}
    return [replace(one, split=firsts[one.person]) for one in made]


if __name__ == "__main__":
    main()
