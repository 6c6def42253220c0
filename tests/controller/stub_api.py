"""Objects of an API server in one dictionary: conditional patches, records of writes, faults on demand.

Takes the place of `Cluster` where a test has to decide which request fails, and how.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from autoscaler.controller.cluster.connection import Cluster
from autoscaler.controller.cluster.errors import Conflict, Forbidden, NotFound, TooManyRequests, unavailable

Json = dict[str, Any]

SERVED: dict[str, list[Json]] = {
    "/apis/apps/v1": [
        {"name": "deployments", "kind": "Deployment", "namespaced": True},
        {"name": "deployments/scale", "kind": "Scale", "namespaced": True},
    ],
    "/apis/autoscaling/v2": [
        {"name": "horizontalpodautoscalers", "kind": "HorizontalPodAutoscaler", "namespaced": True}
    ],
    "/apis/keda.sh/v1alpha1": [{"name": "scaledobjects", "kind": "ScaledObject", "namespaced": True}],
}


def scale_path(name: str = "web", namespace: str = "shop") -> str:
    """Where the scale of a Deployment is."""
    return f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale"


def hpa_path(name: str = "web", namespace: str = "shop") -> str:
    """Where a HorizontalPodAutoscaler is."""
    return f"/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers/{name}"


def forbidden() -> Exception:
    """Our role lacks a right."""
    return Forbidden(403, "Forbidden", "not allowed", "")


def throttled(after_s: float = 0.0) -> Exception:
    """The server wants us to slow down; nothing was done."""
    error = TooManyRequests(429, "TooManyRequests", "slow down", "")
    error.retry_after_s = after_s
    return error


def silent() -> Exception:
    """A read that was not answered."""
    return unavailable("timed out", "")


def unanswered() -> Exception:
    """A write that was not answered: it may have been carried out, or not."""
    return unavailable("timed out", "", outcome_unknown=True)


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it arrived, whatever became of it."""

    method: str
    path: str
    body: Any = None


@dataclass
class StubApi:
    """fault: asked before each request; what it returns is raised. after: the same, once a write is done."""

    objects: dict[str, Json] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    fault: Callable[[Request], Exception | None] = lambda request: None
    after: Callable[[Request], Exception | None] = lambda request: None
    version: int = 100

    @property
    def cluster(self) -> Cluster:
        """This, where a Cluster is wanted."""
        return cast("Cluster", self)

    @property
    def patches(self) -> list[Request]:
        """Writes to objects, those that were refused included."""
        return [request for request in self.requests if request.method == "PATCH"]

    def put_scale(self, name: str = "web", replicas: int = 3, namespace: str = "shop", uid: str = "") -> None:
        """A Deployment's scale as it is now, whoever made it so."""
        self.put(
            scale_path(name, namespace),
            {
                "metadata": {"uid": uid or f"target-{name}"},
                "spec": {"replicas": replicas},
                "status": {"selector": f"app={name}"},
            },
        )

    def put(self, path: str, item: Json) -> None:
        """An object as it is from now on, in a version of its own."""
        self.version += 1
        self.objects[path] = copy.deepcopy(item)
        self.objects[path]["metadata"]["resourceVersion"] = str(self.version)

    def touch(self, path: str) -> None:
        """A change to an object that concerns nobody here, such as a rollout's bookkeeping."""
        self.put(path, self.objects[path])

    def replicas(self, name: str = "web", namespace: str = "shop") -> int:
        """The count of a Deployment now."""
        return int(self.objects[scale_path(name, namespace)]["spec"]["replicas"])

    def get(self, path: str, query: object = None, timeout_s: float = 5.0) -> Json:
        """As `Cluster.get`."""
        self._arrived(Request("GET", path))
        if path in SERVED:
            return {"resources": SERVED[path]}
        return copy.deepcopy(self._found(path))

    def patch(self, path: str, body: Any, content: str = "merge", timeout_s: float = 5.0) -> Json:
        """As `Cluster.patch`; refuses where uid or resourceVersion are not the present ones."""
        request = self._arrived(Request("PATCH", path, copy.deepcopy(body)))
        if content == "merge":
            item = self._found(path)
            for name in ("uid", "resourceVersion"):
                if body["metadata"].get(name, item["metadata"][name]) != item["metadata"][name]:
                    raise Conflict(409, "Conflict", "the object has been modified", path)
            self.put(path, _merged(item, body))
        failure = self.after(request)
        if failure is not None:
            raise failure
        return copy.deepcopy(self.objects.get(path, {}))

    def create(self, path: str, body: Json, query: object = None, timeout_s: float = 5.0) -> Json:
        """As `Cluster.create`; keeps only the request."""
        self._arrived(Request("POST", path, copy.deepcopy(body)))
        return body

    def _arrived(self, request: Request) -> Request:
        self.requests.append(request)
        failure = self.fault(request)
        if failure is not None:
            raise failure
        return request

    def _found(self, path: str) -> Json:
        if path not in self.objects:
            raise NotFound(404, "NotFound", "not found", path)
        return self.objects[path]


def _merged(item: Any, changes: Any) -> Any:
    """RFC 7386."""
    if not isinstance(changes, dict):
        return changes
    made = dict(item) if isinstance(item, dict) else {}
    for name, value in changes.items():
        if value is None:
            made.pop(name, None)
        else:
            made[name] = _merged(made.get(name), value)
    return made
