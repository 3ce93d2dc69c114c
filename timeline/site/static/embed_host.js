// For the page of another site: give every embed of a timeline the height of what it shows. The
// embed works without this, at a fixed height with a scroll bar.
"use strict";
{
  const frames = () => [...document.querySelectorAll("iframe[src*='/embed']")];
  addEventListener("message", ({ data, origin, source }) => {
    if (data?.timeline !== "height" || !(data.height > 0)) return;
    for (const frame of frames()) {
      if (frame.contentWindow === source && new URL(frame.src).origin === origin) {
        frame.style.height = `${data.height}px`;
      }
    }
  });
  const ask = () => frames().forEach((frame) => frame.contentWindow.postMessage({ timeline: "height?" }, "*"));
  ask();
  addEventListener("load", ask);
}
