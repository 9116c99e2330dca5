// Leads through the values of a chart with the keyboard or a finger. Without this script
// a chart tells its values to a pointer, and the table below it to everybody.
(() => {
  "use strict";
  document.documentElement.classList.add("scripted");

  const show = (cursor) => {
    const chart = cursor.closest("figure");
    chart.querySelector("g.at.on")?.classList.remove("on");
    const at = chart.querySelectorAll("g.at")[cursor.value];
    if (!at) return;
    at.classList.add("on");
    const text = at.querySelector("text").textContent;
    cursor.setAttribute("aria-valuetext", text);
    cursor.nextElementSibling.textContent = text;
  };
  for (const button of document.querySelectorAll("[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => print());
  }
  // Parts of a page may be put in anew: the document listens for them.
  for (const kind of ["input", "focusin"]) {
    document.addEventListener(kind, (event) => { if (event.target.matches?.(".cursor input")) show(event.target); });
  }
  document.addEventListener("focusout", (event) => {
    if (event.target.matches?.(".cursor input")) event.target.closest("figure").querySelector("g.at.on")?.classList.remove("on");
  });
})();
