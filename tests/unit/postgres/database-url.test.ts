import { userInfo } from 'node:os';
import { inspect } from 'node:util';
import { expect } from 'chai';
import { parseOrganizationId } from '../../../domain/organizations/organization-id.ts';
import { DatabaseUrl, InvalidDatabaseUrlError } from '../../../infrastructure/postgres/database-url.ts';
import { ResultsUrlTemplate } from '../../../infrastructure/postgres/results-url-template.ts';

const AWKWARD = [
  'plain',
  'a b',
  'p@ss',
  'a/b',
  'a?b',
  'a#b',
  '100%',
  '%41',
  'a:b',
  'ü→漢',
  'q\'"\\',
  'a&b=c+d',
  '[x]',
  '{y}',
];

describe('DatabaseUrl', () => {
  it('takes all spellings of the scheme and drops a driver', () => {
    for (const scheme of [
      'postgres',
      'postgresql',
      'postgresql+asyncpg',
      'postgres+psycopg2',
      'POSTGRESQL',
    ]) {
      expect(DatabaseUrl.parse(`${scheme}://u:p@h:5432/d`).toString()).to.equal('postgresql://u:p@h:5432/d');
    }
  });

  it('keeps every user, password and database name through text and back', () => {
    for (const value of AWKWARD) {
      for (const other of AWKWARD) {
        const made = DatabaseUrl.parse('postgresql://h:6543/d?sslmode=disable')
          .withCredentials(other, value)
          .withDatabase(value);
        const url = DatabaseUrl.parse(made.toString());
        expect(url.toString()).to.equal(made.toString());
        expect(url.database).to.equal(value);
        expect(url.toClientConfigs()[0]).to.deep.include({
          host: 'h',
          port: 6543,
          user: other,
          password: value,
          database: value,
          ssl: false,
        });
      }
    }
  });

  it('keeps query parameters through every derivation', () => {
    const url = DatabaseUrl.parse(
      'postgresql://u:p@h/d?sslmode=disable&application_name=m%20d&options=-c%20a%3Db',
    )
      .withDatabase('other')
      .withCredentials('v', 'q');

    expect(url.toString()).to.equal(
      'postgresql://v:q@h/other?sslmode=disable&application_name=m%20d&options=-c%20a%3Db',
    );
    expect(url.toClientConfigs()[0]).to.deep.include({
      user: 'v',
      password: 'q',
      database: 'other',
      ssl: false,
      application_name: 'm d',
      options: '-c a=b',
    });
  });

  it('replaces a login that stands in the query', () => {
    const url = DatabaseUrl.parse('postgresql://h/d?user=u&password=p&application_name=x');

    expect(url.user).to.equal('u');
    expect(url.toClientConfigs()[0]).to.deep.include({ user: 'u', password: 'p' });
    expect(url.withCredentials('v', 'q').toString()).to.equal('postgresql://v:q@h/d?application_name=x');
  });

  it('takes a socket folder, with and without a login', () => {
    for (const text of ['postgresql:///d?host=/run/pg', 'postgresql://u@/d?host=/run/pg']) {
      const url = DatabaseUrl.parse(text);
      expect(url.toString()).to.equal(text);
      expect(url.withDatabase('e').toClientConfigs()[0]).to.deep.include({ host: '/run/pg', database: 'e' });
    }
    expect(DatabaseUrl.parse('postgresql://u@%2Frun%2Fpg/d').toClientConfigs()[0]?.host).to.equal('/run/pg');
  });

  it('fills what it leaves out with the defaults of libpq, whatever the environment says', () => {
    const [config] = DatabaseUrl.parse('postgresql:///d').toClientConfigs();

    expect(config).to.deep.include({ host: 'localhost', port: 5432, user: userInfo().username });
    expect(config).to.deep.include({ password: '', ssl: false, sslnegotiation: 'postgres' });
  });

  it('knows what it leaves open', () => {
    const open = (text: string) =>
      ['host', 'port', 'user', 'password', 'sslmode', 'options'].filter((parameter) =>
        DatabaseUrl.parse(text).leavesOpen(parameter),
      );

    expect(open('postgresql:///d')).to.have.length(6);
    expect(open('postgresql://u@h/d?ssl=true')).to.deep.equal(['port', 'password', 'options']);
    expect(open('postgresql://h:1,i/d?user=u&password=p&sslmode=disable&options=x')).to.deep.equal(['port']);
  });

  it('says by require_auth how a server may ask for the password, as in libpq', () => {
    const methodsOf = (value: string) => [
      ...(DatabaseUrl.parse(`postgresql://h/d?require_auth=${value}`).authMethods ?? []),
    ];
    const problemOf = (value: string) => {
      try {
        return methodsOf(value).join();
      } catch (error) {
        return error instanceof InvalidDatabaseUrlError ? error.problem : error;
      }
    };

    expect(DatabaseUrl.parse('postgresql://h/d').authMethods).to.equal(null);
    expect(methodsOf('md5,none')).to.deep.equal(['md5', 'none']);
    expect(methodsOf('!password,!md5')).to.deep.equal(['scram-sha-256', 'none', 'gss', 'sspi', 'oauth']);
    expect(methodsOf('')).to.include('password');
    expect(problemOf('scram')).to.match(/^its require_auth must list some of password, md5, scram-sha-256/);
    expect(problemOf('!md5,none')).to.equal('its require_auth holds methods with and without a "!"');
  });

  it('names several servers, before the path or in the query', () => {
    const serversOf = (text: string) =>
      DatabaseUrl.parse(text)
        .toClientConfigs()
        .map(({ host, port }) => `${host}:${port ?? ''}`);

    expect(serversOf('postgresql://u:p@a:5432,b:5433/d')).to.deep.equal(['a:5432', 'b:5433']);
    expect(serversOf('postgresql+asyncpg://a,b:5433,[::1]:1,[::2]/d')).to.deep.equal([
      'a:5432',
      'b:5433',
      '::1:1',
      '::2:5432',
    ]);
    expect(serversOf('postgresql:///d?host=a,b')).to.deep.equal(['a:5432', 'b:5432']);
    expect(serversOf('postgresql:///d?host=a,b&port=1')).to.deep.equal(['a:1', 'b:1']);
    expect(serversOf('postgresql:///d?port=1,&host=a,b')).to.deep.equal(['a:1', 'b:5432']);
    expect(serversOf('postgresql://u@/d?host=/run/pg,b&port=1,2')).to.deep.equal(['/run/pg:1', 'b:2']);
    expect(serversOf('postgresql://x:1/d?host=a,b')).to.deep.equal(['a:1', 'b:1']);
    expect(serversOf('postgresql://a,b/d?port=7')).to.deep.equal(['a:7', 'b:7']);
  });

  it('keeps its servers, and which of them it is for, through every derivation', () => {
    const text = 'postgresql://u:p@a:5432,b:5433/d?target_session_attrs=read-write&sslmode=disable';
    const url = DatabaseUrl.parse(text);
    const derived = url.withDatabase('e').withCredentials('v', 'q');

    expect(url.toString()).to.equal(text);
    expect(url.redacted).to.equal(text.replace(':p@', ':***@'));
    expect(derived.sessionTarget).to.equal('read-write');
    for (const [index, host] of ['a', 'b'].entries()) {
      expect(derived.toClientConfigs()[index]).to.deep.include({
        host,
        port: 5432 + index,
        user: 'v',
        password: 'q',
        database: 'e',
        ssl: false,
      });
    }
    expect(DatabaseUrl.parse('postgresql://a,b/d').sessionTarget).to.equal('any');
  });

  it('says what is wrong with a list of servers', () => {
    const problemOf = (text: string): string => {
      try {
        DatabaseUrl.parse(text);
      } catch (error) {
        if (error instanceof InvalidDatabaseUrlError) return error.message;
      }
      return 'none';
    };

    expect(problemOf('postgresql://u:CANARY@a:1,b:2/d?port=1,2,3')).to.equal(
      '"postgresql://***@a:1,b:2/d?…" is no usable database URL: ' +
        'it names 2 hosts and 3 ports: one for each is needed, or one for all',
    );
    expect(problemOf('postgresql://u:CANARY@a,b/d?target_session_attrs=rw')).to.equal(
      '"postgresql://***@a,b/d?…" is no usable database URL: ' +
        'its target_session_attrs must be one of any, read-write, read-only, primary, standby, prefer-standby',
    );
  });

  it('means by sslmode what libpq means by it, and refuses what that is not', () => {
    const sslOf = (mode: string) =>
      DatabaseUrl.parse(`postgresql://h/d?sslmode=${mode}`)
        .toClientConfigs()
        .map(({ ssl }) => ssl);
    const unverified = { rejectUnauthorized: false };
    expect(sslOf('disable')).to.deep.equal([false]);
    expect(sslOf('allow')).to.deep.equal([false, unverified]);
    expect(sslOf('prefer')).to.deep.equal([unverified, false]);
    expect(sslOf('require')).to.deep.equal([unverified]);
    expect(sslOf('no-verify')).to.deep.equal([unverified]);
    expect(sslOf('verify-full')).to.deep.equal([{}]);
    const problemOf = (parameters: string): string => {
      try {
        return DatabaseUrl.parse(`postgresql://h/d?${parameters}`).toString();
      } catch (error) {
        return error instanceof InvalidDatabaseUrlError ? error.problem : 'another error';
      }
    };
    expect(problemOf('sslmode=bogus')).to.match(
      /^its sslmode must be one of disable, allow, prefer, require/,
    );
    expect(problemOf('sslmode=verify-ca')).to.equal('its sslmode verify-ca needs an sslrootcert');
    expect(problemOf('sslmode=verify-full&sslrootcert=/no/such.crt')).to.equal(
      'its certificate "/no/such.crt" cannot be read',
    );
  });

  it('names no password when it is printed', () => {
    const url = DatabaseUrl.parse(
      'postgresql://u:CANARY@h/d?password=CANARY&sslpassword=CANARY&pass%77ord=CANARY&sslmode=disable',
    );

    expect(url.redacted).to.equal(
      'postgresql://u:***@h/d?password=***&sslpassword=***&password=***&sslmode=disable',
    );
    expect(JSON.stringify({ url })).to.equal(`{"url":"${url.redacted}"}`);
    expect(inspect({ url }, { depth: 9, showHidden: true })).to.not.contain('CANARY');
  });

  it('refuses what names no database on one server', () => {
    const refused = [
      '',
      'h/d',
      'http://h/d',
      'postgresql:/h/d',
      'postgresql://h',
      'postgresql://h/',
      'postgresql://h/..',
      'postgresql://h/%2e%2e',
      'postgresql://h/a%00b',
      'postgresql://u%00x@h/d',
      'postgresql://h/%zz',
      'postgresql://h/d#f',
      'postgresql://h:70000/d',
      'postgresql://h/d?port=x',
      'postgresql://h/d?dbname=e',
      'postgresql://h/d?database=e',
      'postgresql://a,/d',
      'postgresql://,b/d',
      'postgresql://a%2Cb/d',
      'postgresql://a:1,b:x/d',
      'postgresql://a:1,b:70000/d',
      'postgresql:///d?host=a,',
      'postgresql:///d?host=a&host=b',
      'postgresql:///d?host=a,b&port=1,2,3',
      'postgresql://a,b/d?port=1,x',
      'postgresql://a:1/d?port=70000',
      'postgresql://a,b/d?target_session_attrs=readwrite',
      'postgresql://a,b/d?target_session_attrs=',
      ' postgresql://h/d',
      'postgresql://h/d\n',
      `postgresql://h/${'é'.repeat(32)}`,
    ];
    for (const text of refused) expect(() => DatabaseUrl.parse(text), text).to.throw(InvalidDatabaseUrlError);
  });

  it('refuses a derived name that no database can have', () => {
    const url = DatabaseUrl.parse('postgresql://h/d');

    for (const name of ['', '.', '..', 'a\u0000b', 'a\nb', 'x'.repeat(64), 'é'.repeat(32)]) {
      expect(() => url.withDatabase(name), name).to.throw(InvalidDatabaseUrlError);
    }
    expect(url.withDatabase('x'.repeat(63)).database).to.have.length(63);
  });

  it('keeps no refused text in the error', () => {
    let caught: unknown;
    try {
      DatabaseUrl.parse('postgresql://u:CANARY@h:x/d');
    } catch (error) {
      caught = error;
    }

    expect(caught).to.be.instanceOf(InvalidDatabaseUrlError);
    expect(inspect(caught, { depth: 9, showHidden: true })).to.not.contain('CANARY');
  });
});

