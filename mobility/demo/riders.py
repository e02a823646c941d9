"""Trips worth planning in the generated territory, and its carpool places."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mobility.demo import names
from mobility.demo.offers import (
    ISOLATED_M,
    PASSING_M,
    DemoOffer,
    Showcase,
    Spot,
    offer_paths,
    place_json,
)
from mobility.demo.poi import CAMPUS, HOSPITAL, LYCEE, MALL, STATION, Poi

if TYPE_CHECKING:
    from mobility.demo.geometry import Projection
    from mobility.demo.gtfs_files import Row
    from mobility.demo.landscape import Landscape
    from mobility.demo.network import Router
    from mobility.demo.regional import RegionalStop
    from mobility.demo.streets import Farm, Streets


def build_riders(
    streets: Streets,
    router: Router,
    *,
    pois: list[Poi],
    stops: list[RegionalStop],
    offers: list[DemoOffer],
    showcase: Showcase,
    projection: Projection,
) -> list[dict[str, object]]:
    """Six trips: three that need a driver to start or end them, three within the town."""
    at = {p.key: Spot(p.name, p.node) for p in pois if p.key}
    farm = Spot(showcase.farm.name, showcase.farm.node)
    second = busiest_farm(streets, router, stops=stops, offers=offers, other=showcase.farm)
    west = Spot("Quartier Beauregard", router.nearest(-1_700 - 850j))
    north = Spot("Quartier Rive-Nord", router.nearest(350 + 1_650j))
    core = Spot("Rue de la République", router.nearest(150 + 60j))
    plan = (
        ("De la ferme à l'hôpital, sans voiture", "From the farm to the hospital without a car",
         farm, at[HOSPITAL], "07:00", "tue"),
        ("Au lycée depuis un lieu-dit sans autocar", "To school from a place without a coach",
         Spot(second.name, second.node), at[LYCEE], "06:50", "mon"),
        ("Rentrer à la ferme le soir", "Back to the farm in the evening",
         at[HOSPITAL], farm, "16:45", "tue"),
        ("De Beauregard au campus", "From Beauregard to the campus",
         west, at[CAMPUS], "08:10", "thu"),
        ("Courses du samedi depuis Rive-Nord", "Saturday shopping from Rive-Nord",
         north, at[MALL], "10:20", "sat"),
        ("Dernier tramway après le théâtre", "Last tram after the theatre",
         core, at[HOSPITAL], "23:55", "fri"),
    )  # fmt: skip
    return [
        {
            "title_fr": french,
            "title_en": english,
            "from": place_json(streets.network, start, projection),
            "to": place_json(streets.network, end, projection),
            "depart": depart,
            "weekday": weekday,
        }
        for french, english, start, end, depart, weekday in plan
    ]


def busiest_farm(
    streets: Streets,
    router: Router,
    *,
    stops: list[RegionalStop],
    offers: list[DemoOffer],
    other: Farm,
) -> Farm:
    """The isolated farm that most morning drivers to the town pass."""
    early = [
        o
        for o in offers
        if o.depart_to_s < 8 * 3600
        and abs(router.points[o.end.node]) < 3_500
        and "mon" in o.weekdays
    ]
    served = np.array([s.point for s in stops])
    passing = [router.points[path] for path in offer_paths(router, early)]
    best, most = other, -1
    for farm in streets.farms:
        alone = np.abs(served - farm.point).min() > ISOLATED_M and abs(farm.point) > 6_000
        if farm is other or not alone:
            continue
        count = sum(bool(np.abs(line - farm.point).min() < PASSING_M) for line in passing)
        if count > most:
            best, most = farm, count
    return best


def build_carpool_places(
    land: Landscape, router: Router, pois: list[Poi], projection: Projection
) -> list[Row]:
    """Carpool places in the columns of the French national base (BNLC)."""
    at = {p.key: p for p in pois if p.key}
    towns = {s.name: s for s in land.settlements}
    west, east = (towns[n] for n in names.MARKET_TOWNS)
    plan: list[tuple[str, complex, str, str, int]] = [
        ("Échangeur Ouest – N 543", -3_500 + 200j, "Sortie d'autoroute", names.TOWN, 40),
        ("Échangeur Est – N 543", 3_450 + 300j, "Sortie d'autoroute", names.TOWN, 36),
        ("P+R Gare de Valmont", at[STATION].point, "Parking relais", names.TOWN, 120),
        ("P+R Campus", at[CAMPUS].point, "Parking relais", names.TOWN, 90),
        ("Hypermarché Les Arcades", at[MALL].point, "Supermarché", names.TOWN, 20),
        ("Gare", land.stations[west.name], "Parking", west.name, 45),
        ("Gare", land.stations[east.name], "Parking", east.name, 30),
        ("Carrefour de la Croix-Blanche", -5_200 - 4_000j, "Aire de covoiturage", names.TOWN, 15),
    ]
    far = sorted(land.settlements[3:], key=lambda s: -abs(s.centre))
    plan += [
        (f"Place {names.of_place(s.name)}", s.centre + 150, "Aire de covoiturage", s.name, 12)
        for s in far[:4]
    ]
    out: list[Row] = []
    for number, (name, near, kind, town, size) in enumerate(plan, start=1):
        lat, lon = projection.lat_lon(complex(router.points[router.nearest(near)]))
        out.append(
            {
                "id_lieu": f"99999-C-{number:03d}",
                "id_local": str(number),
                "nom_lieu": f"{name} (généré)",
                "ad_lieu": "",
                "com_lieu": town,
                "insee": "99999",
                "type": kind,
                "date_maj": "2026-09-01",
                "ouvert": "true",
                "source": "généré",
                "Xlong": f"{lon:.7f}",
                "Ylat": f"{lat:.7f}",
                "nbre_pl": str(size),
                "nbre_pmr": str(size // 15),
                "duree": "",
                "horaires": "",
                "proprio": "",
                "lumiere": "true" if number % 3 else "false",
                "comm": "Données générées par Mobility, lieu fictif",
            }
        )
    return out
