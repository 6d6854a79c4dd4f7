// A person who follows an address through Signet's pages, lent by the test that started this script.
export async function person(go, { as = process.env.USERNAME, deny } = {}) {
  const query = new URLSearchParams({ go: `${go}`, as })
  if (deny) query.set('deny', '1')
  const response = await fetch(`${process.env.PEOPLE}/?${query}`)
  const text = await response.text()
  if (!response.ok) throw new Error(`at ${go}: ${response.status} ${text}`)
  return new URL(text)
}
