"""`autoscaler crd`: print the CustomResourceDefinition."""

from __future__ import annotations

import sys

import yaml

from autoscaler.spec.schema import custom_resource_definition


class _Plain(yaml.SafeDumper):
    """Writes repeated parts out instead of referring to them."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def render() -> str:
    """The CRD as YAML, the same text every time."""
    return yaml.dump(
        custom_resource_definition(), Dumper=_Plain, sort_keys=False, allow_unicode=True, width=100
    )


def crd() -> None:
    """Print the CRD to standard output."""
    sys.stdout.write(render())
