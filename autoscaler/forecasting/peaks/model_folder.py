"""A model of the peak as a folder holds it.

    model.json                 which folder each part is in, and the checksum of that part's manifest
    short-0123456789ab/ …      a part: its manifest and one text for each level (`model`)

Whoever trains a model puts its parts beside those that are there and replaces model.json last, whole. So
whoever reads finds the one model or the other, never some of both. Without a model.json the parts are in
`short`, `middle` and `long`, as in the package.

This is the one place in forecasting that reads files. None of them can run code, and no more is read of
them than a model may hold.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

from autoscaler.forecasting.peaks.model import MANIFEST, MOST_BYTES, UnusableModel
from autoscaler.forecasting.peaks.trained_model import UP_TO_S, Files, TrainedModel

CONTENTS = "model.json"
FORMAT = 1
_MOST_CONTENTS_BYTES = 64 * 1024
_MOST_FILES = 64
_FOLDER = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a part is: a folder beside model.json, and the checksum of its manifest; none: any will do."""

    folder: str
    sha256: str | None = None


def read_trained(folder: Path) -> TrainedModel | None:
    """The model in a folder, verified; None where there is none.

    Raises UnusableModel, naming the file and what is wrong with it.
    """
    try:
        places = places_in(folder)
        if places is None:
            return None
        return TrainedModel.of({part: read_files(folder, place) for part, place in places.items()})
    except OSError as error:
        raise UnusableModel(f"{folder}: cannot be read ({error.strerror or error})") from error
    except UnusableModel as error:
        raise UnusableModel(f"{folder}: {error}") from error


def mark_of(folder: Path) -> bytes:
    """What is another when the folder's model is another; read in no time. Raises OSError."""
    digest = hashlib.sha256()
    for name in (CONTENTS, *(f"{part}/{MANIFEST}" for part in UP_TO_S)):
        path = folder / name
        content = _read(path, MOST_BYTES) if path.is_file() else None
        digest.update(b"-" if content is None else hashlib.sha256(content).digest())
        if content is not None and name == CONTENTS:
            break
    return digest.digest()


def places_in(folder: Path) -> dict[str, Place] | None:
    """Where the parts of the folder's model are; None where there is none. Raises OSError, UnusableModel."""
    contents = folder / CONTENTS
    if contents.is_file():
        return _parsed(_read(contents, _MOST_CONTENTS_BYTES))
    # A folder that is missing or may not be read is not one without a model.
    if not {path.name for path in folder.iterdir()}.intersection(UP_TO_S):
        return None
    return {part: Place(part) for part in UP_TO_S}


def read_files(folder: Path, place: Place) -> Files:
    """The files of one part. Raises OSError, and UnusableModel for what cannot be one."""
    files: dict[str, bytes] = {}
    left = MOST_BYTES
    for path in sorted((folder / place.folder).iterdir()):
        if not path.is_file():
            continue
        if len(files) >= _MOST_FILES:
            raise UnusableModel(f"{place.folder}: more than {_MOST_FILES} files: not a model of ours")
        try:
            files[path.name] = _read(path, left)
        except UnusableModel as error:
            raise UnusableModel(
                f"{place.folder}: larger than {MOST_BYTES:,} bytes: not a model of ours"
            ) from error
        left -= len(files[path.name])
    manifest = files.get(MANIFEST, b"")
    if place.sha256 is not None and hashlib.sha256(manifest).hexdigest() != place.sha256:
        raise UnusableModel(f"{place.folder}: {MANIFEST} is not that of {CONTENTS} (sha256 differs)")
    return files


def contents_of(places: dict[str, Place]) -> bytes:
    """A model.json that names these places, each with its checksum."""
    parts = {part: {"folder": place.folder, "sha256": place.sha256} for part, place in places.items()}
    return (json.dumps({"format": FORMAT, "parts": parts}, indent=1) + "\n").encode("ascii")


def _parsed(content: bytes) -> dict[str, Place]:
    try:
        written = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise UnusableModel(f"{CONTENTS}: not JSON") from error
    if not isinstance(written, dict) or written.get("format") != FORMAT:
        raise UnusableModel(f"{CONTENTS}: not of format {FORMAT}, which this version reads: train it again")
    parts = written.get("parts")
    if not isinstance(parts, dict) or parts.keys() != UP_TO_S.keys():
        raise UnusableModel(f"{CONTENTS}: parts must be {', '.join(UP_TO_S)}")
    return {part: _place(part, parts[part]) for part in UP_TO_S}


def _place(part: str, written: object) -> Place:
    folder = written.get("folder") if isinstance(written, dict) else None
    sha256 = written.get("sha256") if isinstance(written, dict) else None
    if not isinstance(folder, str) or not _FOLDER.fullmatch(folder) or not isinstance(sha256, str):
        raise UnusableModel(f"{CONTENTS}: {part} needs the name of a folder beside it and a sha256")
    return Place(folder, sha256)


def _read(path: Path, most: int) -> bytes:
    with path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise UnusableModel(f"{path.name}: larger than {most:,} bytes: not a model of ours")
    return content
