"""`autoscaler check`: validate manifests as the cluster would."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.text import Text

from autoscaler.cli.exits import FOUND_PROBLEMS, OK, UNUSABLE
from autoscaler.spec.manifest import Manifests, read_manifests
from autoscaler.spec.resource import KIND


def check(files: list[Path]) -> int:
    """Print one line for each resource and each problem; the exit code says whether all is well."""
    found = Manifests()
    for file in files:
        found.extend(read_manifests(file))
    _print(found)
    if any(problem.unusable for problem in found.problems):
        return UNUSABLE
    return FOUND_PROBLEMS if found.problems else OK


def _print(found: Manifests) -> None:
    """What is fine on standard output, what is not on standard error; never wrapped, for scripts."""
    out, err = Console(soft_wrap=True), Console(stderr=True, soft_wrap=True)
    for good in found.resources:
        name = f"{good.resource.metadata.namespace}/{good.resource.metadata.name}"
        out.print(Text.assemble(f"{good.file}:{good.line}: ", ("ok", "green"), f", {KIND} {name}"))
    for other in found.skipped:
        out.print(Text(f"{other.file}:{other.line}: skipped, {other.kind} is not ours", style="dim"))
    for problem in found.problems:
        err.print(Text(str(problem)))
