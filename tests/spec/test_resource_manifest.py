"""Manifest files: every fault has a file, a line, a field and a remedy, and nothing is a traceback."""

from __future__ import annotations

import io
import textwrap
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.spec import ManifestError, Manifests, read_manifests, read_text, require
from autoscaler.spec.manifest import MAX_BYTES, STDIN

SAMPLES = Path(__file__).resolve().parents[2] / "operator" / "samples"
GOOD = (SAMPLES / "minimal.yaml").read_text(encoding="utf-8")


def _problems(text: str) -> list[str]:
    return [str(problem) for problem in read_text(textwrap.dedent(text), "f.yaml").problems]


def _only(found: Manifests) -> str:
    (problem,) = found.problems
    return str(problem)


@pytest.mark.parametrize("sample", sorted(SAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_sample_is_valid(sample: Path) -> None:
    assert len(require(read_manifests(sample), str(sample))) == 1


def test_the_minimal_sample_has_ten_lines() -> None:
    assert len(GOOD.splitlines()) == 10


def test_every_problem_has_its_own_line_and_path() -> None:
    text = """\
    apiVersion: predictive-autoscaler.dev/v1alpha1
    kind: PredictiveAutoscaler
    metadata:
      name: checkout
    spec:
      scaleTargetRef: {kind: Deployment, name: checkout}
      minReplica: 2
      maxReplicas: "60"
      load:
        query: up
        perReplica: 120
      forecast:
        holidays: NO
      signals:
        - type: CPU
          targetUtilization: 70
        - type: Latency
          query: p99
          threshold: 250
    """
    assert _problems(text) == [
        'f.yaml:7: spec.minReplica: unknown field: did you mean "minReplicas"?',
        'f.yaml:8: spec.maxReplicas: must be a whole number, but "60" is a text: remove the quotes',
        "f.yaml:13: spec.forecast.holidays: NO is read as true or false here: put it in quotes",
        "f.yaml:19: spec.signals[1].threshold: must be a duration such as "
        '"90s", "5m", "1h30m", "28d" or "2w", not 250',
    ]


def test_a_missing_field_is_reported_where_it_belongs() -> None:
    text = GOOD.replace("    perReplica: 120\n", "")
    assert _problems(text) == ["f.yaml:8: spec.load.perReplica: is required: add it"]


def test_a_broken_rule_is_reported_at_its_field() -> None:
    text = GOOD.replace("minReplicas: 2", "minReplicas: 200")
    assert _problems(text) == ["f.yaml:6: spec.minReplicas: minReplicas must not be greater than maxReplicas"]


def test_all_documents_are_read_and_others_skipped() -> None:
    text = f"{GOOD}---\n---\napiVersion: v1\nkind: Service\nmetadata: {{name: x}}\n---\n{GOOD}"
    found = read_text(text, "f.yaml")
    assert [item.line for item in found.resources] == [1, 17]
    assert [(item.kind, item.line) for item in found.skipped] == [("Service", 13)]
    assert not found.problems


@pytest.mark.parametrize("kind", ["List", "PredictiveAutoscalerList"])
def test_items_of_a_list_are_read(kind: str) -> None:
    items = textwrap.indent(GOOD.replace("maxReplicas: 60", "maxReplicas: 1"), "    ").replace(
        "    api", "  - api", 1
    )
    found = read_text(f"apiVersion: v1\nkind: {kind}\nitems:\n{items}", "f.yaml")
    assert _only(found) == (
        "f.yaml:9: items[0].spec.minReplicas: minReplicas must not be greater than maxReplicas"
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("kind: [", "f.yaml:1: not YAML: expected the node content"),
        ("a: 1\n\tb: 2\n", "f.yaml:2: a tab where YAML allows only spaces: indent with spaces"),
        ("a: 1\nb:\n  c: 1\n  c: 2\n", "f.yaml:4: b.c: written twice (first on line 3): remove one"),
        ("a: *x\n", "f.yaml:1: not YAML: found undefined alias"),
        ("a: !python/object:os.system x\n", "f.yaml:1: a: unknown YAML tag"),
        ("? [a]\n: 1\n", "f.yaml:1: a field name must be a plain text"),
        ("a: &a {b: 1}\nc:\n  <<: *a\n", "f.yaml:3: c: merge keys (<<) are not read here"),
        ("[" + "x," * 60_000 + "]", "f.yaml:1: more than 50000 values"),
        ("a: \x07\n", "f.yaml:1: character 0x07 is not allowed in YAML"),
        ("[" * 5000, "f.yaml:1: n"),
        ("- " * 100 + "x", "f.yaml:1: "),
        ("&a [*a]", "f.yaml:1: "),
        ("just words", "f.yaml:1: must be a mapping with apiVersion"),
        ("- 1", "f.yaml:1: must be a mapping with apiVersion"),
        ("a: 1", "f.yaml:1: kind: is required"),
        ("kind: 5", "f.yaml:1: kind: is required"),
        ("kind: PredictiveAutoscaler", "f.yaml:1: apiVersion: is required"),
        (
            "apiVersion: predictive-autoscaler.dev/v1\nkind: PredictiveAutoscaler",
            "f.yaml:1: apiVersion: must be predictive-autoscaler.dev/v1alpha1",
        ),
        (
            "apiVersion: predictive-autoscaler.dev/v1alpha1\nkind: PredictiveAutoscaller",
            'f.yaml:2: kind: unknown kind "PredictiveAutoscaller" in predictive-autoscaler.dev: did you mean',
        ),
        ("kind: List\nitems: 5", "f.yaml:2: items: must be a list"),
        ("---\n---\n", "f.yaml: holds no document"),
        ("# only a remark", "f.yaml: holds no document"),
    ],
    ids=lambda text: text[:24].replace("\n", " "),
)
def test_text_that_is_no_manifest(text: str, problem: str) -> None:
    assert _problems(text)[0].startswith(problem)


def test_aliases_are_followed_but_do_not_explode() -> None:
    shared = GOOD.replace(
        "metadata: {name: checkout}", "metadata: &m {name: checkout}\nstatus: {reason: &r fine}"
    )
    assert len(require(read_text(shared, "f"), "f")) == 1
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 40))
    assert "more than 50000 values" in _problems(bomb)[0]


