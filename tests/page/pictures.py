"""Takes the pictures of docs/page.md, of the demonstration.

.venv/bin/autoscaler demo --serve --for 5m
.venv/bin/python tests/page/pictures.py http://127.0.0.1:8080 docs/images
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

_CHROMIUM = "/usr/bin/chromium"
_PATIENCE_MS = 300_000


@dataclass(frozen=True, slots=True)
class _Picture:
    """One picture. clicks: what is clicked, in turn. sign: what has to be there before it is taken."""

    name: str
    path: str
    sign: str
    clicks: tuple[str, ...] = ()
    size: tuple[int, int] = (1280, 800)
    options: dict[str, Any] = field(default_factory=dict)


_DRAWN = ".plot .main-svg"
_PHONE = {"is_mobile": True, "has_touch": True, "color_scheme": "dark"}
_PICTURES = (
    _Picture("fleet", "/", ".lines .line"),
    _Picture("workload", "/workloads/shop/checkout", _DRAWN, size=(1280, 1000)),
    _Picture("workload-dark", "/workloads/shop/checkout?range=24h", _DRAWN, options={"color_scheme": "dark"}),
    _Picture(
        "decision",
        "/workloads/shop/checkout",
        "#panel .jump",
        (".decision:has(.badge) a.sentence >> nth=0",),
        (1440, 900),
    ),
    _Picture(
        "what-if",
        "/workloads/shop/checkout/what-if?quantile=0.8",
        ".verdict",
        ("button:text-is('Run')",),
        (1280, 1060),
    ),
    _Picture(
        "search",
        "/workloads/shop/checkout/what-if",
        ".plot.front .main-svg",
        ("button:text-is('Search for better ones')",),
        (1280, 1000),
    ),
    _Picture("spend", "/spend", ".tiles"),
    _Picture("phone", "/", ".lines .line", size=(360, 740), options=_PHONE),
    _Picture("phone-workload", "/workloads/shop/checkout", _DRAWN, size=(360, 740), options=_PHONE),
)


def main(url: str, folder: Path) -> None:
    """Take all pictures."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox"])
        for picture in _PICTURES:
            width, height = picture.size
            page = browser.new_page(viewport={"width": width, "height": height}, **picture.options)
            page.goto(url + picture.path)
            for selector in picture.clicks:
                page.click(selector)
            page.wait_for_selector(picture.sign, state="attached", timeout=_PATIENCE_MS)
            # Whatever is still on its way, such as a chart's last stroke.
            page.wait_for_timeout(4000)
            page.screenshot(path=folder / f"page-{picture.name}.png")
            page.close()
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/"), Path(sys.argv[2]))
