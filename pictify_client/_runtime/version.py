"""The version, from the metadata of the installed package."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

UNKNOWN_VERSION = "0+unknown"
"""The version of a copy without metadata: in a PyInstaller bundle, vendored, or in a layer of a cloud function."""


def installed_version(name: str) -> str:
    """Return the version of an installed package, or `UNKNOWN_VERSION` if its metadata is missing."""
    try:
        # Metadata that was stripped but for its folder has no version either: None, or an error in newer Pythons.
        return version(name) or UNKNOWN_VERSION
    except (PackageNotFoundError, KeyError):
        return UNKNOWN_VERSION


__version__ = installed_version("pictify-client")
