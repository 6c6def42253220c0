"""Manifests of what tests scale: workloads whose pods start as slowly as a test asks for."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

Manifest = dict[str, Any]

START_UP = "test.predictive-autoscaler.dev/start-up"
START_UP_AT_MOST = "test.predictive-autoscaler.dev/start-up-at-most"


def node(name: str, zone: str) -> Manifest:
    """A node that the simulated kubelet takes care of."""
    labels = {"kubernetes.io/hostname": name, "topology.kubernetes.io/zone": zone}
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}}


def workload(
    kind: str,
    name: str,
    namespace: str,
    replicas: int,
    *,
    start_up: str = "3s",
    start_up_at_most: str = "",
    labels: Mapping[str, str] = MappingProxyType({}),
    annotations: Mapping[str, str] = MappingProxyType({}),
    pod_labels: Mapping[str, str] = MappingProxyType({}),
    cpu: str = "100m",
) -> Manifest:
    """A Deployment or StatefulSet; `labels` and `annotations` are its own, `pod_labels` its pods'.

    Pods are ready `start_up` (a duration as Go writes it) after they have a node, or between that and
    `start_up_at_most` where it is given. Each asks for `cpu`, of which nodes have plenty. With the pod label
    never-ready=true they run and are never ready, with crash=true they end up in CrashLoopBackOff.
    """
    selector = {"app": name}
    pod_annotations = {START_UP: start_up}
    if start_up_at_most:
        pod_annotations[START_UP_AT_MOST] = start_up_at_most
    spec: Manifest = {
        "replicas": replicas,
        "selector": {"matchLabels": selector},
        "template": {
            "metadata": {"labels": {**pod_labels, **selector}, "annotations": pod_annotations},
            "spec": {
                "terminationGracePeriodSeconds": 1,
                "containers": [
                    {"name": "app", "image": "simulated", "resources": {"requests": {"cpu": cpu}}},
                ],
            },
        },
    }
    if kind == "StatefulSet":
        # One after the other would make the start-up time of a pod depend on the others'.
        spec |= {"serviceName": name, "podManagementPolicy": "Parallel"}
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": {**selector, **labels},
            "annotations": dict(annotations),
        },
        "spec": spec,
    }
