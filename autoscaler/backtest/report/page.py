"""The shell of an offline page: everything inline, nothing fetched, every text escaped.

A content security policy forbids the page any network access, so that even a mistake here could
not make it call out. Data reach the scripts as one JSON element, never as code.
"""

from __future__ import annotations

import base64
import html
from importlib import resources
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data: blob:; font-src data:"
)


def page(title: str, body: str, data: dict[str, Any], scripts: tuple[str, ...]) -> str:
    """A whole HTML document. body: markup, already escaped. scripts: files of this package."""
    return (
        "<!doctype html>\n"
        '<html lang="en"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(title)}</title>\n<style>{_own('report.css')}</style></head>\n<body>\n{body}\n"
        f'<script type="application/json" id="data">{json_element(data)}</script>\n'
        f"<script>{_plotly()}</script>\n"
        + "".join(f"<script>{_own(name)}</script>\n" for name in scripts)
        + "</body></html>\n"
    )


def escape(text: str) -> str:
    """Text as it may stand in markup and in quoted attributes."""
    return html.escape(text, quote=True)


def json_element(data: dict[str, Any]) -> str:
    """JSON that can stand in a script element: no text in it can end the element or open a comment."""
    text = orjson.dumps(data, option=orjson.OPT_SERIALIZE_NUMPY).decode()
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def packed(values: NDArray[Any], kind: str) -> str:
    """An array as base64 of little-endian 32-bit numbers: compact, quick to read, NaN included.

    kind: "f4" for load (seven figures, enough to draw), "i4" for counts and positions.
    """
    return base64.b64encode(np.ascontiguousarray(values, dtype=f"<{kind}").tobytes()).decode("ascii")


def _own(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _plotly() -> str:
    # Read as a file: importing plotly takes longer than building the whole page.
    return resources.files("plotly").joinpath("package_data/plotly.min.js").read_text(encoding="utf-8")
