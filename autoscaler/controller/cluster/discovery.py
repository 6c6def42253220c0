"""From an apiVersion and a kind to paths of the API, as the server itself describes them."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from autoscaler.controller.cluster.connection import Cluster
from autoscaler.controller.cluster.errors import Json, NotFound

_KNOWN_S = 600.0
_UNKNOWN_S = 30.0
_VERSION = re.compile(r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?v[a-z0-9]+")
_NAME = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9._:]*[A-Za-z0-9])?")


class UnknownTarget(ValueError):
    """An object that cannot be scaled as named. The text is one sentence and says what to do."""


class UnknownKind(UnknownTarget):
    """The server serves no such kind."""


class NotScalable(UnknownTarget):
    """The kind has no scale subresource."""


class ImpossibleName(UnknownTarget):
    """No object can have this name or namespace."""


@dataclass(frozen=True, slots=True)
class Resource:
    """How a kind is served. prefix: "/apis/apps/v1"; scalable: whether there is a scale subresource."""

    prefix: str
    plural: str
    namespaced: bool
    scalable: bool


class Discovery:
    """Asks the server once and remembers: what it serves for 10 min, what it does not for 30 s.

    For any number of threads. Methods raise UnknownTarget, or ClusterError if the server cannot be asked.
    """

    def __init__(self, cluster: Cluster, clock: Callable[[], float] = time.monotonic) -> None:
        self._cluster = cluster
        self._clock = clock
        self._lock = threading.Lock()
        self._groups: dict[str, tuple[float, dict[str, Resource]]] = {}

    def resource(self, api_version: str, kind: str) -> Resource:
        """How `kind` is served."""
        found = self._kinds(api_version, kind).get(kind)
        if found is None:
            raise UnknownKind(
                f"the cluster serves no kind {kind} in {api_version}; "
                f"check spelling and apiVersion, or install its CRD"
            )
        return found

    def object_path(self, api_version: str, kind: str, namespace: str, name: str) -> str:
        """Where one object is; `namespace` is left out for kinds that have none."""
        resource = self.resource(api_version, kind)
        inside = f"/namespaces/{_segment(namespace)}" if resource.namespaced else ""
        return f"{resource.prefix}{inside}/{resource.plural}/{_segment(name)}"

    def scale_path(self, api_version: str, kind: str, namespace: str, name: str) -> str:
        """Where the scale of one object is read and written."""
        if not self.resource(api_version, kind).scalable:
            raise NotScalable(
                f"kind {kind} in {api_version} has no scale subresource; "
                f"name a Deployment, a StatefulSet or a custom resource that declares one"
            )
        return f"{self.object_path(api_version, kind, namespace, name)}/scale"

    def _kinds(self, api_version: str, kind: str) -> dict[str, Resource]:
        now = self._clock()
        with self._lock:
            asked_at, kinds = self._groups.get(api_version, (float("-inf"), {}))
        if now - asked_at < (_KNOWN_S if kind in kinds else _UNKNOWN_S):
            return kinds
        kinds = self._ask(api_version)
        with self._lock:
            self._groups[api_version] = (now, kinds)
        return kinds

    def _ask(self, api_version: str) -> dict[str, Resource]:
        if not _VERSION.fullmatch(api_version):
            raise UnknownKind(f"{api_version!r} is no apiVersion; write it like apps/v1")
        prefix = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
        try:
            served = self._cluster.get(prefix).get("resources") or []
        except NotFound:
            return {}
        return _described(prefix, served)


def _described(prefix: str, served: list[Json]) -> dict[str, Resource]:
    names = {entry["name"] for entry in served}
    return {
        entry["kind"]: Resource(
            prefix, entry["name"], bool(entry["namespaced"]), f"{entry['name']}/scale" in names
        )
        for entry in served
        if "/" not in entry["name"]
    }


def _segment(name: str) -> str:
    """`name`, sure to be one segment of a path: tenants write it, and it must not lead elsewhere."""
    if not _NAME.fullmatch(name):
        raise ImpossibleName(f"{name[:80]!r} is no name that an object can have")
    return name
