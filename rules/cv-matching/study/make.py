#!/usr/bin/env python3
"""A week of calls to two AI providers, a sample a minute: `make.py | gzip -9n > week.om.gz`.

From Monday 2026-03-09 00:00 UTC on. Calls follow the working day; one in 250 is refused or fails by chance. At busy hours a
provider's quota is used up for a minute to three, and retries get through: nobody needs to know. Outages are in incidents.yml.
"""

import math
import random

CHANCE = random.Random(17)
BEGIN, DAY = 1773014400, 24 * 60
MINUTES = 7 * DAY
# Provider, minute, how long, share of calls refused or failed.
BURSTS = [("openai", day * DAY + CHANCE.randrange(9 * 60, 17 * 60), CHANCE.choice([1, 2, 2, 3]), CHANCE.uniform(0.08, 0.3))
          for day in range(5) for _ in range(3)]
OUTAGES = [
    ("openai", DAY + 611, 25, 0.6),
    ("cohere", 3 * DAY + 845, 50, 0.14),
    ("openai", 5 * DAY + 1300, 12, 1.0),
    ("cohere", 4 * DAY + 560, 16, 0.3),
]


def share(provider, minute):
    for who, begin, length, bad in OUTAGES + BURSTS:
        if who == provider and begin < minute <= begin + length:
            return bad
    return 0.004


def whole(mean):
    """So many things by chance: Poisson's, for which a normal one does where they are many."""
    if mean > 50:
        return max(0, round(CHANCE.gauss(mean, math.sqrt(mean))))
    limit, n, product = math.exp(-mean), 0, CHANCE.random()
    while product > limit:
        n, product = n + 1, product * CHANCE.random()
    return n


print("# TYPE ai_requests counter")
for provider, rate in (("openai", 60), ("cohere", 20)):
    counts, rows = {"200": 9000, "429": 40}, {"200": [], "429": []}
    for minute in range(MINUTES + 1):
        weekend = minute // DAY % 7 >= 5
        mean = rate * (0.15 if weekend else 1 - 0.9 * math.cos(2 * math.pi * minute / DAY))
        bad = share(provider, minute)
        counts["429"] += whole(mean * bad)
        counts["200"] += round(mean * (1 - bad))
        for status in rows:
            rows[status].append((counts[status], BEGIN + 60 * minute))
    for status, values in rows.items():
        for value, time in values:
            print(f'ai_requests_total{{job="cv-job-matching",provider="{provider}",status="{status}"}} {value} {time}')
# What the other rules want to see, as rarely as they do.
for name in ('http_requests_total{job="cv-job-matching",route="/match",status="200"}', 'dlq_messages{job="cv-job-matching",queue="match"}',
             'http_request_duration_seconds_bucket{job="cv-job-matching",route="/match",le="0.25"}'):
    for minute in range(0, MINUTES + 1, 4):
        print(name, 3, BEGIN + 60 * minute)
for minute in range(0, MINUTES + 1, 720):
    print('jobs_enqueued_total{job="cv-job-matching",type="match"}', 3, BEGIN + 60 * minute)
print("# EOF")
