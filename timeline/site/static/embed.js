// Tell the page around this one how tall it is, whenever that changes and whenever it asks. In a
// site of files, take the colours that the address names, as a server does.
"use strict";
{
  const page = document.documentElement;
  const theme = new URLSearchParams(location.search).get("theme");
  if (theme === "dark" || theme === "light") page.dataset.theme = theme;
  const tell = () => {
    const height = Math.ceil(page.getBoundingClientRect().height);
    if (parent !== window && height) parent.postMessage({ timeline: "height", height }, "*");
  };
  new ResizeObserver(tell).observe(page);
  addEventListener("message", (message) => message.data?.timeline === "height?" && tell());
}
