#pragma once
#include "Arduino.h"

const int WL_CONNECTED = 3;

struct Client {};
struct WiFiClient : Client {};

struct Radio {
  void begin(const char *, const char *) {}
  int status() { return WL_CONNECTED; }
};
inline Radio WiFi;
