"""WhatsApp Web: a linked phone as an account, through neonize in a process of its own.

engine.py      our side: the transport
run.py         one run of it, from a worker that dials to the reason why its line is gone
linking.py     the conversation in which a phone takes the link
workers.py     the worker processes of all accounts, and who sits where
engines.py     which engine workers load: the installed one, or one that was raised
child.py       one worker process and its seats: start, calls, end
protocol.py    what goes over the pipe
journal.py     what must not get lost, on disk before anybody acts on it
worker.py      the child process, and who sits in it
seat.py        one account's connection there; the only file that imports neonize
unused.py      what neonize imports and a seat never uses, left out
readings.py    what the engine's events say, in the words of the protocol
pictures.py    a picture as phones want it (used by a seat alone)
evidence.py    what can be known afterwards about a message in doubt
errors.py      WhatsApp's words -> outcomes, one table
restrictions.py  what WhatsApp forbids an account by itself (used by a seat alone)
numbers.py     what a line is lent to remember numbers with
deliveries.py  whether what goes out still reaches anybody
"""
