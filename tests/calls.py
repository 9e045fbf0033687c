"""The same API call in all its forms, over any transport."""

from __future__ import annotations

from typing import Any

import anyio
import httpx

from pictify_client import AsyncPictify, AuthenticatedClient, Pictify, Response
from pictify_client.api.bindings import list_bindings
from pictify_client.models import Binding, BindingList

from .replay import KEY

FUNCTIONS = ("sync", "sync_detailed", "asyncio", "asyncio_detailed")


def sync_client(transport: httpx.BaseTransport) -> AuthenticatedClient:
    return AuthenticatedClient(token=KEY, max_retries=0, http_client=httpx.Client(transport=transport))


def async_client(transport: httpx.AsyncBaseTransport) -> AuthenticatedClient:
    return AuthenticatedClient(token=KEY, max_retries=0, http_client=httpx.AsyncClient(transport=transport))


def call(function: str, transport: httpx.MockTransport, **arguments: Any) -> BindingList | Response[BindingList]:
    """Call `list_bindings` in one of its four forms."""
    if function == "sync":
        return list_bindings.sync(client=sync_client(transport), **arguments)
    if function == "sync_detailed":
        return list_bindings.sync_detailed(client=sync_client(transport), **arguments)

    async def run() -> BindingList | Response[BindingList]:
        client = async_client(transport)
        if function == "asyncio":
            return await list_bindings.asyncio(client=client, **arguments)
        return await list_bindings.asyncio_detailed(client=client, **arguments)

    return anyio.run(run)


def list_all(form: str, transport: httpx.MockTransport, **arguments: Any) -> list[Binding]:
    """Iterate over a pager, and return all bindings."""
    if form == "sync":
        return list(
            Pictify(api_key=KEY, max_retries=0, http_client=httpx.Client(transport=transport)).bindings.list(
                **arguments
            )
        )

    async def run() -> list[Binding]:
        pictify = AsyncPictify(api_key=KEY, max_retries=0, http_client=httpx.AsyncClient(transport=transport))
        return [binding async for binding in pictify.bindings.list(**arguments)]

    return anyio.run(run)
