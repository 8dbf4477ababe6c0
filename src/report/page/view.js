// Timelines and charts, all over the same time.

const GUTTER = 52;
const EDGE = 6;
const LANE = 17;
const GAP = 11;
const CHART = 150;
const MOST_LETTERS = 300;

// The time that is shown.
const shown = { from: page.start, to: page.end };
const finest = Math.max(1, ...page.alerts.map((alert) => alert.step));
// A single moment has no length to draw over.
const whole = page.end > page.start ? [page.start, page.end] : [page.start - finest, page.start + finest];
[shown.from, shown.to] = whole;

// Everything that is drawn: each has a host, a `draw(width)` and says whether it can be seen.
const drawings = [];
let waiting = false;

function redraw(which) {
  for (const drawing of which || drawings) drawing.stale = true;
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(paintAll);
}

function paintAll() {
  waiting = false;
  for (const drawing of drawings) if (drawing.stale && isSeen(drawing.host)) paint(drawing);
}

// Whether nothing that holds it is closed: what a closed box holds has its place and its size in some browsers.
function isSeen(host) {
  return host.checkVisibility ? host.checkVisibility() : host.offsetParent !== null;
}

function paint(drawing) {
  drawing.stale = false;
  const width = Math.max(240, drawing.host.clientWidth);
  const svg = drawing.svg;
  svg.setAttribute("viewBox", "0 0 " + width + " " + drawing.height);
  drawing.width = width;
  svg.replaceChildren();
  drawing.draw(svg, width);
  if (!drawing.back) return;
  const key = drawing.backFor() + "," + width;
  if (drawing.key === key) return;
  drawing.key = key;
  drawing.under.setAttribute("viewBox", "0 0 " + width + " " + drawing.height);
  drawing.under.replaceChildren();
  drawing.back(drawing.under, width);
}

function xOf(time, width) {
  return GUTTER + ((time - shown.from) / (shown.to - shown.from)) * (width - GUTTER - EDGE);
}

function timeAt(x, width) {
  return shown.from + ((x - GUTTER) / (width - GUTTER - EDGE)) * (shown.to - shown.from);
}

function move(from, to) {
  const least = Math.min(whole[1] - whole[0], 4 * finest);
  const length = Math.min(whole[1] - whole[0], Math.max(least, to - from));
  const middle = (from + to) / 2;
  shown.from = Math.min(Math.max(whole[0], middle - length / 2), whole[1] - length);
  shown.to = shown.from + length;
  tellShown();
  redraw();
}

function zoom(factor, around) {
  const at = around === undefined ? (shown.from + shown.to) / 2 : around;
  move(at - (at - shown.from) * factor, at + (shown.to - at) * factor);
}

function shift(part) {
  const by = part * (shown.to - shown.from);
  const room = by < 0 ? Math.max(by, whole[0] - shown.from) : Math.min(by, whole[1] - shown.to);
  move(shown.from + room, shown.to + room);
}

function tellShown() {
  const text = momentText(Math.round(shown.from)) + " to " + momentText(Math.round(shown.to));
  byId("shown").textContent = text + " (" + durationText(roundTo(shown.to - shown.from, 1000)) + ")";
}

function roundTo(value, unit) {
  return Math.round(value / unit) * unit;
}

// Rectangles of a state as one path; those that no pixel divides are one.
function lanePath(windows, top, height, width) {
  const parts = [];
  const letters = [];
  let last = null;
  for (const window of windows) {
    if (window.to < shown.from || window.from > shown.to) continue;
    const left = Math.max(GUTTER, xOf(window.from, width));
    const right = Math.min(width - EDGE, Math.max(xOf(window.to, width), left + 1.5));
    if (last && left <= last[1] + 0.3) last[1] = Math.max(last[1], right);
    else parts.push((last = [left, right]));
  }
  for (const [left, right] of parts) if (right - left > 13 && letters.length < MOST_LETTERS) letters.push((left + right) / 2);
  const path = parts.map(([left, right]) => "M" + left.toFixed(1) + " " + top + "H" + right.toFixed(1) + "v" + height + "H" + left.toFixed(1) + "z");
  return { path: path.join(""), letters };
}

function drawLane(svg, top, name, firing, pending, width) {
  svg.append(
    drawn("rect", { class: "lane", x: GUTTER, y: top, width: width - GUTTER - EDGE, height: LANE }),
    drawn("text", { class: "lane-name", x: GUTTER - 6, y: top + LANE - 5 }, name),
  );
  const low = lanePath(pending, top + LANE / 2 - 2, LANE / 2 + 2, width);
  const full = lanePath(firing, top, LANE, width);
  svg.append(drawn("path", { class: "pending", d: low.path }), drawn("path", { class: "firing", d: full.path }));
  for (const x of low.letters) svg.append(drawn("text", { class: "letter", x: x.toFixed(1), y: top + LANE - 2 }, "P"));
  for (const x of full.letters) svg.append(drawn("text", { class: "letter on", x: x.toFixed(1), y: top + LANE - 5 }, "F"));
}

