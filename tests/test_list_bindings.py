"""The generated `list_bindings` and the `bindings.list` pager with the recorded responses."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import anyio
import httpx
import pytest

from pictify_client import APIStatusError, AsyncPictify, Pictify, Response, ResponseDecodeError
from pictify_client import errors as e
from pictify_client.models import Binding, BindingList, BindingStatus, DataSource, OutputFormat

from .calls import FUNCTIONS, call, list_all
from .replay import KEY, body_of, recording, replaying, without_nulls

pytestmark = pytest.mark.filterwarnings("error")

forms = pytest.mark.parametrize("form", ["sync", "async"])
functions = pytest.mark.parametrize("function", FUNCTIONS)

SUCCESSES = (
    "first_page",
    "last_page",
    "three_pages_2",
    "documented_pagination",
    "empty_list",
    "filtered_by_status",
    "filtered_by_template",
    "complete_binding",
    "unknown_enum_values",
    "extra_fields",
)


def arguments_of(name: str) -> dict[str, Any]:
    """The arguments for the request of a recording."""
    query = recording(name)["request"]["query"]
    given = {"template_id": query.get("templateId"), "status": query.get("status")}
    numbers = {name: int(query[name]) for name in ("page", "limit") if name in query}
    return {name: value for name, value in given.items() if value is not None} | numbers


FAILURES: dict[str, tuple[type[APIStatusError], str]] = {
    "unauthorized": (
        e.UnauthorizedError,
        "GET /bindings failed with 401 Unauthorized: Invalid Request. The API key is missing, unknown or revoked",
    ),
    "not_found": (e.NotFoundError, "GET /bindings failed with 404 Not Found: Template not found"),
    "rate_limited": (
        e.RateLimitError,
        "GET /bindings failed with 429 Too Many Requests: Too many requests (retry after 12 s)",
    ),
    "quota_exceeded": (
        e.QuotaExceededError,
        "GET /bindings failed with 429 Too Many Requests: Monthly quota exceeded (code quota_exceeded)",
    ),
    "error_as_error": (e.ServerError, "GET /bindings failed with 500 Internal Server Error: Internal server error"),
    "error_with_code": (
        e.UnprocessableContentError,
        "GET /bindings failed with 422 Unprocessable Entity: Unknown template variable (code invalid_variable, request id req_5f0c)",
    ),
    "error_list_of_strings": (
        e.BadRequestError,
        "GET /bindings failed with 400 Bad Request: page must be a number; limit must be a number",
    ),
    "error_list_of_objects": (
        e.UnprocessableContentError,
        "GET /bindings failed with 422 Unprocessable Entity: Validation failed: limit: must be at most 100; status: is unknown",
    ),
    "problem_details": (
        e.ForbiddenError,
        "GET /bindings failed with 403 Forbidden: This key may only render: authorization: lacks the scope bindings:read",
    ),
    "bad_gateway": (
        e.ServerError,
        "GET /bindings failed with 502: Bad Gateway, with a body of type text/html from api.pictify.io that holds no message",
    ),
    "web_server_unknown_error": (e.ServerError, "GET /bindings failed with 520: unknown status: 'error code: 520'"),
}

MISREAD: dict[str, tuple[str, object, str]] = {
    "truncated_json": (
        "",
        None,
        "it is not JSON (application/json; charset=utf-8 from api.pictify.io): Unterminated string starting at: "
        "line 1 column 45 (char 44)",
    ),
    "array_for_object": ("", [], "expected an object, got an array"),
    "object_for_array": (
        "bindings",
        {"0": body_of("object_for_array")["bindings"]["0"]},
        "expected an array, got an object",
    ),
    "unreadable_date": (
        "bindings[1].createdAt",
        "yesterday",
        "expected a date-time, got a string: 'yesterday'",
    ),
}


@functions
@pytest.mark.parametrize("name", SUCCESSES)
def test_a_successful_response_is_decoded_losslessly(function: str, name: str) -> None:
    with replaying(name) as transport:
        response = call(function, transport, **arguments_of(name))
    page = response.parsed if isinstance(response, Response) else response
    assert isinstance(page, BindingList)
    assert page.to_dict() == without_nulls(body_of(name))
    assert BindingList.from_dict(page.to_dict()) == page


@functions
def test_the_fields_of_a_binding_are_typed(function: str) -> None:
    with replaying("complete_binding") as transport:
        response = call(function, transport)
    page = response.result() if isinstance(response, Response) else response
    assert page.bindings
    (binding,) = page.bindings
    assert binding.uid == "4IBG44BVBN"
    assert binding.status is BindingStatus.ERROR
    assert binding.created_at == datetime(2026, 1, 25, 9, 30, 0, 108000, tzinfo=UTC)
    assert binding.last_error == "the data source responded with 503"
    assert binding.error_count == 4
    assert binding.mapping == {"title": "product.title", "price": "product.price.amount"}
    assert isinstance(binding.data_source, DataSource)
    assert binding.data_source.type == "http"
    assert binding.data_source.headers == {"X-Shop": "7"}
    assert binding.data_source.body == {"sku": 5}
    assert binding.output_config
    assert binding.output_config.format is OutputFormat.WEBP
    assert (binding.output_config.quality, binding.output_config.width) == (80, 1200)
    assert page.pagination
    assert (page.pagination.page, page.pagination.total_pages, page.pagination.has_next) == (1, 1, False)


def test_an_enum_is_accepted_as_well_as_its_string() -> None:
    with replaying("filtered_by_status") as transport:
        call("sync", transport, status=BindingStatus.PAUSED)


def test_none_is_omitted_like_a_missing_argument() -> None:
    with replaying("filtered_by_status") as transport:
        call("sync", transport, **arguments_of("filtered_by_status"), template_id=None, page=None, limit=None)


@functions
def test_unknown_enum_values_become_members(function: str) -> None:
    with replaying("unknown_enum_values") as transport:
        response = call(function, transport)
    page = response.result() if isinstance(response, Response) else response
    assert page.bindings
    status = page.bindings[0].status
    assert isinstance(status, BindingStatus)
    assert (status, status.value, status.name, status.is_known) == ("archived", "archived", "archived", False)
    assert BindingStatus.ACTIVE.is_known


@functions
def test_null_is_none(function: str) -> None:
    with replaying("nulls") as transport:
        response = call(function, transport)
    page = response.result() if isinstance(response, Response) else response
    assert page.bindings
    first, second = page.bindings
    assert first == Binding(uid="K7D2Q9XA1B", render_url="https://cdn.pictify.io/bindings/K7D2Q9XA1B.png")
    assert second.data_source == DataSource(body=None)
    assert second.mapping == {"price": "product.price"}
    assert page.pagination
    assert page.pagination.total_pages is None
    assert page.pagination.has_next is None


def test_undocumented_fields_are_kept() -> None:
    with replaying("extra_fields") as transport:
        page = call("sync", transport)
    assert isinstance(page, BindingList)
    assert page.additional_properties == {"requestId": "req_1"}
    assert page.bindings
    assert page.bindings[0].additional_properties == {"teamId": "team_77", "tags": ["spring", {"deep": [1, 2.5, None]}]}


@functions
@pytest.mark.parametrize("name", FAILURES)
def test_an_error_status_is_raised_or_returned(function: str, name: str) -> None:
    kind, text = FAILURES[name]
    with replaying(name) as transport:
        if function.endswith("detailed"):
            response = call(function, transport)
            assert isinstance(response, Response)
            assert response.parsed is None
            assert response.status_code == recording(name)["response"]["status"]
            error = response.error
            with pytest.raises(kind):
                response.result()
        else:
            with pytest.raises(APIStatusError) as caught:
                call(function, transport)
            error = caught.value
    assert error is not None
    assert type(error) is kind
    assert str(error) == text
    assert error.status_code == recording(name)["response"]["status"]


@functions
@pytest.mark.parametrize("name", MISREAD)
def test_a_successful_response_that_cannot_be_decoded_is_an_error_with_its_place(function: str, name: str) -> None:
    path, value, reason = MISREAD[name]
    with replaying(name) as transport, pytest.raises(ResponseDecodeError) as caught:
        call(function, transport)
    error = caught.value
    assert (error.operation, error.path, error.value, error.reason) == ("GET /bindings", path, value, reason)
    assert error.response.status_code == 200
    assert str(error) == f"GET /bindings responded with 200, but {path or 'the body'}: {reason}"


@functions
def test_rate_limits_are_returned(function: str) -> None:
    with replaying("three_pages_1", "rate_limited") as transport:
        if function.endswith("detailed"):
            response = call(function, transport, limit=2)
            assert isinstance(response, Response)
            # Requests with a key have no limit.
            assert response.rate_limit == (None, None, None)
            assert response.headers["Content-Type"] == "application/json; charset=utf-8"
            limited = call(function, transport)
            assert isinstance(limited, Response)
            error = limited.error
        else:
            call(function, transport, limit=2)
            with pytest.raises(e.RateLimitError) as caught:
                call(function, transport)
            error = caught.value
    assert error is not None
    assert error.rate_limit == (60, 0, datetime(2026, 1, 29, 10, 1, tzinfo=UTC))
    assert error.retry_after == 12.0


@forms
def test_a_pager_iterates_over_all_pages(form: str) -> None:
    with replaying("three_pages_1", "three_pages_2", "three_pages_3") as transport:
        bindings = list_all(form, transport, limit=2)
    assert [binding.uid for binding in bindings] == [
        each["uid"]
        for name in ("three_pages_1", "three_pages_2", "three_pages_3")
        for each in body_of(name)["bindings"]
    ]


@forms
def test_a_pager_starts_at_the_requested_page(form: str) -> None:
    with replaying("three_pages_2", "three_pages_3") as transport:
        assert len(list_all(form, transport, limit=2, page=2)) == 3


@forms
def test_a_pager_stops_if_the_api_says_so(form: str) -> None:
    with replaying("documented_pagination") as transport:
        assert len(list_all(form, transport, page=2)) == 1


@forms
def test_a_pager_of_an_empty_list_yields_nothing(form: str) -> None:
    with replaying("empty_list") as transport:
        assert list_all(form, transport, **arguments_of("empty_list")) == []


@forms
@pytest.mark.parametrize("name", FAILURES)
def test_a_pager_raises_the_errors_of_the_call(form: str, name: str) -> None:
    with replaying(name) as transport, pytest.raises(FAILURES[name][0]):
        list_all(form, transport)


def test_the_first_page_and_the_next_pages() -> None:
    with replaying("three_pages_1", "three_pages_2", "three_pages_3") as transport:
        pictify = Pictify(api_key=KEY, max_retries=0, http_client=httpx.Client(transport=transport))
        page = pictify.bindings.list(limit=2).first_page()
        assert [binding.uid for binding in page.items] == ["BG4MCU05FO", "R87949CFV3"]
        assert page.pagination.total == 5
        assert page.has_next
        second = page.next_page()
        assert second is not None
        assert (len(second), second.pagination.page, second.has_next) == (2, 2, True)
        last = second.next_page()
        assert last is not None
        assert [binding.uid for binding in last] == ["DHGRK7UDRR"]
        assert not last.has_next
        assert last.next_page() is None


def test_the_first_page_and_the_next_pages_in_async_code() -> None:
    async def run(transport: httpx.MockTransport) -> None:
        pictify = AsyncPictify(api_key=KEY, max_retries=0, http_client=httpx.AsyncClient(transport=transport))
        page = await pictify.bindings.list(limit=2)
        assert [binding.uid for binding in page.items] == ["BG4MCU05FO", "R87949CFV3"]
        assert page.pagination.total == 5
        second = await page.next_page()
        assert second is not None
        last = await second.next_page()
        assert last is not None
        assert (len(last), last.has_next) == (1, False)
        assert await last.next_page() is None

    with replaying("three_pages_1", "three_pages_2", "three_pages_3") as transport:
        anyio.run(run, transport)


def test_pages_iterates_over_pages() -> None:
    async def run(transport: httpx.MockTransport) -> list[int]:
        pictify = AsyncPictify(api_key=KEY, max_retries=0, http_client=httpx.AsyncClient(transport=transport))
        return [len(page) async for page in pictify.bindings.list(limit=2).pages()]

    with replaying("three_pages_1", "three_pages_2", "three_pages_3") as transport:
        pictify = Pictify(api_key=KEY, max_retries=0, http_client=httpx.Client(transport=transport))
        assert [len(page) for page in pictify.bindings.list(limit=2).pages()] == [2, 2, 1]
    with replaying("three_pages_1", "three_pages_2", "three_pages_3") as transport:
        assert anyio.run(run, transport) == [2, 2, 1]
