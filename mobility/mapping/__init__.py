"""Between packages: itineraries to fare legs, itineraries to API answers."""
