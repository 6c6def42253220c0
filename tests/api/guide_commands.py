"""What the commands of the guides are written with."""

from __future__ import annotations

import shutil

import pytest

needs_curl_and_jq = pytest.mark.skipif(
    not (shutil.which("curl") and shutil.which("jq")),
    reason="no curl or jq on PATH (apt-get install curl jq)",
)
