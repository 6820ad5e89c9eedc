import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { LOG_EVENTS } from '../../application/ports/runtime/log-events/log-events.ts';
import { runCli } from '../../presentation/cli/run-cli.ts';
import {
  PROMETHEUS,
  readRules,
  readRuleTests,
  readRunbooks,
  RULE_TESTS,
} from '../support/deployment-files.ts';
import { needsProgram } from '../support/programs.ts';

const SECTIONS = [
  '## What it means',
  '## What to look at first',
  '## How to mend it',
  '## How to know that it is over',
];

describe('The alerts', () => {
  const alerts = readRules('alerts.yml');
  const runbooks = readRunbooks();

  it('each have a severity, a summary and a page', () => {
    for (const { alert, labels, annotations } of alerts) {
      expect(labels?.['severity'], alert).to.be.oneOf(['page', 'ticket']);
      expect(annotations?.['summary'], alert).to.be.a('string').and.not.equal('');
      const page = runbooks.get(annotations?.['runbook_url'] ?? '');
      expect(page, `${alert} has no runbook`).to.be.a('string').and.include(alert);
    }
  });

  it('have no page for what is no alert, and each page says the same four things', () => {
    const used = new Set(alerts.map(({ annotations }) => annotations?.['runbook_url']));
    expect([...runbooks.keys()].filter((path) => !used.has(path))).to.deep.equal(['docs/runbooks/README.md']);
    for (const [path, page] of runbooks)
      if (path !== 'docs/runbooks/README.md')
        expect(
          Array.from(page.matchAll(/^## .*$/gm), ([heading]) => heading),
          path,
        ).to.deep.equal(SECTIONS);
  });

  it('each have a test in which they fire, and one in which they do not', () => {
    const tests = readRuleTests();
    for (const { alert = '' } of alerts) {
      const own = tests.filter(({ name }) => name.startsWith(`${alert}: `));
      const fires = own.map(({ promql_expr_test: [test, ...others] }) => {
        expect(others).to.deep.equal([]);
        expect(test?.expr).to.equal(`count(ALERTS{alertname="${alert}", alertstate="firing"})`);
        return (test?.exp_samples.length ?? 0) > 0;
      });
      expect(fires, alert).to.include(true).and.include(false);
    }
  });

  it('have pages whose commands there are', async () => {
    const commands = new Set(
      [...runbooks.values()].flatMap((page) =>
        Array.from(page.matchAll(/`npx mad ([a-z -]+)/g), ([, words = '']) => words.trim()),
      ),
    );
    expect(commands.size).to.be.greaterThan(8);
    for (const command of commands) {
      const words = command.split(' ').filter((word) => !word.startsWith('-'));
      const said: string[] = [];
      await runCli([...words, '--help'], {
        version: '1.2.3',
        open: () => Promise.reject(new Error('help opens nothing')),
        print: (line) => void said.push(line),
        warn: () => undefined,
        readPassword: () => Promise.reject(new Error('help asks for nothing')),
      });
      const help = said.join('\n');
      expect(help, command).to.match(new RegExp(`^Usage: mad ${words.join(' ')} `));
      for (const option of command.split(' ').filter((word) => word.startsWith('--')))
        expect(help, command).to.include(option);
    }
  });

  it('have pages whose events of the log there are', () => {
    const events = [...runbooks.values()].flatMap((page) =>
      Array.from(page.matchAll(/`([a-z]+\.[a-z_]+)`/g), ([, name = '']) => name),
    );
    expect(events).not.to.be.empty;
    for (const event of events) expect(Object.keys(LOG_EVENTS)).to.include(event);
  });

  describe('by Prometheus itself', function () {
    this.timeout(300_000);

    before(function () {
      needsProgram(this, 'promtool');
    });

    const promtool = (...args: readonly string[]): void => {
      const { stdout, stderr, status } = spawnSync('promtool', args, { cwd: PROMETHEUS, encoding: 'utf8' });
      expect(status, `${stdout}\n${stderr}`).to.equal(0);
    };

    it('are rules', () => {
      promtool('check', 'rules', '--lint=all', '--lint-fatal', 'rules.yml', 'alerts.yml');
    });

    for (const file of RULE_TESTS)
      it(`fire when they should, and not otherwise: ${file}`, () => {
        promtool('test', 'rules', file);
      });
  });
});
