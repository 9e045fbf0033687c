"""The version, from the installed metadata."""

from __future__ import annotations

from importlib.metadata import version

__version__ = version("pictify-client")
