"""The statements, by hand, subject by subject: the hot ones, which run for every message, and some that lists need.

Written as SQLite reads them; see words.py. Named constants, so that the same words can be run elsewhere (a power-cut
test, a query plan). Times are milliseconds; lists travel as JSON.
A limit is `? + 0`: SQLite compiles a statement anew each time that it runs if its LIMIT is a parameter alone.
"""