describe('ResultsUrlTemplate', () => {
  const template = ResultsUrlTemplate.parse(
    'postgresql+asyncpg://u:p@h:5433/mad_results_{org_id}?sslmode=disable',
  );

  it('leads to every database of its server, and names those of organizations', () => {
    expect(template.urlForDatabase('x').toString()).to.equal('postgresql://u:p@h:5433/x?sslmode=disable');
    expect(template.adminUrl.toString()).to.equal('postgresql://u:p@h:5433/postgres?sslmode=disable');
    expect(nameFor(template)).to.equal('mad_results_acme');
  });

  it('lies beside the metadata database by default', () => {
    const beside = ResultsUrlTemplate.fromMetadataUrl(
      DatabaseUrl.parse('postgresql://u:p@h/mad?sslmode=disable'),
    );

    expect(beside.urlForDatabase(nameFor(beside)).toString()).to.equal(
      'postgresql://u:p@h/mad_results_acme?sslmode=disable',
    );
  });

  it('counts bytes, and refuses to leave fewer than 20', () => {
    const parse = (name: string) => ResultsUrlTemplate.parse(`postgresql://h/${name}`);

    expect(parse(`${'x'.repeat(43)}{org_id}`).names.maxOrganizationIdLength).to.equal(20);
    expect(() => parse(`${'x'.repeat(44)}{org_id}`)).to.throw(InvalidDatabaseUrlError, 'at least 20');
  });

  it('refuses to map an organization to a database of the server', () => {
    for (const name of ['{org_id}', 'post{org_id}', 'template{org_id}', '{org_id}s']) {
      expect(() => ResultsUrlTemplate.parse(`postgresql://h/${name}`), name).to.throw(
        InvalidDatabaseUrlError,
        "server's own",
      );
    }
  });

  it('takes an encoded placeholder', () => {
    expect(nameFor(ResultsUrlTemplate.parse('postgresql://h/r_%7Borg_id%7D'))).to.equal('r_acme');
  });

  it('names no password when it is printed', () => {
    const secret = ResultsUrlTemplate.parse('postgresql://u:CANARY@h/r_{org_id}?sslpassword=CANARY');

    expect(secret.redacted).to.equal('postgresql://u:***@h/r_{org_id}?sslpassword=***');
    expect(JSON.stringify(secret) + inspect(secret, { showHidden: true })).to.not.contain('CANARY');
  });
});

const nameFor = ({ names }: ResultsUrlTemplate): string =>
  names.forOrganization(parseOrganizationId('acme', names.maxOrganizationIdLength));
