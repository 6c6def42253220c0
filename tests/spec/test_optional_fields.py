"""Each field of the resource left out alone. The cases come from the models and the samples."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from resource_cases import resource

from autoscaler.spec import PredictiveAutoscaler
from autoscaler.spec.resource import Metadata, Spec
from autoscaler.spec.rules import Model
from autoscaler.spec.variation import SpecRefused, WrittenPolicy

_SAMPLES = Path(__file__).resolve().parents[2] / "operator" / "samples"
# The samples, and what excludes something in each of them.
_MANIFESTS: dict[str, dict[str, Any]] = {
    **{path.stem: yaml.safe_load(path.read_text()) for path in sorted(_SAMPLES.glob("*.yaml"))},
    "floor": resource(floor={"kind": "ScaledObject", "name": "web"}),
    "minutes": resource(objective={"shortMinutesPerWeek": 20}),
    "hours": resource(objective={"replicaHoursPerDay": 240}),
}
_ONE_GOAL = "an objective needs exactly one of unserved, shortMinutesPerWeek and replicaHoursPerDay"
# One of a group has to be there; with only one given, it cannot be left out.
_NEEDED = {
    "known-futures.spec.events.1.minReplicas": "an event needs minReplicas, like, or both",
    "objective.spec.objective.unserved": _ONE_GOAL,
    "minutes.spec.objective.shortMinutesPerWeek": _ONE_GOAL,
    "hours.spec.objective.replicaHoursPerDay": _ONE_GOAL,
}


@dataclass(frozen=True)
class _Given:
    """A field that a manifest gives: where it stands there, and what it is."""

    manifest: str
    path: tuple[str | int, ...]
    model: type[Model]
    name: str

    def __str__(self) -> str:
        return ".".join(map(str, (self.manifest, *self.path)))

    @property
    def required(self) -> bool:
        return self.model.model_fields[self.name].is_required()

    def left_out(self) -> dict[str, Any]:
        """The manifest without it."""
        made = copy.deepcopy(_MANIFESTS[self.manifest])
        node: Any = made
        for step in self.path[:-1]:
            node = node[step]
        del node[self.path[-1]]
        return made


def _given(manifest: str, model: Model, raw: Any, path: tuple[str | int, ...] = ()) -> Iterator[_Given]:
    for name, field in type(model).model_fields.items():
        if field.alias not in raw:
            continue
        here, value = (*path, field.alias), getattr(model, name)
        yield _Given(manifest, here, type(model), name)
        for index, part in enumerate(value if isinstance(value, tuple) else ()):
            if isinstance(part, Model):
                yield from _given(manifest, part, raw[field.alias][index], (*here, index))
        if isinstance(value, Model):
            yield from _given(manifest, value, raw[field.alias], here)


def _models(annotation: Any) -> Iterator[type[Model]]:
    """Every model that is part of a type."""
    if isinstance(annotation, type) and issubclass(annotation, Model):
        yield annotation
        for field in annotation.model_fields.values():
            yield from _models(field.annotation)
    for part in get_args(annotation):
        yield from _models(part)


def _faults(manifest: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    try:
        WrittenPolicy.read(manifest)
    except SpecRefused as refused:
        return refused.fields
    return ()


_GIVEN = [
    one
    for name, raw in _MANIFESTS.items()
    for one in _given(name, PredictiveAutoscaler.model_validate(raw), raw)
]


def test_every_field_that_a_user_may_write_is_left_out_somewhere() -> None:
    fields = {
        (model, name) for part in (Metadata, Spec) for model in _models(part) for name in model.model_fields
    }
    assert fields - {(one.model, one.name) for one in _GIVEN} == set()


@pytest.mark.parametrize("given", [one for one in _GIVEN if not one.required], ids=str)
def test_an_optional_field_can_be_left_out_alone_or_it_is_said_what_needs_it(given: _Given) -> None:
    said = [message for _, message in _faults(given.left_out())]
    assert said == ([_NEEDED[str(given)]] if str(given) in _NEEDED else [])


@pytest.mark.parametrize(
    "given", [one for one in _GIVEN if one.required and one.path[0] in ("metadata", "spec")], ids=str
)
def test_a_required_field_that_is_left_out_is_named(given: _Given) -> None:
    ((path, _),) = _faults(given.left_out())
    *parents, last = given.path
    inside = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in parents)
    assert path == f"{inside}.{last}".removeprefix(".")
