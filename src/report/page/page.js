// The page: what is written where, and what moves it.

function heading() {
  const about = [page.rules.map(visible).join(", ") + " over " + page.data.map(visible).join(", ") + ", " + momentText(page.start) + " to " + momentText(page.end) + " UTC."];
  const moves = page.alerts.some((alert) => movable(alert).length);
  byId("lead").textContent = moves ? "Move a slider of an alert: its windows, the counts and the incidents follow at once. “Before” is what the rules did before anything was moved." : "";
  if (page.changes.length) about.push("Set: " + page.changes.map((it) => visible(it.knob) + " from " + visible(it.from) + " to " + visible(it.to)).join(", ") + ".");
  byId("about").textContent = about.join(" ");
}

function cells(name, texts, title) {
  return element("tr", {}, element("th", { scope: "row", title }, name), ...texts.map((text) => element("td", {}, text)));
}

// A table of what was and what is.
function compareTable(caption, rows) {
  const head = element("tr", {}, element("td", {}), element("th", { scope: "col" }, "before"), element("th", { scope: "col" }, "now"));
  const body = rows.map(([name, before, now, title]) => {
    const row = cells(name, [before, now], title);
    if (before !== now) row.lastChild.className = "changed";
    return row;
  });
  return element("table", { class: "compare" }, element("caption", {}, caption), element("thead", {}, head), element("tbody", {}, ...body));
}

const MOST_ROWS = 500;

function shareText(share) {
  return share === null ? "none" : shortText(100 * share) + " %";
}

// The numbers of all alerts together: name, how it is shown, what it means.
const TOTALS = [
  ["firings", "firings", String],
  ["firing", "time firing", durationText, "all instances added up"],
  ["flaps", "flaps", String, "firings of less than " + durationText(FLAP)],
  ["pages_per_week", "pages a week", shortText, "times in which any instance of an alert fires count as one"],
  ["found", "incidents found", (found) => found + " of " + page.incidents.length, "an alert that the incident names fires in it, or in the grace after it"],
  ["time_to_detect", "found after", (delay) => (delay === null ? "never" : durationText(roundTo(delay, 1000))), "on average, from the start of an incident"],
  ["false_pages", "false pages", String, "no incident that names the alert is near"],
  ["precision", "precision", shareText, "the share of pages that are not false"],
  ["recall", "recall", shareText, "the share of incidents that are found"],
];

function totals() {
  const [before, now] = ["before", "now"].map(measuresOf);
  // Recall says what the found incidents do.
  const known = TOTALS.filter(([measure]) => before[measure] !== undefined && measure !== "recall");
  const rows = known.map(([measure, name, show, title]) => [name, show(before[measure]), show(now[measure]), title]);
  if (page.incidents.length) {
    showIncidents(["before", "now"].map(judge));
    const told = [before, now].map((it) => it.found + " of " + page.incidents.length);
    byId("incidents-title").textContent = countText(page.incidents.length, "incident") + ": found " + (told[0] === told[1] ? told[1] : told[0] + " before, " + told[1] + " now");
  }
  const tiles = rows.map(([name, before, now, title]) => {
    const is = before === now ? [now] : [element("s", {}, before), element("span", { class: "sr" }, " before, now "), element("b", {}, now)];
    return element("div", { class: before === now ? "tile" : "tile moved", title }, element("dt", {}, name), element("dd", {}, ...is));
  });
  byId("totals").replaceChildren(...tiles);
}

function showIncidents([before, now]) {
  const fate = (it) => (it.found ? "found after " + durationText(it.after) : "missed");
  const head = ["incident", "from", "to", "alerts", "before", "now"].map((name) => element("th", { scope: "col" }, name));
  const rows = page.incidents.slice(0, MOST_ROWS).map((incident, place) => {
    const texts = [momentText(incident.start), momentText(incident.end), incident.alerts.map(visible).join(", "), fate(before.incidents[place]), fate(now.incidents[place])];
    const row = cells(visible(incident.name), texts);
    if (texts[3] !== texts[4]) row.lastChild.className = "changed";
    return row;
  });
  const table = element("table", {}, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...rows));
  const left = page.incidents.length - rows.length;
  byId("judged").replaceChildren(...[table, left ? element("p", {}, "and " + left + " more, which count above") : null].filter(Boolean));
}

