"""What `make spec-diff` says of a new contract, in a repository that has the one before."""

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
from generator.contract_diff import differences
from generator.document import load
from generator.effect_diff import effect_of
from generator.schema_diff import Facet
from generator.spec_diff import main, next_version
from generator.surface import Surface, compare
from generator.type_diff import fits, simplified

pytestmark = pytest.mark.slow

Edit = Callable[[dict[str, Any]], None]

CONTRACT = json.dumps(load(ROOT / "openapi.yaml"))


def small() -> dict[str, Any]:
    """The contract with few operations: what is tried on it takes a fraction of the time."""
    document: dict[str, Any] = json.loads(CONTRACT)
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
class Said:
    """What came of a comparison."""

    status: int
    report: str
    error: str

    def section(self, title: str) -> list[str]:
        """The lines of a section that say something."""
        (text,) = re.findall(
            rf"^### {title}\n(.*?)(?=^### (?:Changes of|Breaking|Lines)|\Z)", self.report, re.DOTALL | re.MULTILINE
        )
        return [line for line in text.splitlines() if line and not line.startswith("```")]

    @property
    def contract(self) -> list[str]:
        return [line.strip() for line in self.section("Changes of the document")]

    @property
    def breaks(self) -> list[str]:
        """What breaks, without the advice."""
        return [re.sub(r"\. [A-Z].*", "", line) for line in self.section("Breaking changes")]

    @property
    def changelog(self) -> list[str]:
        return self.section("Lines for CHANGELOG.md")

    @property
    def version(self) -> str:
        (version,) = re.findall(r"calls for (\d+\.\d+\.\d+)", self.report)
        return str(version)


class Project:
    """A repository in which the small contract and its code are committed."""

    def __init__(self, root: Path, build: Path) -> None:
        self.root = root
        self.git("init", "--quiet")
        shutil.copytree(ROOT / OVERLAYS, root / OVERLAYS)
        self.write()
        self.commit("the contract alone")
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

    def compare(self, *words: str, base: str | None = None) -> Said:
        out, error = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(error):
            status = main(["--base", base or self.base, *words], self.root)
        # How an omitted value is typed is no matter of the report.
        said = re.sub(r"( \| Unset)?( \| None)?(?=`)", lambda match: " | None" if match[0] else "", out.getvalue())
        assert "__init__" not in said
        return Said(status, said, error.getvalue())

    def __call__(self, *edits: Edit) -> Said:
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


def test_nothing_has_changed(project: Project) -> None:
    said = project()
    assert said.status == 0
    assert "There are none" in said.report
    assert "###" not in said.report


def test_a_new_optional_field_of_an_answer_adds(project: Project) -> None:
    def edit(document: dict[str, Any]) -> None:
        binding(document)["priority"] = {"type": "integer", "description": "Which goes first. 0 is the first of all."}

    said = project(edit)
    assert said.contract == [f"- schema `Binding`, {IN_ALL}", "- added field `priority`: integer"]
    assert said.breaks == ["None."]
    assert said.changelog == ["### Added", "- `Binding.priority`: Which goes first."]
    assert said.version == "0.1.1"
    assert "**Not breaking: " in said.report


def test_a_removed_field_breaks(project: Project) -> None:
    def edit(document: dict[str, Any]) -> None:
        del binding(document)["webhookUrl"]

    said = project(edit)
    assert said.contract == [f"- schema `Binding`, {IN_ALL}", "- removed field `webhookUrl`"]
    assert said.breaks == ["- `Binding.webhook_url`: was removed"]
    assert said.status == 0
    assert said.changelog == ["### Removed", "- **Breaking:** `Binding.webhook_url`."]
    assert said.version == "0.2.0"
    assert "**Breaking: version 0.1.0 calls for 0.2.0**" in said.report


