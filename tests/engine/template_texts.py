"""Chat templates of the kinds there are, each as short as its kind allows."""

from __future__ import annotations

_TAGGED_CALLS = (
    "{% for c in m.tool_calls or [] %}<tool_call>\n"
    '{"name": "{{ c.function.name }}", "arguments": {{ c.function.arguments | tojson }}}\n'
    "</tool_call>{% endfor %}"
)
_TOOLS = "{% if tools %}<tools>{% for t in tools %}{{ t | tojson }}{% endfor %}</tools>{% endif %}"

HYBRID = (
    "{% if tools or messages[0].role == 'system' %}<|im_start|>system\n"
    "{% if messages[0].role == 'system' %}{{ messages[0].content }}{% endif %}"
    + _TOOLS
    + "<|im_end|>\n{% endif %}"
    "{% set ns = namespace(last=0) %}"
    "{% for m in messages %}{% if m.role == 'user' %}{% set ns.last = loop.index0 %}{% endif %}"
    "{% endfor %}"
    "{% for m in messages %}"
    "{% if m.role == 'tool' %}<|im_start|>user\n<tool_response>{{ m.content }}</tool_response>"
    "<|im_end|>\n"
    "{% elif m.role == 'assistant' %}<|im_start|>assistant\n"
    "{% if m.reasoning_content and loop.index0 > ns.last %}<think>\n{{ m.reasoning_content }}\n"
    "</think>\n\n{% endif %}{{ m.content or '' }}" + _TAGGED_CALLS + "<|im_end|>\n"
    "{% elif not (m.role == 'system' and loop.first) %}<|im_start|>{{ m.role }}\n"
    "{{ m.content }}<|im_end|>\n{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if enable_thinking is defined and not enable_thinking %}<think>\n\n</think>\n\n{% endif %}"
    "{% endif %}"
)
"""Reasons when it is switched on, knows tools; reasoning of earlier turns is dropped."""

STRICT = (
    "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}"
    "{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('roles must alternate') }}{% endif %}"
    "<start>{{ 'model' if m.role == 'assistant' else m.role }}\n{{ m.content | trim }}<end>\n"
    "{% endfor %}{% if add_generation_prompt %}<start>model\n{% endif %}"
)
"""No system messages, no tools, a question and an answer in turn and nothing else."""

PARTS = (
    "{% for m in messages %}[{{ m.role }}]{% for p in m.content %}{{ p.text }}{% endfor %}[/]"
    "{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}"
)
"""Content as a list of parts alone."""

CHANNELS = (
    "<|start|>system<|message|>Reasoning: {{ reasoning_effort | default('medium') }}<|end|>"
    "{% if tools or messages[0].role == 'system' %}<|start|>developer<|message|>"
    "{% if messages[0].role == 'system' %}{{ messages[0].content }}{% endif %}"
    + _TOOLS
    + "<|end|>{% endif %}"
    "{% for m in messages %}{% if m.role == 'assistant' %}"
    "{% if '<|channel|>' in m.content %}{{ raise_exception('tags in the content') }}{% endif %}"
    "{% if 'tool_calls' in m %}"
    "{% if m.thinking and m.content %}{{ raise_exception('one or the other') }}{% endif %}"
    "{% if m.thinking %}<|start|>assistant<|channel|>analysis<|message|>{{ m.thinking }}<|end|>"
    "{% endif %}"
    "<|start|>assistant to=functions.{{ m.tool_calls[0].function.name }}<|channel|>commentary json"
    "<|message|>{{ m.tool_calls[0].function.arguments | tojson }}<|call|>"
    "{% elif loop.last and not add_generation_prompt %}"
    "{% if m.thinking %}<|start|>assistant<|channel|>analysis<|message|>{{ m.thinking }}<|end|>"
    "{% endif %}<|start|>assistant<|channel|>final<|message|>{{ m.content }}<|return|>"
    "{% else %}<|start|>assistant<|channel|>final<|message|>{{ m.content }}<|end|>{% endif %}"
    "{% elif m.role == 'tool' %}<|start|>functions.x to=assistant<|message|>"
    "{{ m.content | tojson }}<|end|>"
    "{% elif m.role == 'user' %}<|start|>user<|message|>{{ m.content }}<|end|>{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}<|start|>assistant{% endif %}"
)
"""An output of parts with headers; one call at a time, a second system message is dropped."""

