"""Finds the autoscalers in manifests, as text or as the API server sends them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from pydantic import ValidationError

from autoscaler.adoption import hpa, keda
from autoscaler.adoption.form import Form
from autoscaler.adoption.hpa_form import HpaForm
from autoscaler.adoption.keda_form import ScaledObjectForm
from autoscaler.adoption.scaler import Scaler
from autoscaler.spec.manifest import Problem
from autoscaler.spec.problems import explain, path_text
from autoscaler.spec.yamltree import Document, Json, Path, YamlProblem, documents

_GROUPS = {hpa.KIND: hpa.VERSIONS, keda.KIND: keda.VERSIONS}
_LISTS = ("List", *(f"{kind}List" for kind in _GROUPS))

_Any = TypeVar("_Any", bound=Form)


@dataclass(frozen=True, slots=True)
class Found:
    """An autoscaler and where it is written."""

    file: str
    line: int
    scaler: Scaler


@dataclass(frozen=True, slots=True)
class PassedOver:
    """An object that is not taken over, and why."""

    file: str
    line: int
    why: str


@dataclass(slots=True)
class Autoscalers:
    """All that was found, in the order of the text."""

    found: list[Found] = field(default_factory=list)
    passed_over: list[PassedOver] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def autoscalers_in(text: str, file: str) -> Autoscalers:
    """Every autoscaler in the YAML `text`; `file` is its name in what is said about it."""
    result = Autoscalers()
    try:
        for document in documents(text):
            for value, at in _objects(document.value, ()):
                _sort(value, document, at, file, result)
    except YamlProblem as problem:
        result.problems.append(Problem(file, problem.line, path_text(problem.path), problem.message))
    return result


def autoscaler_of(value: Json, name: str) -> Autoscalers:
    """The autoscaler in an object of the API server; `name` is what it is called in what is said about it."""
    result = Autoscalers()
    _sort(value, Document(0, value, {}), (), name, result)
    return result


def _objects(value: Json, at: Path) -> Iterator[tuple[Json, Path]]:
    """The objects of a document, lists opened."""
    if value is None and not at:
        return
    items = value.get("items") if isinstance(value, dict) and value.get("kind") in _LISTS else None
    if isinstance(items, list):
        for index, item in enumerate(items):
            yield from _objects(item, (*at, "items", index))
    else:
        yield value, at


def _sort(value: Json, document: Document, at: Path, file: str, result: Autoscalers) -> None:
    line = document.line_of(at)

    def problem(path: Path, message: str) -> None:
        here = document.line_of(path)
        result.problems.append(Problem(file, here, path_text(path), message, unusable=not here))

    if not isinstance(value, dict) or not isinstance(value.get("kind"), str):
        problem(at, "must be an object with apiVersion, kind, metadata and spec")
        return
    kind, version = str(value["kind"]), value.get("apiVersion")
    if kind not in _GROUPS:
        result.passed_over.append(PassedOver(file, line, _other_kind(kind)))
        return
    if version not in _GROUPS[kind]:
        message = f"must be {' or '.join(_GROUPS[kind])}, not {version}: export it in such a version"
        problem((*at, "apiVersion"), message)
        return
    try:
        scaler = _scaler(kind, value)
    except ValidationError as error:
        for path, message in explain(error, {}):
            problem((*at, *path), message)
        return
    if isinstance(scaler, Scaler):
        result.found.append(Found(file, line, scaler))
    else:
        result.passed_over.append(PassedOver(file, line, scaler))


def _scaler(kind: str, value: dict[str, Json]) -> Scaler | str:
    """The autoscaler, or why it is passed over. Raises ValidationError."""
    if kind == keda.KIND:
        return keda.from_scaled_object(ScaledObjectForm.model_validate(value))
    form = HpaForm.model_validate(value)
    maker = hpa.maker_of(form)
    if maker:
        return f"skipped, KEDA made {hpa.KIND} {form.metadata.name} from {keda.KIND} {maker}: import that one"
    return hpa.from_hpa(form)


def _other_kind(kind: str) -> str:
    if kind == "ScaledJob":
        return "skipped, a ScaledJob starts jobs and has no replicas to scale"
    return f"skipped, {kind} is no {hpa.KIND} and no {keda.KIND}"
