// The points of a sweep: a picture of what can be had, and a table to choose from.

const LENGTHS = ["firing", "longest", "time_to_detect"];
const PLOT = 230;

const sweep = page.sweep && {
  ...page.sweep,
  ranked: page.sweep.by.length > 0,
  points: page.sweep.points.map(([values, told, undominated, meets], place) => {
    const measures = Object.fromEntries(Object.entries(told).map(([name, value]) => [name, value !== null && LENGTHS.includes(name) ? 1000 * value : value]));
    return { place, values, measures, undominated, meets };
  }),
};

// Which way is better, where that goes without saying.
const BETTER = { recall: "more", found: "more", precision: "more", false_pages: "less", missed: "less", time_to_detect: "less", pages: "less", pages_per_week: "less", flaps: "less" };

function nameOf(measure) {
  const known = TOTALS.find(([name]) => name === measure);
  return measure === "time_to_detect" ? "time to detect" : known ? known[1] : measure.replaceAll("_", " ");
}

function betterText(measure) {
  return nameOf(measure) + (BETTER[measure] ? ", " + BETTER[measure] + " is better" : "");
}

// The measures by which the points are ranked, those that count first in front, and then those that count where others are equal.
function rankingMeasures() {
  const all = Object.keys(sweep.points[0].measures);
  const words = sweep.by.map((text) => text.match(/[a-z_]+/g).filter((word) => all.includes(word)));
  return [...new Set([...words.map((of) => of[0]), ...words.flat()])].filter(Boolean);
}

function differs(measure) {
  return new Set(sweep.points.map((point) => point.measures[measure])).size > 1;
}

// What is drawn across and upwards: of what the points are ranked by, what differs between them.
function axesOf() {
  const all = Object.keys(sweep.points[0].measures);
  const counting = rankingMeasures().filter(differs);
  const order = [...counting, "pages_per_week", "recall", "firings", "firing", ...all].filter((measure) => all.includes(measure));
  const across = ["false_pages", "pages_per_week", "pages"].find((measure) => counting.includes(measure)) || order[0];
  return { across, up: order.find((measure) => measure !== across) || across, all };
}

function sweptSection() {
  byId("sweep").hidden = !sweep;
  if (!sweep) return;
  sweep.shown = sweep.points.slice().sort((a, b) => rankOf(a) - rankOf(b) || a.place - b.place);
  Object.assign(sweep, axesOf());
  const moves = sweep.axes.filter((axis) => knobs().has(axis.knob));
  const counted = sweep.alerts.length < page.alerts.length ? " Counted here: " + sweep.alerts.map(visible).join(", ") + "; the numbers above are of all alerts." : "";
  const apart = sweep.axes.filter((axis) => !moves.includes(axis)).map((axis) => visible(axis.knob));
  const note = apart.length ? " No slider moves " + apart.join(", ") + ", so a point that sets it has only a command to run." : " Choosing a point sets the sliders.";
  const lead = element("p", {}, countText(sweep.points.length, "point") + " of " + sweep.axes.map((axis) => visible(axis.knob)).join(", ") + "." + counted + note);
  const choices = element("div", { class: "bar" }, axisChoice("across", "Across"), axisChoice("up", "Up"));
  const plot = element("div", { class: "host", id: "plot" });
  const drawing = mount(plot, { label: "Points of the sweep; the table holds the same", height: PLOT, draw: drawPoints, still: true });
  sweep.drawing = drawing;
  const told = element("p", { class: "caption" });
  sweep.told = told;
  byId("swept").append(lead, element("div", { class: "pair" }, element("div", {}, choices, plot, pointLegend(), told), element("div", { id: "points", tabindex: "0", role: "region", "aria-label": "Points as a table" })));
  tellRanking();
  fillPoints();
}

function axisChoice(which, label) {
  const options = sweep.all.map((measure) => element("option", { value: measure, selected: measure === sweep[which] }, nameOf(measure)));
  const choice = element("select", { id: "axis-" + which }, ...options);
  choice.addEventListener("change", () => {
    sweep[which] = choice.value;
    tellRanking();
    redraw([sweep.drawing]);
  });
  return element("label", { class: "choice" }, label + " ", choice);
}

