"""What a real browser makes of our headers and cookies, which no test client enforces."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import APIRouter, Depends
from guarded_service import GuardedService
from starlette.responses import HTMLResponse, Response
from whole_service import filled_service

from autoscaler.api.access.rules import open_to_all

pytestmark = [pytest.mark.browser, pytest.mark.slow]

_HEAD = "<!doctype html><meta charset=utf-8><link rel=icon href=data:,>"
_CHART = """
Plotly.newPlot("chart", [{y: [1, 3, 2], fill: "tozeroy"}, {y: [2, 3, 1], type: "bar"}],
               {title: {text: "a<br><b>b</b>"}, hovermode: "x unified"});
"""
_LOGIN = """<form action=/login method=post><input name=token><input name=next value=/page>
<button>in</button></form>"""
_ATTACK = """<form action={target} method=post></form><script>document.forms[0].submit()</script>"""


def _pages() -> APIRouter:
    """Pages and scripts, open to all except /page."""
    plotly = resources.files("plotly").joinpath("package_data/plotly.min.js").read_text(encoding="utf-8")
    router = APIRouter(dependencies=[Depends(open_to_all())])
    scripts = {"/plotly.js": plotly, "/chart.js": _CHART}
    for path, source in scripts.items():
        answer = Response(source, media_type="text/javascript")
        router.add_api_route(path, lambda answer=answer: answer)
    chart = "<div id=chart></div><script src=/plotly.js></script><script src=/chart.js></script>"
    inline = "<script>window.ran = true</script><style>p {color: red}</style><p style='color:blue'>text</p>"
    for path, body in {"/page": "<p>page</p>", "/chart": chart, "/inline": inline}.items():
        page = HTMLResponse(_HEAD + body)
        router.add_api_route(path, lambda page=page: page)
    return router


@contextmanager
def _serving(app: Any) -> Iterator[str]:
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, proxy_headers=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="module")
def service() -> GuardedService:
    return GuardedService(
        routers=(_pages(),),
        login_page=lambda request: HTMLResponse(_HEAD + _LOGIN),
        open_paths=("/chart", "/inline", "/plotly.js", "/chart.js"),
        anonymous_per_minute=10_000,
    )


@pytest.fixture(scope="module")
def url(service: GuardedService) -> Iterator[str]:
    with _serving(service.app) as url:
        yield url


@pytest.fixture
def context(browser: Any) -> Iterator[Any]:
    with browser.new_context() as context:
        context.set_default_timeout(90_000)
        yield context


@pytest.fixture
def page(context: Any) -> Any:
    return context.new_page()


def _complaints(page: Any) -> list[str]:
    found: list[str] = []
    page.on("console", lambda message: found.append(message.text))
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


def test_charts_are_drawn_and_saved_under_our_policy_without_a_complaint(page: Any, url: str) -> None:
    complaints = _complaints(page)
    page.goto(f"{url}/chart")
    page.wait_for_selector("#chart .main-svg")
    page.mouse.move(400, 300)
    page.wait_for_selector("#chart .hoverlayer .legend")
    # How the button in the corner of a chart saves it.
    assert page.evaluate("Plotly.toImage('chart')").startswith("data:image/png;base64,")
    assert page.evaluate("getComputedStyle(document.querySelector('.modebar')).position") == "absolute"
    assert complaints == []


def test_neither_script_nor_style_sheet_in_a_page_is_taken(page: Any, url: str) -> None:
    complaints = _complaints(page)
    page.goto(f"{url}/inline")
    assert page.evaluate("window.ran") is None
    assert len(complaints) == 2
    assert all("Content Security Policy" in complaint for complaint in complaints)


def test_the_form_lets_in_and_the_cookie_is_out_of_reach_of_scripts(
    page: Any, url: str, service: GuardedService
) -> None:
    service.writes.clear()
    page.goto(f"{url}/page")
    assert page.url == f"{url}/login?next=%2Fpage"
    page.fill("[name=token]", "anna-token")
    page.click("button")
    page.wait_for_url(f"{url}/page")
    assert page.inner_text("p") == "page"
    assert page.evaluate("document.cookie") == ""
    change = "fetch('/api/v1/namespaces/shop/thing', {method: 'POST', body: 'ours'}).then(a => a.status)"
    assert page.evaluate(change) == 201
    assert service.writes == [b"ours"]
    out = "fetch('/logout', {method: 'POST'}).then(() => fetch('/api/v1/whoami')).then(a => a.status)"
    assert page.evaluate(out) == 401


def test_a_page_of_a_neighbour_cannot_change_anything(page: Any, url: str, service: GuardedService) -> None:
    """Another port is another origin but the same site, so browsers send it the strictest cookies."""
    service.writes.clear()
    page.goto(f"{url}/login")
    page.fill("[name=token]", "anna-token")
    page.click("button")
    page.wait_for_url(f"{url}/page")
    attack = HTMLResponse(_ATTACK.format(target=f"{url}/api/v1/namespaces/shop/thing"))
    with _serving(attack) as elsewhere:
        page.goto(elsewhere)
        page.wait_for_url(f"{url}/api/**")
    assert "ForeignOrigin" in page.content()
    assert service.writes == []


def test_the_reference_of_the_api_is_shown_and_tried_out_under_our_policy(
    context: Any, page: Any, tmp_path: Path
) -> None:
    complaints = _complaints(page)
    with filled_service(tmp_path, 1 / 24) as whole, _serving(whole.app) as url:
        context.add_cookies([{"name": "pa_session", "value": "root-token", "url": url}])
        page.goto(f"{url}/docs")
        page.click("#operations-people-whoAmI .opblock-summary-control")
        page.click("text=Try it out")
        page.click("text=Execute")
        page.wait_for_selector(".live-responses-table .response")
        assert '"name": "root"' in page.inner_text(".live-responses-table .response")
    assert complaints == []