function outcomeTable(alert) {
  const [before, now] = [alert.before.outcome, alert.now.outcome];
  const row = (name, pick, title) => [name, pick(before), pick(now), title];
  return compareTable("What it does", [
    row("firings", (it) => String(it.firings)),
    row("time firing", (it) => durationText(it.firing), "all instances added up"),
    row("longest", (it) => durationText(it.longest)),
    row("instances", (it) => String(it.instances)),
    row("flaps", (it) => String(it.flaps), "firings of less than " + durationText(FLAP)),
    row("first", (it) => (it.first === null ? "never" : momentText(it.first).replace(/(:\d\d):00$/, "$1"))),
  ]);
}

function windowTable(alert) {
  const rows = [];
  let left = 0;
  for (const which of ["before", "now"]) {
    alert[which].all.forEach((windows, place) => {
      for (const window of windows) {
        if (rows.length >= MOST_ROWS) {
          left++;
          continue;
        }
        const from = timeOf(alert, window.from);
        const texts = [labelsText(alert.instances[place].labels), window.firing ? "firing" : "pending", momentText(from), window.to === null ? "the end" : momentText(timeOf(alert, window.to)), durationText(endOf(alert, window) - from)];
        rows.push(cells(which, texts));
      }
    });
  }
  const head = ["when", "instance", "state", "from", "to", "lasted"].map((name) => element("th", { scope: "col" }, name));
  const table = element("table", {}, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...rows));
  if (!rows.length) return element("p", {}, "It was never pending or firing.");
  return left ? element("div", {}, table, element("p", {}, "and " + left + " more")) : table;
}

// The comparison that a threshold is part of.
function comparisonOf(alert, knob) {
  const place = alert.knobs.indexOf(knob);
  return alert.comparisons.find((it) => it.bound.some((step) => step.knob === place));
}

// Where the slider of a knob begins and ends, and its step.
function rangeOf(alert, knob) {
  if (knob.kind !== "threshold") {
    const most = Math.max(60 * alert.step, 4 * knob.now, 4 * knob.before);
    return { least: 0, most: Math.ceil(most / alert.step) * alert.step, step: alert.step };
  }
  const known = [knob.now, knob.before].filter(Number.isFinite);
  let ends = [...known, 0];
  const compare = comparisonOf(alert, knob);
  const at = (value) => boundOf(alert, compare.bound, (other) => (other === knob ? value : other.now));
  const slope = at(1) - at(0);
  const values = extentOf(alert, compare.places, 0, alert.count);
  if (values[0] <= values[1] && slope !== 0) ends = [...known, ...values.map((value) => (value - at(0)) / slope)];
  ends = ends.filter(Number.isFinite);
  let [least, most] = [Math.min(...ends, Infinity), Math.max(...ends, -Infinity)];
  if (!(least < most)) [least, most] = ends.length ? [Math.min(0, 2 * least), Math.max(1, 2 * most)] : [0, 1];
  const step = Number((10 ** Math.floor(Math.log10((most - least) / 300))).toPrecision(1));
  if (!(step > 0) || !Number.isFinite(step)) return { least, most, step: "any" };
  const tidy = (value) => Number((value * step).toPrecision(12));
  return { least: tidy(Math.floor(least / step)), most: tidy(Math.ceil(most / step)), step };
}

