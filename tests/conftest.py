"""What all tests share: which real parts are here, and what a skipped test means.

A test marked with the name of a real part skips where the part is missing, and the closing lines say
what was not tested and why. With CI=true nothing may skip: each skip is a failure.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from ctypes.util import find_library
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hypothesis
import pytest

# How long an example takes says more about what else the machine does than about the code.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

# Short runs are over before other processes have loaded anything; tests of several ask for them.
os.environ.setdefault("AUTOSCALER_JOBS", "1")

TRACES = Path(__file__).resolve().parents[2] / "shared" / "traces"
_CLUSTER_PARTS = Path(__file__).resolve().parents[1] / "scripts" / "cluster-parts.sh"


@dataclass(frozen=True, slots=True)
class _Part:
    """Something real that tests with the marker `marker` run against."""

    marker: str
    present: Callable[[], bool]
    reason: str


def _on_path(*commands: str) -> Callable[[], bool]:
    return lambda: all(shutil.which(command) for command in commands)


def _cluster_parts_built() -> bool:
    return subprocess.run(["/bin/sh", str(_CLUSTER_PARTS), "--find"], capture_output=True).returncode == 0


_PARTS = (
    _Part(
        "prometheus",
        _on_path("prometheus", "promtool"),
        "no prometheus and promtool on PATH (apt-get install prometheus)",
    ),
    _Part(
        "browser",
        # Playwright's driver, which steers the browser, does not start without libatomic.
        lambda: shutil.which("chromium") is not None and find_library("atomic") is not None,
        "no chromium on PATH, or no libatomic (apt-get install chromium libatomic1)",
    ),
    _Part(
        "cluster",
        _cluster_parts_built,
        "no kube-apiserver and its companions (sh scripts/cluster-parts.sh builds them, once)",
    ),
    _Part(
        "postgresql",
        # Debian keeps the server off PATH, in a folder of its version.
        lambda: bool(shutil.which("postgres") or [*Path("/usr/lib/postgresql").glob("*/bin/postgres")]),
        "no postgres (apt-get install postgresql)",
    ),
    _Part("traces", TRACES.is_dir, "no recorded traces at ../shared/traces beside the checkout"),
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A real headless Chromium; each test opens windows of its own.

    It ends with its module: while Playwright runs, its thread counts as inside an event loop, and tests that
    start one of their own would be refused.
    """
    # Most runs need no browser, and some machines have none.
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield running
        running.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs a part that is not here."""
    missing = [part for part in _PARTS if not part.present()]
    for item in items:
        for part in missing:
            if item.get_closest_marker(part.marker):
                item.add_marker(pytest.mark.skip(reason=part.reason))


def _nothing_may_skip() -> bool:
    return os.environ.get("CI", "").lower() == "true"


def _skip_reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return text.removeprefix("Skipped: ")


def _fail_if_skipped(report: pytest.TestReport | pytest.CollectReport) -> None:
    # An expected failure is also reported as skipped; it ran, so it stays what it is.
    if report.outcome == "skipped" and not hasattr(report, "wasxfail"):
        report.longrepr = f"skipped, and with CI=true nothing may skip: {_skip_reason(report)}"
        report.outcome = "failed"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With CI=true a skipped test has failed."""
    report = yield
    if _nothing_may_skip():
        _fail_if_skipped(report)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """With CI=true a module that skips itself has failed."""
    report = yield
    if _nothing_may_skip():
        _fail_if_skipped(report)
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say last, and in one place, what was not tested here and why."""
    skipped = [r for r in terminalreporter.stats.get("skipped", []) if not hasattr(r, "wasxfail")]
    if not skipped:
        return
    terminalreporter.section("not tested here")
    for reason, count in Counter(_skip_reason(report) for report in skipped).most_common():
        terminalreporter.line(f"{count} skipped: {reason}")
