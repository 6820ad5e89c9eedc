import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import { expect } from 'chai';
import { Migrator } from '../../infrastructure/migrations/migrator.ts';
import { MigrationSource } from '../../infrastructure/migrations/migration-source.ts';
import { DatabaseUrl } from '../../infrastructure/postgres/database-url.ts';
import { PgConnection } from '../../infrastructure/postgres/pg-connection.ts';
import {
  AuthenticationRefusedError,
  SqlState,
  sqlStateOf,
} from '../../infrastructure/postgres/postgres-errors.ts';
import { rejectionOf, until } from '../support/gate.ts';
import { testServer } from '../support/postgres-server.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';
import { openConnection } from '../support/test-pool.ts';
import { TEST_CERTIFICATE } from '../support/test-certificate.ts';

const PASSWORD = 'canary-Passw0rd-of-nobody';

/** What a server says at login. */
const message = (type: string, ...parts: readonly (number | string)[]): Buffer => {
  const body = Buffer.concat(
    parts.map((part) => {
      if (typeof part === 'string') return Buffer.from(`${part}\0`);
      const bytes = Buffer.alloc(4);
      bytes.writeInt32BE(part);
      return bytes;
    }),
  );
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
};
const OK = message('R', 0);
const CLEAR_TEXT = message('R', 3);
const MD5 = message('R', 5, 0x61_62_63_64);
const SSL_REQUEST = 80_877_103;
const SCRAM = message('R', 10, 'SCRAM-SHA-256', '');

/** The server's challenge has no end of text. */
const saslContinue = (challenge: Buffer): Buffer => {
  const head = Buffer.alloc(9);
  head.write('R');
  head.writeInt32BE(challenge.length + 8, 1);
  head.writeInt32BE(11, 5);
  return Buffer.concat([head, challenge]);
};

