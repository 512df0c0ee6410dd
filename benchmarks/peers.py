"""How often is fercli right about an expression, beside `fer` and the expression network of face-api.js?

    python benchmarks/peers.py fer2013_ferplus.npz --faces 400

On faces of FER2013's PrivateTest, which none of the three should have learnt from, and in the seven classes that all
have: FER2013's own labels, and the majority of FER+. All get the same cropped faces, so detectors play no part.
Intervals are 95 % bootstrap intervals over faces. The peers are installed into directories of their own below
--peers, with pip and npm; one that cannot be installed or run is said to be missing. `fer` was trained on FER2013;
what face-api.js' network has seen is not published.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fercli.labels import EMOTIONS, canonical
from fercli.learn.datasets import DatasetSplits, FaceSet, Labelling, read_dataset
from fercli.learn.datasets.classes import relabelled
from fercli.learn.evaluation import metrics
from fercli.learn.evaluation.predictions import in_classes_of, outputs
from fercli.models.classifier import EmotionClassifier
from fercli.models.registry import find_classifier
from fercli.progress import Silent

FER = "fer==25.10.3"
FER_NEEDS = ("tensorflow", "opencv-contrib-python<5", "setuptools<81", "moviepy<2", "ffmpeg-python", "pandas", "tqdm")
"""What it imports. Its facenet-pytorch, and with that PyTorch and CUDA, is needed for another detector only."""
FACE_API = ("@vladmandic/face-api@1.7.15", "@tensorflow/tfjs@4.22.0", "@tensorflow/tfjs-backend-wasm@4.22.0", "pngjs@7")
TIMEOUT_S = 1800

FER_SCRIPT = """
import json, sys
from pathlib import Path
import cv2
from fer.fer import FER
detector = FER()
for path in sorted(Path(sys.argv[1]).glob("*.png")):
    picture = cv2.imread(str(path))
    found = detector.detect_emotions(picture, face_rectangles=[(0, 0, picture.shape[1], picture.shape[0])])
    print(json.dumps({k: float(v) for k, v in found[0]["emotions"].items()} if found else {}))
"""
FACE_API_SCRIPT = """
const fs = require('fs'), path = require('path'), {PNG} = require('pngjs');
const tf = require('@tensorflow/tfjs');
const faceapi = require('@vladmandic/face-api/dist/face-api.node-wasm.js');
(async () => {
  await faceapi.tf.setBackend('cpu');
  await faceapi.tf.ready();
  const models = path.join(path.dirname(require.resolve('@vladmandic/face-api/package.json')), 'model');
  await faceapi.nets.faceExpressionNet.loadFromDisk(models);
  for (const name of fs.readdirSync(process.argv[2]).filter(f => f.endsWith('.png')).sort()) {
    const png = PNG.sync.read(fs.readFileSync(path.join(process.argv[2], name)));
    const rgba = faceapi.tf.tensor3d(new Uint8Array(png.data), [png.height, png.width, 4], 'int32');
    const found = await faceapi.nets.faceExpressionNet.predictExpressions(rgba.slice([0, 0, 0], [-1, -1, 3]));
    console.log(JSON.stringify(Object.assign({}, found)));
    rgba.dispose();
  }
})().catch(error => { console.error(error); process.exit(1); });
"""

Answers = NDArray[np.float64]
"""(N, 7) what a program answers for each face, in the order of EMOTIONS."""


class Missing(Exception):
    """A peer that cannot be installed or run."""


def of_fer(pictures: Path, place: Path) -> Answers:
    """`fer` in a virtual environment of its own; raises Missing."""
    return _read(_run([str(python_of_fer(place)), "-c", FER_SCRIPT, str(pictures)]))


def python_of_fer(place: Path) -> Path:
    """The interpreter of the virtual environment that has `fer`, which is made if necessary; raises Missing."""
    python = place / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not python.exists():
        venv.create(place, with_pip=True)
    _run([str(python), "-m", "pip", "install", "--quiet", "--no-deps", FER])
    _run([str(python), "-m", "pip", "install", "--quiet", *FER_NEEDS, "requests", "pillow"])
    return python


def of_face_api(pictures: Path, place: Path) -> Answers:
    """face-api.js in a directory of node modules of its own; raises Missing."""
    place.mkdir(parents=True, exist_ok=True)
    if not (place / "node_modules" / "pngjs").exists():
        _run(["npm", "install", "--silent", "--prefix", str(place), *FACE_API])
    script = place / "expressions.js"
    script.write_text(FACE_API_SCRIPT, encoding="utf-8")
    return _read(_run(["node", str(script), str(pictures.resolve())]))


PEERS: dict[str, Callable[[Path, Path], Answers]] = {"fer": of_fer, "face-api.js": of_face_api}


def _run(command: list[str]) -> str:
    """What a program prints; raises Missing."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        told = (getattr(error, "stderr", "") or str(error)).strip().splitlines()
        raise Missing(f"{Path(command[0]).name}: {told[-1] if told else error}") from error
    return done.stdout


