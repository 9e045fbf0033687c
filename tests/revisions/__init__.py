"""Possible revisions of the OpenAPI document: supported and unsupported ones."""
