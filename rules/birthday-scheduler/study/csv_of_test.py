"""The series of a test that `rulecheck test --export-promtool` wrote, as a CSV table with a row a sample: FILE START STEP."""

import csv
import re
import sys

ITEM = re.compile(r"(-?[\d.e]+?)(?:([+-][\d.]+))?(?:x(\d+))?")


def samples(notation):
    for item in notation.split():
        value, step, times = ITEM.fullmatch(item).groups()
        for count in range(int(times or 0) + 1):
            yield f"{float(value) + float(step or 0) * count:.0f}"


path, start, step = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
text = open(path, encoding="utf-8").read()
series = re.findall(r"- series: '(.*)'\n\s+values: \"(.*)\"", text)
columns = [list(samples(values)) for _, values in series]
table = csv.writer(sys.stdout, lineterminator="\n")
table.writerow(["time"] + [name for name, _ in series])
for place, row in enumerate(zip(*columns)):
    table.writerow([start + place * step, *row])
