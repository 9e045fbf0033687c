"""Generate the code: `python -m generator`; `--check` compares it with the existing code instead."""

from __future__ import annotations

import argparse
import difflib
import os
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from jinja2.bccache import Bucket, BytecodeCache
from openapi_python_client import Project
from openapi_python_client.config import Config, ConfigFile, MetaType
from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.errors import GeneratorError, ParseError
from openapi_python_client.parser.properties.protocol import PropertyProtocol
from openapi_python_client.schema import ParameterLocation

from .code_checks import problems_of_code
from .components import gather, unwrap
from .composition import compose
from .discriminators import resolve
from .document import load, read_document
from .document_checks import problems_of_document
from .navigation import DocumentError, UnsupportedError, mark_places, place
from .output import problems_of_output
from .overlay import OverlayError, apply
from .rules import extract
from .schemas import quoted
from .security import keys_as_parameters
from .shapes import Shapes
from .spelling import prepare, require_objects

ROOT = Path(__file__).parent.parent
FOLDERS = ("api", "models")
OVERLAYS = "generator/overlays"
_ADVICE = (
    "Nothing was written: the above would be missing from the client, or wrong in it. Correct the document in "
    "generator/overlays/3-additions.yaml, or give it a shape in generator/."
)


class GenerationError(Exception):
    """Code cannot be generated from the document; the message says from which part, and where to correct it."""


def overlaid(source: Path, overlays: Path) -> tuple[dict[str, Any], list[str]]:
    """Apply the overlays in a folder to a document, in the order of their names.

    Returns:
        The document, and the targets that match nothing in it, each after the name of its overlay.

    Raises:
        DocumentError: If the document is not OpenAPI.
        OverlayError: If an overlay is invalid.
    """
    document = read_document(source)
    unmatched: list[str] = []
    for path in sorted(overlays.glob("*.yaml")):
        try:
            unmatched += [f"{path.name}: {target}" for target in apply(document, load(path))]
        except OverlayError as error:
            raise OverlayError(f"{path.name}: {error}") from error
    prepare(document)
    return document, unmatched


def read(source: Path, overlays: Path) -> tuple[dict[str, Any], list[str]]:
    """Read the document with the overlays applied, prepared for the generator.

    Returns:
        The document, and the targets of the overlays that match nothing in it.

    Raises:
        DocumentError: If the document is not OpenAPI.
        OverlayError, UnsupportedError: If an overlay cannot be applied, or the document contradicts itself.
    """
    document, unmatched = overlaid(source, overlays)
    extract(document)
    resolve(document)
    compose(document)
    gather(document)
    unwrap(document)
    keys_as_parameters(document)
    require_objects(document)
    return document, unmatched


def generate(source: Path, build: Path) -> list[str]:
    """Write `api` and `models` for a document into a folder.

    Returns:
        The targets of the overlays that match nothing in this document.

    Raises:
        GenerationError: If no code can be generated from a part of the document.
    """
    try:
        return _generate(source, build)
    except DocumentError as error:
        raise GenerationError(f"{error}\n\nNothing was written: correct that in {source.name}.") from error
    except (OverlayError, UnsupportedError, GenerationError) as error:
        raise GenerationError(f"{error}\n\n{_ADVICE}") from error
    except Exception as error:
        # A document may be invalid in ways that no check covers.
        raise GenerationError(
            f"{source.name} caused an unexpected error in the generator: {error!r}\n\n{_ADVICE}"
        ) from error


