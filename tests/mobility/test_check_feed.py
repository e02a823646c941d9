"""A feed's report: each fault by its rule, every published archive, and a page that is safe."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from core.errors import MobilityError
from gtfs_data.checks import Severity
from mobility.actions.check_feed import FEED, FeedReport, check_feed
from mobility.commands.feed_page import feed_page
from mobility.commands.feed_report import LISTED, report_json, show_report
from mobility.commands.service_chart import columns_of, sparkline
from mobility.commands.terminal import console
from mobility.finding_rules import RULES
from tests.gtfs_data.small_feeds import zip_feed
from tests.support.spoilt_feed import FAULTS, FINE, write_fault

TODAY = dt.date(2026, 11, 20)
DATA = Path(os.environ.get("MOBILITY_SHARED_DATA", "../shared/data"))
LARGE_BYTES = 2_000_000
ARCHIVES = [
    pytest.param(
        path,
        marks=[pytest.mark.slow] if path.stat().st_size > LARGE_BYTES else [],
        id="/".join(path.parts[-2:]),
    )
    for path in sorted([*DATA.glob("broken/**/*.zip"), *DATA.glob("feeds/*.zip")])
]
HOSTILE = '"><script>alert(1)</script>[/red]\x1b[2J&'


def rules(path: Path) -> set[str]:
    return {f"{f.rule}@{f.file.removeprefix(f'{FEED}/')}" for f in report(path).findings}


def report(path: Path) -> FeedReport:
    return check_feed(path, today=TODAY)


def hostile_report(folder: Path) -> FeedReport:
    """Feed whose names and values are code for a browser and for a terminal."""
    cell = '"' + HOSTILE.replace('"', '""') + '"'
    tables = {
        "agency": f"agency_id,agency_name,agency_url,agency_timezone\nA,{cell},,{cell}\n",
        "stops": f"stop_id,stop_name,stop_lat,stop_lon\n{cell},{cell},x{cell},3\n"
        f"S1,{cell},43.6,3.9\nS2,{cell},45.6,3.9\n",
        "routes": f"route_id,agency_id,route_short_name,route_type\nR,{cell},{cell},3\n",
        "trips": f"trip_id,route_id,service_id\n{cell},R,C\n",
        "stop_times": "trip_id,stop_id,stop_sequence,arrival_time,departure_time\n"
        f"{cell},S1,1,07:00:00,07:00:00\n{cell},S2,2,07:01:00,07:01:00\n{cell},{cell},3,{cell},\n",
    }
    return report(zip_feed(folder / "<script>[red].zip", **tables))


class Page(HTMLParser):
    """Tags of a page with their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.unit
def test_feed_without_a_fault_has_no_findings(tmp_path: Path) -> None:
    assert rules(write_fault(tmp_path, "fine")) == set()


@pytest.mark.unit
@pytest.mark.parametrize("name", FAULTS)
def test_fault_is_found_by_its_rule(tmp_path: Path, name: str) -> None:
    found = report(write_fault(tmp_path, name)).findings.by_rule()
    rule, _, file = name.partition("@")
    (group,) = (group for group in found if group.rule == rule)
    assert group.severity in RULES[rule].severities
    assert {f.file for f in group.listed} >= ({f"{FEED}/{file}"} if file else set())


@pytest.mark.unit
def test_spaces_before_a_quoted_value_are_not_part_of_it(tmp_path: Path) -> None:
    quoted = FINE["trips"].replace(",R,", ', "R", ')
    assert rules(zip_feed(tmp_path / "f.zip", **{**FINE, "trips": quoted})) == set()


@pytest.mark.unit
def test_feed_in_which_nothing_can_be_ridden_has_an_error(tmp_path: Path) -> None:
    empty = {name: FINE[name].partition("\n")[0] for name in ("trips", "stop_times")}
    checked = report(zip_feed(tmp_path / "f.zip", **{**FINE, **empty}))
    assert checked.findings.worst() is Severity.ERROR
    assert "nothing_runs" in {f.rule for f in checked.findings}


@pytest.mark.unit
def test_stop_of_a_flexible_service_is_not_unused(tmp_path: Path) -> None:
    stops = f"{FINE['stops']}S4,Loin,43.64,3.90,0,\n"
    group = "location_group_id,stop_id\nG,S4\n"
    path = zip_feed(tmp_path / "f.zip", **{**FINE, "stops": stops, "location_group_stops": group})
    assert rules(path) == set()


