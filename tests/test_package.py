"""The package as users import it."""

from __future__ import annotations

import importlib
import pickle
import pkgutil
import shutil
import subprocess
import sys
import typing
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import pictify_client
from generator.__main__ import ROOT
from pictify_client import models
from pictify_client.api import bindings


@pytest.mark.parametrize("package", [pictify_client, models], ids=lambda package: package.__name__)
def test_every_public_name_can_be_imported_and_no_other(package: ModuleType) -> None:
    for name in vars(package)["__all__"]:
        thing = getattr(package, name)
        assert thing is not None
        assert name in dir(package)
        assert getattr(thing, "__name__", name).rpartition(".")[2] == name or name == "__version__"
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        _ = package.Nothing
    with pytest.raises(ImportError, match="cannot import name 'Nothing'"):
        exec(f"from {package.__name__} import Nothing")  # noqa: S102


def test_a_star_import_has_the_public_names() -> None:
    names: dict[str, object] = {}
    exec("from pictify_client import *", names)  # noqa: S102
    assert set(vars(pictify_client)["__all__"]) <= set(names)


def test_typed_dicts_need_no_optional_package(monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module("pictify_client._runtime.typed_dict")
    monkeypatch.setitem(sys.modules, "typing_extensions", None)
    assert importlib.reload(module).TypedDict is typing.TypedDict
    monkeypatch.undo()
    assert importlib.reload(module).TypedDict is not None


def test_every_module_can_be_imported_by_itself() -> None:
    names = [info.name for info in pkgutil.walk_packages(pictify_client.__path__, "pictify_client.")]
    assert len(names) > 20
    imports = "; ".join(
        f"import {name}; [sys.modules.pop(each) for each in list(sys.modules) if each.startswith('pictify_client')]"
        for name in names
        if not name.endswith("__main__")
    )
    subprocess.run([sys.executable, "-c", f"import sys; {imports}"], check=True)  # noqa: S603


def modules_after(statement: str) -> set[str]:
    code = f"import sys; before = set(sys.modules); {statement}; print(*set(sys.modules) - before)"
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout  # noqa: S603
    return set(printed.split())


def test_importing_the_package_imports_few_other_modules() -> None:
    loaded = modules_after("import pictify_client")
    assert {name for name in loaded if name.startswith("pictify_client")} == {
        "pictify_client",
        "pictify_client._runtime",
        "pictify_client._runtime.lazy",
    }
    assert not loaded & {"httpx", "attrs", "attr", "dateutil", "json", "typing"}


def test_a_client_imports_no_model_or_endpoint_until_it_is_used() -> None:
    loaded = modules_after("from pictify_client import Pictify; Pictify(api_key='pic_live_x').bindings")
    assert not [name for name in loaded if name.startswith("pictify_client.models.")]
    assert "pictify_client.api.bindings.list_bindings" not in loaded
    assert "dateutil" not in loaded
    assert modules_after("from pictify_client.models import Pagination") >= {"pictify_client.models.pagination"}
    assert "pictify_client.models.binding" not in modules_after("from pictify_client.models import Pagination")


def test_a_call_imports_only_its_endpoint_and_models() -> None:
    loaded = modules_after("from pictify_client import Pictify; Pictify(api_key='pic_live_x').webhooks.list()")
    endpoints = {name for name in loaded if name.count(".") == 3 and name.startswith("pictify_client.api.")}
    assert endpoints == {"pictify_client.api.webhooks.list_webhook_subscriptions"}
    assert {name for name in loaded if name.startswith("pictify_client.models.")} == {
        f"pictify_client.models.{name}"
        for name in (
            "pagination",
            "webhook_event_type",
            "webhook_filters",
            "webhook_platform",
            "webhook_subscription",
            "webhook_subscription_list",
            "webhook_subscription_status",
        )
    }


@pytest.mark.parametrize("client", ["Pictify", "AsyncPictify"])
def test_an_editor_offers_every_argument_with_its_documentation(client: str) -> None:
    code = f"from pictify_client import {client}\npictify = {client}()\npictify.bindings.create("
    jedi: Any = importlib.import_module("jedi")  # jedi has no type hints.
    script = jedi.Script(code, project=jedi.Project(ROOT))
    (signature,) = script.get_signatures(3, len("pictify.bindings.create("))
    assert [parameter.name for parameter in signature.params] == [
        "template_id",
        "mapping",
        "name",
        "data_source",
        "defaults",
        "refresh_policy",
        "output_config",
        "data_source_id",
    ]
    documentation = signature.docstring()
    for parameter in signature.params:
        assert f"{parameter.name}: " in documentation.partition("Args:")[2]
    assert "name: Name of the resource. At most 255 characters." in documentation
    names = {each.name for each in script.complete(3, len("pictify."))}
    assert {"images", "gifs", "pdfs", "templates", "batch", "experiments", "webhooks", "url_rendering"} <= names


def test_the_generated_packages_are_in_the_documented_places() -> None:
    assert importlib.import_module("pictify_client.api.bindings.list_bindings").OPERATION.method == "GET"
    assert bindings.Bindings.list.__doc__ is not None
    assert "(`GET /bindings`)" in bindings.Bindings.list.__doc__
    assert "limit: Number of bindings per page. From 1 to 100. Defaults to 20." in bindings.Bindings.list.__doc__


def test_a_copy_without_metadata_works_and_knows_its_version(tmp_path: Path) -> None:
    copied = tmp_path / "vendored" / "pictify_client"
    shutil.copytree(ROOT / "pictify_client", copied, ignore=shutil.ignore_patterns("__pycache__"))
    (copied.parent / "__init__.py").touch()
    code = (
        "import sys; from importlib import metadata; metadata.MetadataPathFinder.find_distributions = lambda *_: [];"
        "import vendored.pictify_client as package; from vendored.pictify_client.models import Binding;"
        "package.Pictify(api_key='pic_live_x').bindings; print(package.__version__);"
        "from vendored.pictify_client._runtime.settings import user_agent; print(user_agent())"
    )
    printed = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=tmp_path
    ).stdout
    assert printed.splitlines()[0] == pictify_client.__version__
    assert printed.splitlines()[1].startswith(f"pictify-client/{pictify_client.__version__} python/")


def test_models_can_be_pickled_by_reference() -> None:
    assert pickle.loads(pickle.dumps(models.Binding)) is models.Binding  # noqa: S301
