"""The contact sheet as an HTML page: one file without scripts, to open offline or to print."""

from __future__ import annotations

from base64 import b64encode
from html import escape

from fercli.views.contact_sheet import FACE_SIDE, Picture, Row, Sheet

_STYLE = f"""
body {{ font: 15px/1.4 system-ui, sans-serif; color: #000; background: #fff; margin: 1.5rem; }}
h1 {{ font-size: 1.3rem; }}
h2 {{ font-size: 1.1rem; margin: 1.5rem 0 0; break-after: avoid; }}
p {{ margin: 0 0 .5rem; }}
.faces {{ display: flex; flex-wrap: wrap; gap: .6rem; }}
figure {{ position: relative; margin: 0; width: {FACE_SIDE + 6}px; break-inside: avoid; }}
img {{ display: block; width: {FACE_SIDE}px; height: {FACE_SIDE}px; border: 3px solid #bbb; }}
figcaption {{ font-size: .8rem; }}
.doubtful img {{ border: 3px dashed #d55e00; }}
.sign {{ position: absolute; top: 6px; right: 6px; width: 1.5rem; text-align: center; font-weight: bold;
  color: #000; background: #fff; border: 2px solid #d55e00; border-radius: 50%; }}
.sign.apex {{ border-color: #000; font-size: .8rem; line-height: 1.5rem; }}
"""


def page(sheet: Sheet) -> str:
    """The whole page. Names are escaped."""
    rows = "\n".join(map(_row, sheet.rows)) or "<p>No face was found.</p>"
    title = f"{escape(sheet.title)}: persons"
    return f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style></head>
<body>
<h1>{title}</h1>
<p>{escape(sheet.legend)}</p>
{rows}
</body>
</html>
"""


def _row(row: Row) -> str:
    figures = "\n".join(map(_figure, row.pictures))
    return (
        f"<section>\n<h2>{escape(row.name)}</h2>\n<p>{escape(row.summary)}</p>\n"
        f'<div class="faces">\n{figures}\n</div>\n</section>'
    )


def _figure(picture: Picture) -> str:
    caption = "<br>".join(map(escape, picture.caption))
    sign = '<span class="sign" title="should be checked">?</span>' if picture.doubtful else ""
    if picture.is_apex:
        sign = '<span class="sign apex" title="strongest expression">&#9660;</span>'
    source = f"data:image/jpeg;base64,{b64encode(picture.jpeg).decode()}"
    return (
        f'<figure{" class=doubtful" if picture.doubtful else ""}><img src="{source}" '
        f'alt="{escape(picture.caption[0])}">{sign}<figcaption>{caption}</figcaption></figure>'
    )
