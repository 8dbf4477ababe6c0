// The points of a sweep: a picture of what can be had, and a table to choose from.

const LENGTHS = ["firing", "longest", "time_to_detect"];
const PLOT = 220;

const sweep = page.sweep && {
  ...page.sweep,
  points: page.sweep.points.map(([values, told, undominated, meets], place) => {
    const measures = Object.fromEntries(Object.entries(told).map(([name, value]) => [name, value !== null && LENGTHS.includes(name) ? 1000 * value : value]));
    return { place, values, measures, undominated, meets };
  }),
};

function sweptSection() {
  byId("sweep").hidden = !sweep;
  if (!sweep) return;
  sweep.shown = sweep.points.slice().sort((a, b) => rankOf(a) - rankOf(b) || a.place - b.place);
  const moves = sweep.axes.filter((axis) => knobs().has(axis.knob));
  const lead = countText(sweep.points.length, "point") + " of " + sweep.axes.map((axis) => visible(axis.knob)).join(", ") + "." + (sweep.ranked ? " ★: no other point is better." : "");
  const counted = sweep.alerts.length < page.alerts.length ? " Counted here: " + sweep.alerts.map(visible).join(", ") + "; the numbers above are of all alerts." : "";
  const apart = sweep.axes.filter((axis) => !moves.includes(axis)).map((axis) => visible(axis.knob));
  const note = apart.length ? " No slider moves " + apart.join(", ") + ", so a point that sets it has only a command to run." : " Choosing a point sets the sliders.";
  byId("swept").append(element("p", {}, lead + counted + note), element("div", { class: "host", id: "plot" }), element("div", { id: "points" }));
  mount(byId("plot"), { label: "Points by pages a week" + (sweep.points[0].measures.recall === undefined ? "" : " and recall") + "; the table holds the same", height: PLOT, draw: drawPoints, still: true });
  fillPoints();
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

function fillPoints() {
  const columns = [
    ["", (point) => rankOf(point), (rank, point) => markOf(point)],
    ...sweep.axes.map((axis, place) => [visible(axis.knob), (point) => axis.values.indexOf(point.values[place]), (rank, point) => visible(point.values[place])]),
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

function drawPoints(svg, width) {
  const measures = sweep.points.map((point) => point.measures);
  const judged = measures[0].recall !== undefined;
  const across = (it) => it.pages_per_week;
  const up = judged ? (it) => it.recall : (it) => it.firings;
  const [right, top] = [Math.max(...measures.map(across), 1e-9), judged ? 1 : Math.max(...measures.map(up), 1)];
  const xAt = (value) => GUTTER + 8 + (value / right) * (width - GUTTER - 40);
  const yAt = (value) => 14 + (1 - value / top) * (PLOT - 54);
  for (const value of niceValues(0, right)) svg.append(drawn("path", { class: "grid", d: "M" + xAt(value).toFixed(1) + " 10V" + (PLOT - 34) }), drawn("text", { class: "tick", x: xAt(value).toFixed(1), y: PLOT - 20 }, shortText(value)));
  for (const value of niceValues(0, top)) svg.append(drawn("path", { class: "grid", d: "M" + GUTTER + " " + yAt(value).toFixed(1) + "H" + (width - EDGE) }), drawn("text", { class: "value", x: GUTTER - 5, y: yAt(value) + 4 }, shortText(value)));
  svg.append(drawn("text", { class: "tick", x: width / 2, y: PLOT - 4 }, "pages a week, less is better"), drawn("text", { class: "value axis-name", x: GUTTER + 4, y: 10 }, judged ? "recall" : "firings"));
  // The many below, those worth a look above them; one at each place is enough.
  const drawnAt = new Set();
  for (const point of sweep.points.slice().sort((a, b) => rankOf(b) - rankOf(a))) {
    const [x, y] = [xAt(across(point.measures)).toFixed(1), yAt(up(point.measures)).toFixed(1)];
    const kind = point.place === sweep.best ? "point chosen" : point.undominated && sweep.ranked ? "point best" : point.place === sweep.present ? "point present" : "point";
    if (drawnAt.has(kind + x + "," + y)) continue;
    drawnAt.add(kind + x + "," + y);
    const title = drawn("title", {}, [markOf(point), ...point.values.map((value, place) => visible(sweep.axes[place].knob) + "=" + visible(value))].filter(Boolean).join(" "));
    const shape = drawn("circle", { class: kind, cx: x, cy: y, r: kind === "point" ? 3 : 6 }, title);
    if (canSet(point)) shape.addEventListener("click", () => choosePoint(point));
    svg.append(shape);
  }
}
