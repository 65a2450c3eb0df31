"""The tests, as a package: an installed library brings one of this name, and a folder alone would lose to it."""
