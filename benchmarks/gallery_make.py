"""Does `fercli gallery make` keep one person and leave out strangers, and how many of the person's pictures remain?

    python benchmarks/gallery_make.py PEOPLE [--draws 2]

PEOPLE is a directory with a folder of pictures a person. To all pictures of one person, pictures of the others are
added, drawn at random, until they are 10, 30 and 50 % of all. Precision: share of the kept pictures that show the
person. Recall: share of the person's pictures that are kept, or are left out as doubles of one that is kept.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path
from tempfile import TemporaryDirectory

from fercli.config import FacesParams, TracksParams
from fercli.corpus.gallery_make import make_gallery
from fercli.corpus.purify import DOUBLE
from fercli.models.registry import find_model, load_model
from fercli.progress import Silent

SHARES = (0.1, 0.3, 0.5)
"""Shares of strangers."""


def pictures(folder: Path) -> list[Path]:
    """The pictures of a person."""
    return sorted(folder.glob("*.jpg"))


def main() -> None:
    """Print precision and recall for each share, over all persons and draws."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("people", type=Path)
    parser.add_argument("--draws", type=int, default=2)
    arguments = parser.parse_args()
    persons = sorted(folder for folder in arguments.people.iterdir() if folder.is_dir() and pictures(folder))
    detector = load_model(find_model(FacesParams.detector, "detector"))
    embedder = load_model(find_model(TracksParams.embedder, "embedder"))
    draw = random.Random(0)
    print(f"{'strangers':<12}{'runs':>6}{'precision':>11}{'lowest':>8}{'recall':>8}{'lowest':>8}")
    for share in SHARES:
        found = []
        for person in persons:
            own = pictures(person)
            others = [picture for other in persons if other != person for picture in pictures(other)]
            for _ in range(arguments.draws):
                strangers = draw.sample(others, round(len(own) * share / (1 - share)))
                with TemporaryDirectory() as scratch:
                    made = make_gallery(
                        [*own, *strangers], Path(scratch) / "Somebody", detector, embedder, Silent(), at_most=1000
                    )
                kept = [Path(one.source).parent == person for one in made.kept]
                doubles = [one for one in made.removed if one.reason == DOUBLE and Path(one.source).parent == person]
                found.append((sum(kept) / len(kept), (sum(kept) + len(doubles)) / len(own)))
        precision, recall = zip(*found, strict=True)
        figures = (sum(precision) / len(found), min(precision), sum(recall) / len(found), min(recall))
        print(f"{share:<12.0%}{len(found):>6}{figures[0]:>11.3f}{figures[1]:>8.3f}{figures[2]:>8.3f}{figures[3]:>8.3f}")


if __name__ == "__main__":
    main()
