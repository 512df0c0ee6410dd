"""The parts of the page that work without JavaScript: facts, persons with their tables, and provenance."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable
from html import escape
from typing import Any

from fercli.labels import NOT_ASSESSABLE, RECORD_NAMES
from fercli.models.registry import MODELS
from fercli.timing import clock
from fercli.views.report.content import LINES, Content, PersonContent
from fercli.views.report.patterns import swatch
from fercli.views.report.thumbnails import PORTRAIT_SIDE


def facts(content: Content) -> str:
    """One line about the video and its persons."""
    video = content.result.video
    named = len(content.result.persons)
    parts = (
        f"{clock(video['duration_s'], tenths=True)} long"
        + (f", first frame at {clock(video['start_s'], tenths=True)}" if video["start_s"] else "")
        + (f", of which only {_analysed(video)} was analysed" if content.result.not_analysed else ""),
        *_picture(content),
        _count(named, "person") + (", and unassigned faces" if content.result.unassigned else ""),
        _count(len(content.result.segments), "segment"),
    )
    return escape(" · ".join(parts))


def _picture(content: Content) -> list[str]:
    video = content.result.video
    if not video["width"]:
        return ["sound only"]
    return [
        f"{video['width']} x {video['height']}",
        f"{video['fps']:.5g} frames/s on average",
        _count(len(content.shots_s) + 1, "shot"),
    ]


def _analysed(video: dict[str, Any]) -> str:
    return " to ".join(clock(edge, tenths=True) for edge in video["analysed"])


def warnings(content: Content) -> str:
    """The warnings of the result."""
    return "".join(f'<p class="notice">{escape(text)}</p>' for text in content.result.warnings)


def legend(content: Content, classes: list[dict[str, Any]]) -> str:
    """One item per class, with colour, pattern and letters; and the marks of manual segments, of stretches that were
    not analysed, and of apexes, if any."""
    items = [f"{_swatch(classes, k)}{escape(one['name'])}" for k, one in enumerate(classes)]
    if any(segment.source == "human" for person in content.persons for segment in person.person.segments):
        items.append(
            '<svg class="swatch" viewBox="0 0 26 17" aria-hidden="true"><path d="M0 13h26v4H0z"/></svg>set by hand'
        )
    if content.result.not_analysed:
        items.append(
            '<svg class="swatch" viewBox="0 0 26 17" aria-hidden="true"><path d="M0 0h26v17H0z" fill="#e8e8e8"/></svg>'
            "not analysed"
        )
    if any(segment.course for person in content.persons for segment in person.person.segments):
        items.append('<svg class="swatch" viewBox="0 0 26 17" aria-hidden="true"><path d="M9 5h8l-4 7z"/></svg>apex')
    return "".join(f"<li>{item}</li>" for item in items)


def rows(content: Content) -> str:
    """A narrow timeline for each person."""
    if not content.persons:
        return "<p>No face was found.</p>"
    return "\n".join(
        f'<div class="row"><a class="gutter" href="#person-{number}" title="{escape(one.person.name)}">'
        f"{escape(one.person.name)}</a>{_plot(number, one, 'strip', 'Timeline of')}</div>"
        for number, one in enumerate(content.persons)
    )


def persons(content: Content, classes: list[dict[str, Any]]) -> str:
    """One section per person."""
    return "\n".join(_person(number, one, classes) for number, one in enumerate(content.persons))


def provenance(content: Content) -> str:
    """Program, models and parameters."""
    made = content.result.provenance
    models = "".join(_model(name, digest) for name, digest in made["models"].items())
    stages = "".join(
        f"<tr><th scope=row>{escape(name)}</th><td class=text>{escape(_parameters(stage['parameters']))}</td></tr>"
        for name, stage in made["stages"].items()
    )
    return (
        f"<p>fercli {escape(made['fercli'])}; video sha256 <code>{escape(content.result.video['sha256'])}</code></p>"
        "<table><caption>Models</caption><thead><tr><th scope=col>Model</th><th scope=col>Learned from</th>"
        f"<th scope=col>Licence of the weights; sha256</th></tr></thead><tbody>{models}</tbody></table>"
        f"<table><caption>Parameters</caption><tbody>{stages}</tbody></table>"
    )


def _person(number: int, one: PersonContent, classes: list[dict[str, Any]]) -> str:
    name = escape(one.person.name)
    portrait = _portrait(one, name) if one.portrait else ""
    labels = "".join(f'<span data-part="{part}">{part}</span>' for part in _parts(one))
    return f"""<section class="person" id="person-{number}" aria-labelledby="name-{number}">
<div class="who">{portrait}
<div><h2 id="name-{number}">{name}</h2><p>{escape(_summary(one))}</p></div></div>
<div class="chart"><div class="gutter" aria-hidden="true">{labels}</div>{_plot(number, one, "full", "Charts of")}</div>
<div class="tables">{_seconds_table(one, classes)}{_transitions_table(one, classes)}</div>
</section>"""


def _parts(one: PersonContent) -> list[str]:
    """What a person's chart has, from the top."""
    said, last = ["speech"] if one.said else [], "valence" if len(one.rated.bins) else "balance"
    return ["timeline", *said, *(["line"] if len(one.measured.bins) else []), "probabilities", last]


def lines(content: Content) -> str:
    """The choice of what is drawn as a line; nothing where nothing was measured."""
    if not any(len(one.measured.bins) for one in content.persons):
        return ""
    options = "".join(f'<option value="{number}">{name}</option>' for number, name in enumerate(LINES))
    return f'<label class="line-choice">Line <select id="line">{options}</select></label>'


