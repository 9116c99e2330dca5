// A scale in a few lines, for an ESP32. Needs the library "MQTT" by Joël Gähwiler, whose
// publish at QoS 1 waits for the PUBACK. Over the internet, take WiFiClientSecure with
// setCACert, and port 8883.
#include <MQTTClient.h>
#include <WiFi.h>
#include <time.h>

const char NETWORK[] = "home", KEY[] = "key", HOST[] = "192.168.1.20", DEVICE[] = "bench-1", PASSWORD[] = "password";
const char READING[] = "{\"id\":\"%s\",\"time\":\"%s\",\"measure\":\"weight\",\"values\":{\"value\":%.2f},\"unit\":\"kg\"}";
const int CELL = 34;              // pin of the load cell's amplifier
const time_t SET = 1700000000;    // a clock that shows less was never set

WiFiClient net;
MQTTClient client(512);
char readings[64], receipts[64], status_[64], reading[256];
bool waiting = false; // a reading has no PUBACK yet
unsigned long pause_ = 1000, measured = 0;

// accepted, duplicate, or set aside with the reasons
void answered(String &topic, String &payload) { Serial.println(payload); }

void setup() {
  Serial.begin(115200);
  WiFi.begin(NETWORK, KEY);
  configTime(0, 0, "pool.ntp.org"); // UTC
  snprintf(readings, sizeof readings, "vigie/v1/%s/readings", DEVICE);
  snprintf(receipts, sizeof receipts, "vigie/v1/%s/receipts", DEVICE);
  snprintf(status_, sizeof status_, "vigie/v1/%s/status", DEVICE);
  client.begin(HOST, 1883, net);
  client.onMessage(answered);
  client.setKeepAlive(60);
  // The session and the client id stay the same: nothing is lost while the line is down.
  client.setCleanSession(false);
  client.setWill(status_, "{\"online\":false}", true, 1);
}

bool connected() {
  if (client.connected()) return true;
  if (WiFi.status() != WL_CONNECTED || !client.connect(DEVICE, DEVICE, PASSWORD)) {
    delay(pause_);
    pause_ = pause_ < 300000 ? 2 * pause_ : pause_; // up to five minutes, more or less
    return false;
  }
  pause_ = 1000;
  client.subscribe(receipts, 1);
  client.publish(status_, "{\"online\":true}", true, 1);
  return true;
}

// measure writes a reading. The id is made once, with the measurement: sent again, it is
// the same reading. A real device keeps several, in its flash.
void measure() {
  char now[32], id[96];
  time_t at = time(nullptr);
  strftime(now, sizeof now, "%Y-%m-%dT%H:%M:%SZ", gmtime(&at));
  snprintf(id, sizeof id, "%s-%s", DEVICE, now);
  snprintf(reading, sizeof reading, READING, id, now, analogRead(CELL) / 10.0);
  waiting = true;
  measured = millis();
}

void loop() {
  if (!waiting && time(nullptr) > SET && (measured == 0 || millis() - measured > 60000)) measure();
  if (!connected()) return;
  client.loop();
  if (waiting && client.publish(readings, reading, false, 1)) waiting = false;
}
