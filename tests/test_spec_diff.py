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
from generator.spec_diff import main, next_version

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
        (text,) = re.findall(rf"^### {title}\n(.*?)(?=^### (?:What|For)|\Z)", self.report, re.DOTALL | re.MULTILINE)
        return [line for line in text.splitlines() if line and not line.startswith("```")]

    @property
    def contract(self) -> list[str]:
        return [line.strip() for line in self.section("What the contract says")]

    @property
    def breaks(self) -> list[str]:
        return self.section("What breaks callers")

    @property
    def changelog(self) -> list[str]:
        return self.section("For CHANGELOG.md")

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
        (self.root / "pyproject.toml").write_text(f'[project]\nversion = "{version}"\n', "utf-8")

    def compare(self, *words: str, base: str | None = None) -> Said:
        out, error = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(error):
            status = main(["--base", base or self.base, *words], self.root)
        return Said(status, out.getvalue(), error.getvalue())

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
    assert "Nothing is another" in said.report
    assert "###" not in said.report


def test_a_new_optional_field_of_an_answer_adds(project: Project) -> None:
    def edit(document: dict[str, Any]) -> None:
        binding(document)["priority"] = {"type": "integer", "description": "Which goes first. 0 is the first of all."}

    said = project(edit)
    assert said.contract == [f"- schema `Binding`, {IN_ALL}", "- added field `priority`: integer"]
    assert said.breaks == ["Nothing."]
    assert said.changelog == ["### Added", "- `Binding.priority`: Which goes first."]
    assert said.version == "0.1.1"
    assert "**Not breaking: " in said.report


def test_a_removed_field_breaks(project: Project) -> None:
    def edit(document: dict[str, Any]) -> None:
        del binding(document)["webhookUrl"]

    said = project(edit)
    assert said.contract == [f"- schema `Binding`, {IN_ALL}", "- removed field `webhookUrl`"]
    assert said.breaks == ["- `Binding.webhook_url`: public object was removed"]
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
    assert said.breaks == ["Nothing."]
    assert said.changelog == ["### Added", "- `BindingStatus.ARCHIVED`: `archived`."]
    assert said.version == "0.1.1"


def test_a_removed_value_of_an_enum_breaks(project: Project) -> None:
    def edit(document: dict[str, Any]) -> None:
        binding(document)["status"]["enum"].remove("error")
        listing(document)["parameters"][1]["schema"]["enum"].remove("error")

    said = project(edit)
    assert said.contract[1] == "- removed value `error` of query parameter `status`"
    assert said.breaks == ["- `BindingStatus.ERROR`: public object was removed"]
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
    assert said.breaks == ["- `pictify.bindings.list(owner_id=…)`: parameter was added as required"]
    assert said.changelog == [
        "### Changed",
        "- **Breaking:** `pictify.bindings.list(owner_id=…)`: must be given. Whose they are.",
    ]
    assert said.version == "0.2.0"


def test_a_new_optional_parameter_adds(project: Project) -> None:
    said = project(parameter("sort", schema={"type": "string", "enum": ["name", "age"]}))
    assert said.contract[1:] == ["- added query parameter `sort`: one of name, age"]
    assert said.breaks == ["Nothing."]
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
        "- `pictify.bindings.delete`: is now `pictify.bindings.drop`",
        "- `pictify_client.api.bindings.delete_binding`: is now `pictify_client.api.bindings.drop_binding`",
    ]
    assert said.changelog == [
        "### Changed",
        "- **Breaking:** `pictify.bindings.delete(…)`: is now `pictify.bindings.drop`.",
        "- **Breaking:** `pictify_client.api.bindings.delete_binding`: is now `pictify_client.api.bindings.drop_binding`.",
    ]
    assert said.version == "0.2.0"


