"""`autoscaler import`: an HPA or a KEDA ScaledObject becomes a PredictiveAutoscaler manifest."""

from __future__ import annotations

import re
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from rich.console import Console
from rich.text import Text

from autoscaler.adoption import (
    Adoption,
    Autoscalers,
    Outcome,
    Wanted,
    adopt,
    amount,
    autoscaler_of,
    autoscalers_in,
    printable,
    written,
)
from autoscaler.cli.exits import FOUND_PROBLEMS, OK, UNUSABLE
from autoscaler.signals.errors import InputError
from autoscaler.spec.manifest import MAX_BYTES, STDIN

_IN_CLUSTER = re.compile(
    r"(?P<kind>hpa|horizontalpodautoscalers?|so|scaledobjects?)(?:\.[a-z0-9.]+)?/(?P<name>[^/]+)",
    re.IGNORECASE,
)
_PATHS = {
    "h": "/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers/{name}",
    "s": "/apis/keda.sh/v1alpha1/namespaces/{namespace}/scaledobjects/{name}",
}
"""By the first letter of what the kind is called."""

_STYLES = {
    Outcome.KEPT: "green",
    Outcome.NO_NEED: "dim",
    Outcome.STAYS: "dim",
    Outcome.LOST: "bold red",
    Outcome.FILL_IN: "bold yellow",
}
_LABEL_WIDTH = 9


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asked for, as typed. source: a file, `-`, or `KIND/NAME` in the cluster."""

    source: str
    namespace: str = ""
    kubeconfig: Path | None = None
    context: str = ""
    load_query: str | None = None
    per_replica: str | None = None
    mode: str | None = None
    floor: bool = False
    output: Path | None = None


def importing(options: Options) -> int:
    """Write the manifests to standard output or a file, and to standard error what became of everything.

    Nothing is written if anything cannot be read. Raises InputError.
    """
    wanted = _wanted(options)
    read = _read(options)
    err = Console(stderr=True, soft_wrap=True, highlight=False)
    for other in read.passed_over:
        err.print(Text(printable(f"{other.file}:{other.line}: {other.why}"), style="dim"))
    if read.problems:
        for problem in read.problems:
            err.print(Text(printable(str(problem))))
        return UNUSABLE
    if not read.found:
        raise InputError(
            f"{options.source}: nothing to import: give a file with a HorizontalPodAutoscaler or ScaledObject"
        )
    if len(read.found) > 1 and (options.load_query or options.per_replica):
        raise InputError(
            f"{options.source}: holds {len(read.found)} autoscalers, but --load-query and --per-replica "
            "are about one: import each by itself"
        )
    adoptions = adopt([found.scaler for found in read.found], wanted)
    _write(written(adoptions), options.output)
    for adoption in adoptions:
        _explain(adoption, err)
    _conclude(adoptions, err)
    return FOUND_PROBLEMS if any(adoption.needs_human for adoption in adoptions) else OK


def _wanted(options: Options) -> Wanted:
    query, per_replica = options.load_query, options.per_replica
    if query is not None and not 0 < len(query.strip()) <= 4096:
        raise InputError("--load-query must be PromQL of 1 to 4096 characters")
    amount_per_replica = None if per_replica is None else amount(per_replica)
    if per_replica is not None and amount_per_replica is None:
        raise InputError(f"--per-replica {per_replica!r} must be an amount above zero such as 120 or 1.5k")
    return Wanted(
        load_query=None if query is None else query.strip(),
        per_replica=amount_per_replica,
        mode=options.mode,
        floor=options.floor,
    )


def _read(options: Options) -> Autoscalers:
    named = _IN_CLUSTER.fullmatch(options.source)
    if named is not None:
        path = _PATHS[named["kind"][0].lower()]
        return _read_from_cluster(options, path, named["name"])
    if options.namespace or options.kubeconfig or options.context:
        raise InputError(
            f"{options.source!r} is a file; with -n, --kubeconfig and --context name what is in the cluster, "
            "as in hpa/NAME or scaledobject/NAME"
        )
    name = "standard input" if options.source == str(STDIN) else options.source
    return autoscalers_in(_text_of(options.source, name), name)


def _text_of(source: str, name: str) -> str:
    try:
        if source == str(STDIN):
            raw = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with Path(source).open("rb") as file:
                raw = file.read(MAX_BYTES + 1)
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{name}: is not UTF-8 text: name a YAML file") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InputError(f"{name}: cannot be read: {reason}") from error
    if len(raw) > MAX_BYTES:
        raise InputError(f"{name}: is larger than 1 MiB: split it, or name the right file")
    return text


def _read_from_cluster(options: Options, path: str, name: str) -> Autoscalers:
    # Loaded only when asked for: the client is large, and most runs read files.
    from autoscaler.controller.cluster.connection import Cluster
    from autoscaler.controller.cluster.errors import ClusterConfigError, ClusterError, NotFound

    cluster = None
    try:
        cluster = Cluster.connect(options.kubeconfig, options.context)
        namespace = options.namespace or cluster.namespace
        value = cluster.get(path.format(namespace=quote(namespace, safe=""), name=quote(name, safe="")))
    except NotFound as error:
        raise InputError(
            f"{options.source}: not in the cluster, in namespace {namespace}: check both names"
        ) from error
    except (ClusterConfigError, ClusterError) as error:
        raise InputError(f"{options.source}: {error}") from error
    finally:
        if cluster is not None:
            cluster.close()
    return autoscaler_of(value, options.source)


def _write(text: str, output: Path | None) -> None:
    if output is None:
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"--output {output}: cannot be written: {error.strerror or error}") from error


def _explain(adoption: Adoption, err: Console) -> None:
    """A line for each part, broken with a hanging indent where people read it, never for scripts."""
    err.print(Text(adoption.scaler.label, style="bold"))
    for remark in adoption.remarks:
        text = f"{remark.field}: {remark.text}"
        lines = textwrap.wrap(text, max(40, err.width - _LABEL_WIDTH - 2)) if err.is_terminal else [text]
        label = Text(f"  {remark.outcome.value:<{_LABEL_WIDTH}}", style=_STYLES[remark.outcome])
        err.print(Text.assemble(label, lines[0]))
        for line in lines[1:]:
            err.print(Text(f"  {'':<{_LABEL_WIDTH}}{line}"))


def _conclude(adoptions: list[Adoption], err: Console) -> None:
    waiting = sum(remark.needs_human for adoption in adoptions for remark in adoption.remarks)
    if not waiting:
        err.print(Text("all carried over; next: autoscaler check", style="green"))
        return
    things = "1 thing needs" if waiting == 1 else f"{waiting} things need"
    err.print(Text(f'{things} you: see "lost" and "fill in"; then: autoscaler check', style="yellow"))
