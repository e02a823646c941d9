"""Our findings beside two published validators: the same, and as grave, but where it is listed."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import gtfs_guru
import pytest

from core.errors import MobilityError
from tests.support.check_peers import (
    PAIRS,
    PEERS,
    REAL_FEEDS,
    Difference,
    Fired,
    differences,
    is_grave,
    our_rules,
)
from tests.support.peer_differences import DIFFERENCES
from tests.support.spoilt_feed import FAULTS, write_fault
from tests.support.territories import shared_data

UNTRIED = {
    ("gtfs-guru", "duplicate_id@shapes.txt"),
    ("gtfs-guru", "unused_route@routes.txt"),
}
"""Rules of a peer that no feed here makes fire."""


@cache
def compared(folder: Path) -> dict[str, tuple[Fired, dict[str, Fired]]]:
    """Feed → what we find and what each peer finds."""
    data = shared_data("feeds").parent
    feeds = {name: data / name for name in REAL_FEEDS}
    feeds |= {name: write_fault(folder, name) for name in ("fine", *FAULTS)}
    return {
        name: (our_rules(path), {peer: rules(path) for peer, rules in PEERS.items()})
        for name, path in feeds.items()
    }


@pytest.fixture(scope="module")
def feeds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Fired, dict[str, Fired]]]:
    return compared(tmp_path_factory.mktemp("faults"))


def test_rules_agree_with_both_peers_but_for_the_listed_differences(
    feeds: dict[str, tuple[Fired, dict[str, Fired]]],
) -> None:
    found: dict[Difference, set[str]] = {}
    for name, (ours, theirs) in feeds.items():
        for peer, fired in theirs.items():
            for difference in differences(ours, fired, peer):
                found.setdefault(difference, set()).add(name)
    assert found == {key: set(reason.feeds) for key, reason in DIFFERENCES.items()}


def test_every_pair_of_rules_has_a_feed_with_its_fault() -> None:
    assert set(FAULTS) == {pair.ours for pair in PAIRS}


def test_every_rule_of_the_peers_was_tried(
    feeds: dict[str, tuple[Fired, dict[str, Fired]]],
) -> None:
    untried = {
        (peer, pair.ours)
        for pair in PAIRS
        for peer in PEERS
        if not any(
            rule in theirs[peer] for _, theirs in feeds.values() for rule in pair.theirs(peer)
        )
    }
    assert untried == UNTRIED
    codes = {rule.partition("@")[0] for pair in PAIRS for rule in pair.guru}
    assert codes <= set(gtfs_guru.notice_codes())


def test_feeds_that_we_refuse_have_errors_for_both_peers() -> None:
    refused = 0
    for path in sorted(shared_data("broken").rglob("*.zip")):
        try:
            our_rules(path)
        except MobilityError:
            refused += 1
            assert all(is_grave(rules(path), peer) for peer, rules in PEERS.items()), path
    assert refused > 10
