"""The stand-in: no I/O, and no clock."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from ._account import Account
from ._answers import Answer, Refused, document, refused
from ._bindings import Bindings, Subscriptions
from ._experiments import Experiments
from ._renders import Batches, Renders
from ._requests import arguments, find
from ._templates import Templates

__all__ = ("API_KEY", "Answer", "FakePictify")

API_KEY: Final = "pk_live_stand_in"
"""The key that the stand-in takes, unless it is told another."""

# Each has a method for each of its operations, of the same name.
_CONCERNS = (Templates, Renders, Batches, Bindings, Subscriptions, Experiments)


class FakePictify(Account):
    """The Pictify API in memory: all operations of the contract, for whoever has the key.

    What is made can be listed, read, changed and deleted; renders answer with addresses at which
    there is nothing; images that are embedded are plain. Requests that the contract does not
    allow are refused with 422 and the name of the field.

    Args:
        bindings: How many bindings it starts with.
        api_key: The key that it takes.
    """

    def __init__(self, *, bindings: int = 45, api_key: str = API_KEY) -> None:
        super().__init__(bindings)
        self.api_key = api_key
        self._concerns = [concern(self) for concern in _CONCERNS]
        self._lock = Lock()

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
        """Answer a request. Requests at the same time are answered one after the other.

        Args:
            method: Such as `GET`.
            target: Path and query, such as `/bindings?limit=5`.
            headers: Request headers, their names in lower case.
            body: Request body.
        """
        try:
            with self._lock:
                return self._answer(method, target, headers, body)
        except Refused as refusal:
            return refusal.answer

    def _answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        url = urlsplit(target)
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        found = find(method, url.path)
        if found is None:
            raise refused(404, f"{method} {url.path} not found")
        (name, operation, _), path = found
        key_in_query = any(parameter.name == "token" for parameter in operation.query_parameters)
        is_known = headers.get("authorization") == f"Bearer {self.api_key}" or (
            key_in_query and query.get("token") == self.api_key
        )
        if operation.needs_key and not is_known:
            raise refused(401, "Invalid Request")
        handler = next((getattr(concern, name) for concern in self._concerns if hasattr(concern, name)), None)
        if handler is None:
            raise refused(501, f"the stand-in has no answer to {operation}")
        answer = handler(**arguments(operation, path, query, headers, body))
        return answer if isinstance(answer, Answer) else document(next(iter(operation.responses)), answer)
