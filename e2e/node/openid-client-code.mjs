// openid-client 6 against a running Signet, with a person in a browser: authorization code with PKCE, pushed requests, form_post,
// device authorization, refresh, userinfo and logout. Configured by environment variables.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as client from 'openid-client'
import { person } from './person.mjs'

const { ISSUER, SUBJECT, REDIRECT_URI, BYE_URI } = process.env
const options = ISSUER.startsWith('http:') ? { execute: [client.allowInsecureRequests] } : {}
const discover = (id, auth) => client.discovery(new URL(ISSUER), id, undefined, auth, options)

const shop = await discover(process.env.SHOP_ID, client.ClientSecretBasic(process.env.SHOP_SECRET))
const spa = await discover(process.env.SPA_ID, client.None())
const pusher = await discover(process.env.PUSHER_ID, client.ClientSecretPost(process.env.PUSHER_SECRET))
const tv = await discover(process.env.TV_ID, client.None())

async function request(more = {}) {
  const pkceCodeVerifier = client.randomPKCECodeVerifier()
  const checks = { pkceCodeVerifier, expectedState: client.randomState(), expectedNonce: client.randomNonce(), idTokenExpected: true }
  const parameters = {
    redirect_uri: REDIRECT_URI, scope: 'openid profile email', state: checks.expectedState, nonce: checks.expectedNonce,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier), code_challenge_method: 'S256', ...more,
  }
  return { checks, parameters }
}

async function signIn(config, more, as) {
  const { checks, parameters } = await request(more)
  const back = await person(client.buildAuthorizationUrl(config, parameters), { as })
  return { back, checks, tokens: await client.authorizationCodeGrant(config, back, checks) }
}

const refusedWith = (error) => (err) => {
  assert.equal(err.error, error, `${err} ${err.cause}`)
  return true
}

for (const [name, config] of [['a confidential client', shop], ['a public client', spa]]) {
  test(`code with PKCE, userinfo and refresh by ${name}`, async () => {
    const { tokens } = await signIn(config)
    const claims = tokens.claims()
    assert.equal(claims.sub, SUBJECT)
    assert.deepEqual([claims.amr, typeof claims.auth_time, typeof claims.sid], [['pwd'], 'number', 'string'])
    assert.equal(claims.email, undefined, 'claims of scopes belong to userinfo')
    const info = await client.fetchUserInfo(config, tokens.access_token, SUBJECT)
    assert.equal(info.email, 'ada@example.com')
    const fresh = await client.refreshTokenGrant(config, tokens.refresh_token)
    assert.notEqual(fresh.refresh_token, tokens.refresh_token)
    assert.equal(fresh.scope, tokens.scope)
    await client.fetchUserInfo(config, fresh.access_token, SUBJECT)
  })
}

test('a code that comes a second time ends what the first one bought', async () => {
  const { back, checks, tokens } = await signIn(shop)
  await assert.rejects(client.authorizationCodeGrant(shop, back, checks), refusedWith('invalid_grant'))
  await assert.rejects(client.refreshTokenGrant(shop, tokens.refresh_token), refusedWith('invalid_grant'))
})

test('a code without its verifier, or with another, buys nothing', async () => {
  for (const pkceCodeVerifier of [undefined, client.randomPKCECodeVerifier()]) {
    const { checks, parameters } = await request()
    const back = await person(client.buildAuthorizationUrl(spa, parameters))
    await assert.rejects(client.authorizationCodeGrant(spa, back, { ...checks, pkceCodeVerifier }), refusedWith('invalid_grant'))
  }
})

test('a pushed request, used once', async () => {
  const { checks, parameters } = await request()
  const address = await client.buildAuthorizationUrlWithPAR(pusher, parameters)
  assert.match(address.searchParams.get('request_uri'), /^urn:ietf:params:oauth:request_uri:/)
  const tokens = await client.authorizationCodeGrant(pusher, await person(address), checks)
  assert.equal(tokens.claims().sub, SUBJECT)
  await assert.rejects(person(address), /400/)
})

