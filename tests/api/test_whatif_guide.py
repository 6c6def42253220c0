"""The commands of docs/what-if.md do what the page says, against a service that listens."""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from guide_commands import needs_curl_and_jq
from what_if_service import what_if_service

from autoscaler.api.configuration import WhatIf
from autoscaler.api.shapes.whatif import Figures, Runs
from autoscaler.spec import read_manifests

pytestmark = needs_curl_and_jq

_PAGE = (Path(__file__).parents[2] / "docs" / "what-if.md").read_text()
_COMMANDS = re.findall(r"```sh\n(.*?)```", _PAGE, re.DOTALL)
_SHOWN = re.findall(r"```json\n(.*?)```", _PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    spend = {"replicaHourPrice": "0.12"}
    with what_if_service(tmp_path_factory.mktemp("store"), days=1.5, spend=spend) as service:
        server = uvicorn.Server(uvicorn.Config(service.app, port=0, log_level="warning", lifespan="off"))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive()
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}/api/v1"
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def folder(address: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where all commands of the page were run, one after the other."""
    where = tmp_path_factory.mktemp("commands")
    subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(_COMMANDS)],
        cwd=where,
        env={**os.environ, "API": address, "TOKEN": "anna-token"},
        check=True,
        stdin=subprocess.DEVNULL,
        timeout=100,
    )
    return where


def test_the_what_if_of_the_page_is_answered_with_what_the_page_shows(folder: Path) -> None:
    answer = json.loads((folder / "answer.json").read_text())
    assert answer["state"] == "Done", answer["message"]
    (text,) = _SHOWN
    shown = Runs.model_validate_json(text)
    runs = answer["result"]["runs"]
    assert runs.keys() == json.loads(text).keys()
    assert runs["changed"].keys() == json.loads(text)["changed"].keys()
    assert shown.changed.forecast is not None
    assert runs["changed"]["forecast"]["quantile"] == shown.changed.forecast.quantile


def test_what_the_page_shows_fits_together() -> None:
    shown = Runs.model_validate_json(_SHOWN[0])
    for run in (shown.happened, shown.present, shown.changed):
        assert run.money == f"{run.replica_hours * 0.12:.2f}"


@pytest.mark.parametrize("name", ["checkout.yaml", "cheapest.yaml"])
def test_the_manifests_it_ends_with_check(folder: Path, name: str) -> None:
    found = read_manifests(folder / name)
    assert not found.problems
    assert found.resources[0].resource.metadata.name == "checkout"


def test_the_search_of_the_page_finds_a_front(folder: Path) -> None:
    points = json.loads((folder / "found.json").read_text())["result"]["points"]
    assert len(points) == 12
    assert any(point["onFront"] for point in points)


def test_the_page_explains_every_figure() -> None:
    for field in Figures.model_fields.values():
        assert f"`{field.alias}`" in _PAGE


def test_the_page_names_the_defaults_there_are() -> None:
    limits = WhatIf()
    assert f"| {limits.per_caller}, then 429 | `whatIf.perCaller` |" in _PAGE
    assert f"| {limits.queued}, then 429 | `whatIf.queued` |" in _PAGE
    assert f"| {limits.deadline_s / 60:g} minutes, then it fails | `whatIf.deadline` |" in _PAGE
    assert f"| {limits.memory_mib:,} MiB, then the job fails | `whatIf.memoryMib` |" in _PAGE
