"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Traces = Annotated[
    list[Path] | None,
    typer.Argument(
        help="Recorded load: CSV, CSV.gz, or a saved Prometheus query_range answer.", metavar="FILE..."
    ),
]
PrometheusUrl = Annotated[
    str,
    typer.Option(
        "--prometheus", metavar="URL", help="Read the history from this Prometheus instead of a file."
    ),
]
Query = Annotated[str, typer.Option(help="PromQL whose result is the load; one series.", metavar="PROMQL")]
History = Annotated[
    str, typer.Option(help="How far back to read from Prometheus.", metavar="DURATION", show_default="28d")
]
Step = Annotated[
    str, typer.Option(help="Resolution to read from Prometheus at.", metavar="DURATION", show_default="1m")
]
ModelFolder = Annotated[
    Path | None,
    typer.Option(
        "--model-folder",
        metavar="DIR",
        help="Use the shared model in this folder, as train writes it, not the shipped one.",
    ),
]
TimeZone = Annotated[
    str,
    typer.Option(help="IANA zone of local times in a file without offsets, and of daily and weekly seasons."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No table and no progress; for scripts.")]
PerReplica = Annotated[
    float | None, typer.Option("--per-replica", metavar="LOAD", help="Load one ready replica serves.")
]
Fleet = Annotated[
    float | None,
    typer.Option(metavar="N", help="Instead: per-replica capacity is the mean load / N. Default 20."),
]
StartUp = Annotated[
    str,
    typer.Option(
        "--start-up",
        metavar="DURATION",
        help="Time from asking for a replica until it is ready.",
        show_default="5m, or what 90 % of --start-up-from keep within",
    ),
]
StartUpFrom = Annotated[
    Path | None,
    typer.Option(
        "--start-up-from",
        metavar="FILE",
        help="Recorded start-up times (seconds, one per line) to draw each replica's from.",
    ),
]
Seed = Annotated[int, typer.Option(min=0, help="Seed of drawn start-up times.")]
MetricLag = Annotated[
    str, typer.Option("--metric-lag", metavar="DURATION", help="Age of everything a policy sees.")
]
WarmUp = Annotated[
    str,
    typer.Option(
        "--warm-up",
        metavar="DURATION",
        help="Scored only after it; 7d, or 2d where the trace is shorter than 12d.",
    ),
]
Since = Annotated[str, typer.Option("--from", metavar="TIME", help="Leave out what is earlier (RFC 3339).")]
Until = Annotated[str, typer.Option(metavar="TIME", help="Leave out what is later (RFC 3339).")]
Price = Annotated[float, typer.Option(help="Price of one replica-hour.")]
Jobs = Annotated[
    int | None,
    typer.Option(
        min=1,
        envvar="AUTOSCALER_JOBS",
        show_default="one per core, at most 4",
        help="Processes to use.",
    ),
]
Dask = Annotated[
    str,
    typer.Option(
        metavar="ADDRESS", help="Use the workers of this Dask scheduler instead, such as tcp://10.0.0.7:8786."
    ),
]
Kubeconfig = Annotated[
    Path | None, typer.Option(metavar="FILE", help="How to reach the cluster from outside of it.")
]
UsersKubeconfig = Annotated[
    Path | None, typer.Option(metavar="FILE", help="How to reach the cluster; as kubectl if left out.")
]
Context = Annotated[str, typer.Option(help="Context of the kubeconfig.")]
