"""What is done to manifests, and to what describes them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from autoscaler.cli.options import Context, UsersKubeconfig


def check(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Manifests; - reads standard input.")
    ],
) -> None:
    """Validate manifests as the cluster would: file, line, field, what is wrong, what to do."""
    from autoscaler.cli.check import check as run

    raise typer.Exit(run(files))


def crd() -> None:
    """Print the CustomResourceDefinition."""
    from autoscaler.cli.crd import crd as run

    run()


def promote(
    source: Annotated[
        str,
        typer.Argument(
            metavar="FILE|NAMESPACE/NAME",
            help="A manifest, - for standard input, which is printed anew; or a resource in the cluster, "
            "which is changed.",
        ),
    ],
    kubeconfig: UsersKubeconfig = None,
    context: Context = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")] = False,
) -> None:
    """Put a shadow's policy in the place of the spec's own and remove the shadow; stderr tells the diff."""
    from autoscaler.cli.promoting import Options, promoting

    promoting(Options(source, kubeconfig, context, dry_run))


def import_(
    source: Annotated[
        str,
        typer.Argument(
            metavar="FILE|KIND/NAME",
            help="YAML with HorizontalPodAutoscalers or ScaledObjects, - for standard input; or one in the "
            "cluster: hpa/NAME, scaledobject/NAME.",
        ),
    ],
    namespace: Annotated[
        str, typer.Option("--namespace", "-n", help="Namespace in the cluster; the context's if left out.")
    ] = "",
    kubeconfig: UsersKubeconfig = None,
    context: Context = "",
    load_query: Annotated[
        str | None, typer.Option(metavar="PROMQL", help="The demand to forecast, which an HPA does not know.")
    ] = None,
    per_replica: Annotated[
        str | None, typer.Option(metavar="N", help="Load that one ready replica serves, in the query's unit.")
    ] = None,
    mode: Annotated[
        Literal["Recommend", "ScaleOutOnly", "Active", "Paused"] | None,
        typer.Option(
            help="Mode in the manifest; Recommend, or Paused where the autoscaler is.", show_default=False
        ),
    ] = None,
    floor: Annotated[
        bool,
        typer.Option("--floor", help="Keep the autoscaler and only raise its minimum ahead of the load."),
    ] = False,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the manifest there, not to standard output.")
    ] = None,
) -> None:
    """Turn an HPA or a KEDA ScaledObject into a PredictiveAutoscaler manifest, and say what is lost.

    Exit codes: 0 all carried over; 1 written, but something needs a human; 2 unusable input.
    """
    from autoscaler.cli.importing import Options, importing

    options = Options(
        source=source,
        namespace=namespace,
        kubeconfig=kubeconfig,
        context=context,
        load_query=load_query,
        per_replica=per_replica,
        mode=mode,
        floor=floor,
        output=output,
    )
    raise typer.Exit(importing(options))
