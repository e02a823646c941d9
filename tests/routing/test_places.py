"""Search by name: what is typed in haste finds what is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from core.geo import Coordinate
from gtfs_data.build import build_timetable
from gtfs_data.checks import Findings
from gtfs_data.reader import read_feed
from gtfs_data.store import Texts
from routing.ground import MeetingPoints
from routing.place_words import folded_words
from routing.places import Box, MatchKind, Places, build_places
from routing.street.graph import build_streets
from routing.street.osm import NamedPlace, raw_streets
from routing.street.rules import Speeds
from tests.gtfs_data.small_feeds import zip_feed

if TYPE_CHECKING:
    from pathlib import Path

    from gtfs_data.timetable import Timetable
    from routing.street.graph import Streets

pytestmark = pytest.mark.unit

STOPS = """
    stop_id,stop_name,stop_lat,stop_lon,location_type,parent_station
    GV,Gare de Valmont,43.6000,3.9000,1,
    GV1,Gare de Valmont,43.6001,3.9000,0,GV
    GV2,Quai 2,43.6002,3.9000,0,GV
    M1,Mairie,43.6100,3.9000,0,
    M2,Mairie,43.6101,3.9003,0,
    M3,Mairie,43.9000,4.2000,0,
    LY,Lycée Honoré-d’Estienne,43.6200,3.9000,0,
    UN,Unserved,43.6300,3.9000,0,
"""
TIMES = """
    trip_id,stop_id,stop_sequence,arrival_time,departure_time
    T1,GV1,1,07:00:00,07:00:00
    T1,M1,2,07:10:00,07:10:00
    T1,LY,3,07:20:00,07:20:00
    T2,M3,1,07:00:00,07:00:00
    T2,M2,2,07:50:00,07:50:00
    T2,GV2,3,08:00:00,08:00:00
