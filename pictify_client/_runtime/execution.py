"""Calls are executed step by step: the I/O, in sync and async code."""

from __future__ import annotations

from inspect import isawaitable
from typing import TYPE_CHECKING, TypeVar

from ..errors import PictifyError
from ..fleets import PacingError
from .bodies import TRANSPORT_ERRORS
from .connections import SendRequest, aclose
from .hooks import notify
from .steps import Sleep, Step, Turn

if TYPE_CHECKING:
    from ..types import Response
    from .calls import Call
    from .clock import Clock
    from .connections import Connections

T = TypeVar("T")


def execute(call: Call[T], connections: Connections, clock: Clock) -> Response[T]:
    """Execute the steps of a call in sync code."""
    steps = call.steps()
    done: object = None
    while True:
        try:
            step = steps.send(done)
        except StopIteration as end:
            response: Response[T] = end.value
            return response
        done = _execute_step(step, connections, clock)


async def aexecute(call: Call[T], connections: Connections, clock: Clock) -> Response[T]:
    """Execute the steps of a call in async code."""
    steps = call.steps()
    done: object = None
    while True:
        try:
            step = steps.send(done)
        except StopIteration as end:
            response: Response[T] = end.value
            return response
        done = await _aexecute_step(step, connections, clock)


def _execute_step(step: Step, connections: Connections, clock: Clock) -> object:
    match step:
        case SendRequest():
            try:
                return connections.send(step)
            except PictifyError:
                raise
            except TRANSPORT_ERRORS as error:
                return error
        case Turn():
            try:
                step.pacer.wait(clock, step.longest)
            except PacingError as error:
                return error
        case Sleep():
            clock.sleep(step.seconds)
        case _:
            # The only other step is a Notify.
            try:
                notify(step.hook, step.event)
            except BaseException:
                if step.unread is not None:
                    step.unread.close()
                raise
    return None


async def _aexecute_step(step: Step, connections: Connections, clock: Clock) -> object:
    match step:
        case SendRequest():
            try:
                return await connections.asend(step)
            except PictifyError:
                raise
            except TRANSPORT_ERRORS as error:
                return error
        case Turn():
            try:
                await step.pacer.await_turn(clock, step.longest)
            except PacingError as error:
                return error
        case Sleep():
            await clock.asleep(step.seconds)
        case _:
            # The only other step is a Notify.
            try:
                if isawaitable(returned := step.hook(step.event)):
                    await returned
            except BaseException:
                if step.unread is not None:
                    await aclose(step.unread)
                raise
    return None
