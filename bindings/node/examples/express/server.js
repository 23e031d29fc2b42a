// An Express application with AuthKit inside: accounts, sign-in, sessions and roles without another server.
import express from 'express';
import { AuthKit, AuthKitError } from '@authkit/node';
import { requireAuth } from '@authkit/node/express';

const auth = await AuthKit.open({ database: process.env.DATABASE ?? 'sqlite://data/example.db' });

const app = express();
app.use(express.json({ limit: '16kb' }));

/** Calls an operation with the body, in a session that begins and ends with the request. */
const operation = (name) => async (request, response) => {
  response.json(await auth.client().call(name, request.body ?? {}));
};
app.post('/register', operation('register'));
app.post('/verify', operation('verifyEmail'));
app.post('/login', operation('login'));
app.post('/login/code', operation('verifyMfa'));
app.post('/refresh', operation('refresh'));
app.post('/logout', operation('logout'));

app.get('/me', requireAuth(auth), async (request, response) => {
  response.json(await auth.client().withToken(request.auth.accessToken).getMe());
});
app.get('/users', requireAuth(auth, { permission: 'users:read' }), async (request, response) => {
  response.json(await auth.client().withToken(request.auth.accessToken).listUsers());
});

app.use((error, request, response, next) => {
  if (response.headersSent) return next(error);
  const known = error instanceof AuthKitError && error.status >= 400;
  const status = known ? error.status : (error.status ?? 500);
  const { code, message, fields } = known ? error : { code: 'request.failed', message: 'The request failed.', fields: [] };
  if (!known && status >= 500) console.error(error);
  response.status(status).json({ status, code, detail: message, errors: fields });
});

const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => server.close(() => auth.close()));
}
