"""The machine: its properties, and which process runs on which core."""

from __future__ import annotations

import os
import platform
import subprocess
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

SERVER_CPU = 0
CLIENT_CPU = 1
_LIBRARIES = (
    "pictify-client",
    "httpx",
    "httpcore",
    "h11",
    "anyio",
    "attrs",
    "python-dateutil",
    "openapi-python-client",
    "pictify",
    "openai",
    "pydantic",
    "msgspec",
    "orjson",
    "httpx2",
    "aiohttp",
    "httpx-aiohttp",
)


def pin(cpu: int) -> bool:
    """Pin this process to one core, if there are several and the system allows it; return whether it is pinned."""
    try:
        if len(_CORES) < 2:
            return False
        os.sched_setaffinity(0, {_CORES[cpu]})
    except (AttributeError, OSError):
        return False
    return True


def unpin() -> None:
    """Allow this process to use all cores again."""
    with suppress(AttributeError, OSError):
        os.sched_setaffinity(0, _CORES)


def _cores() -> list[int]:
    try:
        return sorted(os.sched_getaffinity(0))
    except AttributeError:
        return []


_CORES = _cores()


def facts(**more: object) -> dict[str, Any]:
    """The properties that the figures depend on; nothing that identifies the machine."""
    root = Path(__file__).parent.parent
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],  # noqa: S607
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "commit": commit,
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "libraries": {name: found for name in _LIBRARIES if (found := _version(name))},
        **more,
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
