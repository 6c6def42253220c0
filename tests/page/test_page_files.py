"""The page's files: kept by browsers for as long as they are the same, and shown to those who are known."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from guarded_service import MadeUpAccess
from prometheus_client import CollectorRegistry
from starlette.testclient import TestClient

from autoscaler.api.configuration import Limits
from autoscaler.api.page_routes import VIEWS, login_page, open_paths, page_routes
from autoscaler.api.problems import handle_problems
from autoscaler.api.protection.order import protect
from autoscaler.api.protection.request_metrics import RequestMetrics
from autoscaler.api.protection.sessions import session_routes

_FOLDER = Path(__file__).parents[2] / "autoscaler" / "api" / "page"
_LONGEST_MODULE = 300


def _client(token: str) -> Iterator[TestClient]:
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    access = MadeUpAccess()
    handle_problems(app)
    app.include_router(session_routes(login_page))
    app.include_router(page_routes())
    protect(app, access, Limits(), RequestMetrics(CollectorRegistry()), login_files=open_paths())
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with TestClient(app, headers=headers, follow_redirects=False) as client:
        yield client


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    yield from _client("root-token")


@pytest.fixture(scope="module")
def stranger() -> Iterator[TestClient]:
    yield from _client("")


def _links(document: str) -> list[str]:
    return re.findall(r'(?:src|href|content)="(/page/[^"]+)"', document)


@pytest.mark.parametrize(("path", "module"), VIEWS.items())
def test_a_view_fetches_all_of_its_modules_at_once(client: TestClient, path: str, module: str) -> None:
    document = client.get(re.sub(r"\{.*?\}", "x", path)).text
    folder = next(link for link in _links(document) if link.endswith("/main.js")).removesuffix("main.js")
    ahead = [link.removeprefix(folder) for link in re.findall(r'modulepreload" href="([^"]+)', document)]
    assert {"main.js", "element.js", module} <= set(ahead)
    assert len(ahead) == len(set(ahead))
    imported = {
        posixpath.normpath(posixpath.join(posixpath.dirname(name), found))
        for name in ahead
        for found in re.findall(r' from "(\.[^"]+)"', client.get(folder + name).text)
    }
    assert imported <= set(ahead)


def test_the_document_is_asked_for_again_and_costs_nothing_while_it_is_the_same(client: TestClient) -> None:
    first = client.get("/")
    assert "no-cache" in first.headers["cache-control"]
    again = client.get("/", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_what_the_document_loads_is_there_and_kept_for_ever(client: TestClient) -> None:
    links = _links(client.get("/").text)
    assert any(link.endswith("/plotly.min.js") for link in links)
    for link in links:
        answer = client.get(link)
        assert answer.status_code == 200, link
        assert "immutable" in answer.headers["cache-control"], link
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_every_file_is_served_as_what_it_is(client: TestClient) -> None:
    folder = next(link for link in _links(client.get("/").text) if link.endswith("main.js")).removesuffix(
        "main.js"
    )
    types = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
    files = [path for path in _FOLDER.rglob("*") if path.suffix in types]
    assert len(files) > 40
    for path in files:
        answer = client.get(folder + path.relative_to(_FOLDER).as_posix())
        assert answer.content == path.read_bytes()
        assert answer.headers["content-type"].startswith(types[path.suffix])


def test_files_are_packed_for_who_can_unpack_them(client: TestClient) -> None:
    plotly = next(link for link in _links(client.get("/").text) if link.endswith("plotly.min.js"))
    packed = client.get(plotly, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < 2_000_000
    plain = client.get(plotly, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == packed.content


@pytest.mark.parametrize(
    "path", ["/page/main.js", "/page/0123456789abcdef/main.js", "/page/../../etc/passwd", "/page/"]
)
def test_what_is_not_a_file_of_this_release_is_not_found(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_a_stranger_gets_the_form_and_its_two_files_only(client: TestClient, stranger: TestClient) -> None:
    form = stranger.get("/login")
    assert form.status_code == 200
    links = _links(form.text)
    assert set(links) == open_paths() and len(links) == 2
    assert all(stranger.get(link).status_code == 200 for link in links)
    others = [link for link in _links(client.get("/").text) if link not in open_paths()]
    assert all(stranger.get(link).status_code == 401 for link in others)
    turned_away = stranger.get("/decisions?range=1h", headers={"Accept": "text/html"})
    assert turned_away.headers["location"] == "/login?next=%2Fdecisions%3Frange%3D1h"


def test_nothing_in_the_page_is_inline_or_from_elsewhere() -> None:
    for path in [*_FOLDER.rglob("*.html"), *_FOLDER.rglob("*.js"), *_FOLDER.rglob("*.css")]:
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://|@import|innerHTML|outerHTML|document\.write|\beval\(", text), path
        if path.suffix == ".html":
            assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=", text), path


def test_every_module_is_short_and_says_what_it_is() -> None:
    for path in _FOLDER.rglob("*.js"):
        lines = path.read_text(encoding="utf-8").splitlines()
        assert len(lines) < _LONGEST_MODULE, path
        assert lines[0].startswith("// "), path
