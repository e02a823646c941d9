"""
Writes OSM files: the way out to `osmium`, as `routing.street.osm` is the way in.

It knows nothing of streets: plain nodes and ways in, one PBF (or XML) file out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import osmium
import osmium.osm.mutable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class OsmNode:
    """A point of an OSM file."""

    id: int
    lat: float
    lon: float
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OsmWay:
    """A line of an OSM file, as the ids of its nodes in order."""

    id: int
    node_ids: tuple[int, ...]
    tags: Mapping[str, str] = field(default_factory=dict)


def write_osm(
    path: Path, nodes: Iterable[OsmNode], ways: Iterable[OsmWay], *, generator: str = "Mobility"
) -> None:
    """
    Write nodes, then ways, each by ascending id, replacing what stood at `path`.

    Parameters
    ----------
    path
        Its suffix chooses the format: `.osm.pbf`, `.osm`, `.osm.gz`.
    generator
        What the file's header says wrote it.
    """
    header = osmium.io.Header()
    header.set("generator", generator)
    # One object gets one version and no date: the bytes depend on the content alone.
    with osmium.SimpleWriter(str(path), header=header, overwrite=True) as writer:
        for node in sorted(nodes, key=lambda n: n.id):
            writer.add_node(
                osmium.osm.mutable.Node(
                    id=node.id, version=1, location=(node.lon, node.lat), tags=dict(node.tags)
                )
            )
        for way in sorted(ways, key=lambda w: w.id):
            writer.add_way(
                osmium.osm.mutable.Way(
                    id=way.id, version=1, nodes=list(way.node_ids), tags=dict(way.tags)
                )
            )
