"""The page of a series: a table of persons and videos, and the longest moments. It has no script and loads nothing."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template

from fercli.colours import COLOURS, as_hex, ink_on
from fercli.errors import FercliError
from fercli.labels import NOT_ASSESSABLE, RECORD_NAMES
from fercli.results.model import Segment
from fercli.series.summary import Appearance, SeriesPerson, Summary, VideoRow
from fercli.timing import clock
from fercli.version import VERSION
from fercli.views.report.page import limits
from fercli.views.report.patterns import definitions, swatch
from fercli.views.report.thumbnails import make_pictures
from fercli.views.series.links import Links, find_links

BAR_WIDTH, BAR_HEIGHT = 96, 14
PORTRAIT_SIDE = 48
"""Pixels on the page; the picture has more, for dense screens."""


def build(summary: Summary, output: Path) -> str:
    """The whole page.

    Its content security policy allows no script, and names are text.

    Args:
        summary: the series.
        output: path of the page; reports and videos are linked relative to it, if they exist.
    """
    links = {video.member.inside: find_links(video, output) for video in summary.videos}
    return _Page(summary, links).text()


class _Page:
    def __init__(self, summary: Summary, links: Mapping[str, Links]) -> None:
        self._summary, self._links = summary, links
        used = {emotion for video in summary.videos for one in video.people for emotion in one.seconds_by_emotion}
        self._classes = [name for name in RECORD_NAMES if name in used]
        self._place = {(one.inside, one.name): f"v{k}-p{n}" for k, n, one in _numbered(summary.videos)}
        self._longest = max((one.screen_time_s for _, _, one in _numbered(summary.videos)), default=0.0)

    def text(self) -> str:
        return Template(_asset("page.html")).substitute(
            version=VERSION,
            title=escape(f"Emotions in {_count(len(self._summary.videos), 'video')}"),
            style=_asset("page.css"),
            patterns=definitions(self._classes),
            facts=escape(self._facts()),
            notices="\n".join(f'<p class="notice">{escape(text)}</p>' for text in _notices(self._summary)),
            legend="".join(f"<li>{self._swatch(name)}{RECORD_NAMES[name]}</li>" for name in self._classes),
            first="persons" if self._summary.known else "videos",
            matrix=self._matrix() if self._summary.known else "",
            videos="\n".join(self._video(number, video) for number, video in enumerate(self._summary.videos)),
            leads=self._leads(),
            identities=_identities(self._summary),
            limits=limits(),
        )

    def _facts(self) -> str:
        videos = self._summary.videos
        return " · ".join(
            [
                _count(len(videos), "video"),
                f"{clock(sum(video.duration_s for video in videos))} long",
                f"{_count(len(self._summary.known), 'person')} with a name that holds in all of them",
                _count(sum(video.segments for video in videos), "segment"),
            ]
        )

    def _leads(self) -> str:
        if any(one.report for one in self._links.values()):
            return "to the report of the video, at that time"
        if any(one.video for one in self._links.values()):
            return "into the video, at that time"
        return "nowhere, because neither a report of the video nor the video was found"

    def _matrix(self) -> str:
        head = "".join(
            f'<th scope="col"><a href="#video-{number}">{escape(video.member.name)}</a></th>'
            for number, video in enumerate(self._summary.videos)
        )
        portraits = _portraits(self._summary)
        body = "\n".join(self._row(person, portraits.get(person.name, b"")) for person in self._summary.known)
        return (
            '<h2 id="persons">Persons and videos</h2>\n'
            '<div class="scroll" role="region" tabindex="0" aria-labelledby="persons"><table>'
            "<caption>Seconds on screen of each person in each video</caption>"
            f'<thead><tr><th scope="col">Person</th><th scope="col" class="all">all</th>{head}</tr></thead>\n'
            f"<tbody>{body}</tbody></table></div>"
        )

    def _row(self, person: SeriesPerson, portrait: bytes) -> str:
        picture = ""
        if portrait:
            source = f"data:image/jpeg;base64,{b64encode(portrait).decode()}"
            picture = f'<img src="{source}" width="{PORTRAIT_SIDE}" height="{PORTRAIT_SIDE}" alt="">'
        cells = "".join(self._cell(person.appearances.get(video.member.inside)) for video in self._summary.videos)
        share = self._bar(person.seconds_by_emotion, 1.0)
        return (
            f'<tr><th scope="row"><span class="who">{picture}<span>{escape(person.name)}</span></span></th>'
            f'<td class="all">{_duration(person.screen_time_s)}{share}'
            f'<span class="unseen">{escape(_shares(person.seconds_by_emotion))}</span></td>{cells}</tr>'
        )

    def _cell(self, one: Appearance | None) -> str:
        if one is None:
            return '<td class="none"><span aria-hidden="true">·</span><span class="unseen">not on screen</span></td>'
        length = one.screen_time_s / self._longest if self._longest else 1.0
        return (
            f'<td><a href="#{self._place[one.inside, one.name]}">{_duration(one.screen_time_s)}'
            f"{self._bar(one.seconds_by_emotion, length)}"
            f'<span class="unseen">{escape(_shares(one.seconds_by_emotion))}</span></a></td>'
        )

    def _video(self, number: int, video: VideoRow) -> str:
        links = self._links[video.member.inside]
        facts = " · ".join(
            [
                escape(video.video),
                f"{clock(video.duration_s, tenths=True)} long",
                _count(len(video.persons), "person"),
                _count(video.segments, "segment"),
                *([f'<a href="{escape(links.report)}">report</a>'] if links.report else []),
                *([f'<a href="{escape(links.video)}">video</a>'] if links.video else []),
            ]
        )
        people = "\n".join(self._person(one, links) for one in video.people) or "<p>No person was found.</p>"
        return (
            f'<section class="video" aria-labelledby="video-{number}"><h3 id="video-{number}">'
            f'{escape(video.member.name)}</h3><p class="facts">{facts}</p>\n{people}</section>'
        )

    def _person(self, one: Appearance, links: Links) -> str:
        length = one.screen_time_s / self._longest if self._longest else 1.0
        moments = "".join(self._moment(segment, links) for segment in one.moments)
        return (
            f'<div class="person" id="{self._place[one.inside, one.name]}"><h4>{escape(one.name)}</h4>'
            f"<div>{_duration(one.screen_time_s)}{self._bar(one.seconds_by_emotion, length)}</div>"
            f'<div><p class="soft">{escape(_shares(one.seconds_by_emotion))}</p>'
            f'<ul class="moments" aria-label="Longest moments">{moments}</ul></div></div>'
        )

    def _moment(self, segment: Segment, links: Links) -> str:
        time = clock(segment.start_s, tenths=True)
        address = links.moment(segment.start_s, segment.person)
        where = f'<a href="{escape(address)}">{time}</a>' if address else time
        shown = RECORD_NAMES[segment.emotion]
        return f"<li>{self._swatch(segment.emotion)} {where} {shown} for {_duration(segment.seconds)}</li>"

    def _bar(self, seconds: dict[str, float], length: float) -> str:
        """A bar whose parts are the shares of the classes in the order of the legend; `length` from 0 to 1."""
        total = sum(seconds.values())
        if not total:
            return ""
        whole = max(2.0, BAR_WIDTH * length)
        parts, x = [], 0.0
        for number, name in enumerate(self._classes):
            width = whole * seconds.get(name, 0.0) / total
            if width:
                parts.append(
                    f'<rect x="{x:.1f}" width="{width:.1f}" height="{BAR_HEIGHT}" fill="url(#class-{number})"/>'
                )
            x += width
        edge = (
            f'<rect x=".5" y=".5" width="{max(whole - 1, 1):.1f}" height="{BAR_HEIGHT - 1}" '
            'fill="none" stroke="#767676"/>'
        )
        return (
            f'<svg class="bar" viewBox="0 0 {BAR_WIDTH} {BAR_HEIGHT}" aria-hidden="true">{"".join(parts)}{edge}</svg>'
        )

    def _swatch(self, name: str) -> str:
        letters = "\N{EN DASH}" if name == NOT_ASSESSABLE else RECORD_NAMES[name][:2].title()
        ink = "#000000" if name == NOT_ASSESSABLE else as_hex(ink_on(COLOURS[name]))
        return swatch(self._classes.index(name), letters, ink)


def _numbered(videos: Sequence[VideoRow]) -> Iterable[tuple[int, int, Appearance]]:
    return ((k, n, one) for k, video in enumerate(videos) for n, one in enumerate(video.people))


def _portraits(summary: Summary) -> dict[str, bytes]:
    """Name -> JPEG of the best face in all videos; a workspace without crops has none."""
    best: dict[str, tuple[str, int]] = {}
    for person in summary.known:
        one = max(person.appearances.values(), key=lambda one: (one.best_face is not None, one.distinctness))
        if one.best_face is not None:
            best[person.name] = (one.inside, one.best_face)
    portraits: dict[str, bytes] = {}
    for video in summary.videos:
        own = {name: face for name, (inside, face) in best.items() if inside == video.member.inside}
        if own:
            try:
                pictures, _ = make_pictures(video.workspace.table("crops"), list(own.values()), [])
            except FercliError:
                continue
            portraits |= {name: pictures[face] for name, face in own.items()}
    return portraits


def _notices(summary: Summary) -> list[str]:
    texts = [f"{one.name} is not on this page: {one.message}" for one in summary.missing]
    texts += [
        f"{one.member.name} failed in the last run, its figures are of an earlier one: {one.failure.message}"
        for one in summary.videos
        if one.failure
    ]
    if summary.local and len(summary.videos) > 1:
        texts.append(
            f"{_count(summary.local, 'person')} with a number such as Person 1 are known in one video only, and are "
            "listed below each video: the same number in two videos need not be the same person. With --cast, annotate "
            "recognises persons over all videos."
        )
    return texts


def _identities(summary: Summary) -> str:
    text = "a name from a gallery, or given by hand, is one person in all videos"
    casts = any(video.cast for video in summary.videos)
    return text + (", and so is a number of the cast." if casts else "; a number is one person in one video.")


def _shares(seconds: dict[str, float]) -> str:
    total = sum(seconds.values()) or 1.0
    return ", ".join(f"{RECORD_NAMES[name]} {100 * value / total:.0f} %" for name, value in seconds.items())


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 60 else clock(seconds, tenths=True)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _asset(name: str) -> str:
    return files("fercli.views.series").joinpath(name).read_text(encoding="utf-8")
