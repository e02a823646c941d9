"""A feed's report in the terminal, and as JSON."""

from __future__ import annotations

from typing import Any

from rich.table import Table
from rich.text import Text

from gtfs_data.checks import Finding, RuleFindings, Severity
from mobility.actions.check_feed import FEED, FeedReport
from mobility.commands.service_chart import columns_of, sparkline
from mobility.commands.terminal import console, plain
from mobility.finding_rules import RULES

LISTED = 5
"""Findings of a rule that a terminal shows; JSON and the page have all that were kept."""
CHART_COLUMNS = 72
STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}


def show_report(report: FeedReport) -> None:
    """Print what a feed holds, when it runs, and what is wrong in it."""
    console.print(plain(report.file), style="bold")
    agencies = ", ".join(report.agencies) or "no agency"
    console.print(plain(f"{agencies} · {report.zone}"), highlight=False)
    counts = Table.grid(padding=(0, 2))
    counts.add_column(justify="right")
    for name, count in (report.counts | report.more).items():
        counts.add_row(f"{count:,}", name.replace("_", " "))
    console.print(counts)
    _show_service(report)
    for severity in Severity:
        found = [group for group in report.findings.by_rule() if group.severity is severity]
        if found:
            count = report.findings.count(severity)
            console.print()
            console.print(Text(f"{severity.upper()}: {count:,}", style=STYLES[severity]))
            for group in found:
                _show_rule(group)
    if report.findings.worst() is None:
        console.print("No findings.")


def _show_service(report: FeedReport) -> None:
    columns = columns_of(report.service, CHART_COLUMNS)
    if not columns:
        console.print("Nothing runs on any day.")
        return
    days = (columns[0].last - columns[0].first).days + 1
    each = {1: "a day", 7: "a week"}.get(days, f"{days // 7} weeks")
    most = max(report.service["trips"])
    console.print(
        f"Runs {columns[0].first} to {columns[-1].last}, at most {most:,} trips a day "
        f"(a column is {each})",
        highlight=False,
    )
    console.print(Text(sparkline(columns), style="green"), no_wrap=True, crop=True)


def _show_rule(group: RuleFindings) -> None:
    rule = RULES[group.rule]
    console.print(Text.assemble("  ", (group.rule, STYLES[group.severity]), f"  {group.count:,}"))
    table = Table.grid(padding=(0, 2))
    table.add_column(width=2)
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for finding in group.listed[:LISTED]:
        table.add_row("", where(finding), plain(finding.message))
    unlisted = group.count - min(len(group.listed), LISTED)
    if unlisted:
        table.add_row("", "", Text(f"and {unlisted:,} more", style="dim"))
    table.add_row("", Text("what to do", style="dim"), Text(rule.advice, style="dim"))
    console.print(table)


def where(finding: Finding) -> str:
    """File in the feed, and line."""
    file = finding.file.removeprefix(f"{FEED}/")
    return file if finding.row is None else f"{file}:{finding.row}"


def report_json(report: FeedReport) -> dict[str, Any]:
    """All that a report knows."""
    return {
        "file": report.file,
        "sha256": report.sha256,
        "agencies": list(report.agencies),
        "timezone": report.zone,
        "counts": report.counts,
        "more": report.more,
        "service": report.service,
        "severities": {str(s): report.findings.count(s) for s in Severity},
        "rules": [
            {
                "severity": str(group.severity),
                "rule": group.rule,
                "count": group.count,
                "listed": len(group.listed),
                "meaning": RULES[group.rule].meaning,
                "advice": RULES[group.rule].advice,
            }
            for group in report.findings.by_rule()
        ],
        "findings": [finding_json(finding) for finding in report.findings],
    }


def finding_json(finding: Finding) -> dict[str, Any]:
    """One finding for scripts."""
    return {
        "severity": str(finding.severity),
        "rule": finding.rule,
        "file": finding.file,
        "row": finding.row,
        "message": finding.message,
    }
