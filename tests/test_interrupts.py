"""A call that is interrupted, cancelled or closed at any moment leaks nothing: over real sockets."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from pictify_client import AuthenticatedClient, PictifyError
from pictify_client._runtime import slots
from pictify_client.api.bindings import list_bindings
from pictify_client.api.url_rendering import render_binding_url

from .servers import TEST_TIMEOUT, Connection, call, client_of, http, run, served

BIG = http(b"x" * 100_000)
OURS = ("pictify_client", "httpcore", "httpx", "h11")
# A step is a line of code. Stopping at each takes minutes, so each run uses a sample; many runs cover all of them.
STRIDE = 37


def handle(connection: Connection) -> None:
    while request := connection.receive():
        connection.send(http() if b" /bindings" in request else BIG)


class Stop(BaseException):
    """Like KeyboardInterrupt, or the time limit of a task queue."""


def steps(make: Callable[[], object], then: Callable[[int], None]) -> int:
    """Count the lines of code that a call runs, and call a function at each."""
    number = 0

    def local(frame: FrameType, event: str, _: object) -> Any:
        nonlocal number
        # Exceptions are lost if they are raised while an object is garbage collected.
        back: FrameType | None = frame
        while back is not None and back.f_code.co_name != "__del__":
            back = back.f_back
        if event == "line" and back is None:
            number += 1
            then(number)
        return local

    def trace(frame: FrameType, _: str, __: object) -> Any:
        return local if any(name in frame.f_code.co_filename for name in OURS) else None

    def traced() -> None:
        sys.settrace(trace)
        try:
            make()
        except Stop:
            pass
        finally:
            sys.settrace(None)

    # CPython 3.11 keeps treating an exception raised in an exception handler as raised in that handler.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(traced).result()
    return number


def calls(client: AuthenticatedClient) -> dict[str, Callable[[], object]]:
    return {
        "list": lambda: list_bindings.sync(client=client),
        "file": lambda: render_binding_url.sync("b", "png", client=client).read(),
    }


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("kind", ["list", "file"])
def test_a_sync_call_can_be_interrupted_anywhere(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots, "MAX_CONNECTIONS", 2)
    with served(handle) as server:
        client = client_of(server)
        make = calls(client)[kind]
        make()
        # The garbage collector then examines only objects that the calls leave.
        gc.collect()
        gc.freeze()
        try:
            total = steps(make, lambda _: None)
            assert total > 1000
            for at in range(1, total, STRIDE):

                def stop(number: int, at: int = at) -> None:
                    if number == at:
                        raise Stop

                steps(make, stop)
                gc.collect()
                assert list_bindings.sync(client=client)
        finally:
            gc.unfreeze()
        client.close()
        gc.collect()
        assert server.all_closed()


@pytest.mark.parametrize("kind", ["list", "file"])
def test_a_client_can_be_closed_by_its_own_thread_anywhere_in_a_call(kind: str) -> None:
    """A handler of SIGTERM does this."""
    with served(handle) as server:
        total = 0
        for at in count(1, STRIDE):
            client = client_of(server)
            make = calls(client)[kind]

            def close(number: int, at: int = at, client: AuthenticatedClient = client) -> None:
                if number == at:
                    client.close()

            try:
                total = steps(make, close)
            except PictifyError as error:
                assert "the client is closed" in str(error) or "the client was closed" in str(error)
            else:
                if total < at:
                    client.close()
                    break
            with pytest.raises(PictifyError, match="the client is closed"):
                list_bindings.sync(client=client)
        gc.collect()
        assert server.all_closed()


@pytest.mark.parametrize("kind", ["list", "file"])
def test_a_task_can_be_cancelled_at_any_iteration_of_the_event_loop(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots, "MAX_CONNECTIONS", 2)

    with served(handle) as server:

        async def test() -> None:
            client = client_of(server)

            async def make() -> None:
                if kind == "list":
                    await list_bindings.asyncio(client=client)
                else:
                    await (await render_binding_url.asyncio("b", "png", client=client)).read()

            for turns in count():
                task = asyncio.ensure_future(make())
                for _ in range(turns):
                    await asyncio.sleep(0)
                ended = task.done()
                task.cancel()
                await asyncio.wait([task])
                if ended:
                    break
                assert await call("asyncio", list_bindings, client)
            await client.aclose()
            assert server.all_closed()

        run("asyncio", test)


def test_no_file_is_damaged_when_a_client_is_closed_under_load(tmp_path: Path, secure: Any) -> None:
    for attempt in range(10):
        client = client_of(secure, verify_ssl=False)
        began = threading.Barrier(5)

        def work(client: AuthenticatedClient = client, began: threading.Barrier = began) -> None:
            began.wait(TEST_TIMEOUT)
            with pytest.raises(PictifyError, match="the client (is|was) closed"):
                while True:
                    list_bindings.sync(client=client)

        with ThreadPoolExecutor(4) as threads:
            working = [threads.submit(work) for _ in range(4)]
            began.wait(TEST_TIMEOUT)
            list_bindings.sync(client=client)
            client.close()
            files = [(tmp_path / f"{attempt}-{number}").open("wb+", buffering=0) for number in range(20)]
            for file in files:
                file.write(b"x" * 64)
            for each in working:
                each.result(TEST_TIMEOUT)
        for file in files:
            file.seek(0)
            assert file.read() == b"x" * 64
            file.close()
