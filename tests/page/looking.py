"""A real Chromium that looks at the page, and what it complains about."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import pytest
from shown_service import TOKEN, ShownService

PATIENCE_MS = 30_000


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShownService]:
    """The service with a day of all scenes. It grows stale within minutes, as without its operator.

    Tests that change a workload use one that no other test does.
    """
    with ShownService(tmp_path_factory.mktemp("page"), workloads=8, days=1.0) as running:
        yield running


class Visit:
    """One window, signed in, with everything it asked for and complained about.

    expected: parts of complaints that belong to the test, such as the status of a refused request.
    """

    def __init__(
        self,
        browser: Any,
        url: str,
        path: str = "/",
        *,
        token: str | None = TOKEN,
        width: int = 1300,
        expected: tuple[str, ...] = (),
        **options: Any,
    ) -> None:
        self.url, self.expected = url, expected
        self.context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        if token is not None:
            self.context.add_cookies([{"name": "pa_session", "value": token, "url": url}])
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda m: self.complaints.append(m.text) if m.type != "log" else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(url + path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.context.close()
        if error is None:
            self.check_clean()

    def until(self, condition: str) -> None:
        """Wait for a JavaScript condition; the page's own policy forbids Playwright's way of doing so."""
        for _ in range(PATIENCE_MS // 100):
            # While a page loads, what is asked for may not be there to be asked.
            if self.page.evaluate(f"(() => {{ try {{ return {condition}; }} catch {{ return false; }} }})()"):
                return
            self.page.wait_for_timeout(100)
        raise AssertionError(f"never true: {condition}; complaints: {self.complaints}")

    def until_address(self, part: str) -> None:
        """Wait until the address has `part` in it."""
        self.page.wait_for_url(lambda url: part in url)

    def drawn(self) -> None:
        """Wait for the first chart."""
        self.page.wait_for_selector(".plot .main-svg", state="attached")

    def rows(self) -> list[str]:
        """Names of the workloads that are listed, from the top."""
        names: list[str] = self.page.eval_on_selector_all(
            ".lines .line:not([hidden]) .name a", "all => all.map(a => a.textContent)"
        )
        return names

    def module(self, path: str, expression: str) -> Any:
        """The value of a JavaScript expression over `it`, one of the page's own modules."""
        return self.page.evaluate(
            f"""async (path) => {{
              const own = document.querySelector('script[type="module"]').src;
              const it = await import(new URL(path, own));
              return {expression};
            }}""",
            path,
        )

    def check_clean(self) -> None:
        """Nothing was complained of, and nothing asked for elsewhere."""
        unexpected = [text for text in self.complaints if not any(part in text for part in self.expected)]
        assert unexpected == []
        outside = [url for url in self.requests if not url.startswith((self.url, "data:", "blob:"))]
        assert outside == []
