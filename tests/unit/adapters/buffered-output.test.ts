import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { expect } from 'chai';

const LOGGER = new URL('../../../adapters/pino/pino-logger.ts', import.meta.url).href;
const LINES = 200;

/** A program that logs, then does `end`. */
const program = (end: string): string[] => [
  '--import',
  'tsx',
  '--input-type=module',
  '--eval',
  `import { createPinoLogger } from '${LOGGER}';
   const loggers = [0, 1].map(() => createPinoLogger({ level: 'info' }));
   for (let line = 0; line < ${LINES}; line += 1) loggers[line % 2].write('service.stopped', { line });
   ${end}`,
];

const numbersIn = (text: string): readonly unknown[] =>
  text
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { line: unknown }).line);

const ALL = Array.from({ length: LINES }, (_, line) => line);

describe('What the loggers of a process write', function () {
  this.timeout(20_000);

  for (const [title, end, status] of [
    ['that ends by itself', '', 0],
    ['that exits', 'process.exit(3);', 3],
    ['that throws', 'throw new Error("over");', 1],
  ] as const) {
    it(`is out whole and in order at the end of one ${title}`, () => {
      const run = spawnSync(process.execPath, program(end), { encoding: 'utf8' });
      expect(run.status).to.equal(status);
      expect(numbersIn(run.stdout)).to.deep.equal(ALL);
    });
  }

  it('holds no process up whose reader has gone', async () => {
    const end = `setTimeout(() => { loggers[0].write('service.stopped', {}); process.exit(4); }, 1000);`;
    const child = spawn(process.execPath, program(end), { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      await once(child.stdout, 'data');
      child.stdout.destroy();
      expect((await once(child, 'exit'))[0]).to.equal(4);
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('costs lines and not the process where it cannot be written', function () {
    // The device that is always full.
    if (process.platform !== 'linux') this.skip();
    const full = openSync('/dev/full', 'w');
    try {
      const end = `setTimeout(() => process.exit(5), 300);`;
      const run = spawnSync(process.execPath, program(end), { stdio: ['ignore', full, 'pipe'] });
      expect([run.status, run.stderr.toString()]).to.deep.equal([5, '']);
    } finally {
      closeSync(full);
    }
  });

  it('is out soon though it is little and the process goes on', async () => {
    const child = spawn(process.execPath, program('setInterval(() => undefined, 1000);'), {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      let text = '';
      while (text.split('\n').length <= LINES) text += String((await once(child.stdout, 'data'))[0]);
      expect(numbersIn(text)).to.deep.equal(ALL);
      expect(child.exitCode).to.equal(null);
    } finally {
      child.kill('SIGKILL');
    }
  });
});
