// An OpenID Connect provider of another maker, such as Pro Santé Connect is: its discovery
// document lies under a path of its own, and a professional has places of practice. It signs
// in whoever was last named at /who?sub=…&acr=….
//
//   node provider.mjs FOLDER REDIRECT AFTER
//
// FOLDER is the node_modules that hold oidc-provider. It prints its address once it listens.
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';

const [folder, redirect, after] = process.argv.slice(2);
const { Provider } = await import(pathToFileURL(`${folder}/oidc-provider/lib/index.js`));

const place = (finess, name) => ({ codeModeExercice: 'S', numeroFinessSite: finess, raisonSocialeSite: name });
const people = {
  lea: { SubjectNameID: '810001234565', SubjectRefPro: { codeCivilite: 'MME', exercices: [{ codeProfession: '60', activities: [place('970400123', 'CHU'), place('970400456', 'Cabinet du port')] }] } },
  paul: { SubjectNameID: '810001234573', SubjectRefPro: { codeCivilite: 'M', exercices: [] } },
};
let next = { sub: 'lea', acr: 'eidas1' };

const server = createServer();
await new Promise((ready) => { server.listen(0, '127.0.0.1', ready); });
const issuer = `http://127.0.0.1:${server.address().port}`;
const provider = new Provider(issuer, {
  clients: [{ client_id: 'vigie', client_secret: 'a secret of + and /', redirect_uris: [redirect], post_logout_redirect_uris: [after] }],
  cookies: { keys: ['of a test'] },
  scopes: ['openid', 'scope_all'],
  acrValues: ['eidas1', 'eidas0'],
  claims: { openid: ['sub'], scope_all: ['SubjectNameID', 'SubjectRefPro'], acr: null },
  features: { devInteractions: { enabled: false } },
  pkce: { required: () => true },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub, ...people[sub] }) }),
  async loadExistingGrant(ctx) {
    const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
    grant.addOIDCScope('openid scope_all');
    await grant.save();
    return grant;
  },
});
const serve = provider.callback();
server.on('request', async (request, response) => {
  const url = new URL(request.url, issuer);
  if (url.pathname === '/who') {
    next = Object.fromEntries(url.searchParams);
    response.end();
  } else if (url.pathname.startsWith('/interaction/')) {
    await provider.interactionFinished(request, response, { login: { accountId: next.sub, acr: next.acr, remember: false } });
  } else {
    if (url.pathname === '/realms/wallet/.well-known/wallet-openid-configuration') request.url = '/.well-known/openid-configuration';
    serve(request, response);
  }
});
console.log(issuer);
