"""`autoscaler backtest`: options to cases, cases to a comparison, the comparison to its outputs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console

from autoscaler.backtest.candidate import Candidate, candidate_of, default_candidate
from autoscaler.backtest.case import Case
from autoscaler.backtest.report.export import write_json, write_timeline
from autoscaler.backtest.report.table import print_comparison
from autoscaler.backtest.report.writing import check_outputs, together
from autoscaler.backtest.result import Comparison
from autoscaler.backtest.rivals import BaselineChoice, parse_baselines
from autoscaler.backtest.runner import compare, count_pieces
from autoscaler.backtest.simulation import World
from autoscaler.cli.arguments import quantiles
from autoscaler.cli.conditions import Conditions, progress, read_policies
from autoscaler.forecasting.peaks.learned_peaks import ModelFor
from autoscaler.series import Series
from autoscaler.signals.errors import InputError
from autoscaler.spec import Located, PredictiveAutoscaler
from autoscaler.spec.promotion import promoted
from autoscaler.spec.variation import SpecRefused


@dataclass(frozen=True, slots=True)
class Options(Conditions):
    """The command line as given; see `autoscaler.cli.commands` for what each option means."""

    policies: tuple[Path, ...] = ()
    baselines: str = "hpa,hpa-tuned,keda,oracle"
    quantiles: str = ""
    html: Path | None = None
    json: Path | None = None
    png: Path | None = None
    timeline: Path | None = None


def backtest(options: Options) -> Comparison:
    """Run the command. Outputs appear only when everything has been computed."""
    _check_outputs(options)
    cases = _cases(options)
    with progress(count_pieces(cases), options.quiet) as advance:
        comparison = compare(cases, options.jobs, advance, options.dask)
    _write(comparison, options)
    if not options.quiet:
        print_comparison(comparison, Console())
    return comparison


def _check_outputs(options: Options) -> None:
    outputs = {
        "--html": options.html,
        "--json": options.json,
        "--png": options.png,
        "--timeline": options.timeline,
    }
    behaviors = (Path(text) for text in re.findall(r"behavior=([^,:]+)", options.baselines))
    read = [*options.inputs(), *options.policies, *(path for path in behaviors if path.is_file())]
    check_outputs(outputs, read)


def _cases(options: Options) -> list[Case]:
    """Everything the options ask for, checked before anything is computed."""
    baselines = parse_baselines(options.baselines)
    levels = quantiles("--quantiles", options.quantiles)
    policies = [_policy(located) for path in options.policies for located in read_policies(path)]
    options.check()
    _check_policies(policies, baselines)
    if options.per_replica is not None or options.fleet is not None:
        _check_stated_capacity(policies)
    model_for = options.model_for()
    loads = options.read(one for policy in policies for one in policy.resources())
    return [_case(one, options, policies, levels, baselines, model_for) for one in loads]


@dataclass(frozen=True, slots=True)
class _Policy:
    """A policy of a manifest, and what it would be with its shadow promoted, if it has one."""

    resource: PredictiveAutoscaler
    promoted: PredictiveAutoscaler | None

    def resources(self) -> Iterator[PredictiveAutoscaler]:
        """Both."""
        yield self.resource
        if self.promoted is not None:
            yield self.promoted

    def candidates(self, series: Series, world: World, stated: float | None) -> Iterator[Candidate]:
        """Both, the shadow as `NAME/SHADOW`. They share a forecast, as in the cluster."""
        own = candidate_of(self.resource, series, world, stated)
        yield own
        shadow = self.resource.spec.shadow
        if self.promoted is not None and shadow is not None:
            other = candidate_of(self.promoted, series, world, stated)
            yield replace(other.named(f"{own.name}/{shadow.name}"), settings=own.settings)


def _policy(located: Located) -> _Policy:
    try:
        other = promoted(located.manifest)
    except SpecRefused as error:
        raise InputError(f"{located.file}:{located.line}: with its shadow's policy: {error}") from error
    return _Policy(located.resource, None if other is None else other.resource)


def _case(
    series: Series,
    options: Options,
    policies: list[_Policy],
    levels: tuple[float, ...],
    baselines: tuple[BaselineChoice, ...],
    model_for: ModelFor,
) -> Case:
    world = options.world(series, policies[0].resource.spec.load.per_replica if policies else None)
    if policies:
        stated = options.stated_capacity(series)
        candidates = [one for policy in policies for one in policy.candidates(series, world, stated)]
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


def _check_policies(policies: list[_Policy], baselines: tuple[BaselineChoice, ...]) -> None:
    names = [policy.resource.metadata.name for policy in policies]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"two policies are called {name}; give each manifest its own metadata.name")
    for baseline in baselines:
        if baseline.name in names:
            raise InputError(
                f"policy {baseline.name} is called like a baseline; give the manifest another metadata.name"
            )


def _check_stated_capacity(policies: list[_Policy]) -> None:
    for policy in policies:
        shadow = policy.resource.spec.shadow
        if shadow is not None and shadow.policy.load is not None:
            raise InputError(
                f"{policy.resource.metadata.name}: its shadow plans with another load.perReplica, which one "
                "capacity for all would undo; leave --per-replica and --fleet out"
            )


def _with_quantiles(candidates: list[Candidate], levels: tuple[float, ...]) -> Iterator[Candidate]:
    for candidate in candidates:
        yield candidate
        for level in levels:
            yield candidate.at_quantile(level)


def _write(comparison: Comparison, options: Options) -> None:
    # The drawing libraries are loaded only when something is drawn.
    with together() as opening:
        if options.timeline is not None:
            write_timeline(comparison, options.timeline, opening)
        if options.json is not None:
            write_json(comparison, options.json, opening)
        if options.html is not None:
            from autoscaler.backtest.report.html import write_html

            write_html(comparison, options.html, opening)
        if options.png is not None:
            from autoscaler.backtest.report.png import write_png

            write_png(comparison, options.png, opening)
