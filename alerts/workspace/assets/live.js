// Keeps a page up to date without losing one's place in it. Everything works
// without this script; with it, the parts marked data-live follow the stream.
(() => {
  "use strict";
  const body = document.body;
  const news = document.getElementById("news");
  const live = document.getElementById("live");
  const plainTitle = document.title;
  let waiting = false;
  let running = false;

  const say = (text, state) => {
    if (!live) return;
    live.firstElementChild.textContent = text;
    live.dataset.state = state;
  };

  const rows = () => new Map([...document.querySelectorAll("[data-alert]")].map((row) => [row.dataset.alert, row]));

  // A part in which somebody is writing is left alone.
  const busy = (part) => {
    if (!part.contains(document.activeElement)) return false;
    return ["INPUT", "TEXTAREA", "SELECT"].includes(document.activeElement.tagName);
  };
  const written = (part) => [...part.querySelectorAll("textarea")].some((area) => area.value !== area.defaultValue);

  const swap = (page) => {
    for (const part of document.querySelectorAll("[data-live]")) {
      const fresh = page.getElementById(part.id);
      if (!fresh || fresh.innerHTML === part.innerHTML || busy(part) || written(part)) continue;
      const focused = part.contains(document.activeElement) ? placeOf(document.activeElement) : null;
      part.replaceChildren(...fresh.childNodes);
      if (focused) find(part, focused)?.focus();
    }
  };

  // The place of a link or button: the row it is in and which one it is there.
  const within = (element) => element.closest("[data-alert]");
  const targets = "a[href], button, input, select, textarea";
  const placeOf = (element) => {
    const scope = within(element) ?? element.closest("[data-live]");
    return { row: within(element)?.id, index: [...scope.querySelectorAll(targets)].indexOf(element) };
  };
  const find = (part, place) => {
    const scope = place.row ? document.getElementById(place.row) : part;
    return scope?.querySelectorAll(targets)[place.index];
  };

  const announce = (before) => {
    const fresh = [...rows()].filter(([id]) => !before.has(id)).map(([, row]) => row);
    for (const row of fresh) row.classList.add("fresh");
    if (fresh.length === 0) return;
    news.textContent = fresh.slice(0, 3).map((row) => `${body.dataset.new} : ${row.dataset.say}`).join(". ");
    if (document.hidden) document.title = `(${fresh.length}) ${plainTitle}`;
  };

  const refresh = async () => {
    if (running) { waiting = true; return; }
    running = true;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" }, redirect: "manual" });
      if (answer.type === "opaqueredirect") { location.reload(); return; }
      if (!answer.ok) return;
      const before = rows();
      swap(new DOMParser().parseFromString(await answer.text(), "text/html"));
      if (document.querySelector("[data-alert]") || before.size) announce(before);
    } catch {
      // The stream says so; the next event or minute tries again.
    } finally {
      running = false;
      if (waiting) { waiting = false; soon(); }
    }
  };

  let timer = 0;
  const soon = () => { if (!timer) timer = setTimeout(() => { timer = 0; refresh(); }, 300); };

  const listen = () => {
    const source = new EventSource(body.dataset.stream);
    source.addEventListener("open", () => { say(body.dataset.joined, "on"); soon(); });
    source.addEventListener("alert", soon);
    source.addEventListener("error", () => {
      say(body.dataset.lost, "off");
      // The browser tries again by itself unless it was refused.
      if (source.readyState === EventSource.CLOSED) setTimeout(() => { source.close(); listen(); refresh(); }, 5000);
    });
  };

  listen();
  setInterval(soon, 30000); // ages and delays go on without events
  document.addEventListener("visibilitychange", () => { if (!document.hidden) { document.title = plainTitle; soon(); } });
})();