@pytest.mark.parametrize(
    ("written", "read"),
    [("0x10", 16), ("010", 8), ("0o17", 15), ("1_000", 1000), ("+5", 5), ("60.0", 60), ("6e1", 60)],
)
def test_numbers_are_read_as_kubectl_reads_them(written: str, read: int) -> None:
    (found,) = read_text(GOOD.replace("maxReplicas: 60", f"maxReplicas: {written}"), "f").resources
    assert found.resource.spec.max_replicas == read


def test_an_unquoted_time_is_a_text() -> None:
    event = (
        "  events: [{name: sale, start: 2026-11-27T00:00:00Z, end: 2026-11-28T00:00:00Z, minReplicas: 9}]\n"
    )
    (found,) = read_text(GOOD + event, "f").resources
    assert found.resource.spec.events[0].end_s - found.resource.spec.events[0].start_s == 86_400


@pytest.mark.parametrize(
    "written", [".nan", ".inf", "-.inf", "9" * 5000, "1e999", "nan"], ids=lambda t: t[:8]
)
def test_what_is_not_a_finite_number_is_refused(written: str) -> None:
    for field in ("maxReplicas: 60", "perReplica: 120"):
        problem = _problems(GOOD.replace(field, f"{field.split()[0]} {written}"))[0]
        assert field.split(":")[0] in problem


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"  \n\n", "is empty"),
        (b"\x7fELF\x02\x01\xff\xfe", "is not UTF-8 text"),
        (b"x" * (MAX_BYTES + 1), "is larger than 1 MiB"),
    ],
    ids=["empty", "blank", "binary", "huge"],
)
def test_an_unusable_file_is_one_problem(tmp_path: Path, content: bytes, words: str) -> None:
    file = tmp_path / "f.yaml"
    file.write_bytes(content)
    found = read_manifests(file)
    assert found.problems[0].unusable
    assert _only(found).startswith(f"{file}: {words}")


def test_a_missing_file_and_a_directory(tmp_path: Path) -> None:
    assert "no such file" in _only(read_manifests(tmp_path / "none.yaml"))
    assert "is a directory" in _only(read_manifests(tmp_path))
    assert "cannot be read" in _only(read_manifests(Path("a\0b")))


def test_a_byte_order_mark_is_no_problem(tmp_path: Path) -> None:
    file = tmp_path / "f.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert len(read_manifests(file).resources) == 1


def test_a_dash_is_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(GOOD.replace("60", "x").encode())))
    assert _only(read_manifests(STDIN)).startswith("standard input:7: spec.maxReplicas")


def test_required_resources_are_there_or_it_raises() -> None:
    with pytest.raises(ManifestError, match=r"f:7: spec\.maxReplicas") as raised:
        require(read_text(GOOD.replace("60", "-1"), "f"), "f")
    assert len(raised.value.problems) == 1
    with pytest.raises(ManifestError, match="no PredictiveAutoscaler in it"):
        require(read_text("kind: Service", "f"), "f")


@given(st.data())
def test_a_damaged_manifest_never_raises(data: st.DataObject) -> None:
    text = (SAMPLES / "full.yaml").read_text(encoding="utf-8")
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 40)))
    middle = data.draw(
        st.text(max_size=10) | st.sampled_from(["[", "{", "}", "&a", "*a", "\t", ": ", "- ", "~", "!!int x"])
    )
    found = read_text(text[:start] + middle + text[end:], "f.yaml")
    assert found.resources or found.skipped or found.problems
    assert all(problem.message and "\n" not in str(problem) for problem in found.problems)
