//! Ways to break the program of the page that somebody must see: what stands there once, and what might stand there instead.

pub const BREAKS: [(&str, &str); 38] = [
    (
        "now - this.since >= this.hold",
        "now - this.since > this.hold",
    ),
    (
        "now - this.since >= this.hold",
        "now - this.since + alert.step >= this.hold",
    ),
    (
        "now - this.quiet >= this.keep",
        "now - this.quiet > this.keep",
    ),
    ("state === 2 && this.keep > 0", "false"),
    (
        "if (this.quiet === null) this.quiet = now;",
        "this.quiet = now;",
    ),
    (
        "      this.quiet = null;\n      this.state = state === 2",
        "      this.state = state === 2",
    ),
    ("if (last.from === tick) this.windows.pop();", ""),
    ("\">\": (a, b) => a > b", "\">\": (a, b) => a >= b"),
    ("\">=\": (a, b) => a >= b", "\">=\": (a, b) => a > b"),
    ("\"<\": (a, b) => a < b", "\"<\": (a, b) => a <= b"),
    ("\"<=\": (a, b) => a <= b", "\"<=\": (a, b) => a < b"),
    (
        "\"==\": (a, b) => a === b",
        "\"==\": (a, b) => Object.is(a, b)",
    ),
    (
        "\"!=\": (a, b) => a !== b",
        "\"!=\": (a, b) => !Object.is(a, b)",
    ),
    ("stack.push(-stack.pop())", "stack.push(stack.pop())"),
    (
        "\"%\": (a, b) => a % b",
        "\"%\": (a, b) => ((a % b) + b) % b",
    ),
    (
        "if (!present[tick] && track.state === 0) continue;\n    if (failures && failures[tick]) continue;",
        "if (!present[tick] && track.state === 0) continue;",
    ),
    ("if (active > alert.limit)", "if (active >= alert.limit)"),
    ("if (active > alert.limit)", "if (false)"),
    (
        "return alert.start + alert.step * tick;",
        "return page.start + alert.step * tick;",
    ),
    (
        "window.to === null ? page.end : timeOf",
        "window.to === null ? timeOf(alert, alert.count) : timeOf",
    ),
    (
        "if (last && window.from <= last.to)",
        "if (last && window.from < last.to)",
    ),
    (
        "last.to = Math.max(last.to, window.to);",
        "last.to = window.to;",
    ),
    ("window.to !== null && length < FLAP", "length < FLAP"),
    (
        "window.to !== null && length < FLAP",
        "window.to !== null && length <= FLAP",
    ),
    (
        "outcome.longest = Math.max(outcome.longest, length);",
        "outcome.longest = length;",
    ),
    (
        "from < outcome.first) outcome.first = from;",
        "false) outcome.first = from;",
    ),
    ("incident.end + incident.grace ?", "incident.end ?"),
    (
        "!window.open && window.to <= incident.start",
        "!window.open && window.to < incident.start",
    ),
    (
        "(incident) => incident.end < window.from",
        "(incident) => incident.end <= window.from",
    ),
    (
        "(window.open || window.to > next.start)",
        "(window.open || window.to >= next.start)",
    ),
    ("fate.found ? Math.min(fate.after, after) : after", "after"),
    (
        "(other[tick] === 1) === wanted",
        "(other[tick] === 1) !== wanted",
    ),
    (
        "known.get(leftKeys[at]), node.set === \"and\")",
        "known.get(leftKeys[at]), true)",
    ),
    (
        "return wanted ? new Uint8Array(present.length) : present;",
        "return present;",
    ),
    ("      failures[tick] = 1;\n", ""),
    ("any[tick] |= present[tick]", "any[tick] = present[tick]"),
    ("known.get(rightKeys[at]), false)", "undefined, false)"),
    ("if (present[tick] && holds(", "if (holds("),
];
