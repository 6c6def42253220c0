"""Reading a YAML file that an administrator wrote: into a typed model, or one line per fault.

Keys are camelCase, as in Kubernetes' own configuration files, and written once; a duration is Go-style text.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from autoscaler.spec.yamltree import Document, YamlProblem, documents

_MOST_BYTES = 1024 * 1024


class ConfigurationError(ValueError):
    """The configuration cannot be used; the message is one line per fault."""


def _key(name: str) -> str:
    return to_camel(name.removesuffix("_s"))


class Section(BaseModel):
    """A mapping of the file. An attribute `patience_s` is the key `patience`, and only Python knows it as
    `patience_s`."""

    model_config = ConfigDict(
        alias_generator=_key, validate_by_name=True, frozen=True, extra="forbid", validate_default=True
    )


_Settings = TypeVar("_Settings", bound=Section)


def read_settings(path: Path, kind: type[_Settings], least: str) -> _Settings:
    """The settings in the file at `path`. least: what it must hold, in words, to tell when it holds nothing.

    Raises ConfigurationError, one line per fault.
    """
    try:
        raw = path.read_bytes()[: _MOST_BYTES + 1]
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror or error}") from error
    if len(raw) > _MOST_BYTES:
        raise ConfigurationError(f"{path}: is larger than 1 MiB; name the right file")
    written = _documents(path, raw)
    if len(written) > 1:
        raise ConfigurationError(f"{path}: line {written[1].line}: a second document; only one is read")
    if not written or not isinstance(written[0].value, dict):
        raise ConfigurationError(f"{path}: must be a mapping with at least {least}")
    try:
        return kind.model_validate(written[0].value, by_alias=True, by_name=False)
    except ValidationError as error:
        raise ConfigurationError("\n".join(_faults(path, error))) from error


def _documents(path: Path, raw: bytes) -> list[Document]:
    try:
        return list(documents(raw.decode()))
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: is no YAML: {error}") from error
    except YamlProblem as problem:
        where = ".".join(str(part) for part in problem.path)
        told = f"{where}: {problem.message}" if where else problem.message
        raise ConfigurationError(f"{path}: line {problem.line}: {told}") from problem


def _faults(path: Path, error: ValidationError) -> list[str]:
    lines = []
    for fault in error.errors(include_url=False, include_input=False):
        where = ".".join(str(part) for part in fault["loc"])
        if fault["type"] == "too_short" and error.error_count() > 1:
            continue  # it counts as short because its entries, told already, do not count
        told = fault["msg"].removeprefix("Value error, ")
        if fault["type"] == "extra_forbidden":
            told = "is unknown; check the spelling"
        elif fault["type"] == "missing":
            told = "is required"
        lines.append(f"{path}: {where}: {told}" if where else f"{path}: {told}")
    return lines
