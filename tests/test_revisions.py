"""Possible revisions of the OpenAPI document: code is generated from each, or an error names the unsupported part."""

from __future__ import annotations

import importlib
import json
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from compileall import compile_dir
from copy import deepcopy
from pathlib import Path
from types import ModuleType
from typing import Any
from unicodedata import normalize

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openapi_python_client.parser.errors import GeneratorError

from generator.__main__ import FOLDERS, ROOT, GenerationError, generate, main
from generator.output import problems_of_output

from .revisions.edits import NULL, OVERLAY, Client, Part, sends_everywhere, with_body, with_everywhere, write_document
from .revisions.supported import SUPPORTED
from .revisions.unsupported import UNSUPPORTED
from .test_generator import ORIGINAL, only_bindings, schemas

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package without the generated folders."""
    folder = tmp_path_factory.mktemp("revised") / "revised_client"
    shutil.copytree(ROOT / "pictify_client", folder, ignore=shutil.ignore_patterns("__pycache__", *FOLDERS))
    compile_dir(folder, quiet=1)
    return folder


@pytest.fixture
def revised(package: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], ModuleType]]:
    monkeypatch.setattr(sys, "path", [str(package.parent), *sys.path])
    # A file of the previous revision may have the same time and size.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield lambda name: importlib.import_module(f"revised_client{name}")
    forget_revised()


def forget_revised() -> None:
    for name in [name for name in sys.modules if name.startswith("revised_client")]:
        del sys.modules[name]


@pytest.mark.parametrize("name", SUPPORTED)
def test_the_client_of_a_supported_revision_does_what_the_document_says(
    name: str, tmp_path: Path, package: Path, revised: Callable[[str], ModuleType], capfd: pytest.CaptureFixture[str]
) -> None:
    edit, check = SUPPORTED[name]
    status = main(["--document", str(write_document(tmp_path, only_bindings, edit)), "--package", str(package)])
    assert (status, capfd.readouterr().err) == (0, "")
    importlib.invalidate_caches()
    for path in sorted(package.glob("*/**/*.py")):
        if path.relative_to(package).parts[0] in FOLDERS:
            revised("." + ".".join(path.relative_to(package).with_suffix("").parts).removesuffix(".__init__"))
    check(Client(revised, []))


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_an_unsupported_revision_is_an_error_with_the_place_and_the_file(name: str, tmp_path: Path) -> None:
    edit, texts = UNSUPPORTED[name]
    build = tmp_path / "build"
    with pytest.raises(GenerationError) as caught:
        generate(write_document(tmp_path, only_bindings, edit), build)
    for text in texts:
        assert text in str(caught.value)
    assert "unexpected error" not in str(caught.value)
    assert not build.exists()


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"<!DOCTYPE html>\n<html>", "it is str, not an object of OpenAPI"),
        (b"", "it is NoneType, not an object of OpenAPI"),
        (b"- a\n- b\n", "it is list, not an object of OpenAPI"),
        (b"a: 1\na: 2\n", "it cannot be read as YAML or JSON"),
        (b"200: 1\n'200': 2\n", "keys are alike as strings"),
        (b"a: [", "it cannot be read as YAML or JSON"),
        ("a: \u00e9".encode("latin-1"), "it cannot be read as YAML or JSON"),
        (b"a: &a [*a]", "it cannot be read as YAML or JSON"),
        (b"a: 1e400", "is not serializable to JSON"),
        (b"a: !!binary aGk=", "is not serializable"),
        (b"openapi: 3.1.0\ninfo: 2026-01-29\n", "$"),
    ],
)
def test_a_file_that_is_not_an_openapi_document_is_an_error(content: bytes, text: str, tmp_path: Path) -> None:
    path = tmp_path / "openapi.yaml"
    path.write_bytes(content)
    with pytest.raises(GenerationError) as caught:
        generate(path, tmp_path / "build")
    assert text in str(caught.value)
    assert "correct that in openapi.yaml" in str(caught.value)


def test_a_missing_document_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(GenerationError, match="it cannot be read as YAML or JSON"):
        generate(tmp_path / "openapi.yaml", tmp_path / "build")


def test_a_byte_order_mark_is_ignored(tmp_path: Path) -> None:
    path = write_document(tmp_path, only_bindings)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert generate(path, tmp_path / "build")


def small() -> Part:
    """A document that uses each feature of OpenAPI once."""
    document: Part = json.loads(ORIGINAL)
    thing = document["paths"]["/bindings/{uid}"]
    only_bindings(document)
    document["paths"]["/bindings/{uid}"] = thing
    with_body(
        allOf=[{"$ref": "#/components/schemas/Thing"}],
        properties={"a": {"type": "array", "items": {"type": "string", "enum": ["b", "c"]}}},
    )(document)
    schemas(Thing={"type": "object", "required": ["d"], "properties": {"d": {"anyOf": [{"type": "integer"}, NULL]}}})(
        document
    )
    return document


SMALL = small()
VALUES: list[Any] = [
    *(None, [], {}, "", "a", 0, -1, 1.5, True, [None], [{}], {"a": None}),
    *({"$ref": f"#/{path}"} for path in ("paths", "components/schemas/Binding", "components/schemas/No")),
    *({"$ref": 1}, {"type": ["string", "integer"]}, {"type": "array"}, {"type": "object"}, {"oneOf": []}),
    *(
        {"allOf": [{}]},
        {"enum": [None]},
        {"not": {}},
        {"const": 1},
        {"enum": []},
        {"anyOf": [NULL]},
        {"type": ["null"]},
    ),
]


def places(part: Any, steps: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    given: Any = part
    known: Any = given.items() if isinstance(part, dict) else enumerate(given) if isinstance(part, list) else ()
    for name, item in known:
        yield (*steps, name)
        yield from places(item, (*steps, name))


PLACES = list(places(SMALL))


def test_code_is_generated_from_a_document_with_each_feature(tmp_path: Path) -> None:
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(SMALL), "utf-8")
    generate(path, tmp_path / "build")
    assert list((tmp_path / "build").rglob("*.py"))


@settings(max_examples=15)
@given(data=st.data())
def test_a_mutated_document_generates_code_or_is_an_error(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    document = deepcopy(SMALL)
    for _ in range(data.draw(st.integers(1, 2))):
        *steps, last = data.draw(st.sampled_from(PLACES))
        part: Any = document
        try:
            for step in steps:
                part = part[step]
            if data.draw(st.booleans()):
                part[last] = deepcopy(data.draw(st.sampled_from(VALUES)))
            else:
                del part[last]
        except (IndexError, KeyError, TypeError):
            # An earlier mutation replaced a part around it.
            continue
    folder = tmp_path_factory.mktemp("mutated")
    path = folder / "openapi.json"
    path.write_text(json.dumps(document), "utf-8")
    try:
        generate(path, folder / "build")
    except GenerationError as error:
        assert "unexpected error" not in str(error)
        assert re.search(r"\$[.\[:]", str(error))
        assert not (folder / "build").exists()
    else:
        # They were compiled before they were written.
        assert list((folder / "build").rglob("*.py"))


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=20))
def test_text_of_a_document_is_never_executed(
    text: str, tmp_path: Path, package: Path, revised: Callable[[str], ModuleType]
) -> None:
    text = normalize("NFKC", f"t9{text}")
    path = write_document(tmp_path, only_bindings, with_everywhere(text))
    assert main(["--document", str(path), "--package", str(package)]) == 0
    importlib.invalidate_caches()
    # A previous example may have failed.
    forget_revised()
    sends_everywhere(text)(Client(revised, []))


def test_generated_code_is_checked_before_it_is_installed(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def f(a, a): ...\n")
    (tmp_path / "b.py").write_text(
        "import a\nif a:\n    import b\n\nclass C:\n    x: int\n    def x(self): ...\n\nb = 1\n"
    )
    assert list(problems_of_output(tmp_path)) == [
        "a.py: the generated code is not valid Python: duplicate argument 'a' in function definition (a.py, line 1)",
        "b.py: two definitions would be named b in the module",
        "b.py: two definitions would be named x in the class C",
    ]


def raise_zero_division(_: Part) -> None:
    raise ZeroDivisionError


def return_error(_: Part, *, config: object) -> GeneratorError:
    del config
    return GeneratorError(header="It is not known.")


@pytest.mark.parametrize(
    ("name", "does", "text"),
    [
        ("extract", raise_zero_division, "caused an unexpected error in the generator: ZeroDivisionError"),
        ("GeneratorData.from_dict", return_error, "It is not known."),
    ],
)
def test_unexpected_generator_failures_are_errors_too(
    name: str, does: Callable[..., Any], text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"generator.__main__.{name}", does)
    with pytest.raises(GenerationError, match=text) as caught:
        generate(write_document(tmp_path, only_bindings), tmp_path / "build")
    assert OVERLAY in str(caught.value)
