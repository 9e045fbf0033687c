"""Steps are executed, those of a call and of a wait: the I/O, in sync and async code."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import PictifyError
from ..fleets import PacingError
from .bodies import TRANSPORT_ERRORS
from .connections import SendRequest, aclose
from .hooks import notify
from .steps import Sleep, Step, Turn

if TYPE_CHECKING:
    from .clock import Clock
    from .connections import Connections

T = TypeVar("T")
StepT = TypeVar("StepT")


def run(steps: Generator[StepT, Any, T], execute_step: Callable[[StepT], object]) -> T:
    """Execute steps in sync code, and return their result."""
    done: object = None
    while True:
        try:
            step = steps.send(done)
        except StopIteration as end:
            result: T = end.value
            return result
        done = execute_step(step)


async def arun(steps: Generator[StepT, Any, T], execute_step: Callable[[StepT], Awaitable[object]]) -> T:
    """Execute steps in async code, and return their result."""
    done: object = None
    while True:
        try:
            step = steps.send(done)
        except StopIteration as end:
            result: T = end.value
            return result
        done = await execute_step(step)


def execute_step(connections: Connections, clock: Clock, step: Step) -> object:
    """Execute a step of a call in sync code."""
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


async def aexecute_step(connections: Connections, clock: Clock, step: Step) -> object:
    """Execute a step of a call in async code."""
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
