import { held, type AsyncStep } from '../http-locals.ts';

/** Runs the controller and sends what it answers. */
export const respond: AsyncStep = async (_req, res) => {
  const answer = held(res.locals, 'answer');
  const { status, body, headers } = await answer(res.locals);
  if (res.closed) return;
  res.status(status).set(headers ?? {});
  if (typeof body === 'string') res.send(body);
  else res.json(body);
};
