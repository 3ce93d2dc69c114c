// What a server does for the browse page, done in the browser over the index of a static site: the
// same addresses choose the same events. front.js asks for a page, and gets the one that
// static_draw.js draws, which is loaded when somebody first chooses something.
"use strict";
(() => {
const script = document.currentScript;
const root = script.src.split("-/static")[0];
const index = (self.timelineIndex = {});
const files = {};

function load(src) {
  return (files[src] ??= new Promise((done, failed) => {
    document.head.append(Object.assign(document.createElement("script"), { src, onload: done, onerror: failed }));
  }));
}
const loadOwn = (name) => load(script.src.replace("static_search", name));
async function need(name) {
  if (!index[name]) await load(`${root}${script.dataset.index}/${name}.js`);
  return index[name];
}
// Return HTML of the index as nodes, with its links as they are from here.
function parsed(html) {
  const box = document.createElement("template");
  box.innerHTML = html.replace(/ (href|src)="(?![?#]|[a-z]+:)/g, ` $1="${root}`);
  return box.content;
}
const part = (scope, name) => scope.querySelector(`[data-part="${name}"]`);

// --- Numbers and days as this language writes them
const language = document.documentElement.lang;
const numbers = new Intl.NumberFormat(language);
const formats = {};
function format([year, month, day], options) {
  const at = new Date(0);
  at.setUTCFullYear(year, month - 1, day);
  const key = JSON.stringify(options);
  return (formats[key] ??= new Intl.DateTimeFormat(language === "en" ? "en-GB" : language, { ...options, timeZone: "UTC" })).format(at);
}

// Change the text with a number or with {} that an element has, however deep.
function reword(element, change) {
  const texts = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode;
    if (!/\{\}|\p{Nd}/u.test(text.data)) continue;
    text.data = change(text.data);
    return;
  }
}

self.timelineStatic = { reword, number: (count) => numbers.format(count), format, language, root, size: +script.dataset.rows, need, loadOwn, parsed, part };
self.timelineDraw = async (address) => {
  await Promise.all([loadOwn("static_draw"), loadOwn("static_axis")]);
  return self.timelineStatic.draw(address);
};

// Folders have no page of themselves on a disk.
if (location.protocol === "file:")
  document.addEventListener("click", (event) => {
    const to = new URL(event.target.closest("a[href]")?.getAttribute("href") ?? "#", location);
    if (event.defaultPrevented || !to.pathname.endsWith("/")) return;
    event.preventDefault();
    to.pathname += "index.html";
    location.assign(to);
  });

(async () => {
  const asked = new URL(location);
  if (asked.searchParams.get("view") === "map" && !document.querySelector("#map")) {
    asked.searchParams.delete("view");
    return location.replace(`${root}map/${location.protocol === "file:" ? "index.html" : ""}${asked.search}`);
  }
  const live = parsed(await need("live"));
  const find = (selector) => live.querySelector(selector);
  const box = (selector) => {
    const made = document.createDocumentFragment();
    made.append(...find(selector).childNodes);
    return made;
  };
  // What is said of some numbers, one or more of each plural form.
  const forms = (selector) => [...find(selector).children].map((each) => [+each.dataset.n, each.textContent]);
  self.timelineStatic.pieces = {
    when: part(live, "axis").querySelector("h2")?.textContent,
    whole: box("#whole"),
    narrowed: box("#narrowed"),
    outside: [...document.querySelectorAll("header [data-part], footer [data-part]")].map((each) => each.cloneNode(true)),
    lanes: find("#lanes"),
    from: find("#from").textContent,
    until: find("#until").textContent,
    past: find("#past"),
    unreadable: find("#unreadable"),
    marks: Object.fromEntries([...find("#marks").children].map((each) => [each.classList[1].slice(3), each])),
    show: forms("#words"),
    events: forms("#events-in-words"),
    units: [...find("#units").children].map((each) => each.textContent),
    title: document.title,
  };
  self.timelineStatic.pieces.whole.querySelectorAll(".formats, [data-part=share]").forEach((each) => each.remove());
  const old = part(document, "wrong");
  const shown = part(document, "events");
  if (shown.querySelector("#map")) {
    self.timelineStatic.pieces.map = document.createDocumentFragment();
    self.timelineStatic.pieces.map.append(...shown.cloneNode(true).childNodes);
  }
  const fresh = self.timelineStatic.pieces.whole.cloneNode(true);
  const [from, to] = [part(fresh, "wrong"), fresh.querySelector(".columns")];
  part(fresh, "events").replaceWith(shown);
  while (old.nextSibling) old.nextSibling.remove();
  const nodes = [...fresh.childNodes];
  old.replaceWith(...nodes.slice(nodes.indexOf(from), nodes.indexOf(to) + 1));
  [...part(document, "views").children].forEach((each, at) => {
    const isHere = at === (self.timelineStatic.pieces.map ? 1 : 0);
    each.href = isHere ? "?" : `${root}${at ? "map" : "events"}/`;
    each.ariaCurrent = isHere ? "true" : null;
  });
  for (const form of document.querySelectorAll("main form")) form.action = location.href.split(/[?#]/)[0];
  for (const name of script.dataset.scripts.split(" ")) await load(script.src.replace(/[^/]*$/, name.split("/").at(-1)));
  if (location.search) self.show(location, false);
})();
})();
