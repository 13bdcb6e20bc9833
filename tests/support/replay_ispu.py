#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""replay_ispu.py LOG [GERBANGCTL]: compares the category of each row of an hourly log of the ministry's stations (columns
pm2_5_ug_m3, pm2_5_category 1 … 5) with what `gerbangctl evaluate ispu` says of the same mean. The log is not part of the project."""
import csv
import json
import subprocess
import sys

log = sys.argv[1]
ctl = sys.argv[2] if len(sys.argv) > 2 else "build/dev/bin/gerbangctl"
known, rows, wrong = {}, 0, 0
for row in csv.DictReader(open(log, encoding="utf-8")):
    if not row["pm2_5_ug_m3"] or not row["pm2_5_category"]:
        continue
    mean = row["pm2_5_ug_m3"]
    if mean not in known:
        done = subprocess.run([ctl, "evaluate", "ispu", f"pm2_5={mean}", "--json"], capture_output=True, text=True,
                              check=True)
        known[mean] = json.loads(done.stdout)["category_number"]
    rows += 1
    if known[mean] != float(row["pm2_5_category"]):
        wrong += 1
        print(f"{row['station']} {row['time_utc']}: {mean} is category {known[mean]}, the ministry says {row['pm2_5_category']}")
print(f"{rows} rows, {wrong} differ")
sys.exit(1 if wrong or not rows else 0)
