"""What the performance figures are measured with: `make bench`, and `make bench-quick` with smaller numbers.

Each peer runs in a process of its own; all take turns, round by round, against a server on loopback in
another process. What is compared was measured in the same rounds.
"""
