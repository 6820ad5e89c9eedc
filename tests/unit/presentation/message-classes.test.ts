import type { IncomingMessage, ServerResponse } from 'node:http';
import { expect } from 'chai';
import express from 'express';
import { listen } from '../../../infrastructure/http-server/http-server.ts';
import { messageClasses } from '../../../presentation/http/request/message-classes.ts';

describe('The classes of an app’s messages', () => {
  /** Whether Express gave the messages of a request other prototypes than they came with. */
  const isChanged = async (prepare: (app: express.Express) => object): Promise<boolean> => {
    const app = express();
    let before: object[] = [];
    let changed: boolean | undefined;
    app.get('/', (req, res) => {
      changed = before.some((prototype, index) => Object.getPrototypeOf([req, res][index]) !== prototype);
      res.set('X-Path', req.path).json({ query: req.query });
    });
    const messages = prepare(app);
    const look = (req: IncomingMessage, res: ServerResponse): void => {
      before = [req, res].map((message) => Object.getPrototypeOf(message) as object);
      app(req, res);
    };
    const server = await listen(look, '127.0.0.1', 0, { messages });
    try {
      const reply = await fetch(`${server.url}/?a=b`);
      expect(reply.headers.get('x-path')).to.equal('/');
      expect(await reply.json()).to.deep.equal({ query: { a: 'b' } });
    } finally {
      server.closeNow();
      await server.close();
    }
    if (changed === undefined) throw new Error('nothing was served');
    return changed;
  };

  it('are such that Express leaves each message as it is', async () => {
    expect(await isChanged(messageClasses)).to.equal(false);
  });

  it('are what makes the difference', async () => {
    expect(await isChanged(() => ({}))).to.equal(true);
  });
});
