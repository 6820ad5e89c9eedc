import { expect } from 'chai';
import type { Finding } from '../../../application/ports/database-upkeep.ts';
import { runCli, type CliDependencies, type ExitCode } from '../../../presentation/cli/run-cli.ts';

describe('the command databases reconcile', () => {
  const run = async (
    argv: readonly string[],
    findings: readonly Finding[],
  ): Promise<{ exitCode: ExitCode; lines: readonly string[]; asked: object | null }> => {
    const lines: string[] = [];
    let asked: object | null = null;
    const unexpected = (): Promise<never> => Promise.reject(new Error('another command was run'));
    const exitCode = await runCli(['databases', 'reconcile', ...argv], {
      maxOrganizationIdLength: 20,
      reconcile: (options) => {
        asked = options;
        return Promise.resolve(findings);
      },
      provision: unexpected,
      adopt: unexpected,
      retire: unexpected,
      rotateCredentials: unexpected,
      verifyAudit: unexpected,
      // No other command is run, so nothing of it is asked for.
      migrate: {} as CliDependencies['migrate'],
      print: (line) => void lines.push(line),
    });
    return { exitCode, lines, asked };
  };
  const DROPPED: Finding = {
    kind: 'stale-spare',
    database: 'spare.x',
    organizationId: null,
    action: 'dropped',
  };
  const REPORTED: Finding = {
    kind: 'foreign',
    database: 'theirs',
    organizationId: null,
    action: 'reported',
  };

  it('says what it did, and leaves with 3 when something is left to do', async () => {
    const { exitCode, lines } = await run([], [DROPPED, REPORTED]);
    expect(lines.map((line) => line.split(/ {2,}| (?=spare)/).map((part) => part.trim()))).to.deep.equal([
      ['stale-spare', 'dropped', 'spare.x'],
      ['foreign', 'reported', 'theirs'],
    ]);
    expect(exitCode).to.equal(3);
    expect((await run([], [DROPPED])).exitCode).to.equal(0);
  });

  it('says in a dry run what it would do, that nothing was changed, and that all of it is left', async () => {
    const { exitCode, lines, asked } = await run(['--dry-run'], [DROPPED, REPORTED]);
    expect(asked).to.include({ dryRun: true });
    expect(lines).to.have.length(3);
    expect(lines[0]).to.match(/^stale-spare +would be dropped +spare\.x$/);
    expect(lines[1]).to.match(/^foreign +reported +theirs$/);
    expect(lines[2]).to.match(/nothing was changed/);
    expect(exitCode).to.equal(3);
    expect((await run(['--dry-run'], [DROPPED])).exitCode).to.equal(3);
    expect((await run(['--dry-run'], [])).exitCode).to.equal(0);
  });

  it('tells a dry run in its JSON', async () => {
    for (const [argv, dryRun] of [
      [['--json'], false],
      [['--json', '--dry-run'], true],
    ] as const) {
      const { lines } = await run(argv, [DROPPED]);
      expect(JSON.parse(lines.join('\n'))).to.deep.equal({ dry_run: dryRun, findings: [DROPPED] });
    }
  });
});
