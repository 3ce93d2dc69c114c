// The axis works without this file. With it, a stroke across the bars or the window on the strip
// chooses a period, bars and lines have a card, and they are one stop of the Tab key.
const DAY = 864e5;

// A number of a day (0 is 1 January 1970) as EDTF, no more precise than the days of a step.
function edtf(number, step) {
  const date = new Date(number * DAY);
  const year = isNaN(date) ? Math.floor(number / 365.2425) + 1970 : date.getUTCFullYear();
  const text = `${year < 0 ? "-" : ""}${String(Math.abs(year)).padStart(4, "0")}`;
  if (isNaN(date) || text.length > (year < 0 ? 5 : 4)) return `Y${year}`;
  const parts = [text, date.getUTCMonth() + 1, date.getUTCDate()];
  return parts.slice(0, step > 365 ? 1 : step > 30 ? 2 : 3).map((part) => String(part).padStart(2, "0")).join("-");
}

function start(box) {
  const find = (selector) => [...box.querySelectorAll(selector)];
  const [plot] = find(".plot");
  const [lanes] = find(".lanes");
  const first = +box.dataset.first;
  const last = +box.dataset.last;
  const bars = find("a.bar");
  const lines = find("a.lane");
  const card = box.appendChild(document.createElement("div"));
  let tapped = null;

  // Another script may show an address in place.
  function visit(address) {
    const asked = new CustomEvent("timeline:go", { detail: address, bubbles: true, cancelable: true });
    if (box.dispatchEvent(asked)) location.assign(address);
  }
  function go(from, to, step) {
    const address = new URL(box.dataset.to, location);
    address.searchParams.set("since", edtf(from, step));
    address.searchParams.set("until", edtf(to, step));
    visit(address.href);
  }

  // --- The card of a bar or a line
  function hide() {
    card.hidden = true;
    tapped = null;
    find("a.on").forEach((each) => each.classList.remove("on"));
  }
  function show(target) {
    const { parts, titles, time, more } = target.dataset;
    const add = (name, words, into = card) => {
      const element = into.appendChild(document.createElement(name));
      element.textContent = words;
      return element;
    };
    hide();
    card.replaceChildren();
    add("b", time || target.getAttribute("aria-label"));
    const shown = titles ? titles.split("\n") : parts.split("\n");
    const list = add("ul", "");
    list.className = titles ? "titles" : "";
    list.dir = "auto";
    shown.forEach((each) => add("li", each, list));
    if (more) add("span", more).className = "more";
    card.hidden = false;
    target.classList.add("on");
    const frame = box.getBoundingClientRect();
    const place = (target.querySelector(".hit") || target).getBoundingClientRect();
    const middle = Math.max(place.left, frame.left) + Math.min(place.width, 60) / 2 - frame.left;
    const right = middle + 18 + card.offsetWidth <= frame.width;
    card.style.left = `${Math.max(right ? middle + 18 : middle - 18 - card.offsetWidth, 0)}px`;
    card.style.top = `${(bars.includes(target) ? plot.getBoundingClientRect().bottom : place.bottom) + 4 - frame.top}px`;
  }
  card.className = "card";
  hide();
  const item = (event) => event.target.closest?.("a.bar, a.lane");
  box.addEventListener("pointerover", (event) => {
    if (event.pointerType === "mouse") item(event) ? show(item(event)) : hide();
  });
  box.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && hide());
  box.addEventListener("focusin", (event) => item(event)?.matches(":focus-visible") && show(item(event)));
  box.addEventListener("focusout", hide);
  box.addEventListener("keydown", (event) => event.key === "Escape" && hide());

  // A finger takes the nearest bar: first for its card, then to open it.
  let isTouch = false;
  plot.addEventListener("click", (event) => {
    if (!isTouch || !event.isTrusted) return;
    const far = (bar) => {
      const place = bar.getBoundingClientRect();
      return Math.max(place.left - event.clientX, event.clientX - place.right, 0);
    };
    const [nearest] = [...bars].sort((one, other) => far(one) - far(other));
    if (!nearest || far(nearest) > 24) return hide();
    event.preventDefault();
    if (tapped === nearest) return visit(nearest.href.baseVal);
    show(nearest);
    tapped = nearest;
  });

  // --- One stop of the Tab key: left and right along the bars, down to the lines and up again
  const stopAt = (bar) => bars.forEach((each) => each.setAttribute("tabindex", each === bar ? 0 : -1));
  stopAt(bars.at(-1));
  lanes?.removeAttribute("aria-hidden");
  if (!bars.length) lines[0]?.setAttribute("tabindex", 0);
  plot.setAttribute("aria-label", plot.dataset.keys);
  box.addEventListener("keydown", (event) => {
    const from = document.activeElement;
    const row = [bars, lines].find((each) => each.includes(from));
    if (!row) return;
    const at = row.indexOf(from);
    const to = {
      ArrowLeft: row[at - 1],
      ArrowRight: row[at + 1],
      Home: row[0],
      End: row.at(-1),
      ArrowDown: row === bars ? lines[0] : row[at + 1],
      ArrowUp: row === bars ? null : row[at - 1] || bars.find((bar) => bar.getAttribute("tabindex") === "0"),
    }[event.key];
    if (!to) return;
    event.preventDefault();
    if (bars.includes(to)) stopAt(to);
    to.focus();
  });

  // --- A stroke across the bars
  let begun = null;
  let stroke = null;
  const days = (one, other) => {
    const frame = plot.getBoundingClientRect();
    const at = (x) => first + Math.floor(Math.min(Math.max((x - frame.left) / frame.width, 0), 0.9999) * (last + 1 - first));
    return [at(Math.min(one, other)), at(Math.max(one, other))];
  };
  plot.addEventListener("dragstart", (event) => event.preventDefault());
  plot.addEventListener("pointerdown", (event) => {
    isTouch = event.pointerType === "touch";
    if (event.button === 0 && event.pointerType === "mouse") begun = event.clientX;
  });
  plot.addEventListener("pointermove", (event) => {
    if (begun === null || Math.abs(event.clientX - begun) < 8) return;
    if (!stroke) {
      stroke = plot.appendChild(document.createElementNS(plot.namespaceURI, "rect"));
      stroke.setAttribute("class", "stroke");
      stroke.setAttribute("height", "100%");
      plot.setPointerCapture(event.pointerId);
    }
    hide();
    const [from, to] = days(begun, event.clientX);
    const per = 100 / (last + 1 - first);
    stroke.setAttribute("x", `${(from - first) * per}%`);
    stroke.setAttribute("width", `${(to + 1 - from) * per}%`);
  });
  plot.addEventListener("pointerup", (event) => {
    if (stroke) {
      plot.addEventListener("click", (click) => click.preventDefault(), { once: true, capture: true });
      go(...days(begun, event.clientX), (last - first) / 125);
    }
    stop();
  });
  plot.addEventListener("pointercancel", stop);
  function stop() {
    begun = null;
    stroke?.remove();
    stroke = null;
  }

  const [strip] = find(".strip");
  if (strip) windowOn(strip, +strip.dataset.first, +strip.dataset.last, go);
}

