"""Several Deployments under the same load at the same time, and what became of each, second by second."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from control_plane import ControlPlane

from autoscaler.planning.capacity import replicas_for
from autoscaler.series import Floats, Ints


@dataclass(frozen=True, slots=True)
class Track:
    """One Deployment over the steps that were looked at. asked: at the end of each step. ready: at its
    beginning, as pods that become ready during a step do not help with its load."""

    asked: Ints
    ready: Ints


class Lookout:
    """Asks the API server what Deployments of a namespace have; nothing of what the operator says counts."""

    def __init__(self, plane: ControlPlane, namespace: str, names: Sequence[str]) -> None:
        self._plane = plane
        self._path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
        self._seen: dict[str, list[tuple[int, int]]] = {name: [] for name in names}

    def look(self) -> None:
        """Take note of how many replicas each is asked to have, and how many of its pods are ready."""
        for item in self._plane.request("GET", self._path)["items"]:
            counts = item["spec"]["replicas"], item.get("status", {}).get("readyReplicas", 0)
            if item["metadata"]["name"] in self._seen:
                self._seen[item["metadata"]["name"]].append(counts)

    def tracks(self) -> Mapping[str, Track]:
        """Every Deployment over all looks but the first, which shows what was there before."""
        return {
            name: Track(
                np.array([asked for asked, _ in seen[1:]], np.int64),
                np.array([ready for _, ready in seen[:-1]], np.int64),
            )
            for name, seen in self._seen.items()
        }


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a track was worth. unserved: share of the load. short: steps with fewer ready pods than the
    load needs. cost: replica time asked for, relative to what the load needs."""

    unserved: float
    short: int
    cost: float


def needed(load: Floats, per_replica: float) -> Ints:
    """Fewest ready pods that serve each step."""
    return np.array([replicas_for(value, per_replica) for value in load], np.int64)


def outcome(load: Floats, track: Track, per_replica: float) -> Outcome:
    """How the load of the same steps was served."""
    unserved = np.maximum(0.0, load - track.ready * per_replica)
    need = needed(load, per_replica)
    return Outcome(
        unserved=float(unserved.sum() / load.sum()),
        short=int((track.ready < need).sum()),
        cost=float(track.asked.sum() / need.sum()),
    )


@dataclass(frozen=True, slots=True)
class Agreement:
    """How near two courses of counts are. difference: mean, in replicas. near: share of steps within one
    replica or a tenth."""

    difference: float
    near: float

    @staticmethod
    def of(found: Ints, predicted: Ints) -> Agreement:
        """Step by step."""
        apart = np.abs(found - predicted)
        return Agreement(float(apart.mean()), float((apart <= np.maximum(1.0, 0.1 * predicted)).mean()))

    def __str__(self) -> str:
        near = f"{100 * self.near:.1f} % of steps within one replica or a tenth"
        return f"{self.difference:.2f} replicas on average, {near}"
