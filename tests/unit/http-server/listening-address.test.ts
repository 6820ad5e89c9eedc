import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { expect } from 'chai';
import {
  assertFreeAddress,
  isLoopback,
  urlHost,
} from '../../../infrastructure/http-server/listening-address.ts';
import { rejectionOf } from '../../support/gate.ts';

describe('The address that the service listens on', () => {
  for (const [host, reached] of [
    ['0.0.0.0', '127.0.0.1'],
    ['::', '[::1]'],
    ['0:0:0:0:0:0:0:0', '[::1]'],
    ['127.0.0.1', '127.0.0.1'],
    ['192.168.1.7', '192.168.1.7'],
    ['2001:db8::7', '[2001:db8::7]'],
    ['mad.example', 'mad.example'],
  ] as const) {
    it(`is reached as ${reached} where it is ${host}`, () => {
      expect(urlHost(host)).to.equal(reached);
      expect(URL.canParse(`http://${urlHost(host)}:3000`)).to.equal(true);
    });
  }

  it('is open to the network unless it is a loopback address', () => {
    for (const host of ['127.0.0.1', '127.8.8.8', '::1', '::ffff:127.0.0.1', 'localhost', 'LocalHost'])
      expect(isLoopback(host), host).to.equal(true);
    for (const host of ['0.0.0.0', '::', '10.0.0.1', '2001:db8::1', 'mad.example'])
      expect(isLoopback(host), host).to.equal(false);
  });

  it('is refused while another program has the port, and left free otherwise', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    // What a server that listens on a port answers.
    const { port } = other.address() as AddressInfo;
    const refusal = await rejectionOf(assertFreeAddress('127.0.0.1', port));
    expect(String(refusal)).to.match(new RegExp(`HOST holds 127\\.0\\.0\\.1 and PORT ${port}: .*EADDRINUSE`));
    other.close();
    await once(other, 'close');
    await assertFreeAddress('127.0.0.1', port);
    await assertFreeAddress('127.0.0.1', port);
  });
});
