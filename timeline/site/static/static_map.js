// The marks of the map and the list of its places for what is chosen on a static site. The part of
// the world stays the one of all events; marks are apart as in timeline/site/views/worldmap.py.
"use strict";
(() => {
const { pieces, number } = self.timelineStatic;
const WORLD = 16384;
const NORTHERNMOST = (Math.atan(Math.sinh(Math.PI)) * 180) / Math.PI;
const MOST = 60;
const APART = 30;
const FEW = 50;

// Return how far a point lies to the right and down, in parts of the view.
function place(lat, lon, [left, top, width, height]) {
  const north = Math.asinh(Math.tan((Math.max(-84, Math.min(lat, 84, NORTHERNMOST)) * Math.PI) / 180));
  let x = ((lon + 180) / 360) * WORLD - left;
  if (width < WORLD) x = ((x % WORLD) + WORLD) % WORLD;
  if (width < WORLD && x > (width + WORLD) / 2) x = 0;
  const y = ((1 - north / Math.PI) / 2) * WORLD - top;
  return [Math.min(x / width, 1), Math.max(0, Math.min(y / height, 1))];
}
function clusters(points, view, wide, high) {
  const apart = APART * (points.length <= FEW ? 1 : 1.4);
  const groups = [];
  for (const point of points) {
    const [x, y] = place(point.lat, point.lon, view);
    const near = groups.find((each) => Math.hypot(((each.x - x) * wide) / apart, ((each.y - y) * high) / apart) < 1);
    if (near) near.points.push(point);
    else groups.push({ x, y, points: [point] });
  }
  return groups;
}
function spot({ x, y, points }, { classes, areaOf, eventsInWords }) {
  const rows = points.flatMap((each) => each.rows);
  const kinds = new Set(rows.map((row) => classes(row)));
  const kind = kinds.size === 1 ? [...kinds][0] : "many";
  const digits = number(rows.length).length;
  const size = rows.length === 1 ? 9 : Math.max(10 + 1.5 * Math.log2(rows.length), 5 + 3.4 * digits).toFixed(1);
  const label = [points[0].name, eventsInWords(rows.length)].filter(Boolean).join(": ");
  const box = document.createElementNS("http://www.w3.org/2000/svg", "a");
  const is = rows.length === 1 ? '<g transform="translate(-8 -8)"></g>' : `<circle class="dot" r="${size}"/><text dy=".35em">${number(rows.length)}</text>`;
  box.innerHTML = `<svg class="spot of-${kind}${points.length > 1 ? " cluster" : ""}" x="${(100 * x).toFixed(2)}%" y="${(100 * y).toFixed(2)}%"><title></title><circle class="hit" r="${Math.max(size, 13)}"/>${is}</svg>`;
  box.querySelector("title").textContent = label;
  box.setAttribute("aria-label", label);
  box.setAttribute("href", points.length > 1 ? "#places" : areaOf(points[0]));
  const mark = box.querySelector("g")?.appendChild(pieces.marks[kind].cloneNode(true));
  mark?.setAttribute("width", 16);
  mark?.setAttribute("height", 16);
  return box;
}

// Return the map with the marks of these points, which have rows; those of most events come first.
function draw(points, tools) {
  const made = pieces.map.cloneNode(true);
  const events = points.reduce((sum, each) => sum + each.rows.length, 0);
  for (const picture of made.querySelectorAll(".drawn")) {
    const view = picture.querySelector(".map").dataset.view.split(" ").map(Number);
    const [wide, high] = picture.classList.contains("wide") ? [660, 440] : [288, 288];
    const over = picture.querySelector(".over");
    over.querySelectorAll("a").forEach((each) => each.remove());
    over.append(...clusters(points, view, wide, high).map((each) => spot(each, tools)));
    picture.querySelector(".vague")?.remove();
    const here = picture.querySelector(".here p");
    here.querySelector("strong").textContent = tools.eventsInWords(events);
    const name = over.getAttribute("aria-label");
    over.setAttribute("aria-label", name.replace(/\p{Nd}[\p{Nd}\p{P}]*/u, number(events)));
  }
  const list = made.querySelector(".places");
  list?.replaceChildren(...points.slice(0, MOST).map((each) => {
    const item = document.createElement("li");
    const link = Object.assign(document.createElement("a"), { href: tools.areaOf(each), textContent: each.name, dir: "auto" });
    item.append(link, ` ${number(each.rows.length)}`);
    return item;
  }));
  made.querySelectorAll("#places > p").forEach((each) => each.remove());
  return made;
}

self.timelineStatic.map = draw;
})();
