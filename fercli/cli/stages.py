"""The commands that run a part of the chain, such as extract-frames."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from fercli.chain import (
    ATTRIBUTES,
    AUDIO,
    EMOTIONS,
    FACES,
    FRAMES,
    PERSONS,
    SPEAKERS,
    SPEECH,
    STAGES,
    TRACKS,
    VALENCE,
    VOICES,
    Plan,
    Stage,
)
from fercli.cli import options as opt
from fercli.cli.config_file import recorded
from fercli.cli.console import ConsoleReporter
from fercli.config import (
    DECODERS,
    AttributesParams,
    AudioParams,
    EmotionsParams,
    FacesParams,
    FramesParams,
    PersonsParams,
    Runtime,
    SpeakersParams,
    SpeechParams,
    TracksParams,
    ValenceParams,
    VoicesParams,
    limit_of,
)
from fercli.errors import command
from fercli.models.licences import require_licences

if TYPE_CHECKING:
    from fercli.progress import Reporter
    from fercli.workspace import Workspace


def extract_frames(
    video: opt.Video,
    workspace: opt.WorkspacePath,
    fps: opt.Fps = opt.FPS,
    start: opt.Start = "",
    end: opt.End = "",
    images: Annotated[
        bool, opt.flag("--images/--no-images", help="Write every frame as a JPEG.", panel=opt.FRAMES)
    ] = True,
    shot_threshold: opt.ShotThreshold = FramesParams.shot_threshold,
    decoder: opt.Decoder = DECODERS[0],
    config: opt.Config = None,
    force: opt.Force = False,
    verify: opt.Verify = False,
    quiet: opt.Quiet = False,
) -> None:
    """Stage 1: timestamps, shots and, by default, images of the sampled frames.

    Example: fercli extract-frames episode.mp4 episode.fercli --fps 5
    """
    from fercli.api import workspace_at

    params = FramesParams(
        opt.parse_fps(fps),
        opt.parse_time(start, "--start"),
        opt.parse_end(end),
        images,
        shot_threshold,
        decoder=opt.parse_decoder(decoder),
    )
    opened = workspace_at(workspace, video, verify=verify)
    run_plan(opened, [(FRAMES, params)], Runtime(config=recorded(config)), ConsoleReporter(quiet=quiet), force=force)


def detect_faces(
    workspace: opt.WorkspacePath,
    detector: opt.Detector = FacesParams.detector,
    detector_weights: opt.DetectorWeights = None,
    min_score: opt.MinScore = FacesParams.min_score,
    min_size: opt.MinSize = FacesParams.min_size,
    max_side: opt.MaxSide = FacesParams.max_side,
    detect_every: opt.DetectEvery = FacesParams.every,
    crop_scale: opt.CropScale = FacesParams.crop_scale,
    crop_size: opt.CropSize = FacesParams.crop_size,
    decoder: opt.Decoder = DECODERS[0],
    device: opt.Device = Runtime.device,
    licences: opt.Licences = "all",
    config: opt.Config = None,
    force: opt.Force = False,
    quiet: opt.Quiet = False,
) -> None:
    """Stage 2: boxes, landmarks and crops of all faces.

    Example: fercli detect-faces episode.fercli --min-size 30
    """
    weights = opt.absolute(detector_weights)
    params = FacesParams(detector, weights, min_score, min_size, max_side, detect_every, crop_scale, crop_size)
    runtime = Runtime(device, decoder=opt.parse_decoder(decoder), config=recorded(config))
    require_licences(licences, [(FACES, params)])
    _run_stages([(FACES, params)], workspace, runtime, force=force, reporter=ConsoleReporter(quiet=quiet))


def track(
    workspace: opt.WorkspacePath,
    embedder: opt.Embedder = TracksParams.embedder,
    max_gap: opt.MaxGap = TracksParams.max_gap_s,
    min_faces: opt.MinFaces = TracksParams.min_faces,
    embed_faces: opt.EmbedFaces = TracksParams.embed_faces,
    max_distance: opt.MaxDistance = PersonsParams.max_distance,
    gallery: opt.Gallery = None,
    cast: opt.Cast = None,
    device: opt.Device = Runtime.device,
    licences: opt.Licences = "all",
    config: opt.Config = None,
    force: opt.Force = False,
    quiet: opt.Quiet = False,
) -> None:
    """Stage 3: faces to tracks inside each shot, tracks to persons across the video.

    Example: fercli track episode.fercli --gallery people/
    """
    network = opt.parse_network(embedder)
    tracks = TracksParams(
        network,
        max_gap_s=max_gap,
        min_faces=min_faces,
        embed_faces=embed_faces,
        limit=limit_of(network, max_distance),
    )
    persons = PersonsParams(network, max_distance, opt.absolute(gallery), opt.absolute(cast))
    runtime = Runtime(device, config=recorded(config))
    plan: Plan = [(TRACKS, tracks), (PERSONS, persons)]
    require_licences(licences, plan)
    _run_stages(plan, workspace, runtime, force=force, reporter=ConsoleReporter(quiet=quiet))


def classify_emotions(
    workspace: opt.WorkspacePath,
    model: opt.Model = EmotionsParams.model,
    stride: opt.Stride = EmotionsParams.stride,
    thorough: opt.Thorough = EmotionsParams.thorough,
    min_face: opt.MinFace = EmotionsParams.min_size,
    min_sharpness: opt.MinSharpness = EmotionsParams.min_sharpness,
    min_contrast: opt.MinContrast = EmotionsParams.min_contrast,
    max_yaw: opt.MaxYaw = EmotionsParams.max_yaw,
    max_pitch: opt.MaxPitch = EmotionsParams.max_pitch,
    doubtful_from: opt.DoubtfulFrom = EmotionsParams.doubtful_from,
    mean_segment: opt.MeanSegment = EmotionsParams.mean_segment_s,
    min_segment: opt.MinSegment = EmotionsParams.min_segment_s,
    prior: opt.Prior = EmotionsParams.prior,
    abstain: opt.Abstain = EmotionsParams.abstain,
    device: opt.Device = Runtime.device,
    batch: opt.WindowBatch = Runtime.batch,
    licences: opt.Licences = "all",
    config: opt.Config = None,
    force: opt.Force = False,
    quiet: opt.Quiet = False,
) -> None:
    """Stage 4: emotion probabilities for windows of each track, and segments. Measures the faces first if necessary.

    Example: fercli classify-emotions episode.fercli --mean-segment 1
    """
    params = EmotionsParams(
        opt.parse_network(model),
        stride,
        thorough,
        min_face,
        min_sharpness,
        min_contrast,
        max_yaw,
        max_pitch,
        doubtful_from,
        mean_segment,
        min_segment,
        prior,
        abstain,
    )
    runtime = Runtime(device, batch, config=recorded(config))
    require_licences(licences, [(ATTRIBUTES, AttributesParams()), (EMOTIONS, params)])
    plan: Plan = [(ATTRIBUTES, _last_params(workspace, ATTRIBUTES)), (EMOTIONS, params)]
    _run_stages(plan, workspace, runtime, force=force, reporter=ConsoleReporter(quiet=quiet))


def measure_faces(
    workspace: opt.WorkspacePath,
    min_flag: opt.MinFlag = AttributesParams.min_flag,
    landmarks: opt.Landmarks = AttributesParams.keep_landmarks,
    licences: opt.Licences = "all",
    config: opt.Config = None,
    force: opt.Force = False,
    quiet: opt.Quiet = False,
) -> None:
    """Branch of the faces: head pose, openings of eyes and mouth, and blendshapes, from a mesh of each face.

    Example: fercli measure-faces episode.fercli --landmarks
    """
    params, runtime = AttributesParams(min_flag, landmarks), Runtime(config=recorded(config))
    require_licences(licences, [(ATTRIBUTES, params)])
    _run_stages([(ATTRIBUTES, params)], workspace, runtime, force=force, reporter=ConsoleReporter(quiet=quiet))


def estimate_valence(
    workspace: opt.WorkspacePath,
    valence_weights: opt.ValenceWeights = None,
    smoothing: opt.Smoothing = ValenceParams.smoothing_s,
    device: opt.Device = Runtime.device,
    config: opt.Config = None,
    force: opt.Force = False,
    quiet: opt.Quiet = False,
) -> None:
    """Branch of the emotions: valence, arousal and intensity over time, and onset, apex and offset of expressions.

    Example: fercli estimate-valence episode.fercli
    """
    params = ValenceParams(opt.absolute(valence_weights), smoothing)
    runtime = Runtime(device, config=recorded(config))
    _run_stages([(VALENCE, params)], workspace, runtime, force=force, reporter=ConsoleReporter(quiet=quiet))


def extract_audio(
    video: opt.Video,
    workspace: opt.WorkspacePath,
    audio_track: opt.AudioTrack = AudioParams.track,
    start: opt.Start = "",
    end: opt.End = "",
    config: opt.Config = None,
    force: opt.Force = False,
    verify: opt.Verify = False,
    quiet: opt.Quiet = False,
) -> None:
    """Branch of the video: its sound, mono at 16 kHz, on the clock of the pictures.

    Example: fercli extract-audio episode.mp4 episode.fercli --audio-track 2
    """
    from fercli.api import workspace_at

    params = AudioParams(audio_track, opt.parse_time(start, "--start"), opt.parse_end(end))
    opened = workspace_at(workspace, video, verify=verify, sound_only=True)
    run_plan(opened, [(AUDIO, params)], Runtime(config=recorded(config)), ConsoleReporter(quiet=quiet), force=force)


def transcribe(
    workspace: opt.WorkspacePath,
    speech_model: opt.SpeechModel = SpeechParams.model,
    language: opt.Language = SpeechParams.language,
    translate: opt.Translate = SpeechParams.translate,
    subtitles: opt.Subtitles = SpeechParams.subtitles,
    device: opt.Device = Runtime.device,
    licences: opt.Licences = "all",
    config: opt.Config = None,
    force: opt.Force = False,
    quiet: opt.Quiet = False,
) -> None:
    """Branch of the sound: when someone speaks, and what is said, word by word. Extracts the sound first if necessary.

    Example: fercli transcribe episode.fercli --language en
    """
    network = opt.parse_speech_model(speech_model)
    params = SpeechParams(network, language, translate, subtitles=opt.parse_subtitles(subtitles))
    runtime = Runtime(device, config=recorded(config))
    require_licences(licences, [(SPEECH, params)])
    plan: Plan = [(AUDIO, _last_params(workspace, AUDIO)), (SPEECH, params)]
    _run_stages(plan, workspace, runtime, force=force, reporter=ConsoleReporter(quiet=quiet))


def detect_speakers(
    workspace: opt.WorkspacePath,
    device: opt.Device = Runtime.device,
    licences: opt.Licences = "all",
    config: opt.Config = None,
    force: opt.Force = False,
    quiet: opt.Quiet = False,
) -> None:
    """Branch of faces and sound: which visible face is heard talking. Runs extract-audio and measure-faces first if
    necessary.

    Example: fercli detect-speakers episode.fercli
    """
    params, runtime = SpeakersParams(), Runtime(device, config=recorded(config))
    require_licences(licences, [(ATTRIBUTES, AttributesParams()), (SPEAKERS, params)])
    before: Plan = [(stage, _last_params(workspace, stage)) for stage in (ATTRIBUTES, AUDIO)]
    _run_stages([*before, (SPEAKERS, params)], workspace, runtime, force=force, reporter=ConsoleReporter(quiet=quiet))


def classify_voices(
    workspace: opt.WorkspacePath,
    voice_model: opt.VoiceModel = VoicesParams.model,
    device: opt.Device = Runtime.device,
    licences: opt.Licences = "all",
    config: opt.Config = None,
    force: opt.Force = False,
    quiet: opt.Quiet = False,
) -> None:
    """Branch of speech: emotion in the voice of each utterance, experimental. Transcribes first if necessary.

    Example: fercli classify-voices episode.fercli
    """
    params, runtime = VoicesParams(opt.parse_network(voice_model)), Runtime(device, config=recorded(config))
    require_licences(licences, [(VOICES, params)])
    before: Plan = [(stage, _last_params(workspace, stage)) for stage in (AUDIO, SPEECH)]
    _run_stages([*before, (VOICES, params)], workspace, runtime, force=force, reporter=ConsoleReporter(quiet=quiet))


def _last_params(path: Path, stage: Stage) -> Any:
    """The parameters with which a stage of a workspace ran; the defaults if it did not, or by another version of
    fercli."""
    from fercli.typed import build
    from fercli.workspace import Workspace

    receipt = Workspace.open(path).receipt(stage.name)
    try:
        return build(stage.params, receipt.params) if receipt is not None else stage.params()
    except (TypeError, ValueError):
        return stage.params()


def _run_stages(plan: Plan, path: Path, runtime: Runtime, *, force: bool, reporter: Reporter) -> None:
    """Run the stages of a command over an existing workspace."""
    from fercli.api import check_device, for_video
    from fercli.workspace import Workspace

    workspace = Workspace.open(path)
    check_device(runtime)
    plan = for_video(plan, Path(workspace.video.path), path, reporter)
    run_plan(workspace, plan, runtime, reporter, force=force)


def run_plan(workspace: Workspace, plan: Plan, runtime: Runtime, reporter: Reporter, *, force: bool) -> None:
    """Run stages under the lock of the workspace, then print the next command."""
    from fercli import pipeline

    with workspace.lock():
        pipeline.run(workspace, plan, runtime, reporter, force=force)
    _print_next(workspace, reporter)


def _print_next(workspace: Workspace, reporter: Reporter) -> None:
    """Print the command of the first stale stage, or of the export if all are up to date."""
    from fercli.workspace import Digests, why_stale

    digests = Digests(by_receipts=True)
    stale = next((one for one in STAGES if not one.optional and why_stale(workspace, one, digests)), None)
    video = [workspace.video.path] if stale and stale.reads == ("video",) else []
    words = (stale.command, *video, workspace.path) if stale else ("export", workspace.path, "-o", "annotations.json")
    reporter.note(f"next: {command(*words)}")
