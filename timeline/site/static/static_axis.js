// The axis of time of a selection, by the rules of timeline/site/views/axis.py, axis_window.py and
// time_units.py. Units are "day", 0 for months, or a number of years.
"use strict";
(() => {
const DAY = "day";
const MONTH = 0;
const floor = Math.floor;
const largest = (numbers) => numbers.reduce((one, other) => Math.max(one, other), -Infinity);
const smallest = (numbers) => numbers.reduce((one, other) => Math.min(one, other), Infinity);
const CLASSES = ["talk", "help", "demand", "force", "other"];

function dayNumber(year, month, day) {
  const y = year - (month <= 2);
  const era = floor(y / 400);
  const ofEra = y - era * 400;
  const ofYear = floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  return era * 146097 + ofEra * 365 + floor(ofEra / 4) - floor(ofEra / 100) + ofYear - 719468;
}
function dateOf(number) {
  const era = floor((number + 719468) / 146097);
  const ofEra = number + 719468 - era * 146097;
  const year = floor((ofEra - floor(ofEra / 1460) + floor(ofEra / 36524) - floor(ofEra / 146096)) / 365);
  const ofYear = ofEra - (365 * year + floor(year / 4) - floor(year / 100));
  const part = floor((5 * ofYear + 2) / 153);
  const month = part < 10 ? part + 3 : part - 9;
  return [year + era * 400 + (month <= 2), month, ofYear - floor((153 * part + 2) / 5) + 1];
}
function numberOf(bound) {
  if (!bound) return null;
  const [, sign, year, month, day] = bound.match(/^([-Y]?)(\d+)-(\d\d)-(\d\d)/);
  return dayNumber(+year - (sign === "-" ? 1e12 : 0), +month, +day);
}
function periodOf(unit, number) {
  if (unit === DAY) return number;
  const [year, month] = dateOf(number);
  return unit ? floor(year / unit) : year * 12 + month - 1;
}
function start(unit, at) {
  return unit === DAY ? at : unit ? dayNumber(at * unit, 1, 1) : dayNumber(floor(at / 12), at - floor(at / 12) * 12 + 1, 1);
}
const end = (unit, at) => start(unit, at + 1) - 1;
const next = (unit) => (unit === DAY ? MONTH : unit ? unit * 10 : 1);
const isShort = (year) => year > -10000 && year < 10000;
const yearText = (year) => (isShort(year) ? `${year < 0 ? "-" : ""}${String(Math.abs(year)).padStart(4, "0")}` : `Y${year}`);
function edtf(number, isMonth) {
  const [year, ...rest] = dateOf(number);
  return isShort(year) ? [yearText(year), ...rest.slice(0, isMonth ? 1 : 2).map((each) => String(each).padStart(2, "0"))].join("-") : yearText(year);
}
const boundsOf = (unit, at) => (unit && unit !== DAY ? [yearText(at * unit), yearText(at * unit + unit - 1)] : [edtf(start(unit, at), unit === MONTH), edtf(start(unit, at), unit === MONTH)]);

function fitting(first, last, most, least) {
  let unit = least;
  if ((unit === DAY || unit === MONTH) && ![first, last].every((each) => isShort(dateOf(each)[0]))) unit = 1;
  while (periodOf(unit, last) - periodOf(unit, first) >= most) unit = next(unit);
  return unit;
}

// --- The window that is shown first
function run(points, gap, near) {
  const places = [...points.keys()].sort((a, b) => a - b);
  const sum = (some) => some.reduce((all, each) => all + points.get(each), 0);
  let best = places;
  for (;;) {
    const widest = Math.max(gap, floor((best.at(-1) - best[0]) / 12));
    const runs = [[]];
    best.forEach((place, at) => {
      if (at && place - best[at - 1] > widest) runs.push([]);
      runs.at(-1).push(place);
    });
    if (runs.length === 1) break;
    best = runs.reduce((one, other) => (sum(other) > sum(one) || (sum(other) === sum(one) && other.at(-1) > one.at(-1)) ? other : one));
  }
  let [first, last] = [best[0], best.at(-1)];
  let [before, after] = [places.indexOf(first) - 1, places.indexOf(last) + 1];
  for (;;) {
    const left = before >= 0 ? first - places[before] : Infinity;
    const right = after < places.length ? places[after] - last : Infinity;
    if (Math.min(left, right) > Math.max(near, last - first)) return [first, last];
    if (left <= right) first = places[before--];
    else last = places[after++];
  }
}
function count(values) {
  const found = new Map();
  for (const each of values) found.set(each, (found.get(each) ?? 0) + 1);
  return found;
}
function firstWindow(spans) {
  const months = spans.map((span) => span.map((day) => (day === null ? null : periodOf(MONTH, day))));
  const closed = months.filter(([a, b]) => a !== null && b !== null);
  let unit = MONTH;
  const inside = (size) => closed.filter(([a, b]) => floor(a / size) === floor(b / size)).map(([a]) => floor(a / size));
  while (unit <= 1e12 && closed.length && 2 * inside(12 * unit || 1).length < closed.length) unit = next(unit);
  if (unit > 1e12 || !closed.length) unit = 1;
  const size = 12 * unit || 1;
  let points = count(inside(size));
  if (!points.size) points = count(months.flat().filter((each) => each !== null).map((each) => floor(each / size)));
  if (!points.size) return null;
  const near = unit === MONTH ? 1 : 5;
  const [begin, stop] = run(points, near, near);
  const [firstMonth, lastMonth] = [begin * size, (stop + 1) * size - 1];
  const [from, to] = [start(MONTH, firstMonth), end(MONTH, lastMonth)];
  return (unit === MONTH && lastMonth - firstMonth < 6 && byDay(spans, from, to)) || [from, to, unit];
}
function byDay(spans, from, to) {
  const within = spans.filter(([a, b]) => a !== null && b !== null && from <= a && b <= to);
  const points = count(within.filter(([a, b]) => a === b).map(([a]) => a));
  const exact = within.filter(([a, b]) => a === b).length;
  const others = within.filter(([a, b]) => a !== b && periodOf(MONTH, a) === periodOf(MONTH, b)).length;
  if (exact < Math.max(others, 1)) return null;
  let [first, last] = run(points, 14, 21);
  const soon = last + Math.max(7, floor((last - first) / 5));
  last = within.reduce((most, [a, b]) => (first <= a && a <= last && b <= soon ? Math.max(most, b) : most), last);
  const pad = Math.max(1, floor((7 - (last - first)) / 2));
  return [first - pad, last + pad, DAY];
}
function askedWindow(since, until, spans) {
  const known = spans.flat().filter((each) => each !== null);
  const begin = start(MONTH, periodOf(MONTH, smallest(known)));
  const stop = end(MONTH, periodOf(MONTH, largest(known)));
  const first = since ? numberOf(since) : begin;
  const last = until ? numberOf(until) : stop;
  if (first > last) return since ? [first, first] : [last, last];
  return first > stop || last < begin ? [first, last] : [Math.max(first, begin), Math.min(last, stop)];
}

// --- What the axis shows. Spans are pairs of days, and null for an open end.
function axisOf(spans, since, until) {
  const window = firstWindow(spans);
  if (!window) return null;
  const isChosen = Boolean(since || until);
  const [from, to, least] = isChosen ? [...askedWindow(since, until, spans), DAY] : window;
  const unit = fitting(from, to, 125, least);
  const [first, last] = [start(unit, periodOf(unit, from)), end(unit, periodOf(unit, to))];
  const round = (share) => Math.round(share * 1000) / 1000;
  const left = (day) => round(((day - first) * 100) / (last + 1 - first));
  const width = (a, b) => round(((b + 1 - a) * 100) / (last + 1 - first));
  const inside = new Map();
  const [others, before, after] = [[], [], []];
  spans.forEach(([a, b], at) => {
    const place = a !== null && b !== null && periodOf(unit, a) === periodOf(unit, b) ? periodOf(unit, a) : null;
    if (b !== null && b < first) before.push(b);
    else if (a !== null && a > last) after.push(a);
    else if (place !== null) inside.get(place)?.push(at) ?? inside.set(place, [at]);
    else others.push([a, b, at]);
  });
  const bars = [...inside].sort(([a], [b]) => a - b).map(([place, which]) => {
    const [begin, stop] = boundsOf(unit, place);
    return { first: begin, last: stop, which, left: left(start(unit, place)), width: width(start(unit, place), end(unit, place)) };
  });
  let step = 1;
  const highest = Math.max(0, ...bars.map(({ which }) => which.length));
  while (highest > 3 * step) step = String(step)[0] === "2" ? (step * 5) / 2 : step * 2;
  const top = Math.max(Math.ceil(highest / step) * step, 3);
  const scale = Array.from({ length: floor(top / step) }, (_, at) => (at + 1) * step);
  const zero = periodOf(unit, first);
  const steps = Array(periodOf(unit, last) - zero + 2).fill(0);
  for (const [a, b] of others) {
    steps[periodOf(unit, Math.max(a ?? first, first)) - zero]++;
    steps[periodOf(unit, Math.min(b ?? last, last)) - zero + 1]--;
  }
  let sum = 0;
  const counted = steps.map((each) => (sum += each)).slice(0, -1);
  const most = largest(counted);
  const shades = counted.flatMap((events, at) =>
    events ? [{ bounds: boundsOf(unit, zero + at), events, level: Math.ceil((events * 4) / most), left: left(start(unit, zero + at)), width: width(start(unit, zero + at), end(unit, zero + at)) }] : []);
  const lines = linesOf(others.map(([a, b, at]) => {
    const begin = Math.max(a ?? first, first);
    const stop = Math.min(b ?? last, last);
    const side = (day, isCut) => (day === null ? "open" : isCut ? "cut" : "");
    return { at, left: left(begin), width: width(begin, stop), begin: side(a, a < first), end: side(b, b > last) };
  }));
  const edge = (days, day, bound) => (days.length ? { events: days.length, nearest: edtf(day(days), true), bound: edtf(bound) } : null);
  return {
    unit, first, last, window: [from, to], words: [edtf(from), edtf(to)], isChosen, bars, scale, shades, lines, left,
    others: others.length,
    before: edge(before, largest, first - 1),
    after: edge(after, smallest, last + 1),
  };
}

// Return the lines with their lanes; none if they are too many to tell them apart. Rows are newest
// first, lines oldest first.
function linesOf(others) {
  if (others.length > 60) return [];
  const lines = others.toReversed().sort((one, other) => !one.begin - !other.begin || one.left - other.left || other.width - one.width);
  const ends = Array(8).fill(-0.6);
  for (const line of lines) {
    line.lane = ends.findIndex((each) => each + 0.6 <= line.left);
    if (line.lane < 0) return [];
    ends[line.lane] = line.left + line.width;
  }
  return lines;
}

// --- Ticks: at most nine
function ticks(first, last) {
  const short = [first, last].every((each) => isShort(dateOf(each)[0]));
  const named = (numbers, hasDays) => {
    let shown;
    return numbers.map((day) => {
      const [year, month] = dateOf(day);
      const tick = { day, label: format(dateOf(day), { month: "short", ...(hasDays && { day: "numeric" }) }), year: year === shown ? "" : String(year), isJanuary: month === 1 && !hasDays };
      shown = year;
      return tick;
    });
  };
  const range = (from, to, step) => Array.from({ length: Math.max(0, floor((to - from) / step) + 1) }, (_, at) => from + at * step);
  if (short && floor((last - first) / 14) < 9) return named(range(first, last, [1, 2, 5, 7, 14].find((step) => floor((last - first) / step) < 9)), true);
  let [begin, stop] = [periodOf(MONTH, first), periodOf(MONTH, last)];
  if (start(MONTH, begin) < first) begin++;
  for (const step of short ? [1, 2, 3, 6] : []) {
    const months = range(Math.ceil(begin / step) * step, stop, step);
    if (months.length <= 9) return named(months.map((each) => start(MONTH, each)), false);
  }
  [begin, stop] = [periodOf(1, first), periodOf(1, last)];
  if (start(1, begin) < first) begin++;
  let step = 1;
  while (floor(stop / step) - Math.ceil(begin / step) + 1 > 9) step = String(step)[0] === "2" ? (step * 5) / 2 : step * 2;
  return range(Math.ceil(begin / step) * step, stop, step).map((year) => ({ day: start(1, year), label: String(year), year: "" }));
}

// --- Drawing into the pieces that the server drew
const { number, format, reword } = self.timelineStatic;
const put = (element, values) => Object.entries(values).forEach(([name, value]) => element.setAttribute(name, value));

// Return a line of an event: the second model has ends that are cut, and the first ends that are open.
function lane([open, cut], line, { href, title, time, isRough }, kind) {
  const made = open.cloneNode(true);
  const right = line.left + line.width;
  const y = line.lane * 9 + 4.5;
  put(made, { class: `lane of-${kind}`, href, "aria-label": `${title}, ${time}`, "data-time": time, "data-titles": title });
  const [hit, drawn, begin, end] = made.children;
  const ends = { begin: begin.remove() ?? begin, end: end.remove() ?? end };
  put(hit, { x1: `${line.left}%`, x2: `${right.toFixed(3)}%`, y1: y, y2: y });
  put(drawn, {
    class: `line${isRough ? " rough" : ""}${line.begin || line.end ? " ends" : ""}`,
    x1: `${(line.left + (line.begin === "open" ? 0.5 : 0)).toFixed(3)}%`,
    x2: `${(right - (line.end === "open" ? 0.5 : 0)).toFixed(3)}%`,
    y1: y,
    y2: y,
  });
  for (const [side, at] of [["begin", 2], ["end", 3]]) {
    if (!line[side]) continue;
    const piece = line[side] === "open" ? ends[side] : cut.children[at].cloneNode(true);
    if (piece.localName === "rect") put(piece, { y: y - 4.5 });
    else put(piece, { x: line[side] === "cut" ? "100%" : `${(side === "begin" ? line.left : right).toFixed(3)}%`, y });
    made.append(piece);
  }
  return made;
}

// Return the section of the axis for spans of rows; null if none of them has a date.
async function draw(model, { spans, classes, since, until, period, inWords, eventsInWords, titlesOf, tell, query }) {
  const found = axisOf(spans, since, until);
  if (!found) return null;
  const { pieces } = self.timelineStatic;
  const section = model.cloneNode(true);
  const find = (selector) => section.querySelector(selector);
  const between = (bounds) => [...new Set(bounds.map(inWords))].join(" – ");
  const label = between(found.words);
  const fill = (text, words, events) => text.replace("{}", () => words).replace(/\p{Nd}+/u, () => number(events));
  const to = query(["since", "until"]);
  Object.assign(section.dataset, { to, first: found.first, last: found.last });
  if (found.isChosen) find("h2").textContent = period || label;
  else find("h2").textContent = pieces.when;
  if (found.isChosen) find(".axis-head p a").href = to;
  else find(".axis-head p").remove();
  const kinds = found.bars.map(({ which }) => CLASSES.map((name) => [name, which.filter((at) => classes[at] === name).length]).filter(([, events]) => events));
  const key = find(".axis-key:not(.of-lines)");
  const words = Object.fromEntries([...key.children].map((each, at) => [CLASSES[at], each.textContent.trim()]));
  [...key.children].forEach((each, at) => kinds.some((parts) => parts.some(([name]) => name === CLASSES[at])) || each.remove());
  for (const side of ["before", "after"]) {
    const link = find(`.edge.${side}`);
    const edge = found[side];
    if (!edge) {
      link.remove();
      continue;
    }
    reword(link, (text) => fill(text, inWords(edge.nearest), edge.events));
    link.href = query(["since", "until"], [side === "before" ? "until" : "since", edge.bound]);
  }
  if (!find(".edge")) find(".edges").remove();
  const plot = find(".plot");
  const named = (text) => text.replace(pieces.units[0], () => pieces.units[["day", 0, 1, 10, 100].indexOf(found.unit)] ?? pieces.units[5]).replace("{}", () => label);
  put(plot, { "aria-label": named(plot.getAttribute("aria-label")), "data-keys": named(plot.dataset.keys) });
  const top = found.scale.at(-1);
  const beside = find(".beside");
  const [line, text] = beside.children;
  for (const each of found.scale) {
    const y = `${(100 - (100 * each) / top).toFixed(2)}%`;
    const made = [line.cloneNode(), text.cloneNode()];
    put(made[0], { y1: y, y2: y });
    put(made[1], { y });
    made[1].textContent = number(each);
    beside.append(...made);
  }
  line.remove();
  text.remove();
  const model2 = find("a.bar");
  for (const [at, bar] of found.bars.entries()) {
    const made = model2.cloneNode(true);
    const events = bar.which.length;
    const titles = await titlesOf(bar.which, found.bars);
    put(made, {
      href: query(["since", "until"], ["since", bar.first], ["until", bar.last]),
      "aria-label": `${between([bar.first, bar.last])}: ${eventsInWords(events)}`,
      "data-parts": kinds[at].map(([name, some]) => `${number(some)} ${words[name]}`).join("\n"),
      "data-titles": titles.join("\n"),
    });
    if (titles.length && events > titles.length) made.dataset.more = fill(made.dataset.more, "", events - titles.length);
    else delete made.dataset.more;
    const [hit, ...rects] = made.children;
    put(hit, { x: `${bar.left}%`, width: `${bar.width}%` });
    const width = Math.min(bar.width * 0.88, 4);
    let height = 0;
    rects.forEach((rect, which) => {
      const some = kinds[at].find(([name]) => name === CLASSES[which])?.[1];
      if (!some) return rect.remove();
      height += some;
      put(rect, { x: `${(bar.left + (bar.width - width) / 2).toFixed(3)}%`, y: `${(100 - (100 * height) / top).toFixed(2)}%`, width: `${width.toFixed(3)}%`, height: `${((100 * some) / top).toFixed(2)}%` });
    });
    plot.append(made);
  }
  model2.remove();
  const below = find(".ticks");
  const tick = below.firstElementChild;
  const places = ticks(found.first, found.last);
  const namesYears = places.filter((each) => each.isJanuary).length > 1;
  places.forEach((each, at) => {
    const left = found.left(each.day);
    if (left >= 94) return;
    const made = tick.cloneNode(true);
    made.setAttribute("class", `${(namesYears ? !each.isJanuary : at % 2) ? "minor" : ""}${left > 80 ? " far" : ""}`);
    put(made.children[0], { x1: `${left}%`, x2: `${left}%` });
    put(made.children[1], { x: `${left}%` });
    made.children[1].firstChild.data = each.label;
    const year = made.querySelector("tspan");
    year.textContent = ` ${each.year}`;
    if (found.unit !== DAY) year.removeAttribute("class");
    if (!each.year) year.remove();
    below.append(made);
  });
  tick.remove();
  find("#axis-open").toggleAttribute("checked", found.isChosen);
  const told = found.lines.length ? await tell(found.lines.map(({ at }) => at)) : [];
  if (told.length) {
    const lanes = pieces.lanes.cloneNode(true);
    const svg = lanes.querySelector(".lanes");
    const models = [...svg.querySelectorAll("a.lane")];
    svg.setAttribute("height", largest(found.lines.map(({ lane }) => lane)) * 9 + 11);
    found.lines.forEach((line, at) => svg.append(lane(models, line, told[at], classes[line.at])));
    models.forEach((each) => each.remove());
    const note = lanes.querySelector("p.sr");
    reword(note, (text) => fill(text, "", found.others));
    find(".axis-head").append(lanes.querySelector(".of-lines"));
    find(".band").before(note, svg);
    const kindsOfLines = found.lines.map((each) => classes[each.at]);
    [...model.querySelector(".axis-key:not(.of-lines)").children].forEach((each, at, all) => {
      if (!kindsOfLines.includes(CLASSES[at]) || [...key.children].some((mine) => mine.textContent === each.textContent)) return;
      const after = [...key.children].find((mine) => all.findIndex((one) => one.textContent === mine.textContent) > at);
      key.insertBefore(each.cloneNode(true), after ?? null);
    });
    found.shades = [];
    found.others = 0;
  }
  const band = find(".band");
  const note = find(".band-note");
  const shade = band.firstElementChild;
  for (const each of found.shades) {
    const made = shade.cloneNode(true);
    put(made, { class: `level-${each.level}`, x: `${each.left}%`, width: `${(each.width + 0.02).toFixed(3)}%` });
    reword(made, (text) => fill(text, between(each.bounds), each.events));
    band.append(made);
  }
  shade.remove();
  if (found.others) reword(note, (text) => fill(text, "", found.others));
  else [band, note].forEach((each) => each.remove());
  const strip = find(".strip");
  Object.assign(strip.dataset, { first: found.window[0], last: found.window[1] });
  strip.querySelector(".window").classList.toggle("chosen", found.isChosen);
  const picture = strip.firstElementChild;
  picture.setAttribute("aria-label", picture.getAttribute("aria-label").replace("{}", () => label));
  return section;
}

Object.assign(self.timelineStatic, { axis: { axisOf, numberOf, draw } });
})();
