"""Named places of the generated town and villages: where people go, and where lines lead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mobility.demo import names
from mobility.demo.geometry import unit

if TYPE_CHECKING:
    import numpy as np

    from mobility.demo.landscape import Landscape
    from mobility.demo.network import Router

HUB, STATION, HOSPITAL, LYCEE = "hub", "station", "hospital", "lycee"
CAMPUS, BUSINESS, MALL, STADIUM = "campus", "business", "mall", "stadium"


@dataclass(frozen=True, slots=True)
class Poi:
    """
    A named place on the map.

    `key` is set for the few that lines and offers refer to; `node` is the street node beside it.
    """

    key: str
    name: str
    point: complex
    node: int
    tags: tuple[tuple[str, str], ...]
    zone: str


def build_pois(land: Landscape, router: Router, rng: np.random.Generator) -> list[Poi]:
    """Put the named places beside streets: the town's by plan, the villages' around the centre."""
    family = [str(f) for f in rng.permutation(names.FAMILY)]
    plan: list[tuple[str, str, complex, str, str]] = [
        (HUB, "Hôtel de Ville", -330 - 330j, "amenity", "townhall"),
        (STATION, "Gare de Valmont", land.stations[names.TOWN] + 40j, "railway", "station"),
        (HOSPITAL, f"Centre hospitalier {family[0]}", -1_560 + 1_280j, "amenity", "hospital"),
        (LYCEE, f"Lycée {family[1]}", 1_380 + 160j, "amenity", "school"),
        (CAMPUS, "Campus des Vergers", 1_380 - 1_230j, "amenity", "university"),
        (BUSINESS, "Parc d'activités des Chênes", -1_240 - 1_600j, "landuse", "commercial"),
        (MALL, "Hypermarché Les Arcades", 250 - 2_150j, "shop", "supermarket"),
        (STADIUM, "Stade Léo-Lagrange", 1_350 + 1_500j, "leisure", "stadium"),
        ("park", "Jardin des Tanneurs", -820 + 330j, "leisure", "park"),
        ("", "Médiathèque Colette", 240 - 180j, "amenity", "library"),
        ("", "Théâtre du Chapitre", -180 + 200j, "amenity", "theatre"),
        ("", "Halles de la Poterne", 130 + 120j, "amenity", "marketplace"),
        ("", f"Collège {family[2]}", -1_300 - 500j, "amenity", "school"),
        ("", f"Collège {family[3]}", 300 + 1_500j, "amenity", "school"),
        ("", f"École {family[4]}", 700 - 600j, "amenity", "school"),
        ("", f"École {family[5]}", -1_000 + 60j, "amenity", "school"),
        ("", f"École {family[6]}", 1_500 + 1_050j, "amenity", "school"),
        ("", "Piscine des Ondines", 900 - 1_500j, "leisure", "sports_centre"),
        ("", "Cimetière de l'Est", 1_900 + 300j, "amenity", "grave_yard"),
        ("", "Pharmacie de l'Horloge", 60 - 240j, "amenity", "pharmacy"),
        ("", "Pharmacie du Moulin", 1_200 + 1_300j, "amenity", "pharmacy"),
        ("", "Pharmacie des Vergers", 1_200 - 800j, "amenity", "pharmacy"),
        ("", "Supérette Beauregard", -1_600 - 900j, "shop", "supermarket"),
        ("", "Supermarché Rive-Nord", 100 + 1_700j, "shop", "supermarket"),
        ("", "Gymnase des Hautes-Terres", -1_500 + 1_700j, "leisure", "sports_centre"),
        ("", "Maison de quartier Saint-Éloi", 900 + 200j, "amenity", "community_centre"),
        ("", "Tribunal", -250 + 60j, "amenity", "courthouse"),
        ("", "Poste centrale", 200 + 20j, "amenity", "post_office"),
    ]
    for settlement in land.settlements[1:]:
        aside = complex(*rng.normal(0, 70, 2))
        label = f"Mairie {names.of_place(settlement.name)}"
        plan.append(("", label, settlement.centre + aside, "amenity", "townhall"))
        church = settlement.centre + complex(*rng.normal(0, 60, 2))
        plan.append(
            ("", f"Église {names.of_place(settlement.name)}", church, "amenity", "place_of_worship")
        )
        if settlement.population > 1_000:
            aside = settlement.centre + complex(*rng.normal(0, 120, 2))
            plan.append(
                ("", f"Pharmacie {names.of_place(settlement.name)}", aside, "amenity", "pharmacy")
            )
            aside = settlement.centre + complex(*rng.normal(0, 140, 2))
            plan.append(
                ("", f"École {names.of_place(settlement.name)}", aside, "amenity", "school")
            )
    out = []
    for key, name, near, tag, value in plan:
        node = router.nearest(near)
        beside = complex(router.points[node])
        point = beside + unit(near - beside) * min(25.0, abs(near - beside))
        tags = (("name", name), (tag, value))
        zone = min(land.settlements, key=lambda s: abs(s.centre - point) - s.radius_m).name
        out.append(Poi(key, name, point, node, tags, zone))
    for name in (*names.MARKET_TOWNS, names.HALT_VILLAGE):
        node = router.nearest(land.stations[name])
        tags = (("name", f"Gare {names.of_place(name)}"), ("railway", "station"))
        point = complex(land.stations[name])
        out.append(Poi(f"station {name}", f"Gare {names.of_place(name)}", point, node, tags, name))
    return out
