"""The benchmarks: `make bench`, and `make bench-quick` with smaller numbers.

Each peer, a library that is compared, runs in its own process; all take turns, round by round, against a server on
loopback in another process. Only results of the same rounds are compared.
"""
