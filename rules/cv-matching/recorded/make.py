#!/usr/bin/env python3
"""An hour of the CV matcher as a Prometheus 2.53 would have recorded it: `make.py | gzip -9n > provider-outage.om.gz`.

One scrape a minute. Requests, jobs and calls come one by one, by chance; histograms are filled by what each took, `le` is written as
Go's client library does. README.md says what happens when. Only Python's standard library is needed.
"""

import math
import random

CHANCE = random.Random(5)
BEGIN = 1773136812.318  # 2026-03-10T10:00:12.318Z
HTTP = ["0.05", "0.1", "0.25", "0.5", "1", "2", "5"]
AI = ["0.5", "1", "2", "5", "10", "30", "60"]
counters, samples = {}, {}


def add(name, value=1, **labels):
    key = (name, *sorted(labels.items()))
    counters[key] = counters.get(key, 0) + value


def observe(name, seconds, bounds, **labels):
    for bound in bounds:
        add(name + "_bucket", int(seconds <= float(bound)), le=bound, **labels)
    add(name + "_bucket", le="+Inf", **labels)
    add(name + "_count", **labels)
    add(name + "_sum", seconds, **labels)


def keep(key, value, time):
    name, *labels = key
    text = ",".join(f'{k}="{v}"' for k, v in sorted([*labels, ("instance", "cv:8080"), ("job", "cv-job-matching")]))
    samples.setdefault(f"{name}{{{text}}}", []).append((value, time))


def around(median, spread):
    return math.exp(CHANCE.gauss(math.log(median), spread))


def call(minute):
    """A call to openai: refused, answered, or given up after 30s. Tells whether it helped."""
    labels = {"provider": "openai", "operation": "rank"}
    refused = CHANCE.random() < (0.35 if 20 <= minute < 32 else 0.004)
    hangs = 26 <= minute < 36 and CHANCE.random() < 0.2
    status = "timeout" if hangs else CHANCE.choice(["429", "503"]) if refused else "200"
    add("ai_requests_total", status=status, **labels)
    observe("ai_request_duration_seconds", 30 + CHANCE.random() if hangs else 0.1 if refused else around(2, 0.6), AI, **labels)
    return status == "200"


def second(minute):
    for _ in range(poisson(5)):
        failed = CHANCE.random() < 0.001
        add("http_requests_total", route="/match", method="POST", status="502" if failed else "200")
        observe("http_request_duration_seconds", around(0.06, 0.67), HTTP, route="/match", method="POST")
    for _ in range(poisson(0.5)):
        add("jobs_enqueued_total", type="match")
        if any(call(minute) for _ in range(2)):
            add("jobs_completed_total", type="match")
        else:
            add("jobs_failed_total", type="match")


def poisson(mean):
    limit, n, product = math.exp(-mean), 0, CHANCE.random()
    while product > limit:
        n, product = n + 1, product * CHANCE.random()
    return n


dead = 3
counters[("jobs_failed_total", ("type", "match"))] = 0
for minute in range(61):
    time = round(BEGIN + 60 * minute + CHANCE.choice([0, 0, 0, 0.001, 0.003]), 3)
    down = minute in (44, 45)  # a deploy
    keep(("up",), int(not down), time)
    dead += {29: 1, 33: 2}.get(minute, 0)
    for key, value in [*counters.items(), (("dlq_messages", ("queue", "match")), dead)]:
        if not down:
            keep(key, value, time)
        elif minute == 44:
            keep(key, "NaN", time)
    if minute == 44:
        counters.clear()
    for _ in range(60 if not down else 0):
        second(minute)
for series in sorted(samples):
    for value, time in samples[series]:
        print(series, f"{value:.6f}".rstrip("0").rstrip(".") if isinstance(value, float) else value, f"{time:.3f}")
print("# EOF")
