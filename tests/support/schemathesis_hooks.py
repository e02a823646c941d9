"""What schemathesis may not ask: empty values break the document, and real apps send them."""

from __future__ import annotations

import schemathesis


@schemathesis.hook
def filter_case(_context: schemathesis.HookContext, case: schemathesis.Case) -> bool:
    """Leave out requests with an empty value: `language=`, `transitModes=` must be accepted."""
    given = (case.query or {}).values()
    values = [v for value in given for v in (value if isinstance(value, list) else [value])]
    return not any(isinstance(v, str) and not v.strip(" ,") for v in values)