// Between the lanes of before and now: a plus where a window is gained, a minus where one is lost; of those that meet, one.
function drawFates(svg, before, now, width) {
  // One that opens at the very end has no length yet.
  const end = (window) => Math.max(window.to, window.from + 1);
  const alone = (windows, others) =>
    windows.filter((it) => {
      const next = others[firstNot(others, (other) => end(other) <= it.from)];
      return !next || next.from >= end(it);
    });
  const middle = LANE + GAP / 2;
  const marks = (windows, plus) => {
    const parts = [];
    let last = -Infinity;
    for (const { from, to } of windows) {
      if (to < shown.from || from > shown.to) continue;
      const x = Math.min(width - EDGE - 4, Math.max(GUTTER + 4, xOf((Math.max(from, shown.from) + Math.min(to, shown.to)) / 2, width)));
      if (x - last < 11) continue;
      last = x;
      parts.push("M" + (x - 4).toFixed(1) + " " + middle + "h8" + (plus ? "M" + x.toFixed(1) + " " + (middle - 4) + "v8" : ""));
    }
    return drawn("path", { class: "fate " + (plus ? "gained" : "lost"), d: parts.join("") });
  };
  svg.append(marks(alone(now, before), true), marks(alone(before, now), false));
}

// The lanes of an alert of which there is nothing to know.
function drawNothing(svg, width) {
  const middle = (GUTTER + width - EDGE) / 2;
  svg.append(drawn("rect", { class: "lane none", x: GUTTER + 0.5, y: 0.5, width: width - GUTTER - EDGE - 1, height: 2 * LANE + GAP - 1 }), drawn("text", { class: "nothing", x: middle, y: LANE + GAP / 2 + 4 }, "no data"));
}

function drawIncidents(svg, incidents, height, width) {
  const bands = incidents.map((it) => ({ from: it.start, to: it.end }));
  bands.sort((a, b) => a.from - b.from);
  svg.append(drawn("path", { class: "incident", d: lanePath(bands, 0, height, width).path }));
}

// Steps of time that people count in.
const STEPS = [1, 10, 100, 1000, 5000, 15000, 30000].concat([1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720].map((it) => it * MINUTE), [1, 2, 7, 14, 28, 91, 182, 364, 3640, 36400].map((it) => it * DAY));

function timeSteps(width) {
  const wanted = (shown.to - shown.from) / Math.max(1, (width - GUTTER) / 105);
  const step = STEPS.find((it) => it >= wanted) || wanted;
  const times = [];
  for (let time = Math.ceil(shown.from / step) * step; time <= shown.to && times.length < 200; time += step) times.push(time);
  return { step, times };
}

function drawGrid(svg, height, width) {
  const lines = timeSteps(width).times.map((time) => "M" + xOf(time, width).toFixed(1) + " 0v" + height);
  svg.append(drawn("path", { class: "grid", d: lines.join("") }));
}

function drawAxis(svg, width) {
  const { step, times } = timeSteps(width);
  for (const time of times) {
    const text = momentText(time);
    const day = step >= DAY || time % DAY === 0;
    const x = xOf(time, width);
    if (x > width - 30) continue;
    const label = day ? text.slice(0, 10) : text.slice(11, step < MINUTE ? undefined : 16);
    svg.append(drawn("path", { class: "grid", d: "M" + x.toFixed(1) + " 15v7" }), drawn("text", { class: "tick", x: x.toFixed(1), y: 12 }, label));
  }
}

// A timeline that can be moved, zoomed and asked. `picture` has `label`, `height`, `draw(svg, width)`, `tell(time)` (what is
// said of a moment) and `stops()` (the moments that the arrow keys go to); where something behind it is seldom drawn anew,
// `back(svg, width)` and `backFor()`, on which that depends. One that is `still` does not follow the pointer.
function mount(host, picture) {
  const svg = drawn("svg", { class: "drawing", tabindex: picture.stops ? "0" : null, role: "img", "aria-label": picture.label });
  svg.style.aspectRatio = "auto";
  const drawing = Object.assign({ host, svg, stale: true, width: 0 }, picture);
  host.append(svg);
  if (drawing.back) {
    // A picture of its own behind, which a browser need not paint anew when the one in front changes.
    drawing.under = drawn("svg", { class: "drawing under", "aria-hidden": "true" });
    drawing.under.style.height = drawing.height + "px";
    host.append(element("div", { class: "layers" }, drawing.under, svg));
  }
  drawings.push(drawing);
  svg.style.height = drawing.height + "px";
  if (!drawing.still) listen(drawing);
  return drawing;
}

