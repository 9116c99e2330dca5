"""A scale in a few lines: python device.py HOST DEVICE PASSWORD KILOGRAMS [PORT]

Needs paho-mqtt, 1.6 or 2 (pip install paho-mqtt). Over the internet, add client.tls_set() and
port 8883.
"""

import sys
import uuid
from datetime import datetime

import paho.mqtt.client as mqtt

READING = '{"id":"%s","time":"%s","measure":"weight","values":{"value":%s},"unit":"kg"}'

host, device, password, kilograms, port = (sys.argv[1:] + ["1883"])[:5]
# The id is made once, with the measurement: sent again, it is the same reading.
reading = READING % (uuid.uuid4(), datetime.now().astimezone().isoformat(timespec="seconds"), float(kilograms))


def connected(client, userdata, flags, reason, *properties):
    if reason != 0:
        sys.exit(f"not connected: {reason}")
    client.subscribe(f"vigie/v1/{device}/receipts", qos=1)
    client.publish(f"vigie/v1/{device}/status", '{"online":true}', qos=1, retain=True)
    client.publish(f"vigie/v1/{device}/readings", reading, qos=1)


def answered(client, userdata, message):
    print(message.payload.decode())  # accepted, duplicate, or set aside with the reasons
    client.publish(f"vigie/v1/{device}/status", '{"online":false}', qos=1, retain=True)
    client.disconnect()


# The session and the client id stay the same: nothing is lost while the line is down.
api = [mqtt.CallbackAPIVersion.VERSION2] if hasattr(mqtt, "CallbackAPIVersion") else []
client = mqtt.Client(*api, client_id=device, clean_session=False)
client.username_pw_set(device, password)
client.will_set(f"vigie/v1/{device}/status", '{"online":false}', qos=1, retain=True)
client.reconnect_delay_set(1, 300)
client.on_connect, client.on_message = connected, answered
client.connect(host, int(port), keepalive=60)
client.loop_forever(retry_first_connection=True)
