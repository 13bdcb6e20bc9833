#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""GCC 12.2 destroys some temporaries of an expression with co_await twice (CONTRIBUTING.md, Traps).

Finds the shapes that double-free: a capturing lambda, or a braces-initialised temporary, in a full expression that
contains co_await; structured bindings of one; co_await in a bare condition, which corrupts the frame of a coroutine
whose body declares no variable; and lambda coroutines.
`coroutines.py --self-test` shows that the lint sees what it is for."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def strip(text):
    """Comments and literals out, line numbers kept."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))
    return re.sub(r'//[^\n]*|/\*.*?\*/|R"\((?:.|\n)*?\)"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'',
                  blank, text, flags=re.S)


def expression_around(text, at):
    """The statement that holds position `at`: from the last ; { or } to the ; that ends it."""
    start = at
    depth = 0
    while start > 0:
        c = text[start - 1]
        if c in ")]":
            depth += 1
        elif c in "([":
            depth -= 1
        elif c in ";{}" and depth <= 0:
            break
        start -= 1
    end = at
    depth = 0
    while end < len(text):
        c = text[end]
        if c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
            if depth < 0:
                break
        elif c == ";" and depth == 0:
            break
        end += 1
    return text[start:end]


def condition_after(text, start):
    """What stands in the parentheses that opened before `start`, behind an init-statement."""
    depth = 1
    for end in range(start, len(text)):
        if text[end] in "([{":
            depth += 1
        elif text[end] in ")]}":
            depth -= 1
            if depth == 0:
                return text[start:end]
        elif text[end] == ";" and depth == 1:
            start = end + 1
    return text[start:]


def faults(text):
    text = strip(text)
    for match in re.finditer(r"\bco_await\b", text):
        line = text.count("\n", 0, match.start()) + 1
        statement = expression_around(text, match.start())
        if re.match(r"\s*(if|while|for|switch)\b", statement):
            # The condition only: the body is another statement.
            condition = statement[statement.index("("):]
            depth = 0
            for i, c in enumerate(condition):
                depth += c == "("
                depth -= c == ")"
                if depth == 0:
                    statement = condition[:i + 1]
                    break
        if re.search(r"auto\s*&{0,2}\s*\[", statement):
            yield line, "structured binding of a co_await"
        if re.search(r"(?<![\w\])])\[[^\]\[]*[&=\w][^\]\[]*\]\s*(\([^()]*\)|mutable|\{)", statement):
            yield line, "capturing lambda in an expression with co_await: name it first"
        after = statement[statement.find("co_await"):]
        if re.search(r"[\w>(,]\s*\{[^}]", after):
            yield line, "braces in an expression with co_await: name the value first"
    for match in re.finditer(r"\b(if|while|switch)\s*\(", text):
        inside = condition_after(text, match.end())
        # A declaration opens a scope of its own: if (auto r = co_await f(); r) is right.
        if re.search(r"\bco_await\b", inside) and not re.match(r"\s*(const\s+)?auto\b[^;]*=", inside):
            line = text.count("\n", 0, match.start()) + 1
            yield line, "co_await in a condition: name the value on the line before"
    for match in re.finditer(r"\]\s*\([^()]*\)\s*(mutable\s*)?->\s*(\w+::)*awaitable<", text):
        line = text.count("\n", 0, match.start()) + 1
        yield line, "lambda coroutine: make it a named function"


BAD = ["co_await publish(Batch{seq, bytes});",
       "co_await publish({seq, 3});",
       "auto r = co_await run([captured]() { return captured; });",
       "auto [a, b] = co_await both();",
       "auto f = [x]() -> asio::awaitable<void> { co_return; };",
       "if (auto r = co_await send(Frame{1, 2}); !r) return;",
       "if (!co_await send(std::move(f))) co_return;",
       "while (co_await more()) ++n;",
       "do ++n; while (co_await more());",
       "switch (co_await kind()) { default: break; }",
       "if (int k = 1; k > 0 && co_await more()) ++n;"]
GOOD = ["Batch batch{seq, bytes}; co_await publish(std::move(batch));",
        "if (auto r = co_await send(std::move(f)); !r) { handle(r, Thing{1}); }",
        "if (auto r = co_await send(f)) { values.push_back(P{1, 2}); }",
        "for (;;) { co_await more(); if (n > 3) co_return; }",
        "co_return P{a, 1};",
        "auto x = co_await items[3].wait();"]


def self_test():
    wrong = [s for s in BAD if not list(faults(s))] + [s for s in GOOD if list(faults(s))]
    for s in wrong:
        print("self-test:", s, list(faults(s)))
    return not wrong


def main():
    good = self_test()
    if "--self-test" not in sys.argv:
        for path in sorted(ROOT.glob("daemon/**/*.[ch]pp")) + sorted(ROOT.glob("tests/**/*.[ch]pp")):
            for line, what in faults(path.read_text(encoding="utf-8")):
                print(f"{path.relative_to(ROOT)}:{line}: {what}")
                good = False
    sys.exit(0 if good else 1)


main()
