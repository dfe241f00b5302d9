"""Chat templates that differ in how they write calls, each as short as its kind allows."""

from __future__ import annotations

_EACH = "{% for c in m.tool_calls %}"
_ARGS = "{{ c.function.arguments | tojson }}"
_NAME = "{{ c.function.name }}"
_OBJECT = '{"name": "' + _NAME + '", "arguments": ' + _ARGS + "}"
_COMMA = "{% if not loop.last %}, {% endif %}"
_PAIRS = "{% for k, v in c.function.arguments.items() %}"
_VALUE = "{{ v if v is string else v | tojson }}"


def template(calls: str, *, answer: str = "{{ m.content }}", opening: str = "") -> str:
    """A template with `calls` behind an assistant's content."""
    return (
        "{% for m in messages %}"
        "{% if m.role == 'assistant' %}<|assistant|>"
        + (answer + "{% if m.tool_calls %}" + calls + "{% endif %}")
        + "<|end_of_turn|>\n{% else %}<|{{ m.role }}|>{{ m.content }}<|end_of_turn|>\n{% endif %}"
        "{% endfor %}{% if add_generation_prompt %}<|assistant|>" + opening + "{% endif %}"
    )


TEMPLATES = {
    "hermes": template(_EACH + "\n<tool_call>\n" + _OBJECT + "\n</tool_call>{% endfor %}"),
    "llama": template(
        "{% set c = m.tool_calls[0] %}" + '{"name": "' + _NAME + '", "parameters": ' + _ARGS + "}",
        answer="{% if not m.tool_calls %}{{ m.content }}{% endif %}",
    ),
    "list": template("<CALLS>[" + _EACH + _OBJECT + _COMMA + "{% endfor %}]</CALLS>"),
    "words_before": template(
        "\nAction: ```json\n["
        + _EACH
        + '{"tool_name": "'
        + _NAME
        + '", "parameters": '
        + _ARGS
        + "}"
        + _COMMA
        + "{% endfor %}]\n```"
    ),
    "numbered": template(
        "<|START_ACTION|>["
        + _EACH
        + '\n  {"tool_call_id": "{{ loop.index0 }}", "tool_name": "'
        + _NAME
        + '", "parameters": '
        + _ARGS
        + "}{% if not loop.last %},{% endif %}{% endfor %}\n"
        "]<|END_ACTION|>",
        answer="{% if not m.tool_calls %}<|START_RESPONSE|>{{ m.content }}<|END_RESPONSE|>"
        "{% endif %}",
    ),
    "by_name": template(
        "<|tools|>["
        + _EACH
        + '{"'
        + _NAME
        + '": '
        + _ARGS
        + "}"
        + _COMMA
        + "{% endfor %}]<|/tools|>"
    ),
    "wrapped": template(
        _EACH
        + '<call>{"id": "{{ c.id }}", "type": "function", "function": '
        + _OBJECT
        + "}</call>{% endfor %}"
    ),
    "id_last": template(
        "[TOOL_CALLS]["
        + _EACH
        + '{"name": "'
        + _NAME
        + '", "arguments": '
        + _ARGS
        + ', "id": "{{ c.id }}"}'
        + _COMMA
        + "{% endfor %}]"
    ),
    "quoted": template(
        _EACH
        + '<call>{"name": "'
        + _NAME
        + '", "arguments": {{ c.function.arguments | tojson | tojson }}}</call>{% endfor %}'
    ),
    "named": template(_EACH + "[TOOL_CALLS]" + _NAME + "[ARGS]" + _ARGS + "{% endfor %}"),
    "named_id": template(
        _EACH + "[TOOL_CALLS]" + _NAME + "[CALL_ID]{{ c.id }}[ARGS]" + _ARGS + "{% endfor %}"
    ),
    "named_number": template(
        "<|calls|>"
        + _EACH
        + "<|call|>functions."
        + _NAME
        + ":{{ loop.index0 }}<|args|>"
        + _ARGS
        + "<|/call|>{% endfor %}<|/calls|>"
    ),
    "named_fence": template(
        "<｜calls｜>"
        + _EACH
        + "<｜call｜>function<｜sep｜>"
        + _NAME
        + "\n```json\n"
        + _ARGS
        + "\n```<｜/call｜>{% if not loop.last %}\n{% endif %}{% endfor %}<｜/calls｜>"
    ),
    "named_id_first": template(
        "<|calls|>"
        + _EACH
        + "<|call|>{{ c.id }}<|name|>"
        + _NAME
        + "<|args|>"
        + _ARGS
        + "<|/call|>{% endfor %}"
    ),
    "named_tag": template(_EACH + "<function=" + _NAME + ">" + _ARGS + "</function>{% endfor %}"),
    "recipient": template(
        _EACH + ">>>" + _NAME + "\n" + _ARGS + "{% endfor %}",
        answer="{% if m.content %}>>>all\n{{ m.content }}{% endif %}",
        opening=">>>",
    ),
    "tagged": template(
        _EACH
        + "\n<tool_call>\n<function="
        + _NAME
        + ">\n"
        + _PAIRS
        + "<parameter={{ k }}>\n"
        + _VALUE
        + "\n</parameter>\n{% endfor %}"
        "</function>\n</tool_call>{% endfor %}"
    ),
    "tagged_python": template(
        _EACH
        + "\n<tool_call>\n<function="
        + _NAME
        + ">\n"
        + _PAIRS
        + "<parameter={{ k }}>\n{{ v | tojson if v is mapping or (v is sequence and v is not "
        "string) else v | string }}\n</parameter>\n{% endfor %}</function>\n</tool_call>"
        "{% endfor %}"
    ),
    "tagged_pairs": template(
        _EACH
        + "<tool_call>"
        + _NAME
        + "\n"
        + _PAIRS
        + "<arg_key>{{ k }}</arg_key>\n<arg_value>"
        + _VALUE
        + "</arg_value>\n{% endfor %}"
        "</tool_call>\n{% endfor %}"
    ),
    "tagged_section": template(
        "\n<ns:calls>\n"
        + _EACH
        + '<invoke name="'
        + _NAME
        + '">\n'
        + _PAIRS
        + '<parameter name="{{ k }}">'
        + _VALUE
        + "</parameter>\n{% endfor %}</invoke>\n"
        "{% endfor %}</ns:calls>"
    ),
    "tagged_types": template(
        "\n\n<｜M｜calls>\n"
        + _EACH
        + '<｜M｜invoke name="'
        + _NAME
        + '">\n'
        + _PAIRS
        + "<｜M｜parameter name=\"{{ k }}\" string=\"{{ 'true' if v is string else 'false' }}\">"
        + _VALUE
        + "</｜M｜parameter>\n{% endfor %}</｜M｜invoke>\n{% endfor %}</｜M｜calls>"
    ),
    "tagged_tokens": template(
        "<|open|>tools<|sep|>"
        + _EACH
        + '<|open|>call tool="'
        + _NAME
        + '" index="{{ loop.index }}"<|sep|>'
        + _PAIRS
        + '<|open|>argument key="{{ k }}" type="'
        "{% if v is boolean %}boolean{% elif v is none %}null{% elif v is number %}number"
        "{% elif v is string %}string{% elif v is mapping %}object{% else %}array{% endif %}"
        '"<|sep|>' + _VALUE + "<|close|>argument<|sep|>{% endfor %}<|close|>call<|sep|>{% endfor %}"
        "<|close|>tools<|sep|>",
        answer="<|open|>response<|sep|>{{ m.content }}<|close|>response<|sep|>",
    ),
    "tagged_cdata": template(
        _EACH + '<function name="' + _NAME + '">' + _PAIRS + '<param name="{{ k }}">'
        "{% if v is string and ('<' in v or '&' in v or '\\n' in v) %}<![CDATA[{{ v }}]]>"
        "{% else %}{{ v }}{% endif %}</param>{% endfor %}</function>{% endfor %}"
    ),
    "tagged_keys": (
        "{% macro xml(v) %}{% if v is mapping %}{% for k, w in v.items() %}"
        "]<]m[>[<{{ k }}>{{ xml(w) }}]<]m[>[</{{ k }}>{% endfor %}"
        "{% elif v is string %}{{ v }}{% elif v is iterable %}{% for w in v %}"
        "]<]m[>[<item>{{ xml(w) }}]<]m[>[</item>{% endfor %}{% else %}{{ v | tojson }}{% endif %}"
        "{% endmacro %}"
        + template(
            "]<]m[>[<tool_call>\n" + _EACH + ']<]m[>[<invoke name="' + _NAME + '">'
            "{{ xml(c.function.arguments) }}]<]m[>[</invoke>\n{% endfor %}]<]m[>[</tool_call>"
        )
    ),
    "pythonic": template(
        "<|tool_call_start|>["
        + _EACH
        + _NAME
        + "("
        + _PAIRS
        + "{{ k }}={% if v is string %}'{{ v }}'{% elif v is mapping %}{{ v | tojson }}"
        "{% else %}{{ v }}{% endif %}"
        + _COMMA
        + "{% endfor %})"
        + _COMMA
        + "{% endfor %}]<|tool_call_end|>"
    ),
    "gemma": (
        '{% macro say(v) %}{% if v is string %}<|"|>{{ v }}<|"|>{% elif v is mapping %}'
        "{{ '{' }}{% for k, w in v.items() %}{{ k }}:{{ say(w) }}"
        "{% if not loop.last %},{% endif %}{% endfor %}{{ '}' }}"
        "{% elif v is boolean %}{{ 'true' if v else 'false' }}{% elif v is sequence %}["
        "{% for w in v %}{{ say(w) }}{% if not loop.last %},{% endif %}{% endfor %}]"
        "{% else %}{{ v }}{% endif %}{% endmacro %}"
        + template(
            _EACH
            + "<|tool_call>call:"
            + _NAME
            + "{{ say(c.function.arguments) }}<tool_call|>{% endfor %}"
        )
    ),
    "channels": (
        "{% for m in messages %}{% if m.role == 'assistant' %}{% if m.tool_calls %}"
        "{% set c = m.tool_calls[0] %}<|start|>assistant to=functions."
        + _NAME
        + "<|channel|>commentary json<|message|>"
        + _ARGS
        + "<|call|>"
        "{% else %}<|start|>assistant<|channel|>final<|message|>{{ m.content }}<|end|>{% endif %}"
        "{% else %}<|start|>{{ m.role }}<|message|>{{ m.content }}<|end|>{% endif %}{% endfor %}"
        "{% if add_generation_prompt %}<|start|>assistant{% endif %}"
    ),
    "addressed": (
        "{% for m in messages %}{% if m.role == 'assistant' %}{% if m.tool_calls %}"
        + _EACH
        + "<|start|>assistant to="
        + _NAME
        + '<|message|><a:calls>\n<a:invoke name="'
        + _NAME
        + '">\n'
        + _PAIRS
        + '<a:parameter name="{{ k }}">'
        + _VALUE
        + "</a:parameter>\n{% endfor %}"
        "</a:invoke>\n</a:calls>{% if loop.last %}<|eot|>{% else %}<|eom|>{% endif %}{% endfor %}"
        "{% else %}<|start|>assistant to=user<|message|>{{ m.content }}<|eot|>{% endif %}"
        "{% else %}<|start|>{{ m.role }}<|message|>{{ m.content }}<|eot|>{% endif %}{% endfor %}"
        "{% if add_generation_prompt %}<|start|>assistant{% endif %}"
    ),
    "named_messages": (
        "{% for m in messages %}<|begin|>{{ m.role }}{% if m.content %}<|content|>{{ m.content }}"
        "<|end|>{% endif %}{% if m.tool_calls %}{% if m.content %}<|begin|>assistant{% endif %}"
        "<|tool_calls|>"
        + _EACH
        + "<|call|>{{ c.id }}<|name|>"
        + _NAME
        + "<|args|>"
        + _ARGS
        + "<|/call|>{% endfor %}<|calls|>{% endif %}{% endfor %}"
        "{% if add_generation_prompt %}<|begin|>assistant{% endif %}"
    ),
    "message_of_its_own": (
        "{% for m in messages %}{{ m.role }}<|sep|>\n{{ m.content }}<|over|>\n\n"
        "{% if m.tool_calls %}"
        + _EACH
        + "function call<|sep|>\n"
        + _OBJECT
        + "<|over|>\n\n{% endfor %}{% endif %}{% endfor %}"
        "{% if add_generation_prompt %}assistant<|sep|>\n{% endif %}"
    ),
    "untaught": template(""),
}
"""By what is special about them. "untaught" writes no calls at all."""

ONE_CALL = frozenset({"llama", "channels"})
"""Those that write the first call of several alone."""