@pytest.mark.parametrize("path", ARCHIVES)
def test_published_archive_is_reported_or_refused_politely(path: Path) -> None:
    try:
        checked = report(path)
    except MobilityError as error:
        refusal = str(error)  # any other error fails the test
    else:
        refusal = ""
        assert Page(feed_page(checked)).text.count(checked.sha256) == 1
        answer = json.loads(json.dumps(report_json(checked)))
        assert sum(rule["count"] for rule in answer["rules"]) == sum(answer["severities"].values())
        show_report(checked)
    assert ("NTFS" in refusal) == path.name.startswith("ntfs")


@pytest.mark.unit
def test_page_shows_hostile_values_as_text(tmp_path: Path) -> None:
    text = feed_page(hostile_report(tmp_path))
    page = Page(text)
    assert {tag for tag, _ in page.tags} & {"script", "img", "iframe", "link", "object"} == set()
    assert [a for _, attributes in page.tags for a in attributes if a.startswith("on")] == []
    assert "<script>alert(1)</script>[/red]" in page.text  # as text: the parser has decoded it
    assert "default-src 'none'" in text
    assert re.findall(r"(?:src|href|action)=|url\(|@import|https?:", text) == []


@pytest.mark.unit
def test_terminal_shows_hostile_values_as_text(tmp_path: Path) -> None:
    with console.capture() as shown:
        show_report(hostile_report(tmp_path))
    assert "[/red]" in shown.get()
    assert "\x1b[2J" not in shown.get()


@pytest.mark.unit
def test_page_can_be_read_without_seeing_it(tmp_path: Path) -> None:
    page = Page(feed_page(hostile_report(tmp_path)))
    assert ("html", {"lang": "en"}) in page.tags
    headings = [tag for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert headings.count("h1") == 1
    assert all(int(b[1]) - int(a[1]) <= 1 for a, b in zip(headings, headings[1:], strict=False))
    assert all(a.get("scope") in ("col", "row") for tag, a in page.tags if tag == "th")
    pictures = [a for tag, a in page.tags if tag == "svg"]
    assert len(pictures) == 2
    named = {a["id"] for _, a in page.tags if "id" in a}
    assert all(a["role"] == "img" and a["aria-labelledby"] in named for a in pictures)


@pytest.mark.unit
@pytest.mark.parametrize("dark", [False, True])
def test_colours_of_the_page_have_contrast(tmp_path: Path, dark: bool) -> None:
    schemes = re.findall(r":root \{(.*?)\}", feed_page(hostile_report(tmp_path)), flags=re.DOTALL)
    colours = dict(re.findall(r"--([\w-]+): (#\w+);", schemes[0]))
    colours |= dict(re.findall(r"--([\w-]+): (#\w+);", schemes[1])) if dark else {}

    def light(name: str) -> float:
        digits = colours[name][1:]
        digits = "".join(2 * d for d in digits) if len(digits) == 3 else digits
        parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    pairs = [(ink, paper) for ink in ("ink", "soft", "accent") for paper in ("page", "card")]
    for severity in Severity:
        pairs += [(str(severity), f"{severity}-bg"), ("ink", f"{severity}-bg")]
    for ink, paper in pairs:  # WCAG 2.2, AA
        high, low = sorted((light(ink), light(paper)), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= 4.5, (ink, paper)


@pytest.mark.unit
def test_many_findings_are_counted_and_the_first_are_shown(tmp_path: Path) -> None:
    stops = FINE["stops"] + "".join(f"X{i},Loin,43.64,3.90,0,\n" for i in range(1234))
    checked = report(zip_feed(tmp_path / "f.zip", **{**FINE, "stops": stops}))
    with console.capture() as shown:
        show_report(checked)
    assert "WARNING: 1,234" in shown.get()
    assert f"and {1234 - LISTED:,} more" in shown.get()
    assert "The first 50 of 1,234" in Page(feed_page(checked)).text


@pytest.mark.unit
def test_chart_has_whole_weeks_when_days_do_not_fit() -> None:
    # 100 days in at most 72 columns: two days each would do, seven make a week; the last has 2.
    columns = columns_of({"since": "2026-01-01", "trips": [8] * 98 + [2, 4]}, 72)
    assert len(columns) == 15
    assert (columns[-1].first, columns[-1].last) == (dt.date(2026, 4, 9), dt.date(2026, 4, 10))
    assert columns[-1].trips == 3
    assert sparkline(columns) == "█" * 14 + "▃"
    assert sparkline(columns_of({"since": "2026-01-01", "trips": [0, 1, 8]}, 72)) == " ▁█"
    assert columns_of({"since": None, "trips": []}, 72) == []
