"""transcribe: voiced stretches, passages, words confined to speech, the language, and how it resumes."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from fercli import tables
from fercli.config import SpeechParams
from fercli.errors import (
    ConfigError,
    CorruptTable,
    DatasetError,
    InputError,
    MissingDependency,
    UnknownModel,
    WeightsError,
)
from fercli.media.audio import RATE, read_sound
from fercli.media.embedded_subtitles import embedded_subtitles
from fercli.media.kept_sound import KeptSound
from fercli.models import registry
from fercli.models.loaded import Models
from fercli.models.registry import find_model, find_speech_model
from fercli.models.silero import WINDOW_S, voiced
from fercli.models.whisper import HeardSentence, HeardWord
from fercli.stages.speech import check, confined, outside, passages_of, sentences_of, weights
from tests.failing import fails
from tests.fake_speech import FakeModels, FakeRecogniser, context_of, pieces_of, said, sound_table, transcribed
from tests.media_samples import ffmpeg, numbered_video
from tests.workspaces import make_workspace

HELLO = said((" Hello", 0.0, 0.6), (" Ross.", 0.6, 1.2))


def test_words_have_the_times_of_the_video_and_lie_in_speech(tmp_path: Path) -> None:
    recogniser = FakeRecogniser(lambda _: [HELLO])
    sound = sound_table(10, [(2, 3)], start_s=5.0)
    counts, rows = transcribed(context_of(tmp_path / "w", sound, recogniser))
    (voice,) = rows["voice"]
    assert (voice["start_s"], voice["end_s"]) == pytest.approx((6.9, 8.1), abs=WINDOW_S)
    assert [row["text"] for row in rows["words"]] == ["Hello", "Ross."]
    assert rows["words"][0]["start_s"] == pytest.approx(voice["start_s"])
    assert rows["words"][1]["end_s"] == pytest.approx(8.1, abs=WINDOW_S)
    (utterance,) = rows["utterances"]
    assert utterance["text"] == "Hello Ross." and utterance["score"] == pytest.approx(0.9)
    assert utterance["start_s"] == rows["words"][0]["start_s"] and utterance["end_s"] == rows["words"][1]["end_s"]
    assert counts["language"] == "en" and counts["language_probability"] == 0.9
    assert {"voice": 1, "utterances": 1, "words": 2}.items() <= counts.items()
    assert recogniser.asked == [("en", False)]


def test_nothing_is_kept_outside_speech(tmp_path: Path) -> None:
    heard = [
        said((" .", 0.0, 0.5)),
        said((" Thank", 1.8, 5.0), (" you.", 5.0, 6.0)),
        said((" Yes", 0.2, 0.9), (" ♪", 0.9, 1.0)),
    ]
    _, rows = transcribed(context_of(tmp_path / "w", sound_table(10, [(2, 3)]), FakeRecogniser(lambda _: heard)))
    assert [row["text"] for row in rows["utterances"]] == ["Yes"]
    assert [row["text"] for row in rows["words"]] == ["Yes"]


@pytest.mark.parametrize("level", [0.0, 0.12])
def test_without_a_clear_voice_nothing_is_recognised(tmp_path: Path, level: float) -> None:
    recogniser = FakeRecogniser(lambda _: [HELLO])
    counts, rows = transcribed(context_of(tmp_path / "w", sound_table(10, [(2, 3)], level=level), recogniser))
    assert not recogniser.seen and not rows["words"] and not rows["utterances"]
    assert counts["words"] == 0 and counts["language"] == ""
    assert bool(rows["voice"]) == (level > 0)


def test_without_sound_it_is_skipped(tmp_path: Path) -> None:
    context = context_of(tmp_path / "w", sound_table(0, []), FakeRecogniser(lambda _: []))
    counts, rows = transcribed(context)
    assert "no sound" in context.skipped and not any(rows.values()) and counts["words"] == 0


def test_a_passage_is_no_longer_than_the_network_takes(tmp_path: Path) -> None:
    recogniser = FakeRecogniser(lambda _: [HELLO])
    sound = sound_table(100, [(1, 75), (80, 82), (83, 85)])
    _, rows = transcribed(context_of(tmp_path / "w", sound, recogniser))
    assert max(recogniser.seen) <= 28.01 and sum(recogniser.seen) == pytest.approx(74.2 + 5.2, abs=0.3)
    assert len(rows["utterances"]) == len(recogniser.seen)
    assert [row["utterance"] for row in rows["words"]] == [n // 2 for n in range(len(rows["words"]))]


def test_long_speech_is_cut_where_the_voice_is_weakest() -> None:
    probabilities = np.full(2000, 0.9, np.float32)
    probabilities[700] = 0.3
    (first, second) = passages_of([(10.0, 10.0 + 40)], probabilities, 10.0)
    assert first[0] == 10.0 and first[1] == pytest.approx(10 + 700.5 * WINDOW_S) and second == (first[1], 50.0)


def test_a_long_silence_ends_a_passage() -> None:
    assert passages_of([(0, 1), (2, 3), (7, 8)], np.ones(300, np.float32), 0.0) == [(0, 3), (7, 8)]


def test_a_word_goes_to_the_stretch_that_it_overlaps_most() -> None:
    spans = [(1.0, 2.0), (3.0, 5.0)]
    assert confined(1.5, 3.2, spans) == (1.5, 2.0)
    assert confined(1.9, 4.0, spans) == (3.0, 4.0)
    assert confined(2.3, 2.7, spans) is None
    assert confined(2.1, 2.5, spans) == (2.0, 2.0)  # as near as times of words are known
    assert confined(1.5, 1.5, spans) == (1.5, 1.5)  # no length


def test_voiced_stretches_have_hysteresis_and_padding() -> None:
    quiet = [0.0] * 40
    found = voiced([*quiet, 0.6, 0.4, 0.4, 0.6, *quiet, 0.4, *quiet], 0.5, 0.1, 0.5)
    assert len(found) == 1 and found[0] == pytest.approx((40 * WINDOW_S - 0.1, 44 * WINDOW_S + 0.1))
    assert voiced([0.6] * 10, 0.5, 0.1, 0.5, 3.0, 3.3) == [(3.0, 3.3)]
    assert voiced([], 0.5, 0.1, 0.5) == []


def test_a_run_that_was_stopped_goes_on(tmp_path: Path) -> None:
    begins = [1, 20, 40, 60, 80]
    sound = sound_table(90, [(begin, begin + 1) for begin in begins])

    def stop(number: int) -> list[HeardSentence]:
        if number == 4:  # the first of the second batch
            raise KeyboardInterrupt
        return [HELLO]

    with pytest.raises(KeyboardInterrupt):
        transcribed(context_of(tmp_path / "w", sound, FakeRecogniser(stop)))
    again = FakeRecogniser(lambda _: [HELLO])
    counts, rows = transcribed(context_of(tmp_path / "w", sound, again))
    assert len(again.seen) == 1 and counts["utterances"] == 5
    begun = [begin - 0.1 for begin in begins]
    assert [row["start_s"] for row in rows["utterances"]] == pytest.approx(begun, abs=2 * WINDOW_S)
    assert [row["utterance"] for row in rows["words"]] == [n // 2 for n in range(10)]


def test_sentences_end_with_their_marks_and_with_pauses() -> None:
    def split(*words: tuple[str, float, float]) -> list[str]:
        heard = [HeardWord(text, start, end, 0.9) for text, start, end in words]
        return ["".join(word.text for word in own).strip() for own in sentences_of(heard)]

    spoken = [(" Mr.", 0, 0.2), (" Hale,", 0.2, 0.6), (" no.", 0.6, 1), (" Why?", 1, 1.5), (" I", 1.5, 1.6)]
    assert split(*spoken, (" go", 1.7, 2), (" now", 3.1, 3.4)) == ["Mr. Hale, no.", "Why?", "I go", "now"]
    assert split((' "Go!"', 0, 1), (" U.S.", 1, 2), (" law", 2, 3)) == ['"Go!"', "U.S. law"]
    assert split(("你好。", 0, 1), ("再", 1, 2), ("见", 2, 3)) == ["你好。", "再见"]


def test_the_language_is_given_or_detected_and_others_are_reported(tmp_path: Path) -> None:
    sound = sound_table(60, [(1, 2), (20, 21), (40, 41)])
    german = FakeRecogniser(lambda _: [HELLO])
    counts, _ = transcribed(context_of(tmp_path / "1", sound, german), SpeechParams(language="de", translate=True))
    assert german.asked == [("de", True)] * 3 and counts["language_probability"] is None
    two = FakeRecogniser(lambda _: [HELLO], [{"es": 0.9}, {"es": 0.9}, {"de": 0.95, "es": 0.05}])
    context = context_of(tmp_path / "2", sound, two)
    assert transcribed(context)[0]["language"] == "es"
    assert "es, de" in context.warnings[0]
    unsure = context_of(tmp_path / "3", sound, FakeRecogniser(lambda _: [HELLO], [{"de": 0.3, "en": 0.2}] * 3))
    assert transcribed(unsure)[0]["language_probability"] == pytest.approx(0.3)
    assert "may be de (30 %)" in unsure.warnings[0]
    with fails(ConfigError, "name-unknown", "'xx'"):
        transcribed(context_of(tmp_path / "4", sound, FakeRecogniser(lambda _: [])), SpeechParams(language="xx"))


def test_text_that_repeats_itself_is_left_out_with_a_warning(tmp_path: Path) -> None:
    repeating = said((" no", 0.1, 0.2), (" no", 0.2, 0.3), repeats=True)
    context = context_of(tmp_path / "w", sound_table(10, [(2, 3)]), FakeRecogniser(lambda _: [HELLO, repeating]))
    assert [row["text"] for row in transcribed(context)[1]["utterances"]] == ["Hello Ross."]
    assert "1 sentences repeat" in context.warnings[0]


def test_words_never_go_back(tmp_path: Path) -> None:
    mixed = said((" a", 0.0, 0.5), (" b", 0.3, 0.4), (" c", 0.4, 0.9))
    _, rows = transcribed(context_of(tmp_path / "w", sound_table(10, [(2, 3)]), FakeRecogniser(lambda _: [mixed])))
    times = [(row["start_s"], row["end_s"]) for row in rows["words"]]
    assert times == sorted(times) and all(a[1] <= b[0] for a, b in itertools.pairwise(times))


def test_kept_sound_is_read_over_the_borders_of_pieces(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w", sound=sound_table(70, [(29.5, 30.5)], start_s=2.0))
    sound = KeptSound(workspace.table("sound"))
    assert (sound.pieces, sound.start_s, sound.end_s) == (3, 2.0, 72.0)
    samples = sound.between(31.0, 33.0)
    assert len(samples) == 2 * RATE
    assert np.flatnonzero(samples)[[0, -1]].tolist() == [RATE // 2, 3 * RATE // 2 - 1]
    assert len(sound.between(0.0, 3.0)) == RATE and len(sound.between(71.0, 90.0)) == RATE


def test_a_damaged_piece_is_named(tmp_path: Path) -> None:
    row = {"piece": 0, "start_s": 0.0, "end_s": 1.0, "flac": b"no sound"}
    workspace = make_workspace(tmp_path / "w", sound=pa.Table.from_pylist([row], schema=tables.SOUND))
    with fails(CorruptTable, "table-corrupt", "piece 0"):
        KeptSound(workspace.table("sound")).between(0, 1)


def test_parameters_out_of_range_are_refused() -> None:
    for params in (SpeechParams(threshold=0.0), SpeechParams(pad_s=-1), SpeechParams(min_peak=2)):
        with fails(ConfigError, "option-out-of-range"):
            check(params)


def test_a_recogniser_is_a_name_or_a_directory(tmp_path: Path) -> None:
    assert find_speech_model("base") == find_speech_model("whisper-base")
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / "model.bin").write_bytes(b"x")
    for given in (folder, folder / "model.bin"):
        spec, path = find_speech_model(str(given))
        assert (spec.name, path) == ("tiny", str(folder / "model.bin"))
    with fails(UnknownModel, "model-unknown", "'huge'"):
        find_speech_model("huge")


def test_what_is_missing_is_named_with_the_next_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv(registry.WEIGHTS_VARIABLE, raising=False)
    with fails(WeightsError, "weights-missing", "whisper-base") as caught:
        weights(SpeechParams())
    assert caught.value.hint == "fercli models fetch whisper-base"
    folder = tmp_path / "fercli" / "whisper-base"
    folder.mkdir(parents=True)
    (folder / "model.bin").write_bytes(b"something else")
    with fails(WeightsError, "weights-altered", str(folder)):
        weights(SpeechParams())
    monkeypatch.setattr(registry, "find_spec", lambda name: None)
    with fails(MissingDependency, "package-missing", "faster_whisper") as missing:
        weights(SpeechParams())
    assert "fercli[sound]" in missing.value.hint


@pytest.mark.slow
def test_a_real_recogniser_writes_what_is_said_and_nothing_into_silence(shared_data: Path, tmp_path: Path) -> None:
    try:
        weights(SpeechParams())
    except (WeightsError, MissingDependency) as error:
        pytest.skip(f"{error.message}: {error.hint}")
    folder = shared_data / "sound" / "librispeech"
    text = dict(line.split("\t") for line in (folder / "text.tsv").read_text(encoding="utf-8").splitlines())
    name, said_there = next(iter(text.items()))
    utterance = read_sound(folder / f"{name}.flac")
    assert utterance is not None
    spoken = np.concatenate([samples for _, samples in utterance.pieces])
    silence = np.zeros(4 * RATE, np.float32)
    context = context_of(tmp_path / "w", pieces_of(np.concatenate((silence, spoken, silence)), 1.0), Models())
    counts, rows = transcribed(context)
    assert counts["language"] == "en" and counts["language_probability"] > 0.8
    heard = [row["text"].strip(".,?").lower() for row in rows["words"]]
    assert len(set(heard) & set(said_there.split())) > 0.75 * len(set(said_there.split()))
    assert rows["words"][0]["start_s"] >= 4.8 and rows["words"][-1]["end_s"] <= 5.2 + len(spoken) / RATE


SRT = "1\n00:00:01,000 --> 00:00:04,000\n<i>Hello</i> there.\n\n2\n00:00:06,000 --> 00:00:07,000\n(thunder)\n"


def test_subtitles_stand_in_for_recognition_and_lie_in_speech(tmp_path: Path) -> None:
    file = tmp_path / "a.srt"
    file.write_text(SRT, encoding="utf-8")
    recogniser = FakeRecogniser(lambda _: [HELLO])
    context = context_of(tmp_path / "w", sound_table(10, [(2, 3)]), recogniser)
    params = SpeechParams(language="en", subtitles=str(file))
    counts, rows = transcribed(context, params)
    assert not recogniser.seen and counts["language"] == "en"
    assert [row["text"] for row in rows["utterances"]] == ["Hello there."]
    assert [row["text"] for row in rows["words"]] == ["Hello", "there."]
    (voice,) = rows["voice"]
    assert rows["words"][0]["start_s"] == pytest.approx(voice["start_s"], abs=1e-3)
    assert rows["words"][-1]["end_s"] == pytest.approx(voice["end_s"], abs=1e-3)
    assert any("1 subtitles are left out" in warning for warning in context.warnings)
    before = outside(params)
    file.write_text(SRT.replace("there", "Ross"), encoding="utf-8")
    assert outside(params) != before and outside(SpeechParams()) == {}


def test_subtitles_in_the_video_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.srt").write_text(SRT, encoding="utf-8")
    picture = numbered_video(tmp_path / "picture.mp4", 30)
    video = tmp_path / "a.mkv"
    ffmpeg("-i", str(picture), "-i", str(tmp_path / "a.srt"), "-c", "copy", str(video))
    assert embedded_subtitles(picture) is None
    assert embedded_subtitles(video) == [(1.0, 4.0, "Hello there."), (6.0, 7.0, "(thunder)")]
    text = tmp_path / "b.mp4"
    ffmpeg("-i", str(picture), "-i", str(tmp_path / "a.srt"), "-c:v", "copy", "-c:s", "mov_text", str(text))
    assert [cue[2] for cue in embedded_subtitles(text) or ()] == ["Hello there.", "(thunder)"]


def test_subtitles_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    with fails(InputError, "file-missing"):
        check(SpeechParams(subtitles=str(tmp_path / "a.srt")))
    (tmp_path / "a.txt").write_text(SRT, encoding="utf-8")
    with fails(ConfigError, "suffix-unknown"):
        check(SpeechParams(subtitles=str(tmp_path / "a.txt")))
    (tmp_path / "a.srt").write_text("no cues", encoding="utf-8")
    context = context_of(tmp_path / "w", sound_table(10, [(2, 3)]), FakeRecogniser(lambda _: []))
    with fails(DatasetError, "file-unreadable"):
        transcribed(context, SpeechParams(subtitles=str(tmp_path / "a.srt")))


@pytest.mark.slow
def test_nothing_is_heard_in_music_and_noise(tmp_path: Path) -> None:
    pytest.importorskip("faster_whisper", reason="no faster-whisper: pip install 'fercli[sound]'")
    time_s = np.arange(12 * RATE) / RATE
    chords = np.array([[262, 330, 392], [220, 262, 330], [175, 220, 262], [196, 247, 294]])
    notes = chords[(time_s % 8 // 2).astype(int)]
    fading = np.exp(-2 * (time_s % 0.5))
    music = (0.2 * fading * sum(np.sin(2 * np.pi * notes[:, k] * time_s) for k in range(3))).astype(np.float32)
    noise = np.random.default_rng(0).normal(0, 0.05, 12 * RATE).astype(np.float32)
    silero = Models().load(find_model("silero-vad", "voice"))
    for name, sound in (("music", music), ("noise", noise)):
        recogniser = FakeRecogniser(lambda _: [HELLO])  # it would hear something everywhere
        context = context_of(tmp_path / name, pieces_of(sound, 0.0), recogniser)
        context.models = FakeModels(recogniser, silero)  # type: ignore[assignment]
        counts, rows = transcribed(context)
        assert not recogniser.seen and not rows["utterances"] and counts["words"] == 0, name
