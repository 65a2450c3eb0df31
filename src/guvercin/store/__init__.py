"""Durable memory: the log of messages, accounts and tokens. See store.py for its verbs."""