test('a client that must push its requests is refused where it does not', async () => {
  const { checks, parameters } = await request()
  const back = await person(client.buildAuthorizationUrl(pusher, parameters))
  await assert.rejects(client.authorizationCodeGrant(pusher, back, checks), refusedWith('invalid_request'))
})

test('form_post', async () => {
  const { checks, parameters } = await request({ response_mode: 'form_post' })
  const back = await person(client.buildAuthorizationUrl(shop, parameters))
  const body = back.search.slice(1)
  const post = new Request(REDIRECT_URI, { method: 'POST', body, headers: { 'content-type': 'application/x-www-form-urlencoded' } })
  assert.equal((await client.authorizationCodeGrant(shop, post, checks)).claims().sub, SUBJECT)
})

test('max_age and prompt', async () => {
  const { tokens: first } = await signIn(shop, {}, 'grace')
  const { checks, parameters } = await request({ prompt: 'none' })
  const silent = await client.authorizationCodeGrant(
    shop, await person(client.buildAuthorizationUrl(shop, parameters), { as: 'grace' }), { ...checks, maxAge: 3600 })
  assert.equal(silent.claims().auth_time, first.claims().auth_time)
  assert.equal(silent.claims().sid, first.claims().sid)

  const again = await request({ prompt: 'login' })
  const back = await person(client.buildAuthorizationUrl(shop, again.parameters), { as: 'grace' })
  const newer = await client.authorizationCodeGrant(shop, back, { ...again.checks, maxAge: 3600 })
  assert.ok(newer.claims().auth_time >= first.claims().auth_time)

  const { checks: strange, parameters: nobody } = await request({ prompt: 'none' })
  await assert.rejects(
    client.authorizationCodeGrant(shop, await person(client.buildAuthorizationUrl(shop, nobody), { as: 'somebody new' }), strange),
    refusedWith('login_required'))
})

test('consent refused', async () => {
  const { checks, parameters } = await request({ prompt: 'consent' })
  const back = await person(client.buildAuthorizationUrl(shop, parameters), { deny: true })
  await assert.rejects(client.authorizationCodeGrant(shop, back, checks), refusedWith('access_denied'))
})

test('device authorization, allowed and refused', async () => {
  for (const deny of [false, true]) {
    const device = await client.initiateDeviceAuthorization(tv, { scope: 'openid email' })
    const polled = client.pollDeviceAuthorizationGrant(tv, device)
    polled.catch(() => {}) // looked at below, after the person is done
    await person(device.verification_uri_complete, { deny })
    if (deny) {
      await assert.rejects(polled, refusedWith('access_denied'))
    } else {
      const tokens = await polled
      assert.equal(tokens.claims().sub, SUBJECT)
      assert.equal((await client.refreshTokenGrant(tv, tokens.refresh_token)).claims()?.sub ?? SUBJECT, SUBJECT)
    }
  }
})

test('logout ends what belongs to the session and leaves what is offline', async () => {
  const { tokens } = await signIn(shop, {}, 'linus')
  const { tokens: offline } = await signIn(shop, { scope: 'openid offline_access', prompt: 'consent' }, 'linus')
  const back = await person(client.buildEndSessionUrl(shop, {
    id_token_hint: tokens.id_token, post_logout_redirect_uri: BYE_URI, state: 'so long',
  }), { as: 'linus' })
  assert.equal(`${back}`, `${BYE_URI}?state=so+long`)
  await assert.rejects(client.refreshTokenGrant(shop, tokens.refresh_token), refusedWith('invalid_grant'))
  assert.ok((await client.refreshTokenGrant(shop, offline.refresh_token)).access_token)
  const { checks, parameters } = await request({ prompt: 'none' })
  await assert.rejects(
    client.authorizationCodeGrant(shop, await person(client.buildAuthorizationUrl(shop, parameters), { as: 'linus' }), checks),
    refusedWith('login_required'))
})
