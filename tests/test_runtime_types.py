"""Type hints at run time, for pydantic, cattrs and other tools, and for `unittest.mock`."""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil
import typing
from collections.abc import Callable, Iterator
from inspect import iscoroutinefunction
from types import FunctionType, ModuleType
from typing import Any
from unittest.mock import AsyncMock, create_autospec

import anyio
import pydantic
import pytest

import pictify_client
from pictify_client import AsyncPictify, Pictify, api, errors, models, testing, types, webhooks
from pictify_client._runtime.model import Model
from pictify_client.models import Template, TemplateSort
from pictify_client.testing import FakePictify

from .test_package import modules_after

CLIENTS = [Pictify, AsyncPictify]
RESOURCES = [name for name, member in vars(api.Resources).items() if isinstance(member, functools.cached_property)]


def modules() -> Iterator[ModuleType]:
    yield from (errors, types, webhooks, api)
    for info in pkgutil.walk_packages(api.__path__, f"{api.__name__}."):
        yield importlib.import_module(info.name)


def public() -> dict[str, object]:
    """The public classes and functions, by their full names."""
    things = [
        getattr(package, name) for package in (pictify_client, models, testing) for name in vars(package)["__all__"]
    ]
    for module in modules():
        things += [
            thing
            for name, thing in vars(module).items()
            if not name.startswith("_") and getattr(thing, "__module__", None) == module.__name__
        ]
    return {
        f"{thing.__module__}.{thing.__qualname__}": thing for thing in things if isinstance(thing, type | FunctionType)
    }


def functions(kind: type) -> Iterator[FunctionType]:
    """The functions of a class, and of those of its bases that belong to the package."""
    for base in kind.__mro__:
        for name, member in vars(base).items() if base.__module__.startswith("pictify_client") else ():
            if name.startswith("_") and not name.endswith("__"):
                continue
            inner = [getattr(member, each, None) for each in ("__func__", "func", "fget", "fset")]
            yield from (each for each in (member, *inner) if isinstance(each, FunctionType))


PUBLIC = public()


@pytest.mark.parametrize("name", PUBLIC)
def test_annotations_resolve(name: str) -> None:
    thing: Any = PUBLIC[name]
    for annotated in (thing, *(functions(thing) if isinstance(thing, type) else ())):
        typing.get_type_hints(annotated, include_extras=True)


def test_the_public_names_include_all_modules() -> None:
    assert len(PUBLIC) > 300
    assert {"pictify_client.api.images.AsyncImages", "pictify_client.api.images.create_image.asyncio"} <= set(PUBLIC)
    assert {f"{api.__name__}.{name}" for name in ("Resource", "Resources", "AsyncResources")} <= set(PUBLIC)
    of_the_client = [each.__name__ for each in functions(AsyncPictify)]
    assert {"__init__", "aclose", "images", "url_rendering"} <= set(of_the_client)


def test_hints_name_the_classes_themselves() -> None:
    assert typing.get_type_hints(api.Templates.get)["return"] is Template
    assert typing.get_type_hints(models.ConditionTree)["rules"] == list[models.ConditionTree] | None
    assert typing.get_type_hints(models.ConditionTree.__init__)["rules"] == list[models.ConditionTree] | None
    assert inspect.signature(api.AsyncTemplates.get, eval_str=True).return_annotation is Template


def test_reading_type_hints_imports_only_the_models_in_them() -> None:
    loaded = modules_after(
        "from pictify_client import api; import typing; typing.get_type_hints(api.Webhooks.delete);"
        "assert 'pictify_client.models.deletion' in sys.modules"
    )
    assert {name for name in loaded if name.startswith("pictify_client.models.")} == {"pictify_client.models.deletion"}


@pytest.mark.parametrize("name", ["api", "models", "errors", "types", "webhooks", "batches", "_runtime.results"])
def test_annotations_import_nothing(name: str) -> None:
    loaded = modules_after(f"import pictify_client.{name}")
    assert "pictify_client.client" not in loaded
    if name not in ("batches", "errors"):
        assert "httpx" not in loaded
    if name != "webhooks":
        assert not [each for each in loaded if each.startswith("pictify_client.models.")]


