// oauth4webapi against a running Signet, with a person in a browser: every answer of the front door, strictly parsed. Configured
// by environment variables.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as oauth from 'oauth4webapi'
import { person } from './person.mjs'

const { ISSUER, SUBJECT, REDIRECT_URI } = process.env
const issuer = new URL(ISSUER)
const http = { [oauth.allowInsecureRequests]: ISSUER.startsWith('http:') }
const discover = async (algorithm) =>
  oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm, ...http }))
const as = await discover('oidc')

const shop = { client_id: process.env.SHOP_ID }
const shopAuth = oauth.ClientSecretBasic(process.env.SHOP_SECRET)
const spa = { client_id: process.env.SPA_ID }
const signed = { client_id: process.env.SIGNED_ID, userinfo_signed_response_alg: 'ES256' }
const signedAuth = oauth.ClientSecretBasic(process.env.SIGNED_SECRET)
const tv = { client_id: process.env.TV_ID }

async function request(client, more = {}) {
  const verifier = oauth.generateRandomCodeVerifier()
  const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()]
  const parameters = new URLSearchParams({
    client_id: client.client_id, response_type: 'code', redirect_uri: REDIRECT_URI, scope: 'openid profile email', state, nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256', ...more,
  })
  return { verifier, state, nonce, parameters, address: `${as.authorization_endpoint}?${parameters}` }
}

async function exchange(client, auth, answer, { verifier, nonce }) {
  const response = await oauth.authorizationCodeGrantRequest(as, client, auth, answer, REDIRECT_URI, verifier, http)
  const tokens = await oauth.processAuthorizationCodeResponse(as, client, response, { expectedNonce: nonce, requireIdToken: true, maxAge: 3600 })
  await oauth.validateApplicationLevelSignature(as, response, http)
  return tokens
}

test('both metadata documents tell of the front door', async () => {
  const other = await discover('oauth2')
  for (const name of ['authorization_endpoint', 'pushed_authorization_request_endpoint', 'device_authorization_endpoint', 'end_session_endpoint']) {
    assert.ok(as[name], `${name} is missing`)
    assert.equal(other[name] ?? as[name], as[name])
  }
  for (const metadata of [as, other]) {
    assert.equal(metadata.authorization_response_iss_parameter_supported, true)
    assert.deepEqual(metadata.code_challenge_methods_supported, ['S256'])
    assert.ok(metadata.response_types_supported.includes('code'))
  }
  assert.deepEqual([...as.response_modes_supported].sort(), ['form_post', 'fragment', 'query'])
})

for (const [name, client, auth] of [['a confidential client', shop, shopAuth], ['a public client', spa, oauth.None()]]) {
  test(`code with PKCE by ${name}`, async () => {
    const asked = await request(client)
    const answer = oauth.validateAuthResponse(as, client, await person(asked.address), asked.state)
    assert.equal(answer.get('iss'), ISSUER)
    const tokens = await exchange(client, auth, answer, asked)
    const claims = oauth.getValidatedIdTokenClaims(tokens)
    assert.equal(claims.sub, SUBJECT)
    const info = await oauth.processUserInfoResponse(as, client, claims.sub, await oauth.userInfoRequest(as, client, tokens.access_token, http))
    assert.equal(info.email, 'ada@example.com')
  })
}

test('the answer names its issuer, and the client sees when it is another', async () => {
  const asked = await request(shop)
  const back = await person(asked.address)
  back.searchParams.set('iss', 'https://evil.example')
  assert.throws(() => oauth.validateAuthResponse(as, shop, back, asked.state), /iss/)
})

test('a refusal that travels names its issuer and keeps the state', async () => {
  const asked = await request(shop, { prompt: 'none', max_age: '0' })
  const back = await person(asked.address)
  assert.throws(() => oauth.validateAuthResponse(as, shop, back, asked.state), (err) => {
    assert.ok(err instanceof oauth.AuthorizationResponseError, `${err}`)
    assert.equal(err.error, 'login_required')
    return true
  })
  assert.equal(back.searchParams.get('iss'), ISSUER)
})

test('a fragment answer', async () => {
  const asked = await request(shop, { response_mode: 'fragment' })
  const back = await person(asked.address)
  assert.equal(back.search, '')
  const answer = oauth.validateAuthResponse(as, shop, new URLSearchParams(back.hash.slice(1)), asked.state)
  await exchange(shop, shopAuth, answer, asked)
})

test('a pushed request', async () => {
  const asked = await request(shop)
  const response = await oauth.pushedAuthorizationRequest(as, shop, shopAuth, asked.parameters, http)
  const { request_uri } = await oauth.processPushedAuthorizationResponse(as, shop, response)
  const back = await person(`${as.authorization_endpoint}?${new URLSearchParams({ client_id: shop.client_id, request_uri })}`)
  await exchange(shop, shopAuth, oauth.validateAuthResponse(as, shop, back, asked.state), asked)
})

test('signed userinfo', async () => {
  const asked = await request(signed)
  const tokens = await exchange(signed, signedAuth, oauth.validateAuthResponse(as, signed, await person(asked.address), asked.state), asked)
  const response = await oauth.userInfoRequest(as, signed, tokens.access_token, http)
  assert.match(response.headers.get('content-type'), /^application\/jwt/)
  const info = await oauth.processUserInfoResponse(as, signed, SUBJECT, response)
  await oauth.validateApplicationLevelSignature(as, response, http)
  assert.equal(info.email, 'ada@example.com')
})

test('claims that are asked for by name', async () => {
  const asked = await request(shop, { claims: JSON.stringify({ id_token: { email: null }, userinfo: { name: { essential: true } } }), scope: 'openid', prompt: 'consent' })
  const tokens = await exchange(shop, shopAuth, oauth.validateAuthResponse(as, shop, await person(asked.address), asked.state), asked)
  assert.equal(oauth.getValidatedIdTokenClaims(tokens).email, 'ada@example.com')
  const info = await oauth.processUserInfoResponse(as, shop, SUBJECT, await oauth.userInfoRequest(as, shop, tokens.access_token, http))
  assert.deepEqual([info.name, info.email], ['Ada Lovelace', undefined])
})

test('device authorization: pending, then slow_down, then allowed', async () => {
  const device = await oauth.processDeviceAuthorizationResponse(as, tv,
    await oauth.deviceAuthorizationRequest(as, tv, oauth.None(), { scope: 'openid' }, http))
  const poll = async () =>
    oauth.processDeviceCodeResponse(as, tv, await oauth.deviceCodeGrantRequest(as, tv, oauth.None(), device.device_code, http))
  for (const want of ['authorization_pending', 'slow_down']) {
    await assert.rejects(poll(), (err) => {
      assert.equal(err.error, want)
      return true
    })
  }
  await person(device.verification_uri_complete)
  const wait = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000))
  let tokens
  for (let interval = 10; !tokens; interval += 5) {
    await wait(interval)
    tokens = await poll().catch((err) => { if (err.error !== 'slow_down') throw err })
  }
  assert.equal(oauth.getValidatedIdTokenClaims(tokens).sub, SUBJECT)
})
