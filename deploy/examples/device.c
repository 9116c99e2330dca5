/* A scale in a few lines: device HOST DEVICE PASSWORD KILOGRAMS [PORT]
 *
 * cc device.c -lmosquitto -o device, with libmosquitto-dev. Over the internet, call
 * mosquitto_tls_set and use port 8883.
 */
#include <mosquitto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define READING "{\"id\":\"%s\",\"time\":\"%s\",\"measure\":\"weight\",\"values\":{\"value\":%.2f},\"unit\":\"kg\"}"

static char readings[128], receipts[128], status[128], reading[256];

static void say(struct mosquitto *m, const char *topic, const char *text, bool retain)
{
    mosquitto_publish(m, NULL, topic, (int)strlen(text), text, 1, retain);
}

static void connected(struct mosquitto *m, void *unused, int code)
{
    (void)unused;
    if (code != 0) {
        fprintf(stderr, "not connected: %s\n", mosquitto_connack_string(code));
        exit(1);
    }
    mosquitto_subscribe(m, NULL, receipts, 1);
    say(m, status, "{\"online\":true}", true);
    say(m, readings, reading, false);
}

static void answered(struct mosquitto *m, void *unused, const struct mosquitto_message *message)
{
    (void)unused;
    /* accepted, duplicate, or set aside with the reasons */
    printf("%.*s\n", message->payloadlen, (const char *)message->payload);
    say(m, status, "{\"online\":false}", true);
    mosquitto_disconnect(m);
}

int main(int argc, char **argv)
{
    char now[32], id[80];
    time_t at = time(NULL);

    if (argc != 5 && argc != 6)
        return 2;
    snprintf(readings, sizeof readings, "vigie/v1/%s/readings", argv[2]);
    snprintf(receipts, sizeof receipts, "vigie/v1/%s/receipts", argv[2]);
    snprintf(status, sizeof status, "vigie/v1/%s/status", argv[2]);
    strftime(now, sizeof now, "%Y-%m-%dT%H:%M:%SZ", gmtime(&at));
    /* The id is made once, with the measurement: sent again, it is the same reading. */
    snprintf(id, sizeof id, "%.32s-%s", argv[2], now);
    snprintf(reading, sizeof reading, READING, id, now, atof(argv[4]));

    mosquitto_lib_init();
    /* The session and the client id stay the same: nothing is lost while the line is down. */
    struct mosquitto *m = mosquitto_new(argv[2], false, NULL);
    if (m == NULL)
        return 1;
    mosquitto_username_pw_set(m, argv[2], argv[3]);
    mosquitto_will_set(m, status, 16, "{\"online\":false}", 1, true);
    mosquitto_reconnect_delay_set(m, 1, 300, true);
    mosquitto_connect_callback_set(m, connected);
    mosquitto_message_callback_set(m, answered);
    if (mosquitto_connect(m, argv[1], argc == 6 ? atoi(argv[5]) : 1883, 60) != MOSQ_ERR_SUCCESS)
        return 1;
    int result = mosquitto_loop_forever(m, -1, 1);
    mosquitto_destroy(m);
    mosquitto_lib_cleanup();
    return result == MOSQ_ERR_SUCCESS || result == MOSQ_ERR_NO_CONN ? 0 : 1;
}