// By what the points are ranked, and what of that the chart does not show.
function tellRanking() {
  if (!sweep.ranked) return sweep.told.replaceChildren("Nothing ranks these points: give --incidents or --goal.");
  const named = (text) => text.replace(/[a-z]+(_[a-z]+)+/g, nameOf);
  const hidden = rankingMeasures().filter((measure) => measure !== sweep.across && measure !== sweep.up);
  const [differing, alike] = [hidden.filter(differs), hidden.filter((measure) => !differs(measure))];
  const beaten = differing.length ? " The chart does not show " + differing.map(nameOf).join(" and ") + ": a ★ that looks beaten here is better there." : "";
  const same = alike.length ? " Alike at all points: " + alike.map(nameOf).join(", ") + "." : "";
  sweep.told.replaceChildren("★: no other point is as good in " + sweep.by.map(named).join(" and in ") + ", and better in any." + beaten + same);
}

// What the marks of points mean.
function pointLegend() {
  const entry = (kind, text) => {
    const key = drawn("svg", { class: "key mark", viewBox: "0 0 16 16", "aria-hidden": "true" }, shapeOf(kind, 8, 8));
    return element("li", {}, key, text);
  };
  const kinds = [["best", "★", sweep.ranked], ["chosen", "meets every goal, nearest to what is", sweep.best !== null], ["present", "what is", sweep.present !== null], ["plain", "another point", true]];
  return element("ul", { class: "legend" }, ...kinds.filter((it) => it[2]).map(([kind, text]) => entry(kind, text === "★" ? "no other is better" : text)));
}

// A mark that can be told from the others by its form.
function shapeOf(kind, x, y) {
  if (kind === "plain") return drawn("circle", { class: "point", cx: x, cy: y, r: 3 });
  if (kind === "present") return drawn("circle", { class: "point present", cx: x, cy: y, r: 7.5 });
  if (kind === "chosen") return drawn("path", { class: "point chosen", d: "M" + x + " " + (y - 7) + "L" + (x + 7) + " " + y + "L" + x + " " + (y + 7) + "L" + (x - 7) + " " + y + "z" });
  const corners = Array.from({ length: 10 }, (none, corner) => {
    const [angle, radius] = [(corner * Math.PI) / 5, corner % 2 ? 3 : 7];
    return (x + radius * Math.sin(angle)).toFixed(1) + " " + (y - radius * Math.cos(angle)).toFixed(1);
  });
  return drawn("path", { class: "point best", d: "M" + corners.join("L") + "z" });
}

// What is worth a look first.
function rankOf(point) {
  if (point.place === sweep.best) return 0;
  if (point.place === sweep.present) return 1;
  return point.undominated ? 2 : 3;
}

function markOf(point) {
  const marks = [point.undominated && sweep.ranked ? "★" : "", point.meets ? "meets goals" : "", point.place === sweep.best ? "nearest" : "", point.place === sweep.present ? "present" : ""];
  return marks.filter(Boolean).join(" ");
}

// The name of a knob without that of its alert where all that were swept belong to one.
function shortKnob(name) {
  const owner = (it) => it.slice(0, it.lastIndexOf(".") + 1);
  const is = sweep.axes.every((axis) => owner(axis.knob) === owner(name));
  return visible(is ? name.slice(owner(name).length) : name);
}

function fillPoints() {
  const columns = [
    ["", (point) => rankOf(point), (rank, point) => markOf(point)],
    ...sweep.axes.map((axis, place) => [shortKnob(axis.knob), (point) => axis.values.indexOf(point.values[place]), (rank, point) => visible(point.values[place])]),
    ...TOTALS.filter(([measure]) => sweep.points[0].measures[measure] !== undefined).map(([measure, name, show]) => [name, (point) => point.measures[measure], show]),
  ];
  const head = columns.map(([name, value], place) => element("th", { scope: "col" }, element("button", { type: "button", onclick: () => sortPoints(value, place) }, name || "worth a look")));
  const rows = sweep.shown.slice(0, MOST_ROWS).map((point) => {
    const tells = columns.map(([, value, show]) => element("td", {}, show(value(point), point)));
    const choose = element("button", { type: "button", onclick: () => choosePoint(point) }, "Set");
    return element("tr", { class: point.undominated && sweep.ranked ? "best" : null }, ...tells, element("td", {}, canSet(point) ? choose : element("code", {}, setsOf(point))));
  });
  const left = sweep.shown.length - rows.length;
  const table = element("table", {}, element("thead", {}, element("tr", {}, ...head, element("td", {}))), element("tbody", {}, ...rows));
  byId("points").replaceChildren(...[table, left ? element("p", {}, "and " + left + " more; --format json holds all") : null].filter(Boolean));
}

// By a column, and by the same once more the other way round.
function sortPoints(value, column) {
  sweep.down = sweep.by === column && !sweep.down;
  sweep.by = column;
  const order = (point) => value(point) ?? Infinity;
  sweep.shown.sort((a, b) => (sweep.down ? order(b) - order(a) : order(a) - order(b)) || a.place - b.place);
  fillPoints();
}

