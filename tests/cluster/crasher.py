"""Operators that die when they are told to; see `crashing_child.py`, which they are forks of."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

_CHILD = Path(__file__).with_name("crashing_child.py")


class Crasher:
    """Runs one operator after the other, with the rights of `kubeconfig`; ends on leaving."""

    def __init__(self, kubeconfig: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(_CHILD), str(kubeconfig)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def __enter__(self) -> Crasher:
        assert self._process.stdout
        assert self._process.stdout.readline() == "ready\n", "what it runs cannot be imported"
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait(10)

    def run(self, configuration: dict[str, Any], file: Path, step: int, after_s: float = 0.0) -> int:
        """Run one until it dies at its `step`th step across the edge, counted from `after_s` after its first,
        or at that very moment where `step` is 0; its exit status."""
        file.write_text(yaml.safe_dump(configuration))
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(f"{file} {step} {after_s}\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())
