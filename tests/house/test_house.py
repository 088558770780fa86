"""The house rules, as tests. A rule that is not here is only advice."""

import ast
import importlib
import re
from pathlib import Path

import pytest

from sightline import ports, wiring

SRC = Path(__file__).parents[2] / "src" / "sightline"
FILES = sorted(SRC.rglob("*.py"))
TREES = {file: ast.parse(file.read_text()) for file in FILES}
CEILING = 500
LONGEST = 60
VAGUE = re.compile(r"(Manager|Helper|Util|Processor|Service|Handler|Impl|Base|Abstract|Mixin)")
DUMPS = {"utils", "util", "helpers", "common", "misc", "core", "base", "constants", "types", "manager", "service"}
CATCHERS = {"cli/__init__.py", "jobs/workflow.py"}
"""Where ``except Exception`` is in place: the last door before a person, and what must outlive any job."""
PORTS = [
    port for port in vars(ports).values() if getattr(port, "_is_protocol", False) and port.__module__ == ports.__name__
]


def name(file):
    return str(file.relative_to(SRC))


def functions(tree):
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


@pytest.mark.parametrize("file", FILES, ids=name)
def test_no_god_files(file):
    assert file.read_text().count("\n") <= CEILING


@pytest.mark.parametrize("file", FILES, ids=name)
def test_no_dumps_and_no_vague_classes(file):
    assert file.stem not in DUMPS
    assert file.parent.name not in DUMPS
    assert not [n.name for n in ast.walk(TREES[file]) if isinstance(n, ast.ClassDef) and VAGUE.search(n.name)]


@pytest.mark.parametrize("file", FILES, ids=name)
def test_functions_fit_on_a_screen(file):
    assert not [f.name for f in functions(TREES[file]) if f.end_lineno - f.lineno >= LONGEST]


@pytest.mark.parametrize("file", FILES, ids=name)
def test_transforms_meet_like_dominoes(file):
    """``a_from_b @ b_from_c``: the inner names must be the same."""

    def label(node):
        return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""

    for node in ast.walk(TREES[file]):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
            left = re.fullmatch(r"_?(\w+)_from_(\w+)", label(node.left))
            right = re.fullmatch(r"_?(\w+)_from_(\w+)", label(node.right))
            if left and right:
                assert left[2] == right[1], f"{name(file)}:{node.lineno}"


@pytest.mark.parametrize("file", FILES, ids=name)
def test_modules_and_public_things_have_docstrings(file):
    tree = TREES[file]
    assert ast.get_docstring(tree)
    public = [n for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef) and not n.name.startswith("_")]
    assert not [n.name for n in public if not ast.get_docstring(n)]


@pytest.mark.parametrize("file", FILES, ids=name)
def test_no_process_wide_state(file):
    """No ``global``, and no class attribute that counts up."""
    assert not [n for n in ast.walk(TREES[file]) if isinstance(n, ast.Global)]
    classes = {n.name for n in ast.walk(TREES[file]) if isinstance(n, ast.ClassDef)} | {"cls"}
    bumps = [
        ast.unparse(n.target)
        for n in ast.walk(TREES[file])
        if isinstance(n, ast.AugAssign)
        and isinstance(n.target, ast.Attribute)
        and isinstance(n.target.value, ast.Name)
        and n.target.value.id in classes
    ]
    assert not bumps


@pytest.mark.parametrize("file", [f for f in FILES if name(f) not in CATCHERS], ids=name)
def test_nothing_catches_everything(file):
    broad = {"Exception", "BaseException"}
    caught = [n for n in ast.walk(TREES[file]) if isinstance(n, ast.ExceptHandler)]
    assert not [n.lineno for n in caught if n.type is None or (isinstance(n.type, ast.Name) and n.type.id in broad)]


@pytest.mark.parametrize("port", PORTS, ids=lambda port: port.__name__)
def test_ports_are_small_and_have_a_folder_and_a_table(port):
    methods = [m for m in vars(port) if not m.startswith("_")]
    assert 1 <= len(methods) <= 3
    snake = re.sub(r"(?<!^)(?=[A-Z])", "_", port.__name__).lower()
    assert (SRC / f"{snake}s").is_dir()
    assert snake in wiring.ENGINES


@pytest.mark.parametrize(("kind", "engine"), [(k, e) for k, table in wiring.ENGINES.items() for e in table])
def test_every_engine_in_the_table_is_where_its_kind_says(kind, engine):
    module, _, attribute = wiring.ENGINES[kind][engine].partition(":")
    assert module == f"sightline.{kind}s.{engine}"
    assert attribute.lower() == engine.replace("_", "")
    assert hasattr(importlib.import_module(module), attribute)
