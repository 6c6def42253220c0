"""Putting a trained model in a folder, so that whoever reads it finds the old one or the new one, whole."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import time
import uuid
from collections.abc import Mapping
from pathlib import Path

from autoscaler.backtest.report.writing import write_bytes
from autoscaler.forecasting.peaks.model import MANIFEST, UnusableModel
from autoscaler.forecasting.peaks.model_folder import (
    CONTENTS,
    Place,
    contents_of,
    places_in,
    read_files,
    read_trained,
)
from autoscaler.forecasting.peaks.trained_model import UP_TO_S, Files, TrainedModel
from autoscaler.signals.errors import InputError

_OURS = re.compile(rf"({'|'.join(UP_TO_S)})(-[0-9a-f]{{12}})?|\.writing-[0-9a-f]{{32}}")
_ABANDONED_S = 86_400.0
"""What nothing names may be what another training is about to name, unless it is older than this."""


def check_folder(folder: Path) -> None:
    """Raise InputError where `folder` cannot take a model, before any long work is done for it."""
    if not folder.is_dir():
        raise InputError(f"--out {folder}: not a directory; create it first")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InputError(f"--out {folder}: not writable")


def publish(folder: Path, parts: Mapping[str, Files]) -> TrainedModel:
    """Put the model in the folder, in place of the one that is there; it is read again before it counts.

    Parts are named after their content, so those that are there already are left as they are. Whoever has
    just read the old model.json may still be reading its parts, so they stay until the next model comes.
    Raises InputError; then the model there stays in force.
    """
    try:
        before = _places(folder)
        places = {part: _placed(folder, part, files) for part, files in parts.items()}
        TrainedModel.of({part: read_files(folder, place) for part, place in places.items()})
        write_bytes(folder / CONTENTS, contents_of(places))
        found = read_trained(folder)
        _clear(folder, {place.folder for place in (*before.values(), *places.values())})
    except UnusableModel as error:
        raise InputError(f"--out {folder}: what was written cannot be read back: {error}") from error
    except OSError as error:
        raise InputError(f"--out {folder}: cannot be written ({error.strerror or error})") from error
    if found is None:
        raise InputError(f"--out {folder}: what was written is gone; does something else clear this folder?")
    return found


def _placed(folder: Path, part: str, files: Files) -> Place:
    """Where this part is in the folder; it is put there whole, unless it is there."""
    sha256 = hashlib.sha256(files[MANIFEST]).hexdigest()
    place = Place(f"{part}-{sha256[:12]}", sha256)
    target = folder / place.folder
    if target.exists():
        if _holds(folder, place, files):
            return place
        # Damaged, and so of no use to anybody.
        shutil.rmtree(target)
    making = folder / f".writing-{uuid.uuid4().hex}"
    making.mkdir()
    try:
        for name, content in files.items():
            write_bytes(making / name, content)
        making.rename(target)
    except BaseException:
        # Ctrl-C included: nothing partial may stay.
        shutil.rmtree(making, ignore_errors=True)
        raise
    return place


def _places(folder: Path) -> dict[str, Place]:
    """Where the model is that is about to be replaced; nowhere if there is none that can be used."""
    try:
        return places_in(folder) or {}
    except UnusableModel:
        return {}


def _holds(folder: Path, place: Place, files: Files) -> bool:
    try:
        return read_files(folder, place) == dict(files)
    except UnusableModel:
        return False


def _clear(folder: Path, kept: set[str]) -> None:
    """Remove parts, and beginnings of parts, that nothing names."""
    for path in folder.iterdir():
        abandoned = path.name not in kept and path.stat().st_mtime < time.time() - _ABANDONED_S
        if abandoned and _OURS.fullmatch(path.name) and path.is_dir():
            shutil.rmtree(path)
