// The interface of the library "MQTT" as its guide has it. Each call is printed. The first
// reading has no PUBACK: publish says so, as the library does.
#pragma once
#include "WiFi.h"

struct MQTTClient {
  bool up = false;
  int published = 0;
  explicit MQTTClient(int) {}
  void begin(const char *, int, Client &) {}
  void onMessage(void (*)(String &, String &)) {}
  void setKeepAlive(int seconds) { std::printf("keep-alive %d\n", seconds); }
  void setCleanSession(bool clean) { std::printf("clean %d\n", clean); }
  void setWill(const char topic[], const char payload[], bool retained, int qos) { std::printf("will %d %d %s %s\n", retained, qos, topic, payload); }
  bool connect(const char id[], const char user[], const char *) { std::printf("connect %s %s\n", id, user); return up = true; }
  bool connected() { return up; }
  bool subscribe(const char topic[], int qos) { std::printf("subscribe %d %s\n", qos, topic); return true; }
  bool publish(const char topic[], const char payload[], bool retained, int qos) {
    std::printf("publish %d %d %s %s\n", retained, qos, topic, payload);
    return ++published != 2;
  }
  bool loop() { return true; }
};
