"""A workload under the real HPA whose minimum is raised, looked at again and again while operators die."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from control_plane import ControlPlane, wait_until
from operator_process import Resources

from autoscaler.controller.acting.dials import ORIGINAL, RAISED_BY

NAME = "floored"
_BEFORE, _MOST = 2, 20
_LOOK_S = 0.1


@dataclass
class RaisedFloor:
    """What the autoscaler's minimum and our notes on it were, one after the other."""

    plane: ControlPlane
    namespace: str
    seen: list[tuple[int, dict[str, str]]] = field(default_factory=list)

    @property
    def _path(self) -> str:
        return f"/apis/autoscaling/v2/namespaces/{self.namespace}/horizontalpodautoscalers/{NAME}"

    def create(self, load: dict[str, Any]) -> None:
        """A Deployment, its autoscaler, and a resource that raises it."""
        self.plane.deployment(NAME, self.namespace, _BEFORE, start_up="200ms")
        bounds = (f"--min={_BEFORE}", f"--max={_MOST}", "--cpu=80%")
        self.plane.kubectl("autoscale", f"deployment/{NAME}", "--namespace", self.namespace, *bounds)
        floor = {"kind": "HorizontalPodAutoscaler", "name": NAME}
        Resources(self.plane, self.namespace).create(NAME, floor=floor, maxReplicas=_MOST, load=load)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Looks at it until the block is left."""
        ended = threading.Event()
        looking = threading.Thread(target=self._look_until, args=(ended,))
        looking.start()
        try:
            yield
        finally:
            ended.set()
            looking.join()

    def now(self) -> tuple[int, dict[str, str]]:
        """The minimum and our notes."""
        found = self.plane.request("GET", self._path)
        notes = found["metadata"].get("annotations") or {}
        ours = {key: notes[key] for key in (ORIGINAL, RAISED_BY) if key in notes}
        return found["spec"]["minReplicas"], ours

    def broken(self) -> list[str]:
        """What must never have been: a minimum out of bounds, or one that is raised without a note."""
        return [
            f"a minimum of {minimum} with the notes {notes}"
            for minimum, notes in self.seen
            if not _BEFORE <= minimum <= _MOST or (minimum > _BEFORE and notes.get(ORIGINAL) != str(_BEFORE))
        ]

    def must_be_put_back(self, raised_to: int) -> None:
        """Once it stands where the load wants it: without its resource it is as it was."""
        notes = {ORIGINAL: str(_BEFORE), RAISED_BY: NAME}
        wait_until(lambda: self.now() == (raised_to, notes), 60, f"a minimum of {raised_to} with its notes")
        Resources(self.plane, self.namespace).delete(NAME)
        wait_until(lambda: self.now() == (_BEFORE, {}), 30, "the minimum to be put back, without notes")

    def _look_until(self, ended: threading.Event) -> None:
        while not ended.wait(_LOOK_S):
            now = self.now()
            if not self.seen or self.seen[-1] != now:
                self.seen.append(now)