@pytest.mark.parametrize("client", CLIENTS)
def test_a_resource_of_a_client_class_is_its_class(client: type[Pictify | AsyncPictify]) -> None:
    prefix = "Async" if client is AsyncPictify else ""
    for name in RESOURCES:
        kind: Any = getattr(client, name)
        assert kind.__name__ == prefix + "".join(word.title() for word in name.split("_"))
        assert kind is getattr(api, kind.__name__)
        assert isinstance(getattr(client(api_key="pic_live_x"), name), kind)
    assert inspect.getdoc(vars(api.Resources)["images"]) == "Pictures rendered from HTML, a page or a template."


@pytest.mark.parametrize("instance", [True, False], ids=["instance", "class"])
@pytest.mark.parametrize("client", CLIENTS)
def test_autospec_has_every_method_with_its_signature(client: type[Pictify | AsyncPictify], instance: bool) -> None:
    spec = create_autospec(client, instance=instance)
    mock = spec if instance else spec(api_key="pic_live_x")
    assert len(RESOURCES) > 9
    for resource in RESOURCES:
        of_the_class = inspect.getmembers(getattr(client, resource), inspect.isfunction)
        methods: dict[str, Callable[..., object]] = {name: each for name, each in of_the_class if name[0] != "_"}
        assert methods
        for name, method in methods.items():
            mocked = getattr(getattr(mock, resource), name)
            assert isinstance(mocked, AsyncMock) == iscoroutinefunction(method)
            with pytest.raises(TypeError, match=r"got an unexpected keyword argument|missing a required argument"):
                mocked(no_such_argument=1)
    with pytest.raises(AttributeError, match="no attribute 'creat'"):
        _ = mock.images.creat


def test_autospec_returns_the_configured_value() -> None:
    pictify = create_autospec(Pictify, instance=True)
    pictify.templates.get.return_value = "a template"
    assert pictify.templates.get("t") == "a template"
    pictify.templates.get.assert_called_once_with(uid="t")


def test_autospec_of_async_methods_is_awaited() -> None:
    async def use() -> None:
        pictify = create_autospec(AsyncPictify, instance=True)
        pictify.templates.get.return_value = "a template"
        assert await pictify.templates.get("t") == "a template"
        pictify.templates.get.assert_awaited_once_with(uid="t")

    anyio.run(use)


def test_pydantic_validates_the_arguments_of_a_method() -> None:
    pictify = FakePictify().client()
    created = pictify.templates.create(html="<p>{{name}}</p>", name="Card")
    get = pydantic.validate_call(pictify.templates.get)
    assert get(created.uid).name == "Card"
    with pytest.raises(pydantic.ValidationError, match="Input should be a valid string"):
        get(typing.cast("str", 1))
    listed = pydantic.validate_call(pictify.templates.list)(sort=TemplateSort.NEWEST)
    assert created.uid in [template.uid for template in listed]


@pytest.mark.parametrize("client", CLIENTS)
def test_pydantic_reads_the_signature_of_every_method(client: type[Pictify | AsyncPictify]) -> None:
    config = pydantic.ConfigDict(arbitrary_types_allowed=True)
    for resource in RESOURCES:
        for _, method in inspect.getmembers(getattr(client(api_key="pic_live_x"), resource), inspect.ismethod):
            pydantic.validate_call(config=config)(method)


def test_every_enum_of_the_models_is_open_to_type_checkers() -> None:
    enums = [thing for thing in PUBLIC.values() if isinstance(thing, type) and issubclass(thing, types.OpenEnum)]
    assert len(enums) > 30
    assert [member.name for member in models.BindingStatus] == ["ACTIVE", "PAUSED", "ERROR"]
    for enum in enums:
        if enum is not types.OpenEnum:
            assert '_OTHER = ""' in inspect.getsource(enum)
            assert not hasattr(enum, "_OTHER")
    assert issubclass(Template, Model)
