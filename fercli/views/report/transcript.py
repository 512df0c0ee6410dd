"""What is said, as a list that works without JavaScript."""

from __future__ import annotations

from html import escape

from fercli.formats.spoken import speaker_of, top
from fercli.results.model import Utterance
from fercli.timing import clock
from fercli.views.report.content import Content

ABOUT = (
    "<p><strong>Speech</strong>: when the person speaks, as far as who speaks is known. What is said is in the list "
    "above, which follows the player; emotions behind it are the most probable ones of the face meanwhile and of the "
    "voice, which is experimental.</p>\n"
)


def section(content: Content) -> str:
    """The section of the page; nothing if nothing is said."""
    said = content.result.utterances
    if not said:
        return ""
    number_of = {one.person.name: number for number, one in enumerate(content.persons)}
    rows = "\n".join(_row(one, number_of) for one in said)
    language = content.result.speech.language if content.result.speech else ""
    attribute = f' lang="{escape(language)}"' if language else ""
    return f"""<section id="transcript" aria-labelledby="transcript-title">
<h2 id="transcript-title">What is said</h2>
<p class="screen"><label>Search <input type="search" id="said-search"></label> <span id="said-count" class="small" \
role="status"></span></p>
<ol id="said"{attribute} tabindex="-1">
{rows}
</ol>
</section>"""


def _row(one: Utterance, number_of: dict[str, int]) -> str:
    speaker = speaker_of(one)
    person = f' data-person="{number_of[speaker]}"' if speaker in number_of else ""
    name = f"<b>{escape(speaker)}</b> " if speaker else ""
    felt = [f"{what} {top(dict(found))}" for what, found in (("face", one.face), ("voice", one.voice)) if found]
    behind = f' <span class="small">{escape(", ".join(felt))}</span>' if felt else ""
    times = f'data-start="{round(1000 * one.start_s)}" data-end="{round(1000 * one.end_s)}"'
    return (
        f'<li {times}{person}><button type="button">{clock(one.start_s, tenths=True)}</button> '
        f"<span>{name}{escape(one.text)}{behind}</span></li>"
    )
