"""Revisions of the contract that may come: what is supported, and what is refused."""
