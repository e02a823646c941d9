"""Door-to-door search over streets, timetables and flexible trips."""
