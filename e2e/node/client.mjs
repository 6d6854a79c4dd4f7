// oauth4webapi against a running Signet: discovery, the password grant, refresh, client credentials, introspection,
// revocation, userinfo, and its own check of RFC 9068 access tokens. Configured by environment variables.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as oauth from 'oauth4webapi'

const { ISSUER, USERNAME, PASSWORD, SUBJECT } = process.env
const insecure = { [oauth.allowInsecureRequests]: true } // the tests' Signet listens on a loopback address
const issuer = new URL(ISSUER)

const shop = { client_id: process.env.SHOP_ID }
const shopAuth = oauth.ClientSecretBasic(process.env.SHOP_SECRET)
const poster = { client_id: process.env.POSTER_ID }
const posterAuth = oauth.ClientSecretPost(process.env.POSTER_SECRET)
const spa = { client_id: process.env.SPA_ID }
const robot = { client_id: process.env.ROBOT_ID }
const robotAuth = oauth.ClientSecretBasic(process.env.ROBOT_SECRET)

const discover = async (algorithm) =>
  oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm, ...insecure }))
const as = await discover('oidc')

async function signIn(client, auth, scope = 'openid profile email') {
  const response = await oauth.genericTokenEndpointRequest(
    as, client, auth, 'password', { username: USERNAME, password: PASSWORD, scope }, insecure)
  const answer = await oauth.processGenericTokenEndpointResponse(as, client, response)
  if (answer.id_token) await oauth.validateApplicationLevelSignature(as, response, insecure)
  return answer
}

async function refresh(client, auth, token) {
  return oauth.processRefreshTokenResponse(
    as, client, await oauth.refreshTokenGrantRequest(as, client, auth, token, insecure))
}

async function introspect(client, auth, token) {
  return oauth.processIntrospectionResponse(
    as, client, await oauth.introspectionRequest(as, client, auth, token, insecure))
}

async function resourceServer(token, audience) {
  const request = new Request('https://api.example/things', { headers: { authorization: `Bearer ${token}` } })
  return oauth.validateJwtAccessToken(as, request, audience, insecure)
}

const invalidGrant = (err) => {
  assert.ok(err instanceof oauth.ResponseBodyError, `${err}`)
  assert.equal(err.error, 'invalid_grant')
  return true
}

test('both well-known addresses name this issuer and the same endpoints', async () => {
  const other = await discover('oauth2')
  for (const name of ['issuer', 'token_endpoint', 'jwks_uri', 'introspection_endpoint', 'revocation_endpoint', 'userinfo_endpoint']) {
    assert.ok(as[name], `${name} is missing`)
    assert.equal(other[name], as[name])
  }
})

for (const [method, client, auth] of [['client_secret_basic', shop, shopAuth], ['client_secret_post', poster, posterAuth], ['none', spa, oauth.None()]]) {
  test(`password, refresh and userinfo by ${method}`, async () => {
    const answer = await signIn(client, auth)
    assert.equal(answer.token_type, 'bearer')
    assert.equal(oauth.getValidatedIdTokenClaims(answer).sub, SUBJECT)
    const claims = await resourceServer(answer.access_token, ISSUER)
    assert.equal(claims.sub, SUBJECT)
    assert.equal(claims.client_id, client.client_id)

    const next = await refresh(client, auth, answer.refresh_token)
    assert.notEqual(next.refresh_token, answer.refresh_token)
    assert.equal(next.scope, answer.scope)

    const info = await oauth.processUserInfoResponse(
      as, client, SUBJECT, await oauth.userInfoRequest(as, client, next.access_token, insecure))
    assert.equal(info.email, 'ada@example.com')
  })
}

test('an access token for another audience is refused by the resource server', async () => {
  const { access_token: token } = await signIn(shop, shopAuth)
  await assert.rejects(resourceServer(token, 'https://other.example'), oauth.OperationProcessingError)
})

test('the replay of a refresh token ends its family', async () => {
  const first = await signIn(shop, shopAuth)
  const second = await refresh(shop, shopAuth, first.refresh_token)
  await assert.rejects(refresh(shop, shopAuth, first.refresh_token), invalidGrant)
  await assert.rejects(refresh(shop, shopAuth, second.refresh_token), invalidGrant)
  assert.equal((await introspect(shop, shopAuth, second.access_token)).active, false)
})

test('client credentials, and what introspection says of them', async () => {
  const response = await oauth.clientCredentialsGrantRequest(as, robot, robotAuth, { scope: 'stock.read' }, insecure)
  const answer = await oauth.processClientCredentialsResponse(as, robot, response)
  assert.equal(answer.scope, 'stock.read')
  assert.equal(answer.refresh_token, undefined)
  assert.equal((await resourceServer(answer.access_token, ISSUER)).sub, robot.client_id)
  const said = await introspect(robot, robotAuth, answer.access_token)
  assert.equal(said.active, true)
  assert.equal(said.sub, robot.client_id)
  assert.equal(said.scope, 'stock.read')
})

test('introspection names the user, and revocation ends the grant', async () => {
  const answer = await signIn(shop, shopAuth)
  for (const token of [answer.access_token, answer.refresh_token]) {
    const said = await introspect(shop, shopAuth, token)
    assert.equal(said.active, true)
    assert.equal(said.sub, SUBJECT)
    assert.equal(said.username, USERNAME)
    assert.equal(said.client_id, shop.client_id)
  }
  assert.equal((await introspect(robot, robotAuth, answer.refresh_token)).active, false, 'a stranger learns nothing')

  await oauth.processRevocationResponse(await oauth.revocationRequest(as, shop, shopAuth, answer.refresh_token, insecure))
  for (const token of [answer.access_token, answer.refresh_token]) {
    assert.equal((await introspect(shop, shopAuth, token)).active, false)
  }
  await assert.rejects(refresh(shop, shopAuth, answer.refresh_token), invalidGrant)
  // A token that nobody knows is revoked already (RFC 7009 section 2.2).
  await oauth.processRevocationResponse(await oauth.revocationRequest(as, shop, shopAuth, 'no-such-token', insecure))
})

test('a wrong client secret is answered with a challenge', async () => {
  const response = await oauth.clientCredentialsGrantRequest(as, robot, oauth.ClientSecretBasic('wrong'), {}, insecure)
  await assert.rejects(oauth.processClientCredentialsResponse(as, robot, response), (err) => {
    assert.ok(err instanceof oauth.WWWAuthenticateChallengeError || err.error === 'invalid_client', `${err}`)
    return true
  })
  assert.equal(response.status, 401)
})