describe('A login', function () {
  this.timeout(60_000);

  describe('to a server that is not known to be the right one', () => {
    let server: Server;
    let heard: string;
    let url: string;
    let answers: readonly (Buffer | (() => Buffer))[];

    beforeEach(async () => {
      heard = '';
      server = createServer((socket) => {
        const left = [...answers];
        socket.on('error', () => undefined);
        socket.on('data', (chunk: Buffer) => {
          heard += chunk.toString('latin1');
          const next = left.shift();
          if (next === undefined) socket.destroy();
          else if (next === OK) socket.end(next);
          else socket.write(typeof next === 'function' ? next() : next);
        });
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      url = `postgresql://u:${PASSWORD}@127.0.0.1:${(server.address() as AddressInfo).port}/d`;
    });
    afterEach(() => {
      server.close();
    });

    for (const [how, asks] of [
      ['in clear text', CLEAR_TEXT],
      ['as an MD5 hash', MD5],
    ] as const) {
      it(`does not send the password ${how}`, async () => {
        answers = [asks];
        const refusal = await rejectionOf(openConnection(url));

        expect(refusal).to.be.instanceOf(AuthenticationRefusedError);
        expect(String(refusal)).to.match(/asks for the password by "\w+", and require_auth allows scram/);
        const goodbye = message('X').toString();
        expect(heard.replace(goodbye, ''), 'nothing follows the startup').to.match(
          /client_encoding\0UTF8\0\0$/,
        );
      });
    }

    it('sends it where the URL says so', async () => {
      answers = [CLEAR_TEXT];
      await rejectionOf(openConnection(`${url}?require_auth=password`));

      expect(heard).to.include(PASSWORD);
    });

    it('does not take a server for the right one that breaks SCRAM off', async () => {
      answers = [SCRAM, OK];

      expect(String(await rejectionOf(openConnection(url)))).to.match(/did not prove that it knows/);
      expect(heard).not.to.include(PASSWORD);
    });

    it('proves nothing before the moment that it has to wait for', async () => {
      const challenge = (): Buffer => Buffer.from(`r=${/r=([^,]+)$/.exec(heard)?.[1]}more,s=c2FsdA==,i=4096`);
      answers = [SCRAM, () => saslContinue(challenge())];
      const login = (loginAfter: Promise<unknown>) =>
        rejectionOf(
          PgConnection.open({
            url: DatabaseUrl.parse(`${url}?sslmode=disable`),
            applicationName: 'test',
            connectTimeoutMs: 10_000,
            loginAfter,
          }),
        );
      const never = new Error('the moment does not come');
      const refused = Promise.reject(never);
      refused.catch(() => undefined);

      expect(await login(refused)).to.equal(never);
      expect(heard)
        .to.match(/n,,n=\*,r=/)
        .and.not.include(',p=');
      await login(Promise.resolve());
      expect(heard).to.include(',p=');
    });

    it('goes on where nothing is asked, unless the URL wants the server to prove itself', async () => {
      answers = [OK];

      expect(await rejectionOf(openConnection(url))).not.to.be.instanceOf(AuthenticationRefusedError);
      expect(String(await rejectionOf(openConnection(`${url}?require_auth=scram-sha-256`)))).to.match(
        /asks for no password, and require_auth allows scram-sha-256/,
      );
    });
  });

  describe('to a database', () => {
    let database: TestDatabase;

    beforeEach(async () => {
      database = await createTestDatabase('login');
    });
    afterEach(() => database.drop());

    /** Of the database; a role's or the server's mean the same to a session. */
    const set = async (...settings: readonly string[]): Promise<void> => {
      const connection = await openConnection(database.url);
      for (const setting of settings)
        await connection.execute(`alter database "${database.name}" set ${setting}`);
      await connection.close();
    };
    const HOSTILE = [
      `datestyle = 'German'`,
      `intervalstyle = 'sql_standard'`,
      `timezone = 'Asia/Kathmandu'`,
      `bytea_output = 'escape'`,
      `extra_float_digits = 0`,
      `standard_conforming_strings = off`,
      `client_encoding = 'LATIN1'`,
      `default_transaction_isolation = 'serializable'`,
    ];
    const SAMPLE = `select '2026-11-26T01:02:03.004Z'::timestamptz as at, '2026-11-26'::timestamptz::text as midnight,
      '1 day 02:00'::interval::text as "interval", '\\x00ff'::bytea as bytes, 0.1::float8 + 0.2::float8 as float, 'Zoë\\n' as text,
      current_setting('transaction_isolation') as isolation`;
    const MEANT = {
      at: new Date('2026-11-26T01:02:03.004Z'),
      midnight: '2026-11-26 00:00:00+00',
      interval: '1 day 02:00:00',
      bytes: Buffer.from([0, 255]),
      float: 0.1 + 0.2,
      text: 'Zoë\\n',
      isolation: 'read committed',
    };

    it('makes the settings that answers depend on what they have to be, whatever an administrator set', async () => {
      await set(...HOSTILE);
      const connection = await openConnection(database.url);
      try {
        expect(await connection.query({ text: SAMPLE, values: [] })).to.deep.equal([MEANT]);
        await connection.execute('set datestyle = german');
        await connection.reset();
        expect(await connection.query({ text: SAMPLE, values: [] }), 'after a reset').to.deep.equal([MEANT]);
      } finally {
        await connection.close();
      }
    });

    it('does so for migrations as well', async () => {
      await set(...HOSTILE);
      class Asking extends MigrationSource {
        answer: unknown;
        override getMigrations = async () => ['0001_ask.ts'];
        override getMigration = async () => ({
          up: async (knex: { raw(text: string): PromiseLike<{ rows: unknown }> }) => {
            this.answer = (await knex.raw(SAMPLE)).rows;
          },
          down: async () => undefined,
        });
      }
      const source = new Asking(new URL('file:///nowhere/'));
      await new Migrator(source).latest(DatabaseUrl.parse(database.url));

      expect(source.answer).to.deep.equal([MEANT]);
    });

    it('takes nothing from the environment', async () => {
      const misleading = {
        PGHOST: 'nowhere.invalid',
        PGPORT: '1',
        PGUSER: 'nobody',
        PGPASSWORD: PASSWORD,
        PGSSLMODE: 'require',
        PGSSLNEGOTIATION: 'direct',
        PGOPTIONS: '-c search_path=nowhere',
        PGAPPNAME: 'somebody',
        PGCLIENTENCODING: 'LATIN1',
        PGPASSFILE: '/nowhere',
      };
      const before = { ...process.env };
      Object.assign(process.env, misleading);
      try {
        const connection = await openConnection(database.url, 'the service');
        const [row] = await connection.query<Record<string, string>>({
          text: `select current_setting('search_path') as path, current_setting('application_name') as name`,
          values: [],
        });
        await connection.close();
        expect(row).to.deep.equal({ path: '"$user", public', name: 'the service' });

        const withoutPassword = DatabaseUrl.parse(database.url).withCredentials('mad', '').toString();
        expect(String(await rejectionOf(openConnection(withoutPassword)))).to.match(
          /asks for a password, and the URL holds none/,
        );
      } finally {
        for (const name of Object.keys(misleading)) delete process.env[name];
        Object.assign(process.env, before);
      }
    });
  });
});

describe('A request to cancel a statement', function () {
  this.timeout(60_000);

  it('goes over TLS where the session does', async () => {
    const target = new URL((await testServer()).url);
    const inClearText: Buffer[] = [];
    const ends: Promise<unknown>[] = [];
    const proxy = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', (first: Buffer) => {
        inClearText.push(first);
        if (first.readInt32BE(4) !== SSL_REQUEST) return void socket.destroy();
        socket.write('S');
        const client = new TLSSocket(socket, {
          isServer: true,
          secureContext: createSecureContext(TEST_CERTIFICATE),
        });
        const upstream = connect(Number(target.port || 5432), target.hostname);
        for (const side of [client, upstream]) side.on('error', () => undefined);
        ends.push(once(upstream, 'close'));
        client.pipe(upstream).pipe(client);
      });
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const url = new URL(target);
    url.port = String((proxy.address() as AddressInfo).port);
    url.hostname = '127.0.0.1';
    url.searchParams.set('sslmode', 'require');
    try {
      const connection = await openConnection(url.href, 'to be cancelled');
      const sleeping = rejectionOf(connection.query({ text: 'select pg_sleep(9)', values: [] }));
      const observer = await openConnection(target.href);
      await until('the statement runs', async () => {
        const rows = await observer.query({
          text: `select from pg_stat_activity where application_name = 'to be cancelled' and wait_event = 'PgSleep'`,
          values: [],
        });
        return rows.length === 1;
      });
      await observer.close();
      connection.cancel();

      expect(sqlStateOf(await sleeping)).to.equal(SqlState.queryCanceled);
      expect(
        inClearText.map(({ length }) => length),
        'nothing but the wish for TLS',
      ).to.deep.equal([8, 8]);
      await connection.close();
    } finally {
      ends.push(once(proxy, 'close'));
      proxy.close();
      await Promise.all(ends);
    }
  });
});
