// Shows push messages, and opens what they are about. It keeps nothing and serves nothing.
"use strict";
self.addEventListener("push", (event) => {
  const m = event.data.json();
  event.waitUntil(self.registration.showNotification(m.title, { body: m.body, tag: m.tag, renotify: true, requireInteraction: true, data: m.link }));
});
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const link = new URL(event.notification.data, self.location.origin);
  event.waitUntil((async () => {
    for (const page of await self.clients.matchAll({ type: "window" })) {
      if (page.url === link.href) return page.focus();
    }
    return self.clients.openWindow(link.href);
  })());
});
self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