def _read(printed: str) -> Answers:
    """One JSON object a face: name of a class in the program's spelling -> probability; an empty one gives zeros."""
    rows = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    answers = np.zeros((len(rows), len(EMOTIONS)))
    for row, found in enumerate(rows):
        for name, value in found.items():
            label = canonical(name)
            if label in EMOTIONS:
                answers[row, EMOTIONS.index(label)] = float(value)
    return answers


def of_fercli(model: str, data: DatasetSplits, faces: FaceSet, name: str) -> Answers:
    """fercli's network, by the head of a labelling."""
    classifier = EmotionClassifier(find_classifier(model)[1], "cpu", name)
    _, columns = classifier.header.head(name)
    logits = outputs(classifier, faces, data.face_scale, "", Silent())[..., columns]
    return in_classes_of(relabelled(faces.labellings[name], EMOTIONS), classifier, logits).astype(np.float64)


def figures(answers: Answers, truth: Labelling) -> str:
    """Accuracy and UAR with their intervals, of the faces with a label."""
    known = truth.labels >= 0
    labels, predicted = truth.labels[known], answers[known].argmax(axis=1)
    matrix = metrics.confusion(labels, predicted, len(EMOTIONS))
    shown = []
    for statistic in (metrics.accuracy, metrics.uar):
        low, high = metrics.bootstrap(statistic, labels, predicted, len(EMOTIONS), None)
        shown.append(f"{statistic(matrix):.3f} ({low:.3f} to {high:.3f})")
    return f"{int(known.sum()):5d}  " + "  ".join(f"{text:24}" for text in shown)


def write_pictures(faces: FaceSet, place: Path) -> None:
    """The faces as numbered PNG files."""
    for row in range(len(faces)):
        cv2.imwrite(str(place / f"{row:06d}.png"), faces.images[row : row + 1][0, 0])


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("root", type=Path, help="FER2013 with the votes of FER+, as fercli train takes it")
    parser.add_argument("--faces", type=int, default=400)
    parser.add_argument("--model", default="tsm-resnet18")
    parser.add_argument("--peers", type=Path, default=Path(tempfile.gettempdir()) / "fercli-peers")
    options = parser.parse_args()
    data = read_dataset("ferplus", options.root)
    rows = np.linspace(0, len(data.test) - 1, min(options.faces, len(data.test))).round().astype(int)
    faces = data.test.take(np.unique(rows))
    found: dict[str, Answers] = {}
    with tempfile.TemporaryDirectory() as scratch:
        write_pictures(faces, Path(scratch))
        for peer, answer in PEERS.items():
            try:
                found[peer] = answer(Path(scratch), options.peers / peer)
                if len(found[peer]) != len(faces):
                    raise Missing(f"answers for {len(found.pop(peer))} of {len(faces)} faces")
            except Missing as error:
                print(f"{peer}: not measured: {error}", file=sys.stderr)
    print(f"{'':24}{'n':>5}  {'accuracy':24}  {'UAR':24}")
    for name, labelling in faces.labellings.items():
        truth = relabelled(labelling, EMOTIONS)
        for program, answers in {"fercli": of_fercli(options.model, data, faces, name), **found}.items():
            print(f"{name + ', ' + program:24}{figures(answers, truth)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
