"""A pytest plugin that replaces httpx with httpx2: `python -m pytest -p tests.with_httpx2`.

It does so before anything imports httpx, as an application does that has moved on while its dependencies have not.
"""

from __future__ import annotations

import httpx2

httpx2.alias_httpx()
