// openid-client 6 against a running Signet: discovery, the password grant, refresh, client credentials, introspection,
// revocation and userinfo, and a client that authenticates with a key of its own. Configured by environment variables.
import assert from 'node:assert/strict'
import { createPrivateKey } from 'node:crypto'
import { test } from 'node:test'
import * as client from 'openid-client'

const { ISSUER, USERNAME, PASSWORD, SUBJECT } = process.env
const insecure = { execute: [client.allowInsecureRequests] } // the tests' Signet listens on a loopback address

const discover = (id, auth, algorithm = 'oidc') => client.discovery(new URL(ISSUER), id, undefined, auth, { algorithm, ...insecure })

const shop = await discover(process.env.SHOP_ID, client.ClientSecretBasic(process.env.SHOP_SECRET))
const poster = await discover(process.env.POSTER_ID, client.ClientSecretPost(process.env.POSTER_SECRET))
const signer = await discover(process.env.SIGNER_ID, client.ClientSecretJwt(process.env.SIGNER_SECRET))
const spa = await discover(process.env.SPA_ID, client.None())
const robot = await discover(process.env.ROBOT_ID, client.ClientSecretBasic(process.env.ROBOT_SECRET), 'oauth2')

const signIn = (config) =>
  client.genericGrantRequest(config, 'password', { username: USERNAME, password: PASSWORD, scope: 'openid profile email' })

const invalidGrant = (err) => {
  assert.ok(err instanceof client.ResponseBodyError, `${err}`)
  assert.equal(err.error, 'invalid_grant')
  return true
}

for (const [method, config] of [['client_secret_basic', shop], ['client_secret_post', poster], ['client_secret_jwt', signer], ['none', spa]]) {
  test(`password, refresh and userinfo by ${method}`, async () => {
    const first = await signIn(config)
    assert.equal(first.claims().sub, SUBJECT)
    assert.equal(first.claims().aud, config.clientMetadata().client_id)
    assert.ok(first.expiresIn() > 0)
    const second = await client.refreshTokenGrant(config, first.refresh_token)
    assert.notEqual(second.refresh_token, first.refresh_token)
    assert.equal(second.scope, first.scope)
    const info = await client.fetchUserInfo(config, second.access_token, SUBJECT)
    assert.equal(info.email, 'ada@example.com')
  })
}

test('a wrong password and a replayed refresh token are refused', async () => {
  const wrong = client.genericGrantRequest(shop, 'password', { username: USERNAME, password: 'not it' })
  await assert.rejects(wrong, invalidGrant)
  const first = await signIn(shop)
  const second = await client.refreshTokenGrant(shop, first.refresh_token)
  await assert.rejects(client.refreshTokenGrant(shop, first.refresh_token), invalidGrant)
  await assert.rejects(client.refreshTokenGrant(shop, second.refresh_token), invalidGrant)
})

test('client credentials', async () => {
  const answer = await client.clientCredentialsGrant(robot, { scope: 'stock.read' })
  assert.equal(answer.scope, 'stock.read')
  assert.equal(answer.refresh_token, undefined)
  const said = await client.tokenIntrospection(robot, answer.access_token)
  assert.equal(said.active, true)
  assert.equal(said.sub, process.env.ROBOT_ID)
})

test('introspection and revocation', async () => {
  const answer = await signIn(shop)
  for (const token of [answer.access_token, answer.refresh_token]) {
    const said = await client.tokenIntrospection(shop, token)
    assert.equal(said.active, true)
    assert.equal(said.username, USERNAME)
  }
  await client.tokenRevocation(shop, answer.refresh_token)
  for (const token of [answer.access_token, answer.refresh_token]) {
    assert.equal((await client.tokenIntrospection(shop, token)).active, false)
  }
})

test('a wrong secret is refused', async () => {
  const wrong = await discover(process.env.SHOP_ID, client.ClientSecretBasic('wrong'))
  await assert.rejects(signIn(wrong), (err) => {
    assert.ok(err instanceof client.WWWAuthenticateChallengeError || err.error === 'invalid_client', `${err}`)
    return true
  })
})

test('client credentials, introspection and revocation by private_key_jwt', async () => {
  const pkcs8 = createPrivateKey({ key: JSON.parse(process.env.KEYED_KEY), format: 'jwk' }).export({ type: 'pkcs8', format: 'der' })
  const key = await crypto.subtle.importKey('pkcs8', pkcs8, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign'])
  const keyed = await discover(process.env.KEYED_ID, client.PrivateKeyJwt({ key, kid: process.env.KEYED_KID }))
  assert.ok(keyed.serverMetadata().token_endpoint_auth_methods_supported.includes('private_key_jwt'))
  const answer = await client.clientCredentialsGrant(keyed, { scope: 'stock.read' })
  assert.equal((await client.tokenIntrospection(keyed, answer.access_token)).active, true)
  await client.tokenRevocation(keyed, answer.access_token)
  assert.equal((await client.tokenIntrospection(keyed, answer.access_token)).active, false)

  const other = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify'])
  const stranger = await discover(process.env.KEYED_ID, client.PrivateKeyJwt({ key: other.privateKey, kid: process.env.KEYED_KID }))
  await assert.rejects(client.clientCredentialsGrant(stranger, {}), (err) => {
    assert.ok(err instanceof client.WWWAuthenticateChallengeError || err.error === 'invalid_client', `${err}`)
    return true
  })
})
