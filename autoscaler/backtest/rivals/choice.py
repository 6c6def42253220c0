"""Which rivals to run, from text such as `hpa:target=70,min=2,keda,static:replicas=20`."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from autoscaler.backtest.rivals.cron import CronRival, read_cron
from autoscaler.backtest.rivals.hpa import HpaRival, HpaSettings
from autoscaler.backtest.rivals.keda import KedaRival, KedaSettings
from autoscaler.backtest.rivals.oracle import OracleRival, OracleSettings
from autoscaler.backtest.rivals.phpa import PhpaRival, PhpaSettings
from autoscaler.backtest.rivals.rival import Rival, RivalContext
from autoscaler.backtest.rivals.settings import Pairs, read_settings, suggest
from autoscaler.backtest.rivals.static import StaticRival, StaticSettings
from autoscaler.signals.errors import InputError

TUNED = "hpa-tuned"
NONE = "none"


@dataclass(frozen=True, slots=True)
class BaselineChoice:
    """rival: which one; name: as shown, with the settings that were given; settings: all of them."""

    rival: str
    name: str
    settings: object

    @property
    def tuned(self) -> bool:
        """Whether it must be tuned to a cost (`tune_hpa`) instead of being built as it stands."""
        return self.rival == TUNED


def parse_baselines(text: str) -> tuple[BaselineChoice, ...]:
    """The rivals named in a list; none for `none`.

    Settings follow a colon, several of them after further colons or commas: a piece with '='
    that names no rival belongs to the rival before it. Raises InputError.
    """
    if text.strip() == NONE:
        return ()
    chosen: list[tuple[str, list[tuple[str, str]]]] = []
    for piece in text.split(","):
        head, *rest = (part.strip() for part in piece.split(":"))
        if head in _KNOWN:
            chosen.append((head, []))
        elif "=" in head and chosen:
            rest.insert(0, head)
        else:
            raise _unknown(head, text)
        chosen[-1][1].extend(_pair(chosen[-1][0], part) for part in rest)
    choices = tuple(_choice(rival, pairs) for rival, pairs in chosen)
    names = [choice.name for choice in choices]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"baseline {name} is listed twice; leave one out or give it other settings")
    return choices


def build(choice: BaselineChoice, context: RivalContext) -> Rival:
    """A fresh instance for one run over one trace. Not for `hpa-tuned`, which needs `tune_hpa`.

    Raises InputError where the trace does not hold what the rival is set up from.
    """
    if choice.tuned:
        raise TypeError(f"{TUNED} is built by tune_hpa, which needs a cost to tune to")
    return _KNOWN[choice.rival][1](choice.name, choice.settings, context)


def _choice(rival: str, pairs: list[tuple[str, str]]) -> BaselineChoice:
    given = [name for name, _ in pairs]
    for name in given:
        if given.count(name) > 1:
            raise InputError(f"baseline {rival} has {name} twice; leave one out")
    settings = _KNOWN[rival][0](rival, pairs)
    return BaselineChoice(rival, ":".join([rival, *(f"{name}={value}" for name, value in pairs)]), settings)


def _pair(rival: str, part: str) -> tuple[str, str]:
    name, equals, value = part.partition("=")
    if not equals or not name or not value:
        raise InputError(f"baseline {rival}: {part!r} is not a setting; write name=value")
    return name.strip(), value.strip()


def _read_tuned(rival: str, pairs: Pairs) -> HpaSettings:
    names = [field.name for field in dataclasses.fields(HpaSettings) if field.name != "target"]
    for name, _ in pairs:
        if name not in names:
            raise InputError(f"baseline {rival} has no setting {name!r}{suggest(name, names)}")
    return read_settings(rival, HpaSettings, pairs)


def _unknown(name: str, text: str) -> InputError:
    if name == NONE:
        return InputError(f"--baselines {text!r}: none stands alone; leave it or the others out")
    if not name:
        return InputError(
            f"--baselines {text!r} has an empty entry; give rivals separated by commas, or none"
        )
    if "=" in name:
        return InputError(
            f"--baselines begins with the setting {name!r}; name a rival first, as in hpa:{name}"
        )
    return InputError(f"there is no baseline {name!r}{suggest(name, [*_KNOWN, NONE])}")


# Any: each entry's settings are read by the function beside its own class.
_KNOWN: dict[str, tuple[Callable[[str, Pairs], Any], Callable[[str, Any, RivalContext], Rival]]] = {
    "hpa": (lambda rival, pairs: read_settings(rival, HpaSettings, pairs), HpaRival),
    TUNED: (_read_tuned, HpaRival),
    "keda": (lambda rival, pairs: read_settings(rival, KedaSettings, pairs), KedaRival),
    "phpa": (lambda rival, pairs: read_settings(rival, PhpaSettings, pairs), PhpaRival),
    "cron": (read_cron, CronRival),
    "static": (lambda rival, pairs: read_settings(rival, StaticSettings, pairs), StaticRival),
    "oracle": (lambda rival, pairs: read_settings(rival, OracleSettings, pairs), OracleRival),
}
