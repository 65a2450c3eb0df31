"""The rules of the gateway as pure functions and values: no clock, no chance of its own, no input or output."""
