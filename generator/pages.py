"""Operations that continue after a response: lists in pages, and jobs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from openapi_python_client.parser.openapi import Endpoint
from openapi_python_client.parser.properties import ModelProperty
from openapi_python_client.parser.properties.list_property import ListProperty
from openapi_python_client.parser.properties.protocol import PropertyProtocol
from openapi_python_client.parser.responses import Response
from openapi_python_client.strings import PythonIdentifier

from .checking import Arguments
from .navigation import UnsupportedError
from .schemas import fields_of, plain

# Parameters that take a cursor. In a list they have no other meaning, except `after`, which may be a filter.
_CURSOR_PARAMETERS = ("cursor", "page_token", "next_token", "starting_after", "start_cursor", "page", "after")

# Fields of a response that have the next cursor, or a URL with it. The first two have no other meaning.
_NEXT_CURSORS = ("next_cursor", "next_page_token", "next_token", "next_page", "next", "last_id")


class Pages(NamedTuple):
    """A list operation.

    Attributes:
        item: The class of an item.
        items: The field of the response that contains the items.
        info: The class of the pagination information.
        pagination: The field of the response that contains it; None if it is the response itself.
        more: The expression for further information that a pager needs, if any: the parameter and the cursor of the
            next page, or the number of the first page if that is not 1.
        more_type: The type of that expression.
    """

    item: str
    items: str
    info: str
    pagination: str | None
    more: str
    more_type: str


class Job(NamedTuple):
    """An operation that starts a background job.

    Attributes:
        start: The module of the operation.
        results: The module of the operation that returns its progress and results.
        cancel: The module of the operation that cancels it.
    """

    start: str
    results: str
    cancel: str


class Lists(Arguments):
    """Operations that continue after a response: lists in pages, and jobs."""

    def pages_of(self, endpoint: Endpoint) -> Pages | None:
        """Detect by its structure whether an operation is a paginated list; None if it is not.

        It counts pages by `page` or items by `offset`, or takes the cursor that the previous page has, and its response
        has one list of objects. The pagination information is in the field `pagination`, or beside the list.

        Raises:
            UnsupportedError: If it looks like a paginated list, but cannot be iterated over.
        """
        query = _by_name(endpoint.query_parameters)
        counted = {name for name in ("page", "offset") if name in query and self._is_number(query[name])}
        props = [response.prop for response in successes(endpoint)]
        model = self._models.get(props[0].class_info.name) if props and isinstance(props[0], ModelProperty) else None
        fields = fields_of(model) if model is not None else []
        lists = [field for field in fields if isinstance(field, ListProperty)]
        infos = [field for field in fields if field.python_name == "pagination" and isinstance(field, ModelProperty)]
        more = ""
        if not counted:
            is_list = lists or (props and isinstance(props[0], ListProperty))
            more = self._next_cursor(endpoint, query, fields) if is_list else ""
            if not more:
                return None
        elif counted == {"page"}:
            page = self.parameter_schema(endpoint, query["page"])
            more = "0" if page.default == 0 or (page.default is None and page.minimum == 0) else ""
        item = self.type_of(lists[0].inner_property) if len(lists) == 1 else ""
        if model is None or item not in map(str, self._models):
            does = "counts pages" if counted else "takes a cursor"
            raise UnsupportedError(f"it {does}, but its response is not one list of objects")
        return Pages(
            item=item,
            items=lists[0].python_name,
            info=self.type_of(infos[0]) if infos else model.class_info.name,
            pagination=infos[0].python_name if infos else None,
            more=more,
            more_type="int" if counted else "tuple[str, object]",
        )

    def _next_cursor(
        self, endpoint: Endpoint, query: dict[str, PropertyProtocol], fields: list[PropertyProtocol]
    ) -> str:
        """The expression for the parameter and the cursor of the next page; empty if the list takes no cursor."""
        parameter = next((name for name in _CURSOR_PARAMETERS if name in query and self._scalar(query[name])), "")
        beside = _by_name(fields)
        inside = _by_name(self._fields_in(beside.get("pagination")))
        known = [name for name in _NEXT_CURSORS if self._scalar(inside.get(name) or beside.get(name))]
        if not parameter:
            if endpoint.method == "get" and {*known} & {*_NEXT_CURSORS[:2]}:
                name = plain((inside.get(known[0]) or beside[known[0]]).name)
                raise UnsupportedError(
                    f"its response has `{name}`, but no parameter takes it ({', '.join(_CURSOR_PARAMETERS)})"
                )
            return ""
        cursor = query[parameter]
        for name in known:
            field = inside.get(name) or beside[name]
            if self._scalar(field) == self._scalar(cursor):
                value = f"response.{field.python_name}"
                if name in inside:
                    value = f"response.pagination.{field.python_name} if response.pagination else None"
                return f'("{cursor.python_name}", {value})'
        items = next((field for field in fields if isinstance(field, ListProperty)), None)
        ids = _by_name(self._fields_in(items.inner_property if items else None))
        uid = next((name for name in ("uid", "id") if self._scalar(ids.get(name)) == self._scalar(cursor)), None)
        says_more = {"has_more", "has_next"} & (inside or beside).keys()
        if parameter in ("starting_after", "after") and items and uid and says_more:
            value = f"response.{items.python_name}[-1].{uid} if response.{items.python_name} else None"
            return f'("{cursor.python_name}", {value})'
        if parameter == "after":
            return ""
        raise UnsupportedError(
            f"it takes a cursor (`{plain(cursor.name)}`), but its response does not have the next one: a field of the "
            f"same type, in `pagination` or beside the list ({', '.join(_NEXT_CURSORS)})"
        )

    def _is_number(self, prop: PropertyProtocol) -> bool:
        kinds = {*map(self.type_of, self.alternatives_of(prop))}
        return bool(kinds & {"float", "int"}) and kinds <= {"float", "int", "str"}

    def _scalar(self, prop: PropertyProtocol | None) -> str | None:
        """`str` or `int`, if it is one of these types."""
        kind = self.type_of(self._nullable(prop)[0]) if prop else None
        return kind if kind in ("str", "int") else None

    def _fields_in(self, prop: PropertyProtocol | None) -> list[PropertyProtocol]:
        model = self._models.get(prop.class_info.name) if isinstance(prop, ModelProperty) else None
        return fields_of(model) if model is not None else []

    def job_of(self, endpoint: Endpoint) -> Job | None:
        """The operations that poll and cancel the job that this one starts, by its links; None without links.

        Raises:
            UnsupportedError: If it has the links, but takes no list that could be split into several jobs.
        """
        links: dict[str, Any] = {}
        for response in self._calls[endpoint.name][1]["responses"].values():
            links |= response.get("links", {})
        named = [str(links.get(name, {}).get("operationId")) for name in ("results", "cancel")]
        results, cancel = (str(PythonIdentifier(name, "")) for name in named)
        responses = [self._field_names(response.prop) for response in successes(endpoint)]
        polled = [each for each in self._endpoints if each.tags == endpoint.tags and each.name in (results, cancel)]
        states = [self._field_names(each.prop) for poll in polled if poll.name == results for each in successes(poll)]
        # Other links are documentation: a job can be polled only with these responses.
        if (
            len(polled) < 2
            or not all("batch_id" in names for names in responses)
            or not all("status" in names for names in states)
            or any(_in_path_of(each) != ["batch_id"] for each in polled)
        ):
            return None
        model = self.body_model(endpoint)
        fields = self.sent_fields(model) if model is not None else []
        if model is None or not any(
            isinstance(field, ListProperty)
            and isinstance(field.inner_property, ModelProperty)
            and next(self.schemas_of(model.data, field.name)).maxItems
            for field in fields
        ):
            raise UnsupportedError("it starts a job, but its body has no list of objects with a `maxItems`")
        return Job(endpoint.name, results, cancel)

    def _field_names(self, prop: PropertyProtocol) -> set[str]:
        model = self._models.get(prop.class_info.name) if isinstance(prop, ModelProperty) else None
        return {str(field.python_name) for field in fields_of(model)} if model is not None else set()


def _by_name(props: Iterable[PropertyProtocol]) -> dict[str, PropertyProtocol]:
    return {str(prop.python_name).removesuffix("_"): prop for prop in props}


def _in_path_of(endpoint: Endpoint) -> list[str]:
    return [str(prop.python_name) for prop in endpoint.path_parameters]


def successes(endpoint: Endpoint) -> list[Response]:
    """The responses of single statuses (200 and the like) in the 200s."""
    single = (response for response in endpoint.responses.patterns if not response.status_code.is_range())
    return [response for response in single if 200 <= status_of(response) < 300]


def status_of(response: Response) -> int:
    """The status of a response; 0 if it does not have a single one."""
    return response.status_code.range[0] if response.status_code.range else 0
