"""A fake of Meta's Graph API, strict where Meta is, for our tests and yours: it sends nothing to anybody.

It asks for a token, checks every request to the letter, keeps Meta's limits, and calls back with signed webhooks that
come doubled, shuffled, batched and late if a test says so. `guvercin deneme-graph` runs it in a terminal.
"""

from guvercin.testing.graph.callbacks import Callbacks, Habits
from guvercin.testing.graph.rules import Fault, fault
from guvercin.testing.graph.server import Act, Answering, Arrived, FakeGraph
from guvercin.testing.graph.stories import story_of

__all__ = ["Act", "Answering", "Arrived", "Callbacks", "FakeGraph", "Fault", "Habits", "fault", "story_of"]