def test_a_new_value_of_an_enum_adds(project: Project) -> None:
    def edit(document: dict[str, Any]) -> None:
        binding(document)["status"]["enum"].append("archived")
        listing(document)["parameters"][1]["schema"]["enum"].append("archived")

    said = project(edit)
    assert said.contract == [
        "- `GET /bindings`, `pictify.bindings.list`",
        "- added value `archived` of query parameter `status`",
        f"- schema `Binding`, {IN_ALL}",
        "- added value `archived` of field `status`",
    ]
    assert said.breaks == ["None."]
    assert said.changelog == ["### Added", "- `BindingStatus.ARCHIVED`: `archived`."]
    assert said.version == "0.1.1"


def test_a_removed_value_of_an_enum_breaks(project: Project) -> None:
    def edit(document: dict[str, Any]) -> None:
        binding(document)["status"]["enum"].remove("error")
        listing(document)["parameters"][1]["schema"]["enum"].remove("error")

    said = project(edit)
    assert said.contract[1] == "- removed value `error` of query parameter `status`"
    assert said.breaks == ["- `BindingStatus.ERROR`: was removed"]
    assert said.changelog == ["### Removed", "- **Breaking:** `BindingStatus.ERROR`."]


def parameter(name: str, **more: Any) -> Edit:
    def edit(document: dict[str, Any]) -> None:
        given = {"name": name, "in": "query", "description": "Whose they are.", "schema": {"type": "string"}}
        listing(document)["parameters"].append({**given, **more})

    return edit


def test_a_new_required_parameter_breaks(project: Project) -> None:
    said = project(parameter("ownerId", required=True))
    assert said.contract == [
        "- `GET /bindings`, `pictify.bindings.list`",
        "- added query parameter `ownerId`: string, required",
    ]
    assert said.breaks == ["- `pictify.bindings.list(owner_id=…)`: is required"]
    assert said.changelog == [
        "### Changed",
        "- **Breaking:** `pictify.bindings.list(owner_id=…)`: is required. Whose they are.",
    ]
    assert said.version == "0.2.0"


def test_a_new_optional_parameter_adds(project: Project) -> None:
    said = project(parameter("sort", schema={"type": "string", "enum": ["name", "age"]}))
    assert said.contract[1:] == ["- added query parameter `sort`: one of name, age"]
    assert said.breaks == ["None."]
    assert said.changelog == [
        "### Added",
        "- `pictify.bindings.list(sort=…)`: Whose they are.",
        "- `ListBindingsSort`.",
    ]
    assert said.version == "0.1.1"


def test_a_renamed_operation_breaks_by_its_names_alone(project: Project) -> None:
    def edit(document: dict[str, Any]) -> None:
        document["paths"]["/bindings/{uid}"]["delete"]["operationId"] = "dropBinding"

    said = project(edit)
    assert said.contract == [
        "- `DELETE /bindings/{uid}`, `pictify.bindings.drop`",
        "- changed the operation: `operationId` deleteBinding → dropBinding",
    ]
    assert said.breaks == [
        "- `pictify.bindings.delete`: was renamed to `pictify.bindings.drop`",
        "- `pictify_client.api.bindings.delete_binding`: was renamed to `pictify_client.api.bindings.drop_binding`",
    ]
    assert said.changelog == [
        "### Changed",
        "- **Breaking:** `pictify.bindings.delete(…)`: was renamed to `pictify.bindings.drop`.",
        "- **Breaking:** `pictify_client.api.bindings.delete_binding`: was renamed to `pictify_client.api.bindings.drop_binding`.",
    ]
    assert said.version == "0.2.0"


def test_what_else_changes_in_a_renamed_operation_is_told(project: Project) -> None:
    def edit(document: dict[str, Any]) -> None:
        operation = document["paths"]["/bindings"]["post"]
        operation["operationId"] = "makeBinding"
        creation(document)["required"].append("name")
        creation(document)["properties"]["owner"] = {"type": "string"}

    said = project(edit)
    assert "- **Breaking:** `pictify.bindings.make(name=…)`: is required." in said.changelog
    assert "- `pictify.bindings.make(owner=…)`." in said.changelog
    assert "- **Breaking:** `pictify.bindings.create(…)`: was renamed to `pictify.bindings.make`." in said.changelog
    assert "- **Breaking:** `CreateBindingBody`." in said.changelog
    assert not [line for line in said.changelog if "template_id" in line]


