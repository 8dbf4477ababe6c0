#!/usr/bin/env python3
"""Makes synthetic.csv.gz: a day of synthetic failures, for each alert some that it must tell of and some just below.

    python3 synthetic.py | gzip -9n > synthetic.csv.gz

Nothing is left to chance. README.md has the table of the failures; the files of incidents beside this one name those that must be told.
"""

import math
from itertools import accumulate, pairwise

START = 1770076800  # 2026-02-03T00:00:00Z
STEP, HOUR, MINUTE = 30, 3600, 60
WORKER = 'env="production",service="etl-worker"'
BOUNDS = [5, 10, 20, 30, 60, 120]


def at(second, table, otherwise):
    """What is in force: rows of hour, minutes and a value."""
    return next((value for hour, minutes, value in table if hour * HOUR <= second < hour * HOUR + minutes * MINUTE), otherwise)


# The share of production's snapshots that fail, then staging's.
FAILING = [(1, 20, 0.005), (2, 20, 0.009), (3, 20, 0.012), (4, 20, 0.03)]
STAGING = [(22, 30, 1.0)]
# Jobs that wait; the last is a burst that is worked off in five minutes.
WAITING = [(6, 20, 450), (7, 20, 550), (8, 20, 1000), (9, 5, 2000)]
# Connections, of 100.
CONNECTED = [(10, 10, 85), (10.5, 10, 89), (11, 10, 92), (11.5, 10, 98)]
# The 95th percentile of the processing time; the median is a quarter of it.
SLOW = [(13, 20, 25), (14, 20, 28), (15, 20, 34), (16, 20, 50)]
# When a worker is restarted, in minutes: a deploy that has to be repeated, three crashes, four, and a loop in back-off.
RESTARTS = [18 * 60 + m for m in (1, 6)] + [19 * 60 + m for m in (1, 4, 7)] + [20 * 60 + m for m in (1, 3, 5, 7)]
RESTARTS += [21 * 60 + m for m in (0, 0.5, 1.5, 3.5, 7.5)] + [21 * 60 + 12.5 + 5 * n for n in range(10)]


def share_below(bound, p95):
    """Of a log-normal time with that 95th percentile and a quarter of it as median."""
    deviation = math.log(4) / 1.6449
    return 0.5 * (1 + math.erf((math.log(bound / (p95 / 4)) / deviation) / math.sqrt(2)))


processed = {"production": [900000.0, 900.0], "staging": [9000.0, 9.0]}
# Whole observations in each bucket alone, so that no bucket can count more than a larger one.
alone = [100000.0] + [0.0] * len(BOUNDS)
columns = []
for env in processed:
    for result in ("success", "failed"):
        columns.append(f'starforge_etl_snapshots_processed_total{{env="{env}",service="etl-worker",result="{result}"}}')
    columns.append(f'starforge_etl_snapshots_failed_total{{env="{env}",service="etl-worker",error_type="DB_ERROR"}}')
for bound in [f"{bound}.0" for bound in BOUNDS] + ["+Inf"]:
    columns.append(f'starforge_etl_processing_duration_seconds_bucket{{{WORKER},le="{bound}"}}')
for name in ("starforge_queue_jobs_waiting_total", "starforge_queue_jobs_waiting"):
    columns.append(f'{name}{{env="production",queue_name="snapshots"}}')
for state in ("active", "idle"):
    columns.append(f'pg_stat_activity_count{{instance="db-1:9187",datname="starforge",state="{state}"}}')
columns.append('pg_settings_max_connections{instance="db-1:9187",server="db-1:5432"}')
columns.append('kube_pod_container_status_restarts_total{job="kube-state-metrics",namespace="starforge",pod="etl-worker-0",container="worker"}')

print("time," + ",".join('"' + column.replace('"', '""') + '"' for column in columns))
for second in range(0, 24 * HOUR + 1, STEP):
    row = [START + second]
    for env in processed:
        row += [int(processed[env][0] + 1e-6), int(processed[env][1] + 1e-6), int(processed[env][1] + 1e-6)]
    row += accumulate(int(count + 1e-6) for count in alone)
    waiting = at(second, WAITING, 40)
    connected = at(second, CONNECTED, 50)
    restarts = 7 + sum(minute * MINUTE <= second for minute in RESTARTS)
    print(",".join(map(str, row + [waiting, waiting, connected - 30, 30, 100, restarts])))
    for env, rate, failing in (("production", 10, at(second, FAILING, 0.001)), ("staging", 0.2, at(second, STAGING, 0.001))):
        processed[env][0] += rate * STEP * (1 - failing)
        processed[env][1] += rate * STEP * failing
    p95 = at(second, SLOW, 12)
    below = [0] + [share_below(bound, p95) for bound in BOUNDS] + [1]
    for i, (least, most) in enumerate(pairwise(below)):
        alone[i] += 10 * STEP * (most - least)
