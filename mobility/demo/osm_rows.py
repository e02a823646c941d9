"""The generated network as OSM nodes and ways."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mobility.demo import names
from routing.street.osm_write import OsmNode, OsmWay

if TYPE_CHECKING:
    from mobility.demo.geometry import Polyline, Projection
    from mobility.demo.landscape import Landscape
    from mobility.demo.network import Way
    from mobility.demo.poi import Poi
    from mobility.demo.streets import Streets

FIRST_NODE_ID, FIRST_WAY_ID = 1_000_001, 2_000_001
GENERATED_NOTE = "données générées par Mobility, lieu fictif / generated data, fictional place"


def osm_rows(
    land: Landscape,
    streets: Streets,
    pois: list[Poi],
    *,
    projection: Projection,
) -> tuple[list[OsmNode], list[OsmWay]]:
    """Nodes and ways: streets first, then river and railway, places and points of interest."""
    network = streets.network
    used = sorted({n for w in network.ways for n in w.nodes})
    id_of = {row: FIRST_NODE_ID + i for i, row in enumerate(used)}
    nodes = [OsmNode(id_of[row], *projection.lat_lon(network.points[row])) for row in used]
    ways = [
        OsmWay(FIRST_WAY_ID + i, tuple(id_of[n] for n in way.nodes), way_tags(way))
        for i, way in enumerate(network.ways)
    ]

    def point(at: complex, tags: dict[str, str]) -> int:
        node = OsmNode(FIRST_NODE_ID + len(nodes), *projection.lat_lon(at), tags)
        nodes.append(node)
        return node.id

    def line(at: Polyline, tags: dict[str, str]) -> None:
        ids = tuple(point(complex(z), {}) for z in at)
        ways.append(OsmWay(FIRST_WAY_ID + len(ways), ids, tags))

    line(land.river, {"waterway": "river", "name": names.RIVER, "note": GENERATED_NOTE})
    line(land.railway, {"railway": "rail", "note": GENERATED_NOTE})
    for settlement in land.settlements:
        tags = {
            "place": settlement.place,
            "name": settlement.name,
            "population": str(settlement.population),
            "note": GENERATED_NOTE,
        }
        point(settlement.centre, tags)
    for quarter in streets.quarters:
        if quarter.name in names.QUARTERS:
            point(quarter.centre, {"place": "suburb", "name": quarter.name})
    for name, at in streets.hamlets.items():
        point(at, {"place": "hamlet", "name": name})
    for farm in streets.farms:
        point(farm.point, {"place": "isolated_dwelling", "name": farm.name})
    for poi in pois:
        point(poi.point, dict(poi.tags))
    return nodes, ways


def way_tags(way: Way) -> dict[str, str]:
    """The tags of a street."""
    tags = {"highway": way.kind}
    if way.name:
        tags["name"] = way.name
    if way.ref:
        tags["ref"] = way.ref
    if way.maxspeed:
        tags["maxspeed"] = str(way.maxspeed)
    if way.oneway:
        tags["oneway"] = "yes"
    if way.roundabout:
        tags["junction"] = "roundabout"
    if way.bridge:
        tags |= {"bridge": "yes", "layer": "1"}
    if way.kind == "cycleway":
        tags["foot"] = "yes"
    return tags
