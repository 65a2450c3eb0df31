"""Durable memory: the log of messages, accounts and tokens.

For each subject: verbs/ says what the Store promises, the file of that name in this folder does it inside a transaction
or for a reader, and sql/ takes it there.
"""
