"""The web page: static files, read once, and served in a way that lets a browser keep them.

Everything that a page loads lies under a path that names its content, `/page/<digest>/…`, and may be kept for
ever; only the two documents themselves are asked for again. One digest stands for all files of ours, so that
modules find each other by relative paths and a release never mixes with the one before it. Plotly
comes from its own package and has a digest of its own, since it changes more seldom and weighs more.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from fastapi import APIRouter, Depends, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from autoscaler.api.access.rules import identified, open_to_all

_FOLDER = Path(__file__).parent / "page"
_MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_HTML = "text/html; charset=utf-8"
_FOR_EVER = "private, max-age=31536000, immutable"
_ASK_AGAIN = "private, no-cache"
_PACKED_FROM_BYTES = 1024

VIEWS = (
    "/",
    "/workloads/{namespace}/{name}",
    "/workloads/{namespace}/{name}/what-if",
    "/decisions",
    "/spend",
    "/help",
)
"""Paths at which the page shows something; each is answered with the same document."""


@dataclass(frozen=True, slots=True)
class _File:
    """What one path is answered with. keep: its `Cache-Control`."""

    body: bytes
    media_type: str
    keep: str
    etag: str


@dataclass(frozen=True, slots=True)
class _Page:
    """index, login: the two documents. assets: everything else, by its path. of_login: the paths of those
    that the login document loads."""

    index: _File
    login: _File
    assets: dict[str, _File]
    of_login: frozenset[str]


def page_routes() -> APIRouter:
    """Routes of the document and of what it loads; of these, `open_paths` for everybody, the rest for
    whoever was let in."""
    router = APIRouter(include_in_schema=False)
    known, unknown = [Depends(identified())], [Depends(open_to_all())]

    def document(request: Request) -> Response:
        return _answer(request, _page().index)

    def asset(request: Request) -> Response:
        file = _page().assets.get(request.url.path)
        if file is None:
            raise HTTPException(
                404, "there is no such file; a page older than the service has to be loaded again"
            )
        return _answer(request, file)

    for path in VIEWS:
        router.add_api_route(path, document, methods=["GET"], dependencies=known)
    for path in sorted(open_paths()):
        router.add_api_route(path, asset, methods=["GET"], dependencies=unknown)
    router.add_api_route("/page/{path:path}", asset, methods=["GET"], dependencies=known)
    return router


def login_page(request: Request) -> Response:
    """The document with the form that asks for a token."""
    return _answer(request, _page().login)


def open_paths() -> frozenset[str]:
    """Paths of what the login document loads, which are to be served before anybody is known."""
    return _page().of_login


@functools.cache
def _page() -> _Page:
    names = sorted(path.relative_to(_FOLDER).as_posix() for path in _FOLDER.rglob("*") if path.is_file())
    bodies = {name: (_FOLDER / name).read_bytes() for name in names}
    plotly = resources.files("plotly").joinpath("package_data/plotly.min.js").read_bytes()
    ours = (
        f"/page/{_digest(b''.join(f'{name} {len(body)} '.encode() + body for name, body in bodies.items()))}"
    )
    theirs = f"/page/{_digest(plotly)}"
    assets = {
        f"{ours}/{name}": _file(body, _MEDIA_TYPES[Path(name).suffix], _FOR_EVER)
        for name, body in bodies.items()
        if not name.endswith(".html")
    }
    assets[f"{theirs}/plotly.min.js"] = _file(plotly, _MEDIA_TYPES[".js"], _FOR_EVER)

    def document(name: str) -> _File:
        body = bodies[name].replace(b"/page/OURS", ours.encode()).replace(b"/page/PLOTLY", theirs.encode())
        return _file(body, _HTML, _ASK_AGAIN)

    return _Page(
        index=document("index.html"),
        login=document("login.html"),
        assets=assets,
        of_login=frozenset({f"{ours}/login.css", f"{ours}/login.js"}),
    )


def _file(body: bytes, media_type: str, keep: str) -> _File:
    return _File(body, media_type, keep, f'"{_digest(body)}"')


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _answer(request: Request, file: _File) -> Response:
    headers = {"Cache-Control": file.keep, "ETag": file.etag, "Vary": "Accept-Encoding"}
    if file.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    body = file.body
    if len(body) >= _PACKED_FROM_BYTES and "gzip" in request.headers.get("accept-encoding", ""):
        body = _packed(body)
        headers["Content-Encoding"] = "gzip"
    return Response(body, headers=headers, media_type=file.media_type)


@functools.cache
def _packed(body: bytes) -> bytes:
    # Once, and only of what somebody asks for: Plotly takes a third of a second.
    return gzip.compress(body, 6, mtime=0)
