"""Autoscalers as people write them, and what becomes of them."""

from __future__ import annotations

import textwrap

from autoscaler.adoption import Adoption, Outcome, Wanted, adopt, autoscalers_in, written
from autoscaler.spec import Manifests, read_text

HPA = """\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web, namespace: shop}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  minReplicas: 2
  maxReplicas: 10
"""

SCALED_OBJECT = """\
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: web, namespace: shop}
spec:
  scaleTargetRef: {name: web}
"""

CPU = "  - {type: cpu, metricType: Utilization, metadata: {value: '70'}}\n"

LOAD = Wanted(load_query="sum(rate(requests_total[2m]))", per_replica=120)


def with_metrics(*metrics: str) -> str:
    """An HPA with these metrics, each in braces."""
    return HPA + "  metrics:\n" + "".join(f"  - {metric}\n" for metric in metrics)


def with_triggers(triggers: str, spec: str = "") -> str:
    """A ScaledObject with these triggers and lines of spec."""
    lines = textwrap.indent(textwrap.dedent(spec).rstrip("\n") + "\n", "  ")
    return SCALED_OBJECT + lines + "  triggers:\n" + triggers


def adopted(text: str, wanted: Wanted | None = None) -> Adoption:
    """What becomes of the only autoscaler in `text`."""
    read = autoscalers_in(text, "f.yaml")
    assert [str(problem) for problem in read.problems] == []
    (one,) = adopt([found.scaler for found in read.found], wanted or Wanted())
    return one


def problems(text: str) -> list[str]:
    """What is wrong with the autoscalers in `text`."""
    return [str(problem) for problem in autoscalers_in(text, "f.yaml").problems]


def told(adoption: Adoption, outcome: Outcome) -> dict[str, str]:
    """Remarks with this outcome by field."""
    return {remark.field: remark.text for remark in adoption.remarks if remark.outcome is outcome}


def checked(adoption: Adoption) -> Manifests:
    """What `autoscaler check` finds in the manifest as it is written."""
    return read_text(written([adoption]), "out.yaml")