function pointer(event, drawing) {
  const box = drawing.svg.getBoundingClientRect();
  return ((event.clientX - box.left) / box.width) * drawing.width;
}

function listen(drawing) {
  const svg = drawing.svg;
  let drag = null;
  svg.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    drag = { x: pointer(event, drawing), from: shown.from, to: shown.to };
    svg.setPointerCapture(event.pointerId);
  });
  svg.addEventListener("pointermove", (event) => {
    const x = pointer(event, drawing);
    if (drag && Math.abs(x - drag.x) > 2) {
      const by = ((drag.x - x) / (drawing.width - GUTTER - EDGE)) * (drag.to - drag.from);
      const room = Math.max(whole[0] - drag.from, Math.min(by, whole[1] - drag.to));
      hideTip();
      move(drag.from + room, drag.to + room);
    } else if (drawing.tell) showTip(drawing, timeAt(x, drawing.width), event.clientX, event.clientY);
  });
  for (const end of ["pointerup", "pointercancel"]) svg.addEventListener(end, () => (drag = null));
  svg.addEventListener("pointerleave", hideTip);
  svg.addEventListener(
    "wheel",
    (event) => {
      const sideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
      if (!sideways && !event.ctrlKey && !event.metaKey && !drawing.wheels) return;
      event.preventDefault();
      const delta = event.deltaY || event.deltaX;
      if (sideways) shift(Math.sign(event.deltaX || event.deltaY) * 0.08);
      else zoom(delta > 0 ? 1.25 : 0.8, timeAt(pointer(event, drawing), drawing.width));
    },
    { passive: false },
  );
  if (!drawing.stops) return;
  svg.addEventListener("keydown", (event) => keyed(event, drawing));
  // Some browsers take the focus to every picture that listens to this.
  svg.addEventListener("blur", () => {
    hideTip();
    drawing.at = undefined;
  });
}

function keyed(event, drawing) {
  const forward = event.key === "ArrowRight";
  if (event.key === "+" || event.key === "=") zoom(0.7, drawing.at);
  else if (event.key === "-") zoom(1.4, drawing.at);
  else if (event.key === "0") move(whole[0], whole[1]);
  else if (event.key === "Escape") hideTip();
  else if (forward || event.key === "ArrowLeft") {
    if (event.shiftKey) shift(forward ? 0.2 : -0.2);
    else step(drawing, forward);
  } else return;
  event.preventDefault();
}

// To the next window, or the one before.
function step(drawing, forward) {
  const stops = [...new Set(drawing.stops())].sort((a, b) => a - b);
  const here = drawing.at === undefined ? (forward ? -Infinity : Infinity) : drawing.at;
  const next = forward ? stops.find((it) => it > here) : stops.reverse().find((it) => it < here);
  if (next === undefined) return say(stops.length ? "No window further on." : "No window.");
  drawing.at = next;
  if (next < shown.from || next > shown.to) {
    const half = (shown.to - shown.from) / 2;
    move(next - half, next + half);
  }
  const box = drawing.svg.getBoundingClientRect();
  showTip(drawing, next, box.left + (xOf(next, drawing.width) / drawing.width) * box.width, box.bottom);
  say([...byId("tip").children].map((line) => line.textContent).join(". "));
}

function showTip(drawing, time, x, y) {
  const tip = byId("tip");
  if (time < shown.from || time > shown.to) return hideTip();
  const [head, ...lines] = drawing.tell(time);
  tip.replaceChildren(element("strong", {}, head), ...lines.map((line) => element("span", {}, line)));
  tip.hidden = false;
  const { innerWidth, innerHeight } = window;
  tip.style.left = Math.max(4, Math.min(x + 14, innerWidth - tip.offsetWidth - 8)) + "px";
  tip.style.top = (y + 18 + tip.offsetHeight > innerHeight ? Math.max(4, y - tip.offsetHeight - 12) : y + 18) + "px";
}

function hideTip() {
  byId("tip").hidden = true;
}

function say(text) {
  byId("said").textContent = text;
}

