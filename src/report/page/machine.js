// What alerts do at every evaluation: the same bookkeeping as the program that made this page, number by number.

const MINUTE = 60000;
const DAY = 24 * 60 * MINUTE;
// A firing that ends sooner than this is a flap.
const FLAP = 5 * MINUTE;

const page = JSON.parse(document.getElementById("data").textContent);

function numberOf(value) {
  return typeof value === "number" ? value : { "NaN": NaN, "+Inf": Infinity, "-Inf": -Infinity }[value];
}

function bytesOf(text) {
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let at = 0; at < bytes.length; at++) bytes[at] = letters.charCodeAt(at);
  return bytes;
}

async function inflated(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

const packed = await inflated(bytesOf(page.values));
let taken = 0;

// The next numbers of some bytes each, which stand in planes: all first bytes, then all second ones, and so on.
function numbersOf(count, width) {
  const bytes = new Uint8Array(count * width);
  for (let plane = 0; plane < width; plane++) for (let at = 0; at < count; at++) bytes[at * width + plane] = packed[taken++];
  return bytes;
}

function doublesOf(count) {
  const view = new DataView(numbersOf(count, 8).buffer);
  const doubles = new Float64Array(count);
  for (let at = 0; at < count; at++) doubles[at] = view.getFloat64(8 * at, true);
  return doubles;
}

// Whole numbers, each as the way from the one before, to be divided by a power of ten.
function decimalsOf(count, width, scale) {
  const bytes = numbersOf(count, width);
  const values = new Float64Array(count);
  let sum = 0;
  for (let at = 0; at < count; at++) {
    let way = 0;
    for (let plane = width - 1; plane >= 0; plane--) way = way * 256 + bytes[at * width + plane];
    sum += way % 2 ? -(way + 1) / 2 : way / 2;
    values[at] = sum / scale;
  }
  return values;
}

function columnOf({ runs, table, width, scale }) {
  const found = runsOf(runs);
  const count = found.reduce((sum, [first, end]) => sum + end - first, 0);
  if (scale !== undefined) return { runs: found, values: decimalsOf(count, width, scale) };
  if (table === undefined) return { runs: found, values: doublesOf(count) };
  const doubles = doublesOf(table);
  const places = numbersOf(count, width);
  const values = new Float64Array(count);
  for (let at = 0; at < count; at++) values[at] = doubles[width === 1 ? places[at] : places[2 * at] + 256 * places[2 * at + 1]];
  return { runs: found, values };
}

// [[first, last + 1, place of the first among the values]]
function runsOf(lengths) {
  const runs = [];
  let tick = 0;
  let seen = 0;
  for (let at = 0; at + 1 < lengths.length; at += 2) {
    tick += lengths[at];
    runs.push([tick, tick + lengths[at + 1], seen]);
    tick += lengths[at + 1];
    seen += lengths[at + 1];
  }
  return runs;
}

function windowsOf(list) {
  return list.map(([state, from, to]) => ({ firing: state === 1, from, to }));
}

const COMPARE = {
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  "==": (a, b) => a === b,
  "!=": (a, b) => a !== b,
};

const WORK_OUT = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
  "%": (a, b) => a % b,
};

// What a comparison compares with, `value` saying what each knob of its alert is.
function boundOf(alert, bound, value) {
  const stack = [];
  for (const step of bound) {
    if (step.knob !== undefined) stack.push(value(alert.knobs[step.knob]));
    else if (step === "negate") stack.push(-stack.pop());
    else if (WORK_OUT[step]) {
      const right = stack.pop();
      stack.push(WORK_OUT[step](stack.pop(), right));
    } else stack.push(numberOf(step));
  }
  return stack[0];
}

// The series of a part of a condition, by their places, and at which evaluations each is there, one byte an evaluation.
function resultOf(alert, node) {
  if (node.series) return { places: node.series, present: node.series.map((place) => alert.series[place].present) };
  if (node.set) return joined(alert, node, resultOf(alert, node.left), resultOf(alert, node.right));
  const { places, present } = resultOf(alert, node.of);
  const bound = boundOf(alert, node.bound, valueOf);
  return { places, present: places.map((place, at) => passing(alert, alert.series[place], present[at], COMPARE[node.op], bound)) };
}