"""
NAMED = [
    NamedPlace("Valmont", "city", 43.605, 3.90),
    NamedPlace("Saint-Œil-sur-Lère", "village", 43.90, 4.20),
    NamedPlace("Hôpital Nord", "hospital", 43.61, 3.91),
    NamedPlace("Boulangerie Valmont", "bakery", 43.605, 3.901),
    NamedPlace("Bahnhofstraße", "locality", 43.605, 3.92),
    NamedPlace("Grüße", "locality", 43.605, 3.93),
    NamedPlace("Bø", "locality", 43.605, 3.94),
    NamedPlace("Łódź", "locality", 43.606, 3.92),
    NamedPlace("Hosp. Sto. António", "locality", 43.607, 3.92),
    NamedPlace("Ferme du Bout-du-Monde", "farm", 43.80, 3.50),
]
POINTS = MeetingPoints(
    id=Texts.of(["34-P-001", "stop:GV1"]),
    name=Texts.of(["Aire de Rabieux", "Gare de Valmont"]),
    kind=Texts.of(["carpool_place", "stop"]),
    lat=np.array([43.64, 43.6001]),
    lon=np.array([3.9, 3.9]),
    car_node=np.zeros(2, np.int32),
    foot_node=np.zeros(2, np.int32),
    foot_link_s=np.zeros(2, np.int32),
)


def small_streets() -> Streets:
    where = {1: (43.605, 3.900), 2: (43.606, 3.905), 3: (43.607, 3.906), 4: (43.900, 4.200)}
    ways = [
        ([1, 2], {"highway": "residential", "name": "Rue du Général-Leclerc"}),
        ([2, 3], {"highway": "residential", "name": "Rue du Général-Leclerc"}),
        ([3, 4], {"highway": "motorway", "name": "La Méridienne"}),
    ]
    refs = [node for nodes, _ in ways for node in nodes]
    return build_streets(
        raw_streets(refs, [0, 2, 4, 6], [tags for _, tags in ways], where), Speeds()
    )


def small_timetable(folder: Path) -> Timetable:
    path = zip_feed(folder / "f.zip", stops=STOPS, stop_times=TIMES)
    return build_timetable([read_feed(path, "f")], Findings())


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    folder = tmp_path_factory.mktemp("places")
    build_places(folder / "index", small_timetable(folder), small_streets(), POINTS, NAMED)
    return Places(folder / "index")


def best(places: Places, text: str, near: Coordinate | None = None) -> str:
    """Name of the best match, or nothing."""
    return next((match.name for match in places.search(text, near=near)), "")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("lycée", "Lycée Honoré-d’Estienne"),
        ("LYCEE", "Lycée Honoré-d’Estienne"),
        ("hopital nord", "Hôpital Nord"),
        ("general leclerc", "Rue du Général-Leclerc"),
        ("estienne", "Lycée Honoré-d’Estienne"),
        ("saint oeil", "Saint-Œil-sur-Lère"),
        ("saint-œil", "Saint-Œil-sur-Lère"),
        ("SAINT-ŒIL", "Saint-Œil-sur-Lère"),
        ("Łódź", "Łódź"),
        ("lodz", "Łódź"),
        ("bahnhofstrasse", "Bahnhofstraße"),
        ("Bahnhofstraße", "Bahnhofstraße"),
        ("grusse", "Grüße"),
        ("bo", "Bø"),
    ],
)
def test_accents_case_and_ligatures_do_not_matter(places: Places, text: str, name: str) -> None:
    assert best(places, text) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("r. gal leclerc", "Rue du Général-Leclerc"),
        ("r gen lecl", "Rue du Général-Leclerc"),
        ("lyc. honoré d'estienne", "Lycée Honoré-d’Estienne"),
        ("hop nord", "Hôpital Nord"),
        ("st-oeil", "Saint-Œil-sur-Lère"),
        ("hospital de santo antónio", "Hosp. Sto. António"),  # abbreviated in the data
        ("hospital st antonio", "Hosp. Sto. António"),
    ],
)
def test_abbreviations_and_what_they_stand_for_are_one(
    places: Places, text: str, name: str
) -> None:
    assert best(places, text) == name


@pytest.mark.parametrize("text", ["gare valmont", "gare de la valmont", "rue général leclerc"])
def test_small_words_may_be_left_out_or_wrong(places: Places, text: str) -> None:
    assert best(places, text) in ("Gare de Valmont", "Rue du Général-Leclerc")


def test_carpool_area_is_found_by_the_id_that_journeys_start_at(places: Places) -> None:
    (match,) = places.search("aire rabieux")
    assert (match.kind, match.id) == (MatchKind.PLACE, "carpool:34-P-001")


def test_place_far_from_any_town_has_no_area(places: Places) -> None:
    (match,) = places.search("ferme bout monde")  # 39 km from Valmont
    assert match.area == ""


def test_search_keeps_to_the_kinds_and_the_box_asked_for(places: Places) -> None:
    north = Box(Coordinate(43.8, 4.0), Coordinate(44.0, 4.5))
    assert [m.area for m in places.search("mairie", box=north)] == ["Saint-Œil-sur-Lère"]
    found = places.search("valmont", kinds=[MatchKind.PLACE])
    assert found[0].name == "Valmont"
    assert {m.kind for m in found} == {MatchKind.PLACE}
    assert MatchKind.STOP in {m.kind for m in places.search("valmont")}


def test_nearest_of_a_kind_come_in_order_and_not_from_afar(places: Places) -> None:
    around = places.nearest(Coordinate(43.605, 3.9), MatchKind.PLACE, count=2, within_m=1000)
    assert [match.name for match, _ in around] == ["Valmont", "Boulangerie Valmont"]
    assert [round(metres) for _, metres in around] == [0, 81]  # 0.001° × 80.5 m


@pytest.mark.parametrize("name", [place.name for place in NAMED])
def test_every_name_finds_itself(places: Places, name: str) -> None:
    assert best(places, name) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("lycee honor", "Lycée Honoré-d’Estienne"),
        ("gar", "Gare de Valmont"),
        ("gare de val", "Gare de Valmont"),
        ("hop", "Hôpital Nord"),
        ("rue gen", "Rue du Général-Leclerc"),
    ],
)
def test_what_was_typed_so_far_is_enough(places: Places, text: str, name: str) -> None:
    assert best(places, text) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("valmnot gare", "Gare de Valmont"),  # two letters swapped
        ("hopitl", "Hôpital Nord"),  # one left out
        ("leclercc", "Rue du Général-Leclerc"),  # one too many
        ("mairei", "Mairie"),
        ("lycee honore destienne", "Lycée Honoré-d’Estienne"),  # one too many in a long word
    ],
)
def test_one_typo_a_word_is_forgiven(places: Places, text: str, name: str) -> None:
    assert best(places, text) == name


def test_short_words_are_not_guessed(places: Places) -> None:
    assert places.search("xyz") == []
    assert places.search("zalmont gare zzzz") == []


@pytest.mark.parametrize("text", ["", "   ", "’’’", "-", "?!", "\0"])
def test_text_without_words_finds_nothing(places: Places, text: str) -> None:
    assert places.search(text) == []


@pytest.mark.parametrize(
    "text", ["a" * 2_000, "gare " * 300, "(gare", "gare AND", "gare*", "[", "\\", "name:gare", "٣²"]
)
def test_any_text_is_answered(places: Places, text: str) -> None:
    assert isinstance(places.search(text), list)


def test_town_comes_before_a_shop_and_a_station_of_its_name(places: Places) -> None:
    assert best(places, "valmont") == "Valmont"


def test_platforms_are_one_station(places: Places) -> None:
    stations = [m for m in places.search("gare valmont") if m.kind is MatchKind.STOP]
    assert [(m.name, m.id) for m in stations] == [("Gare de Valmont", "f:GV")]


def test_both_sides_of_a_street_are_one_stop_and_another_town_is_another(places: Places) -> None:
    # M1 and M2 are 27 m apart; M3 is 40 km away.
    stops = [m for m in places.search("mairie") if m.kind is MatchKind.STOP]
    assert len(stops) == 2
    assert {round(m.coordinate.lat, 1) for m in stops} == {43.6, 43.9}
    assert {m.area for m in stops} == {"Valmont", "Saint-Œil-sur-Lère"}


def test_stop_without_any_service_is_not_offered(places: Places) -> None:
    assert places.search("unserved") == []


@pytest.mark.parametrize(
    ("lat", "lon", "area"), [(43.61, 3.9, "Valmont"), (43.89, 4.21, "Saint-Œil-sur-Lère")]
)
def test_nearer_one_of_two_equal_names_comes_first(
    places: Places, lat: float, lon: float, area: str
) -> None:
    found = places.search("mairie", near=Coordinate(lat, lon))
    assert found[0].area == area


def test_area_may_be_typed_with_the_name(places: Places) -> None:
    assert places.search("mairie saint oeil")[0].area == "Saint-Œil-sur-Lère"


def test_street_is_offered_once_a_neighbourhood_and_motorways_are_not(places: Places) -> None:
    streets = [m for m in places.search("rue general leclerc") if m.kind is MatchKind.ADDRESS]
    assert [m.name for m in streets] == ["Rue du Général-Leclerc"]
    assert places.search("meridienne") == []


def test_no_more_matches_than_asked_for(places: Places) -> None:
    assert len(places.search("valmont", count=2)) == 2


def test_nearest_of_many_equal_names_is_found(tmp_path: Path) -> None:
    # Every village has its school: the one asked for is the nearest, not one of the first written.
    schools = [
        NamedPlace("École", "school", 43.0 + i / 100, 3.0 + (i * 37 % 200) / 100)
        for i in range(200)
    ]
    build_places(tmp_path / "index", small_timetable(tmp_path), small_streets(), POINTS, schools)
    opened = Places(tmp_path / "index")
    for wanted in (schools[3], schools[120], schools[199]):
        found = opened.search("école", near=Coordinate(wanted.lat, wanted.lon))[0]
        assert (found.coordinate.lat, found.coordinate.lon) == (wanted.lat, wanted.lon)


def test_index_is_written_anew_over_an_old_one(tmp_path: Path) -> None:
    timetable, streets = small_timetable(tmp_path), small_streets()
    build_places(tmp_path / "index", timetable, streets, POINTS, NAMED)
    count = build_places(tmp_path / "index", timetable, streets, POINTS, [])
    assert Places(tmp_path / "index").search("hopital") == []
    # Four stops (a station, two Mairies, the Lycée), one street, one carpool area.
    assert count == 6


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Lycée Honoré-d’Estienne", ["lycee", "honore", "d", "estienne"]),
        ("Œuvre & ÆON", ["oeuvre", "aeon"]),
        ("  A9 / N113 ", ["a9", "n113"]),
    ],
)
def test_words_are_folded(text: str, words: list[str]) -> None:
    assert folded_words(text) == words
