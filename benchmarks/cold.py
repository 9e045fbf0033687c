"""The start-up time of a process until its first response: each measurement runs in a new process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from time import monotonic
from typing import NamedTuple

from .machine import CLIENT_CPU, pin, unpin
from .measure import Rounds
from .peers import KEY, OURS, RAW, Ours
from .stock import BUILD, PACKAGE
from .worker import ROOT, environment


class Program(NamedTuple):
    """How a service uses a peer: the code that imports it and creates a client, and the code that requests a page."""

    ready: str
    page: str


_START = "import sys; sys.path[:0] = {path!r}; URL, KEY = {url!r}, {key!r}"
_HIDDEN = f"sys.modules.update(dict.fromkeys({Ours.hidden!r}))"

PROGRAMS = {
    RAW: Program(
        "import httpx, json\nclient = httpx.AsyncClient(base_url=URL, headers={'Authorization': 'Bearer ' + KEY})",
        "json.loads((await client.get('/bindings', params={'limit': 20})).content)",
    ),
    OURS: Program(
        f"{_HIDDEN}\nfrom pictify_client import AsyncPictify\nclient = AsyncPictify(api_key=KEY, base_url=URL)",
        "await client.bindings.list(limit=20)",
    ),
    "stock generator": Program(
        f"from {PACKAGE} import AuthenticatedClient\nclient = AuthenticatedClient(base_url=URL, token=KEY)\n"
        f"from {PACKAGE}.api.bindings import list_bindings",
        "await list_bindings.asyncio(client=client, limit=20)",
    ),
    "pictify SDK": Program(
        "from pictify import AsyncPictify\nclient = AsyncPictify(KEY, base_url=URL)",
        "await client._request('GET', '/bindings?limit=20')",
    ),
    "openai base": Program(
        "from openai import AsyncOpenAI\nclient = AsyncOpenAI(api_key=KEY, base_url=URL)",
        "await client.get('/bindings', cast_to=object, options={'params': {'limit': 20}})",
    ),
    "httpx2": Program(
        "import httpx2, json\nclient = httpx2.AsyncClient(base_url=URL, headers={'Authorization': 'Bearer ' + KEY})",
        "json.loads((await client.get('/bindings', params={'limit': 20})).content)",
    ),
    "aiohttp": Program(
        "import aiohttp, json",
        "json.loads(await (await (client := aiohttp.ClientSession()).get(URL + '/bindings')).read())\n"
        "    await client.close()",
    ),
}

_TIMED = "from time import perf_counter; start = perf_counter()\n{code}\nprint(perf_counter() - start)"
_ALL_MODELS = "import pictify_client.models as models\nfor name in models.__all__: getattr(models, name)"


def imports(names: Sequence[str], count: int) -> dict[str, Rounds]:
    """Seconds until a client is usable: in total, and without those of httpx."""
    usable = {name: PROGRAMS[name].ready for name in names}
    return {
        "usable": _take_turns({name: _TIMED.format(code=code) for name, code in usable.items()}, count),
        "before_httpx": _take_turns(
            {
                "import pictify_client": _TIMED.format(code=f"{_HIDDEN}\nimport pictify_client"),
                "usable": _after_httpx(PROGRAMS[OURS].ready),
                "usable, all models imported": _after_httpx(f"{PROGRAMS[OURS].ready}\n{_ALL_MODELS}"),
                "httpx itself": _TIMED.format(code="import httpx"),
                "httpx and a client": _TIMED.format(code=PROGRAMS[RAW].ready),
            },
            count,
        ),
    }


def first_responses(url: str, names: Sequence[str], count: int) -> Rounds:
    """Seconds from the start of a process to its first response."""
    programs = {name: _first_response(PROGRAMS[name]) for name in names}
    programs[f"{OURS}, all models"] = _first_response(PROGRAMS[OURS], _ALL_MODELS)
    return _take_turns(programs, count, url, from_outside=True)


def _after_httpx(code: str) -> str:
    # Includes modules that httpx imports only when it is used.
    return f"import httpx; httpx.AsyncClient()\n{_TIMED.format(code=code)}"


def _first_response(program: Program, more: str = "") -> str:
    return (
        f"{program.ready}\n{more}\nasync def main():\n    {program.page}\n    print(monotonic(), flush=True)\n"
        "import asyncio; from time import monotonic; asyncio.run(main())"
    )


def _take_turns(
    programs: dict[str, str], count: int, url: str = "http://127.0.0.1:9", *, from_outside: bool = False
) -> Rounds:
    found: Rounds = {name: [] for name in programs}
    start = _START.format(path=[str(ROOT), str(BUILD)], url=url, key=KEY)
    # A process inherits the core of the one that starts it. The first round writes the bytecode.
    pin(CLIENT_CPU)
    try:
        for number in range(count + 1):
            for name, program in programs.items():
                started = monotonic()
                command = [sys.executable, "-c", f"{start}\n{program}"]
                output = subprocess.run(command, check=True, capture_output=True, text=True, env=environment()).stdout
                seconds = float(output) - started if from_outside else float(output)
                if number:
                    found[name].append({"seconds": seconds})
    finally:
        unpin()
    return found
