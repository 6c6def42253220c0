"""`autoscaler import` as people run it: manifests out, remarks on standard error, exit codes."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
import yaml
from command import Autoscaler

GOLDEN = Path(__file__).resolve().parents[1] / "adoption" / "golden"

HPA = """\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web, namespace: shop}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  minReplicas: 2
  maxReplicas: 10
"""
LOAD = ("--load-query", "sum(rate(requests_total[2m]))", "--per-replica", "1.5k")


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "hpa.yaml").write_text(HPA)
    return tmp_path


@pytest.mark.parametrize("name", ["hpa", "scaled-object"])
@pytest.mark.parametrize("floor", [False, True], ids=["whole", "floor"])
def test_manifest_and_remarks_are_as_recorded(name: str, floor: bool, autoscaler: Autoscaler) -> None:
    """Recorded anew with AUTOSCALER_RECORD=1; read the difference before you keep it."""
    source = GOLDEN / f"{name}.in.yaml"
    ended = autoscaler("import", str(source), *(["--floor"] if floor else []))
    stem = f"{name}.floor" if floor else name
    for file, text in ((f"{stem}.out.yaml", ended.out), (f"{stem}.err.txt", ended.err)):
        if os.environ.get("AUTOSCALER_RECORD"):
            (GOLDEN / file).write_text(text, encoding="utf-8")
        assert text == (GOLDEN / file).read_text(encoding="utf-8")
    assert ended.code == 1


def test_with_the_load_given_all_is_carried_over_and_check_is_content(
    here: Path, autoscaler: Autoscaler
) -> None:
    ended = autoscaler("import hpa.yaml", *LOAD)
    assert ended.code == 0
    assert ended.err.endswith("all carried over; next: autoscaler check\n")
    (here / "pa.yaml").write_text(ended.out)
    checked = autoscaler("check pa.yaml")
    assert (checked.code, checked.out) == (0, "pa.yaml:1: ok, PredictiveAutoscaler shop/web\n")


def test_without_the_load_the_manifest_is_refused_by_check_where_it_is_to_be_filled_in(
    here: Path, autoscaler: Autoscaler
) -> None:
    ended = autoscaler("import hpa.yaml --output pa.yaml")
    assert (ended.code, ended.out) == (1, "")
    assert "  fill in  spec.load.query: PromQL giving the demand" in ended.err
    assert ended.err.endswith('2 things need you: see "lost" and "fill in"; then: autoscaler check\n')
    checked = autoscaler("check pa.yaml")
    assert checked.code == 1
    assert [line.split(": ", 1)[1] for line in checked.err.splitlines()] == [
        "spec.load.query: is required: add it",
        "spec.load.perReplica: is required: add it",
    ]


@pytest.mark.usefixtures("here")
def test_the_mode_is_recommend_unless_asked_otherwise(autoscaler: Autoscaler) -> None:
    assert yaml.safe_load(autoscaler("import hpa.yaml").out)["spec"]["mode"] == "Recommend"
    assert yaml.safe_load(autoscaler("import hpa.yaml --mode Active").out)["spec"]["mode"] == "Active"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("none.yaml", "none.yaml: cannot be read: No such file or directory"),
        (".", ".: cannot be read: Is a directory"),
        ("service.yaml", "service.yaml: nothing to import: give a file with"),
        ("two.yaml --per-replica 3", "two.yaml: holds 2 autoscalers, but --load-query and --per-replica"),
        ("hpa.yaml --per-replica 0", "--per-replica '0' must be an amount above zero"),
        ("hpa.yaml --load-query=", "--load-query must be PromQL"),
        ("hpa.yaml --mode active", "Invalid value for '--mode'"),
        ("hpa.yaml -n shop", "'hpa.yaml' is a file; with -n"),
        ("hpa.yaml --output no/such/folder", "--output no/such/folder: cannot be written: No such file"),
        ("hpa/web --kubeconfig none", "hpa/web: kubeconfig none: no such file"),
    ],
)
def test_unusable_input_is_one_line_and_exit_code_2(
    line: str, said: str, here: Path, autoscaler: Autoscaler
) -> None:
    (here / "service.yaml").write_text("apiVersion: v1\nkind: Service\n")
    (here / "two.yaml").write_text(HPA + "---\n" + HPA)
    ended = autoscaler(f"import {line}")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.splitlines()[-1].startswith(f"autoscaler: {said}")


def test_one_bad_object_leaves_nothing_half_written(here: Path, autoscaler: Autoscaler) -> None:
    (here / "bad.yaml").write_text(HPA + "---\n" + HPA.replace("  maxReplicas: 10\n", ""))
    ended = autoscaler("import bad.yaml --output pa.yaml")
    assert ended.code == 2
    assert ended.err == "bad.yaml:12: spec.maxReplicas: is required: add it\n"
    assert not (here / "pa.yaml").exists()


def test_what_a_manifest_says_cannot_steer_the_terminal(here: Path, autoscaler: Autoscaler) -> None:
    (here / "evil.yaml").write_text('kind: "Serv\\e[31mice\\u2028"\n---\n' + HPA)
    ended = autoscaler("import evil.yaml")
    assert "\x1b" not in ended.err
    assert ended.err.splitlines()[0] == (
        "evil.yaml:1: skipped, Serv?[31mice is no HorizontalPodAutoscaler and no ScaledObject"
    )


class _ApiServer(BaseHTTPRequestHandler):
    """Serves one HPA and one broken ScaledObject; everything else is not there."""

    objects: ClassVar[dict[str, object]] = {
        "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers/web": yaml.safe_load(HPA),
        "/apis/keda.sh/v1alpha1/namespaces/shop/scaledobjects/odd": {
            "apiVersion": "keda.sh/v1alpha1",
            "kind": "ScaledObject",
            "metadata": {"name": "odd", "namespace": "shop"},
            "spec": {"scaleTargetRef": {"name": "odd"}},
        },
    }

    def do_GET(self) -> None:
        found = self.objects.get(self.path)
        missing = {"kind": "Status", "code": 404, "reason": "NotFound", "message": "no such thing"}
        body = json.dumps(found or missing).encode()
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def kubeconfig(here: Path) -> Iterator[Path]:
    """A kubeconfig whose context is in namespace shop."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _ApiServer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    file = here / "kubeconfig"
    url = f"http://127.0.0.1:{server.server_port}"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": url}}],
        "users": [{"name": "u", "user": {"token": "secret"}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u", "namespace": "shop"}}],
        "current-context": "x",
    }
    file.write_text(yaml.safe_dump(config))
    yield file
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    "named", ["hpa/web", "horizontalpodautoscalers.autoscaling/web", "hpa/web -n shop", "HPA/web --context x"]
)
@pytest.mark.usefixtures("kubeconfig")
def test_an_autoscaler_in_the_cluster_gives_what_its_file_gives(named: str, autoscaler: Autoscaler) -> None:
    from_file = autoscaler("import hpa.yaml")
    assert autoscaler(f"import {named} --kubeconfig kubeconfig") == from_file


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("hpa/none", "autoscaler: hpa/none: not in the cluster, in namespace shop: check both names\n"),
        (
            "scaledobject/web -n else",
            "autoscaler: scaledobject/web: not in the cluster, in namespace else: check both names\n",
        ),
        ("so/odd", "so/odd: spec.triggers: is required: add it\n"),
    ],
)
@pytest.mark.usefixtures("kubeconfig")
def test_what_the_cluster_does_not_have_is_one_line(named: str, said: str, autoscaler: Autoscaler) -> None:
    ended = autoscaler(f"import {named} --kubeconfig kubeconfig")
    assert (ended.code, ended.out, ended.err) == (2, "", said)


def test_a_file_whose_path_looks_like_a_name_in_the_cluster_is_read_with_a_dot_before_it(
    here: Path, autoscaler: Autoscaler
) -> None:
    (here / "hpa").mkdir()
    (here / "hpa" / "web").write_text(HPA)
    assert autoscaler("import ./hpa/web", *LOAD).code == 0
