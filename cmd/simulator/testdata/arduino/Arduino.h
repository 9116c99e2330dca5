// What the example needs of Arduino, for a test: each function does as little as it can.
#pragma once
#include <cstdio>
#include <ctime>
#include <string>

struct String : std::string {
  using std::string::string;
};

struct Port {
  void begin(int) {}
  void println(const String &text) { std::puts(text.c_str()); }
};
inline Port Serial;

inline unsigned long ticks = 0;
inline unsigned long millis() { return ++ticks; }
inline void delay(unsigned long) {}
inline int analogRead(int) { return 821; }
inline void configTime(long, int, const char *) {}
