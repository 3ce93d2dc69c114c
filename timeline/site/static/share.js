// Copy what a field has, show an embed below the fields, and hide the explanation of a word by
// Escape. Without this, fields are copied by hand, and the preview opens in a tab.
"use strict";
if (navigator.clipboard) document.documentElement.classList.add("copies");
document.addEventListener("click", async (event) => {
  const button = event.target.closest(".copy button");
  const preview = event.target.closest(".share .preview");
  const open = document.querySelector(".share [open]");
  if (open && !open.contains(event.target)) open.open = false;
  if (button) {
    await navigator.clipboard.writeText(button.previousElementSibling.value);
    button.textContent = button.dataset.done;
  } else if (preview && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    preview.replaceWith(Object.assign(document.createElement("iframe"), { src: preview.href, title: preview.textContent }));
  }
});
document.addEventListener("keydown", (event) => {
  const open = document.querySelector(".share [open]");
  if (event.key !== "Escape") return;
  event.target.closest(".word button")?.blur();
  if (!open) return;
  open.open = false;
  open.querySelector("summary").focus();
});
