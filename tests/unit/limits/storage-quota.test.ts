import { expect } from 'chai';
import { StorageQuota } from '../../../application/limits/storage-quota.ts';
import { StorageQuotaExceededError } from '../../../domain/organizations/errors.ts';
import { organization } from '../../support/fakes/fake-service.ts';
import { Gate, rejectionOf } from '../../support/gate.ts';

const ACME = organization('acme');
const MIB = 2 ** 20;

describe('StorageQuota', () => {
  let now: number;
  let size: number;
  let measurements: number;
  let own: number | undefined;
  let quota: StorageQuota;
  const database = {
    storageBytes: async () => {
      measurements += 1;
      return size;
    },
  };

  beforeEach(() => {
    now = 0;
    size = 10 * MIB;
    measurements = 0;
    own = undefined;
    quota = new StorageQuota({
      policies: { policyOf: () => (own === undefined ? {} : { maxStorageBytes: own }) },
      maxBytes: 100 * MIB,
      now: () => now,
    });
  });
  const admit = (bytes: number) => quota.admit(ACME, database, bytes);

  it('asks nothing for the first MiB, and then once a minute or every 16 MiB', async () => {
    for (let n = 0; n < 4; n += 1) await admit(MIB / 4);
    expect(measurements).to.equal(0);
    await admit(1);
    expect(measurements).to.equal(1);
    for (let n = 0; n < 16; n += 1) await admit(MIB);
    expect(measurements).to.equal(1);
    await admit(MIB);
    await admit(MIB);
    expect(measurements).to.equal(2);
    now += 60_001;
    await admit(1);
    await admit(1);
    expect(measurements).to.equal(3);
  });

  it('refuses what would not fit, by the last size and what was sent since', async () => {
    size = 95 * MIB;
    await admit(2 * MIB);
    await admit(2 * MIB);
    expect(await rejectionOf(admit(2 * MIB))).to.be.instanceOf(StorageQuotaExceededError);
    await admit(MIB);
    size = 50 * MIB;
    now += 60_001;
    await admit(2 * MIB);
  });

  it('asks at once where the organization has set a quota itself', async () => {
    own = 5 * MIB;
    expect(await rejectionOf(admit(1))).to.be.instanceOf(StorageQuotaExceededError);
    own = 20 * MIB;
    await admit(1);
    expect(measurements).to.equal(1);
  });

  it('asks once when many come at the same time', async () => {
    await admit(2 * MIB);
    now += 60_001;
    const gate = new Gate();
    const slow = {
      storageBytes: () => {
        measurements += 1;
        return gate.pass().then(() => size);
      },
    };
    const first = quota.admit(ACME, slow, 1);
    await gate.reached;
    await Promise.all(Array.from({ length: 10 }, () => quota.admit(ACME, slow, 1)));
    gate.open();
    await first;
    expect(measurements).to.equal(2);
  });

  it('takes nothing off twice when first measurements run side by side', async () => {
    for (let n = 0; n < 4; n += 1) await admit(MIB / 4);
    const gates = [new Gate(), new Gate()];
    size = 99 * MIB;
    const measured = gates.map((gate) => {
      const slow = { storageBytes: () => gate.pass().then(() => size) };
      return quota.admit(ACME, slow, MIB / 4);
    });
    await Promise.all(gates.map(({ reached }) => reached));
    for (const gate of gates) gate.open();
    await Promise.all(measured);
    expect(await rejectionOf(admit(MIB))).to.be.instanceOf(StorageQuotaExceededError);
  });

  it('goes on with the last size when the database cannot be asked', async () => {
    await admit(2 * MIB);
    now += 60_001;
    const failure = new Error('no connection');
    const broken = { storageBytes: () => Promise.reject(failure) };
    expect(await rejectionOf(quota.admit(ACME, broken, 1))).to.equal(failure);
    await admit(1);
    expect(measurements).to.equal(2);
  });
});
