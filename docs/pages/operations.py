"""The reference of the operations, from the docstrings and signatures of the resources and from snippets.toml."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import cache, cached_property
from html import escape
from importlib import import_module
from inspect import Parameter, getdoc, signature
from pathlib import Path
from pkgutil import iter_modules
from textwrap import dedent, indent
from typing import Any, NamedTuple

import pictify_client
from pictify_client import AsyncPictify, Pictify, models
from pictify_client.api import AsyncResources

SNIPPETS: dict[str, str] = tomllib.loads((Path(__file__).parent / "snippets.toml").read_text("utf-8"))
"""Async code for each operation, by its method and path."""

RESOURCES = [name for name, value in vars(AsyncResources).items() if isinstance(value, cached_property)]
"""The attributes of `Pictify`, in the order of the API specification."""

_ASYNC = """\
import asyncio

from pictify_client import AsyncPictify


async def main() -> None:
    async with AsyncPictify() as pictify:
{body}

asyncio.run(main())
"""
_SYNC = """\
from pictify_client import Pictify

with Pictify() as pictify:
{body}"""


class Method(NamedTuple):
    """A method of a resource, async and sync."""

    resource: str
    name: str
    operation: str
    function: Callable[..., Any]
    sync_function: Callable[..., Any]

    @property
    def is_variant(self) -> bool:
        """Whether it does more or less than to call the operation once: return its URL, or poll it."""
        return self.name.endswith("_url") or self.name.startswith("wait")

    @property
    def does(self) -> str:
        """The description of a variant."""
        return (
            "returns the URL without sending a request" if self.name.endswith("_url") else "polls it until it is done"
        )

    @property
    def sections(self) -> dict[str, str]:
        """The sections of its docstring; the text before the first heading is called Text."""
        text, *rest = re.split(r"^(Args|Returns|Raises):\n", getdoc(self.function) or "", flags=re.MULTILINE)
        return {"Text": text, **dict(zip(rest[::2], rest[1::2], strict=True))}

    @property
    def description(self) -> str:
        """The docstring after its first paragraph."""
        return self.sections["Text"].partition("\n\n")[2].strip()

    @property
    def summary(self) -> str:
        """Its first sentence."""
        text = " ".join(self.sections["Text"].partition("\n\n")[0].split())
        return text.replace(f" (`{self.operation}`)", "")


def snippets(operation: str) -> tuple[str, str]:
    """Return a program that calls an operation, async and sync."""
    body = SNIPPETS[operation].lstrip()
    sync_body = re.sub(r"\b(await|async) ", "", body)
    return _ASYNC.format(body=indent(body, " " * 8)), _SYNC.format(body=indent(sync_body, " " * 4))


@cache
def modules() -> dict[str, Any]:
    """Return the module with the functions of each operation."""
    found: dict[str, Any] = {}
    for resource in RESOURCES:
        package = import_module(f"pictify_client.api.{resource}")
        for info in iter_modules(package.__path__, f"{package.__name__}."):
            module = import_module(info.name)
            found[str(module.OPERATION)] = module
    return found


def methods(resource: str) -> list[Method]:
    """Return the methods of a resource."""
    functions, sync_functions = (_functions(client, resource) for client in (AsyncPictify, Pictify))
    found: list[Method] = []
    for name, function in functions.items():
        named = re.search(r"`([A-Z]+ /\S*)`", getdoc(function) or "")
        if not name.startswith("_") and named:
            found.append(Method(resource, name, named[1], function, sync_functions[name]))
    return found


def _functions(client: type[Pictify | AsyncPictify], resource: str) -> Mapping[str, Any]:
    made: object = getattr(client(api_key="pic_live_none"), resource)
    return vars(type(made))


def pages() -> dict[str, str]:
    """Return a page per resource, and one that lists all operations."""
    known = {resource: methods(resource) for resource in RESOURCES}
    made = {f"operations/{resource}.md": "".join(_page(resource, known[resource])) for resource in RESOURCES}
    return {"operations/index.md": "".join(_index(known)), **made}


def _index(known: dict[str, list[Method]]) -> Iterator[str]:
    calls = [method for found in known.values() for method in found if not method.is_variant]
    yield (
        f"# Operations\n\nThe API has {len(calls)} operations. Each is a method of `Pictify` and, to be awaited, of "
        "`AsyncPictify`.\n"
    )
    for resource in known:
        yield f"\n## {resource}\n\n"
        for method in (method for method in calls if method.resource == resource):
            link = f"[{method.name}]({resource}.md#{method.name})"
            yield f"- {link} `{method.operation}`<br>{method.summary}\n"


def _page(resource: str, found: list[Method]) -> Iterator[str]:
    first = found[0]
    # Signatures link to these.
    for function in (first.function, first.sync_function):
        yield f"[](){{ #{function.__module__}.{function.__qualname__.partition('.')[0]} }}\n"
    yield f"# {resource}\n\n{getdoc(import_module(first.function.__module__))}\n"
    for method in found:
        if not method.is_variant:
            variants = [each for each in found if each.is_variant and each.operation == method.operation]
            yield from _described(method, variants)


def _described(method: Method, variants: list[Method]) -> Iterator[str]:
    module = modules()[method.operation]
    code, sync_code = snippets(method.operation)
    yield f"\n## {method.resource}.{method.name} {{ #{method.name} }}\n\n"
    yield f"`{method.operation}`{{ .operation }} {method.summary}\n\n{method.description}\n\n"
    for variant in variants:
        yield f"[`{variant.name}`](#{variant.name}) {variant.does}.\n\n"
    for title, snippet in (("Async", code), ("Sync", sync_code)):
        yield f'=== "{title}"\n\n' + indent(f"```python\n{snippet}```\n\n", "    ")
    yield from _signature(method)
    yield f"\nLow-level functions: `{module.__name__}`.\n"
    for variant in variants:
        name = variant.name
        yield f"\n### {variant.resource}.{name} {{ #{name} }}\n\n{variant.summary}\n\n{variant.description}\n\n"
        yield from _signature(variant)


def _signature(method: Method) -> Iterator[str]:
    """Arguments, result and errors."""
    yield from _arguments(method)
    returns = " ".join(method.sections["Returns"].split())
    types = [str(signature(function).return_annotation) for function in (method.function, method.sync_function)]
    shown = " or ".join(_type(each) for each in dict.fromkeys(types))
    yield f"**Returns** {shown}\n\n:   {returns}\n\n**Raises**\n\n"
    for names, why in _entries(method.sections.get("Raises", "")):
        yield f"- {', '.join(_type(name) for name in names.split(', '))}: {why}\n"


def _arguments(method: Method) -> Iterator[str]:
    parameters = signature(method.function).parameters
    of_sync = signature(method.sync_function).parameters
    for name, text in _entries(method.sections.get("Args", "")):
        parameter = parameters[name]
        optional = "" if parameter.default is Parameter.empty else ", optional"
        default = _default(parameter, of_sync[name])
        annotation = str(parameter.annotation)
        if optional:
            annotation = annotation.removesuffix(" | None")
        yield f"`{name}` {_type(annotation)}{optional}\n:   {text}{default}\n\n"


def _default(parameter: Parameter, of_sync: Parameter) -> str:
    """A sentence with the default of the client, if it has one; the defaults of the API are in the text."""
    if not isinstance(parameter.default, int):
        return ""
    in_sync = "" if parameter.default == of_sync.default else f", in sync code to {of_sync.default}"
    return f" Defaults to {parameter.default}{in_sync}."


def _entries(section: str) -> list[tuple[str, str]]:
    found = re.findall(r"^(\S[^:]*): (.*(?:\n .*)*)", dedent(section), re.MULTILINE)
    return [(name, " ".join(text.split())) for name, text in found]


def _type(annotation: str) -> str:
    """A type as HTML, with links to its classes."""
    shown = escape(annotation.replace("models.", ""), quote=False)
    linked = re.sub(r"'[^']*'|[A-Za-z]+", lambda match: _known(match[0]), shown)
    return f"<code>{linked}</code>"


def _known(name: str) -> str:
    for package in (models, pictify_client):
        if name in vars(package)["__all__"]:
            return f'<autoref identifier="{package.__name__}.{name}">{name}</autoref>'
    return name
