"""The HTTP surface: thin, and the only place with Turkish wire names."""
