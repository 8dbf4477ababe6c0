#!/usr/bin/env python3
"""A week of the API's requests, a sample a minute: `make.py | gzip -9n > week.om.gz`.

From Monday 2026-03-02 00:00 UTC on. Traffic goes from 20 a second at noon to one at night, one request in 300 fails by chance. A
deploy a day fails many for some seconds, one of them across two scrapes. Incidents are in incidents.yml.
"""

import math
import random

CHANCE = random.Random(3)
BEGIN, MINUTES = 1772409600, 7 * 24 * 60
DAY = 24 * 60
# Minutes since the beginning: share of failures.
DEPLOYS = {613: 0.3, DAY + 941: 0.55, 2 * DAY + 546: 0.25, 2 * DAY + 547: 0.2, 3 * DAY + 694: 0.4, 4 * DAY + 843: 0.6}
INCIDENTS = [(DAY + 600, 25, 0.08), (3 * DAY + 960, 120, 0.035), (5 * DAY + 1380, 14, 1.0)]


def share(minute):
    for begin, length, bad in INCIDENTS:
        if begin < minute <= begin + length:
            return bad
    return DEPLOYS.get(minute, 1 / 300)


def whole(mean):
    """So many things by chance: Poisson's, for which a normal one does where they are many."""
    if mean > 50:
        return max(0, round(CHANCE.gauss(mean, math.sqrt(mean))))
    limit, n, product = math.exp(-mean), 0, CHANCE.random()
    while product > limit:
        n, product = n + 1, product * CHANCE.random()
    return n


good, bad, lines = 250000, 900, {"200": [], "500": []}
for minute in range(MINUTES + 1):
    requests = 600 * (1 - 0.9 * math.cos(2 * math.pi * minute / DAY))
    good += whole(requests * (1 - share(minute)))
    bad += whole(requests * share(minute))
    lines["200"].append((good, BEGIN + 60 * minute))
    lines["500"].append((bad, BEGIN + 60 * minute))
print("# TYPE http_requests counter")
for status, values in lines.items():
    for value, time in values:
        print(f'http_requests_total{{job="rce-api",instance="api:4000",status="{status}"}} {value} {time}')
print("# EOF")
