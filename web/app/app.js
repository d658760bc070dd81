// app.js - the page's beginning: says which server this is.
// This file lies three folders below the root, whatever the page's address and the base path are.
const root = new URL('../../../', import.meta.url);

const reply = await fetch(new URL('api/v1/info', root));
if (reply.ok) {
  const info = await reply.json();
  document.getElementById('state').append(` Version ${info.version}.`);
}
