"""JSON that engines read differently: its numbers, what is none, what is too large for a reader."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from typing import Any

SEED = 20260601
NUMBERS = [
    *("1001.0", "1001.00", "-5.0", "-0.0", "0.0", "-0", "0", "7.5", "1.50", "10000000.0"),
    *("12345678.0", "-12345678.0", "100000000000.0", "9007199254740991.0", "9007199254740993"),
    *("123456789.5", "1e-7", "1.5e-7", "0.000001", "0.001", "1e3", "1E+3", "1.5e3", "12e0"),
    *("1e15", "1e20", "1e21", "1.25e22", "1e100", "2.3e-308", "1e-400", "2.0e-3"),
    *("168529764999636450.0", "7654640481329076000.0", "8.41e21"),
    *("0e999", "-0.0e400"),
    *("9223372036854775807", "-9223372036854775808", "9223372036854775808", "18446744073709551616"),
    *("123456789012345678901234567890", "1e999", "-1e999", "1.5e400", "NaN", "-Infinity"),
]
HUGE = [
    "9" * 1100,
    "[" * 1100 + "]" * 1100,
    '{"a":' * 1100 + "1" + "}" * 1100,
    json.dumps("x" * 200_000),
    json.dumps('\\"' * 20_000),
]


def bodies(words: Sequence[str]) -> Iterator[str]:
    """What a load takes: words and numbers at a key, bare and inside of others."""
    values: list[Any] = [*words, 1001, 0, True, False, None, [], {}, [1, 2], {"a": 1}, 10**15]
    for value in values:
        yield json.dumps({"key": value})
        yield json.dumps({"inner": {"key": value}, "key": value}, ensure_ascii=False)
    for number in [*NUMBERS, *doubles()]:
        yield f'{{"key":{number}}}'
        yield f'{{"key":"{number}","inner":{{"key":{number}}}}}'
    for number in NUMBERS[:-5]:
        yield f'{{"key":{{"b":{number},"a":"{number}"}},"inner":{{"key":[{number}, {number}]}}}}'
    known = '"key":"1001.0","inner":{"key":1001.0}'
    yield from (f'{{"other":{value},{known}}}' for value in [*NUMBERS, *HUGE, "nan", "-inf", "INF"])
    yield from (
        f"{{{known},{rest}}}" for rest in ("", '"x":1,"x":2', '"x":{"y":1,"y":2}', '"x":[1,]')
    )
    yield from (
        '{"key":"+INF"}',
        '{"key":"\\"NaN\\""}',
        '{"key":"{\\"a\\": 1.0E-7}"}',
        '{"key":"[1.0E-7, NaN,]"}',
        '{"key":"\\ud83d\\ude42","inner":{"key":"a\\\\ud83d"}}',
        '{"key":{"a\\/b":"\\u00e9\\u001f\\u2028"}}',
        '{"key":{"\\ud83d\\ude42":["🙂\\\\uD83D\\\\uDE42\\\\\\ud83d\\ude42", 1.0]}}',
        '{"key":[" \u2028 \u0085 ", 0.000001],"inner":{"key":["🙂"]}}',
        '{"key":1,"inner":3}',
        '{"key":1,"inner":[{"key":2}]}',
        "{}",
        "[]",
        "null",
        '"key"',
        '{"key":""}',
    )


def doubles() -> Iterator[str]:
    chance = random.Random(SEED)
    for _ in range(300):
        yield repr(chance.uniform(-1, 1) * 10 ** chance.randint(-20, 15))
        yield repr(round(chance.uniform(-1, 1) * 10 ** chance.randint(0, 12), chance.randint(0, 4)))


def lists() -> Iterator[str]:
    """What a load takes of Heap: each element has an id."""
    for number in NUMBERS[:-5]:
        yield f'{{"add":[{{"id":{number}}},{{"id":"{number}"}},{{"id":"a"}}]}}'
    for other in HUGE:
        yield f'{{"add":[{{"id":"a","x":{other}}},{{"id":1001.0}}],"y":{other}}}'
    yield from (
        '{"add":[]}',
        '{"add":null}',
        "{}",
        '{"add":[{"id":"x","ID":"y"},{"ID":"b","id":"c"},{"id":" pad "}]}',
        '{"add":[{"id":"\\u0041\\ud83d\\ude42"},{"id":"\\n"}]}',
    )


def topics() -> Iterator[str]:
    """Whatever a text can be."""
    plain = '{"topics":{"a":true,"b":"false"}}'
    yield from (plain[:length] for length in range(len(plain) + 1))
    signs = [*" \n\t\f\v,]}x", "\u00a0", "\ufeff", "\u2028", "\x01"]
    for sign in signs:
        yield from (sign + plain, plain + sign, plain.replace(":", ":" + sign))
        yield plain.replace("topics", f"topics{sign}").replace('"a', f'"{sign}a')
    yield from (f'{{"topics":{{"a":true,"number":{number}}},"c":{number}}}' for number in NUMBERS)
    yield from (f'{{"topics":{{"a":true}},"c":{value}}}' for value in HUGE)
    wrong = [
        "tru",
        "TRUE",
        "01",
        "+1",
        ".5",
        "5.",
        "0x10",
        "nan",
        "-inf",
        "Infinity",
        "'x'",
        "x",
        "",
    ]
    yield from (f'{{"topics":{{"a":true,"b":{value}}}}}' for value in wrong)
    yield from (f'{{"topics":{{"a":true}},"c":{value}}}' for value in wrong)
    yield from (
        "null",
        "3",
        '"x"',
        "[]",
        "[{}]",
        "{}",
        plain.replace('"', "'"),
        plain.replace('"', ""),
        plain + " and more",
        plain + plain,
        f"{plain},{plain}",
        f"{plain},null",
        f"[{plain}]",
        f"// so\n{plain}",
        f"/* so */{plain}",
        plain[:-1] + ",}",
        plain[:-2] + " , }}",
        plain[:-2] + ",,}}",
        '{"topics":{,}}',
        '{"topics":{"a":true},"c":[,]}',
        '{"topics":{"a":true},"c":[1,]}',
        '{"topics":{"a":",}","b":"NaN, nan]"},}',
        '{"topics":{"a":true,"a":false}}',
        '{"topics":{"a":true},"topics":{"b":true}}',
        '{"topics":{"a":true},"c":1,"c":2}',
        '{"topics":[1]}',
        '{"topics":"{\\"a\\":true}"}',
        '{"topics":null}',
        '{"topics":{}}',
        '{"Topics":{"a":true}}',
        '{"topics":{"a":null,"":true,"c":{"x":1.50},"d":[1, 2],"e":"\u0130","f":" T "}}',
        '{"topics":{"\\ud83d\\ude42":true}}',
        '{"topics":{"\\ud83d":true}}',
        '{"topics":{"\\ude42":true}}',
        '{"topics":{"\\\\ud83d":true}}',
        '{"topics":{"a\\qb":true}}',
    )
