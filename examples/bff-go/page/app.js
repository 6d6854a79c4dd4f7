// The page holds no token and reads no cookie: it asks its own backend, which knows who is signed in.
const $ = (id) => document.getElementById(id)

async function ask(path, options = {}) {
  const response = await fetch(path, { ...options, headers: { 'X-BFF': '1', 'Content-Type': 'application/json' } })
  const body = response.status === 204 ? {} : await response.json().catch(() => ({}))
  return { ok: response.ok, status: response.status, body }
}

async function show() {
  const session = await ask('/bff/session')
  $('login').hidden = session.ok
  $('inside').hidden = !session.ok
  if (!session.ok) return
  $('who').textContent = session.body.username
  const stock = await ask('/api/stock/plums')
  if (stock.ok) $('plums').textContent = stock.body.plums
  else if (stock.status === 401) await leave('Please sign in again.')
  else $('message').textContent = 'The stock cannot be read at the moment.'
}

async function leave(message = '') {
  await ask('/bff/logout', { method: 'POST' })
  $('message').textContent = message
  await show()
}

$('login').addEventListener('submit', async (event) => {
  event.preventDefault()
  const given = Object.fromEntries(new FormData(event.target))
  const answer = await ask('/bff/login', { method: 'POST', body: JSON.stringify(given) })
  $('second').hidden = !(answer.body.error === 'mfa_required' || given.otp)
  $('message').textContent = {
    mfa_required: 'Enter the code of your authenticator.',
    invalid_grant: 'That name, password or code is wrong.',
    slow_down: 'Too many tries: wait a moment.',
  }[answer.body.error] ?? (answer.ok ? '' : 'That did not work: try again later.')
  if (answer.ok) {
    event.target.reset()
    await show()
  }
})
$('logout').addEventListener('click', () => leave())

await show()