function passing(alert, series, present, holds, bound) {
  const passes = new Uint8Array(alert.count);
  for (const [first, end, place] of series.runs) {
    for (let tick = first; tick < end; tick++) if (present[tick] && holds(series.values[place + tick - first], bound)) passes[tick] = 1;
  }
  return passes;
}

function joined(alert, node, left, right) {
  const [leftKeys, rightKeys] = node.keys;
  if (node.set === "or") {
    const known = byKey(alert, left.present, leftKeys);
    const others = right.present.map((present, at) => narrowed(present, known.get(rightKeys[at]), false));
    return { places: [...left.places, ...right.places], present: [...left.present, ...others] };
  }
  const known = byKey(alert, right.present, rightKeys);
  return { places: left.places, present: left.present.map((present, at) => narrowed(present, known.get(leftKeys[at]), node.set === "and")) };
}

// When any series of a key is there.
function byKey(alert, presents, keys) {
  const known = new Map();
  presents.forEach((present, at) => {
    const any = known.get(keys[at]) || new Uint8Array(alert.count);
    for (let tick = 0; tick < any.length; tick++) any[tick] |= present[tick];
    known.set(keys[at], any);
  });
  return known;
}

// What stays where there is another one, or where there is none.
function narrowed(present, other, wanted) {
  if (!other) return wanted ? new Uint8Array(present.length) : present;
  return present.map((it, tick) => (it && (other[tick] === 1) === wanted ? 1 : 0));
}

// When each instance's condition is true, and when the evaluation fails: always the same moments, and those at which two series
// are one instance.
function presences(alert) {
  const presents = alert.instances.map(() => new Uint8Array(alert.count));
  let failures = alert.failures;
  resultOf(alert, alert.condition).present.forEach((present, at) => {
    const own = presents[alert.owners[at]];
    for (let tick = 0; tick < own.length; tick++) {
      if (!present[tick]) continue;
      if (own[tick]) {
        if (failures === alert.failures) failures = alert.failures ? alert.failures.slice() : new Uint8Array(alert.count);
        failures[tick] = 1;
      }
      own[tick] = 1;
    }
  });
  return { presents, failures };
}

// How an instance goes from inactive over pending to firing and back. Times are milliseconds after the first evaluation.
class Track {
  constructor(hold, keep) {
    this.hold = hold;
    this.keep = keep;
    this.windows = [];
    this.clear();
  }

  clear(tick) {
    if (this.state) this.close(tick);
    this.state = 0; // 1 pending, 2 firing
    this.since = 0;
    this.quiet = null;
  }

  advance(tick, now, present) {
    const state = this.state;
    const since = this.since;
    if (present) {
      if (state === 0) this.since = now;
      this.quiet = null;
      this.state = state === 2 || now - this.since >= this.hold ? 2 : 1;
    } else if (state === 2 && this.keep > 0) {
      if (this.quiet === null) this.quiet = now;
      if (now - this.quiet >= this.keep) this.state = 0;
    } else this.state = 0;
    if (this.state === state && (state === 0 || this.since === since)) return;
    if (state) this.close(tick);
    if (this.state) this.windows.push({ firing: this.state === 2, from: tick, to: null });
    else this.quiet = null;
  }

  // One that was opened at this very evaluation never was.
  close(tick) {
    const last = this.windows[this.windows.length - 1];
    last.to = tick;
    if (last.from === tick) this.windows.pop();
  }
}

function walk(alert, present, failures, hold, keep) {
  const track = new Track(hold, keep);
  for (let tick = 0; tick < alert.count; tick++) {
    if (!present[tick] && track.state === 0) continue;
    if (failures && failures[tick]) continue;
    track.advance(tick, tick * alert.step, present[tick] === 1);
  }
  return track.windows;
}

