"""The libraries that are compared: each decodes a page, and requests one from a server, in sync and async code.

A peer is used in a process of its own, and imports what it is made of when it is made.
"""

from __future__ import annotations

import json
import logging
import os
import ssl
import sys
from collections.abc import Awaitable, Callable, Collection
from importlib import import_module
from typing import Any

KEY = "pic_live_benchmark"
_PATIENCE = 60.0


class Peer:
    """The jobs of a peer; unsupported ones raise NotImplementedError.

    Attributes:
        hidden: Modules that the peer must not import, as if they were not installed.
        wanted: Modules without which a variant is the same as the plain peer.
    """

    hidden: Collection[str] = ()
    wanted: Collection[str] = ()

    def decode(self, body: bytes) -> Any:
        """Decode a page from bytes."""
        raise NotImplementedError

    def open(self, url: str) -> tuple[Callable[..., Any], Callable[[], object]]:
        """Create a sync client: return a function that requests a page (`limit=`, `page=`), and one that closes it."""
        raise NotImplementedError

    async def aopen(self, url: str) -> tuple[Callable[..., Awaitable[Any]], Callable[[], Awaitable[object]]]:
        """Create an async client, likewise."""
        raise NotImplementedError


def module(name: str) -> Any:
    """Import a module that only the environment of the benchmarks has."""
    return import_module(name)


def _verified() -> dict[str, Any]:
    """The settings for the server's certificate, because aiohttp does not find it by itself."""
    certificate = os.environ.get("SSL_CERT_FILE")
    return {"verify": ssl.create_default_context(cafile=certificate)} if certificate else {}


class Raw(Peer):
    """`httpx` and `json.loads`, without models."""

    library = "httpx"

    def __init__(self) -> None:
        self.httpx = module(self.library)

    def decode(self, body: bytes) -> Any:
        return json.loads(body)

    def _settings(self, url: str) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {KEY}"}
        return {"base_url": url, "headers": headers, "timeout": _PATIENCE}

    def open(self, url: str) -> Any:
        client = self.httpx.Client(**self._settings(url))

        def get(limit: int, page: int = 1) -> Any:
            response = client.get("/bindings", params={"page": page, "limit": limit})
            response.raise_for_status()
            return self.decode(response.content)

        return get, client.close

    async def aopen(self, url: str) -> Any:
        client = self.httpx.AsyncClient(**self._settings(url))

        async def get(limit: int, page: int = 1) -> Any:
            response = await client.get("/bindings", params={"page": page, "limit": limit})
            response.raise_for_status()
            return self.decode(response.content)

        return get, client.aclose


class Raw2(Raw):
    """`httpx2` and `json.loads`."""

    library = "httpx2"


class Ours(Peer):
    """`pictify_client` as it is installed without extras; it logs each request to a handler."""

    hidden: Collection[str] = ("orjson", "aiohttp", "httpx_aiohttp", "h2")

    def __init__(self) -> None:
        self.pictify_client = module("pictify_client")
        self.operation = module("pictify_client.api.bindings.list_bindings").OPERATION
        httpx = module("httpx")
        self.response = httpx.Response(200, request=httpx.Request("GET", "http://127.0.0.1/bindings"))
        log = logging.getLogger("pictify_client")
        log.setLevel(logging.INFO)
        log.addHandler(logging.StreamHandler(open(os.devnull, "w", encoding="utf-8")))  # noqa: PTH123, SIM115
        log.propagate = False

    def decode(self, body: bytes) -> Any:
        return self.operation.parse(self.response, body)

    def open(self, url: str) -> Any:
        client = self.pictify_client.Pictify(api_key=KEY, base_url=url)

        def get(limit: int, page: int = 1) -> Any:
            return client.bindings.list(limit=limit, page=page).first_page().items

        return get, client.close

    async def aopen(self, url: str) -> Any:
        http_client = self.http_client()
        client = self.pictify_client.AsyncPictify(api_key=KEY, base_url=url, http_client=http_client)

        async def get(limit: int, page: int = 1) -> Any:
            return (await client.bindings.list(limit=limit, page=page)).items

        async def close() -> None:
            await client.aclose()
            if http_client is not None:
                await http_client.aclose()

        return get, close

    def http_client(self) -> Any:
        """The `http_client` of a variant's async client."""
        return None


class OursFast(Ours):
    """`pictify_client[fast]`."""

    hidden = ("aiohttp", "httpx_aiohttp", "h2")
    wanted = ("orjson",)


class OursAiohttp(Ours):
    """`pictify_client[aiohttp]`: with a `http_client` that sends with aiohttp."""

    hidden: Collection[str] = ("orjson", "h2")

    def http_client(self) -> Any:
        return module("httpx").AsyncClient(transport=module("httpx_aiohttp").AiohttpTransport(**_verified()))


class OursBoth(OursAiohttp):
    """`pictify_client[fast,aiohttp]`."""

    hidden = ("h2",)
    wanted = ("orjson",)