SHORT_IDS = (
    "{% set asked = messages | selectattr('role', 'equalto', 'user') | list %}"
    "{% for m in messages %}"
    "{% if m.role == 'user' %}{% if tools is not none and m == asked[-1] %}"
    "[TOOLS]{{ tools | tojson }}[/TOOLS]{% endif %}[INST]{{ m.content }}[/INST]"
    "{% elif m.role == 'system' %}[SYS]{{ m.content }}[/SYS]"
    "{% elif m.tool_calls %}[CALLS]{% for c in m.tool_calls %}"
    "{% if c.id | length != 9 %}{{ raise_exception('nine letters') }}{% endif %}"
    "{{ c.function.name }}[ID]{{ c.id }}[ARGS]{{ c.function.arguments | tojson }}{% endfor %}</s>"
    "{% elif m.role == 'tool' %}"
    "{% if m.tool_call_id | length != 9 %}{{ raise_exception('nine letters') }}{% endif %}"
    "[RESULT]{{ m.tool_call_id }}[IS]{{ m.content }}[/RESULT]"
    "{% else %}{{ m.content }}</s>{% endif %}{% endfor %}"
)
"""Names of calls have nine letters; tools stand before the last question."""

ONE_CALL = (
    "{% for m in messages %}{% if m.tool_calls %}"
    "{% if m.tool_calls | length != 1 %}{{ raise_exception('one call at once') }}{% endif %}"
    '<h>assistant</h>{"name": "{{ m.tool_calls[0].function.name }}", "parameters": '
    "{{ m.tool_calls[0].function.arguments | tojson }}}<eot>"
    "{% elif m.role in ('tool', 'ipython') %}<h>ipython</h>{{ m.content | tojson }}<eot>"
    "{% else %}<h>{{ m.role }}</h>{% if loop.first and tools %}{{ tools | tojson }}{% endif %}"
    "{{ m.content }}<eot>{% endif %}{% endfor %}{% if add_generation_prompt %}<h>assistant</h>"
    "{% endif %}"
)
"""Refuses two calls in one message."""

ARGUMENTS_AS_TEXT = (
    "{% for m in messages %}<{{ m.role }}>{% if loop.first and tools %}{{ tools | tojson }}"
    "{% endif %}{% for c in m.tool_calls or [] %}"
    "{{ '<call>' + c.function.name + ' ' + c.function.arguments + '</call>' }}{% endfor %}"
    "{{ m.content }}</{{ m.role }}>{% endfor %}"
)
"""Puts the arguments together as text, as Python would not do with an object."""

VALUES_AS_THEY_ARE = (
    "{% for m in messages %}<{{ m.role }}>{% if loop.first and tools %}{{ tools | tojson }}"
    "{% endif %}{% for c in m.tool_calls or [] %}<function={{ c.function.name }}>"
    "{% for k, v in c.function.arguments.items() %}<p={{ k }}>{{ v }}</p>{% endfor %}</function>"
    "{% endfor %}{{ m.content or '' }}</{{ m.role }}>{% endfor %}"
)
"""Prints values without minding what they are: Python's words for an object nobody reads back."""

BARE_TOOLS = (
    "{% for m in messages %}<{{ m.role }}>{% if loop.first %}{% for t in tools or [] %}"
    "{{ t.name + ' ' + t.description }}{{ t.parameters | tojson }}{% endfor %}{% endif %}"
    "{% for c in m.tool_calls or [] %}{{ c.name + ' ' }}{{ c.arguments | tojson }}{% endfor %}"
    "{% if m.role == 'tool' %}{{ raise_exception('no such role') }}{% endif %}"
    "{{ m.content or '' }}</{{ m.role }}>{% endfor %}"
)
"""Functions without their wrapping, results of the role "function"."""

