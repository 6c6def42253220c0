"""How hard Hypothesis tries: a short look by default, a long one with `HYPOTHESIS_PROFILE=thorough`."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# Policies are large and some claims apply to few situations, which is no fault of the generator.
PATIENT = (HealthCheck.too_slow, HealthCheck.filter_too_much)

settings.register_profile("short", max_examples=60, deadline=None, suppress_health_check=PATIENT)
settings.register_profile("thorough", max_examples=3000, deadline=None, suppress_health_check=PATIENT)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "short"))