def test_what_else_changes_in_a_renamed_operation_is_told(project: Project) -> None:
    def edit(document: dict[str, Any]) -> None:
        operation = document["paths"]["/bindings"]["post"]
        operation["operationId"] = "makeBinding"
        creation(document)["required"].append("name")
        creation(document)["properties"]["owner"] = {"type": "string"}

    said = project(edit)
    assert "- **Breaking:** `pictify.bindings.make(name=…)`: must be given." in said.changelog
    assert "- `pictify.bindings.make(owner=…)`." in said.changelog
    assert "- **Breaking:** `pictify.bindings.create(…)`: is now `pictify.bindings.make`." in said.changelog
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
    assert said.breaks == ["Nothing."]
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
    assert said.breaks[0] == "- `pictify.batch`: public object was removed"
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
        "- described anew: the tag Bindings",
        "- `GET /bindings`, `pictify.bindings.list`",
        "- described anew: the operation, query parameter `templateId` and answer 200",
        f"- schema `Binding`, {IN_ALL}",
        "- described anew: field `name`",
    ]
    assert said.breaks == ["Nothing."]
    assert said.changelog == ["Nothing."]
    assert said.version == "0.1.1"


def test_a_field_of_another_type_breaks(project: Project) -> None:
    def edit(document: dict[str, Any]) -> None:
        document["components"]["schemas"]["Pagination"]["properties"]["total"]["type"] = "string"

    said = project(edit)
    assert said.contract == [
        "- schema `Pagination`, in `pictify.bindings.list`",
        "- changed field `total`: `type` integer → string",
    ]
    assert said.breaks == ["- `Pagination.total`: is `str | Unset`, was `int | Unset`"]
    assert said.changelog == ["### Changed", "- **Breaking:** `Pagination.total`: is `str | Unset`, was `int | Unset`."]


def test_whether_another_type_breaks_depends_on_who_gives_it(project: Project) -> None:
    def edit(document: dict[str, Any]) -> None:
        listing(document)["parameters"][2]["schema"]["type"] = "number"
        creation(document)["properties"]["name"]["type"] = "integer"
        document["components"]["schemas"]["Pagination"]["required"] = ["total"]
        document["components"]["schemas"]["ExperimentEvent"]["properties"]["weight"] = {"type": "number"}
        document["components"]["schemas"]["ExperimentEvent"]["required"].append("weight")

    said = project(edit)
    assert said.breaks == [
        "- `pictify.bindings.create(name=…)`: is `int | Unset | None`, was `str | Unset | None`",
        "- `ExperimentEvent.weight`: must be given",
    ]
    assert said.changelog == [
        "### Added",
        "- `pictify.experiments.track_events(weight=…)`.",
        "### Changed",
        "- **Breaking:** `pictify.bindings.create(name=…)`: is `int | Unset | None`, was `str | Unset | None`.",
        "- **Breaking:** `ExperimentEvent.weight`: must be given.",
        "- `pictify.bindings.list(page=…)`: is `float | Unset | None`, was `int | Unset | None`.",
        "- `Pagination.total`: is always there.",
    ]


def test_a_field_of_the_body_that_becomes_required_breaks(project: Project) -> None:
    def edit(document: dict[str, Any]) -> None:
        creation(document)["required"].append("name")

    said = project(edit)
    assert said.contract == [
        "- `POST /bindings`, `pictify.bindings.create`",
        "- changed field `name` of the body: `required` false → true",
    ]
    assert said.breaks == ["- `pictify.bindings.create(name=…)`: parameter is now required"]
    assert said.changelog == ["### Changed", "- **Breaking:** `pictify.bindings.create(name=…)`: must be given."]
    assert said.version == "0.2.0"


