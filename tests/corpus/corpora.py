"""Small corpora from a video whose frames carry their numbers, without networks."""

from __future__ import annotations

import wave
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.corpus.manifest import Clip, Face
from fercli.hashing import sha256_file
from fercli.media.decode import read_frames
from tests.media_samples import ffmpeg, numbered_video, read_number

FPS = 25
SOUND = {"rate": 48_000, "channels": 2}
"""Of a `film`."""


def film(path: Path, frames: int = 50, *, key_every: int = 10, sound: Mapping[str, int] = SOUND) -> Path:
    """A video of numbered frames, with a key frame every so many, and `noise` as its sound."""
    silent = path.with_name(f"silent-{path.stem}.mp4")
    encode = ("-c:v", "libx264", "-crf", "18", "-pix_fmt", "yuv420p", "-bf", "2", "-g", str(key_every))
    numbered_video(silent, frames, fps=str(FPS), encode=(*encode, "-x264-params", "scenecut=0:open-gop=0"))
    heard = path.with_suffix(".wav")
    with wave.open(str(heard), "wb") as file:
        file.setnchannels(sound["channels"])
        file.setsampwidth(2)
        file.setframerate(sound["rate"])
        file.writeframes(noise(frames, sound).tobytes())
    ffmpeg("-i", str(silent), "-i", str(heard), "-c", "copy", "-map", "0:v", "-map", "1:a", str(path))
    silent.unlink()
    heard.unlink()
    return path


def noise(frames: int, sound: Mapping[str, int] = SOUND) -> NDArray[np.int16]:
    """(n, channels) samples of 16 bits, as long as so many frames."""
    shape = frames * sound["rate"] // FPS, sound["channels"]
    return np.random.default_rng(1).integers(-9000, 9000, shape).astype("<i2")


def clip(video: Path, first: int, frames: int, name: str = "", **values: Any) -> Clip:
    """A clip of a `film`, with a face every five frames."""
    start, end, rate = first / FPS, (first + frames) / FPS, values.get("rate", SOUND["rate"])
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
        **SOUND,
        "first_sample": round(start * rate),
        "samples": round(end * rate) - round(start * rate),
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


def samples_of(path: Path, sound: Mapping[str, int] = SOUND) -> NDArray[np.int16]:
    """(n, channels) samples of a wave file."""
    with wave.open(str(path), "rb") as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (sound["rate"], sound["channels"], 2)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.int16).reshape(-1, sound["channels"])
