// A certified OpenID provider on loopback, with its own pages to log in: PORT, the way back, `client:secret`.
const { Provider } = require('oidc-provider')

const [port, back, client] = process.argv.slice(2)
const [id, secret] = client.split(':')
const people = { ada: { email: 'ada@example.com', email_verified: true }, eve: { email: 'ada@example.com', email_verified: false } }

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{ client_id: id, client_secret: secret, redirect_uris: [back], grant_types: ['authorization_code'], response_types: ['code'] }],
  claims: { openid: ['sub'], email: ['email', 'email_verified'] },
  pkce: { required: () => true },
  cookies: { keys: ['a test'] },
  findAccount: (ctx, sub) => ({ accountId: sub, claims: async () => ({ sub, ...people[sub] }) }),
})
provider.listen(Number(port), '127.0.0.1', () => console.log('is listening'))
