"""A WhatsApp on loopback that the real engine links to: for our tests and for those of our users.

It plays WhatsApp's server, the account's own phone and the people who write and are written to, over the real
protocol; the client is the real one, with 62 bytes of a copy of its library replaced so that it dials loopback.
`server.py` says what a pass is worth and what isn't played; `bed.py` is where to begin.
"""
