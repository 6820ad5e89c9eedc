import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { expect } from 'chai';
import { AnswerWatch, type WatchedExchange } from '../../../infrastructure/http-server/answer-watch.ts';

describe('The watch over answers', () => {
  const STALL_MS = 20_000;
  const DEADLINE_MS = 240_000;
  let exchanges: Set<WatchedExchange>;
  let streams: Set<ServerResponse>;
  let cuts: (readonly [ServerResponse, string])[];
  let watch: AnswerWatch;

  beforeEach(() => {
    exchanges = new Set();
    streams = new Set();
    cuts = [];
    watch = new AnswerWatch(exchanges, {
      stallMs: STALL_MS,
      deadlineMs: DEADLINE_MS,
      isOpenEnded: (response) => streams.has(response),
      onCut: (response, cut) => cuts.push([response, cut]),
    });
  });
  afterEach(() => watch.close());

  const newSocket = () => {
    const socket = {
      bytesWritten: 0,
      destroyed: false,
      destroy: () => {
        socket.destroyed = true;
        return new Socket();
      },
    };
    return socket;
  };
  const answerOn = (socket: WatchedExchange['request']['socket']): ServerResponse => {
    const response = new ServerResponse(new IncomingMessage(new Socket()));
    exchanges.add({ request: { socket }, response });
    return response;
  };

  it('cuts an answer of which the client takes nothing', () => {
    const socket = newSocket();
    const response = answerOn(socket).writeHead(200);
    watch.look(0);
    watch.look(STALL_MS - 1);
    expect(cuts).to.be.empty;
    watch.look(STALL_MS);
    expect(cuts).to.deep.equal([[response, 'stalled']]);
    expect(socket.destroyed).to.equal(true);
  });

  it('lets a client read slowly, but not for ever', () => {
    const socket = newSocket();
    const response = answerOn(socket).writeHead(200);
    let now = 0;
    for (; now < DEADLINE_MS; now += STALL_MS - 1) {
      socket.bytesWritten += 1;
      watch.look(now);
      expect(cuts).to.be.empty;
    }
    socket.bytesWritten += 1;
    watch.look(now);
    expect(cuts).to.deep.equal([[response, 'deadline']]);
  });

  it('lets a stream of events go on for ever, and pause, but cuts it when its client takes nothing of it', () => {
    const socket = newSocket();
    const response = answerOn(socket).writeHead(200);
    streams.add(response);
    let now = 0;
    for (; now < 3 * DEADLINE_MS; now += STALL_MS) watch.look(now);
    expect(cuts).to.be.empty;
    // Nothing takes it off: there is no socket.
    response.write('an event');
    watch.look(now - 1);
    expect(cuts).to.be.empty;
    watch.look(now);
    expect(cuts).to.deep.equal([[response, 'stalled']]);
  });

  it('waits for what has no answer yet', () => {
    const socket = newSocket();
    answerOn(socket);
    for (const now of [0, STALL_MS, DEADLINE_MS, 2 * DEADLINE_MS]) watch.look(now);
    expect(cuts).to.be.empty;
    expect(socket.destroyed).to.equal(false);
  });

  it('judges each answer of a connection by itself', () => {
    const socket = newSocket();
    answerOn(socket).writeHead(200);
    watch.look(0);
    exchanges.clear();
    const second = answerOn(socket).writeHead(200);
    watch.look(STALL_MS);
    watch.look(2 * STALL_MS - 1);
    expect(cuts).to.be.empty;
    watch.look(2 * STALL_MS);
    expect(cuts).to.deep.equal([[second, 'stalled']]);
  });
});
