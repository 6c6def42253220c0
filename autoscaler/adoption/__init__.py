"""Autoscalers that are already there, as PredictiveAutoscaler resources.

    YAML or object -> form -> Scaler -> Adoption (manifest, comments, remarks) -> YAML

Pure: reads no files and asks no cluster. Nothing of the source is dropped without a remark.
"""

from autoscaler.adoption.compose import Adoption, Wanted, compose
from autoscaler.adoption.quantity import amount
from autoscaler.adoption.reading import Autoscalers, Found, PassedOver, autoscaler_of, autoscalers_in
from autoscaler.adoption.remarks import Outcome, Remark, printable
from autoscaler.adoption.scaler import Scaler
from autoscaler.adoption.together import adopt
from autoscaler.adoption.writing import written

__all__ = [
    "Adoption",
    "Autoscalers",
    "Found",
    "Outcome",
    "PassedOver",
    "Remark",
    "Scaler",
    "Wanted",
    "adopt",
    "amount",
    "autoscaler_of",
    "autoscalers_in",
    "compose",
    "printable",
    "written",
]
