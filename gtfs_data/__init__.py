"""Published mobility data in (GTFS, OSM companions, carpool places), compiled data out."""
