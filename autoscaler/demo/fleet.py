"""The workloads of the demonstration: what fleet.yaml says, and what is played beside each of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import yaml

from autoscaler.backtest.simulation import World
from autoscaler.demo.target import spread_start_ups_s
from autoscaler.demo.traffic import Part, Traffic, read_recordings
from autoscaler.spec.units import format_time, parse_duration

_DAY_S = 86_400
_OPENING_S = round(8.15 * _DAY_S)
"""Where in the recordings the live part begins: after a week and more, and just before a steep morning."""
_HEADROOM = 1.15
"""What a pod can really serve, to what `load.perReplica` says: nobody plans with pods that are full."""
_LEAD_TIME_MARGIN = 1.1
"""What `forecast.leadTime` says, to how long a pod takes in the middle: it is meant for the slow ones."""
_EVENT_IN_S = 20 * 3600
_EVENT_LASTS_S = 3 * 3600


@dataclass(frozen=True, slots=True)
class Flaw:
    """A signal that cannot be read for `lasts_s` out of every `every_s` seconds."""

    signal: str
    every_s: int
    lasts_s: int
    detail: str

    def at(self, now_s: float) -> bool:
        """Whether it cannot be read now."""
        return now_s % self.every_s < self.lasts_s


@dataclass(frozen=True, slots=True)
class _Played:
    """by_hand: replicas that somebody has set, where nothing is written; 0: what the first load needs."""

    parts: tuple[Part, ...]
    by_hand: int = 0
    flaw: Flaw | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """One workload to play. manifest: as the API server would send it. by_hand: see `_Played`."""

    key: str
    manifest: Mapping[str, Any]
    traffic: Traffic
    world: World
    by_hand: int
    flaw: Flaw | None


_PLAYED = {
    "shop/checkout": _Played((Part("machine", 1.0),)),
    "shop/search": _Played((Part("app", 20, -12),)),
    "shop/cart": _Played((Part("machine", 0.5, 6), Part("app", 3, -6))),
    "payments/gateway": _Played((Part("app", 15, 3),)),
    "payments/fraud-check": _Played((Part("machine", 1.3, -9),)),
    "payments/ledger": _Played((Part("app", 4, -30),), by_hand=48),
    "media/transcode": _Played((Part("app", 10, 8),)),
    "media/thumbnails": _Played((Part("machine", 1.0, -15),)),
    "media/home-feed": _Played((Part("app", 20, 12), Part("machine", 1.0, -4))),
    "data/ingest": _Played(
        (Part("machine", 3.0, -5),),
        flaw=Flaw("latency", 3 * 3600, 20 * 60, "the query failed: 503 Service Unavailable"),
    ),
    "data/exports": _Played((Part("app", 1.2, -3),)),
}


def read_fleet(opens_s: int) -> list[Member]:
    """All workloads, for a demonstration whose live part begins at `opens_s`, epoch seconds on the grid."""
    recordings = read_recordings()
    members = []
    for seed, manifest in enumerate(_manifests(opens_s)):
        metadata, spec = manifest["metadata"], manifest["spec"]
        key = f"{metadata['namespace']}/{metadata['name']}"
        played = _PLAYED[key]
        start_up_s = parse_duration(spec["forecast"]["leadTime"]) / _LEAD_TIME_MARGIN
        members.append(
            Member(
                key=key,
                manifest=manifest,
                traffic=Traffic(played.parts, recordings, opens_s - _OPENING_S),
                world=World(
                    per_replica=_HEADROOM * float(spec["load"]["perReplica"]),
                    start_up_s=start_up_s,
                    start_up_samples_s=spread_start_ups_s(start_up_s),
                    seed=seed,
                ),
                by_hand=played.by_hand,
                flaw=played.flaw,
            )
        )
    return members


def _manifests(opens_s: int) -> list[dict[str, Any]]:
    """fleet.yaml with what only a cluster adds, and with the event that is known to come tomorrow."""
    text = (files("autoscaler.demo") / "fleet.yaml").read_text(encoding="utf-8")
    manifests: list[dict[str, Any]] = list(yaml.safe_load_all(text))
    for manifest in manifests:
        metadata = manifest["metadata"]
        metadata["uid"] = f"demo-{metadata['namespace']}-{metadata['name']}"
        metadata["generation"] = 1
        if metadata["name"] == "home-feed":
            start_s = opens_s + _EVENT_IN_S
            manifest["spec"]["events"] = [
                {
                    "name": "season-finale",
                    "start": format_time(start_s),
                    "end": format_time(start_s + _EVENT_LASTS_S),
                    "minReplicas": 40,
                }
            ]
    return manifests
