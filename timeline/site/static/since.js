// Tell a reader what is new: in the list, since an earlier visit; beside it, since the page was
// made. What they saw last is kept in this browser, and is sent as the number of an entry alone.
"use strict";
{
  const line = document.querySelector("[data-since]");
  const made = Number(line.dataset.entry);
  const MINUTE = 60_000;
  const LONGEST = 16 * MINUTE;
  let wait = MINUTE;
  let asked = Date.now();
  let timer = 0;

  // Of a visit, what is new stays marked until "Show" is pressed: each store has an entry.
  const key = `timeline ${line.dataset.since}`;
  let seen = made;
  try {
    seen = Math.min(made, Number(sessionStorage.getItem(key) ?? localStorage.getItem(key) ?? made));
    sessionStorage.setItem(key, seen);
    localStorage.setItem(key, made);
  } catch {
    // Without storage, each page begins anew.
  }

  const mark = () => {
    for (const item of document.querySelectorAll("li[data-entry]")) {
      if (item.dataset.entry <= seen || item.querySelector(".is-new")) continue;
      const word = (item.dataset.first ?? made) > seen ? "new" : "changed";
      const label = Object.assign(document.createElement("span"), { className: "mark is-new" });
      label.textContent = line.dataset[word];
      item.querySelector(".about").prepend(label, " ");
    }
  };

  const say = (found) => {
    if (!found.words.length) return;
    line.textContent = `${found.words.join(", ")} `;
    if (found.entry <= made) return;
    const show = Object.assign(document.createElement("a"), { href: location.href });
    show.textContent = line.dataset.show;
    show.addEventListener("click", (event) => {
      event.preventDefault();
      try {
        sessionStorage.setItem(key, made);
      } catch {
        // The page is shown again without marks.
      }
      location.reload();
    });
    line.append(show);
  };

  const ask = async (entry) => {
    asked = Date.now();
    const address = new URL(line.dataset.since, location);
    const here = new URLSearchParams(location.search);
    for (const [name, value] of here) {
      if (line.hasAttribute("data-filters") || name === "lang") address.searchParams.append(name, value);
    }
    address.searchParams.set("entry", entry);
    try {
      const answer = await fetch(address, { cache: "no-cache" });
      if (!answer.ok) throw new Error(answer.status);
      say(await answer.json());
      wait = MINUTE;
    } catch {
      wait = Math.min(2 * wait, LONGEST);
    }
    later();
  };

  const later = () => {
    clearTimeout(timer);
    if (!document.hidden) timer = setTimeout(ask, Math.max(0, asked + wait - Date.now()), made);
  };

  mark();
  document.addEventListener("timeline:shown", mark);
  document.addEventListener("visibilitychange", later);
  if (seen < made) ask(seen);
  else later();
}
