import { PassThrough, Writable } from 'node:stream';
import { expect } from 'chai';
import { EXIT_MEANINGS } from '../../../presentation/cli/command-context.ts';
import { readPassword } from '../../../presentation/cli/read-password.ts';
import { runCommandLine, type CommandOutcome } from '../../support/fakes/command-line.ts';
import { commandDependencies } from '../../support/fakes/fake-cli.ts';
import { rejectionOf } from '../../support/gate.ts';

const PASSWORD = 'correct horse battery';

describe('the command line', () => {
  /** What has nothing to act on. */
  const runAlone = (...argv: readonly string[]): Promise<CommandOutcome> =>
    runCommandLine(argv, { open: () => Promise.reject(new Error('the service was opened')) });

  it('tells its version, its commands and its exit codes, and opens nothing for that', async () => {
    expect(await runAlone('--version')).to.include({ exitCode: 0, stdout: '1.2.3', stderr: '' });
    for (const command of ['', 'databases ', 'databases adopt ', 'migrate run ', 'token ']) {
      const { exitCode, stdout, stderr } = await runAlone(...`${command}--help`.split(' '));
      expect([exitCode, stderr]).to.deep.equal([0, '']);
      expect(stdout.startsWith(`Usage: mad ${command}`), stdout).to.equal(true);
      for (const [code, meaning] of Object.entries(EXIT_MEANINGS))
        expect(stdout).to.include(`${code}  ${meaning}`);
      expect(stdout).not.to.include('(default: false)');
    }
  });

  for (const wrong of [
    'fly',
    'databases fly',
    'databases list --state broken',
    'databases provision Acme',
    'databases adopt acme --server EU',
    'servers set eu --weight heavy',
    'migrate run --org acme,..',
    'migrate status --run x',
    'audit verify --org Acme',
    'token twice',
    'users create-admin',
    'users create-admin --email nobody',
    'users create-admin --email ada;bob@acme.test',
  ]) {
    it(`ends "mad ${wrong}" with 2 and opens nothing`, async () => {
      const { exitCode, stdout, stderr } = await runAlone(...wrong.split(' '));
      expect([exitCode, stdout]).to.deep.equal([2, '']);
      expect(stderr).not.to.equal('');
    });
  }

  it('writes results to standard output, and why there is none to standard error', async () => {
    const failing = { rotateCredentials: () => Promise.reject(new Error('no server answers')) };
    const outcome = await runCommandLine(['databases', 'rotate-credentials'], {
      open: async () => commandDependencies(failing),
    });
    expect(outcome).to.include({ exitCode: 1, stdout: '', stderr: 'no server answers' });
    expect(await runAlone('databases', 'list', '--json')).to.include({
      exitCode: 1,
      stdout: '',
      stderr: 'the service was opened',
    });
  });
});

describe('the commands that let a person in', () => {
  const create = (password: string, isNew = true): Promise<CommandOutcome & { made: readonly string[] }> => {
    const made: string[] = [];
    const createAdministrator = async (email: string, chosen: string): Promise<boolean> => {
      made.push(`${email} ${chosen}`);
      return isNew;
    };
    return runCommandLine(['users', 'create-admin', '--email', 'ada@acme.test'], {
      open: async () => commandDependencies({ createAdministrator }),
      readPassword: async () => password,
    }).then((outcome) => ({ ...outcome, made }));
  };

  it('make an administrator of an email and a password that was asked for', async () => {
    const { exitCode, stdout, made } = await create(PASSWORD);
    expect([exitCode, made]).to.deep.equal([0, [`ada@acme.test ${PASSWORD}`]]);
    expect(stdout).to.include('ada@acme.test is a platform administrator').and.not.include(PASSWORD);
  });

  it('refuse a password that no user could choose, and an email that somebody has', async () => {
    const short = await create('short');
    expect(short).to.deep.include({ exitCode: 1, made: [] });
    expect(short.stderr).to.equal('The password must have at least 12 characters');
    expect(await create(PASSWORD, false)).to.include({
      exitCode: 1,
      stdout: '',
      stderr: 'A user of this email exists already.',
    });
  });

  it('print an operator’s token alone, so that a shell can take it', async () => {
    const open = async () =>
      commandDependencies({
        grantOperatorToken: async () => ({ accessToken: 'a.b.c', expiresInSeconds: 3600 }),
      });
    expect((await runCommandLine(['token'], { open })).lines).to.deep.equal(['a.b.c']);
    const { stdout } = await runCommandLine(['token', '--json'], { open });
    expect(JSON.parse(stdout)).to.deep.equal({
      access_token: 'a.b.c',
      token_type: 'bearer',
      expires_in: 3600,
    });
  });
});

describe('a password', () => {
  const typed = (...lines: readonly string[]): PassThrough => {
    const input = new PassThrough();
    for (const line of lines) input.write(`${line}\r`);
    return Object.assign(input, { isTTY: true, setRawMode: () => input });
  };
  const output = (): Writable & { shown: () => string } => {
    let shown = '';
    const stream = new Writable({
      write: (chunk, _encoding, done) => {
        shown += String(chunk);
        done();
      },
    });
    return Object.assign(stream, { shown: () => shown });
  };

  it('is asked for twice on a terminal, and never shown', async () => {
    const terminal = output();
    expect(await readPassword({ input: typed(PASSWORD, PASSWORD), output: terminal })).to.equal(PASSWORD);
    expect(terminal.shown()).to.equal('Password: \nPassword again: \n');
  });

  it('is refused when it was typed in two ways, or not at all', async () => {
    const differing = readPassword({ input: typed(PASSWORD, 'another one'), output: output() });
    expect(String(await rejectionOf(differing))).to.include('two different passwords');
    const interrupted = readPassword({ input: typed('correct \u0003'), output: output() });
    expect(String(await rejectionOf(interrupted))).to.include('No password was given');
  });

  it('is the first line of what is no terminal', async () => {
    const input = new PassThrough();
    input.end(`${PASSWORD}\nand more\n`);
    expect(await readPassword({ input, output: output() })).to.equal(PASSWORD);
    const nothing = new PassThrough();
    nothing.end();
    expect(String(await rejectionOf(readPassword({ input: nothing, output: output() })))).to.include(
      'No password was given',
    );
  });
});
