// Keeps a page up to date without losing one's place in it. Everything works
// without this script; with it, the parts marked data-live follow the stream.
(() => {
  "use strict";
  const body = document.body;
  const news = document.getElementById("news");
  const live = document.getElementById("live");
  const more = document.getElementById("more");
  const plainTitle = document.title;
  const rang = new Map(); // alerts that rang since the page was opened: whether that was said, whether they are open for certain
  let waiting = false;
  let running = false;

  // What was just done is said once: not again when the page is loaded again.
  const here = new URL(location.href);
  if (here.searchParams.has("done")) {
    here.searchParams.delete("done");
    history.replaceState(null, "", here);
  }

  const say = (text, state) => {
    if (!live) return;
    live.firstElementChild.textContent = text;
    live.dataset.state = state;
  };

  const rows = (part) => [...part.querySelectorAll("[data-alert]")];

  // A part in which somebody is writing is left alone.
  const busy = (part) => {
    if (!part.contains(document.activeElement)) return false;
    return ["INPUT", "TEXTAREA", "SELECT"].includes(document.activeElement.tagName);
  };
  const chosen = (select) => select.selectedIndex !== Math.max(0, [...select.options].findIndex((option) => option.defaultSelected));
  const written = (part) =>
    [...part.querySelectorAll("textarea, input:not([type=hidden])")].some((field) => field.value !== field.defaultValue || field.checked !== field.defaultChecked) ||
    [...part.querySelectorAll("select")].some(chosen);

  const swap = (page) => {
    for (const part of document.querySelectorAll("[data-live]")) {
      const fresh = page.getElementById(part.id);
      if (!fresh || busy(part) || written(part)) continue;
      for (const row of rows(fresh)) if (rang.has(row.dataset.alert) && row.querySelector("th")) row.querySelector("th").dataset.fresh = body.dataset.new;
      for (const folded of part.querySelectorAll("details[id]")) page.getElementById(folded.id)?.toggleAttribute("open", folded.open);
      if (fresh.innerHTML === part.innerHTML) continue;
      const focused = part.contains(document.activeElement) ? placeOf(part, document.activeElement) : null;
      part.replaceChildren(...fresh.childNodes);
      if (focused) find(part, focused)?.focus();
    }
  };

  // The place of a link or button: the row it is in and which one it is there. When
  // the row is gone, the one that took its place has it.
  const targets = "a[href], button, input:not([type=hidden]), select, textarea";
  const placeOf = (part, element) => {
    const row = element.closest("[data-alert]");
    return { row: row?.id, nth: rows(part).indexOf(row), index: [...(row ?? part).querySelectorAll(targets)].indexOf(element) };
  };
  const find = (part, place) => {
    if (!place.row) return part.querySelectorAll(targets)[place.index];
    const left = rows(part);
    const row = document.getElementById(place.row) ?? left[Math.min(place.nth, left.length - 1)];
    return row?.querySelectorAll(targets)[place.index];
  };

  // A list of patients moves under nobody's hand. While the pointer, the focus or a
  // finger is inside, rows stay where they are: what is new waits behind a button, and
  // what is gone is marked. After half a minute without movement the hand is gone.
  const list = document.querySelector("[data-rows]");
  const arrivals = document.getElementById("arrivals");
  const urgent = document.getElementById("urgent");
  const patience = 30000;
  let inside = false;
  let moved = -Infinity;
  let latest = null; // rows that are not shown yet, and the page around them
  let around = null;
  const held = () => (inside || list.contains(document.activeElement)) && performance.now() - moved < patience;
  if (list) {
    const touched = () => { moved = performance.now(); };
    for (const kind of ["pointermove", "pointerdown", "touchstart", "keydown", "focusin"]) list.addEventListener(kind, touched, { passive: true });
    list.addEventListener("pointerenter", () => { inside = true; touched(); });
    list.addEventListener("pointerleave", (event) => { if (event.pointerType !== "touch") { inside = false; settle(); } });
    list.addEventListener("focusout", () => setTimeout(settle));
    arrivals.firstElementChild.addEventListener("click", () => { arrange(); list.querySelector("[data-fresh] a")?.focus(); });
    setInterval(() => { if (latest && !held()) arrange(); }, 1000);
  }
  const settle = () => { if (latest && !held()) arrange(); };

  // arrange puts the rows as the service has them. Rows keep their element, so that the
  // focus stays where it is.
  const arrange = () => {
    const focused = list.contains(document.activeElement) ? placeOf(list, document.activeElement) : null;
    const wanted = rows(latest);
    const keep = new Set(wanted.map((row) => row.id));
    for (const row of rows(list)) if (!keep.has(row.id)) row.remove();
    wanted.forEach((fresh, nth) => {
      let row = document.getElementById(fresh.id);
      const isNew = !row;
      if (isNew) row = document.importNode(fresh, true);
      else if (row.outerHTML !== fresh.outerHTML) {
        for (const name of row.getAttributeNames()) if (!fresh.hasAttribute(name)) row.removeAttribute(name);
        for (const name of fresh.getAttributeNames()) row.setAttribute(name, fresh.getAttribute(name));
        if (row.innerHTML !== fresh.innerHTML) row.replaceChildren(...document.importNode(fresh, true).childNodes);
      }
      if (list.children[nth] !== row) list.insertBefore(row, list.children[nth] ?? null);
      if (isNew) row.dataset.fresh = "";
    });
    latest = null;
    arrivals.hidden = true;
    swap(around);
    if (focused && !list.contains(document.activeElement)) find(list, focused)?.focus();
  };

  // receive takes the rows as they are now.
  const receive = (fresh) => {
    const before = new Map(rows(list).map((row) => [row.id, row]));
    const red = rows(fresh).filter((row) => row.dataset.level === "red" && before.get(row.id)?.dataset.level !== "red");
    if (red.length > 0) alarm(red);
    latest = fresh;
    if (!held()) { arrange(); return; }
    const now = new Set(rows(fresh).map((row) => row.id));
    for (const [id, row] of before) {
      if (now.has(id)) { row.querySelector(".gone")?.remove(); delete row.dataset.gone; continue; }
      if ("gone" in row.dataset) continue;
      row.dataset.gone = "";
      const word = document.createElement("span");
      word.className = "gone";
      word.textContent = list.dataset.gone;
      row.append(word);
    }
    const count = rows(fresh).filter((row) => !before.has(row.id)).length;
    const button = arrivals.firstElementChild;
    button.textContent = count === 1 ? button.dataset.single : button.dataset.many.replace("%s", count);
    arrivals.hidden = count === 0;
  };

  // alarm shows a new red at once, whatever holds the list.
  const alarm = (red) => {
    const link = document.createElement("a");
    link.href = red[0].dataset.link;
    link.textContent = red[0].dataset.say;
    urgent.replaceChildren(`${body.dataset.red} : `, link, red.length > 1 ? ` (+${red.length - 1})` : "");
    urgent.hidden = false;
  };

  const announce = () => {
    const shown = new Map(rows(document).map((row) => [row.dataset.alert, row]));
    const fresh = [...rang.keys()].filter((id) => !rang.get(id).said && shown.has(id));
    for (const id of fresh) rang.get(id).said = true;
    if (fresh.length > 0) {
      news.textContent = fresh.slice(0, 3).map((id) => `${body.dataset.new} : ${shown.get(id).dataset.say}`).join(". ");
      if (document.hidden) document.title = `(${fresh.length}) ${plainTitle}`;
    }
    if (!more) return;
    const beyond = [...rang.keys()].filter((id) => rang.get(id).open && !shown.has(id)).length;
    const text = `${more.firstElementChild.dataset.word} ${beyond}`;
    if (beyond > 0 && more.firstElementChild.textContent !== text) news.textContent = text;
    more.firstElementChild.textContent = text;
    more.hidden = beyond === 0;
  };

  const refresh = async () => {
    if (running) { waiting = true; return false; }
    running = true;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html", "Vigie-Refresh": "1" }, redirect: "manual" });
      if (answer.type === "opaqueredirect") { location.reload(); return false; }
      if (!answer.ok) return false;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (list && page.querySelector("[data-rows]")) { around = page; receive(page.querySelector("[data-rows]")); } else swap(page);
      announce();
      return true;
    } catch {
      return false; // the stream says so; the next event or minute tries again
    } finally {
      running = false;
      if (waiting) { waiting = false; soon(); }
    }
  };

  // Many events in a row are one look at the page every other second: a crowd that
  // looks at each would keep the service from its work.
  let timer = 0;
  let looked = -Infinity;
  const soon = () => {
    if (timer) return;
    const wait = Math.max(300, looked + 2000 - performance.now());
    timer = setTimeout(() => { timer = 0; looked = performance.now(); refresh(); }, wait);
  };

  let source = null;
  let last = "";
  const listen = () => {
    if (source) return;
    const mine = (source = new EventSource(body.dataset.stream + (last && `?after=${last}`)));
    mine.addEventListener("open", () => { say(body.dataset.joined, "on"); soon(); });
    mine.addEventListener("alert", (event) => {
      last = event.lastEventId;
      const { alert, kind } = JSON.parse(event.data);
      if (["raised", "risen", "recurred", "resumed"].includes(kind)) rang.set(alert, { said: false, open: kind === "raised" || kind === "risen" });
      if (["acknowledged", "resolved"].includes(kind)) rang.delete(alert);
      soon();
    });
    mine.addEventListener("error", () => {
      if (mine !== source) return;
      say(body.dataset.lost, "off");
      // The browser tries again by itself unless it was refused.
      if (mine.readyState !== EventSource.CLOSED) return;
      source = null;
      // A page that may not follow the stream, because too many do, looks every half minute.
      refresh().then((answered) => { if (answered && !source) say(body.dataset.polled, "poll"); });
      setTimeout(() => { if (!resting()) listen(); }, 10000);
    });
  };

  // A browser keeps six connections to one server: alerts that are open in tabs
  // nobody looks at would use them up, and no page would load any more.
  const resting = () => document.hidden && !live;
  const rest = () => { source?.close(); source = null; };

  // A note that is not sent yet is kept in this tab: a session that ends, or a page that
  // is left, does not lose it.
  for (const form of document.querySelectorAll("form[data-keep]")) {
    const key = `note ${form.dataset.keep}`;
    const area = form.querySelector("textarea");
    if (location.hash === "#done") sessionStorage.removeItem(key);
    else area.value ||= sessionStorage.getItem(key) ?? "";
    form.addEventListener("input", () => sessionStorage.setItem(key, area.value));
  }
  document.querySelector("form[action='/logout']")?.addEventListener("submit", () => sessionStorage.clear());
  if (location.hash === "#done") {
    sessionStorage.removeItem(`note ${location.pathname.split("/").pop()}`);
    document.getElementById("done")?.focus();
  }

  // ↑ and ↓ go from one patient to the next, Ctrl K goes to the search.
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && document.getElementById("q")) {
      event.preventDefault();
      document.getElementById("q").focus();
    }
    if (!list || !["ArrowDown", "ArrowUp"].includes(event.key) || event.target.matches("input, select, textarea")) return;
    const links = [...list.querySelectorAll("a.open")];
    const at = links.indexOf(document.activeElement);
    const next = links[event.key === "ArrowDown" ? at + 1 : Math.max(0, at - 1)];
    if (!next) return;
    event.preventDefault();
    next.focus();
  });

  if (!resting()) listen();
  setInterval(soon, 30000); // ages and delays go on without events
  document.addEventListener("visibilitychange", () => {
    if (resting()) { rest(); return; }
    listen();
    if (!document.hidden) { document.title = plainTitle; soon(); }
  });
})();
