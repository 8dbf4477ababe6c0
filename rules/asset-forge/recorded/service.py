#!/usr/bin/env python3
"""An Asset-Forge that only pretends, for Prometheus to scrape on a bad half-hour.

Two instances, each an HTTP server that is really closed while it is down, with the two endpoints of the guide: /metrics and
/metrics/business. Times are minutes from the start; README.md says what happens when. Only Python's standard library is needed.
"""

import http.server
import math
import random
import threading
import time

START = time.time()
CHANCE = random.Random(11)
LOCK = threading.Lock()
API = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30]
GENERATION = [5, 10, 30, 60, 120, 180, 300]
QUERY = [0.005, 0.01, 0.05, 0.1, 0.5, 1]
DISK = 100e9


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
                lines.append(f'{name}_bucket{{{labels},le="{bound}"}} {seen}')
            lines.append(f"{name}_sum{{{labels}}} {total:.6f}")
            lines.append(f"{name}_count{{{labels}}} {seen}")
        return "\n".join(lines) + "\n"


class Instance:
    def __init__(self, name, port):
        self.name, self.port, self.server = name, port, None

    def boot(self):
        self.system, self.business, self.booted = Registry(), Registry(), time.time()

    def open(self):
        instance = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                with LOCK:
                    registry = instance.business if self.path == "/metrics/business" else instance.system
                    body = registry.text().encode()
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

    def second(self):
        first = self.name == "asset-forge-1"
        self.requests(no_database=first and within(20, 24))
        self.generations()
        self.gauges(first, no_database=first and within(20, 24))

    def requests(self, no_database):
        slow, failing = within(5, 12), within(7, 14)
        for _ in range(poisson(6)):
            endpoint, method = CHANCE.choice([("/api/assets", "GET")] * 3 + [("/api/generate", "POST")])
            error = CHANCE.random() < (0.3 if no_database else 0.1 if failing else 0.0005)
            status = CHANCE.choice(["500", "503"]) if error else "404" if CHANCE.random() < 0.01 else "200"
            where = f'endpoint="{endpoint}",method="{method}"'
            latency = log_normal(2.2, 9) if slow else log_normal(0.12, 0.7)
            self.business.add("api_requests_by_endpoint_total", f'{where},status_code="{status}"')
            self.business.observe("api_response_time_by_endpoint_seconds", where, latency, API)
            where = f'method="{method}",path="{endpoint}",status_code="{status}"'
            self.system.observe("http_request_duration_seconds", where, latency, API)
            if not no_database:
                table = CHANCE.choice(["assets", "users"])
                took = log_normal(0.004, 0.03)
                self.business.observe("db_query_duration_seconds", f'operation="select",table="{table}"', took, QUERY)

    def generations(self):
        failing = within(3, 16)
        for _ in range(poisson(0.3)):
            kind = CHANCE.choice(["character", "prop"])
            failed = CHANCE.random() < (0.6 if failing else 0.02)
            status = "failure" if failed else "success"
            provider, model = CHANCE.choice([("meshy", "v4"), ("openai", "gpt-4o")])
            self.business.add("asset_generations_total", f'status="{status}",type="{kind}"')
            took = log_normal(45, 160) if failing else log_normal(25, 80)
            self.business.observe("asset_generation_duration_seconds", f'type="{kind}"', took, GENERATION)
            # A generation is tried twice: one that fails leaves two errors.
            for _ in range(2 if failed else 1):
                call = f'model="{model}",provider="{provider}",status="{status}"'
                self.business.add("ai_api_calls_total", call)
                took = log_normal(9, 28) if failing else log_normal(2, 7)
                self.business.observe("ai_api_latency_seconds", f'model="{model}",provider="{provider}"', took, API)
                if failed:
                    where = f'error_type="provider_timeout",type="{kind}"'
                    self.business.add("asset_generation_errors_total", where)
            for tokens, mean in (("prompt", 400), ("completion", 150)):
                where = f'model="{model}",provider="{provider}",type="{tokens}"'
                self.business.add("ai_tokens_used_total", where, poisson(mean))

    def gauges(self, first, no_database):
        active = 0 if no_database else 4 + poisson(2)
        self.business.set("db_connections_active", "", active)
        self.business.set("db_connections_idle", "", 0 if no_database else max(0, 14 - active))
        self.business.set("user_active_sessions", "", 40 + poisson(10))
        for context, share in (("user", 0.5), ("project", 0.2), ("system", 0.07)):
            growth = 0.005 * minutes() if context == "user" else 0
            self.business.set("storage_used_bytes", f'context="{context}"', DISK * (share + growth))
        self.business.set("storage_total_bytes", "", DISK)
        self.business.set("system_memory_total_bytes", "", 8e9)
        leak = 7.4e9 if first and within(13, 22) else 2.5e9
        self.system.set("process_resident_memory_bytes", "", leak + 1e4 * (time.time() - self.booted))
        self.system.set("nodejs_heap_size_used_bytes", "", 1.5e8)
        self.system.set("nodejs_heap_size_total_bytes", "", 2e8)
        self.system.set("nodejs_eventloop_lag_seconds", "", 0.012 if within(5, 12) else 0.003)
        self.system.add("process_cpu_seconds_total", "", 0.6 if within(5, 12) else 0.2)


INSTANCES = [Instance("asset-forge-1", 18301), Instance("asset-forge-2", 18302)]
DOWN = {"asset-forge-2": (17.0, 19.0)}


def main():
    while minutes() < 29:
        with LOCK:
            for instance in INSTANCES:
                down = instance.name in DOWN and within(*DOWN[instance.name])
                if down and instance.server:
                    instance.close()
                if not down and not instance.server:
                    instance.boot()
                    instance.open()
                if instance.server:
                    instance.second()
        time.sleep(1 - time.time() % 1)


if __name__ == "__main__":
    main()
