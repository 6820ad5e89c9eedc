import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { expect } from 'chai';
import { BodyWatch, type BodyLimits } from '../../../infrastructure/http-server/body-watch.ts';

interface Connection {
  bytesRead: number;
  destroyed: boolean;
}
interface Body {
  readonly request: { complete: boolean };
  readonly response: ServerResponse;
}

const DOCUMENT: BodyLimits = { stallMs: 30_000, deadlineMs: 30_000 };
const FILE: BodyLimits = { stallMs: 20_000, deadlineMs: 3_600_000 };

describe('The watch over bodies', () => {
  let connections: Map<Connection, Body | null>;
  let limits: BodyLimits;
  let late: Connection[];
  let watch: BodyWatch<Connection>;

  beforeEach(() => {
    connections = new Map();
    late = [];
    watch = new BodyWatch(connections, {
      everyMs: 1_000_000,
      limitsOf: () => limits,
      onTimeout: (socket) => late.push(socket),
    });
  });
  afterEach(() => watch.close());

  const open = (): { socket: Connection; body: Body; receive: () => void } => {
    const socket: Connection = { bytesRead: 0, destroyed: false };
    const response = new ServerResponse(new IncomingMessage(new Socket()));
    const body: Body = { request: { complete: false }, response };
    connections.set(socket, body);
    return { socket, body, receive: () => (socket.bytesRead += 1) };
  };

  it('gives a document its time, however it comes', () => {
    limits = DOCUMENT;
    const { socket, receive } = open();
    for (const now of [0, 10_000, 20_000, 29_999]) {
      receive();
      watch.look(now);
    }
    expect(late).to.be.empty;
    receive();
    watch.look(30_000);
    expect(late).to.deep.equal([socket]);
  });

  it('lets a file come slowly, but neither stall nor come for ever', () => {
    limits = FILE;
    const slow = open();
    const stalled = open();
    for (let now = 0; now < 19_999; now += 10_000) {
      slow.receive();
      watch.look(now);
    }
    slow.receive();
    watch.look(20_000);
    expect(late).to.deep.equal([stalled.socket]);
    connections.delete(stalled.socket);
    for (let now = 30_000; now < FILE.deadlineMs; now += 10_000) {
      slow.receive();
      watch.look(now);
    }
    expect(late).to.deep.equal([stalled.socket]);
    slow.receive();
    watch.look(FILE.deadlineMs);
    expect(late).to.deep.equal([stalled.socket, slow.socket]);
  });

  it('leaves alone what has come, and connections without a request', () => {
    limits = DOCUMENT;
    const { body } = open();
    body.request.complete = true;
    connections.set({ bytesRead: 0, destroyed: false }, null);
    watch.look(0);
    watch.look(1e9);
    expect(late).to.be.empty;
  });
});
