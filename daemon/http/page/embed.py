#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes assets.cpp: the status page in one piece, and the OpenAPI document.

usage: embed.py VERSION PAGE_FOLDER OPENAPI_JSON OUTPUT_CPP

The style, the script and the table of labels are put into the page, and the page's Content-Security-Policy names their
hashes, so that nothing else can run in it."""
import base64
import hashlib
import json
import pathlib
import sys


def source_of(kind, text):
    return f"'{kind}-" + base64.b64encode(hashlib.new(kind, text.encode()).digest()).decode() + "'"


def literal(text):
    """A C++ string literal, in lines of at most 96 bytes."""
    data = text.encode()
    lines = []
    for at in range(0, len(data), 24):
        lines.append('    "' + "".join(f"\\{byte:03o}" for byte in data[at:at + 24]) + '"')
    return "\n".join(lines) or '    ""'


def asset(name, text):
    tag = '\\"' + hashlib.sha256(text.encode()).hexdigest()[:16] + '\\"'
    return (f"constexpr char {name}Text[] =\n{literal(text)};\n"
            f"const Asset {name}{{std::string_view({name}Text, sizeof {name}Text - 1), \"{tag}\"}};\n")


def main():
    version, folder, openapi, output = sys.argv[1:]
    folder = pathlib.Path(folder)

    def read(name):
        return (folder / name).read_text(encoding="utf-8")

    labels = json.dumps(json.loads(read("labels.json")), ensure_ascii=False, separators=(",", ":"))
    style = read("page.css")
    script = read("page.js").replace("@LABELS@", labels)
    page = read("index.html").replace("@STYLE@", style).replace("@SCRIPT@", script).replace("@VERSION@", version)
    if "</script" in script.lower() or page.count("@STYLE@") or page.count("@SCRIPT@"):
        sys.exit("embed.py: a file of page/ cannot be put into the page")
    policy = ("default-src 'self'; script-src " + source_of("sha256", script) + "; style-src " +
              source_of("sha256", style) + "; img-src 'self' data:; base-uri 'none'; form-action 'none'; "
              "frame-ancestors 'none'")
    document = json.loads(pathlib.Path(openapi).read_text(encoding="utf-8"))
    document["info"]["version"] = version
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n"
    pathlib.Path(output).write_text(
        "// Made by daemon/http/page/embed.py.\n"
        '#include "http/assets.hpp"\n\n'
        "namespace gerbang::http {\n\n" + asset("kStatusPage", page) + asset("kOpenApi", text) +
        f'const std::string_view kPagePolicy = "{policy}";\n\n'
        "}  // namespace gerbang::http\n", encoding="utf-8")


main()
