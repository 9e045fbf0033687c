"""How a request is made: private, and subject to change without notice."""