class Stock(Peer):
    """The client that openapi-python-client generates from the same document, without our templates."""

    def __init__(self) -> None:
        from .stock import BUILD, PACKAGE

        sys.path.insert(0, str(BUILD))
        self.client = module(PACKAGE).AuthenticatedClient
        self.list_bindings = module(f"{PACKAGE}.api.bindings.list_bindings")
        self.page = module(f"{PACKAGE}.models").ListBindingsResponse200

    def decode(self, body: bytes) -> Any:
        return self.page.from_dict(json.loads(body))

    def open(self, url: str) -> Any:
        client = self.client(base_url=url, token=KEY, timeout=module("httpx").Timeout(_PATIENCE))

        def get(limit: int, page: int = 1) -> Any:
            return self.list_bindings.sync(client=client, limit=limit, page=page).bindings

        return get, client.get_httpx_client().close

    async def aopen(self, url: str) -> Any:
        client = self.client(base_url=url, token=KEY, timeout=module("httpx").Timeout(_PATIENCE))

        async def get(limit: int, page: int = 1) -> Any:
            return (await self.list_bindings.asyncio(client=client, limit=limit, page=page)).bindings

        return get, client.get_async_httpx_client().aclose


class Pydantic(Peer):
    """pydantic at its best: from bytes."""

    def __init__(self) -> None:
        from .shapes import page_of_pydantic

        pydantic = module("pydantic")
        keeping: dict[str, Any] = {"model_config": pydantic.ConfigDict(extra="allow", populate_by_name=True)}
        self.page = page_of_pydantic(type("Keeping", (pydantic.BaseModel,), keeping))

    def decode(self, body: bytes) -> Any:
        return self.page.model_validate_json(body)


class PictifySdk(Pydantic):
    """Pictify's own SDK. It does not support bindings, so a page is requested and decoded like one of templates."""

    def __init__(self) -> None:
        super().__init__()
        self.pictify = module("pictify")

    def decode(self, body: bytes) -> Any:
        return self.page.model_validate(json.loads(body))

    def open(self, url: str) -> Any:
        client = self.pictify.Pictify(KEY, base_url=url, timeout=_PATIENCE)

        def get(limit: int, page: int = 1) -> Any:
            return self.page.model_validate(client._request("GET", f"/bindings?page={page}&limit={limit}")).bindings  # noqa: SLF001

        return get, client.close

    async def aopen(self, url: str) -> Any:
        client = self.pictify.AsyncPictify(KEY, base_url=url, timeout=_PATIENCE)

        async def get(limit: int, page: int = 1) -> Any:
            found = await client._request("GET", f"/bindings?page={page}&limit={limit}")  # noqa: SLF001
            return self.page.model_validate(found).bindings

        return get, client.close


class Stainless(Peer):
    """The base of `openai`, which Stainless generates, with a model of a page."""

    def __init__(self) -> None:
        from .shapes import page_of_pydantic

        self.openai = module("openai")
        self.page = page_of_pydantic(self.openai.BaseModel)
        self.construct = module("openai._models").construct_type

    def decode(self, body: bytes) -> Any:
        return self.construct(type_=self.page, value=json.loads(body))

    def open(self, url: str) -> Any:
        client = self.openai.OpenAI(api_key=KEY, base_url=url, timeout=_PATIENCE)

        def get(limit: int, page: int = 1) -> Any:
            options = {"params": {"page": page, "limit": limit}}
            return client.get("/bindings", cast_to=self.page, options=options).bindings

        return get, client.close

    async def aopen(self, url: str) -> Any:
        client = self.openai.AsyncOpenAI(api_key=KEY, base_url=url, timeout=_PATIENCE)

        async def get(limit: int, page: int = 1) -> Any:
            options = {"params": {"page": page, "limit": limit}}
            return (await client.get("/bindings", cast_to=self.page, options=options)).bindings

        return get, client.close


class Msgspec(Peer):
    """msgspec, which reads bytes into structs, and does not keep unknown fields."""

    def __init__(self) -> None:
        from .shapes import page_of_msgspec

        msgspec = module("msgspec")
        self.read: Callable[[bytes], Any] = msgspec.json.Decoder(page_of_msgspec(msgspec)).decode

    def decode(self, body: bytes) -> Any:
        return self.read(body)


class Orjson(Peer):
    """orjson, to dicts."""

    def __init__(self) -> None:
        self.loads: Callable[[bytes], Any] = module("orjson").loads

    def decode(self, body: bytes) -> Any:
        return self.loads(body)


class Aiohttp(Peer):
    """`aiohttp` and `json.loads`."""

    def __init__(self) -> None:
        self.aiohttp = module("aiohttp")

    def decode(self, body: bytes) -> Any:
        return json.loads(body)

    async def aopen(self, url: str) -> Any:
        http = self.aiohttp
        # Its default limit is 100 connections, too.
        context = _verified().get("verify", True)
        session = http.ClientSession(
            headers={"Authorization": f"Bearer {KEY}"},
            timeout=http.ClientTimeout(_PATIENCE),
            connector=http.TCPConnector(ssl=context),
        )

        async def get(limit: int, page: int = 1) -> Any:
            async with session.get(f"{url}/bindings", params={"page": page, "limit": limit}) as response:
                response.raise_for_status()
                return self.decode(await response.read())

        return get, session.close


RAW, OURS, FAST, AIO, BOTH = (
    "httpx",
    "pictify_client",
    "pictify_client[fast]",
    "pictify_client[aiohttp]",
    "pictify_client[fast,aiohttp]",
)
PEERS: dict[str, type[Peer]] = {
    RAW: Raw,
    OURS: Ours,
    FAST: OursFast,
    AIO: OursAiohttp,
    BOTH: OursBoth,
    "stock generator": Stock,
    "pictify SDK": PictifySdk,
    "openai base": Stainless,
    "pydantic": Pydantic,
    "msgspec": Msgspec,
    "orjson": Orjson,
    "httpx2": Raw2,
    "aiohttp": Aiohttp,
}
