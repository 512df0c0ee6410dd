from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from fercli.corpus.manifest import Source, clips_of, read_manifest, write_manifest
from fercli.corpus.stretches import Stretch
from fercli.errors import InputError
from fercli.media.index import FrameIndex
from fercli.results.details import Details
from fercli.results.meshes import Meshes
from tests.corpus.corpora import clip
from tests.failing import fails


def stretch(start_s: float, end_s: float, track: int = 0) -> Stretch:
    return Stretch(start_s, end_s, "Ross Geller", track, 2, "anger", 0.7, 1.0, False, 0.5, "No.")


def details(frames: list[int]) -> Details:
    edges = {edge: pa.array(np.arange(len(frames), dtype=np.float32)) for edge in ("x1", "y1", "x2", "y2")}
    faces = pa.table({"track": pa.array([0] * len(frames), pa.int32()), "frame": pa.array(frames, pa.int32()), **edges})
    return Details((), faces, faces, 10 * np.arange(len(frames), dtype=np.float64), Meshes.none())


def index() -> FrameIndex:
    """Frames of 0.1 s from 0.05 s on."""
    from fractions import Fraction

    return FrameIndex(0.05 + np.arange(30) / 10, 3.0, Fraction(0), None, (), 0, ())


def test_a_clip_has_the_frames_that_lie_in_the_stretch_and_their_samples() -> None:
    source = Source("film.mkv", "ab" * 32, 12, 48_000, 2)
    (found,) = clips_of([stretch(0.3, 1.26)], details([2, 4, 6, 9, 12, 20]), index(), source, "film")
    assert (found.first_frame, found.frames) == (3, 9)  # 0.35 to 1.25 s; the frame at 1.15 s ends at 1.25 s
    assert np.allclose((found.start_s, found.end_s), (0.35, 1.25))
    assert (found.rate, found.channels, found.first_sample, found.samples) == (48_000, 2, 16_800, 43_200)
    assert [(face.frame, face.x1, face.roll) for face in found.faces] == [(4, 1, 10), (6, 2, 20), (9, 3, 30)]
    assert found.id == "film_Ross-Geller_00000350"
    assert (found.video, found.person, found.shot, found.text) == ("film.mkv", "Ross Geller", 2, "No.")


def test_without_sound_there_are_no_samples_and_without_a_face_there_is_no_clip() -> None:
    source = Source("film.mkv", "ab" * 32, 12, 0, 0)
    found = clips_of([stretch(0.3, 1.25), stretch(0.3, 1.25), stretch(2.3, 2.9)], details([4]), index(), source, "a")
    assert [one.samples for one in found] == [0, 0]
    assert len({one.id for one in found}) == 2


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    clips = [clip(tmp_path / "a.mp4", 3, 9, score=None, speech_s=0.3, text="Grüße"), clip(tmp_path / "b.mp4", 5, 20)]
    write_manifest(tmp_path / "m.parquet", clips)
    assert read_manifest(tmp_path / "m.parquet") == clips
    assert (tmp_path / "m.parquet").stat().st_mode & 0o077 == 0


def test_a_manifest_without_rate_and_channels_was_mono_at_16_khz(tmp_path: Path) -> None:
    known = clip(tmp_path / "a.mp4", 3, 9, rate=16_000, channels=1)
    write_manifest(tmp_path / "m.parquet", [known])
    table = pq.read_table(tmp_path / "m.parquet").drop_columns(["rate", "channels"])
    pq.write_table(table.replace_schema_metadata({"fercli corpus": "1"}), tmp_path / "m.parquet")
    assert read_manifest(tmp_path / "m.parquet") == [known]


def test_other_files_are_no_manifest(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": ["a"]}), tmp_path / "other.parquet")
    (tmp_path / "text.parquet").write_text("no")
    for name in ("other", "text"):
        with fails(InputError, "manifest-unusable", name):
            read_manifest(tmp_path / f"{name}.parquet")
    with fails(InputError, "file-missing"):
        read_manifest(tmp_path / "none.parquet")