def test_an_operation_at_another_path_is_the_same_one(project: Project) -> None:
    def edit(document: dict[str, Any]) -> None:
        document["paths"]["/templates/batch/{batchId}/stop"] = document["paths"].pop(
            "/templates/batch/{batchId}/cancel"
        )

    said = project(edit)
    assert said.contract == [
        "- `POST /templates/batch/{batchId}/stop`, `pictify.batch.cancel`",
        "- changed the operation: `path` POST /templates/batch/{batchId}/cancel → POST /templates/batch/{batchId}/stop",
    ]
    assert said.breaks == ["None."]
    assert said.changelog == [
        "### Changed",
        "- `pictify.batch.cancel(…)`: sends `POST /templates/batch/{batchId}/stop`, "
        "was `POST /templates/batch/{batchId}/cancel`.",
    ]
    assert said.version == "0.1.1"


def test_a_new_operation_adds_and_a_removed_one_breaks(project: Project) -> None:
    def edit(document: dict[str, Any]) -> None:
        get = document["paths"]["/bindings/{uid}"]["get"]
        document["paths"]["/bindings/{uid}/archive"] = {
            "post": {**get, "operationId": "archiveBinding", "summary": "Put a binding away."}
        }
        del document["paths"]["/templates/batch/{batchId}/cancel"]

    said = project(edit)
    assert said.contract == [
        "- `POST /bindings/{uid}/archive`, `pictify.bindings.archive`",
        "- added the operation: Put a binding away.",
        "- `POST /templates/batch/{batchId}/cancel`, `pictify.batch.cancel`",
        "- removed the operation",
    ]
    assert said.breaks[0] == "- `pictify.batch`: was removed"
    assert said.changelog[:2] == [
        "### Added",
        "- `pictify.bindings.archive(…)`: Put a binding away (`POST /bindings/{uid}/archive`).",
    ]
    assert "- **Breaking:** `pictify.batch`." in said.changelog
    assert said.version == "0.2.0"


def test_other_words_change_nothing_for_callers(project: Project) -> None:
    def edit(document: dict[str, Any]) -> None:
        listing(document)["summary"] = "List them."
        listing(document)["parameters"][0]["description"] = "Of which template."
        listing(document)["responses"]["200"]["description"] = "The page."
        document["tags"][-2]["description"] = "Templates that are tied to data."
        binding(document)["name"]["description"] = "Its name."

    said = project(edit)
    assert said.contract == [
        "- the API",
        "- new description: the tag Bindings",
        "- `GET /bindings`, `pictify.bindings.list`",
        "- new description: the operation, query parameter `templateId` and response 200",
        f"- schema `Binding`, {IN_ALL}",
        "- new description: field `name`",
    ]
    assert said.breaks == ["None."]
    assert said.changelog == ["None."]
    assert said.version == "0.1.1"


def test_a_field_of_another_type_breaks(project: Project) -> None:
    def edit(document: dict[str, Any]) -> None:
        document["components"]["schemas"]["Pagination"]["properties"]["total"]["type"] = "string"

    said = project(edit)
    assert said.contract == [
        "- schema `Pagination`, in `pictify.bindings.list`",
        "- changed field `total`: `type` integer → string",
    ]
    assert said.breaks == ["- `Pagination.total`: is `str | None`, was `int | None`"]
    assert said.changelog == ["### Changed", "- **Breaking:** `Pagination.total`: is `str | None`, was `int | None`."]


