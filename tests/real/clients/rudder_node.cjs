// @rudderstack/rudder-sdk-node: COUNT calls of all kinds to HOST with KEY; prints the message id of each.
// Usage: node rudder_node.cjs HOST KEY COUNT
const { randomUUID } = require('node:crypto')
const Analytics = require('@rudderstack/rudder-sdk-node')

const [host, key, count] = process.argv.slice(2)
const analytics = new Analytics(key, { dataPlaneUrl: host, flushAt: 10, flushInterval: 100, retryCount: 10 })
const userId = 'rudder-node'
const calls = [
  (told, heard) => analytics.identify({ ...told, traits: { email: 'ada@example.com' } }, heard),
  (told, heard) => analytics.track({ ...told, event: 'Product Viewed', properties: { product_id: 'tea' } }, heard),
  (told, heard) => analytics.page({ ...told, name: 'Teas', properties: { url: 'https://shop.example/teas' } }, heard),
  (told, heard) => analytics.screen({ ...told, name: 'Teas' }, heard),
  (told, heard) => analytics.group({ ...told, groupId: 'club', traits: { name: 'Tea club' } }, heard),
  (told, heard) => analytics.alias({ ...told, previousId: 'rudder-node-device' }, heard),
]

for (let number = 0; number < Number(count); number++) {
  const messageId = randomUUID()
  calls[number % calls.length]({ userId, messageId }, (error) => {
    if (error) process.exitCode = 1
    console.log(messageId)
  })
}
