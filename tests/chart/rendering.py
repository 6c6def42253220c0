"""The chart, rendered by the real helm binary."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "operator" / "chart" / "predictive-autoscaler"
RELEASE = "predictive-autoscaler"
NAMESPACE = "autoscaling"

Manifest = dict[str, Any]


@cache
def _helm() -> str:
    found = subprocess.run(
        ["sh", str(ROOT / "scripts" / "cluster-parts.sh"), "--find"],
        capture_output=True,
        text=True,
        check=True,
    )
    return f"{found.stdout.strip()}/helm"


def helm(*args: str) -> subprocess.CompletedProcess[str]:
    """One run of helm, with nothing of the user's own settings."""
    with tempfile.TemporaryDirectory() as home:
        folders = {f"HELM_{what}_HOME": home for what in ("CACHE", "CONFIG", "DATA")}
        return subprocess.run(
            [_helm(), *args], capture_output=True, text=True, check=False, env=os.environ | folders
        )


def template(
    values: Manifest, chart: Path = CHART, release: str = RELEASE
) -> subprocess.CompletedProcess[str]:
    """`helm template` with these values."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(values, file)
        file.flush()
        return helm("template", release, str(chart), "--namespace", NAMESPACE, "--values", file.name)


def rendered(values: Manifest | None = None, chart: Path = CHART, release: str = RELEASE) -> list[Manifest]:
    """Every object that the chart makes of these values."""
    done = template(values or {}, chart, release)
    assert done.returncode == 0, done.stderr
    return [manifest for manifest in yaml.safe_load_all(done.stdout) if manifest]


def without_api(values: Manifest | None = None) -> list[Manifest]:
    """Every object that the chart makes of these values without the service: the operator's own."""
    return rendered({**(values or {}), "api": {"enabled": False}})


def of_kind(manifests: list[Manifest], kind: str) -> list[Manifest]:
    """Those of one kind."""
    return [manifest for manifest in manifests if manifest["kind"] == kind]


def the(manifests: list[Manifest], kind: str) -> Manifest:
    """The only one of a kind."""
    (found,) = of_kind(manifests, kind)
    return found


def refusal(values: Manifest) -> str:
    """What helm says to values that it must refuse."""
    done = template(values)
    assert done.returncode != 0, f"{values} was not refused"
    return done.stderr
