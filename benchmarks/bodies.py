"""The bodies of the server's responses: pages of the fake API's bindings, serialized like the API's."""

from __future__ import annotations

import json

from pictify_client.testing import FakePictify


def pages(items: int, count: int = 1) -> list[bytes]:
    """The pages of a list with this number of bindings per page."""
    bindings = FakePictify(bindings=items * count).bindings
    return [
        json.dumps(
            {
                "bindings": bindings[number * items : (number + 1) * items],
                "pagination": {"page": number + 1, "limit": items, "total": len(bindings), "totalPages": count},
            },
            separators=(",", ":"),
        ).encode()
        for number in range(count)
    ]
