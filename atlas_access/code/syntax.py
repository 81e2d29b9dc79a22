"""Programs of every language as the same few kinds of nodes: `member`, `call`, `or`, `if`, `assign` and so on.

Pure. One table says for all languages which node of a grammar is of which kind. What the table does not name keeps its
parts, so that nothing inside of it is lost.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

from atlas_access.code.trees import line_of, text_of

if TYPE_CHECKING:
    from tree_sitter import Node as Syntax


@dataclass(frozen=True, eq=False)
class Node:
    """A part of a program: its kind, its line, its own text (a name, a string), and its parts."""

    kind: str
    line: int
    text: str = ""
    parts: tuple[Node, ...] = ()

    def walk(self) -> Iterator[Node]:
        """Yield the node and everything below it."""
        yield self
        for part in self.parts:
            yield from part.walk()


def lowered(root: Syntax) -> Node:
    """A syntax tree as nodes of the same few kinds in every language."""
    return _lower(root) or Node("block", 1)


_PLAIN = frozenset({"drop", "name", "var", "null", "number", "text", "single", "break"})
_ROWS = resources.files(__package__).joinpath("grammars.txt").read_text(encoding="utf-8")
_TABLE: dict[str, tuple[str, tuple[str, ...]]] = {
    name: (kind, tuple(fields))
    for line in _ROWS.splitlines()
    if line and not line.startswith("#")
    for kind, _, rest in [line.partition(": ")]
    for name, *fields in map(str.split, rest.split() if kind in _PLAIN else rest.split("; "))
}
"""By a grammar's node: its kind, and the fields that its parts come from."""

_OPERATORS = {
    "||": "or", "??": "or", "or": "or", "&&": "and", "and": "and", "==": "same", "===": "same", "is": "same",
    "=": "same", "!=": "differs", "!==": "differs", "is not": "differs", "in": "in", "not in": "outside",
    "+": "template", "%": "template", "|": "object", ">": "more", "||=": "fill", "??=": "fill", "!": "not",
    "not": "not", "-z": "not",
}  # fmt: skip
_CASES = ("switch_case", "switch_default", "case_clause", "expression_case", "default_case", "case_item")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


def _each(nodes: Iterable[Syntax]) -> tuple[Node, ...]:
    return tuple(found for found in map(_lower, nodes) if found is not None)


def _fields(node: Syntax, *names: str) -> tuple[Node, ...]:
    return _each(each for name in names for each in node.children_by_field_name(name))


def _field_text(node: Syntax, name: str) -> str:
    return _bare(text_of(node.child_by_field_name(name)))


def _made(node: Syntax, kind: str, parts: Iterable[Node | None] = (), text: str = "") -> Node:
    return Node(kind, line_of(node), text, tuple(each for each in parts if each is not None))


def _lower(node: Syntax) -> Node | None:
    if node.type in _SPECIAL:
        return _SPECIAL[node.type](node)
    kind, fields = _TABLE.get(node.type, ("block", ("*",)))
    children = node.named_children
    if not node.is_named or kind == "drop" or (kind == "block" and not children):
        return None
    if kind in _PLAIN and kind != "single":
        text = text_of(node).lstrip("$") if kind == "var" else _bare(text_of(node))
        return _made(node, "null" if node.type == "identifier" and text == "undefined" else kind, text=text)
    if kind == "single":
        parts = _each(children)
        several = "args" if node.type == "literal_value" else "object"
        return parts[0] if len(parts) == 1 else _made(node, several, parts)
    if fields and fields[0].isidentifier() and node.child_by_field_name(fields[0]) is None:
        kind, fields = "block", ("*",)  # another language's node of the same name
    text, found = "", list[Node]()
    for field in fields:
        number = int(field.rstrip("*")) if field[0].isdigit() else 0
        if field.startswith("="):
            text = _field_text(node, field[1:])
        elif field[0].isdigit():
            found += _each(children[number:] if field.endswith("*") else children[number : number + 1])
        else:
            found += _each(children) if field == "*" else _fields(node, field.lstrip("*"))
    if kind in ("call", "new", "object"):
        found = [part for each in found for part in (each.parts if each.kind == "args" else (each,))]
    if kind == "block" and len(found) == 1:
        return found[0]
    at = node.child_by_field_name("arguments") or node  # of a chain over lines, the line of this call
    return _made(at, kind, found, text)


def _bare(text: str) -> str:
    """A string without its quotes, anything else as it is."""
    return text[1:-1] if len(text) > 1 and text[0] in "\"'`" and text[-1] == text[0] else text


def _string(node: Syntax) -> Node:
    """A string, or what one is put together from."""
    parts = _each(node.named_children)
    if any(each.kind != "text" for each in parts):
        return _made(node, "template", parts)
    text = "".join(each.text for each in parts) if parts else _bare(text_of(node))
    return _made(node, "text", text=_ESCAPE.sub(lambda match: {"n": "\n"}.get(match[1], match[1]), text))


