"""Benchmarks: `python -m bench [name …]` measures on this machine and prints figures; nothing here passes or fails.

Laws
1. The server is the real one, in a process of its own; the load comes from this process, over loopback.
2. What is compared is measured in turns, on servers that live at the same time: a noisy neighbour meets both.
3. The figure to trust is the CPU time of the server per request, and the ratio of two figures of one run. Requests per
   second are those of a machine that also makes the load.
"""
