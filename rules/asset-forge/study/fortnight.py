#!/usr/bin/env python3
"""Makes fortnight.csv.gz: two weeks of generations, 30 an hour, more by day than by night, of which 4% fail, and three incidents.

    python3 fortnight.py | gzip -9n > fortnight.csv.gz
"""

import math
import random

CHANCE = random.Random(5)
START = 1769385600  # 2026-01-26T00:00:00Z, a Monday
DAY, HOUR = 86400, 3600
# Beginning, length, the share that fails; incidents.yml has the same times.
INCIDENTS = [(2 * DAY + 10 * HOUR, 2 * HOUR, 1.0), (6 * DAY + 2 * HOUR, 3 * HOUR, 0.6), (10 * DAY + 15 * HOUR, 6 * HOUR, 0.25)]
HEADS = [
    'asset_generations_total{status="success",type="character"}',
    'asset_generations_total{status="failure",type="character"}',
    'asset_generation_errors_total{error_type="provider",type="character"}',
]

print("time," + ",".join('"' + head.replace('"', '""') + '"' for head in HEADS))
succeeded, failed = 5000, 200
for second in range(0, 14 * DAY + 1, 60):
    print(f"{START + second},{succeeded},{failed},{failed}")
    a_minute = 0.5 * (1 + 0.5 * math.cos(2 * math.pi * (second / DAY - 14 / 24)))
    share = next((s for at, length, s in INCIDENTS if at <= second < at + length), 0.04)
    # At most one a minute: as good as chance at this rate.
    if CHANCE.random() < a_minute:
        if CHANCE.random() < share:
            failed += 1
        else:
            succeeded += 1
