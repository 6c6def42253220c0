"""Manifests: YAML files in, PredictiveAutoscaler resources and problems with their lines out.

Reads whatever kubectl apply would be given: several documents, `List` kinds, other kinds between
ours. Nothing here raises for what is in a file; every fault becomes a `Problem`.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path as FilePath

from pydantic import ValidationError

from autoscaler.spec.problems import did_you_mean, explain, path_text
from autoscaler.spec.resource import API_VERSION, GROUP, KIND, PredictiveAutoscaler
from autoscaler.spec.yamltree import Document, Json, Path, YamlProblem, documents, shown

MAX_BYTES = 1024 * 1024
STDIN = FilePath("-")
_LISTS = ("List", f"{KIND}List")


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault. unusable: the file could not be read at all."""

    file: str
    line: int
    path: str
    message: str
    unusable: bool = False

    def __str__(self) -> str:
        """`FILE:LINE: spec.signals[1].threshold: what is wrong and what to do`."""
        where = self.file if self.unusable else f"{self.file}:{self.line}"
        return f"{where}: {self.path}: {self.message}" if self.path else f"{where}: {self.message}"


@dataclass(frozen=True, slots=True)
class Located:
    """A valid resource, where it is written, and as it is written."""

    file: str
    line: int
    resource: PredictiveAutoscaler
    manifest: dict[str, Json]


@dataclass(frozen=True, slots=True)
class Skipped:
    """A document of another kind."""

    file: str
    line: int
    kind: str


@dataclass(slots=True)
class Manifests:
    """All that was found, in the order of the files."""

    resources: list[Located] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def extend(self, other: Manifests) -> None:
        """Add what another file holds."""
        self.resources += other.resources
        self.skipped += other.skipped
        self.problems += other.problems


class ManifestError(ValueError):
    """Manifests that cannot be used; `problems` lists why, the message is one line for each."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


def require(found: Manifests, source: str) -> list[Located]:
    """The resources, of which there must be at least one. Raises ManifestError for any problem."""
    if found.problems:
        raise ManifestError(found.problems)
    if not found.resources:
        raise ManifestError([_unusable(source, f"no {KIND} in it: write one, see operator/samples")])
    return found.resources


def read_manifests(path: FilePath) -> Manifests:
    """Everything in the file at `path`, or on standard input for `-`."""
    name = "standard input" if path == STDIN else str(path)
    try:
        if path == STDIN:
            raw = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with path.open("rb") as file:
                raw = file.read(MAX_BYTES + 1)
    except IsADirectoryError:
        return Manifests(problems=[_unusable(name, "is a directory: name the files in it")])
    except FileNotFoundError:
        return Manifests(problems=[_unusable(name, "no such file: check the path")])
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return Manifests(problems=[_unusable(name, f"cannot be read: {reason}")])
    if len(raw) > MAX_BYTES:
        return Manifests(problems=[_unusable(name, "is larger than 1 MiB: split it, or name the right file")])
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return Manifests(problems=[_unusable(name, "is not UTF-8 text: name a YAML file")])
    if not text.strip():
        return Manifests(problems=[_unusable(name, f"is empty: write a {KIND} into it")])
    return read_text(text, name)


def read_text(text: str, file: str) -> Manifests:
    """Everything in the YAML `text`; `file` is its name in problems."""
    found = Manifests()
    try:
        for document in documents(text):
            _Collector(file, document, found).collect(document.value, ())
    except YamlProblem as problem:
        found.problems.append(Problem(file, problem.line, path_text(problem.path), problem.message))
    if not (found.resources or found.skipped or found.problems):
        found.problems.append(_unusable(file, f"holds no document: write a {KIND} into it"))
    return found


def _unusable(file: str, message: str) -> Problem:
    return Problem(file, 0, "", message, unusable=True)


@dataclass(frozen=True, slots=True)
class _Collector:
    """Sorts the objects of one document into what was found."""

    file: str
    document: Document
    found: Manifests

    def collect(self, value: Json, at: Path) -> None:
        if value is None and not at:
            return  # an empty document between two separators
        if not isinstance(value, dict):
            self.problem(at, "must be a mapping with apiVersion, kind, metadata and spec")
            return
        kind, version = value.get("kind"), value.get("apiVersion")
        if not isinstance(kind, str) or not kind:
            self.problem((*at, "kind"), f"is required: {KIND} here")
        elif kind in _LISTS:
            self.collect_items(value.get("items"), at)
        elif kind == KIND:
            self.resource(value, at)
        elif isinstance(version, str) and version.partition("/")[0] == GROUP:
            self.problem(
                (*at, "kind"), f"unknown kind {shown(kind)} in {GROUP}: {did_you_mean(kind, [KIND])}"
            )
        else:
            self.found.skipped.append(Skipped(self.file, self.document.line_of(at), kind))

    def collect_items(self, items: Json, at: Path) -> None:
        if not isinstance(items, list):
            self.problem((*at, "items"), "must be a list of objects")
            return
        for index, item in enumerate(items):
            self.collect(item, (*at, "items", index))

    def resource(self, value: dict[str, Json], at: Path) -> None:
        if value.get("apiVersion") not in (None, API_VERSION):
            self.problem((*at, "apiVersion"), f"must be {API_VERSION}, not {shown(value['apiVersion'])}")
            return
        depth = len(at)
        written = {
            path[depth:]: word for path, word in self.document.plain_words.items() if path[:depth] == at
        }
        try:
            resource = PredictiveAutoscaler.model_validate(value)
        except ValidationError as error:
            faults = [((*at, *path), message) for path, message in explain(error, written)]
            for path, message in sorted(faults, key=lambda fault: self.document.line_of(fault[0])):
                self.problem(path, message)
            return
        self.found.resources.append(Located(self.file, self.document.line_of(at), resource, value))

    def problem(self, path: Path, message: str) -> None:
        line = self.document.line_of(path)
        self.found.problems.append(Problem(self.file, line, path_text(path), message))
