"""Names of methods, arguments and fields."""

from __future__ import annotations

import builtins
import re
from keyword import iskeyword
from typing import Any
from unicodedata import normalize

from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.openapi import Endpoint
from openapi_python_client.parser.properties.protocol import PropertyProtocol

from .schemas import fields_of
from .value_types import Types

_USED_TYPES = frozenset({"bool", "dict", "float", "int", "list", "str"})

_TAKEN_FIELDS = (
    _USED_TYPES
    | {"Any", "ClassVar", "Iterable", "Literal", "Mapping", "Self", "additional_properties"}
    | {"classmethod", "datetime", "field", "from_dict", "hidden", "models", "shown", "to_dict"}
)

# As arguments they would be misread, or shadow names that the methods use.
_TAKEN_ARGUMENTS = (
    _USED_TYPES
    | {"allow_error_pixel", "body", "client", "modules", "operations", "prefetch"}
    | {"response", "self", "split"}
)


class Names(Types):
    """Names of methods, arguments and fields."""

    def __init__(self, document: dict[str, Any], data: GeneratorData) -> None:
        super().__init__(document, data)
        self._rename()
        self._tell_apart()

    def _rename(self) -> None:
        """Remove the `_` that the generator adds to the names of built-ins, such as `type` and `format`.

        Add one to names that the generated code uses otherwise.
        """
        bodies = {
            model.class_info.name for endpoint in self._endpoints if (model := self.body_model(endpoint)) is not None
        }
        names: list[tuple[PropertyProtocol, frozenset[str]]] = []
        for model in self._models.values():
            taken = _TAKEN_FIELDS | _TAKEN_ARGUMENTS if model.class_info.name in bodies else _TAKEN_FIELDS
            names += [(prop, taken) for prop in fields_of(model)]
        for endpoint in self._endpoints:
            parameters = (*endpoint.path_parameters, *endpoint.query_parameters, *endpoint.header_parameters)
            names += [(prop, _TAKEN_ARGUMENTS) for prop in parameters]
        headers: dict[int, set[str]] = {}
        for endpoint in self._endpoints:
            others = {str(prop.python_name) for prop in endpoint.list_all_parameters()}
            headers |= {id(prop): others for prop in endpoint.header_parameters}
        for prop, taken in names:
            # The normalization that Python applies to identifiers.
            object.__setattr__(prop, "python_name", normalize("NFKC", prop.python_name))
            name = str(prop.python_name).removesuffix("_")
            if prop.name.get_untrusted_value().startswith("_"):
                # The generator turns `_meta` into `field_meta`.
                name = name.removeprefix("field_")
                object.__setattr__(prop, "python_name", name)
            if id(prop) in headers and name.removeprefix("x_") not in headers[id(prop)]:
                # By an old convention, custom headers begin with `X-`.
                name = name.removeprefix("x_")
            if name in taken or iskeyword(name):
                object.__setattr__(prop, "python_name", f"{name}_")
            elif hasattr(builtins, name) or id(prop) in headers:
                object.__setattr__(prop, "python_name", name)

    def _tell_apart(self) -> None:
        """Add its place to the name of a parameter that has the name of a field of the body: `key_header`.

        Except for a secret that may be in either place: it is one argument.
        """
        for endpoint in self._endpoints:
            model = self.body_model(endpoint)
            fields = {prop.python_name: prop for prop in fields_of(model)} if model is not None else {}
            for place in ("query", "header"):
                for prop in self.parameters(endpoint, place):
                    field = fields.get(prop.python_name)
                    if model is None or field is None:
                        continue
                    is_secret = self._is_password(self.parameter_schema(endpoint, prop))
                    if not (is_secret and self._is_password(self.field_schema(model, field))):
                        object.__setattr__(prop, "python_name", f"{prop.python_name}_{place}")

    def method_name(self, endpoint: Endpoint) -> str:
        """The operation's name without its noun: `list_bindings` of the tag Bindings is `list`.

        The noun is the tag's, or the first part of the path if that contains the tag's
        (`webhook-subscriptions` of the tag Webhooks).
        """
        nouns = _forms(endpoint.tags[0].split("_"))
        start = re.split(r"[/_-]", re.sub(r"^/([^/]*).*", r"\1", self.path_of(endpoint)))
        if nouns & set(start):
            nouns |= _forms(start)
        return "_".join(word for word in endpoint.name.split("_") if word not in nouns)

    @property
    def server(self) -> str:
        """The first server of the document, with the defaults of its variables."""
        return server_url(self._document["servers"][0])


def _forms(words: list[str]) -> set[str]:
    return {form for word in words for form in (word, word.removesuffix("s"), f"{word}s")}


def server_url(server: dict[str, Any]) -> str:
    """The URL of a server, with the defaults of its variables."""
    variables: dict[str, Any] = server.get("variables", {})
    return re.sub(
        r"\{([^}]*)\}", lambda match: str(variables.get(match[1], {}).get("default", match[0])), server["url"]
    )
