// Subscribes this browser to push messages, and marks it among the devices of the person.
"use strict";
(() => {
  const form = document.getElementById("subscribe");
  const button = form.querySelector("button");
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const key = bytes(form.dataset.key);
  const address = (s) => `${s.endpoint}#${text(s.getKey("p256dh"))}.${text(s.getKey("auth"))}`;
  const say = (sentence) => {
    const line = form.querySelector("[role=alert]");
    line.textContent = sentence;
    line.hidden = false;
  };
  const digest = async (s) => [...new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(address(s))))].map((b) => b.toString(16).padStart(2, "0")).join("");
  const ours = (s) => text(s.options.applicationServerKey) === form.dataset.key;

  const look = async () => {
    const worker = await navigator.serviceWorker.register("/push-worker.js");
    const known = await worker.pushManager.getSubscription();
    if (known && !ours(known)) {
      await known.unsubscribe(); // the service has another key: nothing would ever come
      say(form.dataset.other);
    } else if (known) {
      const line = document.querySelector(`[data-subscribed="${await digest(known)}"]`);
      if (line) {
        line.querySelector(".over").hidden = false;
        line.querySelector("form").addEventListener("submit", () => { known.unsubscribe(); });
        return;
      }
    }
    button.hidden = false;
  };

  const subscribe = async () => {
    if (await Notification.requestPermission() !== "granted") {
      say(form.dataset.denied);
      return;
    }
    const worker = await navigator.serviceWorker.ready;
    const made = await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
    form.elements.address.value = address(made);
    form.submit();
  };

  if (!("serviceWorker" in navigator) || !("PushManager" in window) || !("Notification" in window)) {
    say(form.dataset.unable);
    return;
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    button.disabled = true;
    subscribe().catch(() => say(form.dataset.failed)).finally(() => { button.disabled = false; });
  });
  look().catch(() => say(form.dataset.unable));
})();
