"""Checks what the Markdown pages claim about the tree: relative links, anchors and make targets exist.

Not a style checker, and it never goes out to the network.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

_FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[[^\]]*\]\(<?([^)\s>]+)>?[^)]*\)")
_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*$", re.MULTILINE)
_MAKE_INLINE = re.compile(r"`make ([a-z][a-z-]*)")
_MAKE_LINE = re.compile(r"^(?:\$ )?make ([a-z][a-z-]*)", re.MULTILINE)
_TARGET = re.compile(r"^([a-z][a-z-]*):", re.MULTILINE)


def pages(root: Path) -> list[Path]:
    """The Markdown pages of the project: those at the root and in the folders people read."""
    folders = ("docs", "models", "operator", "dashboards", "autoscaler")
    return [*sorted(root.glob("*.md")), *(p for f in folders for p in sorted((root / f).rglob("*.md")))]


def anchors(text: str) -> set[str]:
    """Anchors of the headings, as code hosts make them: lower case, spaces to dashes, punctuation dropped."""
    found: set[str] = set()
    for heading in _HEADING.findall(_FENCE.sub("", text)):
        plain = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        numbered = next(n for n in _numbered(plain) if n not in found)
        found.add(numbered)
    return found


def _numbered(anchor: str) -> Iterator[str]:
    yield anchor
    for again in range(1, 1000):
        yield f"{anchor}-{again}"


def broken_links(page: Path) -> Iterator[str]:
    """One line for each relative link of the page whose file or anchor does not exist."""
    for target in _LINK.findall(_FENCE.sub("", page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z][a-z0-9+.-]*:", target):
            continue
        name, _, anchor = unquote(target).partition("#")
        file = page.parent / name if name else page
        if not file.exists():
            yield f"{page}: link to {target}: no such file"
        elif anchor and file.suffix == ".md" and anchor not in anchors(file.read_text(encoding="utf-8")):
            yield f"{page}: link to {target}: no such heading"


def unknown_targets(page: Path, targets: set[str]) -> Iterator[str]:
    """One line for each `make target` the page names, in code, that the Makefile does not have."""
    text = page.read_text(encoding="utf-8")
    blocks = "".join(block.group() for block in _FENCE.finditer(text))
    for target in (*_MAKE_INLINE.findall(_FENCE.sub("", text)), *_MAKE_LINE.findall(blocks)):
        if target not in targets:
            yield f"{page}: make {target}: no such target"


def problems(root: Path) -> list[str]:
    """Everything the pages under `root` claim that is not so."""
    makefile = root / "Makefile"
    targets = set(_TARGET.findall(makefile.read_text(encoding="utf-8"))) if makefile.exists() else set()
    return [
        problem for page in pages(root) for problem in (*broken_links(page), *unknown_targets(page, targets))
    ]


if __name__ == "__main__":
    found = problems(Path.cwd())
    print("\n".join(found), file=sys.stderr)
    sys.exit(bool(found))