// A slider and a field for a knob.
function control(alert, knob, number) {
  const id = "knob-" + page.alerts.indexOf(alert) + "-" + number;
  const { least, most, step } = rangeOf(alert, knob);
  const slider = element("input", { type: "range", id: id + "-slider", min: least, max: most, step, "aria-label": visible(knob.name) });
  const field = element("input", { type: "text", id, autocomplete: "off", spellcheck: "false", inputmode: knob.kind === "threshold" ? "decimal" : "text" });
  const fault = element("span", { class: "fault", id: id + "-fault", hidden: true });
  field.setAttribute("aria-describedby", fault.id);
  const was = element("button", { type: "button", class: "was", title: "Put it back" }, "was " + knobText(knob, knob.before));
  slider.addEventListener("input", () => set(knob, Number(slider.value)));
  field.addEventListener("input", () => {
    const value = knobValue(knob, field.value);
    refuse(value === null ? (knob.kind === "threshold" ? "a number such as 0.05" : "a duration such as 90s, 5m or 1h30m") : "");
    if (value !== null) set(knob, value, field);
  });
  field.addEventListener("change", () => {
    if (knobValue(knob, field.value) === null) show();
  });
  was.addEventListener("click", () => set(knob, knob.before));
  function refuse(text) {
    field.setAttribute("aria-invalid", text ? "true" : "false");
    fault.textContent = text;
    fault.hidden = !text;
  }
  function show(typing) {
    const value = valueOf(knob);
    if (Number.isFinite(value)) {
      if (value < Number(slider.min)) slider.min = value;
      if (value > Number(slider.max)) slider.max = value;
      slider.value = value;
    }
    slider.setAttribute("aria-valuetext", knobText(knob, value));
    if (typing !== field) {
      field.value = knobText(knob, value);
      refuse("");
    }
    was.classList.toggle("moved", !Object.is(value, knob.before));
  }
  knob.shows = show;
  show();
  const nth = alert.knobs.filter((it) => it.kind === knob.kind);
  const name = knob.kind + (nth.length > 1 ? " " + (nth.indexOf(knob) + 1) : "");
  const compare = knob.kind === "threshold" && alert.comparisons.length > 1 ? comparisonOf(alert, knob) : null;
  const of = compare && element("code", { class: "of" }, visible(compare.value) + " " + compare.op);
  return element("div", { class: "knob" }, element("label", { for: id }, name), slider, field, was, of, fault);
}

// Which knobs of an alert move here.
function movable(alert) {
  return alert.knobs.filter((knob) => knob.moves);
}

// Those of all alerts, by their names.
function knobs() {
  return new Map(page.alerts.flatMap((alert) => movable(alert)).map((knob) => [knob.name, knob]));
}

let noting = 0;

// The alerts that must be worked out again before anything is shown of them.
const open = new Set();

// Sets a knob, and all that are the same text. What comes of it is shown with the next picture, however many are set until then.
function set(knob, value, typing) {
  setting.set(knob.text, value);
  for (const { alert, knob: other } of sameText.get(knob.text)) {
    if (other.shows) other.shows(typing);
    if (!open.size) requestAnimationFrame(update);
    open.add(alert);
  }
}

function update() {
  if (!open.size) return;
  const touched = [...open];
  open.clear();
  for (const alert of touched) {
    alert.now = deedsOf(alert, windowsNow(alert));
    refresh(alert);
  }
  // With this picture, not with the next one.
  paintAll();
  totals();
  command();
  clearTimeout(noting);
  noting = setTimeout(() => {
    note();
    say(touched.slice(0, 5).map((alert) => visible(alert.name) + ": " + countText(alert.now.outcome.firings, "firing") + ", " + alert.before.outcome.firings + " before").join("; "));
  }, 300);
}

// All knobs that are one text, with their alerts.
const sameText = new Map();
for (const alert of page.alerts) for (const knob of alert.knobs) sameText.set(knob.text, [...(sameText.get(knob.text) || []), { alert, knob }]);

function refresh(alert) {
  const view = alert.view;
  tellCounts(alert);
  view.figures.replaceChildren(outcomeTable(alert));
  if (view.table.open) view.windows.replaceChildren(windowTable(alert));
  if (view.instances && view.instances.open) fillInstances(alert);
  redraw(view.drawings);
}

function countsText(alert) {
  const [before, now] = [alert.before.outcome.firings, alert.now.outcome.firings];
  if (isQuiet(alert)) return blind(alert) ? "no data" : isPending(alert) ? "pending, never fired" : "never fired";
  return before === now ? countText(now, "firing") : countText(before, "firing") + " → " + now;
}

// What is set to something else than before, as `[name, value]`.
function moved() {
  const seen = new Set();
  const all = page.alerts.flatMap((alert) => movable(alert)).filter((knob) => !seen.has(knob.text) && seen.add(knob.text));
  return all.filter((knob) => !Object.is(valueOf(knob), knob.before)).map((knob) => [knob.name, knobText(knob, valueOf(knob))]);
}

// What is set, as the end of an address.
function link() {
  return "#" + moved().map(([name, value]) => encodeURIComponent(name) + "=" + encodeURIComponent(value)).join("&");
}

