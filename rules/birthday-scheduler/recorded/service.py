#!/usr/bin/env python3
"""A birthday scheduler that only pretends, for Prometheus to scrape while its vendor has an outage.

Four targets, each an HTTP server of its own that is really closed while its pod is down: two pods of the API, two
workers. `targets.json` is written for file_sd and rewritten where a pod goes away for good. Times are minutes from
the start; README.md says what happens when. Only Python's standard library is needed.
"""

import http.server
import json
import math
import pathlib
import random
import sys
import threading
import time

START = time.time()
CHANCE = random.Random(7)
LOCK = threading.Lock()
API_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5]
VENDOR_BUCKETS = [0.25, 1, 2.5, 5, 10]


def minutes():
    return (time.time() - START) / 60


def within(begin, end):
    return begin <= minutes() < end


class Pod:
    """A process with its counters, which are gone when it is restarted."""

    def __init__(self, name, job, port, seconds):
        self.name, self.job, self.port, self.second = name, job, port, seconds
        self.server = None
        self.boot()

    def boot(self):
        self.values, self.kinds, self.buckets = {}, {}, {}
        self.booted = time.time()

    def open(self):
        pod = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                with LOCK:
                    body = pod.text().encode()
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

    def add(self, name, labels, value=1):
        self.kinds[name] = "counter"
        self.values[name, labels] = self.values.get((name, labels), 0) + value

    def set(self, name, labels, value):
        self.kinds[name] = "gauge"
        self.values[name, labels] = value

    def observe(self, name, labels, value, bounds):
        counts, total = self.buckets.get((name, labels), ([0] * (len(bounds) + 1), 0.0))
        counts[next((i for i, bound in enumerate(bounds) if value <= bound), len(bounds))] += 1
        self.buckets[name, labels] = (counts, total + value)

    def text(self):
        lines = []
        for (name, labels), value in sorted(self.values.items()):
            header = f"# TYPE {name} {self.kinds[name]}"
            if header not in lines:
                lines.append(header)
            lines.append(f"{name}{{{labels}}} {value:.10g}" if labels else f"{name} {value:.10g}")
        for (name, labels), (counts, total) in sorted(self.buckets.items()):
            bounds = API_BUCKETS if "api_response" in name and "external" not in name else VENDOR_BUCKETS
            seen, comma = 0, "," if labels else ""
            lines.append(f"# TYPE {name} histogram")
            for bound, count in zip(bounds + ["+Inf"], counts):
                seen += count
                lines.append(f'{name}_bucket{{{labels}{comma}le="{bound}"}} {seen}')
            lines.append(f"{name}_sum{{{labels}}} {total:.6f}" if labels else f"{name}_sum {total:.6f}")
            lines.append(f"{name}_count{{{labels}}} {seen}" if labels else f"{name}_count {seen}")
        return "\n".join(lines) + "\n"


def poisson(mean):
    limit, product, count = math.exp(-mean), CHANCE.random(), 0
    while product > limit:
        product, count = product * CHANCE.random(), count + 1
    return count


def log_normal(median, p95):
    return math.exp(math.log(median) + CHANCE.gauss(0, 1) * math.log(p95 / median) / 1.645)


class World:
    """What the pods share: the queue, and how the vendor is doing."""

    queue, dead = 40.0, 0.0

    @property
    def vendor_fails(self):
        return within(5, 20)

    @property
    def breaker_open(self):
        return within(6, 20.5)


WORLD = World()


def api_second(pod):
    failing = within(7, 20)
    for _ in range(poisson(12)):
        error = CHANCE.random() < (0.16 if failing else 0.001)
        status = CHANCE.choice(["500", "503", "503"]) if error else CHANCE.choice(["200"] * 9 + ["201"])
        pod.add("birthday_scheduler_api_requests_total", f'method="{"POST" if status == "201" else "GET"}",status="{status}"')
        latency = log_normal(0.22, 1.1) if failing else log_normal(0.06, 0.21)
        pod.observe("birthday_scheduler_api_response_time_seconds", "", latency, API_BUCKETS)
    active = 7 + poisson(2) if failing else 3 + poisson(1)
    pod.set("birthday_scheduler_database_connections", 'state="active"', min(active, 10))
    pod.set("process_resident_memory_bytes", "", 3.1e8 + 2e4 * (time.time() - pod.booted))
    if pod.name == "api-1":
        WORLD.queue += poisson(16)
        if WORLD.vendor_fails and minutes() > 7:
            WORLD.dead += poisson(0.05)
        if 28 <= minutes():
            WORLD.dead = 0
        pod.set("birthday_scheduler_queue_depth", 'queue_name="birthday-messages"', max(WORLD.queue, 0))
        pod.set("birthday_scheduler_queue_dlq_messages", 'dlq_name="birthday-dlq"', WORLD.dead)
        pod.set("birthday_scheduler_cron_job_last_success_timestamp", 'job_name="daily-birthday"', int(START) - 1800)


def worker_second(pod):
    calls = poisson(1) if WORLD.breaker_open else poisson(8 if WORLD.queue < 100 else 24)
    calls = int(min(calls, max(WORLD.queue, 0)))
    pod.set("birthday_scheduler_circuit_breaker_open", 'service_name="message_api"', int(WORLD.breaker_open))
    for _ in range(calls):
        fails = CHANCE.random() < (0.97 if WORLD.vendor_fails else 0.001)
        name = "birthday_scheduler_messages_failed_total" if fails else "birthday_scheduler_messages_sent_total"
        pod.add(name, 'message_type="birthday"')
        WORLD.queue -= 0 if fails else 1
        latency = log_normal(6.0, 9.5) if WORLD.vendor_fails else log_normal(0.3, 0.9)
        pod.observe("birthday_scheduler_external_api_response_time_seconds", 'vendor="message_api"', latency, VENDOR_BUCKETS)


PODS = [
    Pod("api-1", "birthday-scheduler-api", 18101, api_second),
    Pod("api-2", "birthday-scheduler-api", 18102, api_second),
    Pod("worker-1", "birthday-scheduler-worker", 18103, worker_second),
    Pod("worker-2", "birthday-scheduler-worker", 18104, worker_second),
]
# The pod crashes, and its restart forgets the counters; the other is scaled down and up again.
DOWN = {"api-2": (12.0, 14.5)}
GONE = {"worker-2": (16.0, 23.0)}


def discovered(folder):
    targets = []
    for pod in PODS:
        if pod.name not in GONE or not within(*GONE[pod.name]):
            labels = {"job": pod.job, "instance": pod.name}
            targets.append({"targets": [f"127.0.0.1:{pod.port}"], "labels": labels})
    path = pathlib.Path(folder) / "targets.json"
    text = json.dumps(targets)
    if not path.exists() or path.read_text() != text:
        beside = path.with_suffix(".new")
        beside.write_text(text)
        beside.rename(path)


def main(folder):
    while minutes() < 40:
        with LOCK:
            for pod in PODS:
                down = any(pod.name in times and within(*times[pod.name]) for times in (DOWN, GONE))
                if down and pod.server:
                    pod.close()
                if not down and not pod.server:
                    pod.boot()
                    pod.open()
                if pod.server:
                    pod.second(pod)
        discovered(folder)
        time.sleep(1 - time.time() % 1)


if __name__ == "__main__":
    main(sys.argv[1])
