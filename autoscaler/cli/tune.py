"""`autoscaler tune`: variations of a policy on recorded traffic, and those that nothing beats."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console

from autoscaler.backtest.candidate import candidate_of
from autoscaler.backtest.case import Case
from autoscaler.backtest.report.writing import check_outputs, together, write_bytes
from autoscaler.backtest.scores import DAY_S
from autoscaler.backtest.tuning.proposal import Limit, Objective, Proposal, Tried, propose
from autoscaler.backtest.tuning.settings import Setting, Variant, default_settings, parse_setting, variants
from autoscaler.backtest.tuning.sweep import count_sweep_pieces, sweep
from autoscaler.backtest.workforce import workforce
from autoscaler.cli.conditions import Conditions, progress, read_policies
from autoscaler.cli.exits import FOUND_PROBLEMS, OK
from autoscaler.cli.tune_view import front_picture, json_bytes, manifest_text, print_proposal
from autoscaler.forecasting.peaks.learned_peaks import ModelFor
from autoscaler.series import Series
from autoscaler.signals.errors import InputError
from autoscaler.spec import API_VERSION, KIND
from autoscaler.spec.units import format_quantity, parse_share
from autoscaler.spec.variation import SpecRefused, WrittenPolicy

_QUANTILES = 7
_OURS = re.compile(r"front-[0-9]+\.yaml|chosen\.yaml")
"""Names of what is written to `--out`."""
_PLACEHOLDER = "sum(rate(http_requests_total[2m]))"


@dataclass(frozen=True, slots=True)
class Options(Conditions):
    """The command line as given; see `autoscaler.cli.commands` for what each option means."""

    policy: Path | None = None
    vary: tuple[str, ...] = ()
    objective: str = ""
    out: Path | None = None
    json: Path | None = None
    png: Path | None = None


def tune(options: Options) -> int:
    """Run the command. Outputs appear only when everything has been computed."""
    settings = [parse_setting(text) for text in options.vary] or default_settings(_QUANTILES)
    objective = _objective(options.objective) if options.objective else None
    options.check()
    _check_outputs(options)
    written = _written(options.policy) if options.policy else None
    model_for = options.model_for()
    # Of a file's load the query is only written into the default policy's manifest.
    query = options.query if options.prometheus or written else ""
    loads = options.read([written.resource] if written else (), query)
    tried = variants(written or _default_policy(loads, options), settings)
    cases = [_case(series, options, tried, model_for) for series in loads]
    with (
        progress(count_sweep_pieces(cases), options.quiet) as advance,
        workforce(options.jobs, advance, options.dask) as crew,
    ):
        scores = sweep(cases, crew)
    days = [(len(c.series) - c.scored_from) * c.series.step_s / DAY_S for c in cases]
    proposal = propose(tried, scores, days)
    chosen = objective.choose(proposal.tried) if objective else None
    names = [series.name for series in loads]
    _write(options, proposal, chosen, settings, names)
    if not options.quiet:
        print_proposal(proposal, settings, objective, chosen, Console())
    return FOUND_PROBLEMS if objective and chosen is None else OK


def _case(series: Series, options: Options, tried: Sequence[Variant], model_for: ModelFor) -> Case:
    present = tried[0].policy.resource
    world = options.world(series, present.spec.load.per_replica if options.policy else None)
    stated = options.stated_capacity(series) if options.policy else world.per_replica
    # `auto` chooses its model at one quantile for all, so that they share their forecasts.
    chosen_at = present.spec.forecast.risk
    candidates = []
    for variant in tried:
        made = candidate_of(variant.policy.resource, series, world, stated)
        settings = dataclasses.replace(made.settings, quantile=chosen_at)
        candidates.append(dataclasses.replace(made, settings=settings))
    return Case(
        series,
        world,
        options.price,
        options.scored_from(series),
        tuple(candidates),
        model_for=model_for,
    )


def _written(path: Path) -> WrittenPolicy:
    located = read_policies(path)
    if len(located) > 1:
        raise InputError(f"{path}: holds {len(located)} policies; name a file with the one to vary")
    return WrittenPolicy(located[0].manifest, located[0].resource)


def _default_policy(loads: Sequence[Series], options: Options) -> WrittenPolicy:
    """A policy for traces that nobody wrote one for, with room for twice the largest peak."""
    capacities = [options.capacity(series, None) for series in loads]
    peaks = [float(np.nanmax(one.values)) / capacity for one, capacity in zip(loads, capacities, strict=True)]
    name = re.sub(r"[^a-z0-9]+", "-", loads[0].name.lower()).strip("-")[:50] or "workload"
    manifest = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": name},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            "minReplicas": 1,
            "maxReplicas": max(2, math.ceil(2 * max(peaks))),
            "load": {
                "query": options.query or _PLACEHOLDER,
                "perReplica": format_quantity(float(f"{capacities[0]:.4g}")),
            },
            "forecast": {"model": options.model, "quantile": "0.95"},
        },
    }
    try:
        return WrittenPolicy.read(manifest)
    except SpecRefused as error:
        raise InputError(
            f"{loads[0].name}: no default policy fits this load ({error}); give --policy"
        ) from error


def _objective(text: str) -> Objective:
    name, equals, value = text.partition("=")
    if not equals or name not in list(Limit):
        limits = ", ".join(Limit)
        raise InputError(f"--objective {text!r}: give one of {limits} and its most: unserved=0.1%")
    try:
        at_most = _share(value) if name == Limit.UNSERVED else float(value)
    except ValueError as error:
        raise InputError(
            f"--objective {text!r}: {value!r} is no number; as in unserved=0.1% or cost=1.2"
        ) from error
    if not 0.0 <= at_most < math.inf:
        raise InputError(f"--objective {text!r}: must be a number of at least zero")
    if name == Limit.UNSERVED and at_most >= 1.0:
        raise InputError(f"--objective {text!r}: a share of the load, below one; {value}% is per cent")
    return Objective(Limit(name), at_most)


def _share(text: str) -> float:
    return parse_share(text) if text.endswith("%") else float(text)


def _check_outputs(options: Options) -> None:
    read = [*options.inputs(), *([options.policy] if options.policy else ())]
    check_outputs({"--json": options.json, "--png": options.png}, read)
    for name, path in (("--json", options.json), ("--png", options.png)):
        if (
            options.out
            and path
            and path.resolve().parent == options.out.resolve()
            and _OURS.fullmatch(path.name)
        ):
            raise InputError(f"{name} {path}: --out writes policies by such names there; take another")
    if options.out is not None and options.policy is None and len(options.traces) > 1:
        raise InputError("--out with several traces needs --policy: each would have a default one of its own")
    if options.out is not None and options.out.exists():
        if not options.out.is_dir():
            raise InputError(
                f"--out {options.out}: is a file; name a directory that is empty or not there yet"
            )
        if any(options.out.iterdir()):
            raise InputError(
                f"--out {options.out}: holds files; name a directory that is empty or not there yet"
            )


def _write(
    options: Options, proposal: Proposal, chosen: Tried | None, settings: Sequence[Setting], traces: list[str]
) -> None:
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
    with together() as opening:
        if options.json is not None:
            write_bytes(options.json, json_bytes(proposal, chosen, settings, traces), opening)
        if options.png is not None:
            write_bytes(options.png, front_picture(proposal, chosen), opening)
        if options.out is not None:
            for number, one in enumerate(proposal.front, start=1):
                write_bytes(options.out / f"front-{number:02}.yaml", manifest_text(one).encode(), opening)
            if chosen is not None:
                write_bytes(options.out / "chosen.yaml", manifest_text(chosen).encode(), opening)
