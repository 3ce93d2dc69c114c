// Copy what a field has, and show an embed below the fields. Without this, fields are copied by
// hand, and the preview opens in a tab.
"use strict";
if (navigator.clipboard) document.documentElement.classList.add("copies");
document.addEventListener("click", async (event) => {
  const button = event.target.closest(".copy button");
  const preview = event.target.closest(".share .preview");
  const open = document.querySelector(".share [open]");
  if (open && !open.contains(event.target)) open.open = false;
  if (button) {
    await navigator.clipboard.writeText(button.previousElementSibling.value);
    button.textContent = "Copied";
  } else if (preview && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    preview.replaceWith(Object.assign(document.createElement("iframe"), { src: preview.href, title: "Preview" }));
  }
});
document.addEventListener("keydown", (event) => {
  const open = document.querySelector(".share [open]");
  if (event.key !== "Escape" || !open) return;
  open.open = false;
  open.querySelector("summary").focus();
});
