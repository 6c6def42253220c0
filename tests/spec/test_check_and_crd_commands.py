"""`autoscaler check` and `autoscaler crd` as functions."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from autoscaler.cli.check import check
from autoscaler.cli.crd import crd

SAMPLES = Path(__file__).resolve().parents[2] / "operator" / "samples"


@pytest.fixture
def good(tmp_path: Path) -> Path:
    file = tmp_path / "good.yaml"
    file.write_bytes((SAMPLES / "queue-worker.yaml").read_bytes())
    return file


def test_good_manifests_are_named(good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check([good]) == 0
    printed = capsys.readouterr()
    assert printed.out == f"{good}:2: ok, PredictiveAutoscaler media/thumbnails\n"
    assert printed.err == ""


def test_one_line_for_each_problem(good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / ("long-name-" * 15 + "broken.yaml")
    text = good.read_text(encoding="utf-8").replace("maxReplicas: 40", "maxReplicas: [many]")
    broken.write_text(text.replace("drainWithin: 5m", "drainWithin: '[red]soon[/red]'"), encoding="utf-8")
    assert check([good, broken]) == 1
    printed = capsys.readouterr()
    assert printed.out.count("\n") == 1
    lines = printed.err.splitlines()
    assert lines[0] == f'{broken}:12: spec.maxReplicas: must be a whole number, not ["many"]'
    assert "[red]soon[/red]" in lines[1]
    assert len(lines) == 2


def test_an_unusable_file_does_not_hide_the_others(good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check([Path("none.yaml"), good]) == 2
    printed = capsys.readouterr()
    assert "ok, PredictiveAutoscaler" in printed.out
    assert printed.err == "none.yaml: no such file: check the path\n"


def test_other_kinds_are_said_to_be_skipped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "service.yaml"
    file.write_text("apiVersion: v1\nkind: Service\n", encoding="utf-8")
    assert check([file]) == 0
    assert capsys.readouterr().out == f"{file}:1: skipped, Service is not ours\n"


def test_the_crd_is_printed_as_yaml(capsys: pytest.CaptureFixture[str]) -> None:
    crd()
    assert yaml.safe_load(capsys.readouterr().out)["kind"] == "CustomResourceDefinition"
