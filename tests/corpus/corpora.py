"""Small corpora from a video whose frames carry their numbers, without networks."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.corpus.manifest import Clip, Face
from fercli.hashing import sha256_file
from fercli.media.audio import RATE
from fercli.media.decode import read_frames
from tests.media_samples import ffmpeg, numbered_video, read_number

FPS = 25


def film(path: Path, frames: int = 50, *, key_every: int = 10) -> Path:
    """A video of numbered frames, with a key frame every so many, and noise as 16 bits at 16 kHz, which is not
    resampled."""
    silent = path.with_name(f"silent-{path.stem}.mp4")
    encode = ("-c:v", "libx264", "-crf", "18", "-pix_fmt", "yuv420p", "-bf", "2", "-g", str(key_every))
    numbered_video(silent, frames, fps=str(FPS), encode=(*encode, "-x264-params", "scenecut=0:open-gop=0"))
    noise = path.with_suffix(".wav")
    samples = np.random.default_rng(1).integers(-9000, 9000, frames * RATE // FPS).astype("<i2")
    with wave.open(str(noise), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())
    ffmpeg("-i", str(silent), "-i", str(noise), "-c", "copy", "-map", "0:v", "-map", "1:a", str(path))
    silent.unlink()
    noise.unlink()
    return path


def clip(video: Path, first: int, frames: int, name: str = "", **values: Any) -> Clip:
    """A clip of a `film`, with a face every five frames."""
    start, end = first / FPS, (first + frames) / FPS
    whole: dict[str, Any] = {
        "id": name or f"film_Ross_{first}",
        "video": video.name,
        "sha256": sha256_file(video) if video.is_file() else "ab" * 32,
        "size": 1,
        "person": "Ross",
        "track": 0,
        "shot": 0,
        "start_s": start,
        "end_s": end,
        "first_frame": first,
        "frames": frames,
        "first_sample": round(start * RATE),
        "samples": round(end * RATE) - round(start * RATE),
        "emotion": "happiness",
        "score": 0.8,
        "share": 1.0,
        "manual": False,
        "speech_s": None,
        "text": "",
        "split": "train",
        "faces": tuple(Face(frame, 40.0, 10.0, 80.0, 50.0, 0.0) for frame in range(first, first + frames, 5)),
    }
    return Clip(**(whole | values))


def numbers(video: Path) -> list[int]:
    """The numbers in all frames of a clip."""
    return [read_number(image) for _, image in read_frames(video, range(1000))]


def samples_of(path: Path) -> NDArray[np.int16]:
    with wave.open(str(path), "rb") as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.int16)