def _generate(source: Path, build: Path) -> list[str]:
    document, unmatched = read(source, ROOT / OVERLAYS)
    config = Config.from_sources(
        ConfigFile(**load(ROOT / "generator-config.yaml")),
        meta_type=MetaType.NONE,
        document_source=source,
        file_encoding="utf-8",
        overwrite=True,
        output_path=build,
    )
    if problems := problems_of_document(document):
        raise GenerationError("\n\n".join(problems))
    mark_places(document)
    # Headers may also be lists, objects and date-times.
    vars(PropertyProtocol)["_allowed_locations"].add(ParameterLocation.HEADER)
    data = GeneratorData.from_dict(document, config=config)
    if isinstance(data, GeneratorError):
        raise GenerationError(*_explained([data]))
    shapes = Shapes(document, data)
    dropped = [error for collection in data.endpoint_collections_by_tag.values() for error in collection.parse_errors]
    # Code that is missing because its schema is invalid is not reported again.
    if problems := _explained([*data.errors, *dropped]) or problems_of_code(data, shapes):
        raise GenerationError("\n\n".join(problems))
    data.models = shapes.generated_models()
    project = _Project(openapi=data, config=config, custom_template_path=ROOT / "generator/templates")
    seen_by_templates: dict[str, Any] = {"shapes": shapes}
    project.env.bytecode_cache = _COMPILED
    project.env.globals.update(seen_by_templates)
    project.env.filters["quoted"] = quoted
    # The hooks in generator-config.yaml run the Ruff of this environment.
    os.environ["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    os.environ["PROJECT_ROOT"] = str(ROOT)
    with redirect_stdout(StringIO()):  # It prints the name of the temporary folder.
        errors = _explained(project.build())
    if problems := errors or [*problems_of_output(build)]:
        raise GenerationError("\n\n".join(problems))
    return unmatched


class _CompiledTemplates(BytecodeCache):
    """The templates that this process has compiled."""

    def __init__(self) -> None:
        self._known: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._known:
            bucket.bytecode_from_string(self._known[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._known[bucket.key] = bucket.bytecode_to_string()


_COMPILED = _CompiledTemplates()


class _Project(Project):
    """A project with modules for the events of webhooks and for the server."""

    def _build_models(self) -> None:
        super()._build_models()
        self._write("webhook_events.py.jinja", "models/webhook_events.py")

    def _build_api(self) -> None:
        super()._build_api()
        self._write("server.py.jinja", "api/_server.py")

    def _write(self, template: str, path: str) -> None:
        (self.package_dir / path).write_text(self.env.get_template(template).render(), "utf-8")


def _explained(errors: Sequence[GeneratorError]) -> list[str]:
    parts: list[str] = []
    for error in errors:
        lines = [error.header.strip(), error.detail or ""]
        if isinstance(error, ParseError) and error.data is not None:
            lines.append(error.data.model_dump_json(indent=2, exclude_none=True, exclude_defaults=True, by_alias=True))
        # Some of the generator's messages show the wrapper of a string instead of the string.
        text = "\n".join(line for line in lines if line)
        text = re.sub(r' ?<[\w.]+UntrustedString object at \w+>|,\s*"x-place": "[^"\n]*"', "", text)
        if schema := re.search(r"/components/schemas/([\w.-]+)", lines[0]):
            text = f"{place(('components', 'schemas', schema[1]))}: {text}"
        elif operation := re.search(r"parsing (\w+) (\S+) within", lines[0]):
            text = f"{place(('paths', operation[2], operation[1].lower()))}: {text}"
        if re.search(r"duplicate models|conflicting enums|Conflicting enums", text, re.IGNORECASE):
            text = f"{text}\nGive one of them another name in generator-config.yaml (`class_overrides`)."
        parts.append(text)
    return parts


def install(build: Path, package: Path) -> None:
    """Replace the old folders with the generated ones."""
    for folder in FOLDERS:
        shutil.rmtree(package / folder, ignore_errors=True)
        shutil.copytree(build / folder, package / folder, ignore=shutil.ignore_patterns(".ruff_cache"))


def differences(build: Path, package: Path) -> Iterator[str]:
    """Yield the lines of a unified diff from the existing code to the generated code."""
    for folder in FOLDERS:
        names = {path.relative_to(root) for root in (build, package) for path in (root / folder).rglob("*.py")}
        for name in sorted(names):
            before, after = (
                (root / name).read_text("utf-8").splitlines(keepends=True) if (root / name).exists() else []
                for root in (package, build)
            )
            yield from difflib.unified_diff(before, after, f"a/{package.name}/{name}", f"b/{package.name}/{name}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m generator", description="Generate the code from the OpenAPI document."
    )
    parser.add_argument("--document", type=Path, default=ROOT / "openapi.yaml", help="the OpenAPI document")
    parser.add_argument("--package", type=Path, default=ROOT / "pictify_client", help="the folder for the code")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the existing code differs")
    options = parser.parse_args(arguments)
    with TemporaryDirectory() as folder:
        build = Path(folder, "pictify_client")
        try:
            unmatched = generate(options.document, build)
        except GenerationError as error:
            print(error, file=sys.stderr)
            return 1
        for target in unmatched:
            print(f"note: {target} matches nothing in this document")
        if not options.check:
            install(build, options.package)
            return 0
        diff = list(differences(build, options.package))
        sys.stdout.writelines(diff)
        if diff:
            print("The code is not up to date with the document: run `make generate`.", file=sys.stderr)
        return 1 if diff else 0


if __name__ == "__main__":
    sys.exit(main())