// --- The window on the strip of all of time
let focused = -1; // the grip that had the focus when the axis was replaced
function windowOn(strip, first, last, go) {
  const stretches = JSON.parse(strip.dataset.stretches);
  const frame = strip.querySelector(".window");
  const grips = [strip.dataset.from, strip.dataset.to].map((name) => {
    const grip = strip.appendChild(document.createElement("span"));
    grip.className = "grip";
    grip.tabIndex = 0;
    for (const [key, value] of Object.entries({ role: "slider", "aria-label": name, "aria-valuemin": 0, "aria-valuemax": 1000 }))
      grip.setAttribute(key, value);
    return grip;
  });
  const place = (day) => {
    const [left, right, from, to] = stretches.find((each) => day <= each[3]) || stretches.at(-1);
    return left + Math.min(Math.max((day - from) / (to + 1 - from), 0), 1) * (right - left);
  };
  const dayAt = (x) => {
    const [left, right, from, to] = stretches.find((each) => x <= each[1]) || stretches.at(-1);
    return from + Math.min(Math.floor(Math.max((x - left) / (right - left), 0) * (to + 1 - from)), to - from);
  };
  const ends = [stretches[0][2], stretches.at(-1)[3]];
  const days = [Math.max(first, ends[0]), Math.min(last, ends[1])];
  // The days in about two pixels of the stretch that has a day.
  const step = (day) => {
    const [left, right, from, to] = stretches.find((each) => day <= each[3]) || stretches.at(-1);
    return Math.max(1, Math.round((to - from) / (right - left) / 5));
  };
  const clamp = (day, low, high) => Math.min(Math.max(day, low), high);

  function draw() {
    const left = place(days[0]);
    const right = place(days[1] + 1);
    frame.setAttribute("x", `${left}%`);
    frame.setAttribute("width", `${Math.max(right - left, 0.5)}%`);
    grips.forEach((grip, end) => {
      const at = end ? Math.max(right, left + 0.5) : left;
      grip.style.left = `${at}%`;
      grip.setAttribute("aria-valuenow", Math.round(at * 10));
      grip.setAttribute("aria-valuetext", edtf(days[end], step(days[end])));
    });
  }
  if (focused >= 0) grips[focused].focus();
  focused = -1;
  function choose() {
    focused = grips.indexOf(document.activeElement);
    go(days[0], days[1], Math.min(step(days[0]), step(days[1])));
  }
  const at = (event) => {
    const box = strip.getBoundingClientRect();
    return clamp(((event.clientX - box.left) / box.width) * 100, 0, 100);
  };

  let drag = null;
  strip.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    drag = { end: grips.indexOf(event.target), isWindow: event.target === frame, x: at(event), left: place(days[0]), right: place(days[1]) };
    strip.setPointerCapture(event.pointerId);
  });
  strip.addEventListener("pointermove", (event) => {
    if (!drag) return;
    const x = at(event);
    const by = x - drag.x;
    if (Math.abs(by) > 0.4) drag.isMoved = true;
    if (!drag.isMoved) return;
    if (drag.end === 0) days[0] = Math.min(dayAt(x), days[1]);
    else if (drag.end === 1) days[1] = Math.max(dayAt(x), days[0]);
    else if (drag.isWindow) {
      const shift = clamp(by, -drag.left, 100 - drag.right);
      days.splice(0, 2, dayAt(drag.left + shift), dayAt(drag.right + shift));
    } else days.splice(0, 2, ...[x, drag.x].sort((one, other) => one - other).map(dayAt));
    frame.classList.add("chosen");
    draw();
  });
  strip.addEventListener("pointerup", () => {
    if (drag?.isMoved) choose();
    drag = null;
  });
  strip.addEventListener("pointercancel", () => (drag = null));

  let later;
  grips.forEach((grip, end) =>
    grip.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -7, PageUp: 7, Home: -Infinity, End: Infinity }[event.key];
      if (!by) return;
      event.preventDefault();
      const day = days[end] + by * step(days[end]);
      days[end] = end ? clamp(day, days[0], ends[1]) : clamp(day, ends[0], days[1]);
      frame.classList.add("chosen");
      draw();
      clearTimeout(later);
      later = setTimeout(choose, 600);
    }),
  );
  draw();
}

function all() {
  for (const box of document.querySelectorAll(".axis[data-to]:not(.live)")) {
    box.classList.add("live");
    start(box);
  }
}
all();
// Where a script puts a new axis in place of the old one, it says so.
document.addEventListener("timeline:shown", all);
