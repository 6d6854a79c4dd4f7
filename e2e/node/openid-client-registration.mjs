// openid-client 6 registers itself at a running Signet with an initial access token (RFC 7591), signs a person in, changes its own
// registration and leaves (RFC 7592). Configured by environment variables.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as client from 'openid-client'
import { person } from './person.mjs'

const { ISSUER, SUBJECT, REDIRECT_URI, INITIAL_ACCESS_TOKEN } = process.env
const other = `${REDIRECT_URI}/other`
const insecure = ISSUER.startsWith('http:') ? { execute: [client.allowInsecureRequests] } : {}
const register = (metadata, auth, initialAccessToken = INITIAL_ACCESS_TOKEN) =>
  client.dynamicClientRegistration(new URL(ISSUER), metadata, auth, { ...insecure, initialAccessToken })

async function signIn(config, redirect_uri = REDIRECT_URI) {
  const checks = { pkceCodeVerifier: client.randomPKCECodeVerifier(), expectedState: client.randomState(), idTokenExpected: true }
  const address = client.buildAuthorizationUrl(config, {
    redirect_uri, scope: 'openid email', state: checks.expectedState,
    code_challenge: await client.calculatePKCECodeChallenge(checks.pkceCodeVerifier), code_challenge_method: 'S256',
  })
  return client.authorizationCodeGrant(config, await person(address), checks)
}

// manage asks for the registration at the address that came with it.
async function manage(registered, method, metadata) {
  const response = await fetch(registered.registration_client_uri, {
    method,
    headers: { authorization: `Bearer ${registered.registration_access_token}`, ...(metadata && { 'content-type': 'application/json' }) },
    body: metadata && JSON.stringify(metadata),
  })
  const text = await response.text()
  return { status: response.status, challenge: response.headers.get('www-authenticate'), body: text ? JSON.parse(text) : undefined }
}

const webApp = {
  client_name: 'Registered by itself', redirect_uris: [REDIRECT_URI], grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'], token_endpoint_auth_method: 'client_secret_basic', initiate_login_uri: 'https://app.example/login',
}

for (const [kind, metadata, auth] of [
  ['a confidential client', webApp, client.ClientSecretBasic()],
  ['a public client', { ...webApp, token_endpoint_auth_method: 'none' }, client.None()],
]) {
  test(`${kind} registers, signs a person in, refreshes, changes its registration and leaves`, async () => {
    const config = await register(metadata, auth)
    const registered = config.clientMetadata()
    assert.equal(registered.initiate_login_uri, metadata.initiate_login_uri)
    assert.equal(Boolean(registered.client_secret), auth !== undefined && metadata.token_endpoint_auth_method !== 'none')
    assert.notEqual(registered.first_party, true)

    const tokens = await signIn(config)
    assert.equal(tokens.claims().sub, SUBJECT)
    const fresh = await client.refreshTokenGrant(config, tokens.refresh_token)
    assert.equal((await client.fetchUserInfo(config, fresh.access_token, SUBJECT)).email, 'ada@example.com')

    const read = await manage(registered, 'GET')
    assert.deepEqual([read.status, read.body.client_name, read.body.initiate_login_uri], [200, metadata.client_name, metadata.initiate_login_uri])

    const changed = await manage(registered, 'PUT', { ...metadata, client_id: registered.client_id, client_name: 'Renamed', redirect_uris: [other] })
    assert.deepEqual([changed.status, changed.body.client_name, changed.body.redirect_uris], [200, 'Renamed', [other]])
    assert.equal(changed.body.registration_access_token, registered.registration_access_token, 'nobody asked for another')
    assert.equal((await signIn(config, other)).claims().sub, SUBJECT)
    await assert.rejects(signIn(config, REDIRECT_URI), /400/)

    assert.equal((await manage(registered, 'DELETE')).status, 204)
    const gone = await manage(registered, 'GET')
    assert.equal(gone.status, 401)
    assert.match(gone.challenge, /^Bearer .*error="invalid_token"/)
    await assert.rejects(client.refreshTokenGrant(config, fresh.refresh_token), (err) => {
      assert.equal(err.status, 401, `${err}`)
      return true
    })
  })
}

test('another registration access token comes when it is asked for, and the old one stays until the new one is used', async () => {
  const registered = (await register(webApp, client.ClientSecretBasic())).clientMetadata()
  const asked = { ...webApp, client_id: registered.client_id, registration_access_token_rotate: true }
  const lost = await manage(registered, 'PUT', asked) // its answer never arrives, as far as anybody knows
  assert.notEqual(lost.body.registration_access_token, registered.registration_access_token)
  assert.equal((await manage(registered, 'GET')).status, 200)
  const rotated = { ...registered, registration_access_token: (await manage(registered, 'PUT', asked)).body.registration_access_token }
  assert.equal((await manage(rotated, 'GET')).status, 200)
  assert.equal((await manage(registered, 'GET')).status, 401)
  assert.equal((await manage(rotated, 'DELETE')).status, 204)
})

test('nobody registers without the initial access token, or with another', async () => {
  for (const token of [undefined, 'sit_made-up']) {
    await assert.rejects(client.dynamicClientRegistration(new URL(ISSUER), webApp, client.ClientSecretBasic(), { ...insecure, initialAccessToken: token }), (err) => {
      assert.equal(err.status, 401, `${err}`)
      return true
    })
  }
})
