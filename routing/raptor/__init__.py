"""Round-based search over timetables and flexible trips (see DESIGN.md)."""
