// The browse page works without this file, by forms and links. With it, they change the page in
// place: its parts (data-part) are fetched as they are at the new address.
document.documentElement.classList.add("js");
const main = document.querySelector("main");
const panel = document.querySelector("#filters");
const search = document.querySelector("#q");
const find = (selector) => [...document.querySelectorAll(selector)];
let asking = null;
let waiting = 0;

// Return the page at an address as a document; null if it cannot be had, or is no longer wanted.
async function read(address, signal) {
  if (self.timelineDraw) return self.timelineDraw(address); // on a static site
  const parts = new URL(address);
  parts.searchParams.set("part", "1");
  try {
    const answer = await fetch(parts, { signal });
    const made = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (find("[data-part]").every((part) => same(made, part))) return made;
  } catch (error) {
    if (error.name === "AbortError") return null;
  }
  location.assign(address);
  return null;
}

function same(made, part) {
  return made.querySelector(`[data-part="${part.dataset.part}"]`);
}

// Return a selector of an element that will be replaced.
function selector(element) {
  if (element.id) return `#${CSS.escape(element.id)}`;
  const names = element.type === "search" ? ["name"] : ["name", "value", "href"];
  const known = names.filter((name) => element.hasAttribute(name));
  return element.localName + known.map((name) => `[${name}="${CSS.escape(element.getAttribute(name))}"]`).join("");
}

function replace(made) {
  const before = document.activeElement;
  const open = new Map(find("#filters details").map((each) => [each.id, each.open]));
  const scrolled = panel.scrollTop;
  const its = before.closest("[data-part]");
  find("[data-part]").forEach((part) => part.replaceChildren(...same(made, part).childNodes));
  find("#filters details").forEach((each) => (each.open = open.get(each.id) ?? each.open));
  panel.scrollTop = scrolled;
  document.title = made.title;
  if (!its) return;
  const list = document.querySelector("#list");
  list.tabIndex = -1;
  const after = its.querySelector(selector(before)) || list;
  after.focus({ preventScroll: true });
  if (after.matches("[type=text], [type=search]")) {
    after.value = before.value;
    after.setSelectionRange(before.selectionStart, before.selectionEnd);
  }
}

// Show what is at an address. Another moment or another view is another page.
async function show(to, push = true) {
  const address = new URL(to, location);
  const asked = (where, name) => new URL(where).searchParams.get(name);
  if (push && ["as_of", "as_reported", "view"].some((name) => asked(address, name) !== asked(location, name))) {
    location.assign(address);
    return;
  }
  main.ariaBusy = "true";
  asking?.abort();
  asking = new AbortController();
  const made = await read(address, asking.signal);
  if (!made) return;
  replace(made);
  if (push) history.pushState(null, "", address);
  if (!push || document.activeElement !== search) search.value = asked(address, "q") || "";
  if (asked(address, "after")) document.querySelector("#list").scrollIntoView();
  if (address.hash) document.querySelector(address.hash)?.scrollIntoView({ block: "nearest" });
  main.ariaBusy = null;
  document.dispatchEvent(new Event("timeline:shown"));
}

// Return the address that the panel asks for, or this one with other words to search for.
function asked(form) {
  const address = new URL(form.action);
  let pairs = [...new FormData(form)];
  if (form === search.form) {
    const kept = [...new URL(location).searchParams].filter(([name]) => !["q", "after"].includes(name));
    pairs = [["q", search.value], ...kept];
  }
  address.search = new URLSearchParams(pairs.filter(([, value]) => value.trim()));
  return address;
}

// Show the values of a facet that have a text, without a new address.
async function findValues(input) {
  const text = input.value;
  const made = await read(asked(input.form));
  if (input.value !== text) return;
  const facet = input.closest("details");
  for (const part of ["ul", ".all"]) {
    const [old, fresh] = [facet.querySelector(part), made?.querySelector(`#${facet.id} ${part}`)];
    if (old && fresh) old.replaceWith(fresh);
    else if (made && old) old.remove();
  }
}

function later(work) {
  clearTimeout(waiting);
  waiting = setTimeout(work, 250);
}

if (panel && search) {
  document.addEventListener("change", ({ target }) => {
    // The day of the past is not asked for while its digits are typed.
    if (!panel.contains(target) || /^(find_|as_of)/.test(target.name)) return;
    if (target.type === "checkbox" && target.checked) {
      const other = target.closest("li").querySelectorAll("[type=checkbox]");
      other.forEach((each) => (each.checked = each === target));
    }
    show(asked(target.form));
  });
  document.addEventListener("input", ({ target }) => {
    if (target === search) later(() => show(asked(search.form)));
    else if (panel.contains(target) && target.name.startsWith("find_")) later(() => findValues(target));
  });
  document.addEventListener("submit", (event) => {
    if (event.target !== search.form && !panel.contains(event.target)) return;
    event.preventDefault();
    clearTimeout(waiting);
    show(asked(event.target));
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const address = new URL(link.getAttribute("href"), location);
    if (!main.contains(link) || address.href.split(/[?#]/)[0] !== search.form.action) return;
    event.preventDefault();
    show(address);
  });
  document.addEventListener("timeline:go", (event) => {
    event.preventDefault();
    show(event.detail);
  });
  addEventListener("popstate", () => show(location, false));
}