def ratings(content: Content) -> str:
    """What valence, its interval and apexes are; nothing without ratings."""
    first = next(content.result.ratings(), None) if content.result.ratings else None
    if first is None:
        return ""
    return (
        "<p><strong>Valence</strong>: how pleasant the face looks, from &minus;1 to +1 around the zero line, with its "
        f"90&nbsp;% interval as a band. {_FROM[first.source]} There is no curve where the face is not assessable. "
        "<strong>Intensity</strong> is how strongly it shows anything but neutral, and a triangle on the timeline "
        "marks the <strong>apex</strong> of an expression, where its intensity is highest.</p>"
    )


_FROM = {
    "derived": "It is <em>derived</em> from the probabilities, by the ratings that people gave the names of the "
    "emotions, and with a share of mouth and brows; it was not trained on ratings of faces.",
    "trained": "It comes from a network that was <em>trained</em> on ratings.",
}
"""Source of the ratings -> what it means."""


def _portrait(one: PersonContent, name: str) -> str:
    source = f"data:image/jpeg;base64,{b64encode(one.portrait).decode()}"
    return f'<img src="{source}" width="{PORTRAIT_SIDE}" height="{PORTRAIT_SIDE}" alt="Best face of {name}">'


def _plot(number: int, one: PersonContent, kind: str, what: str) -> str:
    label = escape(f"{what} {one.person.name}")
    return f'<div class="plot {kind}" data-person="{number}" role="slider" tabindex="0" aria-label="{label}"></div>'


def _summary(one: PersonContent) -> str:
    person = one.person
    if not person.tracks:
        return "never tracked: only manual segments"
    parts = [
        f"{_duration(one.person.screen_time_s)} on screen",
        f"{_count(len(person.tracks), 'track')} in {_count(person.shots, 'shot')}",
        f"best seen at {clock(person.best.best_s, tenths=True)}",
    ]
    if person.identity is not None:
        parts.append(f"identity {person.identity:.2f}" + (", corrected by hand" if person.by_hand else ""))
    if one.said:
        parts.append(f"talks for {_duration(sum(said.seconds for said in one.said))}")
    if one.balance is not None:
        parts.append(f"mean balance {one.balance:+.2f}".replace("-", "\N{MINUS SIGN}"))
    return " · ".join(parts)


def _seconds_table(one: PersonContent, classes: list[dict[str, Any]]) -> str:
    gaps = [segment for segment in one.person.segments if segment.emotion == NOT_ASSESSABLE]
    seconds = dict(one.person.seconds_by_emotion)
    if gaps:
        seconds[NOT_ASSESSABLE] = sum(gap.end_s - gap.start_s for gap in gaps)
    total = sum(seconds.values()) or 1.0  # a video of one frame may have duration 0
    body = "".join(
        f"<tr><th scope=row>{_swatch(classes, _place(classes, emotion))}{RECORD_NAMES[emotion]}</th>"
        f"<td>{_duration(spent)}</td><td>{100 * spent / total:.0f} %</td></tr>"
        for emotion, spent in seconds.items()
    )
    return f"<table><caption>Time</caption><tbody>{body}</tbody></table>"


def _transitions_table(one: PersonContent, classes: list[dict[str, Any]]) -> str:
    if not one.transitions:
        body = '<tr><td class="text none">none was seen</td></tr>'
        return f"<table><caption>Changes of expression</caption><tbody>{body}</tbody></table>"
    used = {emotion for change in one.transitions for emotion in change}
    order = [emotion for emotion in RECORD_NAMES if emotion in used]
    letters = [classes[_place(classes, emotion)]["letters"] for emotion in order]
    head = "".join(
        f'<th scope=col><abbr title="{RECORD_NAMES[emotion]}">{short}</abbr></th>'
        for emotion, short in zip(order, letters, strict=True)
    )
    body = "".join(
        f"<tr><th scope=row>{_swatch(classes, _place(classes, before))}{RECORD_NAMES[before]}</th>"
        + "".join(_count_cell(one.transitions[before, after]) for after in order)
        + "</tr>"
        for before in order
    )
    return (
        "<table><caption>Changes of expression</caption>"
        f"<thead><tr><th scope=col>from ↓ to →</th>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def _count_cell(count: int) -> str:
    return f"<td>{count}</td>" if count else '<td class="none">·</td>'


def _place(classes: list[dict[str, Any]], emotion: str) -> int:
    return [one["name"] for one in classes].index(RECORD_NAMES[emotion])


def _swatch(classes: list[dict[str, Any]], number: int) -> str:
    unknown = number == len(classes) - 1
    return swatch(number, classes[number]["letters"], "#000000" if unknown else classes[number]["ink"])


def _model(name: str, digest: str) -> str:
    spec = MODELS.get(name)
    trained, licence = (spec.training_data, spec.licence) if spec else ("unknown: a file of the user", "not known")
    return (
        f"<tr><th scope=row>{escape(name)}</th><td class=text>{escape(trained)}</td>"
        f"<td class=text>{escape(licence)}; <code>{escape(digest)}</code></td></tr>"
    )


def _parameters(values: dict[str, Any]) -> str:
    given: Iterable[str] = (f"{key} {json.dumps(value, ensure_ascii=False)}" for key, value in values.items())
    return ", ".join(given)


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 60 else clock(seconds, tenths=True)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