function setsOf(point) {
  return sweep.axes.map((axis, place) => "--set " + shellText(axis.knob + "=" + point.values[place])).join(" ");
}

function canSet(point) {
  return sweep.axes.every((axis, place) => {
    const knob = knobs().get(axis.knob);
    return knob ? knobValue(knob, point.values[place]) !== null : false;
  });
}

function choosePoint(point) {
  sweep.axes.forEach((axis, place) => {
    const knob = knobs().get(axis.knob);
    set(knob, knobValue(knob, point.values[place]));
  });
}

// A way of a measure to a place between two ends; what there is no number of, such as the delay of what was never found, comes
// behind the greatest.
function scaleOf(measure, from, to) {
  const values = sweep.points.map((point) => point.measures[measure]);
  const most = Math.max(...values.filter((value) => value !== null), 0) || 1;
  const none = values.includes(null);
  const end = none ? from + (to - from) * 0.9 : to;
  const steps = niceValues(0, most);
  const isLength = LENGTHS.includes(measure);
  const step = isLength ? STEPS.find((it) => it >= most / 4) || most / 4 : 0;
  const ticks = isLength ? Array.from({ length: Math.floor(most / step) + 1 }, (nothing, place) => place * step) : steps;
  const at = (value) => (value === null ? to : from + (value / most) * (end - from));
  return { at, ticks: [...ticks.map((value) => [at(value), isLength ? durationText(value) : shortText(value)]), ...(none ? [[to, "never"]] : [])] };
}

function kindOf(point) {
  if (point.place === sweep.best) return "chosen";
  return point.undominated && sweep.ranked ? "best" : "plain";
}

function drawPoints(svg, width) {
  const x = scaleOf(sweep.across, GUTTER + 10, width - 26);
  const y = scaleOf(sweep.up, PLOT - 44, 34);
  for (const [at, text] of x.ticks) svg.append(drawn("path", { class: "grid", d: "M" + at.toFixed(1) + " 22V" + (PLOT - 36) }), drawn("text", { class: "tick", x: at.toFixed(1), y: PLOT - 22 }, text));
  for (const [at, text] of y.ticks) svg.append(drawn("path", { class: "grid", d: "M" + GUTTER + " " + at.toFixed(1) + "H" + (width - EDGE) }), drawn("text", { class: "value", x: GUTTER - 5, y: at + 4 }, text));
  svg.append(drawn("text", { class: "tick", x: (GUTTER + width) / 2, y: PLOT - 5 }, betterText(sweep.across)), drawn("text", { class: "value axis-name", x: 4, y: 11 }, betterText(sweep.up)));
  // Those at one place are one mark, that of the one most worth a look; those worth least below.
  const places = new Map();
  for (const point of sweep.points.slice().sort((a, b) => rankOf(a) - rankOf(b) || a.place - b.place)) {
    const at = [x.at(point.measures[sweep.across]).toFixed(1), y.at(point.measures[sweep.up]).toFixed(1)].join();
    places.set(at, [...(places.get(at) || []), point]);
  }
  for (const points of [...places.values()].reverse()) drawPlace(svg, points, x.at(points[0].measures[sweep.across]), y.at(points[0].measures[sweep.up]));
}

const MOST_TOLD = 6;

function drawPlace(svg, points, x, y) {
  const tells = points.slice(0, MOST_TOLD).map((point) => [markOf(point), ...point.values.map((value, place) => shortKnob(sweep.axes[place].knob) + "=" + visible(value))].filter(Boolean).join(" "));
  if (points.length > MOST_TOLD) tells.push("and " + (points.length - MOST_TOLD) + " more");
  const kind = ["chosen", "best", "plain"].find((kind) => points.some((point) => kindOf(point) === kind));
  const mark = drawn("g", { class: "place" }, drawn("title", {}, tells.join("\n")), shapeOf(kind, Number(x.toFixed(1)), Number(y.toFixed(1))));
  if (points.some((point) => point.place === sweep.present)) mark.append(shapeOf("present", Number(x.toFixed(1)), Number(y.toFixed(1))));
  const stars = points.filter((point) => kindOf(point) !== "plain").length;
  if (stars > 1) mark.append(drawn("text", { class: "times", x: (x + 9).toFixed(1), y: (y - 5).toFixed(1) }, "×" + stars));
  if (canSet(points[0])) mark.addEventListener("click", () => choosePoint(points[0]));
  svg.append(mark);
}
