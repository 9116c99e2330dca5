// Shows push messages, and opens what they are about. It keeps nothing and serves nothing.
"use strict";
// A message that cannot be read was one all the same: somebody is to look.
const unread = { title: "Vigie", body: "Une alerte attend. / An alert is waiting.", tag: "list", link: "/" };
const read = (data) => {
  try {
    const m = data.json();
    return m && m.title && m.link ? m : unread;
  } catch {
    return unread;
  }
};
self.addEventListener("push", (event) => {
  const m = read(event.data);
  event.waitUntil(self.registration.showNotification(m.title, { body: m.body, tag: m.tag, renotify: true, requireInteraction: true, data: m.link }));
});
// The page of the alert is brought forward where it is open, with what is typed in it.
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const link = new URL(event.notification.data, self.location.origin);
  event.waitUntil((async () => {
    for (const page of await self.clients.matchAll({ type: "window" })) {
      if (new URL(page.url).pathname === link.pathname) return page.focus();
    }
    return self.clients.openWindow(link.href);
  })());
});
self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
