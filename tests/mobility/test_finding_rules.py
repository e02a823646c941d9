"""Every rule that the code raises is explained, and every rule that is explained is raised."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from gtfs_data.checks import Severity
from mobility.finding_rules import RULES

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("core", "gtfs_data", "routing", "carpool", "payments", "mobility")
SEVERITIES = {str(s) for s in Severity}


def severities(call: ast.Call, tree: ast.Module) -> set[str]:
    """Severities of `findings.error(…)`, or of a name that was made one or the other before."""
    if isinstance(call.func, ast.Attribute):
        return {call.func.attr} & SEVERITIES
    if not isinstance(call.func, ast.Name):
        return set()
    chosen = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.IfExp)
        and ast.unparse(node.targets[0]) == call.func.id
    ]
    return {
        part.attr
        for choice in chosen
        for part in ast.walk(choice)
        if isinstance(part, ast.Attribute) and part.attr in SEVERITIES
    }


def rules(argument: ast.expr, tree: ast.Module) -> set[str]:
    """Rule given as text, or by a loop over rows whose first value it is."""
    if isinstance(argument, ast.Constant):
        return {str(argument.value)}
    return {
        str(row.elts[0].value)
        for loop in ast.walk(tree)
        if isinstance(loop, ast.For)
        and isinstance(loop.target, ast.Tuple)
        and ast.unparse(loop.target.elts[0]) == ast.unparse(argument)
        and isinstance(loop.iter, ast.Tuple)
        for row in loop.iter.elts
        if isinstance(row, ast.Tuple) and isinstance(row.elts[0], ast.Constant)
    }


def raised() -> Iterator[tuple[str, str, str]]:
    """File, rule and severity of every finding that the code may make."""
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            if path.name == "checks.py":
                continue
            tree = ast.parse(path.read_text(encoding="utf-8"))
            for call in ast.walk(tree):
                # rule, file, row, message: what else has an error(…) takes fewer
                if isinstance(call, ast.Call) and len(call.args) == 4:
                    for severity in severities(call, tree):
                        named = rules(call.args[0], tree)
                        assert named, f"{path}:{call.lineno}: which rule is this?"
                        yield from ((str(path), rule, severity) for rule in named)


def test_every_rule_of_the_code_is_explained_with_its_severities() -> None:
    found: dict[str, set[str]] = {}
    for _, rule, severity in raised():
        found.setdefault(rule, set()).add(severity)
    assert len(found) > 30
    assert found == {name: {str(s) for s in rule.severities} for name, rule in RULES.items()}


def test_every_rule_says_what_it_means_and_what_to_do() -> None:
    assert all(rule.meaning.endswith(".") and rule.advice.endswith(".") for rule in RULES.values())
