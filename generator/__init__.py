"""From the document to `pictify_client/api` and `pictify_client/models`; run as `python -m generator`."""
