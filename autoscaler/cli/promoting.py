"""`autoscaler promote`: a shadow's policy becomes the spec's own, in a manifest or in the cluster."""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from rich.console import Console
from rich.text import Text

from autoscaler.cli.conditions import read_policies
from autoscaler.signals.errors import InputError
from autoscaler.spec.promotion import promoted
from autoscaler.spec.resource import GROUP, VERSION
from autoscaler.spec.variation import Manifest, SpecRefused
from autoscaler.spec.yamltext import yaml_text

_NAME = r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?"
_IN_CLUSTER = re.compile(f"(?P<namespace>{_NAME})/(?P<name>{_NAME})")
_STYLES = {"+": "green", "-": "red", "@": "dim"}


@dataclass(frozen=True, slots=True)
class Options:
    """The command line as given. source: a file, `-`, or `NAMESPACE/NAME` in the cluster."""

    source: str
    kubeconfig: Path | None = None
    context: str = ""
    dry_run: bool = False


def promoting(options: Options) -> None:
    """Print the promoted manifests of a file, or write the promoted spec to the cluster. Raises InputError.

    A file wins over a resource of the same name. What changes is told on standard error.
    """
    named = _IN_CLUSTER.fullmatch(options.source)
    if named is not None and not Path(options.source).exists():
        _in_cluster(options, named["namespace"], named["name"])
        return
    if options.kubeconfig or options.context or options.dry_run:
        raise InputError(
            f"{options.source!r} is a file; --kubeconfig, --context and --dry-run are about what is in the "
            "cluster, named as NAMESPACE/NAME"
        )
    _in_file(options.source)


def _in_file(source: str) -> None:
    located = read_policies(Path(source))
    changed = [_promoted(one.manifest, f"{one.file}:{one.line}") for one in located]
    if all(after is None for after in changed):
        raise InputError(f"{source}: no policy in it has a shadow: there is nothing to promote")
    after = [new if new is not None else one.manifest for one, new in zip(located, changed, strict=True)]
    for one, new in zip(located, after, strict=True):
        _tell(one.manifest, new)
    sys.stdout.write("---\n".join(yaml_text(manifest) for manifest in after))
    sys.stdout.flush()


def _in_cluster(options: Options, namespace: str, name: str) -> None:
    # Loaded only when asked for: the client is large, and promoting in files does without it.
    from autoscaler.controller.cluster.connection import Cluster
    from autoscaler.controller.cluster.errors import ClusterConfigError, ClusterError, NotFound

    where = quote(namespace, safe=""), quote(name, safe="")
    path = "/apis/{}/{}/namespaces/{}/predictiveautoscalers/{}".format(GROUP, VERSION, *where)
    cluster = None
    try:
        cluster = Cluster.connect(options.kubeconfig, options.context)
        found = cluster.get(path)
        before = _as_written(found)
        after = _promoted(before, options.source)
        if after is None:
            raise InputError(f"{options.source}: it has no shadow: there is nothing to promote")
        _tell(before, after)
        if not options.dry_run:
            cluster.patch(path, _patch(found, after), "json")
    except NotFound as error:
        raise InputError(f"{options.source}: not in the cluster; for a file give its path") from error
    except (ClusterConfigError, ClusterError) as error:
        raise InputError(f"{options.source}: {error}") from error
    finally:
        if cluster is not None:
            cluster.close()
    told = "would be promoted; nothing was written" if options.dry_run else "promoted"
    Console(stderr=True, soft_wrap=True).print(Text(f"{options.source}: {told}"))


def _as_written(found: dict[str, Any]) -> dict[str, Any]:
    """The manifest within an object of the cluster."""
    metadata = {key: found["metadata"][key] for key in ("name", "namespace")}
    return {
        "apiVersion": found["apiVersion"],
        "kind": found["kind"],
        "metadata": metadata,
        "spec": found["spec"],
    }


def _patch(found: dict[str, Any], after: Manifest) -> list[dict[str, Any]]:
    """The new spec in place of the one that was looked at, and of no newer one."""
    return [
        {"op": "test", "path": "/metadata/uid", "value": found["metadata"]["uid"]},
        {"op": "test", "path": "/metadata/generation", "value": found["metadata"]["generation"]},
        {"op": "replace", "path": "/spec", "value": after["spec"]},
    ]


def _promoted(manifest: Manifest, where: str) -> Manifest | None:
    try:
        after = promoted(manifest)
    except SpecRefused as error:
        raise InputError(f"{where}: with its shadow's policy it is not valid: {error}") from error
    return None if after is None else after.manifest


def _tell(before: Manifest, after: Manifest) -> None:
    """What changes, line by line, as a diff."""
    err = Console(stderr=True, soft_wrap=True, highlight=False)
    for line in _diff(yaml_text(before), yaml_text(after)):
        err.print(Text(line, style=_STYLES.get(line[:1], "")))


def _diff(before: str, after: str) -> Iterator[str]:
    return difflib.unified_diff(before.splitlines(), after.splitlines(), "present", "promoted", lineterm="")