def test_a_field_of_the_body_that_is_gone_breaks(project: Project) -> None:
    def edit(document: dict[str, Any]) -> None:
        del creation(document)["properties"]["defaults"]

    said = project(edit)
    assert said.contract[1:] == ["- removed field `defaults` of the body"]
    assert said.breaks == ["- `pictify.bindings.create(defaults=…)`: parameter was removed"]
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
        "- `pictify.images.list(limit=…)`: at most 50, was 100",
        "- `DataSource.url`: now at most 200 characters",
        "- `ExperimentEvent.variant_id`: is `ExperimentEventVariantId | Unset`, was `str | Unset`; now one of a, b",
    ]
    assert (
        "- **Breaking:** `pictify.images.list(limit=…)`: at most 50, was 100; left out, it is 10, was 30."
        in said.changelog
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
    assert said.breaks == ["Nothing."]
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
        "- added answer 409",
        "- removed header parameter `X-Write-Key`",
        "- removed answer 400",
    ]
    assert said.breaks == [
        "- `pictify.experiments.track_events`: needs the key",
        "- `pictify_client.api.experiments.track_experiment_events(write_key=…)`: parameter was removed",
    ]
    assert (
        "- `Pictify(base_url=…)`: left out, it is https://api2.pictify.io, was https://api.pictify.io."
        in said.changelog
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
def test_it_can_fail_on_a_break_that_the_version_does_not_tell(
    edit: Edit, version: str, status: int, project: Project
) -> None:
    project.write(edit, version=version)
    said = project.compare("--fail-on-breaking")
    assert said.status == status
    assert said.report.startswith(f"## The contract since `{project.base}`")
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
    assert "'v9' is no commit here; fetch it" in said.error


def test_a_commit_with_nothing_to_compare_is_refused(project: Project) -> None:
    said = project.compare(base=project.bare)
    assert said.status == 2
    assert "there is no pictify_client/api and pictify_client/models at" in said.error


def test_a_contract_without_code_is_refused(project: Project) -> None:
    def edit(document: dict[str, Any]) -> None:
        del listing(document)["operationId"]

    said = project(edit)
    assert (said.status, said.report) == (2, "")
    assert "no code can be generated from openapi.yaml\nGET /bindings: it has no operationId" in said.error
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
    assert said.contract == ["Nothing else."]
    assert said.breaks == ["Nothing."]
    assert "- `Binding.priority`." in said.changelog
    assert "- `pictify.bindings.list_all(…)`: List the bindings of the account (`GET /bindings/all`)." in said.changelog


def test_a_list_that_comes_in_pages_no_longer_breaks(project: Project) -> None:
    def edit(document: dict[str, Any]) -> None:
        del listing(document)["parameters"][2]

    said = project(edit)
    assert said.breaks == [
        "- `pictify.bindings.list`: is `BindingList`, was `Pager[Binding, Pagination]`",
        "- `pictify.bindings.list(page=…)`: parameter was removed",
        "- `pictify.bindings.list(prefetch=…)`: parameter was removed",
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
                "changed answer 200: `type` Node → Knot",
                "changed field `next` of answer 200: `type` Node → Knot",
                "added field `size` of answer 200: integer",
            ],
        ),
        (
            {"type": "array", "items": TEXT},
            {"type": "array", "items": {**TEXT, "format": "date-time"}},
            ["changed field `[]` of answer 200: `format` none → date-time"],
        ),
        ({"allOf": [NODE, fields(text=TEXT)]}, {"allOf": [NODE]}, ["removed field `text` of answer 200"]),
        ({**TEXT, "enum": ["a", "b"]}, TEXT, ["changed answer 200: `enum` a, b → none"]),
        (
            {"additionalProperties": True},
            {"additionalProperties": False},
            ["changed answer 200: `additionalProperties` true → false"],
        ),
        (
            fields(a={"additionalProperties": TEXT}),
            fields(a={"additionalProperties": {**TEXT, "title": "A"}}),
            ["described field `a.*` of answer 200"],
        ),
        ({"anyOf": [TEXT]}, {"anyOf": [TEXT, {"type": "null"}]}, ["changed answer 200: `anyOf` 1 → 2"]),
        (
            {"oneOf": [NODE]},
            {"oneOf": [{"type": "integer"}]},
            [
                "changed answer 200: `type` Node → integer; `type` object → integer",
                "removed field `next` of answer 200",
            ],
        ),
        ({"pattern": "a" * 99}, {}, ["changed answer 200: another `pattern`"]),
        (
            fields(),
            fields(
                a={"type": "array", "items": NODE},
                b={"type": ["string", "null"], "format": "uri"},
                c=fields(a=TEXT),
                d={},
            ),
            [
                "added field `a` of answer 200: array of Node",
                "added field `b` of answer 200: string or null (uri)",
                "added field `c` of answer 200: object",
                "added field `d` of answer 200: anything",
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
        ({"responses": {}}, {"responses": {"404": {"description": "No."}}}, ["added answer 404"]),
    ],
)
def test_the_parts_of_an_operation_are_compared(before: dict[str, Any], after: dict[str, Any], said: list[str]) -> None:
    assert [str(change) for change in differences(answer(NODE, **before), answer(NODE, **after))] == said
