// A scale in a few lines: node device.mjs HOST DEVICE PASSWORD KILOGRAMS [PORT]
//
// Needs mqtt 5 (npm install mqtt). Over the internet, write mqtts:// and port 8883.

import { randomUUID } from 'node:crypto'
import { format } from 'node:util'
import mqtt from 'mqtt'

const READING = '{"id":"%s","time":"%s","measure":"weight","values":{"value":%s},"unit":"kg"}'

const [host, device, password, kilograms, port = 1883] = process.argv.slice(2)
const topic = (kind) => `vigie/v1/${device}/${kind}`
// The id is made once, with the measurement: sent again, it is the same reading.
const reading = format(READING, randomUUID(), new Date().toISOString(), Number(kilograms))

// The session and the client id stay the same: nothing is lost while the line is down.
const client = mqtt.connect(`mqtt://${host}:${port}`, {
  clientId: device,
  username: device,
  password,
  clean: false,
  keepalive: 60,
  reconnectPeriod: 2000,
  will: { topic: topic('status'), payload: '{"online":false}', qos: 1, retain: true },
})

client.on('connect', () => {
  client.subscribe(topic('receipts'), { qos: 1 })
  client.publish(topic('status'), '{"online":true}', { qos: 1, retain: true })
  client.publish(topic('readings'), reading, { qos: 1 })
})

client.on('message', (_, payload) => {
  console.log(payload.toString()) // accepted, duplicate, or set aside with the reasons
  client.publish(topic('status'), '{"online":false}', { qos: 1, retain: true }, () => client.end())
})

client.on('error', (error) => console.error(error.message))
