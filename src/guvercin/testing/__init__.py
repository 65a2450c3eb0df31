"""Test instruments that our tests and those of our users share."""
