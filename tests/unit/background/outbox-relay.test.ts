import { expect } from 'chai';
import type { AuditBacklog } from '../../../application/ports/audit/audit-backlog.ts';
import { parseOrganizationId, type OrganizationId } from '../../../domain/organizations/organization-id.ts';
import { OutboxRelay } from '../../../infrastructure/background/outbox-relay.ts';
import { Gate, until } from '../../support/gate.ts';

const ACME = parseOrganizationId('acme', 51);
const BETA = parseOrganizationId('beta', 51);
const WRITER = 'this process';

/** The metadata's book in memory; can be told to wait or to fail. */
class FakeBacklog implements AuditBacklog {
  readonly announced = new Set<string>();
  readonly calls: string[] = [];
  left: OrganizationId[] = [];
  away = false;
  gate: Promise<void> = Promise.resolve();

  async deliver(): Promise<void> {}

  announce = (organizationId: OrganizationId): Promise<void> =>
    this.#act(`announce ${organizationId}`, () => this.announced.add(organizationId));

  withdraw = (organizationId: OrganizationId): Promise<void> =>
    this.#act(`withdraw ${organizationId}`, () => this.announced.delete(organizationId));

  async adopt(): Promise<readonly OrganizationId[]> {
    const left = this.left;
    this.left = [];
    for (const id of left) this.announced.add(id);
    return left;
  }

  async #act(what: string, act: () => unknown): Promise<void> {
    this.calls.push(what);
    await this.gate;
    if (this.away) throw new Error('the metadata database is away');
    act();
  }
}

describe('the carrier of audit entries', () => {
  let backlog: FakeBacklog;
  let carrier: OutboxRelay;
  let carried: string[];
  let outbox: Map<string, number>;
  let refusing: boolean;
  let warnings: string[];

  beforeEach(() => {
    backlog = new FakeBacklog();
    carried = [];
    outbox = new Map();
    refusing = false;
    warnings = [];
    carrier = new OutboxRelay({
      backlog,
      writer: WRITER,
      logger: {
        debug: () => undefined,
        info: () => undefined,
        warn: (_fields, message) => warnings.push(message),
        error: () => undefined,
      },
      times: { gatherMs: 2, restMs: 10, repeatMs: 50, silentForMs: 1000, adoptEveryMs: 5 },
    });
  });
  afterEach(() => carrier.close());

  const carry = async (organizationId: OrganizationId): Promise<number> => {
    carried.push(organizationId);
    if (refusing) throw new Error('the organization is busy');
    const count = outbox.get(organizationId) ?? 0;
    outbox.set(organizationId, 0);
    return count;
  };
  /** A write as the database's watcher sees it. */
  const write = async (organizationId = ACME, work: () => unknown = () => undefined): Promise<void> => {
    try {
      await carrier.begin(organizationId);
      await work();
      outbox.set(organizationId, (outbox.get(organizationId) ?? 0) + 1);
    } finally {
      carrier.end(organizationId);
    }
  };
  const isCarried = () => outbox.get(ACME) === 0;

  it('announces itself before the first write, carries soon after, and withdraws when all is quiet', async () => {
    carrier.start(carry);
    await write(ACME, () => expect([...backlog.announced]).to.deep.equal([ACME]));
    await until('it is carried', isCarried);
    await until('it is withdrawn', () => backlog.announced.size === 0);
    expect(backlog.calls).to.deep.equal(['announce acme', 'withdraw acme']);
  });

  it('announces itself once for many writes at a time', async () => {
    carrier.start(carry);
    await Promise.all(Array.from({ length: 20 }, () => write()));
    expect(backlog.calls.filter((call) => call.startsWith('announce'))).to.deep.equal(['announce acme']);
  });

  it('carries again what was written while it carried', async () => {
    const gate = new Gate();
    let first = true;
    carrier.start(async (organizationId) => {
      const count = await carry(organizationId);
      if (first) {
        first = false;
        await gate.pass();
      }
      return count;
    });
    await write();
    await gate.reached;
    await write();
    expect(outbox.get(ACME)).to.equal(1);
    gate.open();
    await until('the second is carried', isCarried);
    expect(carried).to.deep.equal([ACME, ACME]);
  });

  it('announces anew a write that begins while it withdraws', async () => {
    carrier.start(carry);
    await write();
    const gate = new Gate();
    await until('it is carried', isCarried);
    backlog.gate = gate.opened;
    await until('it withdraws', () => backlog.calls.includes('withdraw acme'));
    let standing: boolean | undefined;
    const writing = write(ACME, () => {
      standing = backlog.announced.has(ACME);
    });
    gate.open();
    await writing;
    expect(standing).to.equal(true);
  });

  it('counts a write that failed: it may have happened', async () => {
    carrier.start(carry);
    await write(ACME, () => Promise.reject(new Error('the connection broke'))).catch(() => undefined);
    await until('it was looked after', () => carried.length > 0);
  });

  it('holds no write up for long when the metadata database is away, and announces it later', async () => {
    carrier.start(carry);
    refusing = true;
    const gate = new Gate();
    backlog.gate = gate.opened;
    const before = performance.now();
    await write();
    expect(performance.now() - before).to.be.below(500);
    expect(backlog.announced.size).to.equal(0);
    gate.open();
    await until('it is announced', () => backlog.announced.has(ACME));
  });

  it('goes on trying, says so once, and stands announced meanwhile', async () => {
    carrier.start(carry);
    refusing = true;
    await write();
    await until('it has tried twice', () => carried.length > 1);
    expect([...backlog.announced]).to.deep.equal([ACME]);
    refusing = false;
    await until('it is carried', isCarried);
    expect(warnings).to.have.length(1);
  });

  it('repeats an announcement that stands', async () => {
    carrier.start(carry);
    const gate = new Gate();
    const writing = write(ACME, () => gate.opened);
    await until('it is repeated', () => backlog.calls.filter((call) => call === 'announce acme').length > 1);
    gate.open();
    await writing;
  });

  it('carries what dead processes have left, and nothing of organizations that nobody wrote to', async () => {
    outbox.set(BETA, 3);
    backlog.left = [BETA];
    carrier.start(carry);
    await until('it is carried', () => outbox.get(BETA) === 0);
    await until('it is withdrawn', () => backlog.announced.size === 0);
    expect(carried).to.deep.equal([BETA]);
  });

  it('carries the rest when it is closed, and leaves its announcement when it cannot', async () => {
    carrier.start(carry);
    await Promise.all([write(ACME), write(BETA)]);
    await carrier.close();
    expect([...outbox.values(), backlog.announced.size]).to.deep.equal([0, 0, 0]);

    carrier.start(carry);
    refusing = true;
    await write();
    await carrier.close();
    expect([...backlog.announced]).to.deep.equal([ACME]);
  });

  it('does nothing before it is started', async () => {
    await write();
    expect([backlog.calls, carried]).to.deep.equal([[], []]);
  });
});
