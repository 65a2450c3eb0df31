"""From the domain's values to the answers of the wire, and the headers that go with them."""
