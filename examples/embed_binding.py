"""Create a binding, which renders a template again when its data changes, and print the HTML to embed its image."""

from __future__ import annotations

import sys
from html import escape

from pictify_client import Pictify, PictifyError
from pictify_client.models import DataSource, DataSourceType, RefreshPolicy, RefreshPolicyType


def main() -> None:
    """Create, embed, pause and delete a binding."""
    with Pictify() as pictify:
        template = next(iter(pictify.templates.list(limit=1)))
        binding = pictify.bindings.create(
            template_id=template.uid,
            name="Price of the week",
            data_source=DataSource(type=DataSourceType.HTTP, url="https://shop.example.com/products/1.json"),
            mapping={"title": "product.title", "price": "product.price.amount"},
            defaults={"price": "soon"},
            refresh_policy=RefreshPolicy(type=RefreshPolicyType.TTL, ttl_seconds=3600),
            output_config={"format": "png", "quality": 90},
        )
        print(f"made {binding.uid}, {binding.status}")
        url = pictify.url_rendering.binding_url(binding.uid, "png")
        print(f'<img src="{escape(url)}" alt="{escape(template.name or "")}">')

        image = pictify.url_rendering.render_binding(binding.uid, "png")
        again = pictify.url_rendering.render_binding(binding.uid, "png", if_none_match=image.etag)
        print(f"{len(image.read())} bytes; requested again, the image is {'the same' if again.not_modified else 'new'}")

        pictify.bindings.update(binding.uid, status="paused")
        print(f"{binding.uid} is {pictify.bindings.get(binding.uid).status}")
        pictify.bindings.delete(binding.uid)


if __name__ == "__main__":
    try:
        main()
    except PictifyError as error:
        sys.exit(f"{type(error).__name__}: {error}")