function note() {
  try {
    history.replaceState(null, "", link());
  } catch {
    // Some browsers refuse for files; the link is a convenience.
  }
}

function command() {
  const live = new Set(page.alerts.flatMap((alert) => movable(alert)).map((knob) => knob.name));
  const others = page.changes.filter((it) => !live.has(it.knob)).map((it) => [it.knob, it.to]);
  const sets = [...others, ...moved()].flatMap(([name, value]) => ["--set", shellText(name + "=" + value)]);
  byId("command").value = ["rulecheck whatif", ...page.command.map(shellText), ...sets].join(" ");
}

// Sets what a link says: `#Alert.threshold=5&Alert.for=10m`. What it does not name is as the page began.
function follow() {
  const parts = location.hash.slice(1).split("&").filter((part) => part.includes("="));
  if (!parts.length) return;
  const unknown = [];
  for (const part of parts) {
    const [name, ...rest] = part.split("=");
    let words;
    try {
      words = [decodeURIComponent(name), decodeURIComponent(rest.join("="))];
    } catch {
      words = [name, rest.join("=")];
    }
    const knob = knobs().get(words[0]);
    const value = knob ? knobValue(knob, words[1]) : null;
    if (value === null) unknown.push(words.map(visible).join("="));
    else set(knob, value);
  }
  if (unknown.length) {
    update();
    clearTimeout(noting);
    say("The link asks for what does not move here: " + unknown.join(", "));
  }
}

const MOST_INSTANCES = 50;

function fillInstances(alert) {
  const view = alert.view;
  for (const drawing of view.lanes) drawings.splice(drawings.indexOf(drawing), 1);
  view.drawings = view.drawings.filter((it) => !view.lanes.includes(it));
  view.lanes = [];
  view.list.replaceChildren();
  alert.instances.slice(0, MOST_INSTANCES).forEach((instance, place) => {
    const deeds = { before: null, now: null };
    for (const which of ["before", "now"]) {
      const windows = alert[which].all[place];
      deeds[which] = { firing: asTimes(alert, windows, true), pending: asTimes(alert, windows, false) };
    }
    const label = labelsText(instance.labels);
    const host = element("div", { class: "host" });
    view.list.append(element("div", { class: "instance" }, element("bdi", { class: "labels line-key-" + (place % 6) }, label), host));
    view.lanes.push(mount(host, lanesPicture(alert, label, (which) => deeds[which])));
  });
  if (alert.instances.length > MOST_INSTANCES) view.list.append(element("p", {}, "and " + (alert.instances.length - MOST_INSTANCES) + " more, which count above and stand in the table"));
  view.drawings.push(...view.lanes);
  redraw(view.lanes);
}

function row(alert) {
  const view = (alert.view = { drawings: [], lanes: [] });
  view.counts = element("span", { class: "counts" });
  view.state = element("span", { class: "counts" });
  const link = element("a", { href: "#alert-" + alert.number, onclick: (event) => reveal(event, alert.number) }, element("bdi", {}, visible(alert.name)));
  const host = element("div", { class: "host" });
  view.row = element("div", { class: "row" }, element("div", { class: "row-head" }, link, view.counts), host);
  const label = visible(alert.name);
  view.drawings.push(mount(host, lanesPicture(alert, label, (which) => alert[which])));
  return view.row;
}

// What an alert did, in its row and its card. One that fires now is no longer folded away.
function tellCounts(alert) {
  const view = alert.view;
  view.counts.textContent = view.state.textContent = countsText(alert);
  if (view.fold && !isQuiet(alert)) {
    view.fold.leave(alert);
    view.fold = null;
  }
}

// Where alerts lie that would stand in the way of others: closed, with a line that says how many. One that leaves goes to the
// end of what stands before.
function fold(alerts, host, says) {
  const line = element("summary", {});
  const inside = element("div", {}, ...alerts.map((alert) => alert.view.row));
  const box = element("details", { class: "fold" }, line, inside);
  const tell = () => {
    line.textContent = says(inside.children.length);
    box.hidden = !inside.children.length;
  };
  const leave = (alert) => {
    byId("rows").append(alert.view.row);
    tell();
  };
  for (const alert of alerts.filter(isQuiet)) alert.view.fold = { leave };
  tell();
  host.append(box);
}

