"""`autoscaler token`: make a token for the service, and the line that lets it in."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from pydantic import ValidationError

from autoscaler.api.access.hashed_token import hashed, new_token
from autoscaler.api.access.token_file import TokenLine
from autoscaler.api.access.verbs import Verb
from autoscaler.signals.errors import InputError


def token(name: str, verbs: Sequence[Verb], namespaces: Sequence[str]) -> None:
    """Print the line for the file of tokens; the token itself, which is kept nowhere, goes to standard error.

    Raises InputError where the line would be refused.
    """
    secret = new_token()
    line = {
        "name": name,
        "hash": hashed(secret),
        "verbs": [verb.value for verb in verbs],
        "namespaces": list(namespaces),
    }
    try:
        TokenLine.model_validate(line)
    except ValidationError as error:
        fault = error.errors()[0]
        field = "".join(f"{part}: " for part in fault["loc"])
        raise InputError(f"no token was made: {field}{fault['msg'].removeprefix('Value error, ')}") from error
    # JSON on one line is YAML too.
    print(f"  - {json.dumps(line, ensure_ascii=False)}")
    print(f"the token, shown only now: {secret}", file=sys.stderr)
