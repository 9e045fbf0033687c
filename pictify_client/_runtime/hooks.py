"""The hooks of a client, and how they are called."""

from __future__ import annotations

from collections.abc import Callable
from inspect import isawaitable, iscoroutine, iscoroutinefunction
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import ConfigurationError

if TYPE_CHECKING:
    from ..hooks import RequestHook, ResponseHook, RetryHook, WaitHook


class Hooks(NamedTuple):
    """The hooks of a client; those of async calls may be coroutine functions."""

    on_request: RequestHook | None = None
    on_response: ResponseHook | None = None
    on_retry: RetryHook | None = None
    on_wait: WaitHook | None = None

    def validated(self) -> Hooks:
        """Return the hooks, if each can be called.

        Raises:
            ConfigurationError: If one cannot be called.
        """
        for name, hook in self._asdict().items():
            value: Any = hook
            if value is not None and not callable(value):
                raise ConfigurationError(f"{name} must be a function, got {type(value).__name__}")
        return self

    def check_sync(self) -> None:
        """Check that sync calls can use the hooks.

        Raises:
            ConfigurationError: If one is a coroutine function.
        """
        for hook in self:
            if iscoroutinefunction(hook):
                raise _is_async(hook)


def notify(hook: Callable[[Any], Any], event: object) -> None:
    """Call a hook of a sync call.

    Raises:
        ConfigurationError: If it is async.
    """
    result = hook(event)
    if isawaitable(result):
        if iscoroutine(result):
            result.close()
        raise _is_async(hook)


def _is_async(hook: object) -> ConfigurationError:
    return ConfigurationError(f"{hook!r} is async: a hook of a sync client must be a function, or use AsyncPictify")
