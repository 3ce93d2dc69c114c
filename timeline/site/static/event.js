// Copy the address of a version. Without this, the address can be selected and copied by hand.
"use strict";
for (const button of document.querySelectorAll(".copy button")) {
  if (!navigator.clipboard) break;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.previousElementSibling.value);
    button.textContent = "Copied";
  });
}
