// How times, numbers and texts are written and read.

const UNITS = [["d", DAY], ["h", 60 * MINUTE], ["m", MINUTE], ["s", 1000], ["ms", 1]];

function durationText(millis) {
  if (millis === 0) return "0s";
  let rest = Math.abs(millis);
  let text = millis < 0 ? "-" : "";
  for (const [name, length] of UNITS) {
    const count = Math.floor(rest / length);
    if (count) text += count + name;
    rest -= count * length;
  }
  return text;
}

// A duration as Prometheus takes it, in milliseconds; null where it is none.
function durationOf(text) {
  const match = /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/.exec(text.trim());
  if (text.trim() === "0") return 0;
  if (!match || match[0] === "") return null;
  const lengths = [365 * DAY, 7 * DAY, DAY, 60 * MINUTE, MINUTE, 1000, 1];
  const total = lengths.reduce((sum, length, place) => sum + length * Number(match[place + 1] || 0), 0);
  return total < 292 * 365 * DAY ? total : null;
}

function numberText(value) {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value < 0 ? "-Inf" : "Inf";
  return Object.is(value, -0) ? "-0" : String(value);
}

// A number as PromQL takes it; null where it is none.
function readNumber(text) {
  const named = { inf: Infinity, "+inf": Infinity, "-inf": -Infinity, nan: NaN }[text.trim().toLowerCase()];
  if (named !== undefined) return named;
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text.trim()) ? Number(text) : null;
}

function shortText(value) {
  if (!Number.isFinite(value)) return numberText(value);
  return String(Number(value.toPrecision(5)));
}

function momentText(millis) {
  const date = new Date(millis);
  if (Number.isNaN(date.getTime())) return String(millis);
  const text = date.toISOString().replace("T", " ").replace("Z", "");
  return text.endsWith(".000") ? text.slice(0, -4) : text;
}

function countText(count, noun) {
  return count + " " + noun + (count === 1 ? "" : "s");
}

// A text whose letters all show: those that would turn the direction of reading or that nobody sees are named.
function visible(text) {
  const hidden = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;
  return text.replace(hidden, (letter) => "\u27e8U+" + letter.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0") + "\u27e9");
}

function labelsText(labels) {
  return "{" + labels.map(([name, value]) => name + "=" + JSON.stringify(visible(value))).join(", ") + "}";
}

function shellText(text) {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : "'" + text.replace(/'/g, "'\\''") + "'";
}

// How the value of a knob is written, and read; reading yields null where there is no sense in it.
function knobText(knob, value) {
  return knob.kind === "threshold" ? numberText(value) : durationText(value);
}

function knobValue(knob, text) {
  return knob.kind === "threshold" ? readNumber(text) : durationOf(text);
}

// An element with attributes and children; texts become texts and never tags.
function element(name, attributes, ...children) {
  return furnish(document.createElement(name), attributes, children);
}

function drawn(name, attributes, ...children) {
  return furnish(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

function furnish(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

function byId(id) {
  return document.getElementById(id);
}
