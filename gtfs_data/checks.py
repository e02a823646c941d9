"""Findings: what is wrong in published data, said row by row, instead of exceptions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

FINDINGS_PER_RULE = 50
"""More rows with the same defect are counted, not listed: one bad export repeats itself."""


class Severity(StrEnum):
    """How much a finding hurts."""

    ERROR = "error"
    """Data was left out, changed or cannot be meant: journeys may be missing or wrong."""
    WARNING = "warning"
    """Suspicious or repaired without loss."""
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Finding:
    """One defect: where it is and what was done about it."""

    severity: Severity
    rule: str
    file: str
    row: int | None
    """Line of the file, the header being line 1; None when it concerns the whole file."""
    message: str


@dataclass(frozen=True, slots=True)
class RuleFindings:
    """All that was found by one rule with one severity."""

    severity: Severity
    rule: str
    count: int
    """Those that are not listed included."""
    listed: tuple[Finding, ...]


class Findings:
    """Collects findings, keeping the first of each rule and file and counting the rest."""

    def __init__(self) -> None:
        self._kept: list[Finding] = []
        self._counts: Counter[tuple[Severity, str, str]] = Counter()

    def add(self, severity: Severity, rule: str, file: str, row: int | None, message: str) -> None:
        """Record one defect."""
        key = (severity, rule, file)
        self._counts[key] += 1
        if self._counts[key] <= FINDINGS_PER_RULE:
            self._kept.append(Finding(severity, rule, file, row, message))

    def error(self, rule: str, file: str, row: int | None, message: str) -> None:
        """Record a defect that costs data."""
        self.add(Severity.ERROR, rule, file, row, message)

    def warning(self, rule: str, file: str, row: int | None, message: str) -> None:
        """Record a suspicious or repaired value."""
        self.add(Severity.WARNING, rule, file, row, message)

    def info(self, rule: str, file: str, row: int | None, message: str) -> None:
        """Record something worth knowing."""
        self.add(Severity.INFO, rule, file, row, message)

    def extend(self, other: Findings, prefix: str = "") -> None:
        """Take over another collection; `prefix` names its feed."""
        for finding in other._kept:
            self._kept.append(
                Finding(
                    finding.severity,
                    finding.rule,
                    prefix + finding.file,
                    finding.row,
                    finding.message,
                )
            )
        for (severity, rule, file), count in other._counts.items():
            self._counts[severity, rule, prefix + file] += count

    def __iter__(self) -> Iterator[Finding]:
        order = list(Severity)
        return iter(sorted(self._kept, key=lambda f: (order.index(f.severity), f.file, f.rule)))

    def count(self, severity: Severity) -> int:
        """Number of defects of a severity, those not listed included."""
        return sum(n for (sev, _, _), n in self._counts.items() if sev is severity)

    def unlisted(self) -> dict[tuple[str, str], int]:
        """(file, rule) → how many defects were counted but not listed."""
        return {
            (file, rule): n - FINDINGS_PER_RULE
            for (_, rule, file), n in self._counts.items()
            if n > FINDINGS_PER_RULE
        }

    def by_rule(self) -> list[RuleFindings]:
        """Group by rule, the gravest and most frequent first."""
        counts: Counter[tuple[Severity, str]] = Counter()
        for (severity, rule, _), n in self._counts.items():
            counts[severity, rule] += n
        listed: dict[tuple[Severity, str], list[Finding]] = {}
        for finding in self:
            listed.setdefault((finding.severity, finding.rule), []).append(finding)
        order = list(Severity)
        return [
            RuleFindings(severity, rule, n, tuple(listed[severity, rule]))
            for (severity, rule), n in sorted(
                counts.items(), key=lambda item: (order.index(item[0][0]), -item[1], item[0][1])
            )
        ]

    def worst(self) -> Severity | None:
        """Gravest severity present, or None."""
        return next((s for s in Severity if self.count(s)), None)
