"""What we answer: the models of every success body, with English attributes and Turkish names on the wire.

Laws
1. The seed's keys come first, in the seed's order; keys of ours follow and only where the contract has them.
2. A time is wall-clock time of the configured zone (`2026-02-23 14:30:00`); where the contract has a twin
   `<name>_iso`, it carries the offset. What hasn't happened yet is null, never an invented time.
3. A key is there or not by the kind of answer, never by the value: null is a value.
"""
