"""The house's rules that no linter knows."""

import ast
import io
import re
import tokenize
import tomllib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE = [path for room in ("services", "shared", "tools") for path in sorted((ROOT / room).rglob("*.py"))]
MAX_PLUMBING_FILE_LINES = 250
FRAMEWORK = {"nameko", "eventlet"}
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "base", "manager", "managers", "models", "misc"}
STOCK_ENTRYPOINTS = {
    "nameko.events": {"event_handler", "EventHandler", "EventDispatcher", "event_dispatcher"},
    "nameko.rpc": {"rpc", "Rpc", "RpcProxy", "ServiceRpcProxy"},
    "nameko.timer": {"timer", "Timer"},
    "nameko.messaging": {"consume", "Consumer", "Publisher"},
    "nameko.web.handlers": {"http", "HttpRequestHandler"},
    "nameko.standalone.rpc": {"ClusterRpcProxy", "ServiceRpcProxy"},
    "nameko.standalone.events": {"event_dispatcher"},
}
PLUMBING, WEB = ROOT / "shared" / "plumbing", ROOT / "shared" / "http"
ROOMS_ALWAYS = {"README.md", "config.yml", "service.py", "domain"}


def code_lines(path: Path) -> int:
    """Lines that are neither blank nor comment nor docstring."""
    source = path.read_text()
    said = {
        line
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    skipped = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    lines = {
        line
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type not in skipped
        for line in range(token.start[0], token.end[0] + 1)
    }
    return len(lines - said)


def imports(path: Path) -> Iterator[tuple[str, str]]:
    """Every (module, name) that a file imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            yield from ((node.module or "", alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)


def test_every_file_of_the_plumbing_is_small() -> None:
    lines = {path.name: len(path.read_text().splitlines()) for path in PLUMBING.rglob("*.py")}
    assert {name: size for name, size in lines.items() if size > MAX_PLUMBING_FILE_LINES} == {}


def lines_to_change(path: Path) -> int:
    """Lines of the imports, methods, functions and statements of a file that name something of the framework's."""
    tree = ast.parse(path.read_text())
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom) and names_of(node)]
    names = {name for node in found for name in names_of(node)}
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    parts = [*(node for node in tree.body if node not in classes), *chain(*(one.body for one in classes))]
    heads = chain(*((*one.bases, *one.decorator_list) for one in classes))
    changed = {
        line
        for node in (*found, *parts, *heads)
        if node in found or any(isinstance(one, ast.Name) and one.id in names for one in ast.walk(node))
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    return len(changed)


def names_of(node: ast.Import | ast.ImportFrom) -> set[str]:
    """The names under which an import brings something of the framework in."""
    if isinstance(node, ast.ImportFrom):
        ours = (node.module or "").partition(".")[0] in FRAMEWORK
        return {alias.asname or alias.name for alias in node.names} if ours else set()
    brought = [alias.asname or alias.name.partition(".")[0] for alias in node.names]
    return {name for alias, name in zip(node.names, brought, strict=True) if alias.name.partition(".")[0] in FRAMEWORK}


def test_leaving_the_framework_would_change_few_lines() -> None:
    assert 0 < sum(map(lines_to_change, CODE)) < 0.15 * sum(map(code_lines, CODE))


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_is_named_for_what_is_in_it(path: Path) -> None:
    assert not FORBIDDEN_NAMES & {path.stem, path.parent.name}


def test_no_entrypoint_of_the_frameworks_own_stands_outside_the_plumbing() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {module}.{name}"
        for path in CODE
        if not {PLUMBING, WEB} & set(path.parents)
        for module, name in imports(path)
        if name in STOCK_ENTRYPOINTS.get(module, ()) or f"{module}.{name}".startswith("nameko.standalone")
    ]
    assert found == []


def test_nobody_dispatches_events_but_the_relay() -> None:
    assert [path for path in CODE if "EventDispatcher" in path.read_text()] == []


def test_nothing_reads_the_clock_but_the_clock() -> None:
    """Decisions are given the time. Measuring how long something takes is another thing: that is time.monotonic()."""
    asks = ("datetime.now(", "datetime.utcnow(", "date.today(")
    found = [
        str(path.relative_to(ROOT))
        for path in CODE
        if path.parts[len(ROOT.parts)] != "tools"
        and path.name != "clock.py"
        and any(ask in path.read_text() for ask in asks)
    ]
    assert found == []


@pytest.mark.parametrize("service", sorted(path.parent.name for path in (ROOT / "services").glob("*/service.py")))
def test_a_service_has_the_rooms_that_every_service_has(service: str) -> None:
    present = {path.name for path in (ROOT / "services" / service).rglob("*")}
    assert not ROOMS_ALWAYS - present


def background(service: Path) -> Iterator[ast.FunctionDef]:
    """The methods that a queue or a clock begins."""
    for node in ast.walk(ast.parse(service.read_text())):
        if isinstance(node, ast.FunctionDef):
            called = [one.func for one in node.decorator_list if isinstance(one, ast.Call)]
            if any(isinstance(one, ast.Name) and one.id in {"subscribe", "every"} for one in called):
                yield node


def test_work_that_nobody_waits_for_has_the_longer_time_for_its_statements() -> None:
    found = [method for path in (ROOT / "services").glob("*/service.py") for method in background(path)]
    asked = [one.attr for method in found for one in ast.walk(method) if isinstance(one, ast.Attribute)]
    assert "long_transaction" in asked
    assert not {"connection", "autocommit"} & set(asked)


def test_a_domain_knows_no_clock_and_no_chance() -> None:
    forbidden = {"time", "random", "uuid4", "secrets", "os"}
    found = [
        f"{path.relative_to(ROOT)}: {module} {name}"
        for path in (ROOT / "services").glob("*/domain/**/*.py")
        for module, name in imports(path)
        if module in forbidden or name in {"uuid4", "uuid1"}
    ]
    assert found == []


PINNED = re.compile(r"^([a-z0-9-]+)==([^ ]+)[^\n]*\\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE)


def test_every_version_is_pinned_by_hash_and_eventlet_has_its_security_floor() -> None:
    said = re.sub("^#.*\n", "", (ROOT / "constraints.txt").read_text(), flags=re.MULTILINE)
    assert PINNED.sub("", said) == "", "nothing there is without a hash"
    pinned = {name: version for name, version, _ in PINNED.findall(said)}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    named = {re.split(r"[^\w.-]", one)[0] for one in (*project["dependencies"], *chain(*extras))}
    assert {re.sub("[-_.]+", "-", name).lower() for name in named} <= pinned.keys()
    assert (0, 40, 3) <= tuple(map(int, pinned["eventlet"].split("."))) < (0, 43)
