/* What the pages of the desk do beyond HTML; all of them work without it.
 *
 *   data-key="n"        a link, button, field or summary: the key goes to it, and opens a link or a
 *                       summary; a button gets the focus, and Enter presses it
 *   data-row            a row of a list: j and k go from one to the next, Enter opens its first link
 *   data-main           the main button of a form: Ctrl+Enter presses it, else the first .main
 *   data-focus          gets the focus when the page is open: what is new after an action
 *   data-echo="ADDRESS" a field: what is typed is asked for (?text=) and said in the element with
 *                       the id in data-echo-into
 */
"use strict";
(() => {
  const isField = (element) =>
    element.isContentEditable || element.matches("textarea, select, input:not([type=checkbox], [type=radio])");
  const rows = () => [...document.querySelectorAll("[data-row]")].filter((row) => row.offsetParent);
  const linkOf = (row) => row.querySelector("a[href], input[type=checkbox], button");

  const step = (by) => {
    const all = rows();
    const at = all.findIndex((row) => row.contains(document.activeElement));
    const next = all[Math.min(all.length - 1, Math.max(0, at < 0 ? (by > 0 ? 0 : all.length - 1) : at + by))];
    const target = next && linkOf(next);
    if (target) target.focus();
  };

  const go = (element) => {
    if (element.matches("a[href]")) element.click();
    else if (element.matches("summary")) {
      element.parentElement.open = true;
      const first = element.parentElement.querySelector("input:not([type=hidden]), select, textarea, button");
      (first || element).focus();
    } else element.focus();
  };

  document.addEventListener("keydown", (event) => {
    const form = event.target.closest && event.target.closest("form");
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      const main = (form || document).querySelector("[data-main], button.main");
      if (main) {
        event.preventDefault();
        main.form.requestSubmit(main);
      }
      return;
    }
    if (!("shortcuts" in document.body.dataset)) return;
    if (event.ctrlKey || event.metaKey || event.altKey || isField(event.target)) return;
    if (event.key === "j" || event.key === "k") {
      event.preventDefault();
      step(event.key === "j" ? 1 : -1);
      return;
    }
    const all = document.querySelectorAll(`[data-key="${CSS.escape(event.key)}"]`);
    const found = [...all].find((element) => element.offsetParent);
    if (found) {
      event.preventDefault();
      go(found);
    }
  });

  const said = (found) => {
    const parts = [];
    const add = (name, text, inside) => {
      const element = document.createElement(name);
      element.textContent = text;
      parts.push(element);
      if (inside) element.className = inside;
    };
    if (found.words) {
      add("p", `${found.words} (${found.edtf})`);
      if (found.earliest !== found.latest) {
        add("p", `Earliest ${found.earliest || "not known"}, latest ${found.latest || "not known"}`, "hint");
      }
    } else if (found.problem) add("p", found.problem, "problem");
    for (const reading of found.readings || []) {
      const button = document.createElement("button");
      button.textContent = reading.words;
      button.name = "do";
      button.value = `date-${reading.text}`;
      parts.push(button);
    }
    return parts;
  };

  for (const field of document.querySelectorAll("[data-echo]")) {
    const into = document.getElementById(field.dataset.echoInto);
    let waiting = 0;
    let asked = "";
    field.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(async () => {
        asked = field.value;
        const text = asked;
        const answer = await fetch(`${field.dataset.echo}?text=${encodeURIComponent(text)}`);
        if (into && answer.ok && text === asked) into.replaceChildren(...said(await answer.json()));
      }, 250);
    });
  }

  const first =
    document.querySelector("[data-focus]") || document.getElementById("problems") || document.querySelector(":target");
  if (first) first.focus();
})();
