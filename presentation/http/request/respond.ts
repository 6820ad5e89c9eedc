import { held, type Step } from './http-locals.ts';

const JSON_TYPE = 'application/json; charset=utf-8';

/** Runs the controller and sends what it answers. */
export const respond: Step = async (_req, res) => {
  const answer = held(res.locals, 'answer');
  const { status, body, headers } = await answer(res.locals);
  if (res.closed) return;
  res.statusCode = status;
  for (const name in headers) res.setHeader(name, headers[name] ?? '');
  if (body === null) {
    res.end();
    return;
  }
  if (typeof body === 'string') {
    res.send(body);
    return;
  }
  // Not `res.json`, which reads settings, parses the type it has just set and looks whether the client has it already:
  // a fifteenth of what this side of a request costs.
  const text = JSON.stringify(body);
  res.setHeader('Content-Type', JSON_TYPE);
  res.setHeader('Content-Length', Buffer.byteLength(text));
  res.end(text);
};