def _operation(node: Syntax) -> Node | None:
    """`a || b`, `not a`, `[ -z a ]`; an operator that decides nothing leaves its operands."""
    signs = node.children_by_field_name("operators") or node.children_by_field_name("operator")
    signs = signs or [each for each in node.children if not each.is_named][:1]
    operator = " ".join(map(text_of, signs))
    if node.type in ("binary_operation", "unary_operation") and signs:
        at = node.children.index(signs[0])
        parts = tuple(filter(None, (_chain(node.children[:at]), _chain(node.children[at + 1 :]))))
    else:
        parts = _each(each for each in node.named_children if each not in signs)
    if node.type.startswith("unary") and operator not in ("!", "-z"):
        return parts[0] if parts else None
    return _made(node, _OPERATORS.get(operator, "block"), parts, operator)


def _list(node: Syntax) -> Node:
    """A Python list, or two commands of a shell of which one depends on the other."""
    parts = _each(node.named_children)
    joined = {each.type for each in node.children} & {"&&", "||"}
    if not joined or len(parts) != 2:
        return _made(node, "object", parts)
    if joined == {"&&"}:
        return _made(node, "if", parts)
    first, second = parts
    if first.kind == "call" and first.parts[0].text != "test":
        return _made(node, "try", (first, _made(node, "catch", (second,))))
    return _made(node, "if", (_made(node, "not", (first,)), second))


def _expansion(node: Syntax) -> Node:
    """`${A}`, `${A:-b}`, `${A:=b}`; other operators change no value."""
    name, *rest = _each(node.named_children) or (_made(node, "null"),)
    variable = _made(node, "var", text=name.text)
    if _field_text(node, "operator").lstrip(":") not in ("-", "=") or not rest:
        return variable
    return _made(node, "or", (variable, _made(node, "template", rest) if len(rest) > 1 else rest[0]))


def _if(node: Syntax) -> Node:
    others = [each for each in node.named_children if each.type in ("elif_clause", "else_clause")]
    others = node.children_by_field_name("alternative") or others
    test = [
        each for each in node.children_by_field_name("condition") if each.is_named
    ] or node.named_children[:1]
    before = node.children_by_field_name("initializer")
    body = [each for each in node.named_children if each not in (*test, *others, *before)]
    orelse: Node | None = None
    for each in reversed(others):
        last = each.type != "elif_clause"
        orelse = _lower(each) if last else _made(each, "if", (*_if(each).parts, orelse))
    found = _made(node, "if", (_made(node, "test", _each(test)), _made(node, "block", _each(body)), orelse))
    return _made(node, "block", (*_each(before), found)) if before else found


def _switch(node: Syntax) -> Node | None:
    """A switch as nested conditions; `switch (true)` and Go's bare `switch` test the cases themselves."""
    subject = next(iter(_fields(node, "value", "subject")), None)
    found: Node | None = None
    for case in reversed((node.child_by_field_name("body") or node).named_children):
        if case.type not in _CASES:
            continue
        wanted = [each for each in case.named_children if each.type == "case_pattern"]
        wanted = case.children_by_field_name("value") or wanted
        block = _made(case, "block", _each(each for each in case.named_children if each not in wanted))
        patterns = _each(wanted)
        other = not patterns or text_of(wanted[0]) == "*"
        if other or (patterns[0].kind == "name" and node.type == "match_statement"):
            found = block
            continue
        pattern = patterns[0].parts[0] if patterns[0].kind == "block" else patterns[0]
        compared = subject is not None and subject.text != "true"
        test = _made(case, "same", (subject, pattern)) if compared else pattern
        found = _made(case, "if", (_made(case, "test", (test,)), block, found))
    return found


def _function(node: Syntax) -> Node:
    """A function: its parameters (`param`, `spread`) in a block, then its body."""
    params: list[Node] = []
    listed = node.children_by_field_name("parameter")
    for each in [
        *listed,
        *(one for many in node.children_by_field_name("parameters") for one in many.named_children),
    ]:
        named, given = _fields(each, "name", "pattern") or _each([each]), _fields(each, "value")
        kept = any(child.type in ("accessibility_modifier", "readonly") for child in each.children)
        types = {each.type, *(child.type for child in each.named_children)}
        rest = types & {"rest_pattern", "list_splat_pattern", "variadic_parameter_declaration"}
        for name in named:
            inner = name.parts if name.kind in ("default", "spread") else (name, *given)
            params.append(_made(each, "spread" if rest else "param", inner, "kept" if kept else ""))
    receivers = (one for many in node.children_by_field_name("receiver") for one in many.named_children)
    for each in receivers:
        kind = _field_text(each, "type").lstrip("*")
        params.insert(0, _made(each, "param", _fields(each, "name"), f"*{kind}"))
    body = _fields(node, "body")
    braces = _field_text(node, "body").startswith("{")
    if body and node.type in ("arrow_function", "lambda") and not braces:
        body = (_made(node, "return", body),)
    getter = "getter" if any(each.type == "get" for each in node.children) else ""
    inside = (_made(node, "block", params, getter), _made(node, "block", body))
    return _made(node, "function", inside, _field_text(node, "name"))


