"""Revisions of the contract that may come: each generates code that does what it says, or is refused with the place."""

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

from .revisions.edits import NULL, OVERLAY, Client, Part, hostile, sends_hostile, with_body, written
from .revisions.refused import REFUSED
from .revisions.supported import SUPPORTED
from .test_generator import CONTRACT, only_bindings, schemas

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package that lacks what is generated."""
    folder = tmp_path_factory.mktemp("revised") / "revised_client"
    shutil.copytree(ROOT / "pictify_client", folder, ignore=shutil.ignore_patterns("__pycache__", *FOLDERS))
    compile_dir(folder, quiet=1)
    return folder


@pytest.fixture
def revised(package: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], ModuleType]]:
    monkeypatch.setattr(sys, "path", [str(package.parent), *sys.path])
    # A file of the revision before may have the same time and size.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield lambda name: importlib.import_module(f"revised_client{name}")
    forget_revised()


def forget_revised() -> None:
    for name in [name for name in sys.modules if name.startswith("revised_client")]:
        del sys.modules[name]


@pytest.mark.parametrize("name", SUPPORTED)
def test_a_revision_generates_a_client_that_does_what_it_says(
    name: str, tmp_path: Path, package: Path, revised: Callable[[str], ModuleType], capfd: pytest.CaptureFixture[str]
) -> None:
    edit, check = SUPPORTED[name]
    status = main(["--document", str(written(tmp_path, only_bindings, edit)), "--package", str(package)])
    assert (status, capfd.readouterr().err) == (0, "")
    importlib.invalidate_caches()
    for path in sorted(package.glob("*/**/*.py")):
        if path.relative_to(package).parts[0] in FOLDERS:
            revised("." + ".".join(path.relative_to(package).with_suffix("").parts).removesuffix(".__init__"))
    check(Client(revised, []))


@pytest.mark.parametrize("name", REFUSED)
def test_a_revision_that_would_be_wrong_is_refused_with_the_place_and_the_file(name: str, tmp_path: Path) -> None:
    edit, texts = REFUSED[name]
    build = tmp_path / "build"
    with pytest.raises(GenerationError) as caught:
        generate(written(tmp_path, only_bindings, edit), build)
    for text in texts:
        assert text in str(caught.value)
    assert "does not expect" not in str(caught.value)
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
def test_what_is_no_document_is_refused(content: bytes, text: str, tmp_path: Path) -> None:
    path = tmp_path / "openapi.yaml"
    path.write_bytes(content)
    with pytest.raises(GenerationError) as caught:
        generate(path, tmp_path / "build")
    assert text in str(caught.value)
    assert "correct that in openapi.yaml" in str(caught.value)


def test_a_document_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GenerationError, match="it cannot be read as YAML or JSON"):
        generate(tmp_path / "openapi.yaml", tmp_path / "build")


def test_a_mark_of_the_byte_order_is_no_part_of_a_document(tmp_path: Path) -> None:
    path = written(tmp_path, only_bindings)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert generate(path, tmp_path / "build")


def small() -> Part:
    """A document that has one of each of what OpenAPI has."""
    document: Part = json.loads(CONTRACT)
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
    *({"allOf": [{}]}, {"enum": [None]}, {"not": {}}, {"const": 1}),
]


def places(part: Any, steps: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    given: Any = part
    known: Any = given.items() if isinstance(part, dict) else enumerate(given) if isinstance(part, list) else ()
    for name, item in known:
        yield (*steps, name)
        yield from places(item, (*steps, name))


PLACES = list(places(SMALL))


def test_a_document_that_has_one_of_each_generates(tmp_path: Path) -> None:
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(SMALL), "utf-8")
    generate(path, tmp_path / "build")
    assert list((tmp_path / "build").rglob("*.py"))


@settings(max_examples=15)
@given(data=st.data())
def test_whatever_becomes_of_a_document_it_generates_or_is_refused(
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
            # What was changed before was around it.
            continue
    folder = tmp_path_factory.mktemp("mutated")
    path = folder / "openapi.json"
    path.write_text(json.dumps(document), "utf-8")
    try:
        generate(path, folder / "build")
    except GenerationError as error:
        assert "does not expect" not in str(error)
        assert re.search(r"\$[.\[:]", str(error))
        assert not (folder / "build").exists()
    else:
        # It compiled them before they were written.
        assert list((folder / "build").rglob("*.py"))


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=20))
def test_no_text_of_a_document_becomes_code(
    text: str, tmp_path: Path, package: Path, revised: Callable[[str], ModuleType]
) -> None:
    text = normalize("NFKC", f"t9{text}")
    path = written(tmp_path, only_bindings, hostile(text))
    assert main(["--document", str(path), "--package", str(package)]) == 0
    importlib.invalidate_caches()
    # An example before it may have failed.
    forget_revised()
    sends_hostile(text)(Client(revised, []))


def test_what_is_generated_is_looked_at_before_it_is_installed(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def f(a, a): ...\n")
    (tmp_path / "b.py").write_text(
        "import a\nif a:\n    import b\n\nclass C:\n    x: int\n    def x(self): ...\n\nb = 1\n"
    )
    assert list(problems_of_output(tmp_path)) == [
        "a.py: what was generated is not Python: duplicate argument 'a' in function definition (a.py, line 1)",
        "b.py: two things would be called b in the module",
        "b.py: two things would be called x in the class C",
    ]


def stumbles(_: Part) -> None:
    raise ZeroDivisionError


def knows_nothing(_: Part, *, config: object) -> GeneratorError:
    del config
    return GeneratorError(header="It is not known.")


@pytest.mark.parametrize(
    ("name", "does", "text"),
    [
        ("extract", stumbles, "has what the generator does not expect: ZeroDivisionError"),
        ("GeneratorData.from_dict", knows_nothing, "It is not known."),
    ],
)
def test_what_no_check_has_foreseen_is_refused_too(
    name: str, does: Callable[..., Any], text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"generator.__main__.{name}", does)
    with pytest.raises(GenerationError, match=text) as caught:
        generate(written(tmp_path, only_bindings), tmp_path / "build")
    assert OVERLAY in str(caught.value)
