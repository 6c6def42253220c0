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
import posixpath
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
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

_FIRST_MODULE = "main.js"
_IMPORT = re.compile(rb' from "(\.{1,2}/[^"]+)"')

VIEWS = {
    "/": "fleet/view.js",
    "/workloads/{namespace}/{name}": "workload/view.js",
    "/workloads/{namespace}/{name}/what-if": "whatif/view.js",
    "/decisions": "decisions/view.js",
    "/spend": "spend.js",
    "/help": "help.js",
}
"""Paths at which the page shows something, and the module that shows it, as in the page's `main.js`."""


@dataclass(frozen=True, slots=True)
class _File:
    """What one path is answered with. packed: the body, gzipped. keep: its `Cache-Control`."""

    body: bytes
    packed: bytes
    media_type: str
    keep: str
    etag: str


@dataclass(frozen=True, slots=True)
class _Page:
    """documents: one for each of VIEWS, by its path; they differ in what is fetched ahead. assets: everything
    that they load, by its path. of_login: the paths of those that the login document loads."""

    documents: dict[str, _File]
    login: _File
    assets: dict[str, _File]
    of_login: frozenset[str]


def page_routes() -> APIRouter:
    """Routes of the documents and of what they load; of these, `open_paths` for everybody, the rest for
    whoever was let in."""
    router = APIRouter(include_in_schema=False)
    known, unknown = [Depends(identified())], [Depends(open_to_all())]

    def document(path: str) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            return _answer(request, _page().documents[path])

        return answer

    async def asset(request: Request) -> Response:
        file = _page().assets.get(request.url.path)
        if file is None:
            raise HTTPException(
                404, "there is no such file; a page older than the service has to be loaded again"
            )
        return _answer(request, file)

    for path in VIEWS:
        router.add_api_route(path, document(path), methods=["GET"], dependencies=known)
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

    def document(name: str, ahead: Iterable[str] = ()) -> _File:
        links = "".join(f'<link rel="modulepreload" href="{ours}/{module}">\n' for module in ahead)
        body = bodies[name].replace(b"<!-- ahead -->\n", links.encode())
        body = body.replace(b"/page/OURS", ours.encode()).replace(b"/page/PLOTLY", theirs.encode())
        return _file(body, _HTML, _ASK_AGAIN)

    return _Page(
        documents={
            path: document("index.html", _imported((_FIRST_MODULE, module), bodies))
            for path, module in VIEWS.items()
        },
        login=document("login.html"),
        assets=assets,
        of_login=frozenset({f"{ours}/login.css", f"{ours}/login.js"}),
    )


def _imported(modules: Iterable[str], bodies: Mapping[str, bytes]) -> list[str]:
    """`modules` and all that they import, so that a browser asks for them at once and not one by one."""
    found: list[str] = []
    wanted = list(modules)
    while wanted:
        module = wanted.pop()
        if module in found:
            continue
        found.append(module)
        folder = posixpath.dirname(module)
        imports = _IMPORT.findall(bodies[module])
        wanted += [posixpath.normpath(posixpath.join(folder, name.decode())) for name in imports]
    return sorted(found)


def _file(body: bytes, media_type: str, keep: str) -> _File:
    return _File(body, gzip.compress(body, 6, mtime=0), media_type, keep, f'"{_digest(body)}"')


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _answer(request: Request, file: _File) -> Response:
    headers = {"Cache-Control": file.keep, "ETag": file.etag, "Vary": "Accept-Encoding"}
    if file.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(
            file.packed, headers=headers | {"Content-Encoding": "gzip"}, media_type=file.media_type
        )
    return Response(file.body, headers=headers, media_type=file.media_type)
