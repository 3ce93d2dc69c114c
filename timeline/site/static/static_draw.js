// Chooses the events of an address in the index of a static site, and draws the parts of the page.
"use strict";
(() => {
const { root, size, need, loadOwn, parsed, part, pieces, number, format, language, reword } = self.timelineStatic;
const digits = (text, count) => text.replace(/\p{Nd}+/u, number(count));

// --- Dates, numbers and areas, as addresses have them
const plain = (text) => text.normalize("NFC").toLowerCase().replaceAll(".", "");

// Return the names of months by language, as they stand alone and in a date.
function months() {
  const found = {};
  for (const each of [language, "en"])
    for (const month of ["long", "short"])
      for (const others of [{}, { day: "numeric" }])
        for (let at = 0; at < 12; at++) {
          const parts = new Intl.DateTimeFormat(each, { month, ...others, timeZone: "UTC" }).formatToParts(Date.UTC(2001, at, 1));
          found[plain(parts.find((each) => each.type === "month").value)] = at + 1;
        }
  return found;
}
// Return the first and the last day of a date as the index has them; null if it cannot be read.
function bounds(text) {
  let match = text.match(/^(-?\d{4})(?:-(\d\d)(?:-(\d\d))?)?$/) ?? text.match(/^Y(-?\d{5,12})$/);
  if (!match) {
    const words = plain(text).split(/[\s,]+/);
    const names = months();
    const at = words.findIndex((word) => names[word]);
    const [year, day, more] = words.filter((_, place) => place !== at).reverse();
    if (at < 0 || more || !/^\d{4}$/.test(year) || (day && !/^\d{1,2}$/.test(day))) return null;
    match = [text, year, names[words[at]], day];
  }
  const year = +match[1];
  const month = match[2] && +match[2];
  const day = match[3] && +match[3];
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const length = (each) => (each === 2 ? 28 + isLeap : 30 + ((each + (each >> 3)) % 2));
  if (month > 12 || month === 0 || day === 0 || day > length(month)) return null;
  const two = (part) => String(part).padStart(2, "0");
  const years = year < 0 ? `-${String(1e12 + year).padStart(12, "0")}` : year > 9999 ? `Y${String(year).padStart(12, "0")}` : String(year).padStart(4, "0");
  const last = month ?? 12;
  return [`${years}-${two(month ?? 1)}-${two(day ?? 1)}`, `${years}-${two(last)}-${two(day ?? length(last))}`];
}
function inWords(date) {
  const [, year, month, day] = date.match(/^(\d{4})(?:-(\d\d))?(?:-(\d\d))?$/) ?? [];
  if (!year) return date;
  if (!month) return String(+year);
  return format([+year, +month, +(day ?? 1)], { year: "numeric", month: "long", ...(day && { day: "numeric" }) });
}
function amount(text) {
  const plainly = /^-?\d{1,3}(,\d{3})+$/.test(text) ? text.replaceAll(",", "") : text;
  return /^-?\d{1,50}(\.\d{1,50})?$/.test(plainly) ? +plainly : null;
}
function area(text) {
  const parts = text.split(",").map((each) => each.trim());
  if (parts.length !== 4 || !parts.every((each) => /^[+-]?\d{1,3}(\.\d{1,9})?$/.test(each))) return null;
  const [west, south, east, north] = parts.map(Number);
  return Math.abs(west) > 180 || Math.abs(east) > 180 || south < -90 || north > 90 || south > north ? null : [west, south, east, north];
}
function isIn([west, south, east, north], [lat, lon]) {
  if (lat < south || lat > north) return false;
  if (west > east) return lon >= west || lon <= east;
  return (west <= lon && lon <= east) || (Math.abs(lon) === 180 && (west === -180 || east === 180));
}

// --- What an address chooses
const RANGE = ["measure", "unit", "at_least", "at_most"];

class Asked {
  constructor(address) {
    const given = [...new URL(address).searchParams].map(([name, value]) => [name, value.trim()]).filter(([, value]) => value);
    const isNot = ([name, value]) => given.some(([other, same]) => other === `${name}!` && same === value);
    this.pairs = given.filter((pair, at) => !isNot(pair) && given.findIndex((each) => String(each) === String(pair)) === at);
    this.one = Object.fromEntries(this.pairs);
  }
  all(name) {
    return this.pairs.filter(([each]) => each === name).map(([, value]) => value);
  }
  // Return the query without what has these names, or is one of these pairs, and with other pairs.
  query(without, ...others) {
    const isKept = ([name, value]) => name !== "after" && !without.some((each) => (Array.isArray(each) ? each[0] === name && each[1] === value : each === name));
    return `?${new URLSearchParams([...this.pairs.filter(isKept), ...others])}`;
  }
}

// Return the places of a value in a column; -1 stands for events that have none.
function codes(core, name, value) {
  const { values, labels } = core.facets[name];
  const told = value.toLowerCase();
  if (["at_risk", "highlight"].includes(name)) return /^(yes|true|1)$/.test(told) ? [values.indexOf("1")] : [-1];
  if (values.includes(value)) return [values.indexOf(value)];
  const isCalled = (id, at) =>
    [id, labels[at], id.replaceAll("_", "-"), ...(name === "actor" ? core.actors[id] ?? [] : []), ...(name === "source" ? [core.publishers[id] ?? ""] : [])].some((each) => each.toLowerCase() === told);
  return values.flatMap((id, at) => (isCalled(id, at) ? [at] : []));
}

// Return tests of rows, each with the facet whose counts it leaves alone; tell what is unreadable.
async function testsOf(asked, core, wrong) {
  const { one } = asked;
  const tests = [];
  const read = (name, reader) => {
    if (!one[name]) return null;
    const found = reader(one[name]);
    if (found === null) wrong.push([name, one[name]]);
    return found;
  };
  for (const [name, { of }] of Object.entries(core.facets)) {
    let yes = asked.all(name);
    const no = asked.all(`${name}!`);
    if (name === "state") {
      if (yes.includes("all")) yes = [];
      else if (!yes.length && !no.length) yes = ["current"];
    }
    if (name === "type") yes = yes.filter((value) => codes(core, name, value).length || (wrong.push([name, value]), false));
    const has = (value) => {
      const found = codes(core, name, value);
      return (row) => found.some((code) => (code < 0 ? !of[row].length : of[row].includes(code)));
    };
    if (one[`${name}_match`] === "all") yes.map(has).forEach((test) => tests.push([null, test]));
    else if (yes.length) {
      const any = yes.map(has);
      tests.push([name, (row) => any.some((test) => test(row))]);
    }
    no.map(has).forEach((test) => tests.push([null, (row) => !test(row)]));
  }
  const since = read("since", bounds)?.[0];
  const until = read("until", bounds)?.[1];
  if (since || until)
    tests.push(["period", (row) => (!since || !core.last[row] || `${core.last[row]}~` >= since) && (!until || !core.first[row] || core.first[row] <= `${until}~`)]);
  if (one.place) tests.push([null, (row) => core.place.of[row].some((code) => core.place.values[code].toLowerCase() === one.place.toLowerCase())]);
  const box = read("area", area);
  if (box) tests.push([null, (row) => core.points[row] && isIn(box, core.points[row])]);
  const least = read("at_least", amount);
  const most = read("at_most", amount);
  const isOf = (figure, [measure, unit, low, high, isAbove]) =>
    measure === figure.toLowerCase() && (!one.unit || unit === one.unit) &&
    (least === null || high === null || high >= least) && (most === null || low === null || low < most || (low === most && !isAbove));
  if (!one.measure && (one.unit || one.at_least || one.at_most)) wrong.push(RANGE.map((name) => [name, one[name]]).find(([, value]) => value));
  else if (one.measure) tests.push(["measure", (row) => core.figures[row]?.some((figure) => isOf(one.measure, figure))]);
  if (one.q) {
    const phrases = self.timelineWords.phrases(one.q);
    const found = await searched();
    tests.push([null, (row) => phrases.length && phrases.every((phrase) => found[row].includes(phrase))]);
  }
  return { tests, since, until };
}

// Return the words of all events, each text on a line of its own.
let folded;
async function searched() {
  const { rows } = await need("core");
  const parts = Array.from({ length: Math.ceil(rows / size) }, (_, at) => need(`texts-${at}`));
  return (folded ??= (await Promise.all(parts)).flat().map((texts) => texts.map(self.timelineWords.words).join("\n")));
}

// Return the rows that pass all tests, and those of each value of a facet under the other tests.
function counted(core, tests) {
  const names = Object.keys(core.facets);
  const counts = Object.fromEntries(names.map((name) => [name, core.facets[name].values.map(() => 0)]));
  const rows = [];
  const anytime = [];
  for (let row = 0; row < core.rows; row++) {
    let missed = "";
    for (const [leaves, test] of tests)
      if (!test(row)) {
        missed = missed || !leaves ? null : leaves;
        if (missed === null) break;
      }
    if (missed === null) continue;
    if (!missed) rows.push(row);
    if (!missed || missed === "period") anytime.push(row);
    for (const name of missed ? [missed] : names)
      if (counts[name]) for (const code of core.facets[name].of[row]) counts[name][code]++;
  }
  return { rows, anytime, counts };
}

async function core() {
  const found = await need("core");
  if (!found.isRead) {
    found.isRead = true;
    found.total = found.facets.state.of.filter((code) => found.facets.state.values[code] === "current").length;
    for (const column of [found.place, ...Object.values(found.facets)]) {
      column.of = column.of.map((each) => (each === null ? [] : [each].flat()));
    }
    found.last = found.last.map((each, row) => (each === 0 ? found.first[row] : each));
  }
  return found;
}

// --- Drawing
const SIZE = 50;
const SHOWN = 8;
const MOST = 1000;
const TITLED = 120; // more events have no titles on the cards of the axis
const entryOf = async (row) => (await need(`entries-${Math.floor(row / size)}`))[row % size];
const idOf = (entry) => entry.match(/events\/([^/"#?]+)/)[1];

async function draw(address) {
  const asked = new Asked(address);
  const all = await core();
  if (asked.one.q && !self.timelineWords) await loadOwn("static_words");
  const wrong = [];
  const { tests, since, until } = await testsOf(asked, all, wrong);
  const found = counted(all, tests);
  const made = pieces.whole.cloneNode(true);
  const chips = chipsOf(asked, all);
  for (const name of ["count", "narrowed"])
    if (chips.length) part(made, name).replaceChildren(...part(pieces.narrowed, name).cloneNode(true).childNodes);
  if (chips.length) {
    made.querySelector(".count-line strong").textContent = number(found.rows.length);
    made.querySelector(".to-filters .n").textContent = number(chips.length);
    const [clear, model] = [made.querySelector(".chosen .clear"), made.querySelector(".chosen").children];
    const models = [...model].slice(0, -1);
    clear.href = asked.query(asked.pairs.map(([name]) => name).filter((name) => name !== "view"));
    for (const { at, words, isNot, link } of chips) {
      const chip = models[at].cloneNode(true);
      chip.classList.toggle("no", isNot);
      if (!isNot) chip.querySelector("strong")?.remove();
      chip.querySelector("bdi").textContent = words;
      chip.href = link;
      clear.before(chip, " ");
    }
    models.forEach((each) => each.remove());
  }
  part(made, "filters").replaceChildren(...part(pieces.narrowed, "filters").cloneNode(true).childNodes);
  const drawn = await axis(asked, all, found.anytime, since, until);
  part(made, "axis").replaceChildren(...(drawn && (found.rows.length || chips.length) ? [drawn] : []));
  const isOldest = asked.one.order === "oldest";
  if (isOldest) part(made, "order").replaceChildren(...part(pieces.narrowed, "order").cloneNode(true).childNodes);
  made.querySelector(".order a").href = asked.query(["order"], ...(isOldest ? [] : [["order", "oldest"]]));
  const views = [...part(made, "views").children];
  views[0].href = `${pieces.map ? `${root}events/` : ""}${asked.query(["view", "box"])}`;
  views[1].href = `${pieces.map ? "" : `${root}map/`}${asked.query(["view", "box"])}`;
  views.forEach((each, at) => (each.ariaCurrent = at === (pieces.map ? 1 : 0) ? "true" : null));
  if (asked.one.as_of || asked.one.as_reported) wrong.push(["past"]);
  for (const [name, value] of wrong) {
    const said = name === "past" ? pieces.past : pieces.unreadable;
    const line = document.createElement("p");
    Object.assign(line, { className: "then", role: "alert", textContent: said.textContent.replace("X", () => value) });
    part(made, "wrong").append(line);
  }
  if (pieces.map) part(made, "events").replaceChildren(...(await map(asked, all, found.rows)).childNodes);
  else await list(made.querySelector(".list"), asked, all, found, since);
  await panel(part(made, "filters"), asked, all, found);
  made.title = (asked.one.q ? `${asked.one.q} - ` : "") + pieces.title;
  for (const each of pieces.outside) {
    const mine = each.cloneNode(!chips.length || each.dataset.part !== "formats"); // the files have everything
    const living = mine.querySelector("#share-living");
    living?.setAttribute("value", living.value + (chips.length ? asked.query([]) : ""));
    made.append(mine);
  }
  return made;
}

// Return a text in the form that a count asks for.
const plural = new Intl.PluralRules(language);
function inForm(forms, count) {
  return digits(forms.find(([each]) => plural.select(each) === plural.select(count))[1], count);
}

function axis(asked, all, rows, since, until) {
  const { numberOf, draw } = self.timelineStatic.axis;
  const model = part(pieces.narrowed, "axis").firstElementChild;
  const { of, classes } = all.facets.type;
  return model && draw(model, {
    spans: rows.map((row) => [numberOf(all.first[row]), numberOf(all.last[row])]),
    classes: rows.map((row) => classes[of[row][0]] ?? "other"),
    since,
    until,
    period: periodOf(asked),
    inWords,
    eventsInWords: (count) => inForm(pieces.events, count),
    titlesOf: async (which, bars) => {
      const inBars = bars.flatMap((bar) => bar.which).map((at) => rows[at]);
      if (inBars.length > TITLED || new Set(inBars.map((row) => Math.floor(row / size))).size > 1) return [];
      const entries = await Promise.all(which.slice(-3).reverse().map((at) => entryOf(rows[at])));
      return entries.map((entry) => parsed(entry).querySelector(".title").textContent);
    },
    tell: async (which) => {
      if (new Set(which.map((at) => Math.floor(rows[at] / size))).size > 1) return [];
      return Promise.all(which.map((at) => told(all, rows[at])));
    },
    query: (...changes) => asked.query(...changes),
  });
}
// Return what a line of the axis says of an event.
async function told(all, row) {
  const entry = parsed(await entryOf(row));
  const title = entry.querySelector(".title");
  const isDay = entry.querySelector(".weekday");
  const ends = [all.first[row], all.last[row]].map((each) => each && inWords(each.slice(0, 10)));
  const precision = all.facets.precision.values[all.facets.precision.of[row][0]];
  return {
    href: title.getAttribute("href"),
    title: title.textContent,
    time: isDay ? ends.map((each) => each || "…").join(" – ") : entry.querySelector("h3 bdi").textContent,
    isRough: !["interval", "open"].includes(precision),
  };
}
function periodOf({ one }) {
  const [since, until] = [one.since, one.until].map((each) => each && inWords(each));
  if (since && until) return since === until ? since : `${since} – ${until}`;
  return since ? pieces.from.replace("{date}", () => since) : until ? pieces.until.replace("{date}", () => until) : "";
}

function chipsOf(asked, all) {
  const { one } = asked;
  const names = [...Object.keys(all.facets), "period", "place", "area", "measure", "q"];
  const found = [];
  const add = (name, words, link, isNot = false) => found.push({ at: names.indexOf(name), words, link, isNot });
  for (const name of Object.keys(all.facets))
    for (const each of [name, `${name}!`])
      for (const value of asked.all(each)) {
        const [code] = codes(all, name, value);
        add(name, all.facets[name].labels[code] ?? all.facets[name].others[value] ?? value, asked.query([[each, value]]), each !== name);
      }
  if (periodOf(asked)) add("period", periodOf(asked), asked.query(["since", "until"]));
  if (one.place) add("place", one.place, asked.query(["place"]));
  if (one.area) add("area", one.area, asked.query(["area"]));
  if (one.measure) {
    const range = one.at_least || one.at_most ? `: ${one.at_least ?? "…"} – ${one.at_most ?? "…"}` : "";
    add("measure", `${one.measure}${range} ${one.unit ?? ""}`.trim(), asked.query(RANGE));
  }
  if (one.q) add("q", `“${one.q}”`, asked.query(["q"]));
  return found;
}

async function map(asked, all, rows) {
  await loadOwn("static_map");
  const points = new Map();
  for (const row of rows) {
    if (!all.points[row]) continue;
    const [lat, lon] = all.points[row];
    const [code] = all.place.of[row];
    const name = code === undefined ? `${lat}, ${lon}` : all.place.values[code];
    const known = points.get(`${lat} ${lon}`);
    if (known) known.rows.push(row);
    else points.set(`${lat} ${lon}`, { lat, lon, name, rows: [row] });
  }
  const ranked = [...points.values()].sort((a, b) => b.rows.length - a.rows.length || a.lat - b.lat || a.lon - b.lon);
  const { of, classes } = all.facets.type;
  return self.timelineStatic.map(ranked, {
    classes: (row) => classes[of[row][0]] ?? "other",
    areaOf: ({ lat, lon }) => `${root}events/${asked.query(["view", "box", "area"], ["area", [lon, lat, lon, lat].join()])}`,
    eventsInWords: (count) => inForm(pieces.events, count),
  });
}

async function list(box, asked, all, { rows }, since) {
  const isOldest = asked.one.order === "oldest";
  const ordered = isOldest ? rows.toReversed() : rows;
  let begin = 0;
  if (asked.one.after) {
    const place = asked.one.after.lastIndexOf("~");
    const [first, id] = [asked.one.after.slice(0, place), asked.one.after.slice(place + 1)];
    const isBefore = (one, other) => (isOldest ? one < other : one > other);
    while (begin < ordered.length) {
      const own = all.first[ordered[begin]];
      if (isBefore(first, own) || (first === own && isBefore(id, idOf(await entryOf(ordered[begin]))))) break;
      begin++;
    }
  }
  const shown = ordered.slice(begin, begin + SIZE);
  const phrases = asked.one.q && self.timelineWords.phrases(asked.one.q);
  const groups = new Map();
  for (const row of shown) {
    const day = parsed(await entryOf(row)).querySelector(".day");
    const isAlso = since !== undefined && all.first[row] < since;
    const key = `${isAlso} ${day.firstElementChild.innerHTML}`;
    const known = groups.get(key);
    const item = day.querySelector(".events > li");
    if (phrases) await mark(item, row, phrases);
    if (known) known.day.querySelector(".events").append(item);
    else groups.set(key, { isAlso, day });
  }
  if (shown.length) {
    const notes = [...pieces.narrowed.querySelectorAll(".list .also")];
    const drawn = [];
    let wasAlso = false;
    for (const { isAlso, day } of groups.values()) {
      if (isAlso !== wasAlso) drawn.push(notes[isAlso ? 0 : 1].cloneNode(true));
      wasAlso = isAlso;
      drawn.push(day);
    }
    box.replaceChildren(...drawn);
  } else box.querySelector(".empty a").href = asked.query(asked.pairs.map(([name]) => name).filter((name) => name !== "view"));
  const more = begin + SIZE < ordered.length && shown.at(-1);
  if (!begin && more === false) return;
  const links = pieces.narrowed.querySelector(".pages").cloneNode(true);
  const [first, next] = links.children;
  first.href = asked.query([]);
  if (!begin) first.remove();
  if (more === false) next.remove();
  else next.href = asked.query([], ["after", `${all.first[more]}~${idOf(await entryOf(more))}`]);
  box.append(links);
}

// Show the words that were found, in place of the summary.
async function mark(item, row, phrases) {
  const texts = (await need(`texts-${Math.floor(row / size)}`))[row % size];
  const found = texts.map((text) => self.timelineWords.marked(text, phrases)).filter(Boolean);
  const [best] = found.sort((one, other) => other.length - one.length);
  if (!best) return;
  const line = document.createElement("p");
  line.className = "match";
  line.dir = "auto";
  best.forEach((piece, at) => line.append(at % 2 ? Object.assign(document.createElement("mark"), { textContent: piece }) : piece));
  const old = item.querySelector(".summary");
  if (old) old.replaceWith(line);
  else item.querySelector(".about").after(line);
}

async function panel(form, asked, all, { counts, rows }) {
  const { one } = asked;
  form.querySelector("#facet-past")?.remove();
  for (const [name, value] of ["q", "place", "area"].map((each) => [each, one[each]]))
    if (value) form.prepend(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
  for (const name of ["since", "until", "at_least", "at_most"]) form.querySelector(`[name="${name}"]`)?.setAttribute("value", one[name] ?? "");
  for (const name of ["measure", "unit"]) {
    const options = form.querySelector(`[name="${name}"]`)?.options ?? [];
    for (const each of options) each.toggleAttribute("selected", each.value === (one[name] ?? ""));
    if (one.measure && name === "measure") form.querySelector("#facet-measure")?.setAttribute("open", "");
  }
  for (const each of form.querySelectorAll("[type=radio]")) each.toggleAttribute("checked", each.value === (one[each.name] ?? ""));
  form.querySelector("#facet-more").remove();
  form.querySelector(".at-once").textContent = inForm(pieces.show, rows.length);
  for (const name of Object.keys(all.facets)) await facet(form.querySelector(`#facet-${name}`), name, asked, all, counts[name]);
}

async function facet(box, name, asked, all, counts) {
  const { one } = asked;
  const { values, labels, classes, others } = all.facets[name];
  const stored = (value) => {
    const found = codes(all, name, value);
    return found.length === 1 && found[0] >= 0 ? values[found[0]] : value;
  };
  const [yes, no] = [name, `${name}!`].map((each) => new Set(asked.all(each).map(stored)));
  const picked = new Set([...[...yes].sort(), ...[...no].sort()]);
  const find = one[`find_${name}`] ?? "";
  const isLong = one.all === name || find;
  const fold = (text) => text.normalize("NFKD").replace(/\p{Mn}/gu, "").toLowerCase();
  const ranked = [...values.keys()].filter((code) => counts[code] && fold(labels[code]).includes(fold(find)));
  ranked.sort((a, b) => counts[b] - counts[a] || a - b);
  const found = ranked.map((code) => [values[code], labels[code], counts[code], code]);
  const missing = [...picked].filter((value) => !ranked.includes(values.indexOf(value))).sort();
  for (const value of missing) {
    const without = one[`${name}_match`] === "all" ? [] : [name];
    const other = new Asked(new URL(asked.query([[`${name}!`, value], ...without], [name, value]), location));
    const count = value === "all" ? 0 : counted(all, (await testsOf(other, all, [])).tests).rows.length;
    const code = values.indexOf(value);
    found.push([value, labels[code] ?? others[value] ?? value, count, code]);
  }
  const limit = isLong ? MOST : SHOWN;
  const isByName = one.values === "name";
  if (isByName) found.sort(([, a], [, b]) => (a.toLowerCase() < b.toLowerCase() ? -1 : a.toLowerCase() > b.toLowerCase() ? 1 : 0));
  const total = found.length;
  const shown = found.filter(([value], at) => at < limit || picked.has(value));
  if (!shown.length) return box.remove();
  box.open = box.open || picked.size > 0 || Boolean(isLong);
  const ul = box.querySelector("ul");
  const model = ul.firstElementChild;
  model.remove();
  for (const [value, said, count, code] of shown) {
    const item = model.cloneNode(true);
    const label = item.querySelector(".label");
    const [choose, exclude] = item.querySelectorAll("input");
    choose.value = exclude.value = value;
    choose.toggleAttribute("checked", yes.has(value));
    exclude.toggleAttribute("checked", no.has(value));
    item.classList.toggle("none", !count);
    label.textContent = said;
    if (classes?.[code]) label.before(pieces.marks[classes[code]].cloneNode(true), " ");
    for (const each of item.querySelectorAll("[aria-label]")) each.ariaLabel = each.ariaLabel.replace("{}", () => said);
    const page = item.querySelector(".page");
    if (page) page.href = `${root}${name}s/${value}/`;
    item.querySelector(".count").textContent = number(count);
    ul.append(item);
  }
  if (total < 2) box.querySelector(".any-or-all")?.remove();
  const search = box.querySelector(".find input");
  if (search) {
    search.setAttribute("value", find);
    search.placeholder = digits(search.placeholder, total);
    if (total <= SHOWN && !find) search.parentElement.remove();
  }
  const rest = box.querySelector(".all");
  if (total === shown.length) rest.remove();
  else if (isLong) {
    rest.replaceChildren(...pieces.narrowed.querySelector("#facet-more .all").cloneNode(true).childNodes);
    reword(rest, (text) => digits(text, total - shown.length));
  } else {
    const [link] = rest.children;
    reword(link, (text) => digits(text, total));
    link.ariaLabel = digits(link.ariaLabel, total);
    link.href = `${asked.query(["all"], ["all", name])}#facet-${name}`;
  }
}

Object.assign(self.timelineStatic, { Asked, draw });
})();