// What a window at a moment is, in words.
function stateText(alert, firing, pending, time) {
  const at = (windows) => windows.find((window) => window.from <= time && (time < window.to || window.open));
  const window = at(firing) || at(pending);
  if (!window) return "quiet";
  const to = window.open ? "the end" : momentText(window.to);
  const name = at(firing) ? "firing" : "pending";
  return name + " " + momentText(window.from) + " to " + to + " (" + durationText(window.to - window.from) + ")";
}

function asTimes(alert, windows, firing) {
  return united(alert, [windows], firing);
}

// The value of a series at an evaluation; undefined where there is none.
function valueAt(series, tick) {
  const run = series.runs[firstNot(series.runs, (it) => it[1] <= tick)];
  return run && run[0] <= tick ? series.values[run[2] + tick - run[0]] : undefined;
}

function tickAt(alert, time) {
  return Math.min(alert.count - 1, Math.floor((time - alert.start) / alert.step));
}

// Two lanes, before and now. `deeds(which)` gives the windows of both states.
function lanesPicture(alert, label, deeds) {
  return {
    label,
    height: 2 * LANE + GAP,
    draw(svg, width) {
      if (blind(alert)) {
        drawNothing(svg, width);
        return drawIncidents(svg, alert.incidents, 2 * LANE + GAP, width);
      }
      drawGrid(svg, 2 * LANE + GAP, width);
      drawFates(svg, deeds("before").firing, deeds("now").firing, width);
      drawLane(svg, 0, "before", deeds("before").firing, deeds("before").pending, width);
      drawLane(svg, LANE + GAP, "now", deeds("now").firing, deeds("now").pending, width);
      drawIncidents(svg, alert.incidents, 2 * LANE + GAP, width);
    },
    tell(time) {
      const lines = blind(alert) ? ["no data"] : ["before", "now"].map((which) => which + ": " + stateText(alert, deeds(which).firing, deeds(which).pending, time));
      const incidents = alert.incidents.filter((it) => it.start <= time && time <= it.end);
      return [label, momentText(Math.round(time)), ...lines, ...valueLines(alert, chartsOf(alert)[0], time), ...incidents.map((it) => "incident " + visible(it.name))];
    },
    stops: () => ["before", "now"].flatMap((which) => [...deeds(which).firing, ...deeds(which).pending].map((window) => window.from)),
  };
}

const MOST_VALUES = 5;

// What an alert looks at: its comparisons, or where nothing is compared all that there is.
function chartsOf(alert) {
  if (alert.comparisons.length) return alert.comparisons;
  return [{ value: alert.expr, places: placesOf(alert.condition) }];
}

function valueLines(alert, chart, time) {
  const tick = tickAt(alert, time);
  const lines = [];
  for (const place of tick < 0 ? [] : chart.places) {
    const value = valueAt(alert.series[place], tick);
    if (value === undefined) continue;
    if (lines.push(shortText(value) + " " + labelsText(alert.series[place].labels)) > MOST_VALUES) {
      lines[MOST_VALUES] = "…";
      break;
    }
  }
  if (chart.op) lines.push("asked for " + chart.op + " " + shortText(boundOf(alert, chart.bound, valueOf)));
  return lines;
}

// The values that an alert looks at, and what it compares them with.
function chartPicture(alert, chart) {
  return {
    label: "Values of " + visible(chart.value),
    height: CHART,
    draw: (svg, width) => drawLimits(svg, alert, chart, width),
    back: (svg, width) => drawLines(svg, alert, chart, width),
    backFor() {
      const { low, high } = frameOf(alert, chart);
      return [shown.from, shown.to, low, high].join();
    },
    tell: (time) => [visible(chart.value), momentText(Math.round(time)), ...valueLines(alert, chart, time)],
  };
}

function extentOf(alert, places, first, last) {
  let [low, high] = [Infinity, -Infinity];
  for (const of of places) {
    const series = alert.series[of];
    for (const [from, to, place] of series.runs) {
      for (let tick = Math.max(from, first); tick < Math.min(to, last); tick++) {
        const value = series.values[place + tick - from];
        if (value < low && value !== -Infinity) low = value;
        if (value > high && value !== Infinity) high = value;
      }
    }
  }
  return [low, high];
}

const DASHES = ["none", "7 3", "2 2", "9 2 2 2"];

