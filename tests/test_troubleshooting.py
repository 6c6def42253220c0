"""docs/troubleshooting.md against the code: every reason a user can meet has an entry, none is invented."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from autoscaler.controller.outcome import Write
from autoscaler.planning.decision import Reason
from autoscaler.planning.standing import Verdict
from autoscaler.series import State

_ROOT = Path(__file__).resolve().parents[1]
_CONTROLLER = _ROOT / "autoscaler" / "controller"
_PAGE = (_ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
_HEADING = re.compile(r"^## ", re.MULTILINE)
_ROW = re.compile(r"^\| `([A-Z][A-Za-z]+)` \| ([^|]+) \| ([^|]*)\|$", re.MULTILINE)
_REASON = re.compile(r"[A-Z][A-Za-z]+")
_METRICS = _PAGE.partition("### Metrics")[2]
_SPEND = {Reason.HOURLY_CAP, Reason.DAILY_BUDGET, Reason.MONTHLY_BUDGET}


def _entries(section: str) -> set[str]:
    """Reasons with a row under a heading of the page."""
    (text,) = [part for part in _HEADING.split(_PAGE) if part.partition("\n")[0] == section]
    return {reason for reason, _, _ in _ROW.findall(text)}


@cache
def _calls(name: str) -> list[ast.Call]:
    """Every call of a class by its name, in the modules of the controller that mention it."""
    texts = [path.read_text(encoding="utf-8") for path in _CONTROLLER.rglob("*.py")]
    nodes = [node for text in texts if f"{name}(" in text for node in ast.walk(ast.parse(text))]
    return [
        node
        for node in nodes
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
    ]


def _words(node: ast.AST) -> set[str]:
    """Every reason that stands in an expression, in both arms of a condition for instance."""
    texts = {one.value for one in ast.walk(node) if isinstance(one, ast.Constant)}
    return {text for text in texts if isinstance(text, str) and _REASON.fullmatch(text)}


def _first_words(name: str) -> set[str]:
    return set().union(*(_words(call.args[0]) for call in _calls(name)))


def _conditions() -> dict[str, set[str]]:
    """Reasons written out in the code, by the type of the condition."""
    found: dict[str, set[str]] = {}
    for call in _calls("Finding"):
        (kind,) = _words(call.args[0])
        found.setdefault(kind, set()).update(_words(call.args[2]))
    found["Ready"] |= _first_words("Fault")
    found["ScalingActive"] |= _first_words("Hold")
    found["SignalsHealthy"] |= {state.value for state in State if state is not State.VALUE}
    found["SpendLimited"] |= {reason.value for reason in _SPEND}
    found["Conflict"] |= {"RivalFound", "WritesUndone"}
    found["ObjectiveKept"] |= {verdict.value for verdict in Verdict}
    return found


def test_the_code_still_says_its_reasons_where_they_are_looked_for() -> None:
    assert len(_first_words("Fault")) >= 10
    assert len(_first_words("Hold")) >= 8
    assert _conditions().keys() >= {"Ready", "ScalingActive", "ForecastReady", "CapacityAgrees", "Paused"}


@pytest.mark.parametrize("kind", sorted(_conditions()))
def test_every_reason_of_a_condition_has_an_entry_and_no_other_has(kind: str) -> None:
    assert _entries(kind) == _conditions()[kind]


def _status_reasons() -> set[str]:
    """What status.reason may be: a rule of the decision core, or a word of the status itself."""
    tree = ast.parse((_CONTROLLER / "telling" / "status.py").read_text(encoding="utf-8"))
    found = {reason.value for reason in Reason}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and any(getattr(t, "id", "") == "reason" for t in node.targets):
            found |= _words(node.value)
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "reason":
                    found |= _words(value)
    return found


def test_every_reason_of_a_decision_has_an_entry_and_no_other_has() -> None:
    assert _status_reasons() >= {"AsWished", "Override"}
    assert _entries("status.reason") == _status_reasons()


def test_every_outcome_of_a_write_is_explained() -> None:
    explained = re.findall(r"^\| `([A-Z][a-z]+)` \| .+ \|$", _METRICS, re.MULTILINE)
    assert set(explained) == {write.value for write in Write}


def test_every_entry_says_what_it_means() -> None:
    assert [reason for reason, meaning, _ in _ROW.findall(_PAGE) if len(meaning.split()) < 2] == []


def test_every_metric_that_is_named_is_exported() -> None:
    names = ("telling/metrics.py", "telling/part_figures.py", "operator.py")
    code = "".join((_CONTROLLER / name).read_text(encoding="utf-8") for name in names)
    exported = set(re.findall(r'"(?:\{_PREFIX\}_)?([a-z_]+)"', code))
    rows = re.findall(r"^\| ((?:`[a-z_]+`(?:, )?)+) \|", _METRICS, re.MULTILINE)
    named = {name.removesuffix("_total") for row in rows for name in re.findall(r"[a-z_]+", row)}
    assert len(named) > 10
    assert named <= exported
