// A single-page app on oidc-client-ts, as its documentation says: tokens in the storage that its tabs share, renewed by refresh
// token. /config.json names the issuer and the client.
const show = (id, text) => { document.getElementById(id).textContent = text }
const failed = (err) => show('failure', `${err}`)
const signedIn = (user) => show('state', user ? `signed in as ${user.profile.sub} ${user.profile.email}` : 'signed out')

// Once it is asked to renew everywhere, a tab sends a refresh token only when another tab is about to send its own.
const sent = []
const others = new BroadcastChannel('about to renew')
let together = false
let [mine, theirs, go] = [0, 0, () => {}]
others.onmessage = () => { theirs++; go() }
const fetchAlone = window.fetch
window.fetch = async (address, init) => {
  const token = together && init?.body instanceof URLSearchParams && init.body.get('refresh_token')
  if (token) {
    sent.push(token)
    others.postMessage(++mine)
    while (theirs < mine) await new Promise((resolve) => { go = resolve })
  }
  return fetchAlone(address, init)
}

async function start() {
  const { authority, client_id, renewAfter } = await (await fetch('/config.json')).json()
  const here = location.origin
  const manager = new oidc.UserManager({
    authority, client_id, redirect_uri: `${here}/cb`, popup_redirect_uri: `${here}/popup`, post_logout_redirect_uri: `${here}/bye`,
    scope: 'openid profile email', loadUserInfo: true, userStore: new oidc.WebStorageStateStore({ store: localStorage }),
    // Renewed so many seconds after it came, which this library wants to be told by how long before its end.
    automaticSilentRenew: renewAfter > 0, accessTokenExpiringNotificationTimeInSeconds: renewAfter > 0 ? 900 - renewAfter : 60,
  })

  let renewals = 0
  const renewed = () => show('renewals', `${++renewals}`)
  manager.events.addSilentRenewError(failed)
  manager.events.addUserSignedOut(() => failed('signed out at the provider'))
  const all = new BroadcastChannel('renew')
  const renew = () => {
    together = true
    manager.signinSilent().then(renewed, failed)
  }
  all.onmessage = renew
  document.getElementById('signin').onclick = () => manager.signinRedirect().catch(failed)
  document.getElementById('popup').onclick = () => manager.signinPopup().then(signedIn, failed)
  document.getElementById('signout').onclick = () => manager.signoutRedirect().catch(failed)
  document.getElementById('everywhere').onclick = () => { all.postMessage('now'); renew() }

  if (location.pathname === '/popup') return manager.signinPopupCallback()
  if (location.pathname === '/cb') {
    await manager.signinRedirectCallback()
    history.replaceState(null, '', '/')
  }
  if (location.pathname === '/bye') await manager.signoutRedirectCallback()
  signedIn(await manager.getUser())
  manager.events.addUserLoaded((user) => {
    signedIn(user)
    if (renewAfter > 0) renewed()
  })
}

start().catch(failed)
