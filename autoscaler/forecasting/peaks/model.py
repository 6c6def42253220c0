"""The shared model of the coming peak: gradient-boosted trees, a forest for each quantile.

The trees predict what the workload's own ridge leaves over, from the clues of `learned_peaks`. A model
consists of a manifest and one text file per quantile (`forest_text`). Reading them runs no code of theirs.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from autoscaler.forecasting.peaks import forest_text
from autoscaler.series import Floats

if TYPE_CHECKING:
    from lightgbm import Booster

FORMAT = 1
MANIFEST = "manifest.json"
MOST_BYTES = 5_000_000
"""Most that the files of a model may hold together."""
_MOST_LEVELS = 32
_FILE = re.compile(r"[a-z0-9_.]{1,40}")

Table = NDArray[np.float32]


class UnusableModel(ValueError):
    """A model file that is not what it should be; the message says which and why."""


@dataclass(frozen=True, slots=True)
class PeakModel:
    """levels: [level], ascending. clues: names of the columns it was trained on. forests: one per level."""

    levels: Floats
    clues: tuple[str, ...]
    forests: tuple[Booster, ...]

    def surplus(self, table: Table) -> Floats:
        """Quantiles of the rise beyond what the ridge expects, from clues [row, clue]: [row, level].

        They may cross; whoever adds the ridge's part sorts them.
        """
        if len(table) == 0:
            return np.empty((0, len(self.levels)))
        # More threads gain nothing on the few rows of a tick, and wait for each other on a busy machine.
        return np.stack([forest.predict(table, num_threads=1) for forest in self.forests], axis=1)


def read_model(files: Mapping[str, bytes]) -> PeakModel:
    """The model in these files, by name. Raises UnusableModel, naming file and reason."""
    manifest = _manifest(files.get(MANIFEST))
    if sum(len(content) for content in files.values()) > MOST_BYTES:
        raise UnusableModel(f"larger than {MOST_BYTES:,} bytes together: not a model of ours")
    clues = tuple(manifest["clues"])
    forests = []
    for entry in manifest["forests"]:
        name = entry["file"]
        content = files.get(name)
        if content is None:
            raise UnusableModel(f"{name}: named in {MANIFEST} but missing")
        if hashlib.sha256(content).hexdigest() != entry["sha256"]:
            raise UnusableModel(f"{name}: changed or cut off since it was written (sha256 differs)")
        forests.append(_forest(name, content, len(clues)))
    levels = np.array([entry["level"] for entry in manifest["forests"]])
    return PeakModel(levels, clues, tuple(forests))


def written_model(
    clues: tuple[str, ...], forests: Mapping[float, str], about: Mapping[str, Any]
) -> dict[str, bytes]:
    """The files of a model: LightGBM's text for every quantile level. about: what else the manifest says."""
    files: dict[str, bytes] = {}
    entries = []
    for level in sorted(forests):
        name = f"q{round(1000 * level):03d}.txt"
        files[name] = forest_text.trimmed(forests[level]).encode("ascii")
        entries.append({"level": level, "file": name, "sha256": hashlib.sha256(files[name]).hexdigest()})
    manifest = {"format": FORMAT, **about, "clues": list(clues), "forests": entries}
    files[MANIFEST] = (json.dumps(manifest, indent=1) + "\n").encode("ascii")
    return files


def at_levels(quantiles: Floats, known: Floats, wanted: Floats) -> Floats:
    """Quantiles [row, known] at other levels: linear in the normal distribution's own scale, and the
    outermost ones beyond them."""
    score = NormalDist().inv_cdf
    at = np.interp([score(x) for x in wanted], [score(x) for x in known], np.arange(len(known)))
    low = np.floor(at).astype(np.int64)
    high = np.minimum(low + 1, len(known) - 1)
    between: Floats = quantiles[:, low] + (at - low) * (quantiles[:, high] - quantiles[:, low])
    return between


def _manifest(content: bytes | None) -> dict[str, Any]:
    if content is None:
        raise UnusableModel(f"{MANIFEST} is missing")
    try:
        manifest = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise UnusableModel(f"{MANIFEST}: not JSON ({str(error)[:100]})") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        found = repr(manifest.get("format") if isinstance(manifest, dict) else None)[:20]
        raise UnusableModel(f"{MANIFEST}: format {found}, but this version reads {FORMAT}: train it again")
    clues, forests = manifest.get("clues"), manifest.get("forests")
    if not isinstance(clues, list) or not all(isinstance(clue, str) for clue in clues):
        raise UnusableModel(f"{MANIFEST}: clues must be a list of names")
    if not isinstance(forests, list) or not 1 <= len(forests) <= _MOST_LEVELS:
        raise UnusableModel(f"{MANIFEST}: forests must be a list of 1 to {_MOST_LEVELS} entries")
    if not all(_is_entry(entry) for entry in forests):
        raise UnusableModel(f"{MANIFEST}: each forest needs a level within (0, 1), a file and its sha256")
    levels = [entry["level"] for entry in forests]
    if levels != sorted(set(levels)):
        raise UnusableModel(f"{MANIFEST}: levels must rise")
    return manifest


def _is_entry(entry: Any) -> bool:
    return (
        isinstance(entry, dict)
        and isinstance(entry.get("level"), float)
        and 0.0 < entry["level"] < 1.0
        and isinstance(entry.get("file"), str)
        and _FILE.fullmatch(entry["file"]) is not None
        and isinstance(entry.get("sha256"), str)
    )


def _forest(name: str, content: bytes, clues: int) -> Booster:
    try:
        text = content.decode("ascii")
        forest_text.check(text, clues)
    except (UnicodeDecodeError, ValueError, KeyError) as error:
        raise UnusableModel(f"{name}: not a forest that can be used ({error})") from error
    # Takes a third of a second, which whoever uses no learned model should not pay.
    try:
        import lightgbm
    except (ImportError, OSError) as error:
        raise UnusableModel(f"LightGBM cannot be loaded ({error}); it needs OpenMP (libgomp1)") from error

    try:
        return lightgbm.Booster(model_str=text)
    except lightgbm.basic.LightGBMError as error:
        raise UnusableModel(f"{name}: refused by LightGBM ({error})") from error
