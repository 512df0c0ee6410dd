"""`fercli annotate`: all stages, then the exported file and a summary."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fercli.chain import SPEECH
from fercli.cli import options as opt
from fercli.cli.config_file import recorded
from fercli.cli.console import ConsoleReporter
from fercli.config import (
    ANY_SUBTITLES,
    DECODERS,
    EMBEDDED,
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
from fercli.errors import ConfigError, SoundOnly
from fercli.files import address_of
from fercli.models.licences import require_licences

if TYPE_CHECKING:
    from fercli.batch.work import Order
    from fercli.pipeline import Share


def annotate(
    videos: opt.Videos,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar=opt.PATH,
            help="The file to write, a directory for it, or - for stdout; by default VIDEO and the format's suffix, "
            "here; of several videos a directory, by default annotations, or an address as s3://BUCKET/season/.",
        ),
    ] = None,
    workdir: Annotated[
        Path | None,
        typer.Option(
            help="By default VIDEO.fercli beside the output; with an address, the folder of all workspaces.",
            readable=False,
        ),
    ] = None,
    format: opt.Formats = "",
    recursive: opt.Recursive = False,
    jobs: opt.Jobs = 0,
    scheduler: opt.Scheduler = "",
    fps: opt.Fps = opt.FPS,
    start: opt.Start = "",
    end: opt.End = "",
    images: Annotated[bool, opt.flag("--images", help="Write every frame as a JPEG.", panel=opt.FRAMES)] = False,
    shot_threshold: opt.ShotThreshold = FramesParams.shot_threshold,
    decoder: opt.Decoder = DECODERS[0],
    detector: opt.Detector = FacesParams.detector,
    detector_weights: opt.DetectorWeights = None,
    min_score: opt.MinScore = FacesParams.min_score,
    min_size: opt.MinSize = FacesParams.min_size,
    max_side: opt.MaxSide = FacesParams.max_side,
    detect_every: opt.DetectEvery = FacesParams.every,
    crop_scale: opt.CropScale = FacesParams.crop_scale,
    crop_size: opt.CropSize = FacesParams.crop_size,
    embedder: opt.Embedder = TracksParams.embedder,
    max_gap: opt.MaxGap = TracksParams.max_gap_s,
    min_faces: opt.MinFaces = TracksParams.min_faces,
    embed_faces: opt.EmbedFaces = TracksParams.embed_faces,
    max_distance: opt.MaxDistance = PersonsParams.max_distance,
    gallery: opt.Gallery = None,
    cast: opt.Cast = None,
    model: opt.Model = EmotionsParams.model,
    stride: opt.Stride = EmotionsParams.stride,
    thorough: opt.Thorough = EmotionsParams.thorough,
    min_face: opt.MinFace = EmotionsParams.min_size,
    min_sharpness: opt.MinSharpness = EmotionsParams.min_sharpness,
    min_flag: opt.MinFlag = AttributesParams.min_flag,
    landmarks: opt.Landmarks = AttributesParams.keep_landmarks,
    min_contrast: opt.MinContrast = EmotionsParams.min_contrast,
    max_yaw: opt.MaxYaw = EmotionsParams.max_yaw,
    max_pitch: opt.MaxPitch = EmotionsParams.max_pitch,
    doubtful_from: opt.DoubtfulFrom = EmotionsParams.doubtful_from,
    mean_segment: opt.MeanSegment = EmotionsParams.mean_segment_s,
    min_segment: opt.MinSegment = EmotionsParams.min_segment_s,
    prior: opt.Prior = EmotionsParams.prior,
    licences: opt.Licences = "all",
    abstain: opt.Abstain = EmotionsParams.abstain,
    with_: opt.With = "",
    valence_weights: opt.ValenceWeights = None,
    smoothing: opt.Smoothing = ValenceParams.smoothing_s,
    sound: opt.Sound = False,
    audio_track: opt.AudioTrack = AudioParams.track,
    speech_model: opt.SpeechModel = SpeechParams.model,
    language: opt.Language = SpeechParams.language,
    translate: opt.Translate = SpeechParams.translate,
    subtitles: opt.Subtitles = SpeechParams.subtitles,
    voice_model: opt.VoiceModel = VoicesParams.model,
    device: opt.Device = Runtime.device,
    batch: opt.WindowBatch = Runtime.batch,
    config: opt.Config = None,
    force: opt.Force = False,
    verify: opt.Verify = False,
    overwrite: opt.Overwrite = False,
    quiet: opt.Quiet = False,
) -> None:
    """Run all stages: from a video, or many, to annotations. An interrupted run continues where it stopped.

    Example: fercli annotate episode.mp4 -o episode.json
    """
    from fercli.api import plan_for
    from fercli.batch.cluster import open_share
    from fercli.batch.jobs import is_one_video
    from fercli.batch.work import Order
    from fercli.cli.batch import annotate_many
    from fercli.formats import require_sound

    frames = FramesParams(
        opt.parse_fps(fps),
        opt.parse_time(start, "--start"),
        opt.parse_end(end),
        images,
        shot_threshold,
        decoder=opt.parse_decoder(decoder),
    )
    faces = FacesParams(
        detector, opt.absolute(detector_weights), min_score, min_size, max_side, detect_every, crop_scale, crop_size
    )
    network = opt.parse_network(embedder)
    tracks = TracksParams(
        network,
        max_gap_s=max_gap,
        min_faces=min_faces,
        embed_faces=embed_faces,
        limit=limit_of(network, max_distance),
    )
    persons = PersonsParams(network, max_distance, opt.absolute(gallery), opt.absolute(cast))
    emotions = EmotionsParams(
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
    runtime = Runtime(device, batch, decoder=opt.parse_decoder(decoder), config=recorded(config))
    attributes = AttributesParams(min_flag, landmarks)
    analyses = opt.parse_with(with_)
    valence = (ValenceParams(opt.absolute(valence_weights), smoothing),) if "valence" in analyses else ()
    of_sound: dict[str, Any] = {
        "speech": SpeechParams(
            opt.parse_speech_model(speech_model), language, translate, subtitles=opt.parse_subtitles(subtitles)
        ),
        "speakers": SpeakersParams(),
        "voices": VoicesParams(opt.parse_network(voice_model)),
    }
    asked = {*analyses, *(opt.SOUND_ANALYSES if sound else ())}
    if "voices" in asked:  # of the utterances
        asked.add("speech")
    heard = [of_sound[name] for name in opt.SOUND_ANALYSES if name in asked]
    if subtitles and "speech" not in asked:
        raise ConfigError(
            "--subtitles is about what is said", hint="add --sound, or --with speech", code="option-conflict"
        )
    if heard:
        heard.insert(0, AudioParams(audio_track, frames.start_s, frames.end_s))
    params = (frames, faces, tracks, persons, attributes, emotions, *valence, *heard)
    require_licences(licences, plan_for(params))
    if is_one_video(videos) and not address_of(Path(output or "")):
        order = Order(params, tuple(format.split(",")), runtime, force=force, verify=verify, overwrite=overwrite)
        with open_share(jobs, scheduler, device) as share:
            annotate_one(videos[0], output, workdir, order, share, quiet=quiet)
        return
    if subtitles not in ("", EMBEDDED, ANY_SUBTITLES):
        raise ConfigError(
            f"--subtitles {subtitles} is one file, and there are several videos",
            hint="use --subtitles auto: it takes the .srt or .vtt beside each video",
            code="option-conflict",
        )
    if "speech" not in asked:
        require_sound(opt.parse_formats(format))
    order = Order(params, opt.parse_formats(format), runtime, force=force, verify=verify, overwrite=overwrite)
    code = annotate_many(
        videos, output, order, recursive=recursive, jobs=jobs, scheduler=scheduler, quiet=quiet, workdir=workdir
    )
    if code:
        raise typer.Exit(code)


def annotate_one(
    video: Path, output: str | None, workdir: Path | None, order: Order, share: Share | None, *, quiet: bool
) -> None:
    """Annotate one video, and print a summary; other processes do pieces of it through `share`.

    Raises:
        FercliError: as `fercli.annotate`; or an output cannot be written.
    """
    from fercli.api import plan_for, up_to_date
    from fercli.cli.export import deliver
    from fercli.cli.names import is_folder, output_file
    from fercli.cli.show import summary
    from fercli.exports import check_output, format_of, suffix_of
    from fercli.formats import require_sound
    from fercli.workspace.places import named_after, workspace_of

    _require_readable(video, sound=any(isinstance(one, AudioParams) for one in order.params))
    output = output or "./"
    place = workdir or workspace_of(video, Path(output) if is_folder(output) else Path(output).parent)
    if not any(isinstance(one, SpeechParams) for one in order.params) and not (place / SPEECH.name).exists():
        require_sound(order.formats)
    if len(order.formats) > 1 and not is_folder(output):
        raise ConfigError(
            f"-o {output} is one file, and several formats need a folder",
            hint="give a folder, with a slash at its end",
            code="output-is-no-folder",
        )
    files = [output_file(output, named_after(video, place, suffix_of(format))) for format in order.formats]
    formats = [format_of(file, format) for file, format in zip(files, order.formats, strict=True)]
    given = [Path(path) for one in order.params for path in _files_read(one)]
    for file in files:
        check_output(file, place, [video, *given], overwrite=order.overwrite)
    reporter = ConsoleReporter(quiet=quiet)
    plan, force, verify = plan_for(order.params), order.force, order.verify
    with up_to_date(place, video, plan, order.runtime, reporter, force=force, verify=verify, share=share) as workspace:
        deliver(workspace, formats, files, reporter)
    if not quiet:
        summary(workspace, files)


def _require_readable(video: Path, *, sound: bool) -> None:
    """Refuse what cannot be read, before anything else is checked.

    Args:
        sound: whether a file with sound and no picture will do.

    Raises:
        VideoError: as `container.open_video`.
    """
    from fercli.media.container import open_video

    try:
        with open_video(video):
            pass
    except SoundOnly:
        if not sound:
            raise


def _files_read(params: Any) -> list[str]:
    """Files that parameters of a stage name; they must not be replaced by an output."""
    named = (getattr(params, name, "") for name in ("weights", "embedder", "cast", "model", "subtitles"))
    return [path for path in named if path not in ("", EMBEDDED, ANY_SUBTITLES)]
