// @segment/analytics-node: COUNT calls of all kinds to HOST with KEY; prints the message id of each.
// Usage: node segment_node.cjs HOST KEY COUNT
const { Analytics } = require('@segment/analytics-node')

const [host, key, count] = process.argv.slice(2)
const analytics = new Analytics({ host, writeKey: key, flushAt: 10, flushInterval: 100 })
const userId = 'segment-node'
const calls = [
  (heard) => analytics.identify({ userId, traits: { email: 'ada@example.com' } }, heard),
  (heard) => analytics.track({ userId, event: 'Product Viewed', properties: { product_id: 'tea' } }, heard),
  (heard) => analytics.page({ userId, name: 'Teas', properties: { url: 'https://shop.example/teas' } }, heard),
  (heard) => analytics.screen({ userId, name: 'Teas' }, heard),
  (heard) => analytics.group({ userId, groupId: 'club', traits: { name: 'Tea club' } }, heard),
  (heard) => analytics.alias({ userId, previousId: 'segment-node-device' }, heard),
]

function heard(error, context) {
  if (error) process.exitCode = 1
  console.log(context.event.messageId)
}

for (let number = 0; number < Number(count); number++) calls[number % calls.length](heard)
analytics.closeAndFlush({ timeout: 60_000 })