// Of a rule with a limit: above it the evaluation fails, and all instances are forgotten.
function walkTogether(alert, presents, failures, hold, keep) {
  const tracks = presents.map(() => new Track(hold, keep));
  for (let tick = 0; tick < alert.count; tick++) {
    if (failures && failures[tick]) continue;
    let active = 0;
    tracks.forEach((track, place) => {
      track.advance(tick, tick * alert.step, presents[place][tick] === 1);
      if (track.state) active++;
    });
    if (active > alert.limit) tracks.forEach((track) => track.clear(tick));
  }
  return tracks.map((track) => track.windows);
}

// The values to which knobs are set, by the text that they are.
const setting = new Map();

function valueOf(knob) {
  return setting.get(knob.text);
}

// A wait that is no knob is what the rule says.
function waitOf(alert, kind, otherwise) {
  const knob = alert.knobs.find((it) => it.kind === kind);
  return knob ? valueOf(knob) : otherwise;
}

// The windows of all instances with the knobs as they are.
function windowsNow(alert) {
  if (alert.fixed) return alert.instances.map((instance) => instance.now);
  const hold = waitOf(alert, "for", alert.hold);
  const keep = waitOf(alert, "keep_firing_for", alert.keep);
  const { presents, failures } = presences(alert);
  if (alert.limit > 0) return walkTogether(alert, presents, failures, hold, keep);
  return presents.map((present) => walk(alert, present, failures, hold, keep));
}

function timeOf(alert, tick) {
  return alert.start + alert.step * tick;
}

function endOf(alert, window) {
  return window.to === null ? page.end : timeOf(alert, window.to);
}

// Windows of several instances as times, those of one state that meet being one.
function united(alert, all, firing) {
  const windows = [];
  for (const of of all) {
    for (const window of of) {
      if (window.firing !== firing) continue;
      windows.push({ firing, from: timeOf(alert, window.from), to: endOf(alert, window), open: window.to === null });
    }
  }
  windows.sort((a, b) => a.from - b.from);
  const merged = [];
  for (const window of windows) {
    const last = merged[merged.length - 1];
    if (last && window.from <= last.to) {
      if (window.to >= last.to) last.open = last.open || window.open;
      last.to = Math.max(last.to, window.to);
    } else merged.push(window);
  }
  return merged;
}

// What an alert did, in numbers.
function outcomeOf(alert, all) {
  const outcome = { firings: 0, firing: 0, longest: 0, instances: 0, flaps: 0, first: null };
  for (const windows of all) {
    let fired = false;
    for (const window of windows) {
      if (!window.firing) continue;
      fired = true;
      const from = timeOf(alert, window.from);
      const length = Math.max(0, endOf(alert, window) - from);
      outcome.firings++;
      outcome.firing += length;
      outcome.longest = Math.max(outcome.longest, length);
      if (window.to !== null && length < FLAP) outcome.flaps++;
      if (outcome.first === null || from < outcome.first) outcome.first = from;
    }
    if (fired) outcome.instances++;
  }
  return outcome;
}

// All there is to know of what an alert did.
function deedsOf(alert, all) {
  return { all, firing: united(alert, all, true), pending: united(alert, all, false), outcome: outcomeOf(alert, all) };
}

function names(incident, alert) {
  return incident.alerts.some((name) => name === alert.name || name === alert.group + "/" + alert.name);
}

// The place of the first that is not `before`, all that are being in front.
function firstNot(list, before) {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (before(list[middle])) low = middle + 1;
    else high = middle;
  }
  return low;
}

// When an alert first tells of an incident, in it or in the time that is granted after it; undefined where it does not.
function told(windows, incident) {
  const next = windows[firstNot(windows, (window) => !window.open && window.to <= incident.start)];
  return next && next.from <= incident.end + incident.grace ? next.from : undefined;
}

// Whether a window has moments of any of these incidents, which follow one another.
function isGood(window, incidents) {
  const next = incidents[firstNot(incidents, (incident) => incident.end < window.from)];
  return next !== undefined && (window.open || window.to > next.start);
}

