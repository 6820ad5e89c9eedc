import { expect } from 'chai';
import { networkOf } from '../../../adapters/ipaddr/network-of.ts';

describe('the network of an address', () => {
  for (const [address, network] of [
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::FFFF:c000:207', '192.0.2.7'],
    ['2001:db8:0:1:a:b:c:d', '2001:db8:0:1'],
    ['2001:DB8::1', '2001:db8:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
    ['::1', '0:0:0:0'],
    ['unknown', 'unknown'],
    ['x'.repeat(1000), 'x'.repeat(64)],
  ] as const)
    it(`is ${network.slice(0, 20)} for ${address.slice(0, 40)}`, () => {
      expect(networkOf(address)).to.equal(network);
    });
});
