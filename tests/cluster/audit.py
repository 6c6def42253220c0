"""What was really asked of Deployments, as seen by somebody who has nothing to do with the operator."""

from __future__ import annotations

import itertools
import json
import threading
import time
from dataclasses import dataclass
from types import TracebackType

import requests
from control_plane import ControlPlane
from waiting import wait_until


@dataclass(frozen=True, slots=True)
class Count:
    """A count that a Deployment was given. at_s: monotonic seconds at which it was seen."""

    at_s: float
    name: str
    replicas: int
    resource_version: str


class Audit:
    """Watches the Deployments of a namespace from entering to leaving; across outages.

    counts: every change of `spec.replicas`, and what it was at first, in the order of the server.
    """

    def __init__(self, plane: ControlPlane, namespace: str) -> None:
        self._plane = plane
        self._path = f"{plane.url}/apis/apps/v1/namespaces/{namespace}/deployments"
        self._http = requests.Session()
        self._http.trust_env = False
        self._http.verify = str(plane.ca_file)
        self._http.headers["Authorization"] = f"Bearer {plane.admin_token}"
        self._lock = threading.Lock()
        self._counts: list[Count] = []
        self._stop = threading.Event()
        self._listed = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Audit:
        self._thread.start()
        wait_until(self._listed.is_set, 10, "the audit to begin")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(3)
        self._http.close()

    def counts(self, name: str, since_s: float = 0.0) -> list[int]:
        """Every count the Deployment had from `since_s` (monotonic) on, the one it had then included."""
        with self._lock:
            own = [count for count in self._counts if count.name == name]
        before = [count.replicas for count in own if count.at_s < since_s]
        return [*before[-1:], *(count.replicas for count in own if count.at_s >= since_s)]

    def history(self, name: str) -> list[Count]:
        """The same with times."""
        with self._lock:
            return [count for count in self._counts if count.name == name]

    def lowered(self, name: str, since_s: float = 0.0) -> bool:
        """Whether the count ever fell from `since_s` on."""
        counts = self.counts(name, since_s)
        return any(after < before for before, after in itertools.pairwise(counts))

    def turns(self, name: str, since_s: float = 0.0) -> int:
        """How often the count changed its direction from `since_s` on."""
        counts = self.counts(name, since_s)
        steps = [after > before for before, after in itertools.pairwise(counts)]
        return sum(a != b for a, b in itertools.pairwise(steps))

    def _run(self) -> None:
        version = ""
        while not self._stop.is_set():
            try:
                version = self._follow(version or self._list())
            except requests.RequestException:
                self._stop.wait(0.1)
            except LookupError:
                version = ""

    def _list(self) -> str:
        answer = self._http.get(self._path, timeout=5)
        answer.raise_for_status()
        found = answer.json()
        for item in found["items"]:
            self._take(item)
        self._listed.set()
        version: str = found["metadata"]["resourceVersion"]
        return version

    def _follow(self, version: str) -> str:
        """The version to go on from. Raises LookupError where what is known is too old."""
        query = f"?watch=true&resourceVersion={version}&timeoutSeconds=60"
        # Also bounds how long leaving waits while nothing happens.
        with self._http.get(self._path + query, stream=True, timeout=(5, 2)) as answer:
            answer.raise_for_status()
            try:
                for line in answer.iter_lines():
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        raise LookupError(event["object"].get("message", ""))
                    self._take(event["object"])
                    version = event["object"]["metadata"]["resourceVersion"]
                    if self._stop.is_set():
                        break
            except requests.ConnectionError:
                return version
        return version

    def _take(self, item: dict[str, object]) -> None:
        metadata, spec = item["metadata"], item["spec"]
        assert isinstance(metadata, dict) and isinstance(spec, dict)
        name, replicas = metadata["name"], int(spec.get("replicas", 0))
        with self._lock:
            last = next((count for count in reversed(self._counts) if count.name == name), None)
            if last is None or last.replicas != replicas:
                self._counts.append(Count(time.monotonic(), name, replicas, metadata["resourceVersion"]))
