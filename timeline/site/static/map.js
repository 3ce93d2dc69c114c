// The map that moves: drag, wheel, pinch and keys. The server draws the marks and names of each view,
// so that clusters split and their numbers add up as without this script.
const W = 16384, round = (n) => Math.round(n * 1000) / 1000, clamp = (n, least, most) => Math.max(least, Math.min(n, most));
const lon = (x) => round(((((x % W) + W) % W) / W) * 360 - 180);
const lat = (y) => (y <= 0 ? 90 : y >= W ? -90 : round((Math.atan(Math.sinh(Math.PI * (1 - (2 * y) / W))) * 180) / Math.PI));
const drawn = () => document.querySelectorAll("#map .drawn");
let asked = 0, world;

function live(map) {
  if (!map.clientWidth || map.live) return;
  map.live = true;
  const ratio = map.clientWidth / map.clientHeight, fingers = new Map();
  let [x, y, w, h] = map.dataset.view.split(" ").map(Number), marks = [], timer;
  const widest = Math.max(W, w);
  const land = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  land.setAttribute("class", "land");
  land.setAttribute("aria-hidden", "true");
  (world ??= fetch(map.querySelector("img").src.split("#")[0]).then((r) => r.text())).then((text) => {
    const id = `world-${map.classList[1]}`, paths = new DOMParser().parseFromString(text.replace(/<style.*style>/, ""), "image/svg+xml").querySelectorAll("path");
    land.innerHTML = `<use href="#${id}" x="${-W}"/><g id="${id}"></g><use href="#${id}" x="${W}"/>`;
    land.children[1].append(...paths);
    const old = map.querySelectorAll("img");
    old[0].before(land);
    old.forEach((img) => img.remove());
    draw();
  });
  map.classList.add("live");
  map.tabIndex = 0;
  map.setAttribute("role", "group");
  map.setAttribute("aria-label", map.dataset.keys);

  function read() { // where the marks are, in units of the world
    const [left, top, width, height] = map.dataset.view.split(" ").map(Number);
    marks = [...map.querySelectorAll(".over svg[x]")].map((el) => [el, left + (parseFloat(el.getAttribute("x")) / 100) * width, top + (parseFloat(el.getAttribute("y")) / 100) * height]);
  }
  function draw() {
    w = clamp(w, 4, widest);
    h = w / ratio;
    y = h < W ? clamp(y, 0, W - h) : (W - h) / 2;
    if (w >= W) x = (W - w) / 2;
    const view = `${x} ${y} ${w} ${h}`;
    land.setAttribute("viewBox", view);
    land.setAttribute("stroke-width", w / map.clientWidth);
    map.querySelector(".vague")?.setAttribute("viewBox", view);
    if (land.children[2]) [-W, 0, W].forEach((at, n) => land.children[n].style.display = n !== 1 && (w >= W || x + w < at || x > at + W) ? "none" : "");
    for (const [el, ux, uy] of marks) { el.setAttribute("x", `${((ux - x) / w) * 100}%`); el.setAttribute("y", `${((uy - y) / h) * 100}%`); }
  }
  function go(left, top, width) {
    x = left; y = top; w = width;
    draw();
    clearTimeout(timer);
    timer = setTimeout(() => {
      const to = new URL(location.href);
      to.searchParams.set("view", "map");
      to.searchParams.set("box", w >= W ? `-180,${lat(y + h)},180,${lat(y)}` : [lon(x), lat(y + h), lon(x + w), lat(y)].join());
      show(to);
    }, 150);
  }
  async function show(to, isTurned) {
    const part = new URL(to), mine = ++asked;
    part.searchParams.set("part", "map");
    const answer = await fetch(part);
    if (!answer.ok) return isTurned && location.assign(to);
    const found = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (mine !== asked) return;
    history.replaceState(null, "", to);
    for (const old of drawn()) {
      const fresh = found.querySelector(`.drawn.${old.classList[1]}`), its = old.querySelector(".map"), now = fresh.querySelector(".map");
      its.querySelector(".vague")?.remove();
      its.querySelector(".over").replaceWith(...now.querySelectorAll(".vague, .over"));
      its.dataset.view = now.dataset.view;
      if (!its.live) its.querySelectorAll("img").forEach((img) => img.remove()), its.prepend(...now.querySelectorAll("img"));
      const held = document.activeElement.dataset?.zoom;
      for (const name of [".here", ".legend"]) old.querySelector(name).replaceChildren(...fresh.querySelector(name).childNodes);
      if (held && !document.activeElement.dataset.zoom) (old.querySelector(`[data-zoom="${held}"]`) ?? its).focus();
    }
    if (isTurned) [x, y, w, h] = map.dataset.view.split(" ").map(Number);
    else { const off = map.dataset.view.split(" ")[0] - x; x += Math.round(off / W) * W; }
    read();
    draw();
  }
  const zoom = (by, px = 0.5, py = 0.5) => { const to = clamp(w * by, 4, widest); go(x + (w - to) * px, y + (h - to / ratio) * py, to); };
  const home = () => { const to = new URL(location.href); to.searchParams.delete("box"); show(to, true); };
  const at = (e) => { const r = map.getBoundingClientRect(); return [(e.clientX - r.left) / r.width, (e.clientY - r.top) / r.height]; };

  async function card(link) {
    const to = new URL(link.dataset.list, location.href);
    to.searchParams.set("part", "map_card");
    const answer = await fetch(to);
    if (!answer.ok) return location.assign(link.getAttribute("href"));
    map.querySelector(".mapcard")?.remove();
    map.append(document.importNode(new DOMParser().parseFromString(await answer.text(), "text/html").querySelector(".mapcard"), true));
    const made = map.querySelector(".mapcard"), close = () => { made.remove(); (link.isConnected ? link : map).focus(); };
    made.querySelector("button").onclick = close;
    made.onkeydown = (e) => { if (e.key === "Escape") close(); };
    made.focus();
  }
  map.parentElement.addEventListener("click", (e) => {
    const link = e.target.closest("a");
    if (!link || !(map.contains(link) || link.dataset.zoom) || link.closest(".mapcard") || e.ctrlKey || e.metaKey || e.shiftKey || e.button) return;
    e.preventDefault();
    if (link.dataset.zoom) link.dataset.zoom === "all" ? home() : zoom(+link.dataset.zoom);
    else if (link.dataset.list) card(link);
    else { map.focus(); show(new URL(link.getAttribute("href"), location.href), true); }
  });
  map.addEventListener("keydown", (e) => {
    if (e.target.closest(".mapcard") || e.ctrlKey || e.metaKey || e.altKey) return;
    const by = { ArrowLeft: [-0.2, 0], ArrowRight: [0.2, 0], ArrowUp: [0, -0.2], ArrowDown: [0, 0.2] }[e.key];
    if (by) go(x + by[0] * w, y + by[1] * h, w);
    else if (e.key === "+" || e.key === "=") zoom(0.5);
    else if (e.key === "-") zoom(2);
    else if (e.key === "0") home();
    else return;
    e.preventDefault();
  });
  map.addEventListener("wheel", (e) => {
    if (!e.ctrlKey && !e.metaKey && !map.contains(document.activeElement)) return;
    e.preventDefault();
    zoom(1.002 ** clamp(e.deltaY, -150, 150), ...at(e));
  }, { passive: false });
  map.addEventListener("pointerdown", (e) => {
    if (e.target.closest("a, .mapcard")) return;
    fingers.set(e.pointerId, at(e));
    map.setPointerCapture(e.pointerId);
  });
  map.addEventListener("pointermove", (e) => {
    const was = fingers.get(e.pointerId), now = at(e);
    if (!was) return;
    const other = [...fingers].find(([id]) => id !== e.pointerId)?.[1], gap = (p) => Math.hypot(p[0] - other[0], (p[1] - other[1]) / ratio);
    fingers.set(e.pointerId, now);
    if (other) zoom(gap(was) / Math.max(gap(now), 0.01), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
    else go(x - (now[0] - was[0]) * w, y - (now[1] - was[1]) * h, w);
  });
  for (const end of ["pointerup", "pointercancel"]) map.addEventListener(end, (e) => fingers.delete(e.pointerId));
  read();
}
const start = () => drawn().forEach((each) => live(each.querySelector(".map")));
start();
addEventListener("resize", start);
document.addEventListener("timeline:shown", start); // by front.js
