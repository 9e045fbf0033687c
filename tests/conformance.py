"""Schemathesis against the fake API: whether all responses conform to the OpenAPI document.

`make schemathesis` runs it. Exceptions, and the reasons for them, are in `SETTINGS` and `api_document`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from generator.__main__ import OVERLAYS, ROOT, overlaid
from generator.navigation import operations
from pictify_client.testing import FakePictify, serving

PROGRAM = ROOT / ".venv-schemathesis" / "bin" / "schemathesis"

SETTINGS = """
# The server's framework responds with 404 to a method that a route does not have.
[checks]
unsupported_method.enabled = false

[generation]
max-examples = {examples}

# Operations with rules that no schema has: one of html, url and template; a URL that is absolute; variables of the
# template; weights that sum to 10,000; what can be changed in which state.
[[operations]]
include-operation-id = [
    "createImage", "createOgImage", "createGif", "captureGif", "renderPdf", "renderMultiPagePdf", "renderTemplate",
    "multiSizeRenderTemplate", "createBinding", "updateBinding", "createWebhookSubscription",
    "updateWebhookSubscription", "createExperiment", "updateExperiment", "completeExperiment",
    "createTemplate", "updateTemplate", "batchRenderTemplate", "renderTemplateUrl",
    "createVideo", "updateVideo", "duplicateVideo", "renderVideo", "generateVideo", "previewTemplate",
    "startWorkflow", "previewWorkflow", "createWorkflowHook", "postWorkflowRows",
]
checks.positive_data_acceptance.expected-statuses = ["2xx", 400, 401, 403, 404, 409, 422]

# The API has no frames of timelines (501).
[[operations]]
include-operation-id = ["previewVideo"]
checks.positive_data_acceptance.expected-statuses = ["2xx", 400, 401, 403, 404, 409, 422, 501]
checks.not_a_server_error.expected-statuses = ["2xx", "3xx", "4xx", 501]

[[operations]]
include-operation-id = ["getExperiment", "updateExperiment"]
parameters = {{ uid = "8ZUOVHB2Q6" }}

[[operations]]
include-operation-id = ["startExperiment", "pauseExperiment"]
parameters = {{ uid = "LDVA5ZXOQV" }}

[[operations]]
include-operation-id = ["completeExperiment"]
parameters = {{ uid = "V2FMJM2SCM", winnerVariantId = "a" }}

[[operations]]
include-operation-id = ["deleteExperiment"]
parameters = {{ uid = "3IPFQWSKO6" }}

[[operations]]
include-operation-id = ["trackExperimentClick", "trackExperimentPixel", "renderExperimentUrl"]
parameters = {{ slug = "slug-5" }}
"""


def prepared_fake() -> FakePictify:
    """A fake API with records of every kind."""
    fake = FakePictify()
    pictify = fake.client()
    for number in range(1, 6):
        made = pictify.experiments.create(
            name="Red or blue",
            type="ab_test",
            slug=f"slug-{number}",
            variants=[{"id": "a", "weight": 5000}, {"id": "b", "weight": 5000}],
            goal_config={"destinationUrl": "https://shop.example.com"},
        )
        if number in (3, 5):
            pictify.experiments.start(str(made.uid))
    pictify.images.create(html="<b>x</b>")
    pictify.gifs.create(html="<b>x</b>")
    pictify.webhooks.create(event="render.completed", target_url="https://hooks.example.com")
    pictify.batch.render_template("APPK3ATNDP", variable_sets=[{"title": "x"}])
    return fake


def api_document() -> dict[str, Any]:
    """The OpenAPI document with the overlays, the errors that it omits, and the further requests that the API accepts."""
    document, _ = overlaid(ROOT / "openapi.yaml", ROOT / OVERLAYS)
    for _, _, operation in operations(document):
        # Such as 401, 404 and 422. Most operations list none of them.
        operation["responses"].setdefault("4XX", {"description": "It is rejected."})
        # No body is as good as an empty object.
        if "requestBody" in operation:
            body = _body(document, operation)
            operation["requestBody"]["required"] = "required" in body or "properties" not in body
    _open_enums(document)
    # The vendor's own library sends null.
    _field(document, "/video/templates/generate", "brandColor")["type"] = ["string", "null"]
    # Values that the API replaces instead of rejecting them.
    for name in ("width", "height"):
        del _field(document, "/image", name)["maximum"]
    del _field(document, "/image", "fileExtension")["enum"]
    _field(document, "/gif/capture", "frameDurationSeconds").clear()
    for path in ("/image", "/gif", "/pdf", "/render"):
        for parameter in document["paths"][path]["get"]["parameters"]:
            parameter["schema"].pop("minimum" if parameter["name"] == "offset" else "maximum", None)
    return document


def _body(document: Any, operation: Any) -> dict[str, Any]:
    """The schema of the body of an operation."""
    schema: dict[str, Any] = operation["requestBody"]["content"]["application/json"]["schema"]
    name = schema.get("$ref", "").rpartition("/")[2]
    known: dict[str, Any] = document["components"]["schemas"][name] if name else schema
    return known


def _field(document: Any, path: str, name: str) -> dict[str, Any]:
    """The schema of a field of the body of a POST."""
    field: dict[str, Any] = _body(document, document["paths"][path]["post"])["properties"][name]
    return field


def _open_enums(part: Any) -> None:
    """Remove the values of enums that accept others, too."""
    if isinstance(part, dict):
        known = cast("dict[str, Any]", part)
        if known.get("x-extensible"):
            known.pop("enum", None)
        part = list(known.values())
    if isinstance(part, list):
        for each in cast("list[object]", part):
            _open_enums(each)


def main() -> int:
    """Run Schemathesis, and return the exit status."""
    fake = prepared_fake()
    with TemporaryDirectory() as folder, serving(fake) as base_url:
        # Otherwise paths of files would be taken for links to operations.
        fake.files.move(None)
        document, settings = Path(folder, "openapi.json"), Path(folder, "schemathesis.toml")
        document.write_text(json.dumps(api_document(), default=str), "utf-8")
        settings.write_text(SETTINGS.format(examples=20), "utf-8")
        command: list[str | Path] = [PROGRAM, "--config-file", settings, "run", document, "--url", base_url]
        command += ["--header", f"Authorization: Bearer {fake.api_key}"]
        command += ["--seed", "1", "--continue-on-failure", *sys.argv[1:]]
        return subprocess.run(command, check=False, cwd=folder).returncode  # noqa: S603


if __name__ == "__main__":
    sys.exit(main())