// What a chart shows: its evaluations, its limits before and now, and the heights of values.
function frameOf(alert, chart) {
  const first = Math.max(0, tickAt(alert, shown.from));
  const last = Math.min(alert.count, tickAt(alert, shown.to) + 2);
  const bounds = chart.op ? [boundOf(alert, chart.bound, (knob) => knob.before), boundOf(alert, chart.bound, valueOf)] : [];
  const seen = [first, last].join();
  if (chart.seen !== seen) Object.assign(chart, { seen, extent: extentOf(alert, chart.places, first, last) });
  let [low, high] = chart.extent;
  for (const bound of bounds.filter(Number.isFinite)) [low, high] = [Math.min(low, bound), Math.max(high, bound)];
  if (low > high) [low, high] = [0, 1];
  if (low === high) [low, high] = [low - Math.abs(low || 1) / 2, high + Math.abs(high || 1) / 2];
  const room = high / 2 - low / 2;
  const yOf = (value) => {
    const part = (value / 2 - low / 2) / room;
    return 8 + (CHART - 16) * (1 - Math.min(1.04, Math.max(-0.04, part)));
  };
  return { first, last, bounds, low, high, yOf };
}

// The lines, which stay where they are while a limit moves.
function drawLines(svg, alert, chart, width) {
  const { first, last, low, high, yOf } = frameOf(alert, chart);
  drawGrid(svg, CHART, width);
  for (const value of niceValues(low, high)) {
    const y = yOf(value).toFixed(1);
    svg.append(drawn("path", { class: "grid", d: "M" + GUTTER + " " + y + "H" + (width - EDGE) }), drawn("text", { class: "value", x: GUTTER - 5, y: Number(y) + 3.5 }, shortText(value)));
  }
  drawIncidents(svg, alert.incidents, CHART, width);
  for (const place of chart.places) svg.append(lineOf(alert, alert.series[place], first, last, yOf, width));
}

function drawLimits(svg, alert, chart, width) {
  const { bounds, yOf } = frameOf(alert, chart);
  if (chart.op) drawBounds(svg, chart.op, bounds, yOf, width);
}

function lineOf(alert, series, first, last, yOf, width) {
  const path = linePath(alert, series, first, last, yOf, width);
  return drawn("path", { class: "line line-" + (series.hue % 6), "stroke-dasharray": DASHES[Math.floor(series.hue / 6) % DASHES.length], d: path });
}

function drawBounds(svg, op, bounds, yOf, width) {
  if (Number.isNaN(bounds[1])) return;
  const line = (bound, kind) => {
    const y = yOf(bound).toFixed(1);
    svg.append(drawn("path", { class: kind, d: "M" + GUTTER + " " + y + "H" + (width - EDGE) }));
    return Number(y);
  };
  if (bounds[0] !== bounds[1] && !Number.isNaN(bounds[0])) line(bounds[0], "bound was");
  const y = line(bounds[1], "bound");
  const text = op + " " + shortText(bounds[1]);
  svg.append(drawn("text", { class: "bound-name", x: width - EDGE - 3, y: y < 24 ? y + 13 : y - 4 }, text));
}

function niceValues(low, high) {
  const rough = high / 4 - low / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((it) => it * power).find((it) => it >= rough) || rough;
  const values = [];
  if (!(step > 0) || !Number.isFinite(step)) return values;
  for (let at = Math.ceil(low / step); at * step <= high && values.length < 8; at++) values.push(Number((at * step).toPrecision(12)));
  return values;
}

// The line of a series, with the least and the greatest of each pixel.
function linePath(alert, series, first, last, yOf, width) {
  const parts = [];
  const scale = (width - GUTTER - EDGE) / (shown.to - shown.from);
  const xAt = (tick) => GUTTER + (timeOf(alert, tick) - shown.from) * scale;
  for (const [from, to, place] of series.runs) {
    if (to <= first || from >= last) continue;
    let pen = "M";
    let column = null;
    const flush = () => {
      if (!column) return;
      const x = column.x.toFixed(1);
      parts.push(pen + x + " " + yOf(column.first).toFixed(1));
      if (column.low !== column.high) parts.push("L" + x + " " + yOf(column.low).toFixed(1) + "L" + x + " " + yOf(column.high).toFixed(1) + "L" + x + " " + yOf(column.last).toFixed(1));
      else if (pen === "M") parts.push("h0.1");
      pen = "L";
      column = null;
    };
    for (let tick = Math.max(from, first); tick < Math.min(to, last); tick++) {
      const value = series.values[place + tick - from];
      if (Number.isNaN(value)) {
        flush();
        pen = "M";
        continue;
      }
      const x = xAt(tick);
      if (x < GUTTER - 0.5 || x > width - EDGE + 0.5) continue;
      if (column && Math.floor(x) !== column.pixel) flush();
      if (!column) column = { x, pixel: Math.floor(x), first: value, low: value, high: value, last: value };
      else {
        column.low = Math.min(column.low, value);
        column.high = Math.max(column.high, value);
        column.last = value;
      }
    }
    flush();
  }
  return parts.join("");
}
