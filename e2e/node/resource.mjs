// oauth4webapi against an API that it knows nothing of but the address: from its challenge to its metadata (RFC 9728), to the
// issuer's (RFC 8414), to a token for it (RFC 8707), and in. Configured by environment variables.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as oauth from 'oauth4webapi'

const { ISSUER, API, OTHER_API, USERNAME, PASSWORD, SUBJECT } = process.env
const insecure = { [oauth.allowInsecureRequests]: true } // everything here listens on loopback addresses
const shop = { client_id: process.env.SHOP_ID }
const shopAuth = oauth.ClientSecretBasic(process.env.SHOP_SECRET)

const ask = (token, method = 'GET') => oauth.protectedResourceRequest(token, method, new URL(API), undefined, undefined, insecure)

// challenge is that of an answer which oauth4webapi refuses to hand on.
async function challenge(status, token, method) {
  const err = await ask(token, method).then(() => assert.fail('the token is let in'), (e) => e)
  assert.ok(err instanceof oauth.WWWAuthenticateChallengeError, `${err}`)
  assert.equal(err.status, status)
  assert.equal(err.cause.length, 1)
  assert.equal(err.cause[0].scheme, 'bearer')
  return err.cause[0].parameters
}

const { resource_metadata: address } = await challenge(401, 'anything')

async function describe() {
  const response = await oauth.resourceDiscoveryRequest(new URL(API), insecure)
  assert.equal(response.url, address)
  return oauth.processResourceDiscoveryResponse(new URL(API), response)
}

async function issuer() {
  const url = new URL((await describe()).authorization_servers[0])
  return oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, { algorithm: 'oauth2', ...insecure }))
}

async function token(parameters) {
  const as = await issuer()
  const response = await oauth.genericTokenEndpointRequest(as, shop, shopAuth, 'password', { username: USERNAME, password: PASSWORD, ...parameters }, insecure)
  return (await oauth.processGenericTokenEndpointResponse(as, shop, response)).access_token
}

test('a request without a token is led to the document, without an error', async () => {
  const response = await fetch(API)
  assert.equal(response.status, 401)
  assert.equal(response.headers.get('www-authenticate'), `Bearer scope="stock.read", resource_metadata="${address}"`)
})

test('the document names the API, its scopes and its issuer', async () => {
  assert.deepEqual(await describe(), {
    resource: API, authorization_servers: [ISSUER], scopes_supported: ['stock.read', 'stock.write'], bearer_methods_supported: ['header'], resource_name: 'Stock',
  })
})

test('a token that was asked for as the document says is let in', async () => {
  const { resource, scopes_supported: scopes } = await describe()
  const access = await token({ resource, scope: scopes.join(' ') })
  for (const method of ['GET', 'PUT']) assert.equal(await (await ask(access, method)).text(), SUBJECT)
})

test('a token for something else is refused', async () => {
  for (const parameters of [{}, { scope: 'openid stock.read' }, { resource: OTHER_API, scope: 'stock.read' }]) {
    assert.equal((await challenge(401, await token(parameters))).error, 'invalid_token')
  }
})

test('a token that may do less is told which scope is missing', async () => {
  const { resource } = await describe()
  const parameters = await challenge(403, await token({ resource, scope: 'stock.read' }), 'PUT')
  assert.deepEqual([parameters.error, parameters.scope, parameters.resource_metadata], ['insufficient_scope', 'stock.write', address])
})
