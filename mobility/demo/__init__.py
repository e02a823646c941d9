"""The generated demo territory: a fictional French town, its streets, timetables and offers."""