ALWAYS_REASONS = (
    "{% for m in messages %}"
    "{% if m.role == 'user' %}<U>{{ m.content }}"
    "{% elif m.role == 'assistant' %}<A>{{ m.content.split('</think>')[-1] }}<E>"
    "{% else %}{{ m.content }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<A><think>\n{% endif %}"
)
"""The prompt opens the reasoning; history has none of it, and there is no switch."""

PICKY = (
    "{% if not messages | selectattr('role', 'equalto', 'user') | list %}"
    "{{ raise_exception('No user query found') }}{% endif %}"
    "{% for m in messages %}{% if m.role == 'system' and not loop.first %}"
    "{{ raise_exception('System message must be at the beginning') }}{% endif %}"
    "<{{ m.role }}>{{ m.content }}</{{ m.role }}>{% endfor %}"
)
"""System messages at the front alone, and at least one question."""

EFFORTS_ALONE = (
    "{% if reasoning_effort is not defined %}{% set reasoning_effort = 'no_think' %}"
    "{% elif reasoning_effort not in ['high', 'low', 'no_think'] %}"
    "{{ raise_exception('unknown effort') }}{% endif %}"
    "<effort:{{ reasoning_effort }}>{% for m in messages %}<{{ m.role }}>"
    "{% if m.reasoning_content %}<think>{{ m.reasoning_content }}</think>{% endif %}"
    "{{ m.content }}{% endfor %}{% if add_generation_prompt %}<assistant><think>"
    "{% if reasoning_effort == 'no_think' %}</think>{% endif %}{% endif %}"
)
"""Effort is the switch, and only some are known."""

WORD_SWITCH = (
    "{% set ns = namespace(think=true) %}{% for m in messages %}"
    "{% if '/no_think' in m.content %}{% set ns.think = false %}{% endif %}{% endfor %}"
    "{% for m in messages %}<{{ m.role }}>{{ m.content.replace('/no_think', '').strip() }}"
    "{% endfor %}{% if add_generation_prompt %}<assistant><think>"
    "{% if not ns.think %}</think>{% endif %}{% endif %}"
)
"""Words of the system message switch the reasoning."""

INTRODUCED = (
    "{% for m in messages %}{% if m.role == 'assistant' %}<|begin_assistant|>\n"
    "{% if m.reasoning_content %}{{ m.reasoning_content }}\n[BEGIN ANSWER]\n{% endif %}"
    "{{ m.content }}<|end|>\n{% else %}<|begin_{{ m.role }}|>\n{{ m.content }}\n{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}<|begin_assistant|>\nHere is what I think:\n"
    "{% endif %}"
)
"""Words of the prompt introduce the reasoning, which has no tag of its own."""

ADDRESSED = (
    "{% for m in messages %}{% if m.role == 'assistant' %}"
    "{% if m.reasoning_content %}<|start|>assistant to=self<|message|>{{ m.reasoning_content }}"
    "<|eom|>{% endif %}<|start|>assistant to=user<|message|>{{ m.content }}<|eot|>"
    "{% else %}<|start|>{{ m.role }}<|message|>{{ m.content }}<|eot|>{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant{% endif %}"
)
"""Each part of an output says whom it is for."""

ALL = {
    "hybrid": HYBRID,
    "strict": STRICT,
    "parts": PARTS,
    "channels": CHANNELS,
    "short_ids": SHORT_IDS,
    "one_call": ONE_CALL,
    "arguments_as_text": ARGUMENTS_AS_TEXT,
    "values_as_they_are": VALUES_AS_THEY_ARE,
    "bare_tools": BARE_TOOLS,
    "always_reasons": ALWAYS_REASONS,
    "picky": PICKY,
    "efforts_alone": EFFORTS_ALONE,
    "word_switch": WORD_SWITCH,
    "introduced": INTRODUCED,
    "addressed": ADDRESSED,
}
