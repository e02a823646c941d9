"""
The tables of docs/feed-checks.md, made of the rules, the pairs and the differences.

`python -m tests.support.feed_checks_page` writes them anew.
"""

from __future__ import annotations

import re
from pathlib import Path

from mobility.finding_rules import RULES
from tests.support.check_peers import PAIRS, Pair
from tests.support.peer_differences import DIFFERENCES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "feed-checks.md"


def rules_table() -> str:
    """Every rule with its severity, meaning, remedy and the peers' rules."""
    lines = ["| rule | severity | meaning | what to do | gtfs-guru | gtfs-analyzer |"]
    lines.append("| --- | --- | --- | --- | --- | --- |")
    for name, rule in RULES.items():
        pairs = [pair for pair in PAIRS if pair.ours.partition("@")[0] == name]
        severity = ", ".join(str(s) for s in rule.severities)
        guru = _names(pairs, "guru")
        analyzer = _names(pairs, "analyzer")
        lines.append(
            f"| `{name}` | {severity} | {rule.meaning} | {rule.advice} | {guru} | {analyzer} |"
        )
    return "\n".join(lines)


def _names(pairs: list[Pair], peer: str) -> str:
    names = dict.fromkeys(rule.partition("@")[0] for pair in pairs for rule in getattr(pair, peer))
    return ", ".join(f"`{name}`" for name in names) or "–"


def differences_table() -> str:
    """Every known difference with its reason."""
    lines = ["| rule | peer | who | why | seen in |", "| --- | --- | --- | --- | --- |"]
    for key, reason in DIFFERENCES.items():
        count = len(reason.feeds)
        seen = f"`{reason.feeds[0]}`" + (f" and {count - 1} more" if count > 1 else "")
        lines.append(f"| `{key.ours}` | {key.peer} | {key.kind} | {reason.why} | {seen} |")
    return "\n".join(lines)


def filled(page: str) -> str:
    """Put both tables between their marks."""
    for name, table in (("rules", rules_table()), ("differences", differences_table())):
        begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
        block = f"{begin}\n\n{table}\n\n{end}"
        page, count = re.subn(f"{begin}.*?{end}", lambda _, b=block: b, page, flags=re.DOTALL)
        assert count == 1, f"{PAGE} has no place for its {name}"
    return page


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
