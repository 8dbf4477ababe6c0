// Which alerts are worth a look first, and which have nothing to show.

// The names of what was set or swept; where that belongs to no alert, such as to a recording rule, the alerts that it changes.
const asked = new Set([...page.changes.map((it) => it.knob), ...(page.sweep ? page.sweep.axes.map((axis) => axis.knob) : [])]);

page.alerts.forEach((alert, number) => {
  alert.number = number;
  alert.isStudied = [...alert.knobs.map((knob) => knob.name), ...alert.others.map(([name]) => name)].some((name) => asked.has(name));
});

if (page.sweep && !page.alerts.some((alert) => alert.isStudied)) for (const alert of page.alerts) alert.isStudied = page.sweep.alerts.includes(alert.name);

// Whether it neither fired before nor fires now.
function isQuiet(alert) {
  return !alert.before.outcome.firings && !alert.now.outcome.firings;
}

function isPending(alert) {
  return alert.before.pending.length > 0 || alert.now.pending.length > 0;
}

// Whether it is quiet because the data holds nothing of what it asks for, rather than because all is well.
function blind(alert) {
  return !alert.seen && alert.missing.length > 0 && isQuiet(alert);
}

// The place of an alert among others, the least first.
function interest(alert) {
  if (alert.isStudied) return 0;
  if (blind(alert)) return 5;
  if (alert.incidents.length) return 1;
  if (!isQuiet(alert)) return 2;
  return isPending(alert) ? 3 : 4;
}
