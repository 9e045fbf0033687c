"""The report of `make spec-diff` about a new OpenAPI document, in a repository with the previous one."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from generator.__main__ import OVERLAYS, ROOT, generate, install
from generator.document import load
from generator.document_diff import differences
from generator.effect_diff import effect_of
from generator.schema_diff import Facet
from generator.spec_diff import main, next_version
from generator.surface import Surface, compare
from generator.type_diff import fits, simplified

pytestmark = pytest.mark.slow

Edit = Callable[[dict[str, Any]], None]

ORIGINAL = json.dumps(load(ROOT / "openapi.yaml"))


def small() -> dict[str, Any]:
    """The OpenAPI document with only a few operations, so that the tests are fast."""
    document: dict[str, Any] = json.loads(ORIGINAL)
    kept = ("/bindings", "/bindings/{uid}", "/s/events", "/image", "/templates/batch/{batchId}/cancel")
    document["paths"] = {path: document["paths"][path] for path in kept}
    del document["paths"]["/image"]["post"]
    schemas = document["components"].pop("schemas")
    found: dict[str, Any] = {}
    document["components"]["schemas"] = found
    while missing := set(re.findall(r"#/components/schemas/(\w+)", json.dumps(document))) - found.keys():
        found |= {name: schemas[name] for name in sorted(missing)}
    return document


@dataclass
class Result:
    """The result of a comparison."""

    status: int
    report: str
    error: str

    def section(self, title: str) -> list[str]:
        """The lines of a section, without blank lines and fences."""
        (text,) = re.findall(
            rf"^### {title}\n(.*?)(?=^### (?:Changes of|Breaking|Lines)|\Z)", self.report, re.DOTALL | re.MULTILINE
        )
        return [line for line in text.splitlines() if line and not line.startswith("```")]

    @property
    def document(self) -> list[str]:
        return [line.strip() for line in self.section("Changes of the document")]

    @property
    def breaks(self) -> list[str]:
        """The breaking changes, without the advice."""
        return [re.sub(r"\. [A-Z].*", "", line) for line in self.section("Breaking changes")]

    @property
    def changelog(self) -> list[str]:
        return self.section("Lines for CHANGELOG.md")

    @property
    def version(self) -> str:
        (version,) = re.findall(r"requires (\d+\.\d+\.\d+)", self.report)
        return str(version)


class Project:
    """A repository in which the small document and its code are committed."""

    def __init__(self, root: Path, build: Path) -> None:
        self.root = root
        self.git("init", "--quiet")
        shutil.copytree(ROOT / OVERLAYS, root / OVERLAYS)
        self.write()
        self.commit("only the document")
        self.bare = self.git("rev-parse", "HEAD")
        generate(root / "openapi.yaml", build)
        install(build, root / "pictify_client")
        self.commit("and its code")
        self.base = self.git("rev-parse", "HEAD")

    def git(self, *words: str) -> str:
        who = ["-c", "user.name=Someone", "-c", "user.email=someone@example.com", "-c", "commit.gpgsign=false"]
        command = ["git", "-C", str(self.root), *who, *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603

    def commit(self, message: str) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)

    def write(self, *edits: Edit, version: str = "0.1.0") -> None:
        document = small()
        for edit in edits:
            edit(document)
        (self.root / "openapi.yaml").write_text(json.dumps(document), "utf-8")
        module = self.root / "pictify_client/_runtime/version.py"
        module.parent.mkdir(parents=True, exist_ok=True)
        module.write_text(f'__version__ = "{version}"\n', "utf-8")

    def compare(self, *words: str, base: str | None = None) -> Result:
        out, error = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(error):
            status = main(["--base", base or self.base, *words], self.root)
        # Types that mean "omitted" are irrelevant here.
        report = re.sub(r"( \| Unset)?( \| None)?(?=`)", lambda match: " | None" if match[0] else "", out.getvalue())
        assert "__init__" not in report
        return Result(status, report, error.getvalue())

    def __call__(self, *edits: Edit) -> Result:
        self.write(*edits)
        return self.compare()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project(tmp_path_factory.mktemp("project"), tmp_path_factory.mktemp("build"))


def binding(document: dict[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = document["components"]["schemas"]["Binding"]["properties"]
    return fields


def listing(document: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = document["paths"]["/bindings"]["get"]
    return operation


def creation(document: dict[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = document["paths"]["/bindings"]["post"]["requestBody"]["content"]["application/json"][
        "schema"
    ]
    return schema


IN_ALL = "in `pictify.bindings.list`, `pictify.bindings.create`, `pictify.bindings.get` and `pictify.bindings.update`"


def test_without_changes_there_is_nothing_to_report(project: Project) -> None:
    result = project()
    assert result.status == 0
    assert "There are none" in result.report
    assert "###" not in result.report


def test_a_new_optional_field_of_a_response_is_an_addition(project: Project) -> None:
    def edit(document: dict[str, Any]) -> None:
        binding(document)["priority"] = {"type": "integer", "description": "Which goes first. 0 is the first of all."}

    result = project(edit)
    assert result.document == [f"- schema `Binding`, {IN_ALL}", "- added field `priority`: integer"]
    assert result.breaks == ["None."]
    assert result.changelog == ["### Added", "- `Binding.priority`: Which goes first."]
    assert result.version == "0.1.1"
    assert "**Not breaking: " in result.report


def test_a_removed_field_is_breaking(project: Project) -> None:
    def edit(document: dict[str, Any]) -> None:
        del binding(document)["webhookUrl"]

    result = project(edit)
    assert result.document == [f"- schema `Binding`, {IN_ALL}", "- removed field `webhookUrl`"]
    assert result.breaks == ["- `Binding.webhook_url`: was removed"]
    assert result.status == 0
    assert result.changelog == ["### Removed", "- **Breaking:** `Binding.webhook_url`."]
    assert result.version == "0.2.0"
    assert "**Breaking: version 0.1.0 requires 0.2.0**" in result.report


def test_a_new_enum_value_is_an_addition(project: Project) -> None:
    def edit(document: dict[str, Any]) -> None:
        binding(document)["status"]["enum"].append("archived")
        listing(document)["parameters"][1]["schema"]["enum"].append("archived")

    result = project(edit)
    assert result.document == [
        "- `GET /bindings`, `pictify.bindings.list`",
        "- added value `archived` of query parameter `status`",
        f"- schema `Binding`, {IN_ALL}",
        "- added value `archived` of field `status`",
    ]
    assert result.breaks == ["None."]
    assert result.changelog == ["### Added", "- `BindingStatus.ARCHIVED`: `archived`."]
    assert result.version == "0.1.1"


def test_a_removed_enum_value_is_breaking(project: Project) -> None:
    def edit(document: dict[str, Any]) -> None:
        binding(document)["status"]["enum"].remove("error")
        listing(document)["parameters"][1]["schema"]["enum"].remove("error")

    result = project(edit)
    assert result.document[1] == "- removed value `error` of query parameter `status`"
    assert result.breaks == ["- `BindingStatus.ERROR`: was removed"]
    assert result.changelog == ["### Removed", "- **Breaking:** `BindingStatus.ERROR`."]


def parameter(name: str, **more: Any) -> Edit:
    def edit(document: dict[str, Any]) -> None:
        given = {"name": name, "in": "query", "description": "Whose they are.", "schema": {"type": "string"}}
        listing(document)["parameters"].append({**given, **more})

    return edit


def test_a_new_required_parameter_is_breaking(project: Project) -> None:
    result = project(parameter("ownerId", required=True))
    assert result.document == [
        "- `GET /bindings`, `pictify.bindings.list`",
        "- added query parameter `ownerId`: string, required",
    ]
    assert result.breaks == ["- `pictify.bindings.list(owner_id=…)`: is required"]
    assert result.changelog == [
        "### Changed",
        "- **Breaking:** `pictify.bindings.list(owner_id=…)`: is required. Whose they are.",
    ]
    assert result.version == "0.2.0"


def test_a_new_optional_parameter_is_an_addition(project: Project) -> None:
    result = project(parameter("sort", schema={"type": "string", "enum": ["name", "age"]}))
    assert result.document[1:] == ["- added query parameter `sort`: one of name, age"]
    assert result.breaks == ["None."]
    assert result.changelog == [
        "### Added",
        "- `pictify.bindings.list(sort=…)`: Whose they are.",
        "- `ListBindingsSort`.",
    ]
    assert result.version == "0.1.1"


def test_a_renamed_operation_is_breaking_only_by_its_names(project: Project) -> None:
    def edit(document: dict[str, Any]) -> None:
        document["paths"]["/bindings/{uid}"]["delete"]["operationId"] = "dropBinding"

    result = project(edit)
    assert result.document == [
        "- `DELETE /bindings/{uid}`, `pictify.bindings.drop`",
        "- changed the operation: `operationId` deleteBinding → dropBinding",
    ]
    assert result.breaks == [
        "- `pictify.bindings.delete`: was renamed to `pictify.bindings.drop`",
        "- `pictify_client.api.bindings.delete_binding`: was renamed to `pictify_client.api.bindings.drop_binding`",
    ]
    assert result.changelog == [
        "### Changed",
        "- **Breaking:** `pictify.bindings.delete(…)`: was renamed to `pictify.bindings.drop`.",
        "- **Breaking:** `pictify_client.api.bindings.delete_binding`: was renamed to `pictify_client.api.bindings.drop_binding`.",
    ]
    assert result.version == "0.2.0"


def test_other_changes_of_a_renamed_operation_are_reported(project: Project) -> None:
    def edit(document: dict[str, Any]) -> None:
        operation = document["paths"]["/bindings"]["post"]
        operation["operationId"] = "makeBinding"
        creation(document)["required"].append("name")
        creation(document)["properties"]["owner"] = {"type": "string"}

    result = project(edit)
    assert "- **Breaking:** `pictify.bindings.make(name=…)`: is required." in result.changelog
    assert "- `pictify.bindings.make(owner=…)`." in result.changelog
    assert "- **Breaking:** `pictify.bindings.create(…)`: was renamed to `pictify.bindings.make`." in result.changelog
    assert "- **Breaking:** `CreateBindingBody`." in result.changelog
    assert not [line for line in result.changelog if "template_id" in line]


def test_an_operation_that_moves_to_another_path_is_the_same_operation(project: Project) -> None:
    def edit(document: dict[str, Any]) -> None:
        document["paths"]["/templates/batch/{batchId}/stop"] = document["paths"].pop(
            "/templates/batch/{batchId}/cancel"
        )

    result = project(edit)
    assert result.document == [
        "- `POST /templates/batch/{batchId}/stop`, `pictify.batch.cancel`",
        "- changed the operation: `path` POST /templates/batch/{batchId}/cancel → POST /templates/batch/{batchId}/stop",
    ]
    assert result.breaks == ["None."]
    assert result.changelog == [
        "### Changed",
        "- `pictify.batch.cancel(…)`: sends `POST /templates/batch/{batchId}/stop`, "
        "was `POST /templates/batch/{batchId}/cancel`.",
    ]
    assert result.version == "0.1.1"


def test_a_new_operation_is_an_addition_and_a_removed_one_is_breaking(project: Project) -> None:
    def edit(document: dict[str, Any]) -> None:
        get = document["paths"]["/bindings/{uid}"]["get"]
        document["paths"]["/bindings/{uid}/archive"] = {
            "post": {**get, "operationId": "archiveBinding", "summary": "Put a binding away."}
        }
        del document["paths"]["/templates/batch/{batchId}/cancel"]

    result = project(edit)
    assert result.document == [
        "- `POST /bindings/{uid}/archive`, `pictify.bindings.archive`",
        "- added the operation: Put a binding away.",
        "- `POST /templates/batch/{batchId}/cancel`, `pictify.batch.cancel`",
        "- removed the operation",
    ]
    assert result.breaks[0] == "- `pictify.batch`: was removed"
    assert result.changelog[:2] == [
        "### Added",
        "- `pictify.bindings.archive(…)`: Put a binding away (`POST /bindings/{uid}/archive`).",
    ]
    assert "- **Breaking:** `pictify.batch`." in result.changelog
    assert result.version == "0.2.0"


def test_new_descriptions_do_not_affect_callers(project: Project) -> None:
    def edit(document: dict[str, Any]) -> None:
        listing(document)["summary"] = "List them."
        listing(document)["parameters"][0]["description"] = "Of which template."
        listing(document)["responses"]["200"]["description"] = "The page."
        document["tags"][-2]["description"] = "Templates that are tied to data."
        binding(document)["name"]["description"] = "Its name."

    result = project(edit)
    assert result.document == [
        "- the API",
        "- new description: the tag Bindings",
        "- `GET /bindings`, `pictify.bindings.list`",
        "- new description: the operation, query parameter `templateId` and response 200",
        f"- schema `Binding`, {IN_ALL}",
        "- new description: field `name`",
    ]
    assert result.breaks == ["None."]
    assert result.changelog == ["None."]
    assert result.version == "0.1.1"


def test_a_changed_field_type_is_breaking(project: Project) -> None:
    def edit(document: dict[str, Any]) -> None:
        document["components"]["schemas"]["Pagination"]["properties"]["total"]["type"] = "string"

    result = project(edit)
    assert result.document == [
        "- schema `Pagination`, in `pictify.bindings.list`",
        "- changed field `total`: `type` integer → string",
    ]
    assert result.breaks == ["- `Pagination.total`: is `str | None`, was `int | None`"]
    assert result.changelog == ["### Changed", "- **Breaking:** `Pagination.total`: is `str | None`, was `int | None`."]


def test_whether_a_changed_type_is_breaking_depends_on_the_direction(project: Project) -> None:
    def edit(document: dict[str, Any]) -> None:
        listing(document)["parameters"][2]["schema"]["type"] = "number"
        creation(document)["properties"]["name"]["type"] = "integer"
        document["components"]["schemas"]["Pagination"]["required"] = ["total"]
        document["components"]["schemas"]["ExperimentEvent"]["properties"]["weight"] = {"type": "number"}
        document["components"]["schemas"]["ExperimentEvent"]["required"].append("weight")

    result = project(edit)
    assert result.breaks == [
        "- `pictify.bindings.create(name=…)`: is `int | None`, was `str | None`",
        "- `ExperimentEvent.weight`: is required",
    ]
    assert result.changelog == [
        "### Added",
        "- `pictify.experiments.track_events(weight=…)`.",
        "### Changed",
        "- **Breaking:** `pictify.bindings.create(name=…)`: is `int | None`, was `str | None`.",
        "- **Breaking:** `ExperimentEvent.weight`: is required.",
        "- `pictify.bindings.list(page=…)`: is `float | None`, was `int | None`.",
        "- `Pagination.total`: is always present.",
    ]


def test_a_field_of_the_body_that_becomes_required_is_breaking(project: Project) -> None:
    def edit(document: dict[str, Any]) -> None:
        creation(document)["required"].append("name")

    result = project(edit)
    assert result.document == [
        "- `POST /bindings`, `pictify.bindings.create`",
        "- changed field `name` of the body: `required` false → true",
    ]
    assert result.breaks == ["- `pictify.bindings.create(name=…)`: is required"]
    assert result.changelog == ["### Changed", "- **Breaking:** `pictify.bindings.create(name=…)`: is required."]
    assert result.version == "0.2.0"


def test_a_removed_field_of_the_body_is_breaking(project: Project) -> None:
    def edit(document: dict[str, Any]) -> None:
        del creation(document)["properties"]["defaults"]

    result = project(edit)
    assert result.document[1:] == ["- removed field `defaults` of the body"]
    assert result.breaks == ["- `pictify.bindings.create(defaults=…)`: was removed"]
    assert result.changelog == ["### Removed", "- **Breaking:** `pictify.bindings.create(defaults=…)`."]


def test_a_narrower_limit_is_breaking_in_requests_only(project: Project) -> None:
    def edit(document: dict[str, Any]) -> None:
        document["paths"]["/image"]["get"]["parameters"][0]["schema"] |= {"maximum": 50, "default": 10}
        listing(document)["parameters"][0]["schema"] |= {"pattern": "^tmpl_", "minLength": 5}
        creation(document)["properties"]["dataSource"]["properties"]["url"]["maxLength"] = 200
        creation(document)["properties"]["mapping"]["additionalProperties"]["maxLength"] = 20
        creation(document)["properties"]["name"]["pattern"] = "x?" * 50
        event = document["components"]["schemas"]["ExperimentEvent"]["properties"]
        event["variantId"]["enum"] = ["a", "b"]
        event["device"]["items"] = {"type": "string"}
        document["components"]["schemas"]["Pagination"]["properties"]["limit"]["maximum"] = 50

    result = project(edit)
    assert result.breaks == [
        "- `pictify.bindings.create(mapping=…)`: each now at most 20 characters",
        "- `pictify.bindings.create(name=…)`: another `pattern`",
        "- `pictify.bindings.list(template_id=…)`: now of the form `^tmpl_`; now at least 5 characters",
        "- `pictify.experiments.track_events(variant_id=…)`: is `ExperimentEventVariantId | Literal['a', 'b'] | None`, "
        "was `str | None`",
        "- `pictify.images.list(limit=…)`: at most 50, was 100",
        "- `DataSource.url`: now at most 200 characters",
        "- `ExperimentEvent.variant_id`: is `ExperimentEventVariantId | Literal['a', 'b'] | None`, was `str | None`; "
        "now one of a, b",
    ]
    assert (
        "- **Breaking:** `pictify.images.list(limit=…)`: at most 50, was 100; defaults to 10, was 30."
        in result.changelog
    )
    assert "- schema `Pagination`, in `pictify.bindings.list`" in result.document
    assert not [line for line in result.changelog if "Pagination" in line]


def test_a_wider_limit_is_not_breaking(project: Project) -> None:
    def edit(document: dict[str, Any]) -> None:
        document["paths"]["/image"]["get"]["parameters"][0]["schema"]["maximum"] = 500
        document["components"]["schemas"]["ExperimentEvent"]["properties"]["experiment"].pop("maxLength")
        events = document["paths"]["/s/events"]["post"]["requestBody"]["content"]["application/json"]["schema"]
        events["oneOf"][1]["maxItems"] = 200

    result = project(edit)
    assert result.breaks == ["None."]
    assert result.changelog == [
        "### Changed",
        "- `pictify.experiments.track_events(…)`: at most 200 items, was 100.",
        "- `pictify.images.list(limit=…)`: at most 500, was 100.",
        "- `ExperimentEvent.experiment`: no longer at most 60 characters.",
    ]
    assert result.version == "0.1.1"


def test_changes_of_an_operation_or_of_the_api_itself_are_reported(project: Project) -> None:
    def edit(document: dict[str, Any]) -> None:
        document["info"]["version"] = "1.1.0"
        document["servers"][0]["url"] = "https://api2.pictify.io"
        events = document["paths"]["/s/events"]["post"]
        events["security"] = [{"bearerAuth": []}]
        events["responses"]["409"] = {"description": "It is there already."}
        del events["responses"]["400"]
        listing(document)["deprecated"] = True
        listing(document)["security"] = []

    result = project(edit)
    assert result.document == [
        "- the API",
        "- changed the API: `version` 1.0.0 → 1.1.0; `servers` https://api.pictify.io → https://api2.pictify.io",
        "- `GET /bindings`, `pictify.bindings.list`",
        '- changed the operation: `deprecated` none → true; `security` {"bearerAuth": []} → none',
        "- `POST /s/events`, `pictify.experiments.track_events`",
        '- changed the operation: `security` {"writeKeyAuth": []}, {} → {"bearerAuth": []}',
        "- added response 409",
        "- removed header parameter `X-Write-Key`",
        "- removed response 400",
    ]
    assert result.breaks == [
        "- `pictify.experiments.track_events`: requires the API key",
        "- `pictify_client.api.experiments.track_experiment_events(write_key=…)`: was removed",
    ]
    assert (
        "- `Pictify(base_url=…)`: defaults to https://api2.pictify.io, was https://api.pictify.io." in result.changelog
    )


def remove_a_field(document: dict[str, Any]) -> None:
    del binding(document)["webhookUrl"]


def add_a_field(document: dict[str, Any]) -> None:
    binding(document)["priority"] = {"type": "integer"}


@pytest.mark.parametrize(
    ("edit", "version", "status"),
    [
        (remove_a_field, "0.1.0", 1),
        (remove_a_field, "0.1.9", 1),
        (remove_a_field, "0.2.0", 0),
        (remove_a_field, "1.0.0rc1", 0),
        (add_a_field, "0.1.0", 0),
    ],
)
def test_it_can_fail_if_the_version_does_not_account_for_a_breaking_change(
    edit: Edit, version: str, status: int, project: Project
) -> None:
    project.write(edit, version=version)
    result = project.compare("--fail-on-breaking")
    assert result.status == status
    assert result.report.startswith(f"## Changes of the OpenAPI document since `{project.base}`")
    assert ("needs version 0.2.0" in result.error) == bool(status)


@pytest.mark.parametrize(
    ("base", "breaking", "adding", "otherwise"),
    [
        ((0, 0, 3), (0, 0, 4), (0, 0, 4), (0, 0, 4)),
        ((0, 1, 2), (0, 2, 0), (0, 1, 3), (0, 1, 3)),
        ((1, 2, 3), (2, 0, 0), (1, 3, 0), (1, 2, 4)),
        ((0, 0, 0), (0, 0, 1), (0, 0, 1), (0, 0, 1)),
    ],
)
def test_the_next_version(
    base: tuple[int, ...], breaking: tuple[int, ...], adding: tuple[int, ...], otherwise: tuple[int, ...]
) -> None:
    assert next_version(base, breaking=True, added=True) == breaking
    assert next_version(base, breaking=False, added=True) == adding
    assert next_version(base, breaking=False, added=False) == otherwise


def test_a_missing_commit_is_an_error(project: Project) -> None:
    project.write()
    result = project.compare(base="v9")
    assert (result.status, result.report) == (2, "")
    assert "'v9' is not a commit of this repository: fetch it" in result.error


def test_a_commit_without_the_compared_files_is_an_error(project: Project) -> None:
    result = project.compare(base=project.bare)
    assert result.status == 2
    assert "there is no pictify_client/api and pictify_client/models at" in result.error


def test_a_document_from_which_no_code_can_be_generated_is_an_error(project: Project) -> None:
    def edit(document: dict[str, Any]) -> None:
        del listing(document)["operationId"]

    result = project(edit)
    assert (result.status, result.report) == (2, "")
    assert "from openapi.yaml\n$.paths['/bindings'].get: GET /bindings: it has no operationId" in result.error
    (project.root / "openapi.yaml").write_text("{", "utf-8")
    result = project.compare()
    assert result.status == 2
    assert "no code can be generated from openapi.yaml\n" in result.error


def test_an_invalid_document_in_the_commit_is_an_error(project: Project) -> None:
    (project.root / "openapi.yaml").write_text("{", "utf-8")
    project.commit("a slip")
    broken = project.git("rev-parse", "HEAD")
    project.write()
    result = project.compare(base=broken)
    assert result.status == 2
    assert f"openapi.yaml at '{broken}' cannot be read" in result.error


def test_outdated_code_in_the_commit_is_compared_as_it_is(project: Project) -> None:
    project.write(add_a_field, parameter("sort"))
    document = json.loads((project.root / "openapi.yaml").read_text("utf-8"))
    document["paths"]["/bindings/all"] = {"get": {**listing(document), "operationId": "listAllBindings"}}
    (project.root / "openapi.yaml").write_text(json.dumps(document), "utf-8")
    project.commit("a document without its code")
    result = project.compare(base="HEAD")
    assert result.document == ["None."]
    assert result.breaks == ["None."]
    assert "- `Binding.priority`." in result.changelog
    assert (
        "- `pictify.bindings.list_all(…)`: List the bindings of the account (`GET /bindings/all`)." in result.changelog
    )


def test_a_list_that_is_no_longer_paginated_is_breaking(project: Project) -> None:
    def edit(document: dict[str, Any]) -> None:
        del listing(document)["parameters"][2]

    result = project(edit)
    assert result.breaks == [
        "- `pictify.bindings.list`: is `BindingList`, was `Pager[Binding, Pagination]`",
        "- `pictify.bindings.list(page=…)`: was removed",
        "- `pictify.bindings.list(prefetch=…)`: was removed",
    ]


def document_with_response(schema: dict[str, Any], **parts: Any) -> dict[str, Any]:
    """A document with one operation, whose response has a schema."""
    result = {"description": "It.", "content": {"application/json": {"schema": schema}}}
    operation = {"operationId": "getIt", "responses": {"200": {"$ref": "#/components/responses/It"}}, **parts}
    components = {"schemas": SCHEMAS, "responses": {"It": result}, "parameters": PARAMETERS}
    return {"servers": [], "paths": {"/it": {"get": operation}}, "components": components}


def fields(**schemas: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": schemas}


NODE, KNOT = ({"$ref": f"#/components/schemas/{name}"} for name in ("Node", "Knot"))
TEXT = {"type": "string"}
SCHEMAS = {"Node": fields(next=NODE), "Knot": fields(next=KNOT, size={"type": "integer"})}
PARAMETERS = {"Page": {"name": "page", "in": "query", "schema": {"type": "integer"}}}


@pytest.mark.parametrize(
    ("before", "after", "result"),
    [
        (NODE, NODE, []),
        (
            NODE,
            KNOT,
            [
                "changed response 200: `type` Node → Knot",
                "changed field `next` of response 200: `type` Node → Knot",
                "added field `size` of response 200: integer",
            ],
        ),
        (
            {"type": "array", "items": TEXT},
            {"type": "array", "items": {**TEXT, "format": "date-time"}},
            ["changed field `[]` of response 200: `format` none → date-time"],
        ),
        (
            {"allOf": [NODE, fields(text=TEXT)]},
            {"allOf": [NODE]},
            ["changed response 200: `type` Node and object → Node", "removed field `text` of response 200"],
        ),
        ({**TEXT, "enum": ["a", "b"]}, TEXT, ["changed response 200: `enum` a, b → none"]),
        (
            {"additionalProperties": True},
            {"additionalProperties": False},
            ["changed response 200: `additionalProperties` true → false"],
        ),
        (
            fields(a={"additionalProperties": TEXT}),
            fields(a={"additionalProperties": {**TEXT, "title": "A"}}),
            ["described field `a.*` of response 200"],
        ),
        ({"anyOf": [TEXT]}, {"anyOf": [TEXT, {"type": "null"}]}, ["changed response 200: `nullable` false → true"]),
        (
            {"oneOf": [NODE]},
            {"oneOf": [{"type": "integer"}]},
            [
                "changed response 200: `type` Node → integer; `type` object → integer",
                "removed field `next` of response 200",
            ],
        ),
        (
            {"anyOf": [TEXT, NODE]},
            {"anyOf": [NODE, {"type": "integer"}]},
            ["changed response 200: `type` string → integer"],
        ),
        ({"pattern": "a" * 99}, {}, ["changed response 200: another `pattern`"]),
        (
            fields(),
            fields(
                a={"type": "array", "items": NODE},
                b={"type": ["string", "null"], "format": "uri"},
                c=fields(a=TEXT),
                d={},
            ),
            [
                "added field `a` of response 200: array of Node",
                "added field `b` of response 200: string or null (uri)",
                "added field `c` of response 200: object",
                "added field `d` of response 200: anything",
            ],
        ),
    ],
)
def test_schemas_are_compared_recursively(before: dict[str, Any], after: dict[str, Any], result: list[str]) -> None:
    assert [
        str(change) for change in differences(document_with_response(before), document_with_response(after))
    ] == result


@pytest.mark.parametrize(
    ("before", "after", "result"),
    [
        ({}, {"parameters": [{"$ref": "#/components/parameters/Page"}]}, ["added query parameter `page`: integer"]),
        (
            {},
            {"requestBody": {"required": True, "content": {"application/json": {"schema": NODE}}}},
            ["added the body: Node, required"],
        ),
        (
            {"requestBody": {"content": {"text/plain": {}}}},
            {"requestBody": {"content": {"text/html": {}}}},
            ["changed the body: `content` text/plain → text/html"],
        ),
        ({"responses": {}}, {"responses": {"404": {"description": "No."}}}, ["added response 404"]),
    ],
)
def test_all_parts_of_an_operation_are_compared(
    before: dict[str, Any], after: dict[str, Any], result: list[str]
) -> None:
    assert [
        str(change)
        for change in differences(document_with_response(NODE, **before), document_with_response(NODE, **after))
    ] == result


def document_with_body(schema: dict[str, Any], **parts: Any) -> dict[str, Any]:
    """A document with one operation, whose body has a schema."""
    document = document_with_response(NODE, requestBody={"content": {"application/json": {"schema": schema}}}, **parts)
    document["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    return document


def found(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """The changes, with an exclamation mark before breaking ones."""
    changes = differences(before, after)
    return [f"{'! ' if any(facet.breaks for facet in change.facets) else ''}{change}" for change in changes]


NUMBER, INTEGER = ({"type": name} for name in ("number", "integer"))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (fields(a=NODE), fields(a={"allOf": [NODE]})),
        (fields(a=NODE), fields(a={"oneOf": [NODE]})),
        ({"allOf": [fields(a=TEXT), {"required": ["a"]}]}, {**fields(a=TEXT), "required": ["a"]}),
        ({"anyOf": [NODE, {"type": "null"}]}, {**NODE, "nullable": True}),
        ({"type": ["string", "null"]}, {"type": "string", "nullable": True}),
        ({"type": ["string", "null"]}, {"type": ["null", "string"]}),
        ({"type": ["string", "null"]}, {"anyOf": [TEXT, {"type": "null"}]}),
        ({"type": ["string"]}, TEXT),
        ({"type": ["number", "integer"]}, NUMBER),
        ({**TEXT, "enum": ["a", None]}, {**TEXT, "enum": ["a"], "nullable": True}),
        ({"properties": {"a": TEXT}}, fields(a=TEXT)),
        ({"oneOf": [NODE, KNOT]}, {"oneOf": [KNOT, NODE]}),
        ({**TEXT, "minLength": 0, "pattern": ".*"}, TEXT),
        ({"type": "array", "items": TEXT, "minItems": 0, "uniqueItems": False}, {"type": "array", "items": TEXT}),
        ({**fields(a=TEXT), "additionalProperties": True, "minProperties": 0}, fields(a=TEXT)),
        ({**TEXT, "deprecated": False, "readOnly": False, "writeOnly": False, "nullable": False}, TEXT),
        ({**INTEGER, "exclusiveMinimum": 0}, {**INTEGER, "minimum": 1}),
        ({**INTEGER, "exclusiveMaximum": 9.5}, {**INTEGER, "maximum": 9}),
        ({**NUMBER, "exclusiveMinimum": 0, "minimum": 1}, {**NUMBER, "minimum": 1}),
        ({**NUMBER, "exclusiveMinimum": True, "minimum": 0}, {**NUMBER, "exclusiveMinimum": 0}),
        ({**NUMBER, "exclusiveMinimum": False, "minimum": 0}, {**NUMBER, "minimum": 0}),
        ({"allOf": [{**INTEGER, "maximum": 9}], "maximum": 5}, {**INTEGER, "maximum": 5}),
        (
            {"x-rules": [["Requires", ["a", "b"]], ["AtLeastOne", ["c"]]]},
            {"x-rules": [["AtLeastOne", ["c"]], ["Requires", ["a", "b"]]]},
        ),
    ],
)
def test_equivalent_notations_of_a_schema_are_not_a_change(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert found(document_with_body(before), document_with_body(after)) == []
    assert found(document_with_response(after), document_with_response(before)) == []


@pytest.mark.parametrize(
    ("before", "after", "result"),
    [
        (TEXT, {"type": ["string", "null"]}, "! changed field `a` of the body: `nullable` false → true"),
        ({"type": ["string", "null"]}, TEXT, "! changed field `a` of the body: `nullable` true → false"),
        (TEXT, {}, "! changed field `a` of the body: `type` string → none; `nullable` false → true"),
        (INTEGER, {**INTEGER, "exclusiveMinimum": 0}, "! changed field `a` of the body: `minimum` none → 1"),
        (NUMBER, {**NUMBER, "exclusiveMinimum": 0}, "! changed field `a` of the body: `exclusiveMinimum` none → 0"),
        (
            {**NUMBER, "minimum": 0},
            {**NUMBER, "exclusiveMinimum": 0},
            "! changed field `a` of the body: `exclusiveMinimum` none → 0; `minimum` 0 → none",
        ),
        (
            {**NUMBER, "maximum": 1},
            {**NUMBER, "exclusiveMaximum": 2},
            "changed field `a` of the body: `exclusiveMaximum` none → 2; `maximum` 1 → none",
        ),
        ({"maxProperties": 9}, {"maxProperties": 5}, "! changed field `a` of the body: `maxProperties` 9 → 5"),
        ({"minItems": 1}, {"minItems": 0}, "changed field `a` of the body: `minItems` 1 → none"),
        (
            {},
            {"propertyNames": {"pattern": "a"}},
            '! changed field `a` of the body: `propertyNames` none → {"pattern": "a"}',
        ),
        (
            {"x-rules": [["AtLeastOne", ["c"]]]},
            {"x-rules": [["AtLeastOne", ["c"]], ["Requires", ["a", "b"]]]},
            '! changed field `a` of the body: `x-rules` ["AtLeastOne", ["c"]] → ["AtLeastOne", ["c"]], ["Requires", ["a", "b"]]',
        ),
        (TEXT, {**TEXT, "readOnly": True}, "! changed field `a` of the body: `readOnly` none → true"),
        (TEXT, {**TEXT, "writeOnly": True}, "changed field `a` of the body: `writeOnly` none → true"),
        (
            fields(b=TEXT),
            {**fields(b=TEXT), "additionalProperties": False},
            "! changed field `a` of the body: `additionalProperties` none → false",
        ),
        (fields(itemID=TEXT), fields(itemId=TEXT), "! changed field `a.itemId` of the body: `name` itemID → itemId"),
    ],
)
def test_narrower_requests_are_breaking(before: dict[str, Any], after: dict[str, Any], result: str) -> None:
    assert found(document_with_body(fields(a=before)), document_with_body(fields(a=after))) == [result]


@pytest.mark.parametrize(
    ("before", "after", "result"),
    [
        (TEXT, {**TEXT, "writeOnly": True}, ["! changed field `a` of response 200: `writeOnly` none → true"]),
        (TEXT, {**TEXT, "readOnly": True}, ["changed field `a` of response 200: `readOnly` none → true"]),
        (TEXT, {"type": ["string", "null"]}, ["changed field `a` of response 200: `nullable` false → true"]),
        (INTEGER, {**INTEGER, "exclusiveMinimum": 0}, ["changed field `a` of response 200: `minimum` none → 1"]),
        (
            fields(itemID=TEXT),
            {**fields(itemId=TEXT), "additionalProperties": False},
            [
                "changed field `a.itemId` of response 200: `name` itemID → itemId",
                "changed field `a` of response 200: `additionalProperties` none → false",
            ],
        ),
    ],
)
def test_wider_responses_are_breaking(before: dict[str, Any], after: dict[str, Any], result: list[str]) -> None:
    assert found(document_with_response(fields(a=before)), document_with_response(fields(a=after))) == result


def test_a_required_field_that_becomes_nullable_is_not_breaking() -> None:
    before, after = ({**fields(a={"type": types}), "required": ["a"]} for types in ("string", ["string", "null"]))
    assert found(document_with_body(before), document_with_body(after)) == [
        "changed field `a` of the body: `nullable` false → true"
    ]
    assert found(document_with_body(after), document_with_body(before)) == [
        "! changed field `a` of the body: `nullable` true → false"
    ]


KEY: dict[str, list[str]] = {"key": []}
OTHER: dict[str, list[str]] = {"other": []}


@pytest.mark.parametrize(
    ("before", "after", "result"),
    [
        ([KEY], [KEY | OTHER], ['! changed the operation: `security` {"key": []} → {"key": [], "other": []}']),
        ([KEY, OTHER], [KEY], ['! changed the operation: `security` {"key": []}, {"other": []} → {"key": []}']),
        ([], [KEY], ['! changed the operation: `security` none → {"key": []}']),
        ([KEY], [], ['changed the operation: `security` {"key": []} → none']),
        ([KEY], [KEY, OTHER], ['changed the operation: `security` {"key": []} → {"key": []}, {"other": []}']),
        ([KEY | OTHER], [KEY], ['changed the operation: `security` {"key": [], "other": []} → {"key": []}']),
        ([KEY, {}], [{}, KEY], []),
    ],
)
def test_a_newly_required_key_is_breaking(before: list[Any], after: list[Any], result: list[str]) -> None:
    assert found(document_with_response(NODE, security=before), document_with_response(NODE, security=after)) == result


def test_the_security_of_the_root_applies_to_its_operations(project: Project) -> None:
    def edit(document: dict[str, Any]) -> None:
        document["security"] = []

    result = project(edit)
    assert '- changed the operation: `security` {"bearerAuth": []} → none' in result.document
    assert result.breaks == ["None."]
    assert "- `pictify.bindings.list(…)`: requires no key." in result.changelog


def test_keywords_of_a_path_are_compared() -> None:
    before, after = document_with_response(NODE), document_with_response(NODE)
    after["paths"]["/it"] |= {"servers": [{"url": "https://b"}], "summary": "It.", "x-more": 1}
    assert found(before, after) == [
        'changed the path /it: `servers` none → {"url": "https://b"}; `x-more` none → 1',
        "described the path /it",
    ]


def test_a_respelled_parameter_is_the_same_argument() -> None:
    before, after = ({"name": name, "in": "query", "schema": TEXT} for name in ("itemID", "itemId"))
    result = ["changed query parameter `itemId`: `name` itemID → itemId"]
    assert (
        found(document_with_response(NODE, parameters=[before]), document_with_response(NODE, parameters=[after]))
        == result
    )
    styled = {**before, "style": "form", "explode": True, "deprecated": False}
    assert (
        found(document_with_response(NODE, parameters=[before]), document_with_response(NODE, parameters=[styled]))
        == []
    )


def move_behind_references(document: dict[str, Any]) -> None:
    body = document["paths"]["/bindings"]["post"].pop("requestBody")
    response = listing(document)["responses"].pop("200")
    parts = {"pathItems": "/bindings", "requestBodies": body, "responses": response}
    document["paths"]["/bindings"]["post"]["requestBody"] = {"$ref": "#/components/requestBodies/It"}
    listing(document)["responses"]["200"] = {"$ref": "#/components/responses/It"}
    parts["pathItems"] = document["paths"].pop("/bindings")
    document["paths"]["/bindings"] = {"$ref": "#/components/pathItems/It"}
    document["components"] |= {section: {"It": part} for section, part in parts.items()}


def test_moving_a_schema_behind_a_reference_is_not_a_change(project: Project) -> None:
    assert "There are none" in project(move_behind_references).report


def enum_of_integers(document: dict[str, Any]) -> None:
    creation(document)["properties"]["name"] = {"type": "integer", "enum": [1, 2]}


def server_of_a_path(document: dict[str, Any]) -> None:
    document["paths"]["/bindings"]["servers"] = [{"url": "https://other.pictify.io"}]


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (enum_of_integers, "the schema CreateBindingBody: name is of an unsupported type"),
        (server_of_a_path, "$.paths['/bindings'].servers: it has its own server"),
    ],
)
def test_an_unsupported_part_is_an_error_with_its_place(edit: Edit, reason: str, project: Project) -> None:
    result = project(edit)
    assert (result.status, result.report) == (2, "")
    assert reason in result.error


def test_a_limit_of_a_component_without_a_class_applies_to_the_arguments(project: Project) -> None:
    def edit(document: dict[str, Any], most: int) -> None:
        document["components"]["schemas"]["HowMany"] = {"type": "integer", "maximum": most}
        creation(document)["properties"]["count"] = {"$ref": "#/components/schemas/HowMany"}

    project.write(lambda document: edit(document, 80))
    project.commit("a component of numbers")
    project.write(lambda document: edit(document, 50))
    result = project.compare(base="HEAD")
    assert result.document[1:] == ["- changed field `count` of the body: `maximum` 80 → 50"]
    assert result.breaks == ["- `pictify.bindings.create(count=…)`: at most 50, was 80"]


def test_a_report_lists_breaking_changes_with_advice(project: Project) -> None:
    def edit(document: dict[str, Any]) -> None:
        creation(document)["additionalProperties"] = False
        creation(document)["properties"]["name"]["type"] = ["string", "null"]
        creation(document)["properties"]["templateID"] = creation(document)["properties"].pop("templateId")
        required = creation(document)["required"]
        required[required.index("templateId")] = "templateID"
        binding(document)["webhookUrl"]["writeOnly"] = True
        listing(document)["security"] = [{"bearerAuth": [], "writeKeyAuth": []}]
        event = document["components"]["schemas"]["ExperimentEvent"]
        event["properties"]["referrer"]["readOnly"] = True
        event["required"].append("device")

    assert project(edit).section("Breaking changes") == [
        "- `pictify.bindings.create`: accepts no other fields. The API rejects unknown fields: do not send them in "
        "mappings or `additional_properties`.",
        "- `pictify.bindings.create(name=…)`: sends None as null, and omitted it before. Do not pass None to omit it.",
        "- `pictify.bindings.create(template_id=…)`: is `templateID` in mappings, was `templateId`. The API does not know "
        "the former name: rename the key of mappings.",
        "- `pictify.bindings.list`: requires the API key and the key `X-Write-Key`. The API rejects requests without it: "
        "pass it.",
        "- `pictify.bindings.list(write_key=…)`: is required. Calls without it raise a TypeError: pass it.",
        "- `pictify.experiments.track_events(referrer=…)`: was removed. Calls that pass it raise a TypeError: remove the "
        "argument.",
        "- `Binding.webhook_url`: is not in responses any more. The API does not return it: do not read it.",
        "- `ExperimentEvent.device`: is required. Objects without it are rejected: pass it.",
        "- `ExperimentEvent.referrer`: is not in requests any more. The API sets it: do not pass it.",
    ]


@pytest.mark.parametrize(
    ("facet", "how"),
    [
        (Facet("nullable", True, False, breaks=True), "does not send None as null any more"),
        (Facet("name", "itemID", "itemId", breaks=True), "is `itemId` in mappings, was `itemID`"),
        (Facet("x-rules", None, [["AtLeastOne", ["c"]]], breaks=True), "limits further which fields go together"),
        (Facet("propertyNames", None, {"pattern": "a"}, breaks=True), '`propertyNames` none → {"pattern": "a"}'),
        (Facet("exclusiveMinimum", None, 0, breaks=True), "now greater than 0"),
        (Facet("security", [], [KEY, OTHER], breaks=True), "requires the API key or the key `X-Other`"),
        (Facet("security", [KEY], [{"key": ["admin"]}]), None),
        (Facet("servers", ["https://a"], ["https://a", "https://b"]), None),
        (Facet("deprecated", None, True), None),
    ],
)
def test_effects_are_described(facet: Facet, how: str | None) -> None:
    schemes = {"key": {"type": "http", "scheme": "bearer"}, "other": {"type": "apiKey", "name": "X-Other"}}
    effect = effect_of(facet, schemes)
    assert (effect and effect.how) == how


@pytest.mark.parametrize(
    ("kind", "other", "is_one"),
    [
        ("int", "float", True),
        ("float", "int", False),
        ("int | None", "float | str | None", True),
        ("str", "Any", True),
        ("Any", "str", False),
        ("Iterable[int]", "Iterable[float]", True),
        ("Mapping[str, int]", "Mapping[str, float | None]", True),
        # Lists are invariant.
        ("list[int]", "list[float]", False),
        ("Iterable[int]", "Mapping[str, int]", False),
        ("Iterable[int]", "int", False),
    ],
)
def test_a_type_fits_another_if_all_its_values_do(kind: str, other: str, is_one: bool) -> None:
    assert fits(kind, other) is is_one


@pytest.mark.parametrize(
    ("kind", "simple"),
    [
        ('Color | Literal["red", "blue"] | None', "Color | None"),
        ("Box | BoxParam | None", "Box | None"),
        ("Iterable[Box | Mapping[str, Any]]", "Iterable[Box]"),
        ("Mapping[str, Any] | None", "Mapping[str, Any] | None"),
        ('Literal["red"] | None', "Literal['red'] | None"),
        ("LidParam | Box", "LidParam | Box"),
    ],
)
def test_alternatives_for_the_same_values_are_not_compared(kind: str, simple: str) -> None:
    assert simplified(kind, {"Color", "Box"}) == simple


def surface(folder: Path, models: str) -> Surface:
    """The public names of a handwritten package of models."""
    for name in ("", "api", "models"):
        (folder / "pictify_client" / name).mkdir(parents=True, exist_ok=True)
        (folder / "pictify_client" / name / "__init__.py").touch()
    (folder / "pictify_client/models/box.py").write_text(models, "utf-8")
    return Surface(folder)


@pytest.mark.parametrize(
    ("before", "after", "result"),
    [
        (
            "class Box:\n    def __init__(self, size, lid=None): ...\n",
            "class Box:\n    def __init__(self, size): ...\n",
            {"Box.lid": "was removed"},
        ),
        (
            "class Box:\n    def __init__(self, size): ...\n",
            "class Box:\n    def __init__(self, size, lid): ...\n",
            {"Box.lid": "is required"},
        ),
        # Models that no call sends or returns are in the events of webhooks.
        (
            "class Box:\n    size: str\n",
            "class Box:\n    size: str | None = None\n",
            {"Box.size": "may be absent or null"},
        ),
        ("class Box:\n    NAMES: ClassVar[dict[str, str]] = {}\n", "class Box:\n    pass\n", {}),
        (
            'class Color(OpenEnum):\n    RED = "red"\n',
            'class Color(OpenEnum):\n    RED = "Red"\n',
            {"Color.RED": "is `Red`, was `red`"},
        ),
    ],
)
def test_breaking_changes_have_public_names(before: str, after: str, result: dict[str, str], tmp_path: Path) -> None:
    found = compare(surface(tmp_path / "old", before), surface(tmp_path / "new", after), {})
    assert {name: each.how for name, each in found.breaks.items()} == result
