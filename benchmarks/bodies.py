"""What the server answers with: pages of the stand-in's bindings, written as the API writes them."""

from __future__ import annotations

import json

from pictify_client.testing import FakePictify


def pages(items: int, count: int = 1) -> list[bytes]:
    """The pages of a list with so many bindings a page."""
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