def test_whether_another_type_breaks_depends_on_who_gives_it(project: Project) -> None:
    def edit(document: dict[str, Any]) -> None:
        listing(document)["parameters"][2]["schema"]["type"] = "number"
        creation(document)["properties"]["name"]["type"] = "integer"
        document["components"]["schemas"]["Pagination"]["required"] = ["total"]
        document["components"]["schemas"]["ExperimentEvent"]["properties"]["weight"] = {"type": "number"}
        document["components"]["schemas"]["ExperimentEvent"]["required"].append("weight")

    said = project(edit)
    assert said.breaks == [
        "- `pictify.bindings.create(name=…)`: is `int | None`, was `str | None`",
        "- `ExperimentEvent.weight`: is required",
    ]
    assert said.changelog == [
        "### Added",
        "- `pictify.experiments.track_events(weight=…)`.",
        "### Changed",
        "- **Breaking:** `pictify.bindings.create(name=…)`: is `int | None`, was `str | None`.",
        "- **Breaking:** `ExperimentEvent.weight`: is required.",
        "- `pictify.bindings.list(page=…)`: is `float | None`, was `int | None`.",
        "- `Pagination.total`: is always present.",
    ]


def test_a_field_of_the_body_that_becomes_required_breaks(project: Project) -> None:
    def edit(document: dict[str, Any]) -> None:
        creation(document)["required"].append("name")

    said = project(edit)
    assert said.contract == [
        "- `POST /bindings`, `pictify.bindings.create`",
        "- changed field `name` of the body: `required` false → true",
    ]
    assert said.breaks == ["- `pictify.bindings.create(name=…)`: is required"]
    assert said.changelog == ["### Changed", "- **Breaking:** `pictify.bindings.create(name=…)`: is required."]
    assert said.version == "0.2.0"


def test_a_field_of_the_body_that_is_gone_breaks(project: Project) -> None:
    def edit(document: dict[str, Any]) -> None:
        del creation(document)["properties"]["defaults"]

    said = project(edit)
    assert said.contract[1:] == ["- removed field `defaults` of the body"]
    assert said.breaks == ["- `pictify.bindings.create(defaults=…)`: was removed"]
    assert said.changelog == ["### Removed", "- **Breaking:** `pictify.bindings.create(defaults=…)`."]


def test_a_narrower_limit_breaks_where_it_is_sent(project: Project) -> None:
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

    said = project(edit)
    assert said.breaks == [
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
        "- **Breaking:** `pictify.images.list(limit=…)`: at most 50, was 100; defaults to 10, was 30." in said.changelog
    )
    assert "- schema `Pagination`, in `pictify.bindings.list`" in said.contract
    assert not [line for line in said.changelog if "Pagination" in line]


def test_a_wider_limit_does_not_break(project: Project) -> None:
    def edit(document: dict[str, Any]) -> None:
        document["paths"]["/image"]["get"]["parameters"][0]["schema"]["maximum"] = 500
        document["components"]["schemas"]["ExperimentEvent"]["properties"]["experiment"].pop("maxLength")
        events = document["paths"]["/s/events"]["post"]["requestBody"]["content"]["application/json"]["schema"]
        events["oneOf"][1]["maxItems"] = 200

    said = project(edit)
    assert said.breaks == ["None."]
    assert said.changelog == [
        "### Changed",
        "- `pictify.experiments.track_events(…)`: at most 200 items, was 100.",
        "- `pictify.images.list(limit=…)`: at most 500, was 100.",
        "- `ExperimentEvent.experiment`: no longer at most 60 characters.",
    ]
    assert said.version == "0.1.1"