// Which incidents were told of, and which windows told of none. `which` is "before" or "now".
function judge(which) {
  const judged = { incidents: page.incidents.map(() => ({ found: false, after: null })), windows: 0, good: 0, found: 0, delay: 0 };
  for (const alert of page.alerts) {
    const windows = alert[which].firing;
    judged.windows += windows.length;
    for (const window of windows) if (isGood(window, alert.incidents)) judged.good++;
    for (const incident of alert.incidents) {
      const from = told(windows, incident);
      if (from === undefined) continue;
      const fate = judged.incidents[incident.place];
      const after = Math.max(0, from - incident.start);
      fate.after = fate.found ? Math.min(fate.after, after) : after;
      fate.found = true;
    }
  }
  for (const fate of judged.incidents.filter((it) => it.found)) {
    judged.found++;
    judged.delay += fate.after;
  }
  return judged;
}

// All alerts together, in the numbers that goals speak of; a share or a mean of nothing is null.
function measuresOf(which) {
  const outcomes = page.alerts.map((alert) => alert[which].outcome);
  const sum = (name) => outcomes.reduce((total, outcome) => total + outcome[name], 0);
  const { found, windows, good, delay } = judge(which);
  const length = page.end - page.start;
  const measures = {
    firings: sum("firings"),
    firing: sum("firing"),
    longest: Math.max(0, ...outcomes.map((outcome) => outcome.longest)),
    instances: sum("instances"),
    flaps: sum("flaps"),
    pages: windows,
    pages_per_week: length > 0 ? (windows * 7 * DAY) / length : 0,
  };
  if (!page.incidents.length) return measures;
  return Object.assign(measures, {
    found,
    missed: page.incidents.length - found,
    false_pages: windows - good,
    precision: windows ? good / windows : null,
    recall: found / page.incidents.length,
    time_to_detect: found ? delay / found : null,
  });
}

// The comparisons of a condition, each with the series that it compares.
function comparisonsOf(node) {
  if (node.series) return [];
  if (node.set) return [...comparisonsOf(node.left), ...comparisonsOf(node.right)];
  return [...comparisonsOf(node.of), Object.assign(node, { places: placesOf(node.of) })];
}

// The series that a part of a condition yields.
function placesOf(node) {
  if (node.series) return node.series;
  if (node.set) return node.set === "or" ? [...placesOf(node.left), ...placesOf(node.right)] : placesOf(node.left);
  return placesOf(node.of);
}

page.columns = page.columns.map(columnOf);
page.incidents.forEach((incident, place) => (incident.place = place));

function prepare(alert) {
  alert.incidents = page.incidents.filter((incident) => names(incident, alert));
  alert.failures = null;
  if (alert.failed.length) {
    alert.failures = new Uint8Array(alert.count);
    for (const [first, end] of runsOf(alert.failed)) alert.failures.fill(1, first, end);
  }
  for (const knob of alert.knobs) {
    knob.before = numberOf(knob.before);
    knob.now = numberOf(knob.now);
    setting.set(knob.text, knob.now);
  }
  alert.series = alert.series.map(([labels, column]) => {
    const { runs, values } = page.columns[column];
    const present = new Uint8Array(alert.count);
    for (const [first, end] of runs) present.fill(1, first, end);
    return { labels: page.labels[labels], runs, values, present };
  });
  alert.comparisons = comparisonsOf(alert.condition);
  // A series has the colour of the instance that it is, or that has its labels.
  const hues = new Map(alert.instances.map((instance, place) => [String(page.labels[instance.labels]), place]));
  alert.series.forEach((series, place) => (series.hue = hues.get(String(series.labels.filter(([name]) => name !== "__name__"))) ?? place));
  placesOf(alert.condition).forEach((place, at) => (alert.series[place].hue = alert.owners[at]));
  for (const instance of alert.instances) {
    instance.labels = page.labels[instance.labels];
    instance.before = windowsOf(instance.before);
    instance.now = instance.now && windowsOf(instance.now);
  }
}

page.alerts.forEach(prepare);
for (const alert of page.alerts) {
  alert.before = deedsOf(alert, alert.instances.map((instance) => instance.before));
  alert.now = deedsOf(alert, windowsNow(alert));
}
