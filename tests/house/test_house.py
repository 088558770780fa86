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


def faulty(look, files=FILES):
    """The files in which ``look`` finds something, with what it found."""
    return {name(file): found for file in files if (found := look(file))}


def nodes(file, *kinds):
    """All nodes of these kinds in a file."""
    return [node for node in ast.walk(TREES[file]) if isinstance(node, kinds)]


def test_no_god_files():
    assert not faulty(lambda file: (n := file.read_text().count("\n")) > CEILING and n)


def test_no_dumps_and_no_vague_classes():
    assert not faulty(lambda file: {file.stem, file.parent.name} & DUMPS)
    assert not faulty(lambda file: [n.name for n in nodes(file, ast.ClassDef) if VAGUE.search(n.name)])


def test_functions_fit_on_a_screen():
    def long(file):
        functions = nodes(file, ast.FunctionDef, ast.AsyncFunctionDef)
        return [f.name for f in functions if f.end_lineno - f.lineno >= LONGEST]

    assert not faulty(long)


def test_transforms_meet_like_dominoes():
    """``a_from_b @ b_from_c``: the inner names must be the same."""

    def label(node):
        return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""

    def unlike(file):
        for node in nodes(file, ast.BinOp):
            if isinstance(node.op, ast.MatMult):
                left = re.fullmatch(r"_?(\w+)_from_(\w+)", label(node.left))
                right = re.fullmatch(r"_?(\w+)_from_(\w+)", label(node.right))
                if left and right and left[2] != right[1]:
                    yield node.lineno

    assert not faulty(lambda file: list(unlike(file)))


def test_modules_and_public_things_have_docstrings():
    def silent(file):
        tree = TREES[file]
        public = [n for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef) and not n.name.startswith("_")]
        return [getattr(n, "name", "the module") for n in (tree, *public) if not ast.get_docstring(n)]

    assert not faulty(silent)


def test_no_process_wide_state():
    """No ``global``, and no class attribute that counts up."""

    def shared(file):
        classes = {n.name for n in nodes(file, ast.ClassDef)} | {"cls"}
        bumps = [n.target for n in nodes(file, ast.AugAssign) if isinstance(n.target, ast.Attribute)]
        bumped = [t for t in bumps if isinstance(t.value, ast.Name) and t.value.id in classes]
        return [ast.unparse(one) for one in (*nodes(file, ast.Global), *bumped)]

    assert not faulty(shared)


def test_nothing_catches_everything():
    broad = {"Exception", "BaseException"}

    def catches(file):
        caught = nodes(file, ast.ExceptHandler)
        return [n.lineno for n in caught if n.type is None or (isinstance(n.type, ast.Name) and n.type.id in broad)]

    assert not faulty(catches, [file for file in FILES if name(file) not in CATCHERS])


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