def test_what_holds_for_a_whole_operation_or_the_api_is_told(project: Project) -> None:
    def edit(document: dict[str, Any]) -> None:
        document["info"]["version"] = "1.1.0"
        document["servers"][0]["url"] = "https://api2.pictify.io"
        events = document["paths"]["/s/events"]["post"]
        events["security"] = [{"bearerAuth": []}]
        events["responses"]["409"] = {"description": "It is there already."}
        del events["responses"]["400"]
        listing(document)["deprecated"] = True
        listing(document)["security"] = []

    said = project(edit)
    assert said.contract == [
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
    assert said.breaks == [
        "- `pictify.experiments.track_events`: requires the API key",
        "- `pictify_client.api.experiments.track_experiment_events(write_key=…)`: was removed",
    ]
    assert "- `Pictify(base_url=…)`: defaults to https://api2.pictify.io, was https://api.pictify.io." in said.changelog


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
def test_it_can_fail_on_a_break_that_the_version_does_not_tell(
    edit: Edit, version: str, status: int, project: Project
) -> None:
    project.write(edit, version=version)
    said = project.compare("--fail-on-breaking")
    assert said.status == status
    assert said.report.startswith(f"## Changes of the OpenAPI document since `{project.base}`")
    assert ("needs version 0.2.0" in said.error) == bool(status)


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


def test_a_commit_that_is_not_there_is_refused(project: Project) -> None:
    project.write()
    said = project.compare(base="v9")
    assert (said.status, said.report) == (2, "")
    assert "'v9' is not a commit of this repository: fetch it" in said.error


def test_a_commit_with_nothing_to_compare_is_refused(project: Project) -> None:
    said = project.compare(base=project.bare)
    assert said.status == 2
    assert "there is no pictify_client/api and pictify_client/models at" in said.error


def test_a_contract_without_code_is_refused(project: Project) -> None:
    def edit(document: dict[str, Any]) -> None:
        del listing(document)["operationId"]

    said = project(edit)
    assert (said.status, said.report) == (2, "")
    assert "from openapi.yaml\n$.paths['/bindings'].get: GET /bindings: it has no operationId" in said.error
    (project.root / "openapi.yaml").write_text("{", "utf-8")
    said = project.compare()
    assert said.status == 2
    assert "no code can be generated from openapi.yaml\n" in said.error


def test_a_contract_that_was_broken_is_refused(project: Project) -> None:
    (project.root / "openapi.yaml").write_text("{", "utf-8")
    project.commit("a slip")
    broken = project.git("rev-parse", "HEAD")
    project.write()
    said = project.compare(base=broken)
    assert said.status == 2
    assert f"openapi.yaml at '{broken}' cannot be read" in said.error


def test_code_that_was_behind_its_contract_is_compared_as_it_was(project: Project) -> None:
    project.write(add_a_field, parameter("sort"))
    document = json.loads((project.root / "openapi.yaml").read_text("utf-8"))
    document["paths"]["/bindings/all"] = {"get": {**listing(document), "operationId": "listAllBindings"}}
    (project.root / "openapi.yaml").write_text(json.dumps(document), "utf-8")
    project.commit("a contract without its code")
    said = project.compare(base="HEAD")
    assert said.contract == ["None."]
    assert said.breaks == ["None."]
    assert "- `Binding.priority`." in said.changelog
    assert "- `pictify.bindings.list_all(…)`: List the bindings of the account (`GET /bindings/all`)." in said.changelog


def test_a_list_that_comes_in_pages_no_longer_breaks(project: Project) -> None:
    def edit(document: dict[str, Any]) -> None:
        del listing(document)["parameters"][2]

    said = project(edit)
    assert said.breaks == [
        "- `pictify.bindings.list`: is `BindingList`, was `Pager[Binding, Pagination]`",
        "- `pictify.bindings.list(page=…)`: was removed",
        "- `pictify.bindings.list(prefetch=…)`: was removed",
    ]


def answer(schema: dict[str, Any], **parts: Any) -> dict[str, Any]:
    """A contract of one operation, which answers a schema."""
    said = {"description": "It.", "content": {"application/json": {"schema": schema}}}
    operation = {"operationId": "getIt", "responses": {"200": {"$ref": "#/components/responses/It"}}, **parts}
    components = {"schemas": SCHEMAS, "responses": {"It": said}, "parameters": PARAMETERS}
    return {"servers": [], "paths": {"/it": {"get": operation}}, "components": components}


def fields(**schemas: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": schemas}


NODE, KNOT = ({"$ref": f"#/components/schemas/{name}"} for name in ("Node", "Knot"))
TEXT = {"type": "string"}
SCHEMAS = {"Node": fields(next=NODE), "Knot": fields(next=KNOT, size={"type": "integer"})}
PARAMETERS = {"Page": {"name": "page", "in": "query", "schema": {"type": "integer"}}}


@pytest.mark.parametrize(
    ("before", "after", "said"),
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
def test_schemas_are_compared_to_the_ground(before: dict[str, Any], after: dict[str, Any], said: list[str]) -> None:
    assert [str(change) for change in differences(answer(before), answer(after))] == said


@pytest.mark.parametrize(
    ("before", "after", "said"),
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
def test_the_parts_of_an_operation_are_compared(before: dict[str, Any], after: dict[str, Any], said: list[str]) -> None:
    assert [str(change) for change in differences(answer(NODE, **before), answer(NODE, **after))] == said


def request(schema: dict[str, Any], **parts: Any) -> dict[str, Any]:
    """A document of one operation, whose body is a schema."""
    document = answer(NODE, requestBody={"content": {"application/json": {"schema": schema}}}, **parts)
    document["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    return document


def found(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """The changes, those that break callers with an exclamation mark."""
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
def test_the_same_schema_in_another_spelling_is_no_change(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert found(request(before), request(after)) == []
    assert found(answer(after), answer(before)) == []


@pytest.mark.parametrize(
    ("before", "after", "said"),
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
def test_what_a_request_takes_less_of_breaks(before: dict[str, Any], after: dict[str, Any], said: str) -> None:
    assert found(request(fields(a=before)), request(fields(a=after))) == [said]


@pytest.mark.parametrize(
    ("before", "after", "said"),
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
def test_what_a_response_has_no_more_breaks(before: dict[str, Any], after: dict[str, Any], said: list[str]) -> None:
    assert found(answer(fields(a=before)), answer(fields(a=after))) == said


def test_none_for_a_required_field_was_an_error_before_it_was_null() -> None:
    before, after = ({**fields(a={"type": types}), "required": ["a"]} for types in ("string", ["string", "null"]))
    assert found(request(before), request(after)) == ["changed field `a` of the body: `nullable` false → true"]
    assert found(request(after), request(before)) == ["! changed field `a` of the body: `nullable` true → false"]


KEY: dict[str, list[str]] = {"key": []}
OTHER: dict[str, list[str]] = {"other": []}


@pytest.mark.parametrize(
    ("before", "after", "said"),
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
def test_a_key_that_was_not_required_before_breaks(before: list[Any], after: list[Any], said: list[str]) -> None:
    assert found(answer(NODE, security=before), answer(NODE, security=after)) == said


def test_the_security_of_the_root_is_that_of_its_operations(project: Project) -> None:
    def edit(document: dict[str, Any]) -> None:
        document["security"] = []

    said = project(edit)
    assert '- changed the operation: `security` {"bearerAuth": []} → none' in said.contract
    assert said.breaks == ["None."]
    assert "- `pictify.bindings.list(…)`: requires no key." in said.changelog


def test_the_keys_of_a_path_are_compared() -> None:
    before, after = answer(NODE), answer(NODE)
    after["paths"]["/it"] |= {"servers": [{"url": "https://b"}], "summary": "It.", "x-more": 1}
    assert found(before, after) == [
        'changed the path /it: `servers` none → {"url": "https://b"}; `x-more` none → 1',
        "described the path /it",
    ]


def test_a_parameter_that_is_spelled_otherwise_is_the_same_argument() -> None:
    before, after = ({"name": name, "in": "query", "schema": TEXT} for name in ("itemID", "itemId"))
    said = ["changed query parameter `itemId`: `name` itemID → itemId"]
    assert found(answer(NODE, parameters=[before]), answer(NODE, parameters=[after])) == said
    styled = {**before, "style": "form", "explode": True, "deprecated": False}
    assert found(answer(NODE, parameters=[before]), answer(NODE, parameters=[styled])) == []


def move_behind_references(document: dict[str, Any]) -> None:
    body = document["paths"]["/bindings"]["post"].pop("requestBody")
    response = listing(document)["responses"].pop("200")
    parts = {"pathItems": "/bindings", "requestBodies": body, "responses": response}
    document["paths"]["/bindings"]["post"]["requestBody"] = {"$ref": "#/components/requestBodies/It"}
    listing(document)["responses"]["200"] = {"$ref": "#/components/responses/It"}
    parts["pathItems"] = document["paths"].pop("/bindings")
    document["paths"]["/bindings"] = {"$ref": "#/components/pathItems/It"}
    document["components"] |= {section: {"It": part} for section, part in parts.items()}


def test_what_moves_behind_a_reference_is_no_change(project: Project) -> None:
    assert "There are none" in project(move_behind_references).report


def enum_of_integers(document: dict[str, Any]) -> None:
    creation(document)["properties"]["name"] = {"type": "integer", "enum": [1, 2]}


def server_of_a_path(document: dict[str, Any]) -> None:
    document["paths"]["/bindings"]["servers"] = [{"url": "https://other.pictify.io"}]


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (enum_of_integers, "the schema CreateBindingBody: name is of a kind without a shape"),
        (server_of_a_path, "$.paths['/bindings'].servers: it has a server"),
    ],
)
def test_what_cannot_be_generated_is_refused_with_its_place(edit: Edit, reason: str, project: Project) -> None:
    said = project(edit)
    assert (said.status, said.report) == (2, "")
    assert reason in said.error


def test_a_limit_of_a_component_without_a_class_is_that_of_the_arguments(project: Project) -> None:
    def edit(document: dict[str, Any], most: int) -> None:
        document["components"]["schemas"]["HowMany"] = {"type": "integer", "maximum": most}
        creation(document)["properties"]["count"] = {"$ref": "#/components/schemas/HowMany"}

    project.write(lambda document: edit(document, 80))
    project.commit("a component of numbers")
    project.write(lambda document: edit(document, 50))
    said = project.compare(base="HEAD")
    assert said.contract[1:] == ["- changed field `count` of the body: `maximum` 80 → 50"]
    assert said.breaks == ["- `pictify.bindings.create(count=…)`: at most 50, was 80"]


def test_a_report_says_what_breaks_and_what_to_do(project: Project) -> None:
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
def test_effects_are_in_words(facet: Facet, how: str | None) -> None:
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
        # A list can be added to.
        ("list[int]", "list[float]", False),
        ("Iterable[int]", "Mapping[str, int]", False),
        ("Iterable[int]", "int", False),
    ],
)
def test_a_type_fits_another_if_its_values_do(kind: str, other: str, is_one: bool) -> None:
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
def test_what_stands_for_the_same_values_is_not_compared(kind: str, simple: str) -> None:
    assert simplified(kind, {"Color", "Box"}) == simple


def surface(folder: Path, models: str) -> Surface:
    """The surface of a package of models that is written by hand."""
    for name in ("", "api", "models"):
        (folder / "pictify_client" / name).mkdir(parents=True, exist_ok=True)
        (folder / "pictify_client" / name / "__init__.py").touch()
    (folder / "pictify_client/models/box.py").write_text(models, "utf-8")
    return Surface(folder)


@pytest.mark.parametrize(
    ("before", "after", "said"),
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
        # It is in the events of webhooks, if no call sends or returns it.
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
def test_what_breaks_is_called_as_users_call_it(before: str, after: str, said: dict[str, str], tmp_path: Path) -> None:
    found = compare(surface(tmp_path / "old", before), surface(tmp_path / "new", after), {})
    assert {name: each.how for name, each in found.breaks.items()} == said