// A link within the page, which must not wipe out what the address says is set.
function reveal(event, number) {
  event.preventDefault();
  const card = byId("alert-" + number);
  for (let box = card; box; box = box.parentElement.closest("details")) box.open = true;
  card.scrollIntoView({ block: "start" });
  card.firstChild.focus();
}

function card(alert, isOpen) {
  const view = alert.view;
  const title = element("summary", {}, element("h3", {}, element("bdi", {}, visible(alert.name))), element("span", { class: "group" }, visible(alert.group)), view.state);
  const box = element("details", { class: "card", id: "alert-" + alert.number, open: isOpen }, title);
  box.append(element("pre", { class: "expr" }, element("code", {}, visible(alert.expr))));
  if (alert.missing.length) box.append(missingNote(alert));
  if (alert.fixed) box.append(element("p", { class: "note" }, "Nothing moves here: " + alert.fixed + ", so only a replay shows what a change does. Its timeline is that of the values as they were given."));
  else if (alert.why) box.append(element("p", { class: "note" }, "No threshold moves here: " + alert.why + "."));
  const controls = movable(alert).map((knob, place) => control(alert, knob, place));
  view.figures = element("div", { class: "figures" }, outcomeTable(alert));
  const set = controls.length ? element("fieldset", {}, element("legend", {}, "Move"), ...controls) : null;
  box.append(element("div", { class: "panel" }, ...[set, view.figures].filter(Boolean)));
  const host = element("div", { class: "host" });
  box.append(host);
  const charts = chartsOf(alert).filter((chart) => chart.places.length);
  for (const chart of charts.slice(0, MOST_CHARTS)) {
    if (charts.length > 1) host.append(element("code", { class: "charted" }, visible(chart.value)));
    view.drawings.push(mount(host, chartPicture(alert, chart)));
  }
  view.drawings.push(mount(host, lanesPicture(alert, visible(alert.name) + ", all instances", (which) => alert[which])));
  view.drawings.push(mount(host, { label: "Time", height: 22, draw: drawAxis }));
  instancesBox(alert, box);
  if (alert.others.length) box.append(othersBox(alert));
  view.windows = element("div", {});
  view.table = element("details", {}, element("summary", {}, "Windows as a table"), view.windows);
  view.table.addEventListener("toggle", () => view.table.open && view.windows.replaceChildren(windowTable(alert)));
  box.append(view.table);
  return box;
}

// What the data does not have of what an alert asks for.
function missingNote(alert) {
  const asked = alert.missing.flatMap((text, place) => [place ? ", " : "", element("code", {}, visible(text))]);
  const then = blind(alert) ? ": it can't fire here, whatever is set." : ".";
  return element("p", { class: "note" }, "No data: no series of the data is one of ", ...asked, then);
}

const MOST_CHARTS = 6;

// What moves only in a terminal, and how.
function othersBox(alert) {
  const sets = alert.others.map(([name, value]) => "--set " + shellText(name + "=" + value));
  const first = [...page.command.map(shellText), sets[0]].join(" ");
  const text = "Moving these changes what is worked out before anything is compared, which takes a replay: put another value behind one, such as in";
  const list = element("ul", {}, ...sets.map((set) => element("li", {}, element("code", {}, visible(set)))));
  const summary = element("summary", {}, countText(sets.length, "more number") + " in its rule, which only a terminal moves");
  return element("details", {}, summary, element("p", {}, text), element("pre", { class: "expr" }, element("code", {}, visible("rulecheck whatif " + first))), list);
}

function instancesBox(alert, box) {
  if (!alert.instances.length) return;
  const view = alert.view;
  view.list = element("div", {});
  view.instances = element("details", {}, element("summary", {}, countText(alert.instances.length, "instance")), view.list);
  view.instances.addEventListener("toggle", () => view.instances.open && fillInstances(alert));
  box.append(view.instances);
}

// So many cards stand in front, and so many are open.
const MOST_STUDIED = 3;
const MOST_OPEN = 3;
// So many alerts stand below each other before the rest is folded away.
const MOST_PLAIN = 30;

