// The MCP SDK's client against the example MCP server, of which it knows the address alone: from the 401 to the server's metadata
// (RFC 9728), to the issuer's (RFC 8414), to a client id, by registration (RFC 7591) or as the address of a document, to a person's
// consent for that server (RFC 8707, PKCE), in, and on with a refresh token. Configured by environment variables.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { auth, UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { person } from './person.mjs'

const { ISSUER, MCP_SERVER, SUBJECT, REDIRECT_URI, DOCUMENT } = process.env
const server = new URL(MCP_SERVER)

// Agent is what an agent keeps between its visits, and how it sends a person to a browser.
class Agent {
  redirectUrl = REDIRECT_URI
  clientMetadata = {
    client_name: 'Agent', redirect_uris: [REDIRECT_URI], grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'],
    token_endpoint_auth_method: 'none',
  }

  constructor(clientMetadataUrl) {
    this.clientMetadataUrl = clientMetadataUrl
  }

  state = () => 'the-state'
  clientInformation = () => this.client
  saveClientInformation = (client) => { this.client = client }
  tokens = () => this.kept
  saveTokens = (tokens) => { this.kept = tokens }
  codeVerifier = () => this.verifier
  saveCodeVerifier = (verifier) => { this.verifier = verifier }
  redirectToAuthorization = (address) => { this.sentTo = address }
}

// whoami calls the server's one tool with what the agent has.
async function whoami(agent) {
  const client = new Client({ name: 'agent', version: '1.0.0' })
  const transport = new StreamableHTTPClientTransport(server, { authProvider: agent })
  try {
    await client.connect(transport)
    return (await client.callTool({ name: 'whoami', arguments: {} })).structuredContent
  } finally {
    await client.close()
  }
}

const claims = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url'))

// journey is all of it, from nothing.
async function journey(agent) {
  const client = new Client({ name: 'agent', version: '1.0.0' })
  const transport = new StreamableHTTPClientTransport(server, { authProvider: agent })
  await assert.rejects(client.connect(transport), UnauthorizedError)
  const asked = agent.sentTo.searchParams
  assert.equal(agent.sentTo.origin, new URL(ISSUER).origin)
  assert.deepEqual([asked.get('resource'), asked.get('scope'), asked.get('code_challenge_method')], [MCP_SERVER, 'mcp.tools', 'S256'])

  const back = await person(agent.sentTo)
  assert.deepEqual([back.searchParams.get('state'), back.searchParams.get('iss')], ['the-state', ISSUER])
  await transport.finishAuth(back.searchParams.get('code'))
  await client.close()

  const first = agent.kept
  assert.deepEqual([claims(first.access_token).aud, first.scope], [MCP_SERVER, 'mcp.tools'])
  assert.deepEqual(await whoami(agent), { sub: SUBJECT, client_id: agent.client.client_id, scope: ['mcp.tools'] })

  assert.equal(await auth(agent, { serverUrl: server }), 'AUTHORIZED')
  assert.notEqual(agent.kept.access_token, first.access_token)
  assert.notEqual(agent.kept.refresh_token, first.refresh_token)
  assert.deepEqual([claims(agent.kept.access_token).aud, agent.kept.scope], [MCP_SERVER, 'mcp.tools'])
  assert.deepEqual(await whoami(agent), { sub: SUBJECT, client_id: agent.client.client_id, scope: ['mcp.tools'] })
}

test('an agent whose id is the address of its document', async () => {
  const agent = new Agent(DOCUMENT)
  await journey(agent)
  assert.equal(agent.client.client_id, DOCUMENT)
})

test('an agent that registers itself', async () => {
  const agent = new Agent()
  await journey(agent)
  assert.ok(!agent.client.client_id.includes('://') && !agent.client.client_secret)
})
