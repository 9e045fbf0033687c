"""Mistakes of users. Type checkers find each of them: a comment that suppresses no error is an error itself."""

# mypy: warn-unreachable

from __future__ import annotations

from typing import assert_never

from pictify_client import AsyncPictify, Pictify
from pictify_client.models import Binding, BindingStatus, DataSourceParam, RefreshPolicy


def sync(pictify: Pictify, binding: Binding) -> None:
    """Mistakes in sync code."""
    pictify.bindings.list(status="sleeping")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    pictify.bindings.list(template="t")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    pictify.bindings.lst()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    pictify.images.create(html="<p>", width="600")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    pictify.images.create(html="<p>", file_extension="gif")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    source: DataSourceParam = {"type": "http", "ulr": "https://shop.example.com"}  # type: ignore[typeddict-unknown-key]  # pyright: ignore[reportAssignmentType]
    pictify.bindings.create(template_id="t", mapping={}, data_source=source)
    pictify.bindings.update("b", refresh_policy={"type": "tll"})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    pictify.bindings.update("b", refresh_policy=RefreshPolicy(type="tll"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    pictify.bindings.create(mapping={})  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    binding.name.upper()  # type: ignore[union-attr]  # pyright: ignore[reportOptionalMemberAccess]
    print(binding.renderUrl)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownArgumentType]
    pictify.download(binding.name)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Binding(uid="b")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    for page in pictify.bindings.list().pages():
        print(page.uid)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownArgumentType]
    match binding.status:
        case BindingStatus.ACTIVE | BindingStatus.PAUSED | BindingStatus.ERROR | None:
            pass
        case other:
            assert_never(other)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def awaited(pictify: AsyncPictify) -> None:
    """Mistakes in async code."""
    template = pictify.templates.get("t")
    print(template.uid)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownArgumentType]
    for binding in pictify.bindings.list():  # type: ignore[attr-defined]  # pyright: ignore[reportGeneralTypeIssues, reportUnknownVariableType]
        print(binding)  # pyright: ignore[reportUnknownArgumentType]
    with pictify:  # type: ignore[attr-defined]  # pyright: ignore[reportGeneralTypeIssues]
        pass