// What is folded away, what a line says of that in the timeline, and what in the list of alerts.
const QUIET = [
  [(alert) => isQuiet(alert) && !blind(alert) && !alert.incidents.length, (count) => countText(count, "alert") + " without firing", (count) => countText(count, "alert") + " that never fired"],
  [blind, (count) => countText(count, "alert") + " without data: what " + (count === 1 ? "it needs" : "they need") + " is not there", (count) => countText(count, "alert") + " without data"],
];

function begin() {
  document.title = visible(page.title);
  heading();
  byId("incidents").hidden = !page.incidents.length;
  byId("incident-key").hidden = !page.incidents.length;
  sweptSection();
  mount(byId("axis"), { label: "Time", height: 22, wheels: true, draw: drawAxis });
  const alerts = page.alerts.slice().sort((a, b) => interest(a) - interest(b) || a.number - b.number);
  const first = alerts.filter((alert, place) => (place === 0 || alert.isStudied) && place < MOST_STUDIED);
  for (const alert of alerts) {
    row(alert);
    tellCounts(alert);
  }
  const kinds = [...QUIET, [() => true]];
  const groups = kinds.map(() => []);
  for (const alert of alerts) groups[first.includes(alert) ? QUIET.length : kinds.findIndex(([of]) => of(alert))].push(alert);
  const plain = groups.pop();
  const others = plain.filter((alert) => !first.includes(alert));
  byId("rows").append(...plain.slice(0, MOST_PLAIN).map((alert) => alert.view.row));
  fold(plain.slice(MOST_PLAIN), byId("overview"), (count) => countText(count, "more alert"));
  byId("first").append(...first.map((alert) => card(alert, true)));
  byId("cards").append(...others.slice(0, MOST_PLAIN).map((alert, place) => card(alert, place < MOST_OPEN - first.length)));
  const foldCards = (of, text) => of.length && byId("cards").append(element("details", { class: "fold" }, element("summary", {}, text), ...of.map((alert) => card(alert, false))));
  foldCards(others.slice(MOST_PLAIN), countText(others.length - MOST_PLAIN, "more alert"));
  groups.forEach((of, place) => {
    fold(of, byId("overview"), QUIET[place][1]);
    foldCards(of, QUIET[place][2](of.length));
  });
  byId("others").hidden = first.length === alerts.length;
  if (!alerts.length) byId("first").append(element("p", {}, "The rules hold no alert."));
  const buttons = { earlier: () => shift(-0.25), later: () => shift(0.25), closer: () => zoom(0.5), wider: () => zoom(2), whole: () => move(whole[0], whole[1]) };
  for (const [id, does] of Object.entries(buttons)) byId(id).addEventListener("click", does);
  byId("reset").addEventListener("click", () => {
    for (const alert of page.alerts) for (const knob of movable(alert)) if (!Object.is(valueOf(knob), knob.now)) set(knob, knob.now);
  });
  byId("command").addEventListener("focus", (event) => event.target.select());
  window.addEventListener("hashchange", follow);
  window.addEventListener("resize", () => redraw());
  new ResizeObserver(() => redraw()).observe(byId("overview"));
  new ResizeObserver(() => document.documentElement.style.setProperty("--time", byId("time").offsetHeight + "px")).observe(byId("time"));
  // What was not drawn because nobody saw it.
  document.addEventListener("toggle", (event) => event.target.open && redraw([]), true);
  document.addEventListener("keydown", (event) => event.key === "Escape" && hideTip());
  totals();
  command();
  tellShown();
  redraw();
  follow();
}

begin();

// For the console: what the page knows, as times.
window.rulecheck = {
  windows: () => {
    update();
    return page.alerts.map((alert) => ({
      alert: alert.name,
      group: alert.group,
      instances: alert.instances.map((instance, place) => ({
        labels: Object.fromEntries(instance.labels),
        windows: alert.now.all[place].map((window) => [window.firing ? "firing" : "pending", timeOf(alert, window.from), window.to === null ? null : timeOf(alert, window.to)]),
      })),
      outcome: alert.now.outcome,
    }));
  },
  set(name, text) {
    const knob = knobs().get(name);
    const value = knob ? knobValue(knob, text) : null;
    if (value === null) throw new Error("there is no such knob, or no such value: " + name + "=" + text);
    set(knob, value);
  },
  knobs: () => [...knobs().keys()],
  measures: () => {
    update();
    return measuresOf("now");
  },
  link,
};
