// Choosing words of an article with the mouse, its next missing sentence, and pasted HTML.
"use strict";
document.body.classList.add("has-script");

const codePoints = (text) => [...text].length;

// --- Pasted HTML: sent beside the text, as long as nobody edits what was pasted ---
const capture = document.querySelector("#capture-form");
if (capture) {
  const { text, pasted_html: html } = capture.elements;
  let isPasting = false;
  text.addEventListener("paste", (event) => {
    const isAll = text.selectionEnd - text.selectionStart === text.value.length;
    isPasting = isAll;
    html.value = isAll ? event.clipboardData.getData("text/html") : "";
  });
  text.addEventListener("input", () => {
    if (!isPasting) html.value = "";
    isPasting = false;
  });
}

// --- Sentences: ticked ones, or selected words ---
const reading = document.querySelector("#sentences");
if (reading) {
  const boxes = [...reading.querySelectorAll("input[name=sentence]")];
  const { quote_start: first, quote_end: last } = reading.elements;
  const chosen = reading.querySelector(".chosen");

  // The place in the text, in code points, of an end of a selection; null if it is not in a sentence.
  const placeOf = (node, offset, isEnd) => {
    const within = node.nodeType === Node.TEXT_NODE ? node.parentElement : node;
    const piece = within.closest("[data-start]");
    if (!piece) {
      const near = isEnd ? node.childNodes[offset - 1] : node.childNodes[offset];
      const found = near?.querySelectorAll?.("[data-start]") ?? [];
      if (near?.matches?.("[data-start]")) return +(isEnd ? near.dataset.end : near.dataset.start);
      if (!found.length) return null;
      return isEnd ? +found[found.length - 1].dataset.end : +found[0].dataset.start;
    }
    if (piece.classList.contains("unseen")) return +(isEnd ? piece.dataset.end : piece.dataset.start);
    if (node.nodeType !== Node.TEXT_NODE) return +(offset ? piece.dataset.end : piece.dataset.start);
    return +piece.dataset.start + codePoints(node.data.slice(0, offset));
  };

  const tell = () => {
    const count = boxes.filter((box) => box.checked).length;
    const parts = [];
    if (count) parts.push(count === 1 ? "1 sentence ticked" : `${count} sentences ticked`);
    if (first.value) parts.push(`words selected: “${shown}”`);
    chosen.textContent = parts.join("; ");
  };

  let shown = "";
  const select = () => {
    const selection = document.getSelection();
    if (!selection.rangeCount || selection.isCollapsed) return;
    const range = selection.getRangeAt(0);
    const words = range.commonAncestorContainer;
    const inside = words.nodeType === Node.TEXT_NODE ? words.parentElement : words;
    if (!inside.closest(".reading")) return;
    const start = placeOf(range.startContainer, range.startOffset, false);
    const end = placeOf(range.endContainer, range.endOffset, true);
    if (start === null || end === null || start >= end) return;
    first.value = start;
    last.value = end;
    const text = selection.toString().trim().replace(/\s+/g, " ");
    shown = text.length > 80 ? `${text.slice(0, 80)}…` : text;
    tell();
  };

  document.addEventListener("selectionchange", select);
  reading.addEventListener("change", tell);
  reading.addEventListener("click", (event) => {
    const words = event.target.closest(".words");
    if (!words || !document.getSelection().isCollapsed) return;
    first.value = last.value = shown = "";
    const box = words.parentElement.querySelector("input[name=sentence]");
    box.click();
    box.focus({ preventScroll: true });
  });
  window.addEventListener("pageshow", tell);

  // --- The next missing sentence behind the one that has the focus ---
  let from = 0;
  reading.addEventListener("focusin", (event) => {
    const box = event.target.closest(".sentence")?.querySelector("input[name=sentence]");
    if (box) from = +box.value;
  });
  const link = document.querySelector("[data-next-missing]");
  link?.addEventListener("click", (event) => {
    const next = boxes.find((box) => +box.value > from && box.parentElement.dataset.state === "missing");
    if (!next) return;
    event.preventDefault();
    history.replaceState(null, "", `#${next.id}`);
    next.focus();
    next.scrollIntoView({ block: "center" });
  });
}
