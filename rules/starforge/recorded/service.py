#!/usr/bin/env python3
"""A StarForge that only pretends, for Prometheus to scrape on a bad half-hour.

Two ETL workers and one of staging, an API, and what would be PostgreSQL's exporter and kube-state-metrics: each an HTTP server
of its own that is really closed while its pod is down. Times are minutes from the start; README.md says what happens when. Only
Python's standard library is needed.
"""

import http.server
import math
import random
import threading
import time

START = time.time()
CHANCE = random.Random(12)
LOCK = threading.Lock()
# The client library's default buckets end at 10s. These have the alert's limit among them, and more above.
PROCESSING = [1, 2.5, 5, 10, 20, 30, 60, 120]
API = [0.05, 0.1, 0.25, 0.5, 1, 2.5]
BATCH = [10, 50, 100, 200, 500]


def minutes():
    return (time.time() - START) / 60


def within(begin, end):
    return begin <= minutes() < end


def poisson(mean):
    limit, product, count = math.exp(-mean), CHANCE.random(), 0
    while product > limit:
        product, count = product * CHANCE.random(), count + 1
    return count


def log_normal(median, p95):
    return math.exp(math.log(median) + CHANCE.gauss(0, 1) * math.log(p95 / median) / 1.645)


class Registry:
    """What one endpoint shows, in the format that Prometheus scrapes."""

    def __init__(self):
        self.values, self.kinds, self.buckets = {}, {}, {}

    def add(self, name, labels, value=1.0):
        self.kinds[name] = "counter"
        self.values[name, labels] = self.values.get((name, labels), 0.0) + value

    def set(self, name, labels, value):
        self.kinds[name] = "gauge"
        self.values[name, labels] = value

    def observe(self, name, labels, value, bounds):
        bounds, counts, total = self.buckets.get((name, labels), (bounds, [0] * (len(bounds) + 1), 0.0))
        counts[next((i for i, bound in enumerate(bounds) if value <= bound), len(bounds))] += 1
        self.buckets[name, labels] = (bounds, counts, total + value)

    def text(self):
        lines = []
        for (name, labels), value in sorted(self.values.items()):
            header = f"# TYPE {name} {self.kinds[name]}"
            if header not in lines:
                lines.append(header)
            lines.append(f"{name}{{{labels}}} {value:.10g}" if labels else f"{name} {value:.10g}")
        for (name, labels), (bounds, counts, total) in sorted(self.buckets.items()):
            header, seen = f"# TYPE {name} histogram", 0
            if header not in lines:
                lines.append(header)
            for bound, count in zip(bounds + ["+Inf"], counts):
                seen += count
                comma = "," if labels else ""
                lines.append(f'{name}_bucket{{{labels}{comma}le="{bound}"}} {seen}')
            lines.append(f"{name}_sum{{{labels}}} {total:.6f}")
            lines.append(f"{name}_count{{{labels}}} {seen}")
        return "\n".join(lines) + "\n"


class Target:
    def __init__(self, name, port, second):
        self.name, self.port, self.second, self.server = name, port, second, None

    def boot(self):
        self.registry, self.booted = Registry(), time.time()

    def open(self):
        target = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                with LOCK:
                    body = target.registry.text().encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.server = None


def worker(target):
    """Reads snapshots. Staging fails most of them all the time, as somebody tries something out there."""
    staging = target.name == "staging"
    r, slow = target.registry, within(7, 23)
    fails = 0.7 if staging else 0.04 if within(5, 13) else 0.001
    for _ in range(poisson(0.3 if staging else 5)):
        failed = CHANCE.random() < fails
        r.add("starforge_etl_snapshots_processed_total", f'result="{"failed" if failed else "success"}"')
        if failed:
            kind = CHANCE.choice(["DB_ERROR"] * 4 + ["PARSE_ERROR"]) if within(5, 13) else "PARSE_ERROR"
            r.add("starforge_etl_snapshots_failed_total", f'error_type="{kind}"')
        else:
            r.add("starforge_etl_entity_upserts_total", 'entity="users"')
            r.add("starforge_etl_entity_upserts_total", 'entity="user_troops"', 120)
        took = log_normal(14, 50) if slow and not staging else log_normal(4, 11)
        r.observe("starforge_etl_processing_duration_seconds", "", took, PROCESSING)
        r.observe("starforge_etl_upsert_batch_size", "", log_normal(120, 200), BATCH)
    r.set("starforge_etl_jobs_in_progress", "", 4 + poisson(3))
    r.set("starforge_etl_last_processed_timestamp", "", int(time.time()))


def api(target):
    r = target.registry
    for _ in range(poisson(6)):
        status = "500" if CHANCE.random() < (0.02 if within(4, 9) else 0.001) else "200"
        where = 'endpoint="/internal/snapshots"'
        r.add("starforge_api_requests_total", f'{where},method="POST",status="{status}"')
        r.observe("starforge_api_request_duration_seconds", where, log_normal(0.08, 0.4), API)
    r.set("starforge_api_inflight_requests", "", poisson(2))
    # The backlog grows while workers are slow and is worked off afterwards.
    t = minutes()
    depth = 40 if t < 5 else min(720, 40 + 260 * (t - 5)) if t < 19 else max(30, 720 - 180 * (t - 19))
    depth = int(depth) + poisson(8)
    # The gauge has two names while it is being renamed.
    r.set("starforge_queue_jobs_waiting_total", 'queue_name="snapshots"', depth)
    r.set("starforge_queue_jobs_waiting", 'queue_name="snapshots"', depth)


def postgres(target):
    r = target.registry
    active = 55 if within(4, 9) else 20
    for state, count in (("active", active + poisson(1)), ("idle", 30), ("idle in transaction", 8)):
        r.set("pg_stat_activity_count", f'datname="starforge",state="{state}"', count)
    r.set("pg_stat_activity_count", 'datname="postgres",state="idle"', 2)
    r.set("pg_settings_max_connections", 'server="db-1:5432"', 100)
    r.set("pg_longest_tx_seconds", "", 40 if within(4, 9) else 2)
    r.set("pg_up", "", 1)


CRASHES = [20.0, 21.0, 22.5, 24.5]


def kube(target):
    for pod, restarts in (("etl-worker-0", 1), ("etl-worker-1", sum(minutes() >= at for at in CRASHES))):
        labels = f'container="worker",namespace="starforge",pod="{pod}"'
        target.registry.kinds["kube_pod_container_status_restarts_total"] = "counter"
        target.registry.values["kube_pod_container_status_restarts_total", labels] = restarts


TARGETS = [
    Target("etl-worker-0", 18401, worker),
    Target("etl-worker-1", 18402, worker),
    Target("staging", 18403, worker),
    Target("api-1", 18404, api),
    Target("db-1", 18405, postgres),
    Target("kube", 18406, kube),
]


def is_down(target):
    """A pod that crashed is started again half a minute later."""
    return target.name == "etl-worker-1" and any(within(at, at + 0.5) for at in CRASHES)


def main():
    while minutes() < 31:
        with LOCK:
            for target in TARGETS:
                if is_down(target) and target.server:
                    target.close()
                if not is_down(target) and not target.server:
                    target.boot()
                    target.open()
                if target.server:
                    target.second(target)
        time.sleep(1 - time.time() % 1)


if __name__ == "__main__":
    main()
