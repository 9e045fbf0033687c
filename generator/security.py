"""Keys other than the client's API key: they become arguments of the operations that require them."""

from __future__ import annotations

from typing import Any

from .navigation import operations


def keys_as_parameters(document: dict[str, Any]) -> None:
    """Make a parameter of every `apiKey` in a header or the query that secures an operation, in place.

    Those in the query are for clients that cannot send a header: the SDK omits them.
    """
    schemes: dict[str, Any] = document.get("components", {}).get("securitySchemes", {})
    for _, _, operation in operations(document):
        requirements: list[dict[str, Any]] = operation.get("security", [])
        names = {name for requirement in requirements for name in requirement}
        for name in sorted(names):
            scheme = schemes.get(name, {})
            if scheme.get("type") == "apiKey" and scheme.get("in") in ("header", "query"):
                operation.setdefault("parameters", []).append(
                    {
                        "name": scheme["name"],
                        "in": scheme["in"],
                        "required": scheme["in"] == "header" and all(name in each for each in requirements),
                        "description": scheme.get("description", "A key."),
                        "schema": {"type": "string", "format": "password"},
                    }
                )
