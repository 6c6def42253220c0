"""`autoscaler backtest`: options to cases, cases to a comparison, the comparison to its outputs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from autoscaler.backtest.candidate import Candidate, candidate_of, default_candidate
from autoscaler.backtest.case import Case
from autoscaler.backtest.report.export import write_json, write_timeline
from autoscaler.backtest.report.table import print_comparison
from autoscaler.backtest.report.writing import check_writable
from autoscaler.backtest.result import Comparison
from autoscaler.backtest.rivals import BaselineChoice, parse_baselines
from autoscaler.backtest.runner import compare, count_pieces
from autoscaler.cli.arguments import quantiles
from autoscaler.cli.conditions import Conditions, progress, read_policies
from autoscaler.forecasting.learned_peaks import ModelFor
from autoscaler.series import Series
from autoscaler.signals.errors import InputError
from autoscaler.spec import PredictiveAutoscaler


@dataclass(frozen=True, slots=True)
class Options(Conditions):
    """The command line as given; see `autoscaler.cli.app` for what each option means."""

    policies: tuple[Path, ...] = ()
    baselines: str = "hpa,hpa-tuned,keda,oracle"
    quantiles: str = ""
    html: Path | None = None
    json: Path | None = None
    png: Path | None = None
    timeline: Path | None = None


def backtest(options: Options) -> Comparison:
    """Run the command. Outputs appear only when everything has been computed."""
    for path in (options.html, options.json, options.png, options.timeline):
        if path is not None:
            check_writable(path)
    cases = _cases(options)
    with progress(count_pieces(cases), options.quiet) as advance:
        comparison = compare(cases, options.jobs, advance, options.dask)
    _write(comparison, options)
    if not options.quiet:
        print_comparison(comparison, Console())
    return comparison


def _cases(options: Options) -> list[Case]:
    """Everything the options ask for, checked before anything is computed."""
    baselines = parse_baselines(options.baselines)
    levels = quantiles("--quantiles", options.quantiles)
    resources = [located.resource for path in options.policies for located in read_policies(path)]
    options.check()
    _check_policies(resources, baselines)
    model_for = options.model_for()
    return [_case(one, options, resources, levels, baselines, model_for) for one in options.read()]


def _case(
    series: Series,
    options: Options,
    resources: list[PredictiveAutoscaler],
    levels: tuple[float, ...],
    baselines: tuple[BaselineChoice, ...],
    model_for: ModelFor,
) -> Case:
    world = options.world(series, resources[0].spec.load.per_replica if resources else None)
    if resources:
        stated = options.stated_capacity(series)
        candidates = [candidate_of(resource, series, world, stated) for resource in resources]
    else:
        candidates = [default_candidate(series, world, options.model, options.time_zone or "UTC")]
    return Case(
        series=series,
        world=world,
        price=options.price,
        scored_from=options.scored_from(series),
        candidates=tuple(_with_quantiles(candidates, levels)),
        baselines=baselines,
        time_zone=options.time_zone or "UTC",
        model_for=model_for,
    )


def _check_policies(resources: list[PredictiveAutoscaler], baselines: tuple[BaselineChoice, ...]) -> None:
    names = [resource.metadata.name for resource in resources]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"two policies are called {name}; give each manifest its own metadata.name")
    for baseline in baselines:
        if baseline.name in names:
            raise InputError(
                f"policy {baseline.name} is called like a baseline; give the manifest another metadata.name"
            )


def _with_quantiles(candidates: list[Candidate], levels: tuple[float, ...]) -> Iterator[Candidate]:
    for candidate in candidates:
        yield candidate
        for level in levels:
            yield candidate.at_quantile(level)


def _write(comparison: Comparison, options: Options) -> None:
    # The drawing libraries are loaded only when something is drawn.
    if options.timeline is not None:
        write_timeline(comparison, options.timeline)
    if options.json is not None:
        write_json(comparison, options.json)
    if options.html is not None:
        from autoscaler.backtest.report.html import write_html

        write_html(comparison, options.html)
    if options.png is not None:
        from autoscaler.backtest.report.png import write_png

        write_png(comparison, options.png)
