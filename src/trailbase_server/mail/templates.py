"""
The templates of mails: a small part of Jinja, checked before use so that rendering cannot fail.

.. code-block:: text

    output    {{ expression }}
    choice    {% if expression %} … {% elif … %} … {% else %} … {% endif %}
    others    {# comment #}, {% raw %} … {% endraw %}, a "-" at either side of a tag eats blanks
    expression
              NAME, a literal, a == b, a != b, a ~ b, not a, a and b, a or b, a if b else c

There are no filters, tests, functions, attributes or loops: with these a text could run for ever
or fail on some values only. An unknown name, and one that has no value, renders as nothing. In HTML
every value is escaped; a link stays intact, because ``&amp;`` in an attribute means ``&``.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import jinja2
    from jinja2 import nodes

MAX_TEMPLATE_CHARS = 100_000  # far longer than any mail; bounds what parsing costs
MAX_DEPTH = 20  # nested tags and operators; Python's compiler has a limit not far above

MAX_NUMBER = 2**63  # Python refuses to write down very large ones

Values = Mapping[str, str | None]
Render = Callable[[Values], str]
"""From values by name to text. A missing value and None are the same."""


class TemplateError(ValueError):
    """A text is no template of ours; the message says why and where."""


def compile_template(source: str, *, escape: bool) -> Render:
    """
    Check a template and make it ready.

    Args:
        source: Text as in the grammar above.
        escape: The result is HTML.

    Returns:
        A function that never fails.

    Raises:
        TemplateError: It does not parse, or uses what mails do not have.

    Spec:
        server/templates
    """
    import jinja2  # noqa: PLC0415  # imported when first needed: start-up time

    if len(source) > MAX_TEMPLATE_CHARS:
        raise TemplateError(f"longer than {MAX_TEMPLATE_CHARS} characters")
    environment = _environment(escape=escape)
    try:
        tree = environment.parse(source)
    except jinja2.TemplateSyntaxError as exc:
        raise TemplateError(f"line {exc.lineno}: {exc.message}") from exc
    except (RecursionError, MemoryError) as exc:
        raise TemplateError("too deeply nested") from exc
    except ValueError as exc:
        raise TemplateError(f"not a number: {exc}") from exc
    _check_tree(tree)
    render = environment.from_string(tree).render

    def call(values: Values) -> str:
        return render(**values)

    return call


def _environment(*, escape: bool) -> "jinja2.Environment":
    from jinja2 import ChainableUndefined  # noqa: PLC0415  # as above
    from jinja2.sandbox import ImmutableSandboxedEnvironment  # noqa: PLC0415  # as above

    environment = ImmutableSandboxedEnvironment(
        autoescape=escape,
        undefined=ChainableUndefined,
        finalize=_render_absent,
        keep_trailing_newline=False,
        cache_size=0,
    )
    environment.filters.clear()
    environment.tests.clear()
    environment.globals.clear()
    return environment


def _render_absent(value: object) -> object:
    return "" if value is None else value


_ALLOWED = frozenset(
    (
        *("Template", "TemplateData", "Output", "If"),
        *("Name", "Const", "CondExpr", "Compare", "Operand", "Concat", "Not", "And", "Or"),
    )
)
_COMPARISONS = ("eq", "ne")  # the others fail on a missing value
_WORDS = {
    "Assign": "{% set %}",
    "Call": "functions",
    "Filter": "filters",
    "For": "{% for %}",
    "Getattr": "attributes",
    "Getitem": "attributes",
    "Test": "tests",
}


def _check_tree(root: "nodes.Node") -> None:
    pending = [(root, 1, 0)]
    while pending:
        node, line, depth = pending.pop()
        line = node.lineno or line
        refused = _find_refused(node)
        if refused:
            raise TemplateError(f"line {line}: templates of mails do not have {refused}")
        if depth > MAX_DEPTH:
            raise TemplateError(f"line {line}: too deeply nested")
        pending.extend((child, line, depth + 1) for child in node.iter_child_nodes())


def _find_refused(node: "nodes.Node") -> str | None:
    kind = type(node).__name__
    if kind not in _ALLOWED:
        return _WORDS.get(kind, f"this ({kind})")
    if kind == "Operand" and getattr(node, "op", None) not in _COMPARISONS:
        return "this comparison"
    if kind == "Name" and getattr(node, "name", None) == "self":
        return "self"  # the one name that the library itself gives a meaning
    value = getattr(node, "value", None)
    if kind == "Const" and isinstance(value, int) and abs(value) > MAX_NUMBER:
        return "numbers as large as this"
    return None