def _import(node: Syntax) -> Node | None:
    """`alias` nodes: the local name, then what is imported ("" for a module, `*` for all) and from where."""
    fields = ("source", "module_name", "path")
    source = next(filter(None, map(node.child_by_field_name, fields)), None)
    if node.type == "export_statement" and source is None:
        return _export(node)
    origin = _bare(text_of(source))
    names: list[tuple[str, str, str]] = []
    pending = [each for each in node.named_children if each != source]
    while pending:
        each = pending.pop()
        name, alias = _field_text(each, "name") or text_of(each), _field_text(each, "alias")
        if each.type in ("import_specifier", "export_specifier", "aliased_import", "dotted_name"):
            local = alias or (name if source else name.split(".")[0])
            names.append((local, name if source else "", origin or name))
        elif each.type in ("identifier", "package_identifier", "namespace_import"):
            name = text_of(each.named_children[0] if each.named_children else each)
            names.append((name, "default" if each.type == "identifier" else "", origin))
        else:
            pending += each.named_children
    if not names and node.type == "import_spec":
        names = [(origin.rpartition("/")[2], "", origin)]
    if not names and source is not None:
        names = [("*", "*", origin)]
    return _made(
        node, "block", [_made(node, "alias", (_made(node, "text", text=name), _made(node, "text", text=where)), local)
                        for local, name, where in names],
    )  # fmt: skip


def _export(node: Syntax) -> Node:
    """`export` of a declaration, of a default, or of names under other names."""
    parts = _each(node.named_children)
    if any(each.type == "default" for each in node.children) and parts:
        last = parts[-1]
        named = last.kind in ("function", "class") and last.text
        value = _made(node, "name", text=last.text) if named else last
        default = _made(node, "assign", (_made(node, "name", text="default"), value))
        return _made(node, "block", (last, default) if named else (default,))
    renamed = [
        [_made(each, "name", text=_field_text(each, field)) for field in ("alias", "name")]
        for clause in node.named_children
        for each in clause.named_children
        if each.type == "export_specifier" and each.child_by_field_name("alias") is not None
    ]
    return _made(node, "block", [*parts, *(_made(node, "assign", each) for each in renamed)])


def _chain(nodes: Iterable[Syntax]) -> Node | None:
    """HCL's `a.b["c"].d`."""
    found: Node | None = None
    for each in nodes:
        if found is not None and each.type == "get_attr":
            found = _made(each, "member", (found,), text_of(each.named_children[0]))
        elif found is not None and each.type in ("index", "splat"):
            found = _made(each, "index", (found, *_each(each.named_children)))
        else:
            found = found or _lower(each)
    return found


def _attribute(node: Syntax) -> Node:
    """HCL's `name = value`, or Python's `value.name`."""
    if node.child_by_field_name("object") is not None:
        return _made(node, "member", _fields(node, "object"), _field_text(node, "attribute"))
    return _made(node, "pair", _each(node.named_children[1:]), text_of(node.named_children[0]))


def _braces(node: Syntax) -> Node:
    """HCL's block: a `section` whose text holds its type and its labels; any other language's block of statements."""
    children = node.named_children
    at = next((at for at, each in enumerate(children) if each.type == "block_start"), -1)
    if at < 0:
        return _made(node, "block", _each(children))
    body = next((each.named_children for each in children[at:] if each.type == "body"), [])
    return _made(node, "section", _each(body), " ".join(_bare(text_of(each)) for each in children[:at]))


def _shorthand(node: Syntax) -> Node:
    return _made(node, "pair", (_made(node, "name", text=text_of(node)),), text_of(node))


_SPECIAL: dict[str, Callable[[Syntax], Node | None]] = {
    name: made
    for made, names in {
        _string: "string interpreted_string_literal raw_string_literal template_string quoted_template"
        " heredoc_template",
        _operation: "binary_expression boolean_operator comparison_operator binary_operator unary_expression"
        " augmented_assignment_expression binary_operation unary_operation",
        _switch: "switch_statement match_statement expression_switch_statement case_statement",
        _function: "function_declaration function_expression method_definition arrow_function function_definition"
        " lambda func_literal method_declaration generator_function_declaration generator_function",
        _import: "import_statement import_from_statement import_spec export_statement",
        _shorthand: "shorthand_property_identifier shorthand_property_identifier_pattern",
        lambda node: _chain(node.named_children): "expression",
        _if: "if_statement", _list: "list", _expansion: "expansion", _attribute: "attribute", _braces: "block",
    }.items()
    for name in names.split()
}  # fmt: skip
