"""The rights that the chart gives to the operator, rendered, given in part, and taken back one by one."""

from __future__ import annotations

import copy
import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from control_plane import ControlPlane, cluster_binaries
from workloads import Manifest

_CHART = Path(__file__).resolve().parents[2] / "operator" / "chart" / "predictive-autoscaler"
_RBAC = ("ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")
_FOR_USERS = ("-view", "-edit")
_OF_OTHERS = ("-api", "-training")


@dataclass(frozen=True, order=True)
class Right:
    """One verb on one resource, such as `patch` on `deployments/scale` of `apps`."""

    group: str
    resource: str
    verb: str

    def __str__(self) -> str:
        return f"{self.verb} {self.resource}{'.' if self.group else ''}{self.group}"


class ChartRights:
    """Accounts, roles and bindings that `helm template` makes: for the operator, and with the value
    `api.enabled` for the service too.

    account: the operator's. others: the rest of the chart, which is not applied here.
    """

    def __init__(self, plane: ControlPlane, namespace: str, folder: Path, values: dict[str, Any]) -> None:
        self._plane = plane
        self._namespace = namespace
        manifests = _rendered(namespace, folder, {"api": {"enabled": False}, **values})
        self._objects = [m for m in manifests if m["kind"] in _RBAC and not _is_for_users(m)]
        self.others = [m for m in manifests if m["kind"] not in _RBAC]
        accounts = [m["metadata"]["name"] for m in self._objects if m["kind"] == "ServiceAccount"]
        (self.account,) = [name for name in accounts if not name.endswith(_OF_OTHERS)]
        (map_,) = [m for m in manifests if m["kind"] == "ConfigMap"]
        self._configuration: dict[str, Any] = yaml.safe_load(map_["data"]["config.yaml"])

    def settings(self, folder: Path) -> dict[str, Any]:
        """The chart's configuration of the operator, for a process that runs outside of a pod."""
        inside = {
            "store": {"url": f"sqlite:///{folder / 'store.db'}"},
            "forecasts": {"historyFolder": str(folder / "history")},
        }
        kept = {name: value for name, value in self._configuration.items() if name != "server"}
        return {**kept, **inside}

    def all(self) -> set[Right]:
        """Every right that is given."""
        return {right for role in self._roles(self._objects) for rule in role["rules"] for right in _of(rule)}

    def give(
        self, without: Right | None = None, only_in: tuple[str, ...] = (), none_in: tuple[str, ...] = ()
    ) -> None:
        """Apply all but one right, which is left out everywhere or only in some namespaces, and nothing at
        all in others."""
        objects = [m for m in copy.deepcopy(self._objects) if m["metadata"].get("namespace") not in none_in]
        for role in self._roles(objects) if without is not None else ():
            if not only_in or role["metadata"].get("namespace") in only_in:
                role["rules"] = [part for rule in role["rules"] for part in _reduced(rule, without)]
        everything = {"apiVersion": "v1", "kind": "List", "items": objects}
        self._plane.kubectl("apply", "--filename", "-", input=json.dumps(everything))

    def take_back(self) -> None:
        """Remove what was applied."""
        everything = {"apiVersion": "v1", "kind": "List", "items": self._objects}
        self._plane.kubectl(
            "delete", "--ignore-not-found", "--wait=false", "--filename", "-", input=json.dumps(everything)
        )

    def token(self, suffix: str = "") -> str:
        """A token of the operator's service account, or with a suffix of the one that has it."""
        return self._plane.service_account_token(self._namespace, f"{self.account}{suffix}")

    @staticmethod
    def _roles(objects: list[Manifest]) -> list[Manifest]:
        return [m for m in objects if m["kind"] in ("Role", "ClusterRole")]


def _is_for_users(manifest: Manifest) -> bool:
    return manifest["kind"] == "ClusterRole" and manifest["metadata"]["name"].endswith(_FOR_USERS)


def _of(rule: Manifest) -> Iterator[Right]:
    for group in rule["apiGroups"]:
        for resource in rule["resources"]:
            for verb in rule["verbs"]:
                yield Right(group, resource, verb)


def _reduced(rule: Manifest, without: Right) -> Iterator[Manifest]:
    """`rule` as one rule per resource, without one of its rights."""
    for group in rule["apiGroups"]:
        for resource in rule["resources"]:
            verbs = [verb for verb in rule["verbs"] if Right(group, resource, verb) != without]
            if verbs:
                yield {**rule, "apiGroups": [group], "resources": [resource], "verbs": verbs}


def _rendered(namespace: str, folder: Path, values: dict[str, Any]) -> list[Manifest]:
    binaries = cluster_binaries()
    assert binaries
    file = folder / "values.yaml"
    file.write_text(yaml.safe_dump(values))
    command = [binaries / "helm", "template", namespace, _CHART, "--namespace", namespace, "--values", file]
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=os.environ | {f"HELM_{what}_HOME": str(folder) for what in ("CACHE", "CONFIG", "DATA")},
    )
    assert done.returncode == 0, done.stderr
    return [manifest for manifest in yaml.safe_load_all(done.stdout) if manifest]
