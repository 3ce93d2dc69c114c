// The browse page works without this file. With it, a stroke across the bars chooses a period,
// and they are one stop of the Tab key, with the arrow keys inside.
const bars = document.querySelector(".bars");
const links = bars ? [...bars.querySelectorAll("a")] : [];

let start = null;
let end = null;

function at(event) {
  const box = bars.getBoundingClientRect();
  const index = Math.floor(((event.clientX - box.left) / box.width) * links.length);
  return Math.min(Math.max(index, 0), links.length - 1);
}

function stopAt(index) {
  links.forEach((link, each) => link.setAttribute("tabindex", each === index ? 0 : -1));
}

function moved(key) {
  const index = links.indexOf(document.activeElement);
  const steps = { ArrowLeft: index - 1, ArrowRight: index + 1, Home: 0, End: links.length - 1 };
  return links[steps[key]];
}

function show() {
  const [first, last] = [Math.min(start, end), Math.max(start, end)];
  links.forEach((link, index) =>
    link.classList.toggle("brushed", start !== null && index >= first && index <= last),
  );
}

function finish() {
  const [first, last] = [Math.min(start, end), Math.max(start, end)];
  start = end = null;
  show();
  if (first === last) return; // A click: the link does it.
  const address = new URL(location.href);
  address.searchParams.set("since", links[first].dataset.first);
  address.searchParams.set("until", links[last].dataset.last);
  address.searchParams.delete("after");
  location.assign(address);
}

if (bars) {
  bars.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    start = end = at(event);
  });
  bars.addEventListener("pointermove", (event) => {
    if (start === null) return;
    end = at(event);
    if (end !== start) {
      if (!bars.hasPointerCapture(event.pointerId)) bars.setPointerCapture(event.pointerId);
      show();
    }
  });
  bars.addEventListener("pointerup", () => {
    if (start !== null) finish();
  });
  bars.addEventListener("pointercancel", () => {
    start = end = null;
    show();
  });
  bars.addEventListener("dragstart", (event) => event.preventDefault());

  stopAt(links.findIndex((link) => !link.hasAttribute("tabindex")));
  bars.setAttribute("aria-label", `${bars.getAttribute("aria-label")}: arrow keys move along them`);
  bars.addEventListener("keydown", (event) => {
    const link = moved(event.key);
    if (!link) return;
    event.preventDefault();
    stopAt(links.indexOf(link));
    link.focus();
  });
}
