"""Streets: OSM ways to arrays, and searches on them."""
