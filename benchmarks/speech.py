"""How well speech is found and recognised: word error rate on LibriSpeech, detection error on meetings, speed.

    pip install --target bench jiwer whisper-normalizer
    PYTHONPATH=bench python benchmarks/speech.py ../shared/data/sound

Words are compared as Whisper's authors do: after its normaliser for English. Detection error: seconds of missed and of
invented speech, per second of true speech. Speed: seconds of sound per second of processor time on all cores, and per
second of waiting, over all utterances of LibriSpeech put together.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
import pyarrow as pa

from fercli import tables
from fercli.config import Runtime, SpeechParams
from fercli.media.audio import PIECE_S, RATE, encode, read_sound
from fercli.models.loaded import Models
from fercli.progress import Silent
from fercli.stages import speech
from fercli.stages.base import StageContext
from fercli.workspace.chunks import Chunks
from tests.workspaces import make_workspace


def samples_of(path: Path) -> np.ndarray:
    """All samples of a file."""
    sound = read_sound(path)
    assert sound is not None, path
    return np.concatenate([samples for _, samples in sound.pieces])


def transcribe(samples: np.ndarray, folder: Path, models: Models, params: SpeechParams) -> Path:
    """Run the stage on some samples; returns the directory of its tables."""
    rows = [
        {"piece": n, "start_s": float(n * PIECE_S), "end_s": n * PIECE_S + len(piece) / RATE, "flac": encode(piece)}
        for n, piece in enumerate(np.split(samples, range(PIECE_S * RATE, len(samples), PIECE_S * RATE)))
    ]
    workspace = make_workspace(folder, sound=pa.Table.from_pylist(rows, schema=tables.SOUND))
    out = folder / "out"
    out.mkdir()
    context = StageContext(workspace, out, Chunks(folder / "chunks"), Runtime("cpu"), Silent(), models)
    speech.run(context, params)
    return out


def words_and_speed(folder: Path, scratch: Path, models: Models, limit: int) -> None:
    """Word error rate and speed."""
    import jiwer
    from whisper_normalizer.english import EnglishTextNormalizer

    truth = [line.split("\t") for line in (folder / "text.tsv").read_text(encoding="utf-8").splitlines()][:limit]
    normal = EnglishTextNormalizer()
    wanted, heard, everything = [], [], []
    for name, text in truth:
        samples = samples_of(folder / f"{name}.flac")
        everything.append(samples)
        out = transcribe(samples, scratch / name, models, SpeechParams(language="en"))
        found = tables.read_table(out / "utterances.parquet")["text"].to_pylist()
        wanted.append(normal(text))
        heard.append(normal(" ".join(found)))
    print(f"word error rate, {len(truth)} utterances: {100 * jiwer.wer(wanted, heard):.1f} %")
    whole = np.concatenate(everything)
    started, used = time.monotonic(), time.process_time()
    transcribe(whole, scratch / "whole", models, SpeechParams())
    seconds, waited, spent = len(whole) / RATE, time.monotonic() - started, time.process_time() - used
    print(f"speed on {seconds:.0f} s: {seconds / waited:.1f} x real time, {seconds / spent:.1f} x by processor time")


def detection(folder: Path, scratch: Path, models: Models) -> None:
    """Detection error of voiced stretches; nothing is recognised."""
    truth = defaultdict(list)
    for line in (folder / "truth.rttm").read_text(encoding="utf-8").splitlines():
        fields = line.split()
        truth[fields[1]].append((float(fields[3]), float(fields[3]) + float(fields[4])))
    invented = missed = true = 0
    for name, turns in truth.items():
        samples = samples_of(folder / f"{name}.wav")
        out = transcribe(samples, scratch / name, models, SpeechParams(min_peak=1.0))
        spoken, found = (np.zeros(len(samples) * 1000 // RATE + 1, bool) for _ in range(2))
        for begin, end in turns:
            spoken[round(begin * 1000) : round(end * 1000)] = True
        for row in tables.read_table(out / "voice.parquet").to_pylist():
            found[round(row["start_s"] * 1000) : round(row["end_s"] * 1000)] = True
        invented, missed = invented + int((found & ~spoken).sum()), missed + int((spoken & ~found).sum())
        true += int(spoken.sum())
    print(
        f"detection error, {len(truth)} meetings: {100 * (invented + missed) / true:.1f} % "
        f"(invented {100 * invented / true:.1f}, missed {100 * missed / true:.1f})"
    )


def main() -> None:
    """Print all figures."""
    from tempfile import TemporaryDirectory

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="directory with librispeech/ and meetings/")
    parser.add_argument("--limit", type=int, default=50, help="utterances of LibriSpeech")
    chosen = parser.parse_args()
    models = Models()
    with TemporaryDirectory() as scratch:
        detection(chosen.data / "meetings", Path(scratch) / "meetings", models)
        words_and_speed(chosen.data / "librispeech", Path(scratch) / "librispeech", models, chosen.limit)


if __name__ == "__main__":
    main()
