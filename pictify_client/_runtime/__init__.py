"""The runtime of the client: private, and subject to change without notice."""
