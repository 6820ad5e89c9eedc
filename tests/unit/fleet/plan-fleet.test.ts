import { expect } from 'chai';
import { planFleet, type PlanOptions } from '../../../application/fleet/plan-fleet.ts';
import type { FleetCandidate } from '../../../application/ports/fleet/fleet-ledger.ts';
import { DEFAULT_SERVER, parseServerId } from '../../../domain/databases/server.ts';
import { parseOrganizationId } from '../../../domain/organizations/organization-id.ts';

const id = (value: string) => parseOrganizationId(value, 51);
const candidate = (organizationId: string, rest: Partial<FleetCandidate> = {}): FleetCandidate => ({
  organizationId: id(organizationId),
  serverId: DEFAULT_SERVER,
  state: 'ready',
  schemaVersion: 1,
  urgent: false,
  ...rest,
});
const OPTIONS: PlanOptions = { target: 2, only: null, canaries: 1, waveSize: { count: 2 } };
const many = (count: number): FleetCandidate[] => Array.from({ length: count }, (_, n) => candidate(`o${n}`));
const wavesOf = (candidates: readonly FleetCandidate[], options: Partial<PlanOptions> = {}) =>
  planFleet(candidates, { ...OPTIONS, ...options }).items.map(
    (item) => `${item.wave}:${item.organizationId}`,
  );

describe('the plan of a fleet migration', () => {
  it('puts canaries first, then waves of a size, in the order of the ledger', () => {
    expect(wavesOf(many(6))).to.deep.equal(['0:o0', '1:o1', '1:o2', '2:o3', '2:o4', '3:o5']);
    expect(planFleet(many(6), OPTIONS).waves).to.deep.equal([1, 2, 2, 1]);
  });

  it('takes a share of all as the size of a wave, and never none', () => {
    expect(planFleet(many(8), { ...OPTIONS, canaries: 0, waveSize: { percent: 25 } }).waves).to.deep.equal([
      0, 2, 2, 2, 2,
    ]);
    expect(planFleet(many(3), { ...OPTIONS, canaries: 0, waveSize: { count: 0 } }).waves).to.deep.equal([
      0, 1, 1, 1,
    ]);
  });

  it('takes the canaries that are named, of those that are behind', () => {
    const candidates = [...many(3), candidate('current', { schemaVersion: 2 })];
    const canaries = [id('o2'), id('current')];
    expect(wavesOf(candidates, { canaries })).to.deep.equal(['0:o2', '1:o0', '1:o1']);
  });

  it('puts organizations whose requests are turned away before the others, and behind named canaries', () => {
    const candidates = [...many(3), candidate('late', { urgent: true })];
    expect(wavesOf(candidates, { canaries: [id('o1')] })).to.deep.equal(['0:o1', '1:late', '1:o0', '2:o2']);
  });

  it('says why it leaves organizations out, and keeps silent on those not chosen', () => {
    const candidates = [
      candidate('ahead', { schemaVersion: 3 }),
      candidate('current', { schemaVersion: 2 }),
      candidate('failed', { state: 'failed' }),
      candidate('new', { state: 'provisioning', schemaVersion: null }),
      candidate('other'),
      candidate('behind'),
    ];
    const only = new Set(['ahead', 'current', 'failed', 'new', 'behind', 'nobody'].map(id));
    const plan = planFleet(candidates, { ...OPTIONS, only });
    expect(plan.items.map(({ organizationId }) => organizationId)).to.deep.equal(['behind']);
    expect(plan.skipped.map(({ organizationId, reason }) => [organizationId, reason])).to.deep.equal([
      ['ahead', 'ahead'],
      ['current', 'current'],
      ['failed', 'not_ready'],
      ['new', 'not_ready'],
      ['nobody', 'no_database'],
    ]);
  });

  it('puts organizations last whose server is away, and makes none of them a canary unless it is named', () => {
    const away = parseServerId('eu');
    const fleet = [candidate('a', { serverId: away, urgent: true }), candidate('b'), candidate('c')];
    expect(wavesOf(fleet, { away: new Set([away]) })).to.deep.equal(['0:b', '1:c', '1:a']);
    expect(wavesOf(fleet, { away: new Set([away]), canaries: [id('a')] })).to.deep.equal([
      '0:a',
      '1:b',
      '1:c',
    ]);
  });
});
