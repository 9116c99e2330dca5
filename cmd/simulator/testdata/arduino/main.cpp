#include "Arduino.h"

#include "device.ino"

int main() {
  setup();
  for (int i = 0; i < 4; i++) loop();
}
