// Renews what changes, and nothing else: the reader's place and focus stay. Without it the
// page has a link to load it again.
"use strict";
const every = 2000; // ms
const parts = ["counts", "messages", "results"];
const button = document.getElementById("pause");
let paused = false;

async function renew() {
  try {
    const text = await (await fetch(location.href)).text();
    const fresh = new DOMParser().parseFromString(text, "text/html");
    for (const id of parts) {
      const now = document.getElementById(id), next = fresh.getElementById(id);
      if (next && now.innerHTML !== next.innerHTML) now.replaceChildren(...next.childNodes);
    }
    document.body.dataset.state = "on";
  } catch {
    document.body.dataset.state = "off"; // the bench has ended: its report stands in the terminal
  }
}

button.hidden = false;
button.addEventListener("click", () => {
  paused = !paused;
  button.setAttribute("aria-pressed", String(paused));
});
setInterval(() => { if (!paused && !document.hidden) renew(); }, every);
document.body.dataset.state = "on";
