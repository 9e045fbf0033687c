"""Generate code from a document into `pictify_client/api` and `pictify_client/models`: `python -m generator`."""
