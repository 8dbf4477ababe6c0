#!/usr/bin/env python3
"""An hour of the RCE API as a Prometheus would have recorded it, one scrape a minute: `make.py | gzip -9n > mongo-slow.om.gz`.

Requests and jobs come one by one, by chance; histograms are filled by what each took. The counters are kept in Redis, as the
document says, so they outlive the API. README.md says what happens when. Only Python's standard library is needed.
"""

import math
import random

CHANCE = random.Random(11)
BEGIN = 1772442007.421  # 2026-03-02T09:00:07.421Z
BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
counters, samples = {}, {}


def add(name, value=1, **labels):
    key = (name, *sorted(labels.items()))
    counters[key] = counters.get(key, 0) + value


def observe(name, seconds, **labels):
    for bound in BUCKETS:
        add(name + "_bucket", int(seconds <= bound), le=str(float(bound)), **labels)
    add(name + "_bucket", le="+Inf", **labels)
    add(name + "_count", **labels)
    add(name + "_sum", seconds, **labels)


def keep(key, job, instance, value, time):
    name, *labels = key
    text = ",".join(f'{k}="{v}"' for k, v in sorted([*labels, ("instance", instance), ("job", job)]))
    samples.setdefault(f"{name}{{{text}}}", []).append((value, time))


def second(minute):
    """What happens in one second."""
    slow = 20 <= minute < 36
    for _ in range(poisson(12)):
        job = CHANCE.random() < 0.3
        route, method = ("/run", "POST") if job else ("/jobs", "GET")
        failed = CHANCE.random() < (0.07 if slow else 0.002)
        status = CHANCE.choice(["500", "503"]) if failed else "404" if CHANCE.random() < 0.03 else "200"
        add("http_requests_total", route=route, method=method, status=status)
        observe("http_request_duration_seconds", math.exp(CHANCE.gauss(math.log(0.4 if slow else 0.08), 0.7)), route=route, method=method)
    for _ in range(poisson(2)):
        add("jobs_processed_total", queue="run")
        if CHANCE.random() < (0.25 if slow else 0.004):
            add("jobs_failed_total", queue="run")


def poisson(mean):
    limit, n, product = math.exp(-mean), 0, CHANCE.random()
    while product > limit:
        n, product = n + 1, product * CHANCE.random()
    return n


def main():
    API, MONGO, REDIS = ("rce-api", "api:4000"), ("mongodb", "mongodb-exporter:9216"), ("redis", "redis-exporter:9121")
    gone = False
    for minute in range(61):
        time = round(BEGIN + 60 * minute + CHANCE.choice([0, 0, 0, 0.001, 0.004]), 3)
        down = 37 <= minute < 38  # a restart, by hand
        keep(("up",), *API, int(not down), time)
        for key, value in counters.items():
            if not down:
                keep(key, *API, value, time)
            elif not gone:
                keep(key, *API, "NaN", time)
        gone = down
        if not down:
            keep(("ws_connections", ("room", "editor")), *API, 40 + minute % 7, time)
        keep(("up",), *MONGO, 1, time)
        keep(("mongodb_up",), *MONGO, int(minute not in (34, 35, 36)), time)
        exporter = not 45 <= minute < 51
        keep(("up",), *REDIS, int(exporter), time)
        if exporter:
            keep(("redis_up",), *REDIS, 1, time)
        elif minute == 45:
            keep(("redis_up",), *REDIS, "NaN", time)
        for _ in range(60):
            second(minute)
    for series in sorted(samples):
        for value, time in samples[series]:
            print(series, f"{value:.6f}".rstrip("0").rstrip(".") if isinstance(value, float) else value, f"{time:.3f}")
    print("# EOF")


main()
